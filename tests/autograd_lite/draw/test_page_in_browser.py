"""The page that plays a backward pass, in a real browser: what a reader sees and can do."""

import re

import numpy as np
import pytest

from autograd_lite.core.graph import ancestors
from autograd_lite.core.stepper import steps
from autograd_lite.draw import backprop_page
from autograd_lite.draw.page.html_arrays import is_small, statistics

from .networks import NETWORKS, engine_gradients, leaf, reused_scalars, sigmoid_chain, small_mlp, wide_mlp

pytestmark = pytest.mark.usefixtures("dot")

AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture
def opened(browser, tmp_path):
    """Gives a function that writes a page and opens it; no error may be logged and nothing be requested by then."""
    contexts, complaints, requests = [], [], []

    def open_page(loss, model=None, *, theme="light", clock=False, **options):
        path = backprop_page(loss, tmp_path / "page.html", module=model, **options)
        context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=theme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        if clock:
            page.clock.install()
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith(("file://", "data:"))] == []
    assert len([url for url in requests if url.startswith("file://")]) == len(contexts)


def place(page):
    return page.locator("#position").inner_text()


def numbers_of(markup):
    """The numbers in MathML, as text that ``float`` takes."""
    text = re.findall(r"(<mo>−</mo>)?<mn[^>]*>([^<]*)</mn>", markup)
    return [float(("-" if sign else "") + digits.replace("∞", "inf")) for sign, digits in text]


def rounded(array):
    return [float(f"{entry:.4g}") for entry in np.asarray(array, np.float64).ravel()]


def shows(figure, array):
    """Whether a figure shows an array, to the digits that it prints."""
    if is_small(array):
        return numbers_of(figure.locator("> math").inner_html()) == rounded(array)
    spans = figure.locator(".statistics span").all_inner_texts()
    return figure.locator("svg use").count() == 1 and spans == statistics(array)


# ---- the numbers ----


@pytest.mark.parametrize("network", NETWORKS)
def test_every_number_at_every_step_is_the_engines(network, opened):
    loss, model = network()
    gradients = engine_gradients(loss)
    page = opened(loss, model)
    order = ancestors(loss.node)
    turns = [step for step in steps(loss.node) if step.node.recipe is not None]
    whole = {order[0]}
    for turn in turns:
        page.keyboard.press("ArrowRight")
        section = page.locator(".step:visible")
        own = gradients[order.index(turn.node)]
        if own is not None:
            assert shows(section.locator("> figure").first, own)
        contributions = section.locator(".contribution")
        assert contributions.count() == len(turn.contributions)
        for i, handed in enumerate(turn.contributions):
            shown, gradient = contributions.nth(i), gradients[order.index(handed.parent)]
            if gradient is None:
                continue
            formulas = {
                f.get_attribute("class"): f.inner_html().rpartition("<mo>=</mo>")[2]
                for f in shown.locator(".formula > div").all()
            }
            if "in-numbers" in formulas:
                assert numbers_of(formulas["in-numbers"]) == rounded(handed.cotangent)
            else:
                assert shows(shown.locator("figure").first, handed.cotangent)
            if "adds-up" in formulas:
                assert numbers_of(formulas["adds-up"]) == rounded(handed.total)
            elif handed.before is not None:
                assert shows(shown.locator("figure").last, handed.total)
            if shown.locator(".whole").count():
                np.testing.assert_allclose(handed.total, gradient, rtol=1e-6)
                whole.add(handed.parent)
    assert whole == {node for node, gradient in zip(order, gradients, strict=True) if gradient is not None}


@pytest.mark.parametrize("network", NETWORKS)
def test_gradients_come_into_the_picture_when_they_are_complete(network, opened):
    loss, model = network()
    page = opened(loss, model)
    order = ancestors(loss.node)
    calls = [node for node in order if node.recipe is not None]
    missing = {i: sum(node.parents.count(parent) for node in calls) for i, parent in enumerate(order)}
    for turn in [None, *calls]:
        if turn is not None:
            page.keyboard.press("ArrowRight")
            for parent in turn.parents:
                missing[order.index(parent)] -= 1
        seen = page.eval_on_selector_all(
            ".node:has(.gradient)",
            "boxes => boxes.filter(b => getComputedStyle(b.querySelector('.gradient')).visibility === 'visible')"
            ".map(b => Number(b.dataset.nodes))",
        )
        drawn = page.eval_on_selector_all(".node:has(.gradient)", "boxes => boxes.map(b => Number(b.dataset.nodes))")
        assert set(seen) == {i for i in drawn if not missing[i]}


@pytest.mark.parametrize("network", NETWORKS)
def test_the_operation_that_runs_and_what_it_hands_on_are_lit(network, opened):
    loss, model = network()
    page = opened(loss, model)
    order = ancestors(loss.node)
    for turn in [node for node in order if node.recipe is not None]:
        page.keyboard.press("ArrowRight")
        lit = page.eval_on_selector_all(".node.lit", "boxes => boxes.map(b => Number(b.dataset.nodes))")
        assert set(lit) == {order.index(turn)}
        edges = page.eval_on_selector_all(
            ".edge.lit", "edges => edges.map(e => [Number(e.dataset.tails), Number(e.dataset.heads)])"
        )
        handed = sorted([order.index(turn), order.index(parent)] for parent in turn.parents)
        assert sorted(e for e in edges if e[0] == order.index(turn) != e[1]) == handed


def test_the_end_lists_the_gradient_of_every_leaf(opened):
    loss, _ = sigmoid_chain()
    gradients = dict(zip(ancestors(loss.node), engine_gradients(loss), strict=True))
    page = opened(loss)
    page.keyboard.press("End")
    rows = [row.locator("th, td").all_text_contents() for row in page.locator(".step:visible tbody tr").all()]
    expected = {node.name: f"{g.item():.4g}" for node, g in gradients.items() if node.recipe is None}
    assert {name: gradient for name, _, gradient in rows} == expected
    assert [name for name, *_ in rows] == ["w1", "b1", "w2", "b2", "w3", "b3"]


# ---- the chain rule ----


@pytest.mark.parametrize("network", [sigmoid_chain, reused_scalars])
def test_the_products_along_all_paths_add_up_to_the_gradient(network, opened):
    loss, _ = network()
    gradients = engine_gradients(loss)
    page = opened(loss)
    for i, gradient in enumerate(gradients[1:], 1):
        page.select_option("#tensor", str(i))
        products = [float(text.replace("−", "-")) for text in page.locator("#paths .product").all_inner_texts()]
        factors = page.locator("#paths .path math")
        assert products
        assert factors.count() > len(products)
        np.testing.assert_allclose(sum(products), gradient.item(), rtol=2e-3)
        if len(products) > 1:
            total = page.locator("#paths .total").inner_text().replace("−", "-")
            assert total == f"{gradient.item():.4g}"


def test_the_factors_are_the_weights_and_slopes_of_the_lesson(opened):
    loss, _ = sigmoid_chain(2)
    page = opened(loss)
    page.select_option("#tensor", label="w1, ()")
    factors = page.locator("#paths .factors").text_content()
    product = page.locator("#paths .product").text_content()
    numbers = [float(n.strip(" ()").replace("−", "-")) for n in (*factors.split("·"), product)]
    a1 = 1 / (1 + np.exp(-(1.5 - 0.5)))
    a2 = 1 / (1 + np.exp(-(1.5 * a1 - 0.5)))
    slopes = a2 * (1 - a2), a1 * (1 - a1)
    expected = [0.5, 2 * (a2 - 2), 1, slopes[0], 1, 1.5, slopes[1], 1, 1]
    assert numbers[:-1] == rounded(expected)
    assert numbers[-1] == rounded([np.prod(expected)])[0]


def test_a_click_in_the_graph_lights_the_chain(opened):
    loss, model = small_mlp()
    page = opened(loss, model)
    order = ancestors(loss.node)
    target = next(i for i, node in enumerate(order) if node.recipe is None and node.shape == (2, 3))
    page.locator(f".node[data-nodes='{target}']").click()
    chain = {i for i, node in enumerate(order) if order[target] in ancestors(node)}
    lit = page.eval_on_selector_all(".node.on-chain", "boxes => boxes.map(b => Number(b.dataset.nodes))")
    assert set(lit) == chain
    edges = page.eval_on_selector_all(
        ".edge.on-chain", "edges => edges.map(e => [Number(e.dataset.tails), Number(e.dataset.heads)])"
    )
    expected = [[i, order.index(p)] for i in chain for p in order[i].parents if order.index(p) in chain]
    assert sorted(e for e in edges if e[0] != e[1]) == sorted(expected)
    assert page.locator("#tensor").input_value() == str(target)
    assert "Jacobian" in page.locator("#paths").inner_text()


def test_many_paths_are_counted_and_the_first_shown(opened):
    x = leaf(1.01, "x")
    y = x
    for _ in range(8):
        y = y * y
    page = opened(y)
    page.select_option("#tensor", label="x, ()")
    assert "256 paths lead to it, of which the first 12 are shown" in page.locator("#paths").inner_text()
    assert page.locator("#paths .product").count() == 12
    assert page.locator("#paths .total").inner_text() == f"{256 * 1.01**255:.4g}"


@pytest.mark.parametrize("value", [0.0, 1e-5, -1e-4, 123456.0, 9999.6, -0.000099999, 1e-300, 2.5, 1000.0, np.inf])
def test_numbers_are_written_as_python_writes_them(value, opened):
    page = opened(leaf(2.0) * 3)
    assert page.evaluate("v => inDigits(v)", value).replace("−", "-").replace("∞", "inf") == f"{value:.4g}"


# ---- buttons and keys ----


def test_the_buttons_go_through_the_steps(opened):
    page = opened(*sigmoid_chain(1))
    assert place(page) == "Start"
    assert page.locator("#first").is_disabled()
    assert page.locator("#back").is_disabled()
    page.click("#forward")
    page.click("#forward")
    assert place(page) == "Step 2 of 6"
    page.click("#back")
    assert place(page) == "Step 1 of 6"
    page.click("#last")
    assert place(page) == "End"
    assert page.locator("#last").is_disabled()
    assert page.locator("#forward").is_disabled()
    page.click("#first")
    assert place(page) == "Start"
    assert page.locator(".step:visible").count() == 1


def test_the_keys_go_through_the_steps(opened):
    page = opened(*sigmoid_chain(1))
    for key, expected in [
        ("ArrowRight", "Step 1 of 6"), ("ArrowRight", "Step 2 of 6"), ("ArrowLeft", "Step 1 of 6"), ("End", "End"),
        ("ArrowRight", "End"), ("Home", "Start"), ("ArrowLeft", "Start"), ("Control+ArrowRight", "Start"),
    ]:  # fmt: skip
        page.keyboard.press(key)
        assert place(page) == expected


def test_the_slider_goes_to_any_step_by_mouse_and_keyboard(opened):
    page = opened(*sigmoid_chain(1))
    page.locator("#slider").fill("5")
    assert place(page) == "Step 5 of 6"
    page.focus("#slider")
    page.keyboard.press("ArrowLeft")
    assert place(page) == "Step 4 of 6"
    assert page.locator("#slider").get_attribute("aria-valuetext").startswith("Step 4 of 6: ")
    page.keyboard.press("End")
    assert place(page) == "End"


def test_play_goes_on_by_itself_stops_at_the_end_and_starts_anew(opened):
    page = opened(*sigmoid_chain(1), clock=True)
    page.click("#play")
    assert page.locator("#play").inner_text() == "Pause"
    page.clock.run_for(3_100)
    assert place(page) == "Step 2 of 6"
    page.click("#play")
    page.clock.run_for(10_000)
    assert place(page) == "Step 2 of 6"
    page.click("#play")
    page.clock.run_for(60_000)
    assert place(page) == "End"
    assert page.locator("#play").inner_text() == "Play"
    page.click("#play")
    assert place(page) == "Start"


def test_a_step_by_hand_ends_the_play(opened):
    page = opened(*sigmoid_chain(1), clock=True)
    page.click("#play")
    page.keyboard.press("ArrowRight")
    page.clock.run_for(10_000)
    assert place(page) == "Step 1 of 6"


def test_the_picture_grows_shrinks_and_fits(opened):
    page = opened(*sigmoid_chain(6))

    def height():
        return page.locator("#picture svg").bounding_box()["height"]

    page.click("#fit")
    fitting = height()
    assert fitting <= page.locator("#picture").bounding_box()["height"]
    page.click("#larger")
    page.click("#larger")
    assert height() == pytest.approx(fitting * 1.25**2, rel=0.02)
    page.click("#smaller")
    assert height() == pytest.approx(fitting * 1.25, rel=0.02)
    page.click("#fit")
    assert height() == pytest.approx(fitting, rel=0.02)


def test_the_operation_that_runs_is_scrolled_into_view(opened):
    page = opened(*sigmoid_chain(8))
    for _ in range(3):
        page.click("#larger")
    room = page.locator("#picture").bounding_box()
    for _ in range(27):
        page.keyboard.press("ArrowRight")
        box = page.locator(".node.lit").first.bounding_box()
        assert room["y"] - 1 <= box["y"] <= room["y"] + room["height"]


def test_the_theme_follows_the_system_and_the_button(opened):
    page = opened(*small_mlp(), theme="dark")
    background = "() => getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    assert page.locator("#theme").inner_text() == "Light"
    page.click("#theme")
    assert page.locator("#theme").inner_text() == "Dark"
    assert page.evaluate(background) != dark
    page.emulate_media(color_scheme="light")
    page.wait_for_function("() => document.documentElement.dataset.theme === 'light'")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("dark => getComputedStyle(document.body).backgroundColor === dark", arg=dark)


@pytest.mark.parametrize("clear", ["#clear", "Escape"])
def test_a_chain_is_cleared(clear, opened):
    page = opened(*small_mlp())
    page.select_option("#tensor", "3")
    assert page.locator(".on-chain").count() > 0
    if clear == "Escape":
        page.locator("#panel").focus()
        page.keyboard.press(clear)
    else:
        page.click(clear)
    assert page.locator(".on-chain").count() == 0
    assert page.locator("#paths").inner_text() == ""
    assert page.locator("#tensor").input_value() == ""


def test_a_folded_module_leads_to_its_first_parameter(opened):
    loss, model = small_mlp()
    page = opened(loss, model, depth=1)
    page.locator(".node[data-nodes*=' ']").first.click()
    assert page.locator("#tensor option:checked").inner_text().startswith("layers.")


# ---- for everybody ----


@pytest.mark.parametrize(("network", "theme"), [(reused_scalars, "light"), (small_mlp, "light"), (wide_mlp, "dark")])
def test_no_accessibility_rule_of_level_a_or_aa_is_violated(network, theme, opened):
    from axe_playwright_python.sync_playwright import Axe

    loss, model = network()
    page = opened(loss, model, theme=theme)
    last = len([node for node in ancestors(loss.node) if node.recipe is not None]) + 1
    for step in (1, last):
        page.locator("#slider").fill(str(step))
        page.select_option("#tensor", str(min(step, 3)))
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": AXE_TAGS}}).response
        assert found["passes"]
        assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]] == []


def test_every_control_is_reached_by_the_keyboard(opened):
    page = opened(*small_mlp())
    page.keyboard.press("ArrowRight")
    reached = set()
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("() => document.activeElement.id"))
    wanted = page.eval_on_selector_all("button:not(:disabled), input, select", "all => all.map(e => e.id)")
    assert {*wanted, "picture", "panel"} <= reached


def test_a_phone_shows_everything_below_each_other(opened):
    page = opened(*small_mlp())
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 400
    graph, panel = page.locator("#graph").bounding_box(), page.locator("#panel").bounding_box()
    assert panel["y"] >= graph["y"] + graph["height"]


def test_a_print_has_all_steps_and_no_controls(opened):
    loss, model = small_mlp()
    page = opened(loss, model, theme="dark")
    page.emulate_media(media="print")
    assert page.locator(".step:visible").count() == page.locator(".step").count()
    assert page.locator("#controls").is_hidden()
    assert page.locator("#chain .controls").is_hidden()
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    hidden = "lines => lines.filter(line => getComputedStyle(line).visibility === 'hidden').length"
    assert page.eval_on_selector_all(".gradient", hidden) == 0
    assert page.locator("#picture svg").bounding_box()["width"] <= page.viewport_size["width"]


def test_without_a_script_everything_is_there(browser, tmp_path):
    loss, model = small_mlp()
    path = backprop_page(loss, tmp_path / "page.html", module=model)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.locator(".step:visible").count() == 8
    context.close()
