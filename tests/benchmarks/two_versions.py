"""Compare the training steps of two checkouts, both loaded in one process, in turns; prints B's time over A's.

    python tests/benchmarks/two_versions.py A_FOLDER B_FOLDER [784-128-10:128:sgd:eager ...] [operations]

A configuration is the layers' sizes, the batch size, the optimizer, and eager, compiled, or numpy (compiled without
Numba). Steps of the two take turns, so that what else the machine does meets both; models are made anew several times,
since where arrays happen to lie decides up to a fifth of a time. The OPENBLAS_* variables are dropped.
"""

import importlib
import os
import random
import statistics
import sys
import time

for variable in [name for name in os.environ if name.startswith("OPENBLAS_")]:
    del os.environ[variable]

import numpy as np  # noqa: E402 - only now, since OpenBLAS reads its variables when NumPy loads it

PACKAGES = ("autograd_lite", "nn")
CONFIGURATIONS = [
    f"{network}:{how}"
    for how in ("eager", "compiled", "numpy")
    for network in ("784-128-10:128:adam", "784-128-10:128:sgd", "784-30-10:10:sgd", "20-64-64-2:32:adam")
]
REBUILDS, TURNS, SECONDS_A_TURN = 6, 40, 0.004


def own_modules():
    return {name: module for name, module in sys.modules.items() if name.partition(".")[0] in PACKAGES}


class Version:
    """A checkout, whose modules take the place of the other's while it is used."""

    def __init__(self, folder):
        self.modules = {}
        self.activate()
        sys.path.insert(0, folder)
        importlib.invalidate_caches()
        self.engine, self.nn = (importlib.import_module(name) for name in PACKAGES)
        sys.path.pop(0)
        self.modules = own_modules()

    def activate(self):
        for name in own_modules():
            del sys.modules[name]
        sys.modules.update(self.modules)

    def step(self, configuration):
        """A function that takes a step, and the losses of the first ten."""
        self.activate()
        if configuration == "operations":
            return self._operations(), []
        sizes, batch, name, how = configuration.split(":")
        sizes, batch = [int(size) for size in sizes.split("-")], int(batch)
        rng = np.random.default_rng(0)
        X, y = rng.standard_normal((batch, sizes[0])).astype("f4"), rng.integers(0, sizes[-1], batch)
        self._padding = [np.empty(random.randrange(64, 4096), np.uint8) for _ in range(3)]
        model = self.nn.MLP(sizes, rng=0)
        optimizer = {"sgd": self.nn.SGD, "adam": self.nn.Adam}[name](model.parameters(), lr=1e-3)

        def train(X, y):
            optimizer.zero_grad()
            loss = self.nn.softmax_cross_entropy(model(X), y)
            loss.backward()
            optimizer.step()
            return loss

        if how != "eager":
            train = self.engine.compile(train, jit=how == "compiled")
        losses = [train(X, y).item() for _ in range(10)]
        self.modules = own_modules()
        return lambda: train(X, y), losses

    def _operations(self):
        x = self.engine.Tensor(np.ones(32), requires_grad=True)

        def run():
            z = x
            for _ in range(25):
                z = z * x + x
            z.sum().backward()
            x.zero_grad()

        return run


def compare(a, b, configuration):
    """The median times of a step of each, and the median of the turns' ratios."""
    times, ratios = {a: [], b: []}, []
    for _ in range(REBUILDS):
        (step_a, losses_a), (step_b, losses_b) = (version.step(configuration) for version in (a, b))
        if not np.allclose(losses_a, losses_b, rtol=1e-3):
            raise SystemExit(f"{configuration}: the two compute other losses: {losses_a} and {losses_b}")
        start = time.perf_counter()
        step_b()
        count = max(1, int(SECONDS_A_TURN / max(1e-6, time.perf_counter() - start)))
        for turn in range(TURNS):
            taken = {}
            for version, step in ((a, step_a), (b, step_b)) if turn % 2 else ((b, step_b), (a, step_a)):
                version.activate()
                start = time.perf_counter()
                for _ in range(count):
                    step()
                taken[version] = (time.perf_counter() - start) / count
                times[version].append(taken[version])
            ratios.append(taken[b] / taken[a])
    return statistics.median(times[a]), statistics.median(times[b]), statistics.median(ratios)


if __name__ == "__main__":
    a, b = (Version(os.path.abspath(folder)) for folder in sys.argv[1:3])
    for configuration in sys.argv[3:] or CONFIGURATIONS:
        one, other, ratio = compare(a, b, configuration)
        print(f"{configuration:44} {one * 1e6:9.1f} us {other * 1e6:9.1f} us   {ratio:.3f}", flush=True)
