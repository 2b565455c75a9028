"""A backward pass as an animation, and as numbered pictures."""

import builtins
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from autograd_lite import FreedGraphError, Tensor
from autograd_lite.draw import animate_backward

pytestmark = pytest.mark.usefixtures("dot")


def leaf(data, name=None):
    return Tensor(data, requires_grad=True, name=name)


def reused():
    x, w = leaf(2.0, "x"), leaf(-3.0, "w")
    return (w * x - 1.0) ** 2 + x * x


def texts(path):
    root = ElementTree.parse(path).getroot()
    found = [element.text.strip() for element in root.iter("{http://www.w3.org/2000/svg}text")]
    return [text for text in found if text]


def layout(path):
    """Where everything of a picture stands, without the numbers and colours."""
    root = ElementTree.parse(path).getroot()
    shapes = [element for element in root.iter() if element.tag.endswith(("ellipse", "path"))]
    return root.get("viewBox"), [[element.get(key) for key in ("cx", "cy", "rx", "d")] for element in shapes]


def test_numbered_pictures_show_the_pass_step_by_step(tmp_path):
    x, y, z = leaf(-2.0, "x"), leaf(5.0, "y"), leaf(-4.0, "z")
    paths = animate_backward((x + y) * z, tmp_path / "step.svg")
    assert [path.name for path in paths] == ["step-0.svg", "step-1.svg", "step-2.svg", "step-3.svg"]
    shown = [texts(path) for path in paths]
    assert sorted(shown[0]) == sorted(
        ["x", "-2", "y", "5", "z", "-4", "3", "-12", "+", "×", "the values, before the backward pass"]
    )
    for before, after, new in zip(shown, shown[1:], (["1"], ["-4", "3"], ["-4", "-4"]), strict=False):
        left = list(after)
        for text in before:
            if text in left:
                left.remove(text)
        assert sorted(text for text in left if re.fullmatch(r"-?\d+", text)) == sorted(new)


def test_every_frame_has_the_same_layout(tmp_path):
    layouts = [layout(path) for path in animate_backward(reused(), tmp_path / "step.svg")]
    assert all(one == layouts[0] for one in layouts)


def test_where_contributions_meet_the_sum_so_far_is_shown(tmp_path):
    x = leaf(3.0, "x")
    shown = [texts(path) for path in animate_backward(x * x, tmp_path / "square.svg")]
    assert "6" in shown[-1]
    y = np.exp(x * 0.0) * 4 + x * x * 5
    totals = [{"30", "15"} & {*texts(path)} for path in animate_backward(y, tmp_path / "more.svg")]
    assert {"30"} in totals


@pytest.mark.parametrize("ending", ["gif", "webp"])
def test_an_animation_has_a_frame_for_each_step(ending, tmp_path):
    image = pytest.importorskip("PIL.Image")
    (path,) = animate_backward(reused(), tmp_path / f"pass.{ending}", seconds=0.5)
    with image.open(path) as animation:
        assert animation.n_frames == 2 + 5
        assert animation.info["loop"] == 0
        assert max(animation.size) > 200


def test_nothing_of_the_graph_is_changed(tmp_path):
    loss = reused()
    animate_backward(loss, tmp_path / "step.svg")
    animate_backward(loss, tmp_path / "step.svg", palette="print")
    loss.backward()
    with pytest.raises(FreedGraphError):
        animate_backward(loss, tmp_path / "step.svg")


def test_without_pillow_the_error_says_what_to_do(tmp_path, monkeypatch):
    imported = builtins.__import__

    def without(name, *args, **kwargs):
        if name.partition(".")[0] == "PIL":
            raise ImportError(name)
        return imported(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install pillow; a path that ends in \.svg"):
        animate_backward(reused(), tmp_path / "pass.gif")
    assert len(animate_backward(reused(), tmp_path / "pass.svg")) == 7


@pytest.mark.parametrize(
    ("output", "path", "options", "error", "message"),
    [
        (leaf(1.0), "pass.mp4", {}, ValueError, "ends in '.mp4'; expected .gif, .webp, .svg, .png, .pdf"),
        (leaf(1.0), "pass.gif", {"palette": "neon"}, ValueError, "palette='neon' is unknown"),
        (2.0, "pass.gif", {}, TypeError, "expected a Tensor"),
        (leaf([1.0, 2.0]) * 2, "pass.svg", {}, ValueError, "has 2 elements"),
    ],
)
def test_what_cannot_be_animated_is_refused(output, path, options, error, message, tmp_path):
    with pytest.raises(error, match=message):
        animate_backward(output, tmp_path / path, **options)
    assert list(tmp_path.iterdir()) == []
