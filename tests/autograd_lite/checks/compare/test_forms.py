"""The forms in which people have a derivation: parts of it, other layouts, other objects, and what is no derivation."""

import numpy as np
import pytest

from autograd_lite.checks import compare_gradients

from .two_layers import PARAMETERS, by_hand, loss

NO_SLOPE = {"slope": lambda z, a: 1.0}


def compared(hand):
    return compare_gradients(hand, loss, PARAMETERS)


def kinds(report):
    return [explanation.kind for explanation in report.explanations]


class Holder:
    """An object with a gradient, as other libraries have them."""

    def __init__(self, grad):
        self.grad = grad


@pytest.mark.parametrize(
    "form",
    [
        lambda g: {f"d{name}": array for name, array in g.items()},
        lambda g: {f"grad_{name}": array for name, array in g.items()},
        lambda g: list(g.values()),
        lambda g: tuple(g.values()),
        lambda g: np.concatenate([array.ravel() for array in g.values()]),
        lambda g: {name: Holder(array) for name, array in g.items()},
        lambda g: [Holder(array) for array in g.values()],
        lambda g: {**g, "b2": [Holder(number) for number in g["b2"]]},
        lambda g: {name: array.tolist() for name, array in g.items()},
        lambda g: {**g, "b1": None},
        lambda g: {**g, "b1": Holder(None)},
        lambda g: {**g, "b1": {}},
        lambda g: {**g, "b1": np.ma.masked_all(4)},
        lambda g: {**g, "W1": {1: g["W1"][1]}},
    ],
)
def test_every_form_of_right_gradients_agrees(form):
    compared(form(by_hand()[0])).assert_close(1e-12)


@pytest.mark.parametrize("nothing", [None, {}, np.ma.masked_all(4), Holder(None)])
def test_nothing_in_any_form_is_listed_as_not_given(nothing):
    assert compared({**by_hand()[0], "b1": nothing}).not_given == ("b1",)


@pytest.mark.parametrize(
    ("hand", "error"),
    [
        (None, KeyError),
        ({}, KeyError),
        ({"W1": None}, KeyError),
        ({"W1": object()}, TypeError),
        ({"W1": [[1, None], [2]]}, TypeError),
        ({"W1": {"a": 1.0}}, TypeError),
        ({"values": {}}, KeyError),
        ({"values": {"z1": "x"}}, TypeError),
        (({"W1": 1.0}, {"z1": 1.0}), KeyError),
        ((1.0, {}, 2.0), KeyError),
        (iter([1.0]), KeyError),
    ],
)
def test_what_cannot_be_read_is_refused(hand, error):
    with pytest.raises(error, match="compare_gradients: "):
        compared(hand)


def test_values_without_a_program_are_refused_with_what_to_pass():
    with pytest.raises(KeyError, match="pass the function that computes the loss, or loss="):
        compare_gradients({"values": {"z": 1.0}}, {"w": np.ones(2)})


def test_the_only_parameter_needs_no_name():
    compare_gradients(np.full(3, 2.0), lambda w: 2 * np.sum(w), np.zeros(3)).assert_close(0)
    compare_gradients([2.0], lambda w: 2 * np.sum(w), np.zeros(1)).assert_close(0)


# ---- parts ----


def one_entry(array):
    mask = np.ones(array.shape, bool)
    mask[1, 2] = False
    return np.ma.array(array, mask=mask)


PARTS = {
    "masked": one_entry,
    "index": lambda array: {(1, 2): array[1, 2]},
    "none": lambda array: [[x if (i, j) == (1, 2) else None for j, x in enumerate(r)] for i, r in enumerate(array)],
}


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_one_entry_is_compared_and_the_rest_is_listed_as_not_given(part):
    report = compared({"W1": part(by_hand()[0]["W1"])})
    report.assert_close(1e-12)
    assert report.not_given == ("b1", "W2", "b2", "11 of 12 entries of W1")
    assert report["W1"].worst == (1, 2)


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_one_wrong_entry_proves_a_mistake_where_the_others_agree(part):
    wrong, right = by_hand(**NO_SLOPE)[0], by_hand()[0]
    report = compared({"W1": part(wrong["W1"]), "W2": right["W2"], "b2": right["b2"]})
    assert not report.agrees()
    assert report["W1"].difference[0, 0] == 0
    assert kinds(report) == ["activation derivative"]


def test_an_index_that_the_parameter_does_not_have_is_refused():
    with pytest.raises(TypeError, match=r"\(9, 9\) is no index of the gradient of W1 by hand"):
        compared({"W1": {(9, 9): 1.0}})


def test_the_map_of_a_part_has_nothing_where_nothing_is_given():
    shown = compared({"W1": one_entry(by_hand()[0]["W1"])}).plot().axes[0].images[0].get_array()
    assert shown.mask.sum() == 11


# ---- what is no derivation yet ----


def test_a_nan_entry_takes_nothing_from_the_other_entries_of_its_row():
    hand = by_hand(**NO_SLOPE)[0]
    hand["W1"][0, 0] = np.nan
    report = compared({"W1": hand["W1"], "W2": hand["W2"], "b2": hand["b2"]})
    assert kinds(report) == ["not finite", "activation derivative"]
    assert report.explanations[0].text == "W1: 1 of 12 numbers of yours are NaN or infinite"


def test_the_other_entries_of_a_row_with_nan_may_agree():
    hand = by_hand()[0]
    hand["W1"][0, 0] = np.inf
    (explanation,) = compared(hand).explanations
    assert explanation.text == "W1: 1 of 12 numbers of yours are NaN or infinite; the others agree"


def test_entries_that_a_loop_has_not_reached_are_told_where_the_others_agree():
    hand = by_hand()[0]
    hand["W1"][1:] = 0
    (explanation,) = compared(hand).explanations
    assert explanation.kind == "zeros"
    assert "8 of 12 numbers of yours are 0, from one index on, and the others agree" in explanation.text


# ---- samples as columns ----


def transposed(gradients):
    return {name: array.T if array.ndim == 2 else array[:, None] for name, array in gradients.items()}


def test_a_mistake_is_found_in_a_derivation_whose_samples_are_columns():
    report = compared(transposed(by_hand(**NO_SLOPE)[0]))
    assert kinds(report) == ["shape", "activation derivative"]
    assert report.explanations[1].parameters == ("W1", "b1")
    assert not report.agrees()


def test_where_only_the_layout_differs_each_parameter_is_told():
    report = compared(transposed(by_hand()[0]))
    assert kinds(report) == ["transpose", "shape", "shape"]


def test_one_transposed_matrix_beside_others_is_no_layout():
    hand = by_hand()[0]
    assert kinds(compared({**hand, "W1": hand["W1"].T})) == ["transpose"]
