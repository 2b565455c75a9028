"""What a report says beside a mistake: the lines of the program and of the function by hand, the proof, the formula."""

import inspect

import numpy as np

from autograd_lite.checks import compare_gradients

from .two_layers import PARAMETERS, X, Y, by_hand, loss


def line_of(function, text):
    lines, first = inspect.getsourcelines(function)
    (number,) = [first + i for i, line in enumerate(lines) if text in line]
    return f"{inspect.getsourcefile(function).rpartition('/')[2]}:{number}: {text}"


def test_the_line_of_the_program_is_told():
    hand, _ = by_hand(slope=lambda z, a: 1.0)
    (explanation,) = compare_gradients(hand, loss, PARAMETERS).explanations
    assert f"at {line_of(loss, 'a1 = np.tanh(z1)')}" in explanation.details


def test_what_agrees_proves_that_the_cotangent_is_right_and_the_other_factor_is_named():
    hand, _ = by_hand(operand="z1")
    (explanation,) = compare_gradients(hand, loss, PARAMETERS).explanations
    assert explanation.text.startswith("z1 stands where the product's own operand belongs")
    assert (
        "proof: W1, b1, b2 agree and W2 does not, so ∂L/∂z2 is right and the other factor is wrong"
        in explanation.details
    )
    assert "right: ∂L/∂W2 = a1^T ∂L/∂z2" in explanation.details


def test_where_no_cause_is_known_a_single_parameter_has_its_place_beside_the_explanations():
    hand, _ = by_hand()
    hand["W2"] = np.cos(hand["W2"])
    report = compare_gradients(hand, loss, PARAMETERS)
    assert report.explanations == []
    (place,) = report.places
    assert (
        place.text
        == "W2 does not agree, and W1, b1, b2 agree: ∂L/∂z2 is right, and the mistake is in the last step, to W2"
    )
    assert f"- {place.text}" in str(report).splitlines()
    assert place.text in report._repr_html_()


def test_the_assignment_that_all_wrong_gradients_come_from_is_told():
    def derived(p):
        z1 = X @ p["W1"] + p["b1"]
        a1 = np.tanh(z1)
        delta = (a1 @ p["W2"] + p["b2"] - Y) / len(X)
        g = {"W2": a1.T @ delta, "b2": delta.sum(0)}
        delta = delta @ p["W2"].T
        g["W1"] = X.T @ delta
        return {**g, "b1": delta.sum(0)}

    (explanation,) = compare_gradients(derived, loss, PARAMETERS).explanations
    assert explanation.details[-1] == f"yours, at {line_of(derived, 'delta = delta @')}" + ' p["W2"].T'


def test_a_line_that_depends_on_a_condition_is_not_told():
    def derived(p, wrong=True):
        g, d = by_hand(p)
        d1 = d["z1"]
        if wrong:
            d1 = d["a1"]
        g["W1"] = X.T @ d1
        g["b1"] = d1.sum(0)
        return g

    (explanation,) = compare_gradients(derived, loss, PARAMETERS).explanations
    assert not any("yours, at" in detail for detail in explanation.details)


def test_a_steps_formula_has_what_a_result_without_a_name_was_computed_from():
    def unnamed(p):
        return np.sum(np.exp(p["x"]) * 3 + p["y"])

    x, y = np.array([0.5, 1.0]), np.zeros(2)
    report = compare_gradients({"x": 3 * np.ones(2), "y": np.ones(2)}, unnamed, {"x": x, "y": y})
    (explanation,) = report.explanations
    assert any(detail.endswith("∂L/∂np.exp(x) · np.exp(x)") for detail in explanation.details)


def test_markup_in_details_is_escaped():
    def program(p):
        z = p["w"] * (1 < 2) * 3
        return np.sum(np.exp(z))

    report = compare_gradients({"w": 3 * np.ones(2)}, program, {"w": np.array([0.5, 1.0])})
    assert report.explanations[0].details
    assert "1 < 2" not in report._repr_html_()


def test_a_recurrence_without_layers_has_the_first_wrong_step_too():
    rng = np.random.default_rng(0)
    p = {"A": rng.normal(size=(3, 3)), "B": rng.normal(size=(3, 3)), "c": rng.normal(size=3)}

    def program(p):
        u = np.sin(p["A"] + p["B"] ** 2)
        v = u * p["c"]
        return np.sum(np.exp(v))

    u = np.sin(p["A"] + p["B"] ** 2)
    dv = np.exp(u * p["c"])
    du = np.cos(7 * dv)
    report = compare_gradients({"A": du, "B": du * 2 * p["B"], "c": (dv * u).sum(0)}, program, p)
    (explanation,) = report.explanations
    assert explanation.parameters == ("A", "B")
    assert explanation.text.startswith("the first wrong step in backward order is in the steps back from v to ")


def test_a_factor_has_its_place_where_what_agrees_shows_it():
    hand, _ = by_hand()
    hand["W1"] = 5 * hand["W1"]
    (explanation,) = compare_gradients(hand, loss, PARAMETERS).explanations
    assert explanation.kind == "factor"
    assert f"at {line_of(loss, 'z1 = X @')}" in explanation.details[0]
    assert "right: ∂L/∂W1 = X^T ∂L/∂z1" in explanation.details


def test_a_line_that_right_gradients_come_from_too_is_not_told():
    def derived(p):
        v = by_hand(p)[1]
        d2 = v["z2"]
        return {"W1": X.T @ (d2 @ p["W2"].T), "b1": (d2 @ p["W2"].T).sum(0), "b2": d2.sum(0)}

    (explanation,) = compare_gradients(derived, loss, PARAMETERS).explanations
    assert explanation.parameters == ("W1", "b1")
    assert not any("yours, at" in detail for detail in explanation.details)
