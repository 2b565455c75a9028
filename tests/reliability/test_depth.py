"""Long and deep: what takes a loop, and what names its limit."""

import sys

import numpy as np
import pytest

import nn
from autograd_lite import GradientError, StructureError, Tensor, compile
from autograd_lite.transforms import checkpoint, grad, jvp, vmap

LONG = 2000


def test_a_chain_of_a_hundred_thousand_operations_is_differentiated_and_freed():
    w = x = Tensor(1.0, requires_grad=True)
    for _ in range(100_000):
        x = x + 1.0
    x.backward()
    del x
    assert w.grad.item() == 1.0


VIEWS = {"slices": lambda x: x[1:], "transposed": lambda x: x.T, "reshaped": lambda x: np.reshape(x, (-1,))}


@pytest.mark.parametrize("view", VIEWS.values(), ids=list(VIEWS))
def test_two_thousand_views_of_each_other_are_compiled(view):
    w = Tensor(np.arange(3000.0))

    def views(x):
        for _ in range(LONG):
            x = view(x)
        y = w
        for _ in range(LONG):
            y = view(y)
        return (x + y).data

    compiled, x = compile(views), np.ones(3000)
    for i in range(2):
        w.data = np.arange(3000.0) + i
        assert np.array_equal(compiled(x), views(x))


def test_two_thousand_layers_in_a_row_are_called_printed_saved_and_compiled(tmp_path):
    model = nn.Sequential(*[nn.Tanh() for _ in range(LONG)], nn.Dense(2, 2, rng=0))
    x = np.ones((1, 2), np.float32)
    expected = nn.predict(model, x)
    nn.save_weights(model, tmp_path / "long.safetensors")
    assert np.array_equal(nn.predict(nn.load_model(tmp_path / "long.safetensors"), x), expected)
    assert np.array_equal(compile(lambda x: model(x).data, jit=False)(x), expected)
    assert repr(model).count("Tanh") == LONG


def nested(depth):
    tree = [np.ones(2)]
    for _ in range(depth):
        tree = [tree]
    return tree


def total(tree):
    while isinstance(tree, list):
        (tree,) = tree
    return tree.sum()


USES = {
    "grad": lambda tree: grad(total)(tree),
    "jvp": lambda tree: jvp(total, (tree,), (tree,)),
    "vmap": lambda tree: vmap(total)(tree),
    "checkpoint": lambda tree: checkpoint(total)(tree),
    "compile": lambda tree: compile(total)(tree),
}


@pytest.mark.parametrize("use", USES.values(), ids=list(USES))
def test_containers_that_are_nested_too_deeply_are_refused_with_the_limit(use):
    use(nested(50))
    with pytest.raises(StructureError, match=f"{sys.getrecursionlimit()} frames.*sys.setrecursionlimit"):
        use(nested(LONG))


def test_checkpoints_nest_to_a_limit_that_is_named():
    w = Tensor(np.ones(3), requires_grad=True)

    def within(depth):
        f = lambda x: np.tanh(x * w)  # noqa: E731
        for _ in range(depth):
            f = checkpoint(lambda x, f=f: f(x))
        return f(w).sum()

    within(60).backward()
    assert np.isfinite(w.grad.data).all()
    with pytest.raises(GradientError, match=r"more than \d+ checkpointed functions.*sys\.setrecursionlimit"):
        within(200)
