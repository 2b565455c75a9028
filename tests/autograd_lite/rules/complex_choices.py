"""Every call in the table of specifications that NumPy takes complex numbers for."""

import warnings

import numpy as np
import pytest

from .specs.spec import as_list


def complex_arrays(example, which=None):
    """The example's arrays, those of the positions with an imaginary part (all if not said)."""
    arrays = example.arrays()
    rng = np.random.default_rng(5)
    which = range(len(arrays)) if which is None else which
    return [a + 1j * rng.uniform(0.2, 0.6, a.shape) if i in which else a for i, a in enumerate(arrays)]


def choices(examples):
    """Each example with the arguments that are complex: all, and of several the first or the last alone."""
    found = []
    for example in examples:
        if example.spec.real_only:
            continue
        for which in dict.fromkeys([tuple(range(len(example.shapes))), (0,), (len(example.shapes) - 1,)]):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                try:
                    results = as_list(example.call(*complex_arrays(example, which)))
                except (TypeError, np.exceptions.ComplexWarning):
                    continue  # not a function of complex numbers
            if all(result.dtype.kind in "fc" for result in results):
                found.append(pytest.param(example, which, id=f"{example}-{which}"))
    return found


def drawn(rng, like):
    """A direction for an array, complex where that is."""
    real = np.asarray(rng.uniform(-1.5, 1.5, like.shape))
    return real + 1j * rng.uniform(-1.5, 1.5, like.shape) if like.dtype.kind == "c" else real


def cotangents_of(results):
    """A cotangent for each result, the same ones each time."""
    rng = np.random.default_rng(7)
    return [drawn(rng, result) for result in results]
