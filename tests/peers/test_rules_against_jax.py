"""The rules for the rest of NumPy against JAX's, in double precision and for complex numbers, where it has them."""

import os

import numpy as np
import pytest

from tests.autograd_lite.rules.complex_choices import choices, complex_arrays, cotangents_of
from tests.autograd_lite.rules.engine import gradients, seeds
from tests.autograd_lite.rules.specs import CORE, FURTHER, examples_of
from tests.autograd_lite.rules.specs.spec import as_list

from .absent import NOT_IN_JAX

try:
    import jax
    import jax.numpy
except ImportError as missing:
    if os.environ.get("CI") == "true":
        raise
    pytest.skip(f"{missing.name} is not installed", allow_module_level=True)

jax.config.update("jax_enable_x64", True)

RTOL = 1e-10


def shared(examples):
    return [e for e in examples if not {e.spec.of.__name__, e.spec.name, str(e)} & NOT_IN_JAX]


def assert_same(example, arrays, cotangents):
    def call(*arguments):
        return [jax.numpy.asarray(result) for result in as_list(example.spec.call(jax.numpy, *arguments))]

    results, pullback = jax.vjp(call, *map(jax.numpy.asarray, arrays))
    expected = pullback([jax.numpy.asarray(c, r.dtype) for c, r in zip(cotangents, results, strict=True)])
    for ours, theirs in zip(gradients(example.call, arrays, cotangents), expected, strict=True):
        assert ours.shape == theirs.shape
        scale = np.max(np.abs(theirs), initial=0.0)
        np.testing.assert_allclose(ours, theirs, rtol=RTOL, atol=RTOL * scale)


@pytest.mark.parametrize("example", shared(examples_of(FURTHER)), ids=str)
def test_gradients_agree(example):
    arrays = example.arrays()
    assert_same(example, arrays, seeds(example.call(*arrays)))


@pytest.mark.parametrize(("example", "which"), choices(shared(examples_of([*CORE, *FURTHER]))))
def test_complex_gradients_agree(example, which):
    arrays = complex_arrays(example, which)
    assert_same(example, arrays, cotangents_of(example.call(*arrays)))
