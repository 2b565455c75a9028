"""Sequences of layers, and the multilayer perceptron."""

import numpy as np
import pytest

import nn
from autograd_lite import Tensor


def test_the_same_seed_gives_the_same_bits():
    for a, b in zip(nn.MLP([7, 5, 3], rng=4).parameters(), nn.MLP([7, 5, 3], rng=4).parameters(), strict=True):
        np.testing.assert_array_equal(a.data, b.data)


def test_layers_of_one_seed_differ_from_each_other():
    model = nn.MLP([5, 5, 5], rng=0)
    assert (model[0].weight.data != model[2].weight.data).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parameters_have_the_dtype_asked_for_and_it_stays(dtype):
    model = nn.MLP([3, 4, 2], dtype=dtype, rng=0)
    loss = nn.softmax_cross_entropy(model(np.ones((2, 3), dtype)), [0, 1])
    loss.backward()
    assert loss.dtype == dtype
    assert {p.dtype for p in model.parameters()} | {p.grad.dtype for p in model.parameters()} == {np.dtype(dtype)}


def test_float32_is_the_default():
    assert {p.dtype for p in nn.MLP([3, 2], rng=0).parameters()} == {np.dtype("f4")}


def test_sequential_applies_modules_and_functions_in_turn():
    model = nn.Sequential(nn.Dense(2, 2, rng=0), np.tanh, lambda x: x * 2)
    x = np.ones((1, 2), "f4")
    np.testing.assert_array_equal(model(x).data, np.tanh(model[0](x).data) * 2)


def test_sequential_is_indexed_sliced_and_iterated_like_a_list():
    model = nn.MLP([2, 3, 1], rng=0)
    assert len(model) == 3
    assert next(iter(model)) is model[0] is model[:2][0]
    assert isinstance(model[:2], nn.Sequential)


def test_sequential_refuses_a_list_and_says_how():
    with pytest.raises(TypeError, match=r"Sequential\(\*layers\)"):
        nn.Sequential([nn.ReLU()])


def test_mlp_puts_the_activation_after_all_but_the_last():
    kinds = [type(layer).__name__ for layer in nn.MLP([2, 3, 4, 1], activation="tanh", rng=0)]
    assert kinds == ["Dense", "Tanh", "Dense", "Tanh", "Dense"]


def test_mlp_takes_an_output_activation():
    assert isinstance(nn.MLP([2, 1], output_activation="sigmoid", rng=0)[-1], nn.Sigmoid)


@pytest.mark.parametrize("activation", ["relu", nn.ReLU, nn.ReLU(), nn.relu, lambda x: np.maximum(x, 0)])
def test_mlp_takes_activations_in_every_form(activation):
    x = np.random.default_rng(0).standard_normal((3, 2)).astype("f4")
    model = nn.MLP([2, 3, 1], activation=activation, init="he_uniform", rng=0)
    np.testing.assert_array_equal(model(x).data, nn.MLP([2, 3, 1], rng=0)(x).data)


def test_mlp_names_the_activations_that_there_are():
    with pytest.raises(ValueError, match="'rely' is unknown; expected one of relu, leaky_relu"):
        nn.MLP([2, 3, 1], activation="rely")


@pytest.mark.parametrize("sizes", [[], [3], "784", 784, None])
def test_mlp_needs_inputs_and_outputs(sizes):
    with pytest.raises(ValueError, match="at least the numbers of inputs and outputs"):
        nn.MLP(sizes)


def test_tensors_flow_through_layers_as_inputs_too():
    x = Tensor(np.ones((2, 3)), requires_grad=True)
    nn.MLP([3, 4, 1], dtype=np.float64, rng=0)(x).sum().backward()
    assert x.grad.shape == (2, 3)
