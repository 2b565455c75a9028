"""Whether every function that HIPS autograd differentiates is differentiable here."""

import autograd.numpy as hips
import numpy as np
from autograd.core import primitive_vjps

from autograd_lite.core.registry import DERIVED, RULES


def differentiable_in_hips():
    """The names in its namespaces of the functions that have vector-Jacobian products."""
    for prefix, namespace in (("", hips), ("linalg.", hips.linalg), ("fft.", hips.fft)):
        for name in dir(namespace):
            if callable(getattr(namespace, name)) and getattr(namespace, name) in primitive_vjps:
                yield prefix + name


def function(path):
    found = np
    for part in path.split("."):
        found = getattr(found, part, None)
    return found


def test_its_list_is_long():
    assert len(list(differentiable_in_hips())) > 120


# Its own helpers; and np.full, which asks for no protocol, so that it raises for a tensor.
NOT_NUMPYS = [
    "_original_where",
    "array_from_args",
    "concatenate_args",
    "fft.truncate_pad",
    "full",
    "linalg._primitive_norm",
    "make_diagonal",
]


def test_what_it_differentiates_is_covered_whole():
    missing = [path for path in differentiable_in_hips() if function(path) not in {*RULES, *DERIVED}]
    assert sorted(missing) == NOT_NUMPYS
