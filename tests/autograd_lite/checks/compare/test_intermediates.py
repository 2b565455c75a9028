"""Gradients and values of intermediates by hand: their names, and the first of them that is wrong."""

import numpy as np
import pytest

from autograd_lite import Tensor
from autograd_lite.checks import compare_gradients

from .two_layers import PARAMETERS, X, Y, by_hand, forward, loss


def compared(hand, f=loss, parameters=PARAMETERS):
    return compare_gradients(hand, f, parameters)


def test_right_gradients_of_variables_agree_beside_those_of_parameters():
    gradients, deltas = by_hand()
    report = compared({**gradients, **deltas})
    report.assert_close(1e-12)
    assert [row.name for row in report.rows] == ["W1", "b1", "W2", "b2", "z2", "a1", "z1"]
    assert report.explanations == []


def test_a_mistake_is_proven_by_intermediates_alone():
    _, deltas = by_hand(slope=lambda z, a: 1.0)
    (explanation,) = compared(deltas).explanations
    assert (explanation.kind, explanation.parameters) == ("activation derivative", ("z1",))
    assert "proof: of the cotangents that you gave z2, a1 agree, and z1 does not" in explanation.details
    assert "right: ∂L/∂z1 = ∂L/∂a1 · (1 − a1 · a1)" in explanation.details


def test_the_first_wrong_one_in_backward_order_is_the_place_where_no_cause_is_known():
    gradients, deltas = by_hand(slope=lambda z, a: np.cos(3 * z))
    (explanation,) = compared({**gradients, **deltas}).explanations
    assert explanation.kind == "delta"
    assert "the first wrong step in backward order is in the step back through a1 = np.tanh(...): " in explanation.text


def test_another_matrix_on_the_way_back_is_recognised_from_intermediates():
    gradients, deltas = by_hand(through=lambda W: np.cos(W).T)
    (explanation,) = compared({**gradients, **deltas}).explanations
    assert "the cotangent goes through another matrix than the W2 of the forward pass" in explanation.text


def test_a_tensors_own_name_comes_before_that_of_its_variable():
    def named(p):
        z = X @ p["W1"] + p["b1"]
        z.name = "z1"
        return np.sum(np.tanh(z) @ p["W2"] + p["b2"])

    report = compared({"z1": np.zeros((16, 4)), "z": None}, named)
    assert [row.name for row in report.rows] == ["z1"]


def recurrent(p):
    h = np.zeros((3, 4))
    for t in range(5):
        h = np.tanh(np.cos(t) + h @ p["W"] + p["b"])
    return np.sum(h**2)


RECURRENT = {"W": np.random.default_rng(1).normal(size=(4, 4)) / 2, "b": np.random.default_rng(2).normal(size=4)}


def test_the_states_of_a_loop_have_numbers_and_the_name_means_the_last():
    state = np.zeros((3, 4))
    for t in range(5):
        state = np.tanh(np.cos(t) + state @ RECURRENT["W"] + RECURRENT["b"])
    compared({"h": 2 * state}, recurrent, RECURRENT).assert_close(1e-12)
    compared({"h.4": 2 * state}, recurrent, RECURRENT).assert_close(1e-12)
    assert not compared({"h.0": 2 * state}, recurrent, RECURRENT).agrees()


def test_a_list_has_the_steps_of_a_loop_and_none_for_those_that_are_not_derived():
    report = compared({"h": [None, None, None, np.ones((3, 4)), np.ones((3, 4))]}, recurrent, RECURRENT)
    assert {row.name for row in report.rows} == {"h.3", "h.4"}


def test_results_in_lists_dicts_and_attributes_have_names():
    class Program:
        def run(self, p):
            states, cache = [], {}
            self.z = X @ p["W1"] + p["b1"]
            states.append(np.tanh(self.z))
            states.append(states[0] * 2)
            cache["out"] = states[1] @ p["W2"] + p["b2"]
            return np.sum(cache["out"])

    ones = np.ones((16, 2))
    report = compared({"out": ones, "states.1": ones @ PARAMETERS["W2"].T, "z": None}, Program().run)
    report.assert_close(1e-12)


def test_variables_outside_of_the_program_have_no_names():
    z1_of_the_test = Tensor(np.ones(2), requires_grad=True) * 2
    with pytest.raises(KeyError, match=r"not known to the engine: z1_of_the_test.*names? z2, a1, z1|name: z2, a1, z1"):
        compared({"z1_of_the_test": z1_of_the_test.data})


def test_in_a_dict_a_retained_intermediate_is_compared_by_its_name():
    w = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    z = w * 3
    z.retain_grad()
    total = np.sum(z**2)
    total.backward(retain_graph=True)
    report = compare_gradients({"w": 18 * w.data, "z": 6 * w.data}, {"w": w, "z": z}, loss=total)
    report.assert_close(1e-12)


def test_a_factor_that_only_an_intermediate_has_is_told_of_it_alone():
    gradients, deltas = by_hand()
    (explanation,) = compared({**gradients, "z2": 16 * deltas["z2"]}).explanations
    assert (explanation.kind, explanation.parameters) == ("factor", ("z2",))


# ---- values ----


def test_right_values_agree():
    report = compared({"values": forward()})
    report.assert_close(1e-12)
    assert report["value of a1"].shape == (16, 4)


def test_the_first_wrong_value_is_told_before_gradients_and_those_after_it_are_not():
    v = forward()
    v["a1"] = 1 / (1 + np.exp(-v["z1"]))
    v["z2"] = v["a1"] @ PARAMETERS["W2"] + PARAMETERS["b2"]
    gradients, _ = by_hand(slope=lambda z, a: np.cos(z))
    first, *others = compared({**gradients, "values": v}).explanations
    assert first.kind == "value"
    assert first.text.startswith("value of a1: yours is sigmoid of z1")
    assert "value of z1 agrees; value of z2, and the gradients, are computed from it" in first.text
    assert not any(other.kind in ("value", "delta") for other in others)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda v: v["a1"], "yours is the value of a1"),
        (lambda v: -v["z1"], "the sign is flipped"),
        (lambda v: 2 * v["z1"], "yours is 2 times the program's"),
        (lambda v: v["z1"].T, "yours is the transpose"),
        (lambda v: v["z1"] * np.nan, "64 of 64 numbers of yours are NaN"),
        (lambda v: v["z1"][:, :2], r"it has the shape \(16, 2\)"),
        (lambda v: np.cos(v["z1"]), "yours differs from the program's by up to"),
    ],
)
def test_what_stands_in_the_place_of_a_value_is_said(wrong, says):
    (explanation,) = compared({"values": {"z1": wrong(forward())}}).explanations
    assert explanation.kind == "value"
    assert __import__("re").search(says, explanation.text)


def test_a_pair_has_the_loss_and_the_gradients():
    gradients, _ = by_hand()
    right = float(np.asarray(loss(PARAMETERS)))
    compared((right, gradients)).assert_close(1e-12)
    (explanation,) = compared((3 * right, gradients)).explanations
    assert "value of the loss: yours is" in explanation.text
    assert "3 times as much" in explanation.text


def test_a_value_in_the_place_of_a_gradient_is_recognised():
    gradients, _ = by_hand()
    (explanation,) = compared({**gradients, "a1": forward()["a1"]}).explanations
    assert explanation.text == 'a1: yours is its value and not its gradient; values are given under the key "values"'


def test_a_value_that_the_program_does_not_have_is_refused():
    with pytest.raises(KeyError, match=r"no value of the name q; it has W1, b1, W2, b2, z2, a1, z1, the loss"):
        compared({"values": {"q": Y}})
