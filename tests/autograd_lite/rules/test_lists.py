"""Lists of numbers beside tensors: they stand for arrays, in every mode."""

import numpy as np
import pytest

from autograd_lite import Tensor, custom_vjp
from autograd_lite.transforms import grad, jvp, vmap

M, V = [[2.0, 1.0], [0.0, 1.0]], [1.0, 2.0]

CALLS = {
    "matmul": lambda x, M, V: np.matmul(M, x),
    "matmul, right": lambda x, M, V: np.matmul(x, M),
    "dot": lambda x, M, V: np.dot(M, x),
    "solve": lambda x, M, V: np.linalg.solve(M, x),
    "solve, right": lambda x, M, V: np.linalg.solve(np.outer(x, x) + np.eye(2), V),
    "lstsq": lambda x, M, V: np.linalg.lstsq(M, x, rcond=None)[0],
    "multi_dot": lambda x, M, V: np.linalg.multi_dot([M, M, x]),
    "tensordot": lambda x, M, V: np.tensordot(M, x, 1),
    "einsum": lambda x, M, V: np.einsum("ij,j", M, x),
    "kron": lambda x, M, V: np.kron(M, x),
    "power": lambda x, M, V: np.power(x, M),
    "power, with a dtype": lambda x, M, V: np.power(V, x, dtype=float),
    "where": lambda x, M, V: np.where([True, False], x, V),
    "convolve": lambda x, M, V: np.convolve(x, V),
    "average": lambda x, M, V: np.average(x, weights=V),
    "concatenate": lambda x, M, V: np.concatenate([x, V]),
    "linspace": lambda x, M, V: np.linspace(x, V, 3),
    "trapezoid": lambda x, M, V: np.trapezoid(x, V),
}

X = np.array([[0.7, 1.3], [1.1, 0.4]])


def by_backward(f):
    def gradient(x):
        leaf = Tensor(x, requires_grad=True)
        f(leaf).backward()
        return leaf.grad.data

    return gradient


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    "derivative",
    [by_backward, grad, lambda f: lambda x: [jvp(f, (x,), (e,))[1] for e in np.eye(2)]],
    ids=["backward", "grad", "jvp"],
)
def test_derivatives_beside_lists_are_those_beside_arrays(call, derivative):
    beside_lists = derivative(lambda x: np.sum(call(x, M, V) ** 2))(X[0])
    np.testing.assert_array_equal(
        beside_lists, derivative(lambda x: np.sum(call(x, np.array(M), np.array(V)) ** 2))(X[0])
    )


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_so_they_are_for_many_examples(call):
    gradient = grad(lambda x: np.sum(call(x, M, V) ** 2))
    np.testing.assert_allclose(vmap(gradient)(X), [gradient(x) for x in X], rtol=1e-12)


def test_a_joint_backward_reads_a_list_as_it_was_given():
    read = []
    scaled = custom_vjp(
        lambda x, factors: x * sum(factors), backward=lambda g, factors: (read.append(factors) or 3 * g, None)
    )
    by_backward(lambda x: np.sum(scaled(x, [1, 2])))(X[0])
    assert read == [[1, 2]]
