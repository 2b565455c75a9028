"""The rules for `scipy.special`'s ufuncs against JAX's, in double precision, where it has them."""

import os

import numpy as np
import pytest
import scipy.special

from autograd_lite import special
from tests.autograd_lite.rules.engine import gradients, seeds
from tests.autograd_lite.rules.specs.spec import as_list
from tests.autograd_lite.rules.specs.special import ARGUMENTS, SPECS, filled

try:
    import jax
    import jax.scipy.special
except ImportError as missing:
    if os.environ.get("CI") == "true":
        raise
    pytest.skip(f"{missing.name} is not installed", allow_module_level=True)

jax.config.update("jax_enable_x64", True)

SHAPES = ((2, 3), (3,), (2, 1))

NAMES = [name for name in ARGUMENTS if hasattr(jax.scipy.special, name) and name != "spence"]
"""Of the dilogarithm JAX's derivative is NaN where its argument is between 1 and 2."""


@pytest.mark.parametrize("name", NAMES)
def test_gradients_agree(name):
    rng = np.random.default_rng(20)
    domains = [argument for argument in ARGUMENTS[name] if callable(argument)]
    arrays = [domain(rng, shape) for domain, shape in zip(domains, SHAPES, strict=False)]

    def call_of(module):
        return lambda *x: as_list(getattr(module, name)(*filled(ARGUMENTS[name], x)))

    ours = call_of(scipy.special)
    cotangents = seeds(ours(*arrays))
    _, pullback = jax.vjp(call_of(jax.scipy.special), *map(jax.numpy.asarray, arrays))
    expected = pullback([jax.numpy.asarray(c) for c in cotangents])
    for found, theirs in zip(gradients(ours, arrays, cotangents), expected, strict=True):
        np.testing.assert_allclose(found, theirs, rtol=1e-10, atol=1e-10 * np.max(np.abs(theirs)))


def test_enough_of_them_are_compared():
    assert len(NAMES) >= 35
    assert len(SPECS) >= len(NAMES)


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("name", ["logsumexp", "softmax", "log_softmax"])
def test_gradients_of_sums_of_exponentials_agree(name, axis):
    theirs = getattr(jax.scipy.special, name, None) or getattr(jax.nn, name)
    x = np.random.default_rng(2).normal(size=(2, 3))
    cotangents = seeds([getattr(special, name)(x, axis=axis)])
    (found,) = gradients(lambda x: [getattr(special, name)(x, axis=axis)], [x], cotangents)
    (expected,) = jax.vjp(lambda x: theirs(x, axis=axis), x)[1](cotangents[0])
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
