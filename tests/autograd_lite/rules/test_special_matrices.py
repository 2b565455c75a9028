"""Rules of reductions, norms and linear algebra at zeros, ties, singular and repeated values, and at every scale."""

import numpy as np
import pytest

from autograd_lite import compile, special
from autograd_lite.transforms import grad, hessian, jvp, vmap

SINGULAR = {
    "of rank 1": [[1.0, 2.0], [2.0, 4.0]],
    "of rank 2": [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]],
    "of rank 1, of 3": [[1.0, 1.0, 1.0]] * 3,
    "zero": [[0.0, 0.0], [0.0, 0.0]],
    "a number": [[0.0]],
    "with a row that underflows": [[1e-200, 0.0], [0.0, 1e-200]],
    "regular": [[1.0, 2.0, 0.5], [0.0, 3.0, 1.0], [2.0, 1.0, 1.0]],
}


def differences(function, x, step=1e-4):
    """The derivatives of a function by every element, to the fourth order of the step."""
    found = []
    for e in np.eye(x.size):
        h = step * e.reshape(x.shape)
        found.append(
            (8 * (function(x + h) - function(x - h)) - function(x + 2 * h) + function(x - 2 * h)) / (12 * step)
        )
    return np.reshape(found, x.shape + np.shape(found[0]))


def agree(function, x, rtol=1e-8, atol=1e-8):
    """Compare the gradient with differences, and forward mode with the gradient."""
    x = np.asarray(x, float)
    found = grad(function)(x)
    np.testing.assert_allclose(found, differences(function, x), rtol=rtol, atol=atol)
    direction = np.random.default_rng(0).normal(size=x.shape)
    _, tangent = jvp(function, (x,), (direction,))
    np.testing.assert_allclose(tangent, np.sum(found * direction), rtol=1e-10, atol=1e-12)


# ---- determinants ----


@pytest.mark.parametrize("name", SINGULAR)
def test_the_determinant_of_a_singular_matrix_has_its_cofactors_for_a_gradient(name):
    agree(np.linalg.det, SINGULAR[name])


@pytest.mark.parametrize("name", SINGULAR)
def test_the_determinant_of_a_singular_matrix_has_second_derivatives(name):
    a = np.array(SINGULAR[name])
    np.testing.assert_allclose(hessian(np.linalg.det)(a), differences(grad(np.linalg.det), a), rtol=1e-8, atol=1e-8)


def test_a_singular_matrix_in_a_stack_leaves_the_others_alone():
    stack = np.stack([np.array(SINGULAR["regular"]), np.array(SINGULAR["of rank 2"])])
    agree(lambda a: np.sum(np.linalg.det(a) * np.array([1.0, 2.0])), stack)
    expected = [grad(np.linalg.det)(a) for a in stack]
    np.testing.assert_allclose(vmap(grad(np.linalg.det))(stack), expected, atol=1e-14)


def test_the_logarithm_of_a_singular_matrix_is_infinitely_steep_and_can_be_hidden():
    stack = np.stack([np.array(SINGULAR["regular"]), np.array(SINGULAR["of rank 2"])])

    def hidden(a):
        return np.sum(np.where(np.linalg.det(a) > 0.1, np.linalg.slogdet(a)[1], 0.0))

    found = grad(hidden)(stack)
    np.testing.assert_allclose(found[0], np.linalg.inv(stack[0]).T, rtol=1e-12)
    assert (found[1] == 0).all()
    assert grad(lambda a: np.linalg.slogdet(a)[1])(np.ones((2, 2))).tolist() == [[np.inf, -np.inf], [-np.inf, np.inf]]


def test_a_compiled_determinant_may_become_singular():
    gradient = compile(grad(np.linalg.det))
    gradient(np.eye(3))
    a = np.array(SINGULAR["of rank 2"])
    np.testing.assert_array_equal(gradient(a), grad(np.linalg.det)(a))


# ---- singular values and eigenvalues ----

FULL = {
    "a zero": [[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]],
    "all zeros": np.zeros((3, 2)),
    "equal ones": np.eye(3),
    "wide, with a zero": [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]],
}


@pytest.mark.parametrize("name", FULL)
def test_a_symmetric_function_of_singular_values_is_smooth_where_they_are_zero_or_equal(name):
    a = np.asarray(FULL[name], float)
    for thin in (True, False):
        squares = grad(lambda a, thin=thin: np.sum(np.linalg.svd(a, full_matrices=not thin)[1] ** 2))
        np.testing.assert_allclose(squares(a), 2 * a, atol=1e-13)
    np.testing.assert_allclose(grad(lambda a: np.sum(np.linalg.svdvals(a) ** 2))(a), 2 * a, atol=1e-13)


def test_a_symmetric_function_of_equal_eigenvalues_is_smooth():
    np.testing.assert_allclose(grad(lambda a: np.sum(np.linalg.eigh(a)[0] ** 3))(2 * np.eye(3)), 12 * np.eye(3))


BASE = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]])
OF_VECTORS = {
    "left vectors": lambda m: np.linalg.svd(m)[0] ** 4,
    "right vectors": lambda m: np.linalg.svd(m)[2] ** 4,
    "vectors of a tall one": lambda m: np.linalg.svd(m[:, :2], full_matrices=False)[0] ** 4,
    "eigenvectors": lambda m: np.linalg.eigh(m)[1] ** 4,
    "singular values": lambda m: np.linalg.svd(m)[1] / np.linalg.svdvals(m)[0],
}


@pytest.mark.parametrize("mode", ["reverse", "forward"])
@pytest.mark.parametrize("scale", [1e19, 1e-25])
@pytest.mark.parametrize("name", OF_VECTORS)
def test_the_slope_of_what_has_no_scale_is_over_the_scale(name, scale, mode):
    def function(m):
        found = OF_VECTORS[name](m)
        return np.sum(found * np.arange(found.size).reshape(found.shape).astype(found.dtype))

    scaled = (BASE * scale).astype(np.float32)
    if mode == "reverse":
        found, expected = grad(function)(scaled).astype(float) * scale, grad(function)(BASE)
    else:
        direction = np.cos(np.arange(9.0)).reshape(3, 3)
        found = jvp(function, (scaled,), ((direction * scale).astype(np.float32),))[1]
        expected = jvp(function, (BASE,), (direction,))[1]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


# ---- norms ----


@pytest.mark.parametrize("order", [-np.inf, -2, -1, -0.5, 0.5, 1, 2, 3, np.inf])
def test_a_norm_of_zeros_has_a_finite_slope(order):
    with np.errstate(divide="ignore"):
        assert grad(lambda x: np.linalg.norm(x, order))(np.zeros(3)).tolist() == [0, 0, 0]


@pytest.mark.parametrize("order", [-np.inf, -2, -1, -0.5])
def test_a_norm_of_negative_order_does_not_depend_on_the_others_beside_a_zero(order):
    function = lambda x: np.linalg.norm(x, order)  # noqa: E731
    with np.errstate(divide="ignore"):
        assert grad(function)(np.array([0.0, 2.0, 3.0]))[1:].tolist() == [0, 0]
        assert jvp(function, (np.array([0.0, 2.0, 3.0]),), (np.array([0.0, 1.0, 1.0]),))[1] == 0


# ---- ties and counts ----

MANY = 70_000


@pytest.mark.parametrize(
    "function",
    [np.max, np.min, np.mean, lambda x: np.linalg.norm(x, np.inf)],
    ids=["max", "min", "mean", "norm"],
)
def test_more_equal_elements_than_float16_can_count_share_the_cotangent(function):
    with np.errstate(over="ignore"):
        found = grad(function)(np.ones(MANY, np.float16)).astype(float)
    np.testing.assert_allclose(found * MANY, 1, rtol=1e-2)


@pytest.mark.parametrize("missing", [False, True])
def test_the_standard_deviation_of_equal_elements_has_no_slope_beside_missing_ones_either(missing):
    x = np.array([3.0, np.nan, 3.0]) if missing else np.full(3, 3.0)
    assert grad(np.nanstd)(x).tolist() == [0, 0, 0]


def test_what_the_largest_hides_is_hidden_in_forward_mode_too():
    function = lambda x: np.max(np.stack([x[0], np.sqrt(x[1])]))  # noqa: E731
    with np.errstate(divide="ignore"):
        assert jvp(function, (np.array([1.0, 0.0]),), (np.ones(2),))[1] == 1
        assert grad(function)(np.array([1.0, 0.0])).tolist() == [1, 0]


# ---- sums of exponentials ----


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([1e7, 1e7], [0.5, 0.5]),
        ([1e17, 1e17, 0.0], [0.5, 0.5, 0]),
        ([-1e17, -1e17], [0.5, 0.5]),
        ([np.inf, 1.0], [1, 0]),
        ([np.inf, np.inf], [0.5, 0.5]),
        ([-np.inf, 0.0], [0, 1]),
        ([-np.inf, -np.inf], [0, 0]),
    ],
    ids=str,
)
def test_the_shares_of_a_sum_of_exponentials_add_up_at_every_size(x, expected, dtype):
    x = np.array(x, dtype)
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(grad(special.logsumexp)(x), expected, rtol=1e-6)
        np.testing.assert_allclose(jvp(special.logsumexp, (x,), (np.ones_like(x),))[1], sum(expected), rtol=1e-6)
        assert np.isfinite(hessian(special.logsumexp)(x)).all()


@pytest.mark.parametrize("function", [np.logaddexp, np.logaddexp2], ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([1e17, 1e17], [0.5, 0.5]),
        ([np.inf, np.inf], [0.5, 0.5]),
        ([np.inf, 1.0], [1, 0]),
        ([-np.inf, -np.inf], [0.5, 0.5]),
        ([-np.inf, 1.0], [0, 1]),
    ],
    ids=str,
)
def test_the_shares_of_two_exponentials_add_up_at_every_size(function, x, expected):
    of_two = lambda x: function(x[0], x[1])  # noqa: E731
    assert grad(of_two)(np.array(x)).tolist() == expected
    assert jvp(of_two, (np.array(x),), (np.ones(2),))[1] == sum(expected)
    assert np.isfinite(hessian(of_two)(np.array(x))).all()


@pytest.mark.parametrize("function", [np.logaddexp, np.logaddexp2], ids=lambda f: f.__name__)
def test_two_equal_exponentials_have_the_curvature_of_others(function):
    rate = 1.0 if function is np.logaddexp else np.log(2.0)
    found = hessian(lambda x: function(x[0], x[1]))(np.array([3.0, 3.0]))
    np.testing.assert_allclose(found, rate / 4 * np.array([[1, -1], [-1, 1]]))
