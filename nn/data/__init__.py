"""Data for a network: minibatches, splits, standardised columns, one-hot labels, MNIST.

Everything here takes plain NumPy arrays and returns plain NumPy arrays; no gradient is recorded.
"""

from .minibatches import Minibatches, train_test_split
from .mnist import MNIST, DataFileError, DownloadError, load_mnist, read_idx
from .preprocessing import column_statistics, one_hot, standardize

__all__ = [
    "MNIST",
    "DataFileError",
    "DownloadError",
    "Minibatches",
    "column_statistics",
    "load_mnist",
    "one_hot",
    "read_idx",
    "standardize",
    "train_test_split",
]
