"""Programs from the literature on the transforms, each held against its known result."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

import nn
from autograd_lite import custom_vjp
from autograd_lite.transforms import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp, vmap

# ---- Newton's method on the function of Rosenbrock (1960) ----


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def test_the_hessian_of_the_rosenbrock_function_is_the_known_one():
    x = np.array([1.0, 1.0])
    np.testing.assert_allclose(hessian(rosenbrock)(x), [[802, -400], [-400, 200]], rtol=1e-12)


def test_the_hessian_of_the_rosenbrock_function_is_tridiagonal_in_any_dimension():
    x = np.linspace(-1.5, 1.5, 6)
    diagonal = np.r_[1200 * x[:-1] ** 2 - 400 * x[1:] + 2, 0] + np.r_[0, np.full(5, 200)]
    expected = np.diag(diagonal) - np.diag(400 * x[:-1], 1) - np.diag(400 * x[:-1], -1)
    np.testing.assert_allclose(hessian(rosenbrock)(x), expected, rtol=1e-12, atol=1e-10)


def test_newtons_method_takes_its_known_steps_to_the_minimum():
    # From the usual start the first full step goes down to 4.7318843, the second up to 1411.8452.
    x, values = np.array([-1.2, 1.0]), []
    for _ in range(7):
        value, g = value_and_grad(rosenbrock)(x)
        values.append(value)
        x = x - np.linalg.solve(hessian(rosenbrock)(x), g)
    assert values[:3] == pytest.approx([24.2, 4.7318843, 1411.8452], rel=1e-7)
    np.testing.assert_allclose(x, [1, 1], rtol=1e-12)


# ---- the Gauss-Newton method on Misra1a of NIST's Statistical Reference Datasets ----

PRESSURE = np.array([77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0])
VOLUME = np.array([10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78])


def misfit(b):
    return VOLUME - b[0] * (1 - np.exp(-b[1] * PRESSURE))


def gauss_newton(residuals, b, steps):
    for _ in range(steps):
        b = b - np.linalg.lstsq(jacobian(residuals)(b), residuals(b), rcond=None)[0]
    return b


def test_gauss_newton_reaches_the_certified_values():
    b = gauss_newton(misfit, np.array([250.0, 5e-4]), 10)
    np.testing.assert_allclose(b, [2.3894212918e2, 5.5015643181e-4], rtol=1e-9)
    assert np.sum(misfit(b) ** 2) == pytest.approx(1.2455138894e-1, rel=1e-9)
    J = jacobian(misfit)(b)
    deviations = np.sqrt(np.diag(np.linalg.inv(J.T @ J)) * np.sum(misfit(b) ** 2) / 12)
    np.testing.assert_allclose(deviations, [2.7070075241, 7.2668688436e-6], rtol=1e-6)


def test_the_gauss_newton_product_needs_no_jacobian():
    # One tangent forward and one cotangent back (Schraudolph 2002): J^T J v.
    b, v = np.array([250.0, 5e-4]), np.array([1.0, -2e-6])
    _, pullback = vjp(misfit, b)
    (product,) = pullback(jvp(misfit, (b,), (v,))[1])
    J = jacobian(misfit)(b)
    np.testing.assert_allclose(product, J.T @ (J @ v), rtol=1e-12)


# ---- implicit differentiation of fixed points ----


def kepler(E, M, e):
    return M + e * np.sin(E)


def iterated(f, x, steps=200):
    for _ in range(steps):
        x = f(x)
    return x


@custom_vjp(
    M=lambda g, out, e: g / (1 - e * np.cos(out)),
    e=lambda g, out, e: g * np.sin(out) / (1 - e * np.cos(out)),
)
def eccentric_anomaly(M, e):
    return iterated(lambda E: kepler(E, M, e), M)


def test_keplers_equation_is_differentiated_at_its_solution():
    M, e = 0.8, 0.3
    E = eccentric_anomaly(M, e)
    assert abs(E - kepler(E, M, e)) < 1e-15
    by_theorem = grad(eccentric_anomaly, (0, 1))(M, e)
    through_the_iteration = grad(lambda M, e: iterated(lambda E: kepler(E, M, e), M), (0, 1))(M, e)
    np.testing.assert_allclose(by_theorem, through_the_iteration, rtol=1e-12)
    second = grad(grad(eccentric_anomaly))(M, e)
    assert second == pytest.approx(-e * np.sin(E) / (1 - e * np.cos(E)) ** 3, rel=1e-12)


def equilibrium_layer(z, W, x):
    return np.tanh(W @ z + x)


def backward_through_equilibrium(g, out, W, x):
    # dz = J dz + df, so the cotangent of f is (I - J^T)^-1 g (Bai, Kolter and Koltun 2019).
    J = jacobian(equilibrium_layer)(out, W, x)
    u = np.linalg.solve(np.eye(len(out)) - J.T, g)
    _, pullback = vjp(lambda W, x: equilibrium_layer(out, W, x), W, x)
    return pullback(u)


equilibrium = custom_vjp(
    lambda W, x: iterated(lambda z: equilibrium_layer(z, W, x), np.zeros_like(x)), backward=backward_through_equilibrium
)


def test_an_equilibrium_model_is_differentiated_without_its_iterations():
    rng = np.random.default_rng(0)
    W, x, c = 0.4 * rng.normal(size=(5, 5)) / np.sqrt(5), rng.normal(size=5), rng.normal(size=5)
    implicit = grad(lambda W, x: c @ equilibrium(W, x), (0, 1))(W, x)
    unrolled = grad(lambda W, x: c @ iterated(lambda z: equilibrium_layer(z, W, x), np.zeros(5)), (0, 1))(W, x)
    for one, other in zip(implicit, unrolled, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10)


# ---- a damped oscillator, fitted through its integrator ----

TIMES = np.linspace(0.0, 5.0, 101)


def oscillator(state, damping, stiffness):
    position, velocity = state
    return np.stack([velocity, -stiffness * position - damping * velocity])


def trajectory(parameters):
    """The positions at `TIMES` by the classical Runge-Kutta method, two steps between each."""
    damping, stiffness = parameters
    h = (TIMES[1] - TIMES[0]) / 2
    state, positions = np.array([1.0, 0.0]), [1.0]
    for _ in TIMES[1:]:
        for _ in range(2):
            k1 = oscillator(state, damping, stiffness)
            k2 = oscillator(state + h / 2 * k1, damping, stiffness)
            k3 = oscillator(state + h / 2 * k2, damping, stiffness)
            k4 = oscillator(state + h * k3, damping, stiffness)
            state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        positions.append(state[0])
    return np.stack(positions)


def closed_form(parameters):
    damping, stiffness = parameters
    decay = damping / 2
    omega = np.sqrt(stiffness - decay**2)
    return np.exp(-decay * TIMES) * (np.cos(omega * TIMES) + decay / omega * np.sin(omega * TIMES))


TRUE = np.array([0.3, 4.0])


def test_the_sensitivities_of_an_integrated_oscillator_are_those_of_its_solution():
    np.testing.assert_allclose(trajectory(TRUE), closed_form(TRUE), atol=3e-7)
    found, expected = (jacobian(f, mode="forward")(TRUE) for f in (trajectory, closed_form))
    np.testing.assert_allclose(found, expected, atol=3e-6)


def test_an_oscillators_parameters_are_recovered_through_its_integrator():
    measured = closed_form(TRUE)
    found = gauss_newton(lambda p: trajectory(p) - measured, np.array([0.5, 3.6]), 5)
    np.testing.assert_allclose(found, TRUE, rtol=1e-6)


def test_the_gradient_of_the_fit_is_the_same_in_both_modes():
    measured, start = closed_form(TRUE), np.array([0.5, 3.6])

    def cost(p):
        return np.sum((trajectory(p) - measured) ** 2)

    forward = [jvp(cost, (start,), (direction,))[1] for direction in np.eye(2)]
    np.testing.assert_allclose(grad(cost)(start), forward, rtol=1e-10)


# ---- the norms of each example's gradients ----


def test_per_example_gradient_norms_are_those_of_goodfellow():
    # ||dW_l||^2 = ||delta_l||^2 ||a_(l-1)||^2 (Goodfellow, Efficient per-example gradient computations, 2015).
    X, y = load_iris(return_X_y=True)
    X = X[::5]
    y = y[::5]
    model = nn.MLP([4, 8, 3], "tanh", dtype=np.float64, rng=0)
    each = vmap(grad(lambda model, x, y: nn.softmax_cross_entropy(model(x), y)), in_axes=(None, 0, 0))(model, X, y)
    W1, b1, W2, b2 = (p.data for p in model.parameters())
    a1 = np.tanh(X @ W1 + b1)
    delta2 = nn.softmax(a1 @ W2 + b2) - np.eye(3)[y]
    delta1 = delta2 @ W2.T * (1 - a1**2)
    for name, delta, inputs in (("layers.0", delta1, X), ("layers.2", delta2, a1)):
        squares = np.sum(delta**2, axis=1) * np.sum(inputs**2, axis=1)
        np.testing.assert_allclose(np.sum(each[f"{name}.weight"].data ** 2, axis=(1, 2)), squares, rtol=1e-12)
        np.testing.assert_allclose(np.sum(each[f"{name}.bias"].data ** 2, axis=1), np.sum(delta**2, axis=1), rtol=1e-12)


# ---- the largest eigenvalues of a network's Hessian ----


def lanczos(product, size, steps, rng):
    """The eigenvalues of the tridiagonal matrix of a symmetric one, orthogonalised in full (Golub and Van Loan, 10)."""
    vectors = [rng.normal(size=size)]
    vectors[0] /= np.linalg.norm(vectors[0])
    diagonal, beside = [], []
    for _ in range(steps):
        w = product(vectors[-1])
        diagonal.append(w @ vectors[-1])
        for _ in range(2):
            w = w - np.stack(vectors).T @ (np.stack(vectors) @ w)
        beside.append(np.linalg.norm(w))
        vectors.append(w / beside[-1])
    tridiagonal = np.diag(diagonal) + np.diag(beside[:-1], 1) + np.diag(beside[:-1], -1)
    return np.linalg.eigvalsh(tridiagonal)


def test_lanczos_on_hessian_vector_products_finds_the_top_eigenvalues():
    X, y = load_iris(return_X_y=True)
    shapes = [(4, 5), (5,), (5, 3), (3,)]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])

    def loss(flat):
        W1, b1, W2, b2 = (np.reshape(p, s) for p, s in zip(np.split(flat, ends[:-1]), shapes, strict=True))
        return nn.softmax_cross_entropy(np.tanh(X @ W1 + b1) @ W2 + b2, y)

    rng = np.random.default_rng(0)
    flat = 0.3 * rng.normal(size=ends[-1])
    found = lanczos(lambda v: hvp(loss)(flat, v), len(flat), 25, rng)
    exact = np.linalg.eigvalsh(hessian(loss)(flat))
    np.testing.assert_allclose(found[-5:], exact[-5:], rtol=1e-8)
    assert found[0] == pytest.approx(exact[0], rel=1e-6)
