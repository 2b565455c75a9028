"""Arrays that change under a graph: the gradient is of the program that ran, or the backward pass refuses."""

import gc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd_lite import ChangedTensorError, Tensor, custom_vjp, no_grad
from autograd_lite.core.saved import COPIED_BYTES, SUMMED_BYTES, Mark
from tests.autograd_lite.rules.engine import seeds
from tests.autograd_lite.rules.specs import SPECS, examples_of

from .writes import LARGE, SMALL, WRITES_TO_A_LEAF, leaf, ramp

HUGE = SUMMED_BYTES // 8 + 1

ways_to_write = pytest.mark.parametrize(
    "write",
    [
        lambda a: a.__imul__(5),
        lambda a: a.__setitem__(0, 7),
        lambda a: a.__setitem__(-1, 7),
        lambda a: a.fill(2),
        lambda a: np.negative(a, out=a),
        lambda a: a[::-1].sort(),
        lambda a: np.copyto(a[1:], a[:-1].copy()),
    ],
    ids=["scaled", "first", "last", "filled", "negated", "sorted", "shifted"],
)


# ---- constants ----


@ways_to_write
def test_a_small_constant_may_change(write):
    w, x = leaf(np.ones(SMALL)), ramp(SMALL)
    loss = (w * x).sum()
    write(x)
    loss.backward()
    np.testing.assert_array_equal(w.grad.data, ramp(SMALL))


@ways_to_write
@pytest.mark.parametrize(("size", "dtype"), [(LARGE, np.float64), (LARGE + 7, np.float64), (2 * LARGE, np.float32)])
def test_a_change_of_a_large_constant_is_refused(write, size, dtype):
    w, x = leaf(np.ones(size, dtype)), ramp(2 * size)[:size].astype(dtype)
    loss = (w * x).sum()
    write(x)
    with pytest.raises(ChangedTensorError, match=r"np\.multiply .* had saved was written to afterwards"):
        loss.backward()
    assert w.grad is None


def test_one_element_of_a_large_constant_counts():
    w, x = leaf(np.ones(LARGE)), ramp(LARGE)
    loss = (w * x).sum()
    x[LARGE // 3] += 1e-9
    with pytest.raises(ChangedTensorError):
        loss.backward()


@pytest.mark.parametrize("write", [lambda a: a.__imul__(2), lambda a: a.sort(), lambda a: a[100:3000].fill(0)])
def test_a_change_of_a_huge_constant_is_refused_where_it_touches_a_sample(write):
    x = np.random.default_rng(0).random(HUGE)
    loss = (leaf(1.0) * x).sum()
    write(x)
    with pytest.raises(ChangedTensorError):
        loss.backward()


def test_an_unchanged_large_constant_is_read_where_it_lies():
    w, x = leaf(np.ones(LARGE)), ramp(LARGE)
    product = w * x
    assert any(value is x for value in product.node.saved)
    product.sum().backward()
    np.testing.assert_array_equal(w.grad.data, x)


@pytest.mark.parametrize("layout", [np.asfortranarray, lambda a: np.repeat(a, 2, 0)[::2], lambda a: a[::-1, ::-1]])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128, np.float16])
def test_changes_are_noticed_in_every_layout(layout, dtype):
    shape = (256, 2 * COPIED_BYTES // 256 // np.dtype(dtype).itemsize)
    x = layout(np.ones(shape, dtype))
    loss = np.sum(np.real(leaf(np.ones(shape)) * x))
    x[128, shape[1] // 2 + 1] = 3
    with pytest.raises(ChangedTensorError):
        loss.backward()


def test_a_constant_that_may_be_written_to_again_later_is_saved_as_the_others():
    w, x = leaf(np.ones(SMALL)), ramp(SMALL)
    x.flags.writeable = False
    product = (w * x).sum()
    x.flags.writeable = True
    x *= 5
    product.backward()
    np.testing.assert_array_equal(w.grad.data, ramp(SMALL))


@pytest.mark.parametrize("make", [list, np.array])
@pytest.mark.parametrize(
    "pick", [lambda w, i: w[i], lambda w, i: np.take(w, i), lambda w, i: np.choose(np.array([0, 1]), [w[i], w[i]])]
)
def test_indices_may_change(make, pick):
    w, index = leaf(ramp(4)), make([0, 2])
    loss = pick(w, index).sum()
    index[0] = 3
    loss.backward()
    np.testing.assert_array_equal(w.grad.data > 0, [True, False, True, False])


def test_indices_within_a_tuple_may_change():
    w, rows, columns = leaf(np.ones((3, 3))), np.array([0, 1]), [1, 2]
    loss = w[rows, columns].sum()
    rows[:], columns[:] = 2, [0, 0]
    loss.backward()
    np.testing.assert_array_equal(np.argwhere(w.grad.data), [[0, 1], [1, 2]])


def test_masks_may_change():
    w, mask = leaf(ramp(4)), np.array([True, False, True, False])
    loss = w[mask].sum() + np.where(mask, w, 0.0).sum()
    mask[:] = False
    loss.backward()
    np.testing.assert_array_equal(w.grad.data, [2, 0, 2, 0])


def test_a_buffer_may_be_filled_anew_for_each_batch():
    w, batch, total = leaf(np.ones(2)), np.empty((4, 2)), 0.0
    for i in range(3):
        batch.fill(i)
        total = total + np.sum((batch @ w) ** 2)
    total.backward()
    np.testing.assert_array_equal(w.grad.data, np.full(2, 2 * 4 * 2 * (0 + 1 + 4)))


OF_SEVERAL = {example.spec: example for example in examples_of(SPECS) if len(example.shapes) > 1}


@pytest.mark.parametrize("example", OF_SEVERAL.values(), ids=str)
def test_every_rule_keeps_what_its_constants_were(example):
    for i in range(len(example.shapes)):
        gradients: list[Any] = []
        for spoil in (False, True):
            arrays = example.arrays()
            differentiated = arrays[i] = leaf(arrays[i])
            results = example.call(*arrays)
            cotangents = seeds([r.data if isinstance(r, Tensor) else r for r in results])
            pairs = [(r, g) for r, g in zip(results, cotangents, strict=True) if isinstance(r, Tensor)]
            total = sum(np.sum(np.real(r * g)) for r, g in pairs)
            if spoil:
                for array in arrays:
                    if array is not differentiated:
                        array[...] = np.nan
            if isinstance(total, Tensor) and total.requires_grad:
                try:
                    total.backward()
                except ChangedTensorError:  # strided arrays are not copied
                    assert spoil
                    break
            gradients.append(None if differentiated.grad is None else differentiated.grad.data)
        else:
            np.testing.assert_array_equal(*gradients)


# ---- constant tensors ----


def test_a_constant_tensor_may_be_written_to_or_replaced():
    w, x, y = leaf(np.ones(2)), Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    loss = (w * x * y).sum()
    x.data[0] = 7.0
    y.data = np.zeros(2)
    loss.backward()
    np.testing.assert_array_equal(w.grad.data, [3.0, 8.0])


def test_a_detached_leaf_may_be_stepped():
    v, w = leaf([1.0]), leaf([2.0])
    loss = (v * w.detach()).sum()
    w.grad = Tensor([1.0])
    nn.SGD([w], lr=1.0).step()
    loss.backward()
    np.testing.assert_array_equal(v.grad.data, [2.0])


# ---- leaves ----


@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize("write", WRITES_TO_A_LEAF.values(), ids=WRITES_TO_A_LEAF)
def test_a_leaf_that_is_written_to_is_refused_by_older_graphs(write, size):
    w = leaf(ramp(size))
    loss = (w * w).sum()
    write(w)
    with pytest.raises(ChangedTensorError, match="the leaf tensor"):
        loss.backward()


@pytest.mark.parametrize("way", [way for way in WRITES_TO_A_LEAF if way not in ("an optimizer", "announced")])
def test_a_frozen_leaf_that_is_written_to_is_refused_by_older_graphs(way):
    w = leaf(ramp(SMALL))
    loss = (w * w).sum()
    w.requires_grad = False
    WRITES_TO_A_LEAF[way](w)
    with pytest.raises(ChangedTensorError, match="the leaf tensor"):
        loss.backward()


@pytest.mark.parametrize("write", WRITES_TO_A_LEAF.values(), ids=WRITES_TO_A_LEAF)
def test_a_newer_graph_is_right_while_an_older_one_is_there(write):
    w = leaf(ramp(SMALL))
    older = (w * w).sum()
    write(w)
    w.zero_grad()
    (w * w).sum().backward()
    np.testing.assert_array_equal(w.grad.data, 2 * w.data)
    with pytest.raises(ChangedTensorError):
        older.backward()


def test_an_array_that_is_held_while_a_graph_comes_and_goes_can_be_written_to_afterwards():
    w = leaf(ramp(SMALL))
    loss = (w * w).sum()
    held = w.data
    loss.backward()
    held += 1
    w.zero_grad()
    (w * w).sum().backward()
    np.testing.assert_array_equal(w.grad.data, 2 * (ramp(SMALL) + 1))


def test_reading_the_data_of_a_leaf_changes_nothing():
    w = leaf(ramp(SMALL))
    h = w * 2
    assert w.data.sum() == 6
    assert repr(w)
    loss = (h * w).sum()
    w.data.copy()
    loss.backward()
    np.testing.assert_array_equal(w.grad.data, 4 * ramp(SMALL))


def test_the_array_of_a_leaf_is_given_out_itself_where_no_graph_has_saved_it():
    w = leaf(ramp(SMALL))
    assert w.data is w.data
    loss = (w * w).sum()
    assert w.data.base is not None
    loss.backward()
    assert w.data.base is None


def test_a_graph_that_is_gone_leaves_no_trace():
    w = leaf(ramp(SMALL))
    loss = (w * w).sum()
    w.data[0] = 7.0
    del loss
    gc.collect()
    (w * w).sum().backward()
    np.testing.assert_array_equal(w.grad.data, 2 * w.data)


def test_the_array_that_is_assigned_stays_the_callers():
    w, array = leaf(np.zeros(2)), np.ones(2)
    w.data = array
    loss = (w * w).sum()
    array[:] = 5
    loss.backward()
    np.testing.assert_array_equal(w.grad.data, [2.0, 2.0])


@pytest.mark.parametrize("view", [lambda a: a[::-1], lambda a: a.T, lambda a: a.reshape(2, 2)])
def test_a_view_of_its_own_array_can_be_assigned(view):
    w = leaf(np.arange(4.0).reshape(2, 2))
    expected = view(w.data).copy()
    w.data = view(w.data)
    np.testing.assert_array_equal(w.data, expected)


# ---- requires_grad, on and off ----


def test_a_pending_gradient_arrives_where_requires_grad_was_off_for_a_while():
    w = leaf(3.0)
    y = w * w
    w.requires_grad = False
    w.requires_grad = True
    y.backward()
    assert w.grad.item() == 6.0


def test_a_gradient_is_still_there_when_requires_grad_was_off_for_a_while():
    w = leaf(3.0)
    (w * w).backward()
    w.requires_grad = False
    assert w.grad is None
    w.requires_grad = True
    assert w.grad.item() == 6.0


@given(st.lists(st.booleans(), max_size=6))
def test_gradients_of_all_graphs_add_up_however_often_requires_grad_is_set(values):
    w, graphs = leaf(3.0), []
    for value in (*values, True):
        w.requires_grad = value
        if value:
            graphs.append(w * 2)
    for graph in graphs:
        graph.backward()
    assert w.grad.item() == 2 * len(graphs)


# ---- gradients ----


def test_leaves_of_a_recorded_pass_have_gradients_of_their_own():
    a, b = leaf([3.0, 4.0]), leaf([3.0, 4.0])
    (a + b).backward(np.array([30.0, 40.0]), create_graph=True)
    a.grad.data[:] = 0
    np.testing.assert_array_equal(b.grad.data, [30.0, 40.0])


def test_gradients_of_a_recorded_pass_can_be_clipped():
    a, b = leaf([3.0, 4.0]), leaf([3.0, 4.0])
    (a + b).backward(np.array([30.0, 40.0]), create_graph=True)
    nn.clip_gradient_norm([a, b], 1.0)
    assert np.hypot(np.linalg.norm(a.grad.data), np.linalg.norm(b.grad.data)) == pytest.approx(1.0)


def test_the_cotangent_that_was_passed_may_change():
    w, seed = leaf(ramp(SMALL)), ramp(SMALL)
    (w * 1.0).backward(seed)
    seed[:] = 0
    np.testing.assert_array_equal(w.grad.data, ramp(SMALL))


# ---- functions of the user's own ----


@pytest.mark.parametrize("several", [False, True])
def test_a_function_may_return_the_same_buffer_each_time(several):
    buffer = np.empty(2)

    @custom_vjp(backward=lambda g, x, out: ((g[0] if several else g) * (out[0] if several else out),))
    def exp(x):
        np.exp(x, out=buffer)
        return (buffer,) if several else buffer

    w = leaf([0.0, 1.0])
    first = exp(w)[0] if several else exp(w)
    exp(w * 0.0)
    np.testing.assert_array_equal(first.data, np.exp([0.0, 1.0]))
    first.sum().backward()
    np.testing.assert_array_equal(w.grad.data, np.exp([0.0, 1.0]))


def test_nothing_is_copied_where_nothing_is_recorded():
    w, x = leaf(np.ones(SMALL)), ramp(SMALL)
    with no_grad():
        assert (w * x).node is None


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint16, np.float16, np.float32, float, np.longdouble, complex])
def test_a_mark_tells_whether_an_array_has_changed(dtype):
    x = np.ones(200_000, dtype)
    mark = Mark(x)
    assert mark.is_intact()
    x[77_777] = 0
    assert not mark.is_intact()
