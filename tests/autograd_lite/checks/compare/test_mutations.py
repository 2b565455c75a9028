"""Mistakes in programs of many families, each made by hand: what is said is what was done, and where."""

import numpy as np
import pytest

from autograd_lite.checks import compare_gradients
from autograd_lite.checks.compare import search

from . import programs


@pytest.fixture
def _time_enough(monkeypatch):
    """A machine that does other work is no reason to find less."""
    monkeypatch.setattr(search, "BUDGET", 60.0)


BATCH, LAYER = programs.normalised(0), programs.normalised(1)

SINGLE = [
    (programs.dense, "no derivative", "f'(z) is missing in layer 1 (W1, b1)"),
    (programs.dense, "twice", "f'(z) is applied twice in layer 1 (W1, b1)"),
    (programs.dense, "at a", "tanh'(a) where tanh'(z) belongs, in layer 1 (W1, b1)"),
    (programs.dense, "with z", "1 - a^2 is written with z in place of a, in layer 1"),
    (programs.dense, "sigmoid's", "sigmoid's derivative a (1 - a) stands where tanh's 1 - a^2 belongs, in layer 1"),
    (programs.dense, "stepped", "the W2 that has already been stepped, by 0.3 times its gradient"),
    (programs.dense, "not transposed", "multiplied by W2 and not by its transpose, in layer 2 (W2, b2)"),
    (
        programs.dense,
        "z for a",
        "the value before the activation stands where the product's own operand belongs, in layer 2",
    ),
    (programs.dense, "b1 averaged", "b1: yours is the engine's divided by 9, and the batch has 9 rows"),
    (programs.logistic, "no derivative", "f'(z) is missing in layer 1 (w, b)"),
    (programs.logistic, "second minus", "the minus is missing in"),
    (programs.logistic, "summed", "the mean over 14 elements is taken as their sum"),
    (programs.logistic, "penalty missing", "w: without the L2 term 0.1 * parameter"),
    (programs.logistic, "penalty halved", "w: your L2 term is 0.05 * parameter, and the engine's is 0.1"),
    (programs.softmax_regression, "diagonal", "softmax's Jacobian is taken as diagonal"),
    (programs.softmax_regression, "plus", "softmax's Jacobian has the wrong sign off the diagonal"),
    (programs.softmax_regression, "no log", "the derivative of log is missing"),
    (BATCH, "no gamma", "the other factor is missing in np.multiply (gamma)"),
    (BATCH, "mean constant", "the mean is taken as a constant (W)"),
    (BATCH, "variance constant", "the variance is taken as a constant (W)"),
    (BATCH, "both constant", "the mean and the variance are taken as constants (W)"),
    (BATCH, "no deviation", "the division by the standard deviation is missing"),
    (LAYER, "mean constant", "the mean is taken as a constant (W)"),
    (LAYER, "variance constant", "the variance is taken as a constant (W)"),
    (LAYER, "both constant", "the mean and the variance are taken as constants (W)"),
    (LAYER, "no deviation", "the division by the standard deviation is missing"),
    (programs.convolution, "flipped", "K2 is reversed on the way back"),
    (programs.convolution, "overwritten", "parts that overlap are overwritten, not added up"),
    (programs.convolution, "no mask", "f'(z) is missing in np.maximum (K1)"),
    (programs.convolution, "reversed", "the mask of max is reversed in np.maximum (K1)"),
    (programs.convolution, "of the cotangent", "the mask is taken of the cotangent and not of the input"),
    (programs.convolution, "z for a", "the value before the activation stands where the other factor belongs"),
    (programs.pooled, "no mask", "the mask of max is missing"),
    (programs.pooled, "averaged", "max hands on to all 2 elements, as a mean does"),
    (programs.recurrent, "truncated", "Wx, Wh, b have only the last 3 of 5 steps in them"),
    (programs.recurrent, "no derivative", "f'(z) is missing in np.tanh (Wx, Wh, b)"),
    (programs.recurrent, "derivative a step early", "derivative is taken at the state before the step"),
    (
        programs.recurrent,
        "overwritten",
        "Wx is used 5 times, and only its use in np.matmul, call 5 of 5 (Wx) is counted",
    ),
    (programs.recurrent, "after the step", "the value after this step stands where the product's own operand belongs"),
    (programs.recurrent, "not transposed", "multiplied by Wh and not by its transpose"),
    (programs.lstm, "no tanh'", "f'(z) is missing in np.tanh (Wi, Ui, Wf, Uf, Wg, Ug)"),
    (
        programs.lstm,
        "own gate",
        "the factor itself stands where the other factor belongs, in np.multiply (Wi, Ui, Wg, Ug)",
    ),
    (programs.lstm, "no f'", "f'(z) is missing in np.divide (Wf, Uf)"),
    (programs.lstm, "no output path", "the path through np.matmul (Uo) is forgotten"),
    (programs.attention, "diagonal", "softmax's Jacobian is taken as diagonal"),
    (programs.attention, "no softmax", "softmax's Jacobian is missing"),
    (programs.attention, "no scale", "the division by 3 is missing in np.divide (Wq, Wk)"),
    (programs.attention, "scale twice", "the division by 3 is done twice in np.divide (Wq, Wk)"),
    (programs.attention, "scores not transposed", "the cotangent is transposed in np.matmul (Wq, Wk)"),
    (programs.attention, "weights not transposed", "multiplied by the first matrix and not by its transpose"),
    (programs.gaussian, "of s", "the derivative with respect to exp(log_s) and not to log_s"),
    (programs.gaussian, "no log term", "log_s is used 2 times, and only its use in np.exp (log_s) is counted"),
    (programs.gaussian, "sign", "the minus of the denominator's derivative is missing"),
    (programs.gaussian, "minus", "w: the sign is flipped"),
    (programs.gaussian, "no s", "the division by the denominator is missing"),
    (programs.mixture, "no log", "the derivative of log is missing"),
    (programs.mixture, "diagonal", "softmax's Jacobian is taken as diagonal"),
    (programs.mixture, "minus", "the minus is missing in np.subtract (mu)"),
    (programs.gaussian_process, "of n", "the derivative with respect to exp(log_n) and not to log_n"),
    (programs.gaussian_process, "of l", "the derivative with respect to exp(log_l) and not to log_l"),
    (programs.gaussian_process, "no determinant", "is forgotten"),
    (programs.embedded, "no residual", "is forgotten"),
    (programs.embedded, "summed", "the mean over 3 elements is taken as their sum in np.mean (E)"),
    (programs.embedded, "overwritten", "rows that are taken several times are overwritten, not added up"),
    (programs.tied, "no mask", "the factor (a constant array of shape (7, 3)) is missing"),
    (programs.tied, "mask twice", "the factor (a constant array of shape (7, 3)) is applied twice"),
    (programs.tied, "no scale", "the mask is there without its scale 1.66667 in np.multiply (W)"),
    (programs.joined, "swapped", "the parts that are joined are swapped in np.concatenate (A, B)"),
    (programs.tied, "encoder alone", "W is used 2 times, and only its use in np.matmul (W) is counted"),
    (programs.tied, "decoder alone", "W is used 2 times, and only its use in np.transpose (W) is counted"),
]

PROGRAMS = list(dict.fromkeys(program for program, _, _ in SINGLE))


def text_of(program, *wrong, seed=0):
    loss, parameters, gradients = program(set(wrong), seed)
    return "\n".join(map(str, compare_gradients(gradients, loss, parameters).explanations))


@pytest.mark.usefixtures("_time_enough")
@pytest.mark.parametrize(("program", "wrong", "said"), SINGLE)
def test_a_mistake_is_named_with_its_place(program, wrong, said):
    assert said in text_of(program, wrong)


@pytest.mark.usefixtures("_time_enough")
@pytest.mark.parametrize(
    ("program", "first", "second"),
    [
        (programs.dense, "not transposed", "no derivative"),
        (programs.dense, "z for a", "at a"),
        (programs.logistic, "no derivative", "summed"),
        (programs.attention, "diagonal", "no scale"),
        (programs.attention, "no softmax", "weights not transposed"),
        (programs.recurrent, "not transposed", "after the step"),
        (programs.mixture, "no log", "diagonal"),
        (programs.embedded, "no residual", "summed"),
        (BATCH, "no gamma", "mean constant"),
        (LAYER, "no deviation", "variance constant"),
    ],
)
def test_two_mistakes_are_both_named(program, first, second):
    said = {wrong: text for made, wrong, text in SINGLE if made is program}
    found = text_of(program, first, second)
    for wrong in (first, second):
        assert said[wrong] in found


def test_a_search_ends_when_its_time_is_over(monkeypatch):
    monkeypatch.setattr(search, "BUDGET", 0.0)
    assert text_of(programs.lstm, "no f'", "own gate") == ""


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("seed", range(5))
def test_a_right_derivation_is_accused_of_nothing(program, seed):
    loss, parameters, gradients = program(set(), seed)
    report = compare_gradients(gradients, loss, parameters)
    report.assert_close()
    assert report.explanations == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_right_derivation_in_single_precision_is_accused_of_nothing(program):
    loss, parameters, gradients = program(set())
    report = compare_gradients({name: np.float32(g) for name, g in gradients.items()}, loss, parameters)
    report.assert_close()
    assert report.explanations == []


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("seed", range(2))
def test_what_is_in_no_catalogue_gets_no_cause(program, seed):
    loss, parameters, gradients = program(set(), seed)
    rng = np.random.default_rng(seed)
    hand = {
        name: g * (1 + 0.1 * rng.normal(size=g.shape)) + 0.1 * rng.normal(size=g.shape) for name, g in gradients.items()
    }
    assert compare_gradients(hand, loss, parameters).explanations == []


# ---- what is zero but for rounding ----


def bias_before_a_norm(dtype=np.float64):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(8, 4)).astype(dtype), rng.normal(size=(8, 3)).astype(dtype)
    p = {"W": rng.normal(size=(4, 3)).astype(dtype), "b": rng.normal(size=3).astype(dtype)}

    def loss(p):
        z = X @ p["W"] + p["b"]
        return np.sum(((z - np.mean(z, 0)) / np.std(z, 0) - Y) ** 2)

    return loss, p


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_gradient_that_is_zero_but_for_the_rounding_of_its_terms_agrees_with_zero(dtype):
    loss, p = bias_before_a_norm(dtype)
    report = compare_gradients({"b": np.zeros(3, dtype)}, loss, p)
    assert np.any(report["b"].engine)
    assert report.agrees()
    assert report["b"].relative < report["b"].rtol
    assert report["b"].cosine == 1
    report.assert_close()
    assert report.explanations == []


def test_a_gradient_beyond_the_rounding_of_its_terms_does_not_agree_with_zero():
    loss, p = bias_before_a_norm()
    report = compare_gradients({"b": np.full(3, 1e-9)}, loss, p)
    assert not report.agrees()


# ---- a part of a derivation ----


def test_a_part_of_the_parameters_is_compared_and_the_rest_listed():
    loss, p, g = programs.dense(set())
    report = compare_gradients({"W2": g["W2"], "b1": None}, loss, p)
    report.assert_close()
    assert report.not_given == ("W1", "b1", "b2")
    assert "not given by hand: W1, b1, b2" in str(report)
    assert "not given by hand: W1, b1, b2" in report._repr_html_()


def test_a_mistake_is_found_in_a_part_of_the_parameters():
    loss, p, g = programs.dense({"no derivative"})
    report = compare_gradients({"W1": g["W1"]}, loss, p)
    assert "f'(z) is missing in layer 1" in str(report)


@pytest.mark.parametrize("bad", [np.nan, 0.0])
def test_a_row_of_zeros_or_nan_silences_nothing_else(bad):
    loss, p, g = programs.dense({"no derivative"})
    first, second = compare_gradients({**g, "b2": np.full(5, bad)}, loss, p).explanations
    assert first.kind == ("zeros" if bad == 0 else "not finite")
    assert "f'(z) is missing in layer 1" in second.text


def test_all_zeros_are_no_derivation_yet():
    loss, p, g = programs.dense(set())
    (said,) = compare_gradients({name: np.zeros_like(v) for name, v in g.items()}, loss, p).explanations
    assert (said.kind, said.parameters) == ("zeros", tuple(p))


def test_numbers_that_were_cut_off_to_integers_are_said_to_be():
    loss, p, g = programs.recurrent(set())
    (said,) = compare_gradients({**g, "V": g["V"].astype(int)}, loss, p).explanations
    assert (said.kind, said.parameters) == ("integers", ("V",))


@pytest.mark.parametrize("form", [list, tuple, lambda g: np.concatenate([v.ravel() for v in g])])
def test_gradients_in_order_need_no_names(form):
    loss, p, g = programs.dense(set())
    compare_gradients(form([g[name] for name in p]), loss, p).assert_close()


def test_a_second_pass_that_was_added_up_is_no_square():
    rng = np.random.default_rng(0)
    X, w = rng.normal(size=(6, 3)), rng.normal(size=3)
    (said,) = compare_gradients(
        {"w": 2 * X.T @ np.cos(X @ w)}, lambda p: np.sum(np.sin(X @ p["w"])), {"w": w}
    ).explanations  # fmt: skip
    assert "no zero_grad" in said.text
    assert "square" not in said.text


def test_a_conjugate_that_is_missing_is_named():
    rng = np.random.default_rng(0)
    A, z = rng.normal(size=(4, 3)) + 1j * rng.normal(size=(4, 3)), rng.normal(size=3) + 1j * rng.normal(size=3)

    def loss(p):
        return np.sum(np.real(A @ p["z"]) ** 2) + np.sum(np.imag(A @ p["z"]) ** 2)

    right = 2 * A.conj().T @ (A @ z)
    agreeing = right if compare_gradients({"z": right}, loss, {"z": z}).agrees() else right.conj()
    (said,) = compare_gradients({"z": agreeing.conj()}, loss, {"z": z}).explanations
    assert said.kind == "conjugate"
