"""Trees: containers of arrays, opened, built anew, and matched by key."""

from collections import OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_lite import GradientError, StructureError
from autograd_lite.core.tree import flatten, matched, outline, paths

Point = namedtuple("Point", "x y")
Other = namedtuple("Other", "y x")


@dataclass
class Pair:
    a: object
    b: object


class Line(list):
    pass


def containers(member):
    keys = st.sampled_from(["a", "b", "c", 1, (2, 3)])
    return st.one_of(
        st.dictionaries(keys, member, max_size=3),
        st.dictionaries(keys, member, max_size=3).map(OrderedDict),
        st.dictionaries(keys, member, max_size=3).map(lambda d: defaultdict(list, d)),
        st.lists(member, max_size=3),
        st.lists(member, max_size=3).map(tuple),
        st.lists(member, max_size=3).map(lambda members: deque(members, maxlen=5)),
        st.lists(member, max_size=3).map(Line),
        st.builds(Point, member, member),
        st.builds(Pair, member, member),
    )


trees = st.recursive(st.none() | st.floats(allow_nan=False), containers, max_leaves=12)


def turned(tree):
    """The same tree with the keys of its dicts in the opposite order."""
    if isinstance(tree, dict):
        other = type(tree)(list) if isinstance(tree, defaultdict) else type(tree)()
        for key in reversed(list(tree)):
            other[key] = turned(tree[key])
        return other
    if isinstance(tree, list | deque):
        return type(tree)(map(turned, tree))
    if isinstance(tree, Point):
        return Point(*map(turned, tree))
    if isinstance(tree, tuple):
        return tuple(map(turned, tree))
    return Pair(turned(tree.a), turned(tree.b)) if isinstance(tree, Pair) else tree


@given(trees)
def test_a_tree_is_built_anew_from_its_leaves(tree):
    leaves, rebuild = flatten(tree)
    again = rebuild(leaves)
    assert again == tree
    assert type(again) is type(tree)
    assert len(paths(tree)) == len(leaves)


@given(trees)
def test_leaves_come_in_the_order_of_the_other_tree_whatever_the_order_of_keys(tree):
    assert matched(turned(tree), tree, ("this", "that")) == flatten(tree)[0]


def test_a_deque_and_a_default_dict_keep_their_limit_and_their_default():
    assert flatten(deque([1.0], maxlen=4))[1]([2.0]).maxlen == 4
    assert flatten(defaultdict(list, a=1.0))[1]([2.0])["new"] == []


@pytest.mark.parametrize(
    ("tree", "like"),
    [
        ({"a": 1.0}, {"b": 1.0}),
        ({"a": 1.0, "b": 2.0}, {"a": 1.0}),
        ({"a": 1.0}, {"a": 1.0, "b": 2.0}),
        ({1: 1.0}, {"1": 1.0}),
        ([1.0, 2.0], [1.0]),
        ([1.0], (1.0,)),
        ((1.0, 2.0), Point(1.0, 2.0)),
        (Other(1.0, 2.0), Point(1.0, 2.0)),
        (deque([1.0]), [1.0]),
        ({"a": 1.0, "b": 2.0}, Pair(1.0, 2.0)),
        ([1.0, 2.0], {0: 1.0, 1: 2.0}),
        (None, 1.0),
        (1.0, None),
        ([1.0], 1.0),
        (1.0, {"a": 1.0}),
        ((None, 1.0), (1.0, None)),
    ],
)
def test_other_keys_lengths_and_containers_are_refused_at_any_depth(tree, like):
    for put in (lambda t: t, lambda t: {"p": [0.0, t]}):
        with pytest.raises(StructureError, match="this and that differ in structure"):
            matched(put(tree), put(like), ("this", "that"))


def test_the_refusal_names_the_path_and_shows_both_structures():
    with pytest.raises(ValueError, match="differ in structure") as refusal:
        matched(({"w": [1.0, Point(1.0, 2.0)]},), ({"w": [1.0, (1.0,)]},), ("the tangents", "the primals"))
    assert isinstance(refusal.value, GradientError)
    text = str(refusal.value)
    assert "at [0]['w'][1] there is a Point of 2 in the first, and a tuple of 1 in the second" in text
    assert "({'w': [*, Point(x=*, y=*)]},) and ({'w': [*, (*,)]},)" in text


def test_a_prefix_counts_for_all_that_is_in_its_place():
    like = ({"a": 1.0, "b": [1.0, 1.0]}, (1.0, None))
    assert matched(({"b": 7, "a": 8}, 9), like, ("p", "t"), lambda part: isinstance(part, int)) == [8, 7, 7, 9]


def test_an_outline_of_a_large_tree_is_cut():
    assert len(outline([1.0] * 1000)) < 250
