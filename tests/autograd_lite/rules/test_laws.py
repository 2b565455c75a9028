"""Laws that gradients obey whatever the shapes, axes, indices and memory layouts."""

import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from autograd_lite import Tensor
from tests.autograd_lite.numerical import assert_close, derivative_along

from .engine import gradients, gradients_of_leaves, seeds
from .specs import EXAMPLES
from .specs.elementwise import BINARY
from .specs.reductions import DOMAINS

law = settings(max_examples=40, deadline=None, derandomize=True)

SHAPES = npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
NONEMPTY_SHAPES = npst.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=3)


def normal(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


def sum_over_copies(whole, shape):
    """For each element of an array of that shape the sum over the places where broadcasting would copy it to."""
    positions = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    copies = np.broadcast_to(positions, whole.shape).ravel()
    return np.bincount(copies, whole.ravel(), minlength=positions.size).reshape(shape)


def assert_transposes(linear, shape):
    """A backward pass through a linear function is the transposed function: ``<g, f(d)> = <f^T(g), d>``."""
    x, direction = normal(shape, shape)
    moved = linear(direction)
    (g,) = normal(moved.shape, seed=1)
    (gradient,) = gradients(linear, [x], [g])
    assert gradient.shape == shape
    assert_close(np.sum(gradient * direction), np.sum(g * moved), rtol=1e-12)


def assert_multilinear(function, arrays):
    """With all other arguments fixed the function is linear in each, so that no differences are needed."""
    (g,) = normal(function(*arrays).shape, seed=1)
    for i, gradient in enumerate(gradients(function, arrays, [g])):
        (direction,) = normal(arrays[i].shape, seed=2)
        moved = function(*arrays[:i], direction, *arrays[i + 1 :])
        assert gradient.shape == arrays[i].shape
        assert_close(np.sum(gradient * direction), np.sum(g * moved), rtol=1e-12)


# ---- broadcasting, memory, the cotangent ----


@pytest.mark.parametrize("spec", BINARY, ids=lambda spec: spec.name)
@law
@given(shapes=npst.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3))
def test_a_broadcast_argument_gets_the_sum_over_its_copies(spec, shapes):
    rng = np.random.default_rng(0)
    arrays = [domain(rng, shape) for domain, shape in zip(spec.domains, shapes.input_shapes, strict=True)]
    function = getattr(np, spec.of.__name__)
    (g,) = normal(function(*arrays).shape)
    spread = [np.array(np.broadcast_to(a, g.shape)) for a in arrays]
    for gradient, whole, array in zip(
        gradients(function, arrays, [g]), gradients(function, spread, [g]), arrays, strict=True
    ):
        assert gradient.shape == array.shape
        assert_close(gradient, sum_over_copies(whole, array.shape), rtol=1e-12)


@law
@given(
    shapes=npst.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, min_side=0, max_side=3),
    function=st.sampled_from([np.where, np.clip]),
)
def test_a_choice_hands_its_cotangent_to_the_argument_that_it_chose(shapes, function):
    arrays = normal(*shapes.input_shapes)
    call = function
    if function is np.where:
        condition = arrays.pop(0) > 0
        call = lambda x, y: np.where(condition, x, y)  # noqa: E731
    chosen = call(*arrays)
    (g,) = normal(chosen.shape, seed=1)
    for gradient, array in zip(gradients(call, arrays, [g]), arrays, strict=True):
        assert_close(gradient, sum_over_copies(g * (chosen == array), array.shape), rtol=1e-12)


@st.composite
def views(draw, array):
    """The numbers of an array as a view of a larger one, with the axes in any order and steps of either sign."""
    order = draw(st.permutations(range(array.ndim)))
    steps = [draw(st.sampled_from([1, 2, -1, -2])) for _ in order]
    base = np.full([n * abs(step) for n, step in zip(array.shape, steps, strict=True)], np.nan, array.dtype)
    base = base.transpose(order).copy(order="C").transpose(np.argsort(order))
    view = base[..., *(slice(None, None, step) for step in steps)]
    view[...] = array
    return view


@law
@given(data=st.data(), example=st.sampled_from(EXAMPLES))
def test_gradients_of_views_are_those_of_contiguous_copies(data, example):
    arrays = example.arrays()
    cotangents = seeds(example.call(*arrays))
    leaves = [Tensor(a, requires_grad=True) for a in arrays]
    for leaf, array in zip(leaves, arrays, strict=True):
        leaf.data = data.draw(views(array))
    found = gradients_of_leaves(example.call, leaves, [data.draw(views(c)) for c in cotangents])
    for gradient, expected in zip(found, gradients(example.call, arrays, cotangents), strict=True):
        assert_close(gradient, expected, rtol=1e-12)


@settings(law, max_examples=250)
@given(example=st.sampled_from(EXAMPLES), a=st.floats(-3, 3), b=st.floats(-3, 3))
def test_the_backward_pass_is_linear_in_the_cotangent(example, a, b):
    arrays = example.arrays()
    first = seeds(example.call(*arrays))
    second = normal(*[c.shape for c in first])
    mixed = [a * c + b * d for c, d in zip(first, second, strict=True)]
    of_first, of_second = gradients(example.call, arrays, first), gradients(example.call, arrays, second)
    for gradient, p, q in zip(gradients(example.call, arrays, mixed), of_first, of_second, strict=True):
        np.testing.assert_allclose(gradient, a * p + b * q, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("spec", BINARY, ids=lambda spec: spec.name)
@law
@given(shape=SHAPES)
def test_one_tensor_in_both_places_gets_the_sum_of_both_gradients(spec, shape):
    function, x = getattr(np, spec.of.__name__), spec.domains[0](np.random.default_rng(0), shape)
    if spec.of is np.power or spec.of is np.float_power:
        x = abs(x)
    (g,) = normal(shape)
    (together,) = gradients(lambda x: function(x, x), [x], [g])
    assert_close(together, sum(gradients(function, [x, x], [g])), rtol=1e-12)


@law
@given(example=st.sampled_from(EXAMPLES), uses=st.integers(2, 4))
def test_results_of_several_uses_add_up(example, uses):
    arrays = example.arrays()
    cotangents = seeds(example.call(*arrays))

    def several(*arguments):
        return [sum(results) for results in zip(*(example.call(*arguments) for _ in range(uses)), strict=True)]

    for gradient, once in zip(
        gradients(several, arrays, cotangents), gradients(example.call, arrays, cotangents), strict=True
    ):
        assert_close(gradient, uses * once, rtol=1e-12)


# ---- reductions ----


@st.composite
def reductions(draw, shapes):
    """A shape and the axes, in each form that NumPy takes."""
    shape = draw(shapes)
    axes = st.none() | npst.valid_tuple_axes(len(shape), min_size=0)
    if shape:
        axes |= st.integers(-len(shape), len(shape) - 1)
    return shape, {"axis": draw(axes), "keepdims": draw(st.booleans())}


@pytest.mark.parametrize("function", DOMAINS, ids=lambda function: function.__name__)
@law
@given(case=reductions(NONEMPTY_SHAPES))
def test_reductions_over_any_axes(function, case):
    shape, arguments = case
    rng = np.random.default_rng(0)
    x, direction = DOMAINS[function](rng, shape), rng.normal(size=shape)
    (g,) = normal(function(x, **arguments).shape)
    (gradient,) = gradients(lambda x: function(x, **arguments), [x], [g])
    expected = derivative_along(lambda x: np.sum(g * function(x, **arguments)), [x], [direction * 0.1])
    assert gradient.shape == shape
    np.testing.assert_allclose(np.sum(gradient * direction) * 0.1, expected, rtol=1e-6, atol=1e-9)


@law
@given(case=reductions(SHAPES))
def test_sums_over_nothing(case):
    shape, arguments = case
    assert_transposes(lambda x: np.sum(x, **arguments), shape)


@law
@given(values=st.lists(st.sampled_from([0.0, 1.0, -2.0, 0.3, 1e40]), max_size=6))
def test_the_gradient_of_a_product_is_the_product_of_the_others(values):
    values = np.array(values)
    (gradient,) = gradients(np.prod, [values], [np.array(1.0)])
    expected = [np.prod(np.delete(values, i)) for i in range(values.size)]
    np.testing.assert_allclose(gradient, expected, rtol=1e-12, atol=0)


@law
@given(values=st.lists(st.integers(-2, 2), min_size=1, max_size=8), function=st.sampled_from([np.max, np.min, np.ptp]))
def test_extrema_share_their_cotangent_equally(values, function):
    values = np.array(values, dtype=float)
    (gradient,) = gradients(function, [values], [np.array(1.0)])
    high, low = ((values == values.max()).astype(float), (values == values.min()).astype(float))
    shares = {np.max: high / high.sum(), np.min: low / low.sum()}
    shares[np.ptp] = shares[np.max] - shares[np.min]
    np.testing.assert_allclose(gradient, shares[function], rtol=1e-15)


# ---- products ----


@law
@given(shapes=npst.mutually_broadcastable_shapes(signature=np.matmul.signature, max_dims=2, min_side=0, max_side=3))
def test_matmul_of_any_shapes(shapes):
    assert_multilinear(np.matmul, normal(*shapes.input_shapes))


@law
@given(a=SHAPES, b=SHAPES, n=st.integers(0, 3))
def test_tensordot_of_any_shapes(a, b, n):
    n = min(n, len(a), len(b))
    assert_multilinear(lambda a, b: np.tensordot(a, b, axes=n), normal(a, (*a[len(a) - n :], *b)))


@st.composite
def einsums(draw):
    """Subscripts and shapes: labels that recur within a term, that are summed, broadcast, or stand for an ellipsis."""
    lengths = {label: draw(st.integers(0, 3)) for label in "abcd"}
    extra = draw(st.lists(st.integers(1, 3), max_size=2))
    terms, shapes = [], []
    for _ in range(draw(st.integers(1, 3))):
        labels = draw(st.text("abcd", max_size=3))
        narrow = {label: draw(st.booleans()) for label in set(labels)}
        shape = [1 if narrow[label] else lengths[label] for label in labels]
        if draw(st.booleans()):
            at = draw(st.integers(0, len(labels)))
            rank = draw(st.integers(0, len(extra)))
            labels = f"{labels[:at]}...{labels[at:]}"
            shape[at:at] = [draw(st.sampled_from([1, n])) for n in extra[len(extra) - rank :]]
        terms.append(labels)
        shapes.append(tuple(shape))
    subscripts = ",".join(terms)
    if draw(st.booleans()):
        used = sorted(set(subscripts) & set(string.ascii_letters))
        result = "".join(draw(st.permutations(used))[: draw(st.integers(0, len(used)))])
        subscripts += "->" + ("..." if "..." in subscripts else "") + result
    return subscripts, shapes


@settings(law, max_examples=300)
@given(case=einsums())
def test_einsum_of_any_subscripts(case):
    subscripts, shapes = case
    assert_multilinear(lambda *operands: np.einsum(subscripts, *operands), normal(*shapes))


# ---- elements that stay what they are ----


@law
@given(data=st.data(), shape=npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
def test_any_basic_index(data, shape):
    index = data.draw(npst.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True))
    assert_transposes(lambda x: x[index], shape)


@law
@given(data=st.data(), shape=npst.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3))
def test_any_index_of_integer_arrays(data, shape):
    index = data.draw(npst.integer_array_indices(shape))
    kept = data.draw(st.lists(st.sampled_from(range(len(shape)))))
    index = tuple(slice(None, None, -1) if i in kept else entry for i, entry in enumerate(index))
    assert_transposes(lambda x: x[index], shape)


@law
@given(data=st.data(), shape=SHAPES)
def test_any_mask(data, shape):
    covered = data.draw(st.integers(0, len(shape)))
    mask = data.draw(npst.arrays(bool, shape[:covered]))
    assert_transposes(lambda x: x[mask], shape)


@law
@given(data=st.data(), shape=npst.array_shapes(min_dims=1, max_dims=3, max_side=3))
def test_padding_repeating_and_tiling_by_any_numbers(data, shape):
    small = st.integers(0, 3)
    widths = data.draw(st.lists(st.tuples(small, small), min_size=len(shape), max_size=len(shape)))
    mode = data.draw(st.sampled_from(["constant", "edge", "reflect", "symmetric", "wrap"]))
    assert_transposes(lambda x: np.pad(x, widths, mode=mode), shape)
    copies = data.draw(st.lists(small, max_size=4))
    assert_transposes(lambda x: np.tile(x, copies), shape)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    repeats = data.draw(st.lists(small, min_size=shape[axis], max_size=shape[axis]))
    assert_transposes(lambda x: np.repeat(x, repeats, axis=axis), shape)


@law
@given(data=st.data(), shape=npst.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=3))
def test_moving_axes_and_elements_in_any_way(data, shape):
    order = data.draw(st.permutations(range(len(shape))))
    signed = [axis - data.draw(st.sampled_from([0, len(shape)])) for axis in order]
    assert_transposes(lambda x: np.transpose(x, signed), shape)
    assert_transposes(lambda x: np.moveaxis(x, signed, order), shape)
    axes = data.draw(npst.valid_tuple_axes(len(shape), min_size=1))
    shifts = tuple(data.draw(st.integers(-5, 5)) for _ in axes)
    assert_transposes(lambda x: np.roll(x, shifts, axes), shape)
    assert_transposes(lambda x: np.flip(x, axes), shape)
    memory = data.draw(st.sampled_from("CF"))
    assert_transposes(lambda x: np.reshape(np.ravel(x, order=memory), shape[::-1], order=memory), shape)
