"""The comparison of gradients derived by hand with the engine's."""

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
    ("hand", "message"), [({}, "missing by hand: w"), ({"w": G, "v": G}, "unknown to the engine: v")]
)
def test_names_that_do_not_match_are_refused(hand, message):
    with pytest.raises(KeyError, match=message):
        compare_gradients(hand, {"w": G})


def test_another_shape_is_refused_and_a_transpose_recognised():
    with pytest.raises(ValueError, match=r"shape \(3, 2\), but the parameter has \(2, 3\); it is the transpose's"):
        compare_gradients({"W": np.ones((3, 2))}, {"W": np.ones((2, 3))})


def test_what_are_no_numbers_is_refused():
    with pytest.raises(TypeError, match="by hand, W is of <U1"):
        compare_gradients({"W": "a"}, {"W": 1.0})


def test_something_that_has_no_gradients_is_refused():
    with pytest.raises(TypeError, match="must be a Module or a dict, not list"):
        compare_gradients({}, [])


def test_an_unknown_row_is_a_key_error():
    with pytest.raises(KeyError, match="there are W"):
        compare_gradients({"W": G}, {"W": G})["b"]
