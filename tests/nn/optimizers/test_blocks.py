"""What the layout of arrays and missing gradients must not change: the update."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd_lite import GradientError, Tensor, compile
from autograd_lite.compiler.elementwise import batch
from autograd_lite.compiler.elementwise.batch import PIECE_BYTES
from autograd_lite.extend import wrap
from autograd_lite.speed.aligned import empty

from .every import ALL, descend, every_optimizer, leaf


def over(array):
    """A leaf over an array itself, as packages make one, in place of a copy."""
    tensor = wrap(array)
    tensor.requires_grad = True
    return tensor


# Where the arrays lie


@every_optimizer
def test_large_arrays_in_pieces_get_the_update_of_small_ones(make):
    values = np.random.default_rng(0).standard_normal(5 * PIECE_BYTES // 16 + 5)
    whole, parts = leaf(values), [leaf(part) for part in np.array_split(values, 40)]
    one, many = make([whole], weight_decay=0.01), make(parts, weight_decay=0.01)
    for _ in range(3):
        descend(one, whole)
        many.zero_grad()
        sum((p * p).sum() for p in parts).backward()
        many.step()
    np.testing.assert_array_equal(whole.data, np.concatenate([p.data for p in parts]))


@pytest.fixture
def passed(monkeypatch):
    """The sizes of the gradients that the passes of a step go over, one after the other."""
    sizes, passes = [], batch.passes

    def recording(*args):
        found = passes(*args)

        def calls(coefficients, arrays, parts):
            sizes.append(arrays[0].size)
            return found.calls(coefficients, arrays, parts)

        return found._replace(calls=calls)

    monkeypatch.setattr(batch, "passes", recording)
    monkeypatch.setattr("autograd_lite.compiler.fused_update.MACHINE_CODE_BYTES", 2**40)
    return sizes


@pytest.mark.parametrize("offset", [0, 1, 7, 15])
def test_all_pieces_but_the_first_begin_where_a_cache_line_does(offset, passed):
    memory = np.ones(PIECE_BYTES + 64, np.float32)
    start = -memory.ctypes.data % 64 // 4 + offset
    w = leaf(memory[:PIECE_BYTES])
    w.data = memory[start : start + PIECE_BYTES]
    descend(nn.SGD([w], lr=0.25), w)
    starts = w.data.ctypes.data + 4 * np.cumsum([0, *passed])
    assert all(start % 64 == 0 for start in starts[1:-1])
    assert sum(passed) == w.data.size
    np.testing.assert_array_equal(w.data, np.float32(0.5))


@pytest.mark.parametrize(("elements", "calls"), [(PIECE_BYTES // 4 - 10, 1), (PIECE_BYTES // 4, 2)])
def test_parameters_are_updated_in_one_go_if_they_are_no_longer_than_a_piece(elements, calls, passed):
    w, b = leaf(np.ones(elements, np.float32)), leaf(np.ones(10, np.float32))
    w.data = empty((elements,), np.float32)
    w.data.fill(1)
    optimizer = nn.SGD([w, b], lr=0.25)
    ((w * w).sum() + (b * b).sum()).backward()
    optimizer.step()
    assert len(passed) == calls
    assert sum(passed) == elements + 10
    np.testing.assert_array_equal(np.concatenate([w.data, b.data]), np.float32(0.5))


@given(
    make=st.sampled_from(list(ALL.values())),
    shapes=st.lists(
        st.sampled_from([(), (0,), (1,), (3, 2), (40, 30), (PIECE_BYTES // 8 + 1,)]), min_size=2, max_size=5
    ),
    data=st.data(),
)
def test_one_optimizer_of_several_parameters_does_what_one_for_each_does(make, shapes, data):
    rng = np.random.default_rng(0)
    values = [rng.standard_normal(shape).astype(rng.choice(["f4", "f8"])) for shape in shapes]
    together, alone = [leaf(v) for v in values], [leaf(v) for v in values]
    shared, own = make(together, weight_decay=0.01), [make([w], weight_decay=0.01) for w in alone]
    some = st.lists(st.booleans(), min_size=len(shapes), max_size=len(shapes)).filter(any)
    for has_gradient in data.draw(st.lists(some, max_size=4)):
        shared.zero_grad()
        for a, b, optimizer, has in zip(together, alone, own, has_gradient, strict=True):
            if has:
                a.grad = b.grad = Tensor(rng.standard_normal(a.shape).astype(a.dtype))
                optimizer.step()
        shared.step()
    for a, b in zip(together, alone, strict=True):
        np.testing.assert_array_equal(a.data, b.data)


@pytest.mark.parametrize("length", [4, PIECE_BYTES])
@pytest.mark.parametrize("start", [0, 2])
def test_parameters_that_share_memory_are_moved_by_both_their_gradients(length, start):
    memory = np.zeros(length + 2)
    a, b = over(memory[:length]), over(memory[start : start + length])
    a.grad, b.grad = Tensor(np.ones(length)), Tensor(np.ones(length))
    nn.SGD([a, b], lr=1.0).step()
    expected = np.zeros(length + 2)
    expected[:length] -= 1
    expected[start : start + length] -= 1
    np.testing.assert_array_equal(memory, expected)


@pytest.mark.parametrize("jit", [None, False, True], ids=["eager", "plan", "machine code"])
def test_parameters_that_share_memory_are_moved_by_both_their_gradients_in_replays(jit):
    memory = np.zeros(6)
    a, b = over(memory[:4]), over(memory[2:])
    optimizer = nn.SGD([a, b], lr=1.0)

    def step():
        a.grad, b.grad = Tensor(np.ones(4)), Tensor(np.ones(4))
        optimizer.step()

    step = step if jit is None else compile(step, jit=jit)
    step()
    step()
    np.testing.assert_array_equal(memory, [-2, -2, -4, -4, -2, -2])


def test_a_parameter_that_is_given_the_array_of_another_has_a_copy():
    a, b = leaf(np.zeros(4)), leaf(np.ones(4))
    b.data = a.data
    a.grad = Tensor(np.ones(4))
    nn.SGD([a], lr=1.0).step()
    np.testing.assert_array_equal(b.data, np.zeros(4))


@every_optimizer
@pytest.mark.parametrize("shape", [(4, 3), (300, 200)])
@pytest.mark.parametrize("layout", [np.asfortranarray, lambda a: np.repeat(a, 2, axis=1)[:, ::2]])
def test_arrays_of_any_memory_layout_get_the_same_update(make, shape, layout):
    rng = np.random.default_rng(0)
    values, gradient = rng.standard_normal(shape), rng.standard_normal(shape)
    plain, strided = leaf(values), leaf(values)
    strided.data = layout(values)
    plain.grad, strided.grad = Tensor(gradient), Tensor(gradient)
    for w in (plain, strided):
        optimizer = make([w], weight_decay=0.1)
        optimizer.step()
        optimizer.step()
    assert not strided.data.flags.c_contiguous
    np.testing.assert_array_equal(plain.data, strided.data)


@pytest.mark.parametrize("shape", [(2, 3), (300, 200)])
def test_a_gradient_in_another_layout_is_used_as_it_is(shape):
    w = leaf(np.zeros(shape))
    gradient = np.random.default_rng(0).standard_normal(shape[::-1]).T
    w.grad = Tensor(gradient)
    assert not w.grad.data.flags.c_contiguous
    nn.SGD([w], lr=1.0).step()
    np.testing.assert_array_equal(w.data, -gradient)


def test_buffers_follow_a_parameter_whose_array_is_replaced():
    a, b = leaf([1.0]), leaf([1.0])
    one, two = nn.Adam([a], lr=0.1), nn.Adam([b], lr=0.1)
    for _ in range(3):
        descend(one, a)
        b.data = b.data.copy()
        descend(two, b)
    assert a.item() == b.item()


# Gradients that are not there


@every_optimizer
def test_a_parameter_without_a_gradient_stays(make):
    a, b = leaf([1.0]), leaf([1.0])
    optimizer = make([a, b], weight_decay=0.1)
    (a * a).sum().backward()
    optimizer.step()
    assert (a.item() != 1, b.item()) == (True, 1)


def test_a_gradient_that_comes_late_is_a_first_step():
    early, late = leaf([1.0]), leaf([1.0])
    optimizer = nn.Adam([early, late], lr=0.1)
    descend(optimizer, early, 5)
    descend(optimizer, late)
    first = leaf([1.0])
    descend(nn.Adam([first], lr=0.1), first)
    assert late.item() == first.item()


def test_a_parameter_can_be_frozen_and_thawed():
    w, other = leaf([1.0]), leaf([1.0])
    optimizer = nn.SGD([w, other], lr=0.25)
    w.requires_grad = False
    descend(optimizer, other)
    assert w.item() == 1
    w.requires_grad = True
    descend(optimizer, w)
    assert w.item() == 0.5


def test_a_step_before_any_backward_is_refused():
    with pytest.raises(GradientError, match=r"call backward\(\) before step\(\)"):
        nn.SGD([leaf([1.0])]).step()


def test_zero_grad_forgets_the_gradients():
    w = leaf([1.0])
    (w * w).sum().backward()
    nn.SGD([w]).zero_grad()
    assert w.grad is None


def test_a_gradient_of_another_shape_or_dtype_cannot_be_given():
    w = leaf(np.ones(3, np.float32))
    for gradient in (np.ones(2, np.float32), np.ones(3)):
        with pytest.raises(ValueError, match=r"must have the tensor's own, \(3,\), float32"):
            w.grad = Tensor(gradient)


def test_a_read_only_array_is_refused_before_anything_changes():
    a, b = leaf([1.0, 2.0]), leaf(np.ones(PIECE_BYTES))
    b.data = np.broadcast_to(1.0, b.shape)
    a.grad, b.grad = Tensor([1.0, 1.0]), Tensor(np.ones(b.shape))
    with pytest.raises(ValueError, match=r"'b' is read-only.*assign a copy to its \.data"):
        nn.SGD([("a", a), ("b", b)], lr=0.1).step()
    assert a.tolist() == [1, 2]


# Subnormal numbers, with which processors compute slowly


def _after_zero_gradients(make, start, dtype, **options):
    """A parameter, and its state, which was small and has then followed gradients of zero for many steps."""
    w = leaf(np.ones(3, dtype))
    optimizer = make([w], **options)
    state = optimizer.state_dict()
    names = [name for name, value in state.items() if isinstance(value, np.ndarray)]
    optimizer.load_state_dict({**state, **{name: np.full(3, start, dtype) for name in names}})
    w.grad = Tensor(np.zeros(3, dtype))
    for _ in range(800):
        optimizer.step()
    return w, [optimizer.state_dict()[name] for name in names]


DECAYING = [name for name in ALL if name not in ("SGD", "Adagrad")]
"""Those with a state that becomes smaller, and moves the weights by as little, where gradients are zero."""


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", DECAYING)
def test_state_that_decays_becomes_zero_and_does_not_stay_subnormal(name, dtype):
    w, state = _after_zero_gradients(ALL[name], 1.5 * np.finfo(dtype).smallest_normal, dtype)
    assert state
    np.testing.assert_array_equal(state, 0)
    np.testing.assert_array_equal(w.data, 1)


def test_a_mean_square_that_nothing_is_added_to_does_not_become_zero():
    w, _ = _after_zero_gradients(ALL["Adam"], 1.5 * np.finfo("f4").smallest_normal, np.float32, eps=0.0)
    assert np.isfinite(w.data).all()


def test_small_numbers_of_half_precision_are_kept():
    _, (velocity,) = _after_zero_gradients(ALL["SGD momentum"], 1e-6, np.float16, momentum=0.9999)
    assert (velocity > 0).all()


@pytest.mark.parametrize("returned", [None, 0.5, np.zeros(2)])
def test_an_update_that_returns_no_weight_for_each_is_refused(returned):
    class Wrong(nn.SGD):
        def update(self, w, g, state, t, options):
            return returned

    w = leaf([1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match=r"Wrong: update must return the new weights, an array of shape \(3,\)"):
        descend(Wrong([w], lr=0.1), w)
    np.testing.assert_array_equal(w.data, [1.0, 2.0, 3.0])
