"""The backward pass: what it computes, what it keeps, what it refuses."""

import gc
import threading
import tracemalloc
import weakref

import numpy as np
import pytest

from autograd_lite import ChangedTensorError, FreedGraphError, GradientError, Tensor, defvjp, no_grad
from autograd_lite.core.registry import RULES


def leaf(data, **kwargs):
    return Tensor(data, requires_grad=True, **kwargs)


# ---- what it computes ----


def test_a_value_used_twice_gets_both_cotangents():
    x = leaf(3.0)
    (x * x + x).backward()
    assert x.grad.item() == 7


def test_a_doubling_chain_visits_each_node_once():
    x = leaf(1.0)
    y = x
    for _ in range(200):
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**200


def test_branches_of_different_length_meet():
    x = leaf(0.5)
    long = x
    for _ in range(50):
        long = long * 1.0
    (long * x + long).backward()
    assert x.grad.item() == 2.0


def test_gradients_add_up_over_passes_until_zeroed():
    x = leaf([1.0, 2.0])
    for _ in range(3):
        (x * x).sum().backward()
    assert x.grad.tolist() == [6, 12]
    x.zero_grad()
    assert x.grad is None


def test_an_earlier_gradient_is_not_written_over():
    x = leaf([1.0])
    (x * 2).sum().backward()
    first = x.grad
    (x * 2).sum().backward()
    assert (first.item(), x.grad.item()) == (2, 4)


def test_gradients_share_memory_with_nothing():
    a, b, seed = leaf([1.0, 2.0]), leaf([3.0, 4.0]), np.ones(2)
    (a + b).backward(seed)
    assert not np.shares_memory(a.grad.data, b.grad.data)
    assert not np.shares_memory(a.grad.data, seed)
    a.grad.data[:] = 7
    assert b.grad.tolist() == [1, 1]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.reshape(4),
        lambda x: x.T,
        lambda x: x[::-1],
        lambda x: np.broadcast_to(x, (3, 2, 2)),
        lambda x: x + 0,
    ],
)
def test_gradients_are_writable_arrays_of_their_own(function):
    x = leaf(np.ones((2, 2)))
    y = function(x)
    seed = np.ones(y.shape)
    y.backward(seed)
    assert not np.shares_memory(x.grad.data, seed)
    x.grad.data[:] = 0
    assert seed.all()


def test_a_users_rule_that_returns_its_own_array_is_not_aliased():
    cached = np.array([5.0])

    def identity(x):
        return x

    from autograd_lite import custom_vjp

    differentiable = custom_vjp(identity, x=lambda g: cached)
    x = leaf([1.0])
    differentiable(x).sum().backward()
    x.grad.data[:] = 0
    assert cached[0] == 5


def test_a_leaf_is_its_own_gradient_of_one():
    x = leaf(2.0)
    x.backward()
    assert x.grad.item() == 1


def test_a_single_element_needs_no_seed():
    x = leaf([[2.0]])
    (x * 3).backward()
    assert x.grad.tolist() == [[3]]


def test_the_seed_is_the_results_cotangent():
    x = leaf([1.0, 2.0])
    (x * x).backward([10.0, 100.0])
    assert x.grad.tolist() == [20, 400]


def test_the_seed_is_cast_to_the_results_dtype():
    x = leaf(np.float32([1.0]))
    (x * 3).backward(np.array([2.0]))
    assert x.grad.dtype == np.float32


def test_float32_stays_float32_beside_float64():
    a, b = leaf(np.float32([1, 2])), leaf([3.0, 4.0])
    (a * b).sum().backward()
    assert (a.grad.dtype, b.grad.dtype) == (np.float32, np.float64)


def test_broadcast_arguments_get_sums():
    x, row, column, scalar = leaf(np.ones((2, 3))), leaf(np.ones(3)), leaf(np.ones((2, 1))), leaf(2.0)
    (x * row * column * scalar).sum().backward()
    assert row.grad.tolist() == [4, 4, 4]
    assert column.grad.tolist() == [[6], [6]]
    assert scalar.grad.item() == 6


def test_only_what_needs_a_gradient_is_computed_and_kept():
    called = []
    before = RULES[np.hypot]
    defvjp(np.hypot, x1=lambda g, x2: called.append("x1") or g, x2=lambda g, x1: called.append("x2") or g)
    try:
        x = leaf([1.0])
        y = np.hypot(x, np.array([2.0]))
        assert len(y.node.saved) == 1
        y.backward()
    finally:
        RULES[np.hypot] = before
    assert called == ["x1"]


# ---- intermediate gradients ----


def test_retain_grad_keeps_the_delta_of_a_result():
    x = leaf([1.0, 2.0])
    z = (x * 3).retain_grad()
    (z * z).sum().backward()
    assert z.grad.tolist() == [6, 12]


def test_a_retained_gradient_is_not_aliased():
    x = leaf([1.0, 2.0])
    z = (x + 0).retain_grad()
    (z + 0).sum().backward()
    z.grad.data[:] = 9
    assert x.grad.tolist() == [1, 1]


def test_a_result_that_was_not_told_to_retain_says_how():
    y = leaf([1.0]) * 2
    y.sum().backward()
    with pytest.raises(GradientError, match="retain_grad"):
        _ = y.grad


def test_retain_grad_without_a_graph_is_refused():
    with pytest.raises(GradientError, match="none to retain"):
        Tensor([1.0]).retain_grad()


# ---- higher derivatives ----


def test_derivatives_of_any_order_by_create_graph():
    x = leaf(2.0)
    y = x**5
    for expected in (80.0, 160.0, 240.0, 240.0, 120.0):
        x.zero_grad()
        y.backward(create_graph=True)
        y = x.grad
        assert y.item() == expected


def test_create_graph_works_inside_of_no_grad():
    x = leaf(2.0)
    y = x**3
    with no_grad():
        y.backward(create_graph=True)
    first = x.grad
    x.zero_grad()
    first.backward()
    assert x.grad.item() == 12


def test_a_gradient_penalty_reaches_the_weights():
    w, x = leaf(3.0), leaf(2.0)
    (w * w * x).backward(create_graph=True)
    penalty = x.grad * x.grad
    w.zero_grad()
    penalty.backward()
    assert w.grad.item() == 2 * 9 * 6


def test_the_seed_can_carry_a_gradient_itself():
    x, seed = leaf([2.0]), leaf([3.0])
    (x * x).backward(seed, create_graph=True)
    x.grad.sum().backward()
    assert seed.grad.tolist() == [4]


# ---- refusals ----


def test_several_elements_need_a_seed():
    with pytest.raises(ValueError, match=r"3 elements.*sum"):
        (leaf([1.0, 2.0, 3.0]) * 2).backward()


@pytest.mark.parametrize("seed", [np.ones(3), np.ones((2, 1)), 1.0])
def test_a_seed_of_another_shape_is_refused(seed):
    with pytest.raises(ValueError, match=r"grad has shape"):
        (leaf([1.0, 2.0]) * 2).backward(seed)


def test_a_complex_seed_is_refused():
    with pytest.raises(TypeError, match="complex"):
        (leaf([1.0]) * 2).backward(np.array([1j]))


def test_backward_without_a_graph_says_why():
    with pytest.raises(GradientError, match="depends on nothing that requires a gradient"):
        Tensor(1.0).backward()


def test_a_second_pass_over_freed_nodes_is_refused():
    x = leaf([1.0])
    y = (x * x).sum()
    y.backward()
    with pytest.raises(FreedGraphError, match="retain_graph=True"):
        y.backward()
    assert x.grad.tolist() == [2]


def test_a_pass_that_meets_freed_nodes_changes_no_gradient():
    x, other = leaf([1.0]), leaf([1.0])
    shared = x * x
    shared.sum().backward()
    with pytest.raises(FreedGraphError):
        (shared * other).sum().backward()
    assert other.grad is None


def test_retain_graph_allows_another_pass():
    x = leaf([1.0])
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4]


@pytest.mark.parametrize("change", ["in place", "assigned"])
def test_a_leaf_changed_after_the_forward_pass_is_refused(change):
    w = leaf([1.0, 2.0], name="w")
    y = (w * w).sum()
    if change == "in place":
        w.data -= 0.1
    else:
        w.data = np.zeros(2)
    with pytest.raises(ChangedTensorError, match=r"'w'.*changed by assigning"):
        y.backward()
    assert w.grad is None


def test_a_change_is_noticed_where_no_value_was_saved():
    w = leaf([1.0])
    y = np.exp(w + 1.0).sum()
    w.data -= 0.1
    with pytest.raises(ChangedTensorError):
        y.backward()


def test_a_change_of_one_leaf_leaves_other_graphs_alone():
    w, v = leaf([1.0]), leaf([1.0])
    y = (v * 2).sum()
    _ = w * v
    w.data -= 0.1
    y.backward()
    assert v.grad.tolist() == [2]


def test_a_new_graph_after_a_change_is_fine():
    w = leaf([1.0])
    w.data -= 0.5
    (w * w).sum().backward()
    assert w.grad.tolist() == [1]


# ---- memory, length, threads ----


def test_a_rule_that_does_not_read_a_value_does_not_keep_it():
    class Watched(np.ndarray):
        pass

    x = leaf(np.ones(3))
    y = Tensor(np.zeros(3))
    y._value = np.ones(3).view(Watched)
    watch = weakref.ref(y._value)
    z = x + y
    del y
    gc.collect()
    assert watch() is None
    assert z.requires_grad


def test_a_chain_of_additions_keeps_no_intermediate_array():
    x, ones = leaf(np.ones((128, 128))), np.ones((128, 128))
    tracemalloc.start()
    try:
        y = x
        for _ in range(1000):
            y = y + ones
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 * ones.nbytes
    y.backward(ones)
    assert x.grad.data[0, 0] == 1


def test_saved_values_are_dropped_as_the_pass_goes():
    x = leaf(np.ones((128, 128)))
    y = x
    for _ in range(100):
        y = np.sin(y)
    tracemalloc.start()
    try:
        y.backward(np.ones((128, 128)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10 * x.data.nbytes
    node = y.node
    while node.parents:
        assert node.saved is None
        (node,) = node.parents


def test_a_chain_of_a_million_operations_runs_both_ways():
    x = leaf(1.0)
    y = x
    for _ in range(1_000_000):
        y = y + 1.0
    y.backward()
    assert (y.item(), x.grad.item()) == (1_000_001, 1)


def test_a_graph_of_a_million_nodes_can_be_dropped():
    y = leaf(1.0)
    for _ in range(1_000_000):
        y = -y
    del y


def test_a_dropped_graph_needs_no_collector():
    x = leaf(np.ones(3))
    y = np.exp(x * 2)
    node = weakref.ref(y)
    gc.disable()
    try:
        y.backward(np.ones(3))
        del y
        assert node() is None
    finally:
        gc.enable()


def test_threads_that_share_a_leaf_lose_no_gradient():
    w = leaf(np.ones(3))

    def work(factor):
        for _ in range(200):
            (w * factor).sum().backward()

    threads = [threading.Thread(target=work, args=(float(i),)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert w.grad.tolist() == [200 * sum(range(8))] * 3
