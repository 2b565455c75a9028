"""Modules: how parameters are found, named, saved, loaded and shown."""

import copy
import subprocess
import sys
from collections import OrderedDict, UserDict, UserList, defaultdict, deque, namedtuple
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace

import numpy as np
import pytest

import nn
from autograd_lite import ChangedTensorError, Tensor
from autograd_lite.transforms import grad


class Block(nn.Module):
    def __init__(self):
        self.scale = Tensor(np.ones(2), requires_grad=True)
        self.constant = Tensor(np.zeros(2))
        self.parts = [nn.Dense(2, 3, rng=0), {"head": nn.Dense(3, 1, bias=False, rng=1)}]
        self.shared = self.parts[0]
        self.width = 3

    def forward(self, x):
        return self.parts[1]["head"](self.parts[0](x * self.scale))


def test_parameters_are_found_in_attributes_lists_and_dicts_in_order():
    assert [name for name, _ in Block().named_parameters()] == [
        "scale", "parts.0.weight", "parts.0.bias", "parts.1.head.weight",
    ]  # fmt: skip


def test_a_shared_module_counts_once():
    assert Block().parameter_count() == 2 + 9 + 3


def test_a_frozen_tensor_is_no_parameter():
    block = Block()
    block.scale.requires_grad = False
    assert "scale" not in dict(block.named_parameters())


def test_modules_that_hold_each_other_are_walked_once():
    a, b = Block(), Block()
    a.other, b.other = b, a
    assert len(list(a.named_modules())) == 6


def test_named_modules_have_their_paths():
    assert [name for name, _ in Block().named_modules()] == ["", "parts.0", "parts.1.head"]


def test_train_and_eval_reach_every_module():
    block = Block()
    assert block.eval() is block
    assert not any(module.training for _, module in block.named_modules())
    block.train()
    assert all(module.training for _, module in block.named_modules())


def test_zero_grad_forgets_every_gradient():
    block = Block()
    block(np.ones((4, 2))).sum().backward()
    assert all(p.grad is not None for p in block.parameters())
    block.zero_grad()
    assert all(p.grad is None for p in block.parameters())


def test_a_module_without_forward_says_so():
    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match="Empty has no forward"):
        Empty()(1.0)


def test_state_dict_holds_copies_of_all_tensors():
    block = Block()
    state = block.state_dict()
    state["scale"][:] = 7
    assert block.scale.tolist() == [1, 1]
    assert "constant" in state


def test_a_loaded_state_gives_the_same_outputs():
    a, b = nn.MLP([4, 5, 2], rng=0), nn.MLP([4, 5, 2], rng=1)
    b.load_state_dict(a.state_dict())
    x = np.random.default_rng(2).standard_normal((3, 4)).astype("f4")
    np.testing.assert_array_equal(a(x).data, b(x).data)


def test_loading_converts_the_width_and_copies():
    double, single = nn.MLP([2, 1], dtype=np.float64, rng=0), nn.MLP([2, 1], rng=1)
    state = double.state_dict()
    single.load_state_dict(state)
    state["layers.0.weight"][:] = 9
    assert single[0].weight.dtype == np.float32
    assert (single[0].weight.data != 9).all()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda s: s.pop("layers.0.bias"), KeyError, r"missing: layers\.0\.bias"),
        (lambda s: s.update(extra=np.ones(1)), KeyError, "unexpected: extra"),
        (lambda s: s.update({"layers.0.bias": np.ones(5)}), ValueError, r"layers\.0\.bias has shape \(5,\).*\(3,\)"),
        (lambda s: s.update({"layers.0.bias": np.array(["a"] * 3)}), TypeError, r"layers\.0\.bias has dtype <U1"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_whole(change, error, message):
    model = nn.MLP([2, 3], rng=0)
    before, state = model.state_dict(), nn.MLP([2, 3], rng=1).state_dict()
    change(state)
    with pytest.raises(error, match=message):
        model.load_state_dict(state)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_loading_makes_graphs_recorded_before_refuse():
    model = nn.MLP([2, 1], rng=0)
    loss = model(np.ones((1, 2), "f4")).sum()
    model.load_state_dict(model.state_dict())
    with pytest.raises(ChangedTensorError):
        loss.backward()


def test_a_deep_copy_is_independent():
    model = nn.MLP([2, 3, 1], rng=0)
    twin = copy.deepcopy(model)
    twin[0].weight.data -= 1
    assert (model[0].weight.data != twin[0].weight.data).all()
    assert [n for n, _ in twin.named_parameters()] == [n for n, _ in model.named_parameters()]


def test_repr_shows_shapes_and_the_parameter_count():
    assert repr(nn.MLP([784, 128, 10], rng=0)).splitlines() == [
        "MLP(",
        "    layers.0: Dense(weight=(784, 128), bias=(128,))",
        "    layers.1: ReLU()",
        "    layers.2: Dense(weight=(128, 10), bias=(10,))",
        ")  # 101,770 parameters",
    ]


def test_repr_nests_and_marks_what_is_frozen():
    inner = nn.Dense(2, 2, bias=False, rng=0)
    inner.weight.requires_grad = False
    text = repr(nn.Sequential(nn.Sequential(inner)))
    assert "        layers.0: Dense(weight=(2, 2) frozen)" in text
    assert text.endswith("# 0 parameters")


def test_importing_nn_imports_nothing_that_few_need():
    heavy = [
        "importlib.metadata",
        "matplotlib",
        "safetensors",
        "scipy",
        "sklearn",
        "tqdm",
        "graphviz",
        "autograd_lite.draw",
    ]
    program = f"import sys, nn; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_layer_whose_beginning_was_left_out_is_refused():
    class Unfinished(nn.Dropout):
        def __init__(self):
            pass

    with pytest.raises(AttributeError, match=r"Unfinished has no p; its __init__ has to call super\(\).__init__"):
        Unfinished()(np.ones(3))


# ---- containers ----
Pair = namedtuple("Pair", "a b")


@dataclass(frozen=True)
class Record:
    a: object
    b: object


CONTAINERS = {
    "a list": (list, "0 1"),
    "a tuple": (tuple, "0 1"),
    "a dict": (lambda ts: dict(zip("ab", ts, strict=True)), "a b"),
    "an ordered dict": (lambda ts: OrderedDict(zip("ab", ts, strict=True)), "a b"),
    "a default dict": (lambda ts: defaultdict(list, zip("ab", ts, strict=True)), "a b"),
    "a dict of one's own": (lambda ts: UserDict(zip("ab", ts, strict=True)), "a b"),
    "a read-only dict": (lambda ts: MappingProxyType(dict(zip("ab", ts, strict=True))), "a b"),
    "a list of one's own": (UserList, "0 1"),
    "a deque": (lambda ts: deque(ts, maxlen=2), "0 1"),
    "a named tuple": (lambda ts: Pair(*ts), "a b"),
    "a dataclass": (lambda ts: Record(*ts), "a b"),
    "a namespace": (lambda ts: SimpleNamespace(a=ts[0], b=ts[1]), "a b"),
}


class Holder(nn.Module):
    def __init__(self, held):
        self.held = held


def leaves():
    return [Tensor(2.0, requires_grad=True), Tensor(3.0, requires_grad=True)]


@pytest.mark.parametrize(("make", "names"), CONTAINERS.values(), ids=CONTAINERS)
def test_parameters_are_found_in_every_container_with_keys(make, names):
    first, second = leaves()
    for held, path in ((make([first, second]), "held"), ([make([first, nn.Dense(1, 1)]), second], "held.0")):
        module = Holder(held)
        found = dict(module.named_parameters())
        expected = [f"{path}.{name}" for name in names.split()]
        assert found[expected[0]] is first
        assert any(tensor is second for tensor in found.values())
        assert list(module.state_dict()) == list(found)
        module.load_state_dict({name: array + 1 for name, array in module.state_dict().items()})
    assert (first.item(), second.item()) == (4.0, 5.0)


@pytest.mark.parametrize(("make", "names"), CONTAINERS.values(), ids=CONTAINERS)
def test_other_parameters_are_put_into_every_container(make, names):
    first, second = leaves()
    module = Holder({"inner": make([first, second])})
    other = module.with_parameters({name: np.array(7.0) for name, _ in module.named_parameters()})
    assert type(other.held["inner"]) is type(module.held["inner"])
    assert [float(value) for _, value in _members_of(other.held["inner"])] == [7.0, 7.0]
    assert [name for name, _ in module.named_parameters()] == [f"held.inner.{name}" for name in names.split()]
    gradients = grad(lambda m: sum(value * value for _, value in _members_of(m.held["inner"])))(module)
    assert [g.item() for g in gradients.values()] == [4.0, 6.0]


def _members_of(container):
    if isinstance(container, Record | SimpleNamespace):
        return list(vars(container).items())
    return list(container.items()) if hasattr(container, "items") else list(enumerate(container))


@pytest.mark.parametrize(
    "hide",
    [
        set,
        frozenset,
        lambda ts: (t for t in ts),
        lambda ts: map(abs, ts),
        lambda ts: zip(ts, ts, strict=True),
        lambda ts: dict(enumerate(ts)).values(),
        lambda ts: dict(enumerate(ts)).items(),
        lambda ts: _objects(ts),
        lambda ts: [{"deep": set(ts)}],
    ],
)
@pytest.mark.parametrize("make", [leaves, lambda: [nn.Dense(1, 1), nn.Dense(1, 1)]])
def test_containers_without_keys_are_refused_with_what_to_write(hide, make):
    with pytest.raises(TypeError, match=r"held.* of a module is a \w+.*assign a list"):
        Holder(hide(make())).parameters()


def _objects(members):
    array = np.empty(len(members), object)
    for i, member in enumerate(members):
        array[i] = member
    return array


@pytest.mark.parametrize(
    "held", [{1, 2}, np.array(["a"], dtype=object), {"a": 1}.values(), np.zeros(3), range(3), "text"]
)
def test_containers_of_other_things_are_left_alone(held):
    module = Holder(held)
    assert module.parameters() == []
    assert module.with_parameters({}).held is held


def test_containers_that_hold_each_other_are_walked_once():
    a, b = {"w": Tensor(1.0, requires_grad=True)}, {}
    a["b"], b["a"] = b, a
    assert [name for name, _ in Holder([a]).named_parameters()] == ["held.0.w"]


@pytest.mark.parametrize("keys", [(1, "1"), ("a.b", "a")])
def test_two_tensors_at_one_path_are_refused(keys):
    first, second = leaves()
    held = {keys[0]: first, keys[1]: second if keys[1] == "1" else {"b": second}}
    for use in (Holder(held).parameters, Holder(held).state_dict):
        with pytest.raises(ValueError, match="two different tensors or modules at the path"):
            use()


def test_losses_refuse_masked_arrays():
    with pytest.raises(TypeError, match=r"which leaves out what is masked; pass"):
        nn.mean_squared_error(Tensor(np.ones(2), requires_grad=True), np.ma.array([1.0, 2.0], mask=[True, False]))


class OfTheClass(nn.Module):
    w = Tensor([1.0, 2.0], requires_grad=True)

    def forward(self, x):
        return (self.w * x).sum()


class InASlot(nn.Module):
    __slots__ = ("w",)

    def __init__(self):
        self.w = Tensor([1.0, 2.0], requires_grad=True)

    def forward(self, x):
        return (self.w * x).sum()


@pytest.mark.parametrize("kind", [OfTheClass, InASlot])
def test_parameters_of_the_class_and_in_slots_are_found_and_replaced(kind):
    module = kind()
    assert [name for name, _ in module.named_parameters()] == ["w"]
    other = module.with_parameters({"w": np.array([3.0, 4.0])})
    assert float(other(np.ones(2))) == 7
    assert module(np.ones(2)).item() == 3
