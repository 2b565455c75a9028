"""Our side of a benchmark of training steps: the same MLP as in `speed.py`, as a user would write it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from workers import ours


def _candidate(how):
    def make(sizes, X, y, weights, optimizer, lr):
        step = ours(sizes, weights, optimizer, lr, how=how)
        return lambda: step(X, y)

    return make


CANDIDATES = {
    "autograd_lite_eager": _candidate("eager"),
    "autograd_lite_compiled": _candidate("compiled"),
    "autograd_lite_compiled_numpy": _candidate("numpy"),
}
