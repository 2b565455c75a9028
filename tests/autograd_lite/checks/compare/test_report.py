"""The comparison of gradients derived by hand with the engine's: what it takes, and how it is shown."""

import subprocess
import sys
from dataclasses import dataclass
from html.parser import HTMLParser

import numpy as np
import pytest

import nn
from autograd_lite import GradientError, Tensor
from autograd_lite.checks import compare_gradients

G = np.array([[1.0, -2.0], [3.0, 4.0]])


def test_equal_gradients_agree_in_every_figure():
    row = compare_gradients({"W": G}, {"W": G})["W"]
    assert (row.absolute, row.relative, row.shape) == (0, 0, (2, 2))
    assert row.cosine == pytest.approx(1)


def test_the_worst_entry_is_named_with_both_values():
    hand = G.copy()
    hand[1, 0] += 0.5
    report = compare_gradients({"W": hand}, {"W": G})
    row = report["W"]
    assert row.worst == (1, 0)
    assert row.absolute == 0.5
    assert row.relative == 0.125
    assert "[1, 0]" in str(report)
    assert "3.5" in str(report)


def test_a_flipped_sign_has_cosine_minus_one():
    assert compare_gradients({"W": -G}, {"W": G})["W"].cosine == pytest.approx(-1)


def test_assert_close_raises_with_the_table_and_the_names():
    report = compare_gradients({"W": G, "b": G[0]}, {"W": G, "b": 1.01 * G[0]})
    report.assert_close(rtol=0.1)
    with pytest.raises(AssertionError, match=r"more than 0\.001 in b\n.*parameter") as raised:
        report.assert_close(rtol=1e-3)
    assert str(report) in str(raised.value)


def test_nan_never_agrees():
    report = compare_gradients({"W": np.array([np.nan, 1.0])}, {"W": np.array([1.0, 1.0])})
    assert not report.agrees(rtol=np.inf)
    assert report["W"].worst == (0,)


def test_tiny_and_huge_gradients_have_their_cosine():
    for scale in (1e-200, 1e200):
        assert compare_gradients({"W": scale * G}, {"W": 2 * scale * G})["W"].cosine == pytest.approx(1)


def test_zero_and_empty_gradients_agree_with_themselves():
    report = compare_gradients({"z": np.zeros(3), "e": np.zeros((0, 2))}, {"z": np.zeros(3), "e": np.zeros((0, 2))})
    assert report.agrees(0)
    assert report["e"].worst is None
    assert "-" in str(report)


def test_a_modules_parameters_are_compared_by_path():
    model = nn.MLP([2, 1], dtype=np.float64, rng=0)
    model(np.ones((3, 2))).sum().backward()
    report = compare_gradients(
        lambda: {"layers.0.weight": np.full((2, 1), 3.0), "layers.0.bias": np.array([3.0])}, model
    )
    report.assert_close(0)
    assert len(report) == 2


def test_a_parameter_without_a_gradient_is_named():
    with pytest.raises(GradientError, match="w has no gradient yet"):
        compare_gradients({"w": 1.0}, {"w": Tensor(1.0, requires_grad=True)})


@pytest.mark.parametrize(
    ("hand", "message"), [({}, "missing by hand: w"), ({"w": G, "v": G}, "not known to the engine: v")]
)
def test_names_that_do_not_match_are_refused(hand, message):
    with pytest.raises(KeyError, match=message):
        compare_gradients(hand, {"w": G})


def test_another_shape_never_agrees_and_is_shown():
    report = compare_gradients({"W": np.ones((4, 2)), "b": G[0]}, {"W": np.ones((2, 3)), "b": G[0]})
    assert not report.agrees(np.inf)
    assert np.isnan(report.largest_relative)
    assert report["W"].worst is None
    with pytest.raises(AssertionError, match=r"more than 1e-07 in W\n(.*\n)*W .*\(2, 3\) .*shape \(4, 2\)"):
        report.assert_close()


def test_zeros_of_another_shape_do_not_agree_either():
    assert not compare_gradients({"b": np.zeros((2, 1))}, {"b": np.zeros(2)}).agrees(np.inf)


def test_what_are_no_numbers_is_refused():
    with pytest.raises(TypeError, match="the gradient of W by hand has dtype <U1"):
        compare_gradients({"W": "a"}, {"W": 1.0})


def test_something_that_has_no_gradients_is_refused():
    with pytest.raises(TypeError, match="must be a Module, a dict, or a function that returns the loss, not list"):
        compare_gradients({}, [])


def test_an_unknown_row_is_a_key_error():
    with pytest.raises(KeyError, match="expected one of W"):
        compare_gradients({"W": G}, {"W": G})["b"]


# ---- a function to differentiate ----

X, Y = np.array([[1.0, 2.0], [3.0, 4.0], [0.0, 1.0]]), np.array([1.0, 0.0, 2.0])


def squared_error(parameters, X, y):
    return np.sum((X @ parameters["w"] + parameters["b"] - y) ** 2)


def squared_error_by_hand(parameters, X, y):
    delta = 2 * (X @ parameters["w"] + parameters["b"] - y)
    return {"w": X.T @ delta, "b": np.sum(delta)}


def test_a_function_is_differentiated_and_the_hands_is_called_with_the_same_arguments():
    parameters = {"w": np.array([0.5, -0.5]), "b": 0.25}
    report = compare_gradients(squared_error_by_hand, squared_error, parameters, X, Y)
    report.assert_close(1e-12)
    assert [row.name for row in report.rows] == ["w", "b"]


def test_the_arrays_of_the_arguments_stay_as_they_are():
    parameters = {"w": np.array([0.5, -0.5]), "b": 0.25}
    compare_gradients(squared_error_by_hand, squared_error, parameters, X, Y)
    assert type(parameters["w"]) is np.ndarray
    assert parameters["b"] == 0.25


def test_a_bare_array_has_the_name_of_the_functions_parameter():
    report = compare_gradients({"w": 2 * Y}, lambda w: np.sum(w**2), Y)
    report.assert_close(0)


def test_several_arguments_are_named_after_the_functions_parameters():
    def loss(W, biases, X):
        return np.sum(X @ W) + np.sum(biases["b"])

    W = np.ones((2, 2))
    hand = {"W": X.T @ np.ones((3, 2)), "biases.b": np.ones(2)}
    compare_gradients(hand, loss, W, {"b": np.zeros(2)}, X, argnums=(0, 1)).assert_close(0)


def test_gradients_by_hand_may_be_lists_and_tensors():
    compare_gradients({"w": [2.0, 0.0, 4.0], "b": Tensor(3.0)}, {"w": 2 * Y, "b": 3.0}).assert_close(0)


def test_ragged_lists_are_refused():
    with pytest.raises(TypeError, match="the rows of the gradient of w by hand"):
        compare_gradients({"w": [[1.0], [1.0, 2.0]]}, {"w": Y})


@dataclass
class Weights:
    W: np.ndarray
    inner: list


def test_nested_parameters_are_named_by_their_paths():
    parameters = Weights(G, [Y, (G[0],)])

    def loss(p):
        return np.sum(p.W) + 2 * np.sum(p.inner[0]) + 3 * np.sum(p.inner[1][0])

    hand = {"W": np.ones((2, 2)), "inner": [2 * np.ones(3), (3 * np.ones(2),)]}
    report = compare_gradients(hand, loss, parameters)
    report.assert_close(0)
    assert [row.name for row in report.rows] == ["W", "inner.0", "inner.1.0"]


def test_a_module_may_be_the_argument_of_a_function():
    model = nn.Dense(2, 1, dtype=np.float64, rng=0)
    hand = {"weight": X.sum(axis=0)[:, None], "bias": np.array([3.0])}
    compare_gradients(hand, lambda model, X: model(X).sum(), model, X).assert_close(1e-15)
    assert model.weight.grad is None


def test_complex_gradients_are_compared():
    z = np.array([1 + 2j, 3 - 1j])
    report = compare_gradients({"z": 2 * np.conj(z)}, lambda z: np.sum(np.real(z) ** 2 + np.imag(z) ** 2), z)
    report.assert_close(1e-12)
    assert report["z"].cosine == pytest.approx(1)


def test_a_loss_that_is_no_scalar_is_refused():
    with pytest.raises(ValueError, match=r"must return a scalar loss.* array of shape \(3,\)"):
        compare_gradients({"w": Y}, lambda w: 2 * w, Y)


def test_a_loss_that_does_not_depend_on_the_parameters_is_refused():
    with pytest.raises(GradientError, match="does not depend on the parameters"):
        compare_gradients({"w": Y}, lambda w: Tensor(1.0), Y)


def test_integers_cannot_be_differentiated():
    with pytest.raises(TypeError, match=r"compare_gradients, w: expected floating-point numbers"):
        compare_gradients({"w": Y}, lambda w: np.sum(w), np.array([1, 2, 3]))


def test_arguments_without_a_function_are_refused():
    with pytest.raises(TypeError, match="positional arguments are for a function"):
        compare_gradients({"w": G}, {"w": G}, X)


def test_a_loss_besides_a_function_is_refused():
    with pytest.raises(TypeError, match="a function is the loss itself"):
        compare_gradients({"w": Y}, lambda w: np.sum(w), Y, loss=Tensor(1.0))


def test_a_loss_that_the_gradients_are_not_of_is_refused():
    w = Tensor(Y, requires_grad=True)
    loss = np.sum(w**2)
    loss.backward(retain_graph=True)
    loss.backward(retain_graph=True)
    with pytest.raises(GradientError, match=r"another gradient with respect to w .* call zero_grad\(\)"):
        compare_gradients({"w": Y}, {"w": w}, loss=loss)


def test_a_loss_whose_graph_is_gone_is_refused():
    w = Tensor(Y, requires_grad=True)
    loss = np.sum(w**2)
    loss.backward()
    with pytest.raises(GradientError, match="retain_graph=True"):
        compare_gradients({"w": Y}, {"w": w}, loss=loss)


# ---- how it is shown ----


def wrong():
    return compare_gradients({"<W>": -G, "b": G[0]}, {"<W>": G, "b": G[0]})


def test_the_explanations_are_printed_under_the_table():
    assert str(wrong()).splitlines()[-1] == "- <W>: the sign is flipped: yours is the engine's times -1"


def test_assert_close_raises_with_the_explanations():
    with pytest.raises(AssertionError, match="the sign is flipped"):
        wrong().assert_close()


class Tags(HTMLParser):
    """The text of each cell and item, and whether every tag is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.texts, self.styles = [], [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.styles += [value for name, value in attrs if name == "style"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1], data))


def parsed(report):
    tags = Tags()
    tags.feed(report._repr_html_())
    assert tags.open == []
    return tags


def test_a_notebook_shows_the_table_and_the_explanations():
    tags = parsed(wrong())
    cells = [text for tag, text in tags.texts if tag == "td"]
    assert cells[:2] == ["<W>", "(2, 2)"]
    assert len(cells) == 16
    assert [text for tag, text in tags.texts if tag == "li"] == [str(wrong().explanations[0])]


def test_a_notebook_colours_rows_by_their_difference():
    def colours(*factors):
        rows = {f"W{i}": factor * G for i, factor in enumerate(factors)}
        return [s for s in parsed(compare_gradients(rows, dict.fromkeys(rows, G))).styles if "background" in s]

    agrees, close, differs, again = colours(1.0, 1.0001, 2.0, 1.0)
    assert agrees == again
    assert len({agrees, close, differs}) == 3


def test_markup_in_names_is_escaped():
    assert "<W>" not in wrong()._repr_html_()


def panels(report):
    figure = report.plot()
    return [axes for axes in figure.axes if axes.get_title()]


def test_the_plot_has_a_map_for_each_parameter():
    first, second = panels(wrong())
    assert (first.get_title(), second.get_title()) == ("<W>: up to 8, of 4", "b: equal")
    np.testing.assert_array_equal(first.images[0].get_array(), -2 * G)
    assert first.images[0].get_clim() == (-8, 8)


def test_the_plot_rings_the_worst_entry():
    (ring,) = panels(wrong())[0].lines
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == (1, 1)


def test_of_a_large_parameter_the_plot_shows_the_largest_difference_of_each_block():
    g = np.zeros((1000, 3000))
    hand = g.copy()
    hand[999, 1234] = -5.0
    (panel,) = panels(compare_gradients({"W": hand}, {"W": g}))
    shown = panel.images[0].get_array()
    assert max(shown.shape) <= 400
    assert shown.min() == -5


@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 3, 4), (0, 3)])
def test_the_plot_takes_parameters_of_any_shape(shape, tmp_path):
    g = np.ones(shape)
    compare_gradients({"W": 2 * g, "v": g}, {"W": g, "v": g}).plot().savefig(tmp_path / "maps.png")


def test_the_plot_names_shapes_that_differ_and_shows_nan():
    report = compare_gradients({"W": np.ones(3), "b": np.array([np.nan, 1.0])}, {"W": np.ones(2), "b": np.ones(2)})
    first, second = panels(report)
    assert first.get_title() == "W: shape (3,) by hand, not (2,)"
    assert second.images[0].get_array().mask.tolist() == [[True, False]]


def test_a_plot_is_shown_in_notebooks_without_pyplot():
    code = (
        "import sys\n"
        "from autograd_lite.checks import compare_gradients\n"
        "figure = compare_gradients({'w': [2.0, 1.0]}, {'w': [1.0, 1.0]}).plot()\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "assert figure._repr_png_().startswith(b'\\x89PNG')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
