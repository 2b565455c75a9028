"""`autograd_lite.extend`: its names, their documentation, and what packages ask of leaves and rules."""

import re

import numpy as np
import pytest

from autograd_lite import ChangedTensorError, Tensor, custom_vjp, extend

NAMES = {name for name in vars(extend) if name.isidentifier() and not name.startswith("_")}


def test_its_documentation_says_what_each_name_is_for():
    documented = re.findall(r"`(\w+)`", extend.__doc__)
    assert set(documented) - {"autograd_lite", "compare_gradients"} == NAMES


def test_everything_in_it_is_documented_itself():
    assert [name for name in NAMES if not name.isupper() and not getattr(extend, name).__doc__] == []


def test_a_leaf_is_a_tensor_that_no_call_made():
    w, constant = Tensor([1.0], requires_grad=True), Tensor([1.0])
    assert [extend.is_leaf(tensor) for tensor in (w, w + 1, constant)] == [True, False, False]


def test_hooks_of_leaves_and_of_results_are_seen_until_they_are_removed():
    w = Tensor([1.0], requires_grad=True)
    for tensor in (w, w * 2):
        assert not extend.has_hooks(tensor)
        handle = tensor.register_hook(lambda g: g)
        assert extend.has_hooks(tensor)
        handle.remove()
        assert not extend.has_hooks(tensor)
    assert not extend.has_hooks(Tensor([1.0]))


def test_a_graph_recorded_before_an_announced_change_refuses_and_says_how_it_came():
    w = Tensor([1.0, 2.0], requires_grad=True, name="w")
    before = (w * w).sum()
    extend.announce_change([w], "by a step of my own")
    w.data *= 2
    with pytest.raises(ChangedTensorError, match="by a step of my own"):
        before.backward()
    (w * w).sum().backward()
    np.testing.assert_array_equal(w.grad.data, [4, 8])


def test_only_the_change_of_a_leaf_is_announced():
    for tensor in (Tensor(1.0), 2 * Tensor(1.0, requires_grad=True)):
        with pytest.raises(TypeError, match="expected leaves"):
            extend.announce_change([tensor], "by hand")


def test_known_rules_have_each_functions_products_and_no_zeros():
    def vjp(g):
        return g

    first = custom_vjp(lambda a, b: a, a=vjp, b=None)
    assert dict(extend.known_rules())[first] == (vjp,)
