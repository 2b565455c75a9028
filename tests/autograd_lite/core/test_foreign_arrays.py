"""Arrays that are not NumPy's, but speak its protocols, flow through the same rules and are never converted."""

import numpy as np
import pytest
from numpy.lib.mixins import NDArrayOperatorsMixin

from autograd_lite import Tensor


class DeviceArray(NDArrayOperatorsMixin):
    """An array that refuses to become NumPy's, as one on an accelerator does."""

    def __init__(self, array):
        self.array = array

    shape = property(lambda self: self.array.shape)
    dtype = property(lambda self: self.array.dtype)
    ndim = property(lambda self: self.array.ndim)
    size = property(lambda self: self.array.size)
    T = property(lambda self: DeviceArray(self.array.T))
    mT = property(lambda self: DeviceArray(self.array.mT))  # noqa: N815 - NumPy's name

    def __array__(self, dtype=None, copy=None):
        raise TypeError("implicit conversion to a NumPy array")

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return self._wrapped(getattr(ufunc, method)(*self._bare(inputs), **self._bare(kwargs)))

    def __array_function__(self, function, types, args, kwargs):
        return self._wrapped(function(*self._bare(args), **self._bare(kwargs)))

    def __getitem__(self, index):
        return self._wrapped(self.array[index])

    def __setitem__(self, index, value):
        self.array[index] = self._bare(value)

    def __getattr__(self, name):
        method = getattr(self.array, name)
        return lambda *args, **kwargs: self._wrapped(method(*args, **kwargs))

    @classmethod
    def _bare(cls, value):
        if isinstance(value, tuple | list):
            return type(value)(map(cls._bare, value))
        if isinstance(value, dict):
            return {name: cls._bare(entry) for name, entry in value.items()}
        return value.array if isinstance(value, DeviceArray) else value

    @staticmethod
    def _wrapped(value):
        return DeviceArray(value) if isinstance(value, np.ndarray | np.generic) else value


PROGRAMS = {
    "a layer": lambda x, w: np.tanh(x @ w + 1.0).sum(),
    "a softmax": lambda x, w: -np.log(np.exp(x @ w) / np.exp(x @ w).sum(axis=1, keepdims=True))[:, 0].mean(),
    "choices": lambda x, w: np.where(x @ w > 0, x @ w, 0.1).max(axis=0).sum() + np.maximum(x @ w, 0.5).mean(),
    "shapes": lambda x, w: (np.reshape(x @ w, (-1,)) * np.ravel((x @ w).T)).sum() + w[1:, ::-1].sum(),
    "a joint": lambda x, w: (np.concatenate([w, w * 2]) ** 2).sum() + np.var(w, axis=0).sum(),
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_gradients_of_a_foreign_array_are_numpys_and_stay_foreign(program):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((4, 3)), rng.standard_normal((3, 2))
    foreign, ours = Tensor(DeviceArray(w), requires_grad=True), Tensor(w, requires_grad=True)
    program(DeviceArray(x), foreign).backward()
    program(x, ours).backward()
    gradient = foreign.grad.data
    assert isinstance(gradient, DeviceArray)
    np.testing.assert_allclose(gradient.array, ours.grad.data, rtol=1e-14)


def test_a_plain_cotangent_is_not_written_over_with_foreign_numbers():
    array, g = np.random.default_rng(0).standard_normal((40, 50)), np.full((40, 50), 1.5)
    foreign, ours = Tensor(DeviceArray(array), requires_grad=True), Tensor(array, requires_grad=True)
    for x in (foreign, ours):
        (2 * np.tanh(3 * np.tanh(x)) + x).backward(g)
    np.testing.assert_allclose(foreign.grad.data.array, ours.grad.data, rtol=1e-14)


class LazyArray(DeviceArray):
    """One that tells of no memory, as an array that is not computed yet."""

    def __getattr__(self, name):
        if name == "base":
            raise AttributeError(name)
        return super().__getattr__(name)

    @staticmethod
    def _wrapped(value):
        return LazyArray(value) if isinstance(value, np.ndarray | np.generic) else value


def test_an_array_need_not_tell_whose_memory_it_is_in():
    array = np.linspace(-1, 1, 12).reshape(3, 4)
    lazy, ours = Tensor(LazyArray(array), requires_grad=True), Tensor(array, requires_grad=True)
    for x in (lazy, ours):
        (np.exp(x) * np.tanh(x) + x).sum().backward()
    np.testing.assert_allclose(lazy.grad.data.array, ours.grad.data, rtol=1e-14)
