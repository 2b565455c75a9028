"""What a transformed function computes in threads of its own is differentiated like everything else."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from autograd_lite import Tensor
from autograd_lite.transforms import checkpoint, grad, hessian, jacobian, jvp, vjp, vmap

X = np.array([1.0, 2.0])


def elsewhere(function):
    """The function, called in a thread of its own."""

    def called(*args):
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(function, *args).result()

    return called


def f(x):
    return np.sum(x**3) * np.sum(np.sin(x) * x)


TRANSFORMS = {
    "grad": grad,
    "jvp": lambda f: lambda x: jvp(f, (x,), (np.array([0.5, -1.0]),))[1],
    "vjp": lambda f: lambda x: vjp(f, x)[1](1.0)[0],
    "jacobian": lambda f: jacobian(lambda x: f(x) * x),
    "hessian": hessian,
    "vmap": lambda f: lambda x: vmap(f)(np.stack([x, 2 * x, -x])),
    "checkpoint": lambda f: grad(checkpoint(f)),
    "gradients of examples": lambda f: lambda x: vmap(grad(f))(np.stack([x, 2 * x])),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_work_in_another_thread_is_transformed(name):
    transform = TRANSFORMS[name]
    np.testing.assert_array_equal(transform(elsewhere(f))(X), transform(f)(X))


@pytest.mark.parametrize("function", [np.add, np.multiply, lambda a, b: np.stack([a, b]), lambda a, b: np.dot(b, a)])
def test_captured_tensors_are_operands_there(function):
    weights = Tensor([3.0, 4.0])
    np.testing.assert_array_equal(
        grad(elsewhere(lambda x: np.sum(function(weights, x) * function(x, weights))))(X).data,
        grad(lambda x: np.sum(function(weights, x) * function(x, weights)))(X).data,
    )


@pytest.mark.parametrize("outer", ["grad", "jvp"])
@pytest.mark.parametrize("inner", ["grad", "jvp"])
def test_perturbations_are_not_confused_when_a_thread_differentiates_in_turn(outer, inner):
    derivative = {"grad": grad, "jvp": lambda f: lambda x: jvp(f, (x,), (np.ones_like(x),))[1]}

    def g(x):
        return np.sum(x * elsewhere(derivative[inner](lambda y: np.sum(x * y * y)))(np.ones(2)))

    # The inner derivatives are 2 x, and 2 (x0 + x1): g is twice the sum of squares, or twice the square of the sum.
    expected = 4 * X if inner == "grad" else np.full(2, 4 * X.sum())
    found = derivative[outer](g)(X)
    np.testing.assert_allclose(found, expected if outer == "grad" else expected.sum(), rtol=1e-14)


def test_threads_that_differentiate_at_the_same_time_do_not_meet():
    points = [np.array([float(i), i + 1.0]) for i in range(20)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(grad(f), points))
    for point, gradient in zip(points, found, strict=True):
        np.testing.assert_array_equal(gradient, grad(f)(point))
