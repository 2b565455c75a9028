"""The summary of a model: its figures against counting by hand, and that the model stays as it was."""

import numpy as np
import pytest

import nn


def test_the_layers_of_a_perceptron_are_counted_as_by_hand():
    found = nn.summary(nn.MLP([784, 128, 10], "relu", rng=0), (784,), batch_size=32)
    first, _relu, _last = found.layers
    assert (first.path, first.kind, first.input_shape, first.output_shape) == (
        "layers.0",
        "Dense",
        (32, 784),
        (32, 128),
    )
    assert [layer.parameters for layer in found.layers] == [784 * 128 + 128, 0, 128 * 10 + 10]
    assert [layer.flops for layer in found.layers] == [
        2 * 32 * 784 * 128 + 32 * 128, 32 * 128, 2 * 32 * 128 * 10 + 32 * 10,
    ]  # fmt: skip
    assert [layer.memory for layer in found.layers] == [
        4 * (784 * 128 + 128 + 32 * 128), 4 * 32 * 128, 4 * (1290 + 320),
    ]  # fmt: skip
    assert found.parameters == 101_770
    assert found.flops == sum(layer.flops for layer in found.layers)


def test_layers_within_layers_have_their_paths_and_are_in_the_order_of_calls():
    class Residual(nn.Module):
        def __init__(self):
            self.outer = nn.Dense(3, 3, rng=0)
            self.inner = nn.Sequential(nn.Dense(3, 3, rng=1), nn.Tanh())

        def forward(self, x):
            return x + self.outer(self.inner(x))

    found = nn.summary(Residual(), (3,))
    assert [layer.path for layer in found.layers] == ["inner.layers.0", "inner.layers.1", "outer"]


def test_a_layer_that_is_used_twice_has_two_lines_and_counts_once():
    layer = nn.Dense(3, 3, rng=0)
    found = nn.summary(nn.Sequential(layer, nn.Tanh(), layer), (3,))
    assert [line.kind for line in found.layers] == ["Dense", "Tanh", "Dense"]
    assert found.parameters == 12


def test_frozen_weights_are_told():
    found = nn.summary(nn.Sequential(nn.Dense(3, 4, rng=0), nn.BatchNorm(4)), (3,), batch_size=5)
    assert (found.parameters, found.frozen) == (16 + 8, 8)
    assert str(found).endswith("8 weights are frozen")


def test_a_model_of_numbers_or_of_several_inputs_is_summed_up():
    assert nn.summary(nn.Embedding(10, 4), (7,), dtype=int).layers[0].output_shape == (1, 7, 4)

    class Both(nn.Module):
        def __init__(self):
            self.left, self.right = nn.Dense(2, 2), nn.Dense(3, 2)

        def forward(self, a, b):
            return self.left(a) + self.right(b)

    assert nn.summary(Both(), [(2,), (3,)]).parameters == 14


def test_the_model_stays_as_it_was():
    model = nn.Sequential(nn.Dense(3, 4, rng=0), nn.BatchNorm(4), nn.Dropout(0.5, rng=0))
    before, attributes = model.state_dict(), [sorted(vars(m)) for _, m in model.named_modules()]
    state = model[2].rng.bit_generator.state
    nn.summary(model, (3,))
    assert model.training
    assert [sorted(vars(m)) for _, m in model.named_modules()] == attributes
    assert model[2].rng.bit_generator.state == state
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    with pytest.raises(ValueError, match="expected"):
        nn.summary(model, (5,))
    assert "forward" not in vars(model[0])


@pytest.mark.parametrize("shape", [784, (0,), ("a",), [784], (2.5,)])
def test_what_is_no_shape_is_refused(shape):
    with pytest.raises(TypeError, match="not the shape of one example"):
        nn.summary(nn.Dense(3, 2), shape)


def test_what_is_no_module_is_refused():
    with pytest.raises(TypeError, match="expected a Module, not function"):
        nn.summary(nn.relu, (3,))
