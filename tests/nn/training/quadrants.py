"""A small training that tests of `fit` share: which quadrants a point is in, by a multilayer perceptron."""

import numpy as np

import nn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 2)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(int)
TRAIN, VALIDATION = (X[:100], Y[:100]), (X[100:], Y[100:])


def make(lr=0.02, seed=0, sizes=(2, 16, 2)):
    model = nn.MLP(list(sizes), "tanh", rng=seed)
    return model, nn.Adam(model.named_parameters(), lr=lr)


def fit(model, optimizer, validation=VALIDATION, **options):
    options = {"epochs": 3, "rng": 0, "progress": False, **options}
    return nn.fit(model, nn.softmax_cross_entropy, optimizer, TRAIN, validation, **options)
