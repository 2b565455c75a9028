"""Where a NaN or an infinity was born is said: the operation, the index, the values, and the line of the program."""

import inspect
import threading

import numpy as np
import pytest

from autograd_lite import (
    AnomalyError,
    ChangedTensorError,
    GradientError,
    Tensor,
    compile,
    custom_vjp,
    detect_anomaly,
    set_detect_anomaly,
)
from autograd_lite.transforms import checkpoint, grad, hessian, jvp, vmap

FORWARD = {
    "log of 0": (lambda x: np.log(x), [1.0, 0.0], r"np\.log gave -inf at index \(1,\).*where x was 0\.0"),
    "overflow": (lambda x: np.exp(x), [1.0, 1000.0], r"np\.exp gave inf at index \(1,\).*where x was 1000\.0"),
    "division": (lambda x: 1 / x, [0.0, 1.0], r"np\.divide gave inf at index \(0,\).*x1 was 1 and x2 was 0\.0"),
    "root": (lambda x: np.sqrt(x), [4.0, -1.0], r"np\.sqrt gave nan at index \(1,\).*where x was -1\.0"),
    "sum": (lambda x: np.sum(x), [1e308, 1e308], r"np\.sum gave inf at index \(\).*magnitudes from 1e\+308 to 1e\+308"),
    "list": (lambda x: np.concatenate([x, x]) @ np.full(4, 1e308), [1.0, 9.0], r"np\.matmul gave inf"),
    "method": (lambda x: x.prod(), [1e200, 1e200], r"np\.prod gave inf"),
}
forward = pytest.mark.parametrize(("function", "values", "message"), FORWARD.values(), ids=FORWARD)

BACKWARD = {
    "root": (lambda x: np.sqrt(x), [4.0, 0.0], r"np\.sqrt for x gave inf at index \(1,\).*out was 0\.0"),
    "power": (lambda x: x**0.25, [0.0, 1.0], r"np\.power for x1 gave inf at index \(0,\)"),
    "arcsin": (lambda x: np.arcsin(x), [0.0, 1.0], r"np\.arcsin for x gave inf"),
}


@pytest.fixture(autouse=True)
def numpy_keeps_quiet():
    with np.errstate(all="ignore"):
        yield


@forward
@pytest.mark.parametrize("recorded", [True, False])
def test_a_result_is_named_with_its_values_and_line(function, values, message, recorded):
    x = Tensor(values, requires_grad=recorded)
    with detect_anomaly(), pytest.raises(AnomalyError, match=message) as caught:
        function(x)
    line = inspect.getsourcelines(function)[1]
    assert f"{__file__}:{line}" in str(caught.value)


@forward
def test_so_it_is_within_transforms_and_compiled_functions(function, values, message):
    x = np.array(values)

    def summed(x):
        return np.sum(function(x))

    programs = [
        lambda: grad(summed)(x),
        lambda: jvp(summed, (x,), (np.ones(2),)),
        lambda: hessian(summed)(x),
        lambda: vmap(function)(np.stack([x, x])),
        lambda: checkpoint(summed)(Tensor(x, requires_grad=True)),
        lambda: compile(lambda x: summed(Tensor(x)))(x),
    ]
    with detect_anomaly():
        for program in programs:
            with pytest.raises(AnomalyError, match="gave"):
                program()


def test_a_compiled_function_that_has_a_plan_is_looked_at_too():
    log = compile(lambda x: np.log(Tensor(x)))
    for values in ([1.0, 2.0], [3.0, 4.0]):
        log(np.array(values))
    with detect_anomaly(), pytest.raises(AnomalyError, match=r"np\.log"):
        log(np.array([0.0, 1.0]))


@pytest.mark.parametrize(("function", "values", "message"), BACKWARD.values(), ids=BACKWARD)
@pytest.mark.parametrize("create_graph", [False, True])
def test_a_cotangent_is_named_with_the_line_of_its_call(function, values, message, create_graph):
    x = Tensor(values, requires_grad=True)
    with detect_anomaly():
        loss = function(x).sum()
        with pytest.raises(AnomalyError, match=message) as caught:
            loss.backward(create_graph=create_graph)
    assert f"{__file__}:{inspect.getsourcelines(function)[1]}" in str(caught.value)
    assert x.grad is None


def test_a_tangent_is_named():
    with detect_anomaly(), pytest.raises(AnomalyError, match=r"tangent of np\.sqrt is inf at index \(1,\)"):
        jvp(np.sqrt, (np.array([1.0, 0.0]),), (np.ones(2),))


def test_a_sum_of_cotangents_that_overflows_is_named():
    x = Tensor(np.float32(1e-10), requires_grad=True)
    big = np.float32(2e38)
    with detect_anomaly(), pytest.raises(AnomalyError, match=r"sum of two cotangents.*float32 cannot hold it"):
        (x * big + x * big).backward()


def test_a_rule_of_ones_own_is_named():
    bad = custom_vjp(lambda x: x * 1.0, x=lambda g: g * np.nan)
    with detect_anomaly(), pytest.raises(AnomalyError, match="for x gave nan"):
        bad(Tensor(1.0, requires_grad=True)).backward()


def test_what_was_not_finite_before_is_passed_on():
    x = Tensor([np.inf, 1.0], requires_grad=True)
    with detect_anomaly():
        y = np.exp(x) + np.where(np.array([True, False]), x, -np.inf)
    assert y.requires_grad


def test_values_and_gradients_are_the_same_to_the_bit():
    def gradient():
        x = Tensor(np.linspace(0.1, 2, 50), requires_grad=True)
        (np.log(x) * np.tanh(x @ np.outer(x, x))).sum().backward()
        return x.grad.data

    plain = gradient()
    with detect_anomaly():
        np.testing.assert_array_equal(gradient(), plain)


def test_a_write_through_any_view_of_a_saved_array_is_noticed():
    w = Tensor(np.ones(200_000), requires_grad=True)
    view = w.data[5:]
    with detect_anomaly():
        loss = (w * w).sum()
        view[7] = 2
        with pytest.raises(ChangedTensorError, match=r"np\.multiply"):
            loss.backward()


def test_outside_of_a_block_nothing_is_looked_at():
    with detect_anomaly():
        pass
    assert np.isinf(np.log(Tensor(0.0)).item())


def test_it_can_be_switched_off_within():
    with detect_anomaly(), detect_anomaly(False):
        assert np.isinf(np.log(Tensor(0.0)).item())


def test_it_decorates():
    @detect_anomaly()
    def log(x):
        return np.log(x)

    with pytest.raises(AnomalyError):
        log(Tensor(0.0))


def test_it_can_be_switched_on_for_every_thread():
    caught = []

    def elsewhere():
        try:
            with np.errstate(all="ignore"):
                np.log(Tensor(0.0))
        except AnomalyError as error:
            caught.append(error)

    set_detect_anomaly(True)
    try:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        with pytest.raises(AnomalyError):
            np.log(Tensor(0.0))
    finally:
        set_detect_anomaly(False)
    assert caught
    assert np.isinf(np.log(Tensor(0.0)).item())


def test_the_error_is_one_of_gradients():
    assert issubclass(AnomalyError, GradientError)
