"""A compiled function finds and leaves in tensors what the function itself would: arrays, gradients, hooks."""

import numpy as np
import pytest

from autograd_lite import Tensor, compile, no_grad
from autograd_lite.transforms import grad


def test_captured_arrays_are_read_anew():
    factor, weights = np.ones(2), Tensor(np.ones(2))
    scaled = compile(lambda x: x * factor + weights.data)
    assert scaled(np.ones(2)).tolist() == [2.0, 2.0]
    factor[:] = 5
    weights.data[:] = 7
    assert scaled(np.ones(2)).tolist() == [12.0, 12.0]
    assert len(scaled.plans) == 1


def test_a_tensor_that_is_assigned_another_array_is_followed():
    w = Tensor(np.ones(2), requires_grad=True)

    @compile
    def loss(x):
        w.zero_grad()
        found = (x * w * w).sum()
        found.backward()
        return found

    for i in range(1, 5):
        w.data = np.full(2, float(i))
        assert loss(np.ones(2)).item() == 2.0 * i * i
        assert w.grad.data.tolist() == [2.0 * i, 2.0 * i]
    assert len(loss.plans) == 1


def test_gradients_of_one_dtype_are_one_flat_array():
    w, b = Tensor(np.ones((3, 2)), requires_grad=True), Tensor(np.zeros(2), requires_grad=True)

    @compile
    def step(x):
        w.zero_grad()
        b.zero_grad()
        (x @ w + b).sum().backward()

    step(np.ones((4, 3)))
    step(np.full((4, 3), 2.0))
    (flat,) = step.plans[0].gradients.values()
    assert flat.tolist() == [8.0] * 6 + [4.0] * 2
    assert np.shares_memory(flat, w.grad.data)
    assert np.shares_memory(flat, b.grad.data)


def test_gradients_add_up_where_they_are_not_forgotten():
    plain, tensor = (Tensor(np.array([1.0, 2.0]), requires_grad=True) for _ in range(2))

    def add_to(w, x):
        (x * w * w).sum().backward()

    compiled = compile(lambda x: add_to(tensor, x))
    for i in range(5):
        if i == 3:
            plain.zero_grad()
            tensor.zero_grad()
        x = np.full(2, i + 1.0)
        add_to(plain, x)
        compiled(x)
        np.testing.assert_array_equal(tensor.grad.data, plain.grad.data)
    assert len(compiled.plans) == 2


def test_a_gradient_that_was_there_can_be_read():
    w = Tensor(np.ones(2), requires_grad=True)
    norm = compile(lambda: (w.grad.data**2).sum())
    for i in range(1, 4):
        w.grad = Tensor(np.full(2, float(i)))
        assert norm() == 2.0 * i * i


def test_freezing_a_parameter_is_noticed():
    w, v = (Tensor(np.ones(2), requires_grad=True) for _ in range(2))

    @compile
    def step(x):
        w.zero_grad()
        v.zero_grad()
        (x * w * v).sum().backward()

    step(np.ones(2))
    step(np.ones(2))
    w.requires_grad = False
    step(np.ones(2))
    assert w.grad is None
    assert v.grad.data.tolist() == [1.0, 1.0]
    w.requires_grad = True
    step(np.ones(2))
    assert w.grad.data.tolist() == [1.0, 1.0]


def test_graphs_recorded_before_a_compiled_step_refuse_their_backward_pass():
    w = Tensor(np.ones(2), requires_grad=True)

    @compile
    def step():
        w.zero_grad()
        (w * w).sum().backward()
        w.data -= 0.1 * w.grad.data

    step()
    step()
    older = (w * w).sum()
    step()
    with pytest.raises(RuntimeError, match="changed by a compiled function"):
        older.backward()


def test_the_tensor_can_be_used_eagerly_between_compiled_calls():
    w = Tensor(np.ones(2), requires_grad=True)

    @compile
    def step():
        w.zero_grad()
        (w**3).sum().backward()
        w.data -= 0.1 * w.grad.data

    for _ in range(3):
        step()
        w.zero_grad()
        (w * 2).sum().backward()
        assert w.grad.data.tolist() == [2.0, 2.0]


def test_in_place_changes_of_an_argument_happen_in_every_call():
    @compile
    def decay(x):
        x *= 0.5
        x[0] = 1

    x = np.array([8.0, 8.0])
    decay(x)
    decay(x)
    assert x.tolist() == [1.0, 2.0]


def test_no_grad_holds_within_and_around():
    w = Tensor(np.ones(2), requires_grad=True)
    predict = compile(lambda x: x * w)
    with no_grad():
        assert predict(np.ones(2)).data.tolist() == [1.0, 1.0]
        assert not predict(np.ones(2)).requires_grad


def test_a_compiled_function_within_another_is_part_of_it():
    inner = compile(lambda x: x + 1)
    outer = compile(lambda x: inner(x) * 2)
    for i in range(3):
        assert outer(np.array([float(i)])).tolist() == [2.0 * (i + 1)]
    assert inner.plans == []


def test_within_a_transform_the_function_itself_is_differentiated():
    squared = compile(lambda x: (x * x).sum())
    np.testing.assert_array_equal(grad(squared)(np.array([1.0, 2.0])), [2.0, 4.0])


def test_tensors_in_a_graph_keep_it():
    w = Tensor([1.0, 2.0], requires_grad=True)
    squared = compile(lambda x: (x * x).sum())
    squared(w * 3).backward()
    assert w.grad.data.tolist() == [18.0, 36.0]


def test_an_error_leaves_all_tensors_as_they_were():
    w = Tensor(np.ones(2), requires_grad=True)

    @compile
    def failing(x):
        _ = x * w
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        failing(np.ones(2))
    assert type(w.data) is np.ndarray
    (w * w).sum().backward()
    assert w.grad.data.tolist() == [2.0, 2.0]


def test_a_leaf_of_the_functions_own_is_made_in_every_call():
    @compile
    def slope(x):
        w = Tensor(x, requires_grad=True)
        (w**3).sum().backward()
        return w.grad.data

    for i in range(1, 4):
        assert slope(np.array([float(i)])).tolist() == [3.0 * i * i]
    assert len(slope.plans) == 1


def test_retained_gradients_can_be_used_within():
    w = Tensor([1.0, 2.0], requires_grad=True)

    @compile
    def delta(x):
        w.zero_grad()
        z = (w * x).retain_grad()
        (z * z).sum().backward()
        return z.grad.data

    for i in range(1, 4):
        assert delta(np.full(2, float(i))).tolist() == [2.0 * i, 4.0 * i]
    assert len(delta.plans) == 1


def test_a_hook_that_is_added_or_removed_is_noticed():
    w = Tensor([1.0, 2.0], requires_grad=True)

    @compile
    def step():
        w.zero_grad()
        (w * w).sum().backward()

    step()
    handle = w.register_hook(lambda g: g * 10)
    for _ in range(2):
        step()
        assert w.grad.data.tolist() == [20.0, 40.0]
    handle.remove()
    step()
    assert w.grad.data.tolist() == [2.0, 4.0]


def test_tensors_that_get_the_same_cotangent_have_gradients_of_their_own():
    a, b = (Tensor(np.ones(3), requires_grad=True) for _ in range(2))

    @compile
    def step(x):
        a.zero_grad()
        b.zero_grad()
        ((a + b) * x).sum().backward()
        a.grad.data *= 2

    for i in range(1, 4):
        step(np.full(3, float(i)))
        assert a.grad.data.tolist() == [2.0 * i] * 3
        assert b.grad.data.tolist() == [1.0 * i] * 3


def test_backward_and_optimizer_can_be_compiled_apart():
    import nn

    models = [nn.MLP([3, 4, 2], rng=0) for _ in range(2)]
    for model, compiled in zip(models, (False, True), strict=True):
        optimizer = nn.Adam(model.parameters())

        def gradients(X, y, model=model, optimizer=optimizer):
            optimizer.zero_grad()
            nn.softmax_cross_entropy(model(X), y).backward()

        move = optimizer.step
        if compiled:
            gradients, move = compile(gradients, jit=False), compile(optimizer.step, jit=False)
        for i in range(4):
            gradients(np.full((2, 3), float(i), np.float32), np.array([0, 1]))
            move()
    for name, array in models[0].state_dict().items():
        np.testing.assert_array_equal(models[1].state_dict()[name], array)
