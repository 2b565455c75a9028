"""Networks and mistakes that are drawn: what is said is what was done, and nothing else."""

from typing import get_args

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given, settings

from autograd_lite.checks import compare_gradients
from autograd_lite.checks.compare.rows import Explanation
from autograd_lite.checks.compare.single import SingleKind

from .network import Network


def mistaken(kind, network, layer, rng):
    """The gradients by hand with a mistake in one layer or in all; None where it cannot be made."""
    p, hand = network.parameters, network.by_hand(network.parameters)
    W, b, rows = f"W{layer}", f"b{layer}", len(network.X)
    if kind == "activation derivative":
        last = layer == network.depth and network.cost == "cross-entropy"
        return None if last else network.by_hand(p, no_derivative={layer})
    if kind == "softmax":
        return network.by_hand(p, diagonal=True) if network.cost == "cross-entropy" else None
    if kind == "delta":
        return network.by_hand(p, wrong_delta=layer) if layer < network.depth else None
    if kind in ("factor", "sign"):
        return {name: (rows if kind == "factor" else -1) * g for name, g in hand.items()}
    if kind == "batch sum":
        delta = rng.normal(size=(rows, *hand[b].shape))
        return {**hand, b: delta - delta.mean(axis=0) + hand[b] / rows}
    changed = {
        "transpose": lambda: {W: hand[W].T},
        "reversal": lambda: {W: hand[W][:, ::-1]},
        "permutation": lambda: {W: np.roll(hand[W], 1, axis=0)},
        "L2": lambda: {b: hand[b] + 0.05 * p[b]},
        "shape": lambda: {b: hand[b][:, None]},
    }
    return hand | changed[kind]()


KINDS = ("activation derivative", "softmax", "delta", *get_args(SingleKind))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_documented(kind):
    assert f'"{kind}"' in Explanation.__doc__


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.lists(st.integers(3, 8), min_size=2, max_size=5),
    st.sampled_from(["sigmoid", "tanh", "silu"]),
    st.sampled_from(["quadratic", "cross-entropy"]),
    st.integers(3, 20),
    st.integers(0, 2**16),
    st.data(),
)
def test_what_is_explained_is_what_was_done(kind, sizes, activation, cost, rows, seed, data):
    network = Network(tuple(sizes), activation, cost, rows=rows, seed=seed)
    layer = data.draw(st.integers(1, network.depth))
    hand = mistaken(kind, network, layer, np.random.default_rng(seed))
    assume(hand is not None)
    report = compare_gradients(hand, network.loss, network.parameters)
    assert {explanation.kind for explanation in report.explanations} == {kind}
