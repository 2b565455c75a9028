"""The operator ``**`` gives what it gives for arrays, wherever a tensor or a recorded array stands in its place."""

import numpy as np
import pytest

import autograd_lite
from autograd_lite import Tensor
from autograd_lite.transforms import grad, jvp, vmap
from tests.autograd_lite.numerical import assert_close

DTYPES = [np.float32, np.float64, np.complex64, np.complex128, np.int64, np.int16]
EXPONENTS = [2, 2.0, 0.5, 3, 0, 1, np.float64(2), np.array([2.0, 3.0, 2.0, 0.5])]


def base(dtype):
    rng = np.random.default_rng(0)
    numbers = rng.uniform(0.5, 9, (500, 4))
    return (numbers + 1j * rng.normal(size=numbers.shape) if dtype().dtype.kind == "c" else numbers).astype(dtype)


@pytest.fixture(params=DTYPES, ids=lambda dtype: dtype.__name__)
def x(request):
    return base(request.param)


@pytest.fixture(params=EXPONENTS, ids=repr)
def exponent(request):
    return request.param


def assert_same_bits(found, expected):
    assert found.dtype == expected.dtype
    assert found.tobytes() == expected.tobytes()


def test_a_tensor_to_a_power_has_the_bits_of_the_array(x, exponent):
    assert_same_bits((Tensor(x) ** exponent).data, x**exponent)


def test_it_has_them_under_a_transform(x, exponent):
    assert_same_bits(vmap(lambda row: row**exponent)(x), x**exponent)


def test_it_has_them_in_a_compiled_function(x, exponent):
    compiled = autograd_lite.compile(lambda x: x**exponent)
    assert_same_bits(compiled(x), x**exponent)
    assert_same_bits(compiled(x), x**exponent)


@pytest.mark.parametrize("exponent", [2, 2.0, 0.5, 3])
@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_its_derivative_is_that_of_the_power(exponent, dtype):
    x = base(dtype)[0]
    holomorphic = np.iscomplexobj(x)
    expected = exponent * np.power(x, exponent - 1.0)
    assert_close(grad(lambda x: np.sum(x**exponent), holomorphic=holomorphic)(x), expected, rtol=1e-13)
    assert_close(jvp(lambda x: x**exponent, (x,), (np.ones_like(x),))[1], expected, rtol=1e-13)


def test_the_second_derivative_of_the_square_is_two_everywhere():
    assert grad(grad(lambda x: x**2))(0.0) == 2


def test_the_square_is_recorded_as_one_function_of_its_base():
    x = Tensor([1.0, 2.0], requires_grad=True)
    assert [(x**n).node.recipe.rule.name for n in (2, 0.5, 3)] == ["np.square", "np.sqrt", "np.power"]


def test_squares_in_a_plan_take_no_power():
    w = Tensor(np.linspace(0.1, 1, 3), requires_grad=True)

    @autograd_lite.compile
    def step(x):
        w.zero_grad()
        loss = ((x - w) ** 2).mean() + (w**3).sum()
        loss.backward()
        return loss

    step(np.ones((5, 3)))
    assert str(step).count("np.power") == 1
