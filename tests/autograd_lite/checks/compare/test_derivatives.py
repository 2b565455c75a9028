"""Jacobians, Hessians and their products by hand."""

import numpy as np
import pytest

from autograd_lite.checks import compare_gradients
from autograd_lite.transforms import grad, hessian, hvp, jacobian, vmap

X = np.array([0.7, -1.3, 2.1, 0.4])


def f(x):
    return np.sum(x[1:] ** 2 * x[:-1]) + x[0] ** 3 * x[2]


H = hessian(f)(X)


@pytest.mark.parametrize(
    ("hand", "derivative", "arguments"),
    [
        (H, hessian(f), (X,)),
        (lambda x: H, hessian(f), (X,)),
        (jacobian(np.sin)(X), jacobian(np.sin), (X,)),
        (H @ X, hvp(f), (X, X)),
        (grad(f)(X), grad(f), (X,)),
        (2.0, grad(grad(lambda x: x**2)), (3.0,)),
        (2 * X, vmap(grad(lambda x: x**2)), (X,)),
        ({"w": {"w": 2 * np.eye(2)}}, hessian(lambda p: np.sum(p["w"] ** 2)), ({"w": X[:2]},)),
    ],
)
def test_what_a_transform_computes_is_compared_as_it_is(hand, derivative, arguments):
    report = compare_gradients(hand, derivative, *arguments)
    report.assert_close(1e-12)
    assert report.explanations == []


def test_the_row_has_the_name_of_the_derivative():
    assert [row.name for row in compare_gradients(H, hessian(f), X).rows] == ["hessian(f)"]


@pytest.mark.parametrize(
    ("hand", "says"),
    [
        (np.diag(np.diag(H)), "only the diagonal is there"),
        (np.triu(H), "only the upper triangle is there"),
        (np.tril(H), "only the lower triangle is there"),
        (H + np.diag(np.diag(H)), "the derivatives on the diagonal are twice"),
        (2 * H - np.diag(np.diag(H)), "the mixed derivatives, off the diagonal, are twice"),
        (H + np.eye(4)[:, ::-1] * [0, 0, 1, 0], "the matrix is symmetric, and yours is not"),
        (-H, "the sign is flipped"),
        (2 * H, "yours is 2 times the engine's"),
        (H + np.diag([1.0, 0, 3, 0]), "the mixed derivatives agree, the diagonal does not"),
    ],
)
def test_a_wrong_hessian_is_explained(hand, says):
    (explanation,) = compare_gradients(hand, hessian(f), X).explanations
    assert says in explanation.text


def test_a_factor_is_no_squares_where_no_program_is_seen():
    (explanation,) = compare_gradients(2 * H, hessian(f), X).explanations
    assert "square" not in explanation.text


def test_one_entry_of_a_hessian_is_enough():
    compare_gradients({"hessian(f)": {(0, 1): H[0, 1]}}, hessian(f), X)


def test_a_vector_of_results_is_refused_with_what_to_write():
    with pytest.raises(ValueError, match=r"pass jacobian\(f\) or hessian\(f\)"):
        compare_gradients(X, np.sin, X)


def logistic(x):
    z = np.array([[1.0, 2.0, 0.5, -1.0], [0.3, -0.7, 1.1, 0.2]]) @ x
    return 1 / (1 + np.exp(-z))


def test_a_mistake_in_a_jacobian_is_found_in_the_functions_graph():
    A, a = np.array([[1.0, 2.0, 0.5, -1.0], [0.3, -0.7, 1.1, 0.2]]), logistic(X)
    report = compare_gradients(A, jacobian(logistic), X)
    (explanation,) = report.explanations
    assert explanation.kind == "activation derivative"
    assert explanation.parameters == ("jacobian(logistic)",)
    assert "the engine's jacobian(logistic) equals yours" in explanation.text
    assert "right: ∂L/∂z = ∂L/∂" in " ".join(explanation.details)
    assert compare_gradients((a * (1 - a))[:, None] * A, jacobian(logistic), X).explanations == []


def test_a_jacobian_of_unrelated_numbers_is_explained_by_nothing():
    assert compare_gradients(np.cos(np.ones((2, 4)).cumsum(1)), jacobian(logistic), X).explanations == []
