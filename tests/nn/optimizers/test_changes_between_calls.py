"""What may be changed between the calls of a compiled training step, and must be followed as the plain step does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd_lite import GradientError, Tensor, compile

from .every import ALL


class Program:
    """A network with all kinds of layers, the steps that train it, and the changes that a user makes in between."""

    def __init__(self, optimizer, compiled):
        self.table = nn.Embedding(6, 4, rng=0)
        self.network = nn.Sequential(
            nn.Dense(4, 8, rng=1), nn.BatchNorm(8), nn.ReLU(), nn.Dropout(0.3, rng=2), nn.Dense(8, 4, rng=3)
        )
        self.bias = Tensor(np.zeros(6, np.float32), requires_grad=True)
        self.mask, self.class_weight = np.ones(4, np.float32), np.ones(6, np.float32)
        self.parameters = [self.table.weight, self.bias, *self.network.parameters()]
        self.optimizers = [ALL[optimizer](self.parameters[:2]), ALL[optimizer](self.parameters[2:])]
        self.saved = []
        names = "step", "accumulating_step", "outputs"
        self.steps = [compile(getattr(self, name), jit=False) if compiled else getattr(self, name) for name in names]

    def logits(self, indices):
        return self.network(self.table(indices) * self.mask) @ self.table.weight.T + self.bias

    def step(self, indices, labels):
        for parameter in self.parameters:
            parameter.zero_grad()
        loss = nn.softmax_cross_entropy(self.logits(indices), labels, class_weight=self.class_weight)
        (loss + nn.l2_penalty(self.network, 0.01)).backward()
        for optimizer in self.optimizers:
            optimizer.step()
        return loss

    def accumulating_step(self, indices, labels):
        loss = nn.softmax_cross_entropy(self.logits(indices), labels)
        loss.backward()
        nn.clip_gradient_norm(self.parameters, 0.5)
        self.optimizers[1].step()
        self.optimizers[1].zero_grad()
        return loss

    def outputs(self, indices, labels):
        return self.logits(indices).detach()

    def run(self, which, size, seed):
        rng = np.random.default_rng(seed)
        indices, labels = rng.integers(0, 6, (2, size))
        try:
            results = [self.steps[which](indices, labels).data]
        except (GradientError, ValueError) as error:  # of a step without weights that could move
            results = [str(error)]
        for parameter in self.parameters:
            results += [parameter.data.copy(), None if parameter.grad is None else parameter.grad.data.copy()]
        for owner in (*self.optimizers, self.network):
            results += [np.array(value) for value in owner.state_dict().values()]
        return results

    def change(self, what, which, amount):
        parameter = self.parameters[which % len(self.parameters)]
        optimizer = self.optimizers[which % 2]
        _, norm, _, dropout, _ = self.network
        match what:
            case "learning rate":
                optimizer.groups[0]["lr"] = amount / 10
            case "weight decay":
                optimizer.groups[0]["weight_decay"] = amount / 10
            case "save":
                self.saved.append([owner.state_dict() for owner in (*self.optimizers, self.network)])
            case "load optimizers" if self.saved:
                for one, state in zip(self.optimizers, self.saved[which % len(self.saved)], strict=False):
                    one.load_state_dict(state)
            case "load network" if self.saved:
                self.network.load_state_dict(self.saved[which % len(self.saved)][2])
            case "weights in place":
                parameter.data[...] *= np.float32(amount)
            case "other weights":
                parameter.data = parameter.data * np.float32(amount)
            case "other layout":
                parameter.data = np.asfortranarray(parameter.data)
            case "freeze":
                parameter.requires_grad = False
            case "thaw":
                for frozen in self.parameters:
                    frozen.requires_grad = True
            case "forget gradient":
                parameter.zero_grad()
            case "other gradient" if parameter.requires_grad:
                parameter.grad = Tensor(np.full(parameter.shape, amount, np.float32))
            case "train":
                self.network.train()
            case "eval":
                self.network.eval()
            case "dropout":
                dropout.p = amount / 2
            case "other zeros":
                dropout.rng = np.random.default_rng(which)
            case "momentum":
                norm.momentum = amount / 2
            case "eps":
                norm.eps = amount / 100
            case "mask":
                self.mask[which % 4] = amount
            case "class weight":
                self.class_weight[which % 6] = amount
            case "plain step":
                self.step(np.arange(5), np.arange(5))


CHANGES = (
    "learning rate", "weight decay", "save", "load optimizers", "load network", "weights in place", "other weights",
    "other layout", "freeze", "thaw", "forget gradient", "other gradient", "train", "eval", "dropout", "other zeros",
    "momentum", "eps", "mask", "class weight", "plain step",
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    optimizer=st.sampled_from(list(ALL)),
    calls=st.lists(
        st.tuples(
            st.lists(st.tuples(st.sampled_from(CHANGES), st.integers(0, 23), st.floats(0.25, 1.75)), max_size=3),
            st.integers(0, 2),
            st.sampled_from([3, 5]),
        ),
        min_size=3,
        max_size=12,
    ),
)
def test_a_compiled_step_follows_every_change_as_the_plain_one_does(optimizer, calls):
    compiled, plain = Program(optimizer, compiled=True), Program(optimizer, compiled=False)
    for seed, (changes, which, size) in enumerate(calls):
        for change in changes:
            raised = []
            for program in (compiled, plain):
                try:
                    program.change(*change)
                except (GradientError, ValueError) as error:
                    raised.append(str(error))
            assert len(raised) in (0, 2)
        for mine, expected in zip(compiled.run(which, size, seed), plain.run(which, size, seed), strict=True):
            np.testing.assert_array_equal(mine, expected)


def test_the_states_of_several_optimizers_are_loaded_between_calls():
    def run(compiled):
        v, w = (Tensor([1.0, -2.0], requires_grad=True) for _ in range(2))
        optimizers = [nn.Adam([v], lr=0.1), nn.SGD([w], lr=0.1, momentum=0.9)]

        def step(x):
            for optimizer in optimizers:
                optimizer.zero_grad()
            ((v * w - x) ** 2).sum().backward()
            for optimizer in optimizers:
                optimizer.step()

        step = compile(step, jit=False) if compiled else step
        step(np.ones(2))
        states = [optimizer.state_dict() for optimizer in optimizers]
        step(np.ones(2))
        step(np.ones(2))
        for optimizer, state in zip(optimizers, states, strict=True):
            optimizer.load_state_dict(state)
        step(np.ones(2))
        step(np.ones(2))
        return v.data, w.data

    np.testing.assert_array_equal(run(True), run(False))


def test_gradients_are_added_to_those_that_were_there_and_forgotten_at_the_end():
    w = Tensor(np.ones((3, 2)), requires_grad=True)
    optimizer = nn.SGD([w], lr=0.1)

    @compile(jit=False)
    def step(X, labels):
        nn.softmax_cross_entropy(X @ w, labels).backward()
        optimizer.step()
        optimizer.zero_grad()

    for _ in range(3):
        w.grad = Tensor(np.ones((3, 2)))
        step(np.ones((4, 3)), np.array([0, 1, 0, 1]))
    assert w.grad is None
    np.testing.assert_allclose(w.data, 1 - 0.3)


@pytest.mark.parametrize("shape", [(6, 4), (300, 200)])
def test_a_gradient_that_lies_in_another_order_than_its_weights_moves_them(shape):
    def run(compiled):
        w = Tensor(np.asfortranarray(np.ones(shape)), requires_grad=True)
        optimizer = nn.SGD([w], lr=0.1)

        def step(x):
            optimizer.zero_grad()
            (0.5 * w * w * x).sum().backward()
            optimizer.step()

        step = compile(step, jit=False) if compiled else step
        for x in (1.0, 2.0, 3.0):
            step(np.asfortranarray(np.full(shape, x)))
        w.data = np.ascontiguousarray(w.data)
        for x in (4.0, 5.0):
            step(np.asfortranarray(np.full(shape, x)))
        return w.data

    np.testing.assert_array_equal(run(True), run(False))


def test_sums_are_taken_in_the_order_in_which_new_weights_lie():
    rng = np.random.default_rng(0)
    values = rng.standard_normal((40, 30)) * 10.0 ** rng.integers(-8, 8, (40, 30))
    w = Tensor(values)
    total = compile(lambda x: (w * x).sum(), jit=False)
    one = np.ones(())
    for layout in (np.ascontiguousarray, np.asfortranarray, np.ascontiguousarray):
        w.data = layout(values)
        for _ in range(2):
            assert total(one).item() == (layout(values) * one).sum()


def test_a_parameter_that_a_step_only_looked_at_may_be_thawed():
    w, other = Tensor([1.0], requires_grad=True), Tensor([1.0], requires_grad=True)
    other.requires_grad = False

    @compile(jit=False)
    def step(x):
        w.zero_grad()
        other.zero_grad()
        (w * x).sum().backward()
        return np.sum(x) * other.requires_grad

    assert step(np.ones(1)) == 0
    other.requires_grad = True
    other.grad = Tensor([1.0])
    assert step(np.ones(1)) == 1
    assert other.grad is None


def test_what_a_step_assigned_before_it_raised_stays():
    mean, w = Tensor([1.0, 2.0]), Tensor([1.0, 2.0], requires_grad=True)

    @compile(jit=False)
    def step(x):
        mean.data = 0.5 * mean.data + 0.5 * x
        w.data -= x
        raise KeyError("no more")

    for _ in range(2):
        with pytest.raises(KeyError, match="no more"):
            step(np.array([3.0, 4.0]))
    np.testing.assert_array_equal(mean.data, [2.5, 3.5])
    np.testing.assert_array_equal(w.data, [-5.0, -6.0])
