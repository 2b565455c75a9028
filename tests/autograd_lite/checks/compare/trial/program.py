"""Programs with a derivation by hand, in which one step, or two, can be wrong; and what must be said of each."""

from typing import NamedTuple

import numpy as np

FAMILIES = {}
"""From the name of a family to its programs."""


class Program(NamedTuple):
    """A loss with its gradients by hand, written as people write them.

    Attributes
    ----------
    name : str
        The function's name.
    write : callable
        Takes a function that says whether a mistake is made and a generator of random numbers; returns the loss, the
        parameters, and the gradients by hand.
    says : dict
        From a mistake to a pattern that is in the sentence about it: its cause and its place.
    outside : tuple of str
        Mistakes that are in no catalogue: no cause may be given for them.
    """

    name: str
    write: object
    says: dict
    outside: tuple

    def __call__(self, *wrong, seed=0):
        unknown = set(wrong) - self.says.keys() - set(self.outside)
        assert not unknown, unknown
        return self.write(wrong.__contains__, np.random.default_rng(seed))


def program(family, says, outside=()):
    def named(write):
        FAMILIES.setdefault(family, []).append(Program(write.__name__, write, says, tuple(outside)))
        return write

    return named


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z, axis=-1):
    e = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def one_hot(labels, count):
    return np.eye(count)[labels]
