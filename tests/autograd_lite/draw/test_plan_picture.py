"""A plan as text and as a picture: its calls, their memory and their work."""

import numpy as np
import pytest

import nn
from autograd_lite import compile
from autograd_lite.compiler.native import is_installed
from autograd_lite.draw import draw_graph


def _compiled(jit=False):
    model = nn.MLP([6, 4, 3], rng=0)
    optimizer = nn.SGD(model.parameters(), lr=0.1)

    @compile(jit=jit)
    def train(X, y):
        optimizer.zero_grad()
        loss = nn.softmax_cross_entropy(model(X), y)
        loss.backward()
        optimizer.step()
        return loss

    train(np.ones((5, 6), np.float32), np.arange(5) % 3)
    return train


def test_the_text_lists_calls_buffers_bytes_and_flops():
    text = str(_compiled())
    head, *rows = text.splitlines()
    assert head.startswith("train: ")
    assert "calls of" in head
    assert "flop" in head
    product = next(row for row in rows if "np.matmul(x0, weight)" in row)
    assert " ".join(product.split()[1:]) == "b0 = np.matmul(x0, weight) (5, 4) float32 80 B 240 flop"
    assert any("SGD.step" in row for row in rows)
    assert any("gradient0 = " in row for row in rows)


def test_work_is_counted_as_multiplications_and_additions():
    doubled = compile(lambda a, b: (a @ b) * 2, jit=False)
    doubled(np.ones((2, 3)), np.ones((3, 4)))
    assert [call.flops for call in doubled.plans[0].calls] == [48, 8]


def test_a_function_that_was_not_called_says_so():
    assert str(compile(np.sin)) == "np.sin: not called yet, so there is no plan"
    with pytest.raises(ValueError, match="has no plan yet"):
        draw_graph(compile(np.sin))


@pytest.mark.parametrize("arguments", [{"direction": "plan.svg"}, {"values": True}, {"depth": 1}])
def test_an_argument_that_is_for_graphs_is_refused(arguments):
    with pytest.raises(TypeError, match="no other argument is allowed"):
        draw_graph(_compiled(), **arguments)


def test_the_picture_has_every_call_every_tensor_and_every_gradient():
    train = _compiled()
    source = draw_graph(train).source
    made = [call for call in train.plans[0].calls if not call.is_view]
    assert source.count("shape=ellipse") == len(made)
    for name in ("x0", "weight", "bias", "gradient0", "gradient3", "SGD.step"):
        assert f'label="{name}' in source
    assert draw_graph(train.plans[0]).source == source


@pytest.mark.skipif(not is_installed(), reason="needs Numba")
def test_what_machine_code_runs_is_framed():
    source = draw_graph(_compiled(jit=True)).source
    assert source.count("machine code") == 2
