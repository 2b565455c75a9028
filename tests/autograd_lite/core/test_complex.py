"""The convention for complex gradients: dL/dx - i dL/dy, and the plain derivative of a holomorphic function."""

import numpy as np
import pytest

from autograd_lite import Tensor
from autograd_lite.transforms import grad, hessian, jacobian, jvp, value_and_grad, vjp
from tests.autograd_lite import numerical

Z = np.array([1.0 + 2.0j, -0.5 + 0.3j, 0.2 - 1.5j])


def loss(z):
    """A real function that is not holomorphic."""
    return np.sum(np.abs(z) ** 3 + np.real(z * z[::-1]) * np.imag(z))


def test_the_gradient_of_a_real_loss_is_its_derivative_by_x_minus_i_times_that_by_y():
    by_x = numerical.gradient(lambda x: loss(x + 1j * Z.imag), [Z.real.copy()], 0)
    by_y = numerical.gradient(lambda y: loss(Z.real + 1j * y), [Z.imag.copy()], 0)
    numerical.assert_close(grad(loss)(Z), by_x - 1j * by_y)


def test_backward_leaves_the_same_gradient():
    z = Tensor(Z, requires_grad=True)
    loss(z).backward()
    np.testing.assert_allclose(z.grad.data, grad(loss)(Z), rtol=1e-14)


def test_a_step_against_the_conjugate_descends():
    value, gradient = value_and_grad(loss)(Z)
    assert loss(Z - 1e-4 * np.conj(gradient)) < value
    assert (loss(Z - 1e-6 * np.conj(gradient)) - value) / 1e-6 == pytest.approx(-np.sum(abs(gradient) ** 2), rel=1e-3)


def test_a_holomorphic_function_has_its_complex_derivative():
    assert grad(np.exp, holomorphic=True)(0.3 + 1j) == pytest.approx(np.exp(0.3 + 1j))
    assert grad(grad(np.sin, holomorphic=True), holomorphic=True)(0.3 + 1j) == pytest.approx(-np.sin(0.3 + 1j))
    np.testing.assert_allclose(jacobian(np.sqrt, holomorphic=True)(Z), np.diag(0.5 / np.sqrt(Z)), rtol=1e-14)
    assert hessian(np.prod, holomorphic=True)(Z)[0, 1] == pytest.approx(Z[2])


def test_a_complex_result_without_holomorphic_is_refused():
    with pytest.raises(TypeError, match="take its real part, or pass holomorphic=True"):
        grad(np.exp)(1j)
    with pytest.raises(TypeError, match="holomorphic"):
        jacobian(np.conj)(Z)
    with pytest.raises(TypeError, match="holomorphic"):
        jacobian(np.conj, mode="forward")(Z)


def test_holomorphic_of_a_real_result_is_refused():
    with pytest.raises(TypeError, match="must return one complex number, because holomorphic=True"):
        grad(np.abs, holomorphic=True)(1j)


def test_a_real_argument_gets_a_real_gradient_through_complex_numbers():
    def phase(x):
        return np.imag(np.log(np.sum(np.exp(1j * x))))

    x = np.array([0.1, 0.7, -0.4])
    found = grad(phase)(x)
    assert found.dtype == np.float64
    numerical.assert_close(found, numerical.gradient(phase, [x], 0))
    assert grad(grad(lambda t: np.real(np.exp(2j * t))))(0.3) == pytest.approx(-4 * np.cos(0.6))


def test_the_jacobian_of_a_complex_result_of_real_arguments_is_complex():
    x = np.array([0.1, 0.7])
    np.testing.assert_allclose(jacobian(lambda x: np.exp(1j * x))(x), np.diag(1j * np.exp(1j * x)), rtol=1e-14)
    with pytest.raises(TypeError, match="forward"):
        jacobian(lambda x: np.exp(1j * x), mode="reverse")(x)


def test_the_jacobian_of_a_real_result_of_complex_arguments_has_gradients_for_rows():
    np.testing.assert_allclose(jacobian(np.abs)(Z), np.diag(np.conj(Z) / np.abs(Z)), rtol=1e-14)


def test_cotangents_and_tangents_pair_with_no_conjugate():
    out, pullback = vjp(lambda z: z * (2 + 1j), Z)
    tangent = jvp(lambda z: z * (2 + 1j), (Z,), (1j * Z,))[1]
    (pulled,) = pullback(Z)
    assert np.sum(tangent * Z) == pytest.approx(np.sum(pulled * 1j * Z))
    np.testing.assert_allclose(pulled, Z * (2 + 1j))
    np.testing.assert_allclose(out, Z * (2 + 1j))


def test_a_complex_cotangent_of_a_real_result_is_refused():
    with pytest.raises(TypeError, match="expected real numbers"):
        vjp(np.abs, Z)[1](1j * Z)
    with pytest.raises(TypeError, match="complex"):
        np.abs(Tensor(Z, requires_grad=True)).backward(1j * Z)


def test_backward_of_a_complex_number_asks_for_a_cotangent():
    z = Tensor(1j, requires_grad=True)
    with pytest.raises(ValueError, match=r"is complex.*\.real, \.imag or np\.abs"):
        (z * z).backward()
    (z * z).backward(1.0)
    assert z.grad.item() == 2j


def test_the_parts_are_attributes_and_methods_too():
    z = Tensor(Z, requires_grad=True)
    (z.real + 2 * z.imag + (z * z.conj()).real).sum().backward()
    np.testing.assert_allclose(z.grad.data, 1 - 2j + 2 * np.conj(Z), rtol=1e-14)


def test_the_absolute_value_and_the_sign_have_gradient_zero_at_zero():
    z = np.array([0j, 1 + 1j])
    assert grad(lambda z: np.sum(np.abs(z)))(z)[0] == 0
    assert grad(lambda z: np.sum(np.real(np.sign(z))))(z)[0] == 0
