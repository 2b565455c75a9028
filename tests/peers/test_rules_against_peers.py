"""Every gradient rule against PyTorch's and HIPS autograd's, in float64, wherever they have the function."""

import os

import numpy as np
import pytest

from tests.autograd_lite.rules.engine import gradients, seeds
from tests.autograd_lite.rules.specs import CORE, examples_of
from tests.autograd_lite.rules.specs.spec import as_list

from .absent import NOT_IN_AUTOGRAD, NOT_IN_TORCH

try:
    import autograd
    import autograd.numpy
    import torch
    from autograd.builtins import SequenceBox

    from .torch_as_numpy import TORCH
except ImportError as missing:
    if os.environ.get("CI") == "true":
        raise
    pytest.skip(f"{missing.name} is not installed", allow_module_level=True)

RTOL = 1e-12


def shared(absent):
    """The examples that are not among those absent from a peer."""
    examples = [e for e in examples_of(CORE) if not {e.spec.of.__name__, e.spec.name, str(e)} & absent]
    return pytest.mark.parametrize("example", examples, ids=str)


def assert_same(example, theirs):
    arrays = example.arrays()
    ours = gradients(example.call, arrays, seeds(example.call(*arrays)))
    for gradient, expected in zip(ours, theirs, strict=True):
        assert gradient.shape == expected.shape
        scale = np.max(np.abs(expected), initial=0.0)
        np.testing.assert_allclose(gradient, expected, rtol=RTOL, atol=RTOL * scale)


@pytest.mark.filterwarnings(
    "ignore:.*degrees of freedom is <= 0", "ignore:.*dtype torch.uint8 is now deprecated", "ignore:The use of `x.T`"
)
@shared(NOT_IN_TORCH)
def test_gradients_agree_with_pytorch(example):
    arrays = example.arrays()
    cotangents = [torch.tensor(cotangent) for cotangent in seeds(example.call(*arrays))]
    leaves = [torch.tensor(array, requires_grad=True) for array in arrays]
    results = as_list(example.spec.call(TORCH, *leaves))
    sum(torch.sum(r * c) for r, c in zip(results, cotangents, strict=True)).backward()
    assert_same(example, [np.zeros(leaf.shape) if leaf.grad is None else leaf.grad.numpy() for leaf in leaves])


@pytest.mark.filterwarnings("ignore:Output seems independent of input")
@shared(NOT_IN_AUTOGRAD)
def test_gradients_agree_with_autograd(example):
    arrays = example.arrays()
    cotangents = seeds(example.call(*arrays))

    def weighted(*arguments):
        results = example.spec.call(autograd.numpy, *arguments)
        results = list(results) if isinstance(results, SequenceBox) else as_list(results)
        return sum(autograd.numpy.sum(r * c) for r, c in zip(results, cotangents, strict=True))

    assert_same(example, [autograd.grad(weighted, i)(*arrays) for i in range(len(arrays))])
