"""Measure what the library promises about speed and memory, each side in a process of its own, as ratios.

    python tests/benchmarks/measure.py            # all measurements
    python tests/benchmarks/measure.py --quick    # fewer rounds

PyTorch's figures need `pip install torch==2.13.0`; without it they are left out. The OPENBLAS_* variables are dropped,
so that the kernels are those that the CPU picks. The training step beside its peers is measured with
`mlp_step_adapter.py`.
"""

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

OPERATIONS = """
import time
import numpy as np
N, ROUNDS = 1000, 60
{setup}
def chain():
    start = time.perf_counter()
    y = x
    for _ in range(N // 2):
        y = y * a
        y = y + b
    y.backward(seed)
    return (time.perf_counter() - start) / N
times = [chain() for _ in range(ROUNDS)]
print(sorted(times)[len(times) // 2])
"""

OURS = """
from autograd_lite import Tensor
x = Tensor(np.linspace(0, 1, 32, dtype="f4"), requires_grad=True)
{operands}
seed = np.ones(32, "f4")
"""

TORCH = """
import torch
x = torch.linspace(0, 1, 32, requires_grad=True)
{operands}
seed = torch.ones(32)
"""

CHAIN = """
import time, tracemalloc
import numpy as np
from autograd_lite import Tensor
OPERATION = {{"add": lambda y: y + 1.0, "multiply": lambda y: y * 0.999999, "sin": np.sin}}["{operation}"]
def run(n):
    x = Tensor(np.linspace(0.1, 1, 8), requires_grad=True)
    start = time.perf_counter()
    y = x
    for _ in range(n):
        y = OPERATION(y)
    y.backward(np.ones(8))
    return (time.perf_counter() - start) / n
for _ in range(30):
    run(1000)
short = sorted(run(1000) for _ in range(50))[25]
long = run(1_000_000)
print(long / short)
"""

MEMORY = """
import resource
import numpy as np
from autograd_lite import Tensor
x = Tensor(np.linspace(0.1, 1, 8), requires_grad=True)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
y = x
for _ in range({n}):
    y = np.sin(y)
y.backward(np.ones(8))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / {n})
"""

IMPORT = "import time; import numpy; start = time.perf_counter(); {what}; print(time.perf_counter() - start)"


def run(program, rounds):
    """The median of what a program prints, over several processes; None where it cannot run."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "PYTHONDONTWRITEBYTECODE"))}
    environment["PYTHONPATH"] = str(ROOT)
    found = []
    for _ in range(rounds):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
        if done.returncode:
            if "No module named 'torch'" in done.stderr:
                return None
            raise RuntimeError(done.stderr)
        found.append(float(done.stdout))
    return statistics.median(found)


def operations(rounds):
    """An operation on 32 elements, forward and backward: what is beside it, our times, and PyTorch's or None."""
    for label, ours, torch in [
        (
            "constants beside it",
            "a, b = np.full(32, 0.999, 'f4'), np.ones(32, 'f4')",
            "a, b = torch.full((32,), 0.999), torch.ones(32)",
        ),
        (
            "parameters beside it",
            "a, b = (Tensor(np.full(32, v, 'f4'), requires_grad=True) for v in (0.999, 1.0))",
            "a, b = (torch.full((32,), v, requires_grad=True) for v in (0.999, 1.0))",
        ),
    ]:
        programs = [
            OPERATIONS.format(setup=setup) for setup in (OURS.format(operands=ours), TORCH.format(operands=torch))
        ]
        pairs = [[run(program, 1) for program in programs] for _ in range(rounds)]
        mine, theirs = map(list, zip(*pairs, strict=True))
        yield label, mine, None if None in theirs else theirs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    rounds = 1 if parser.parse_args().quick else 5

    print("an operation on 32 float32 elements, forward and backward:")
    for label, mine, theirs in operations(rounds):
        compared = ""
        if theirs is not None:
            ratio = statistics.median(one / other for one, other in zip(mine, theirs, strict=True))
            compared = f", PyTorch eager {statistics.median(theirs) * 1e6:.2f} us: {ratio:.2f} of it"
        print(f"  {label}: {statistics.median(mine) * 1e6:.2f} us{compared}")

    print("time per operation in a chain of 1,000,000 over that in one of 1,000:")
    for operation in ("add", "multiply", "sin"):
        print(f"  {operation}: {run(CHAIN.format(operation=operation), rounds):.2f}")

    print("peak memory per operation of a chain that keeps 8 float64 at each:")
    for n in (100_000, 1_000_000):
        print(f"  {n:,}: {run(MEMORY.format(n=n), 1):.0f} bytes")

    run(IMPORT.format(what="import autograd_lite, nn"), 1)  # the first import compiles
    added = run(IMPORT.format(what="import autograd_lite, nn"), 3 * rounds)
    print(f"import autograd_lite, nn adds {added * 1e3:.0f} ms to import numpy")


if __name__ == "__main__":
    main()
