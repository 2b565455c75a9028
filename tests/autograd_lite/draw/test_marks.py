"""Pictures and pages of a comparison with a derivation by hand: the steps with mistakes are marked."""

import numpy as np
import pytest

from autograd_lite import Tensor
from autograd_lite.checks import compare_gradients
from autograd_lite.draw import backprop_page, draw_graph

X = np.array([[1.0, 2.0], [3.0, -1.0]])


def loss(p):
    z = X @ p["W"]
    a = np.tanh(z)
    return np.sum(a**2 * 3)


def compared(slope):
    W = np.array([[0.1, -0.2], [0.3, 0.4]])
    a = np.tanh(X @ W)
    return compare_gradients({"W": X.T @ (6 * a * slope(a))}, loss, {"W": W})


def wrong():
    return compared(lambda a: 1.0)


def lines(report, what, **options):
    return [line for line in draw_graph(report, **options).source.splitlines() if what in line]


@pytest.mark.parametrize("direction", ["backward", "forward", "both"])
def test_the_wrong_step_is_marked_with_the_number_of_its_explanation(direction):
    marked = lines(wrong(), "mistake", direction=direction)
    assert len(marked) == (2 if direction == "both" else 1)
    assert all('label="tanh\\nmistake 1"' in line and "#B00020" in line for line in marked)


def test_the_edge_of_the_wrong_step_is_marked():
    (edge,) = [line for line in lines(wrong(), "->") if "#B00020" in line]
    (call,) = lines(wrong(), "mistake")
    assert edge.strip().startswith(f"{call.split()[0]} -> ")


def test_a_right_derivation_has_the_picture_of_its_loss_without_marks():
    report = compared(lambda a: 1 - a**2)
    report.assert_close(1e-12)
    assert lines(report, "matmul")
    assert not lines(report, "#B00020")


def test_results_have_the_names_of_the_programs_variables():
    assert [lines(wrong(), f'"{name}\\n') != [] for name in ("z", "a", "W")] == [True] * 3


def test_a_place_without_a_cause_is_marked_too():
    (call,) = lines(compared(lambda a: np.cos(5 * a)), "mistake") or ["none"]
    assert call == "none"  # nothing agrees that would show a place

    def two(p):
        return loss(p) + np.sum(np.exp(p["b"]))

    W, b = np.array([[0.1, -0.2], [0.3, 0.4]]), np.array([0.5])
    report = compare_gradients({"W": np.cos(W), "b": np.exp(b)}, two, {"W": W, "b": b})
    assert lines(report, "mistake 1")


def test_a_report_without_a_graph_is_refused():
    report = compare_gradients({"w": 1.0}, {"w": 2.0})
    with pytest.raises(TypeError, match="draw_graph: the report has no graph; call compare_gradients"):
        draw_graph(report)


def test_a_report_on_a_module_or_a_dict_has_the_graph_of_its_loss():
    w = Tensor(np.array([1.0, 2.0]), requires_grad=True, name="w")
    total = np.sum(np.exp(w))
    total.backward(retain_graph=True)
    report = compare_gradients({"w": np.ones(2)}, {"w": w}, loss=total)
    assert lines(report, "exp")


@pytest.mark.usefixtures("dot")
def test_the_page_tells_the_mistake_in_its_step(tmp_path):
    report = wrong()
    page = backprop_page(report, tmp_path / "page.html").read_text(encoding="utf-8")
    sections = page.split("<section class='step'>")[1:]
    (told,) = [section for section in sections if "class='mistake'" in section]
    assert "tanh" in told.partition("</h2>")[0]
    assert "f&#x27;(z) is missing" in told
    assert "mistake 1" in page[page.index("<svg ") : page.index("</svg>")]
