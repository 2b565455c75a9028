"""Every rule for many examples at once, against a loop over them, through every call in the table of specifications."""

import numpy as np
import pytest

from autograd_lite.formatting import name_of
from autograd_lite.transforms import jvp, vjp, vmap
from autograd_lite.transforms.batching import BatchLevel
from tests.autograd_lite import numerical

from .engine import seeds
from .specs import EXAMPLES, largest
from .test_completeness import WITHOUT_BATCHING

SEEDS = (20, 21, 22)

every_example = pytest.mark.parametrize("example", [e for e in EXAMPLES if not e.spec.ragged], ids=str)


ONE_BY_ONE = {
    **WITHOUT_BATCHING,
    "np.searchsorted": "NumPy searches one sorted array in a call; many values in the same one are found together",
}
"""The functions that are called for each example in turn, with the reason; all others are compared with a loop."""


@pytest.fixture
def looped(monkeypatch):
    """The names of the functions that have been called for each example in turn."""
    names = set()
    original = BatchLevel._one_by_one

    def counted(self, function, args, kwargs):
        names.add(name_of(function))
        return original(self, function, args, kwargs)

    monkeypatch.setattr(BatchLevel, "_one_by_one", counted)
    return names


def stacked(results):
    """Results of the examples, each a list of arrays, as one list of arrays."""
    return [np.stack(parts) for parts in zip(*results, strict=True)]


def choices(example):
    """For all arguments, and of several for each alone, whether it differs from example to example."""
    count = len(example.shapes)
    return dict.fromkeys([(0,) * count, *(tuple(0 if i == j else None for j in range(count)) for i in range(count))])


def each(arguments, in_axes):
    """The arguments of every example in turn."""
    first = arguments[0]
    return [[a if axis == 0 else b for a, b, axis in zip(own, first, in_axes, strict=True)] for own in arguments]


def together(arguments, in_axes):
    """The arguments of all examples: those that differ stacked."""
    return [np.stack([own[k] for own in arguments]) if axis == 0 else arguments[0][k] for k, axis in enumerate(in_axes)]


def agree(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        numerical.assert_close(a, b, rtol=1e-11)


def listed(example):
    return lambda *arrays: list(example.call(*arrays))


@every_example
def test_all_examples_at_once_give_what_a_loop_gives(example, looped):
    arguments = [example.arrays(seed=seed) for seed in SEEDS]
    for in_axes in choices(example):
        expected = stacked([example.call(*own) for own in each(arguments, in_axes)])
        agree(vmap(listed(example), in_axes)(*together(arguments, in_axes)), expected)
    assert looped <= ONE_BY_ONE.keys()


@every_example
def test_so_do_their_cotangents_and_tangents(example, looped):
    arguments = [example.arrays(seed=seed) for seed in SEEDS]
    cotangents = seeds(example.call(*arguments[0]))
    rng = np.random.default_rng(9)
    along = [np.asarray(rng.uniform(-1.5, 1.5, a.shape)) for a in arguments[0]]

    def pulled(*arrays):
        return list(vjp(listed(example), *arrays)[1](cotangents))

    def pushed(*arrays):
        return jvp(listed(example), arrays, along)[1]

    for in_axes in choices(example):
        for derivative in (pulled, pushed):
            expected = stacked([derivative(*own) for own in each(arguments, in_axes)])
            agree(vmap(derivative, in_axes)(*together(arguments, in_axes)), expected)
    assert looped <= ONE_BY_ONE.keys()


@pytest.mark.parametrize("example", largest([e for e in EXAMPLES if not e.spec.ragged]), ids=str)
def test_derivatives_go_through_it(example):
    arguments = [example.arrays(seed=seed) for seed in SEEDS]
    all_at_once = together(arguments, (0,) * len(example.shapes))
    cotangents = seeds(example.call(*arguments[0]))
    found = vjp(vmap(listed(example)), *all_at_once)[1]([np.stack([c] * len(SEEDS)) for c in cotangents])
    agree(found, stacked([vjp(listed(example), *own)[1](cotangents) for own in arguments]))


X = np.array([[0.3, -1.2, 2.0, np.nan], [1.5, 0.1, -0.4, 0.7], [np.inf, 0.0, -np.inf, 5.0]])
SORTED = np.array([-1.0, 0.0, 1.0])

CONSTANT = {
    "all": lambda x: np.all(x > 0),
    "any, axis": lambda x: np.any(x > 0, axis=0),
    "count_nonzero": lambda x: np.count_nonzero(x),
    "argmax": lambda x: np.argmax(x),
    "argmin, keepdims": lambda x: np.argmin(x, keepdims=True),
    "argsort": lambda x: np.argsort(x),
    "argpartition": lambda x: np.sort(np.argpartition(x, 1)[:2]),
    "argpartition, flattened": lambda x: np.argpartition(np.reshape(x, (2, 2)), 1, None)[1],
    "nanargmax": lambda x: np.nanargmax(x),
    "nanargmin, axis": lambda x: np.nanargmin(x, axis=-1),
    "searchsorted": lambda x: np.searchsorted(SORTED, x, "right"),
    "searchsorted of a number": lambda x: np.searchsorted(SORTED, x[0]),
    "digitize": lambda x: np.digitize(x, SORTED, right=True),
    "isin": lambda x: np.isin(x, [0.3, 5.0], invert=True),
    "isposinf": lambda x: np.isposinf(x),
    "isneginf": lambda x: np.isneginf(x),
    "isreal": lambda x: np.isreal(x),
    "iscomplex": lambda x: np.iscomplex(x),
    "frexp": lambda x: np.frexp(x)[1],
    "matrix_rank": lambda x: np.linalg.matrix_rank(np.outer(x[1:2], x[1:2])),
    "matrix_rank, tolerance": lambda x: np.linalg.matrix_rank(np.diag(x[1:2]), 0.5),
}


LOOPED = {
    "convolve_full": lambda x: np.convolve(x, x[:2]),
    "np.searchsorted": lambda x: np.searchsorted(x, SORTED),
}


def test_what_is_called_for_each_example_in_turn_has_a_reason_to_be():
    assert LOOPED.keys() == ONE_BY_ONE.keys()


@pytest.mark.parametrize("name", LOOPED)
def test_a_reason_is_given_for_no_function_that_is_called_for_all_examples_at_once(name, looped):
    vmap(LOOPED[name])(np.sort(np.nan_to_num(X)))
    assert looped == {name}


@pytest.mark.parametrize("call", CONSTANT.values(), ids=CONSTANT)
def test_what_has_no_gradient_is_computed_for_all_examples_at_once(call, looped):
    expected = np.stack([call(x) for x in X])
    found = vmap(call)(X)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_array_equal(found, expected)
    assert looped == set()
