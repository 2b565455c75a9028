"""What notebooks show: tables that are readable on light and dark pages, and lose nothing without their styles."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import autograd_lite
import nn
from autograd_lite import Tensor
from autograd_lite.draw import backprop_page
from autograd_lite.formatting import short
from autograd_lite.html_tables import html_array, html_table


class Balanced(HTMLParser):
    """Takes HTML in which every element is closed; its texts in `texts`."""

    def __init__(self, html):
        super().__init__()
        self.open, self.texts = [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def cells(html):
    return re.findall(r"<td[^>]*>([^<]*)</td>", html)


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=4))
def test_every_text_is_shown_as_it_is(rows):
    html = html_table(["a", "b"], rows)
    found = "".join(Balanced(html).texts)
    for row in rows:
        for text in row:
            assert text.replace("\r", "") in found.replace("\r", "")


@given(arrays(np.float64, st.tuples(st.integers(1, 10), st.integers(1, 10))))
def test_every_number_of_a_small_array_is_shown(array):
    assert cells(html_array(array)) == [short(number) for number in array.ravel()]


def test_a_large_array_shows_its_corners():
    html = html_array(np.arange(1_000_000).reshape(1000, 1000))
    assert len(html) < 20_000
    for corner in ("0", "999", "999000", "999999"):
        assert corner in cells(html)
    assert "…" in html


def test_tints_are_translucent_and_follow_sign_and_size():
    small, large, negative = re.findall(r"<td[^>]*>", html_array(np.array([0.1, 1.0, -1.0])))
    opacity = [float(re.search(r"([\d.]+)\)", cell)[1]) for cell in (small, large, negative)]
    assert opacity[0] < opacity[1] == opacity[2] <= 0.3
    assert re.search(r"rgba\((.*?), [\d.]+\)", large)[1] != re.search(r"rgba\((.*?), [\d.]+\)", negative)[1]


@pytest.mark.parametrize("ground", [255, 30, 0], ids=["white", "dark", "black"])
@pytest.mark.parametrize("number", [1.0, -1.0])
def test_the_darkest_tint_keeps_text_readable_on_light_and_dark_pages(ground, number):
    red, green, blue, opacity = map(float, re.search(r"rgba\((.*?)\)", html_array(np.array([number])))[1].split(","))
    tinted = ground + opacity * (np.array([red, green, blue]) - ground)
    text = 0 if ground > 128 else 255

    def light(colour):
        part = np.broadcast_to(colour, 3) / 255
        linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722]) + 0.05

    assert max(light(text), light(tinted)) / min(light(text), light(tinted)) >= 4.5


# ---- each object ----


def trained():
    rng = np.random.default_rng(0)
    model = nn.MLP([2, 3, 2], "tanh", rng=0, dtype=np.float64)
    X, y = rng.normal(size=(20, 2)), rng.integers(0, 2, 20)
    history = nn.fit(
        model, nn.softmax_cross_entropy, nn.SGD(model.parameters(), 0.1), (X, y), epochs=30, progress=False
    )
    return model, history


def test_a_tensor_shows_its_numbers_and_its_gradient():
    x = Tensor([[1.5, -2.0]], requires_grad=True, name="x")
    assert cells(x._repr_html_()) == ["1.5", "-2"]
    np.sum(x**2).backward()
    assert cells(x._repr_html_()) == ["1.5", "-2", "3", "-4"]
    assert "name=&#x27;x&#x27;" in x._repr_html_()
    Balanced(x._repr_html_())


@pytest.mark.parametrize("array", [np.zeros((2, 2, 2)), np.zeros(0)])
def test_a_tensor_that_fits_into_no_table_shows_its_text(array):
    assert Tensor(array)._repr_html_() is None


@pytest.mark.parametrize("array", [np.array(True), np.array([1, 2]), np.array([1 + 2j]), np.array([np.nan, np.inf])])
def test_tensors_of_every_kind_are_shown(array):
    assert len(cells(Tensor(array)._repr_html_())) == array.size


def test_a_tensor_within_a_transform_is_shown_as_what_it_holds():
    from autograd_lite.transforms import grad, vmap

    seen = []
    grad(lambda x: seen.append(x._repr_html_()) or x * x)(2.0)
    vmap(lambda x: seen.append(x._repr_html_()) or x * x)(np.ones(3))
    assert cells(seen[0]) == ["2"]
    assert seen[1] is None or len(cells(seen[1])) == 3


def test_model_history_summary_and_plan_show_what_their_text_has():
    model, history = trained()
    step = autograd_lite.compile(lambda x: np.exp(x) @ np.ones(3), jit=False)
    assert step._repr_html_() is None
    step(np.ones((2, 3)))
    summary = nn.summary(model, (2,))
    for shown, texts in (
        (model, ("layers.0", "Dense", "weight=(2, 3)", "MLP", "17")),
        (history, ("30 epochs", "loss", "gradient_norm", "…", "30")),
        (summary, ("layers.2", "(1, 3)", "total", "17")),
        (step, ("np.exp(x0)", "(2, 3) float64", "calls of")),
        (step.plans[0], ("np.exp(x0)",)),
        (autograd_lite.show_config("dicts"), ("NumPy", np.__version__)),
    ):
        html = shown._repr_html_()
        found = " ".join(Balanced(html).texts)
        for text in texts:
            assert text in found
        assert not re.search(r"(?<!-)color:|background:(?!rgba)", html)  # text and ground are the page's own


def test_a_history_of_no_epoch_is_shown():
    assert "0 epochs" in nn.History()._repr_html_()


def test_a_page_without_a_path_is_shown_in_a_sandboxed_frame_and_writes_nothing(dot, tmp_path, monkeypatch, browser):
    monkeypatch.chdir(tmp_path)
    w = Tensor(3.0, requires_grad=True, name="w")
    page = backprop_page((w * 2.0 - 1) ** 2)
    assert list(tmp_path.iterdir()) == []
    assert "save('page.html')" in repr(page)
    html = page._repr_html_()
    assert 'sandbox="allow-scripts allow-modals"' in html
    assert page.save("page.html").read_text(encoding="utf-8") == page.html
    errors = []
    notebook = browser.new_page()
    notebook.on("pageerror", lambda error: errors.append(error))
    notebook.set_content(f"<body>{html}</body>")
    frame = notebook.frames[1]
    frame.wait_for_selector("svg .node")
    assert frame.locator("h2").first.inner_text() == "Start"
    assert errors == []
    notebook.close()


def test_a_page_in_a_frame_that_is_shown_later_fits_it_then(dot, browser):
    html = backprop_page((Tensor(3.0, requires_grad=True, name="w") * 2.0 - 1) ** 2)._repr_html_()
    notebook = browser.new_page()
    notebook.set_content(f"<body><div id='output' style='display:none'>{html}</div></body>")
    frame = notebook.frames[1]
    frame.wait_for_selector("svg .node", state="attached")
    notebook.evaluate("document.getElementById('output').style.display = ''")
    for _ in range(100):
        width = frame.locator("svg .node").first.bounding_box()["width"]
        if width > 40:
            break
        notebook.wait_for_timeout(50)
    notebook.close()
    assert width > 40
