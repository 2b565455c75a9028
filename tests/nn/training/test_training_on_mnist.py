"""Whole trainings on the real MNIST, to the accuracies that the networks of the lessons are known for."""

import numpy as np
import pytest

import nn
from autograd_lite import compile, no_grad


@pytest.fixture(scope="module")
def mnist(mnist_root):
    return nn.data.load_mnist(mnist_root)


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


# That eager and compiled steps are the same to the bit is held in test_compiled_training.py; each is trained with once.


def test_relu_with_adam_reads_97_in_a_hundred_with_eager_steps(mnist):
    model = nn.MLP([784, 128, 10], activation="relu", rng=0)
    optimizer = nn.Adam(model.parameters(), lr=1e-3)
    accuracy = train(model, nn.softmax_cross_entropy, mnist.train_labels, optimizer, mnist, 128, 5, 0, False)
    print(f"784-128-10, ReLU, Adam: {accuracy:.2%}")
    assert accuracy >= 0.97


def test_sigmoid_with_quadratic_cost_reads_93_in_a_hundred_with_compiled_steps(mnist):
    model = nn.MLP([784, 30, 10], activation="sigmoid", output_activation="sigmoid", rng=1)
    optimizer = nn.SGD(model.parameters(), lr=3.0)
    targets = nn.data.one_hot(mnist.train_labels, 10)
    accuracy = train(model, nn.quadratic_cost, targets, optimizer, mnist, 10, 5, 1, True)
    print(f"784-30-10, sigmoid, quadratic cost: {accuracy:.2%}")
    assert accuracy >= 0.93
