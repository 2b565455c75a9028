"""Whole trainings on the real MNIST, to the accuracies that the networks of the lessons are known for."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import nn
from autograd_lite import compile, no_grad


@pytest.fixture(scope="module")
def mnist(mnist_root):
    return nn.data.load_mnist(mnist_root)


@pytest.fixture(autouse=True)
def one_thread():
    """Products this small gain nothing from a second thread, and lose much where the cores are busy."""
    with threadpool_limits(1):
        yield


def train(model, loss, targets, optimizer, mnist, batch_size, epochs, seed, is_compiled):
    def step(X, y):
        optimizer.zero_grad()
        loss(model(X), y).backward()
        optimizer.step()

    step = compile(step) if is_compiled else step
    batches = nn.data.Minibatches(mnist.train_images, targets, batch_size=batch_size, rng=seed)
    for _ in range(epochs):
        for X, y in batches:
            step(X, y)
    with no_grad():
        return np.mean(np.argmax(model(mnist.test_images), axis=1) == mnist.test_labels)


@pytest.mark.parametrize(("seed", "is_compiled"), [(0, False), (1, True), (2, True)])
def test_relu_with_adam_reads_975_in_a_thousand(mnist, seed, is_compiled):
    model = nn.MLP([784, 128, 10], activation="relu", rng=seed)
    optimizer = nn.Adam(model.parameters(), lr=1e-3)
    accuracy = train(model, nn.softmax_cross_entropy, mnist.train_labels, optimizer, mnist, 128, 10, seed, is_compiled)
    print(f"784-128-10, ReLU, Adam, seed {seed}: {accuracy:.2%}")
    assert accuracy >= 0.975


@pytest.mark.parametrize(("seed", "is_compiled"), [(0, False), (1, True), (2, True)])
def test_sigmoid_with_quadratic_cost_reads_945_in_a_thousand(mnist, seed, is_compiled):
    model = nn.MLP([784, 30, 10], activation="sigmoid", output_activation="sigmoid", rng=seed)
    optimizer = nn.SGD(model.parameters(), lr=3.0)
    targets = nn.data.one_hot(mnist.train_labels, 10)
    accuracy = train(model, nn.quadratic_cost, targets, optimizer, mnist, 10, 30, seed, is_compiled)
    print(f"784-30-10, sigmoid, quadratic cost, seed {seed}: {accuracy:.2%}")
    assert accuracy >= 0.945
