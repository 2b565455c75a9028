"""Measure what the library promises about speed beside its peers, each side in a process of its own, as ratios.

    python tests/benchmarks/speed.py                       # everything
    python tests/benchmarks/speed.py steps --json out.json # one table, also as JSON
    python tests/benchmarks/speed.py --quick               # fewer rounds and configurations
    python tests/benchmarks/speed.py steps --network 64-32-5:16:adam  # sizes of the layers, batch size, optimizer

Tables: steps, products, layouts, operations, epoch, memory, fit, first-call, overhead. Peers that are not installed are
left out. The processes take turns for several rounds. A time is the median over them, and a ratio the median of the
rounds' ratios, since a shared machine is faster in one and slower in another. Where arrays happen to begin decides up
to a fifth of the time of plain NumPy, so each process begins with a heap of another length (Mytkowicz et al.,
*Producing wrong data without doing anything obviously wrong*, 2009). The OPENBLAS_* variables are dropped, so that the
kernels are those that the processor picks.
"""

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from workers import CONFIGURATIONS, LARGEST, LAYOUTS, MORE, OURS, WORKERS  # noqa: E402 - found by the path above

# ---- the tables ----


def run(worker, *args):
    """What a worker measures in a process of its own; None where a peer is not installed."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "PYTHONDONTWRITEBYTECODE"))}
    command = [sys.executable, __file__, "--worker", worker, *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, env=kept)
    if done.returncode:
        if "No module named" in done.stderr:
            return None
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.strip().splitlines()[-1])


def measured(names, rounds, measure):
    """The figures of each name, one for each round, the processes taking turns."""
    found = {}
    for _ in range(rounds):
        for name in names:
            figure = measure(name)
            if figure is not None:
                found.setdefault(name, []).append(figure)
    return found


def row(work, figures, against, bound):
    """Our figures beside those that a peer had in the same rounds, or beside one number; a floor has no bound."""
    peer, others = against[0], against[1] if isinstance(against[1], list) else [against[1]] * len(figures)
    ratio = statistics.median(mine / other for mine, other in zip(figures, others, strict=True))
    return {
        "work": work, "ours": statistics.median(figures), "peer": peer, "theirs": statistics.median(others),
        "ratio": ratio, "bound": bound, "holds": bound is None or bool(ratio <= bound),
    }  # fmt: skip


def best_of(found, names):
    """The name with the smallest median."""
    return min((name for name in names if name in found), key=lambda name: statistics.median(found[name]))


def steps(rounds, quick, networks=()):
    from peers import PEERS

    rows = []
    for configuration in networks or (CONFIGURATIONS[2:4] if quick else CONFIGURATIONS + MORE):
        seconds = 0.1 if quick else 0.5
        arguments = {name: ("time_step", name, configuration, seconds) for name in (*PEERS, *OURS)}
        arguments["products"] = "time_products", configuration
        found = measured(arguments, rounds, lambda name, of=arguments: run(*of[name]))
        best = best_of(found, PEERS)
        peer, bounds = (best, found[best]), (0.85, 1.1) if configuration in LARGEST else (0.7, 0.9)
        some = [
            row(f"compiled, {configuration}", found["compiled"], peer, bounds[0]),
            row(f"without Numba, {configuration}", found["compiled without Numba"], peer, bounds[1]),
        ]
        if "PyTorch" in found:
            some.append(row(f"eager, {configuration}", found["eager"], ("PyTorch", found["PyTorch"]), 0.9))
        # The floor of every step that leaves its products to NumPy's BLAS.
        some.append(row(f"products alone, {configuration}", found["products"], peer, None))
        show(some)
        rows += some
    return rows


def products(rounds, quick):
    configuration = CONFIGURATIONS[0] if quick else CONFIGURATIONS[-1]
    arguments = {"step": ("time_step", "compiled", configuration, 0.5), "products": ("time_products", configuration)}
    found = measured(arguments, rounds, lambda name: run(*arguments[name]))
    alone = ("products alone", found["products"])
    bound = 1 / 0.85 if configuration == CONFIGURATIONS[-1] else None
    return [row(f"a step beside its products, {configuration}", found["step"], alone, bound)]


def layouts(rounds, quick):
    """Products as the library calls them, and the same with the result or the operands in another layout."""
    rows = []
    for configuration in CONFIGURATIONS[2:4] if quick else CONFIGURATIONS + MORE:
        found = measured(LAYOUTS, rounds, lambda layout, c=configuration: run("time_products", c, layout))
        ours, *others = LAYOUTS
        best = best_of(found, others)
        rows.append(row(f"products of a step, {configuration}", found[ours], (best, found[best]), 1.05))
    return rows


def operations(rounds, quick):
    import measure

    rows = []
    for label, mine, theirs in measure.operations(rounds):
        if theirs is not None:
            rows.append(row(f"an operation on 32 elements, {label}", mine, ("PyTorch", theirs), 0.6))
    return rows


def epoch(rounds, quick):
    names = ["compiled", "NumPy by hand", "JAX jit", "PyTorch"]
    found = measured(names, 1 if quick else rounds, lambda name: run("time_epoch", name))
    best = best_of(found, names[1:])
    return [row("an epoch of the deep narrow net on MNIST", found["compiled"], (best, found[best]), 0.6)]


def memory(rounds, quick):
    rows = []
    for configuration in ["784-128-10:4096:adam"] if quick else ["784-128-10:4096:adam", "784-512-512-10:4096:adam"]:
        found = measured(["compiled", "PyTorch"], rounds, lambda name, c=configuration: run("peak_memory", name, c))
        if "PyTorch" in found:
            work = f"peak memory of a step in MiB, {configuration}"
            rows.append(row(work, found["compiled"], ("PyTorch", found["PyTorch"]), 1.0))
    return rows


def fit(rounds, quick):
    rows = []
    names = ["fit", "fit, uncompiled", "scikit-learn", "PyTorch"]
    found = measured(names, rounds, lambda name: run("time_fit", name))
    seconds = {name: [one[0] for one in figures] for name, figures in found.items()}
    accuracy = {name: statistics.median(one[1] for one in figures) for name, figures in found.items()}
    for name in ("scikit-learn", "PyTorch"):
        if name in found:
            for mine, bound in (("fit", 0.5), ("fit, uncompiled", None)):
                work = f"{mine}, MNIST, 10 epochs (accuracies {accuracy[mine]:.3f} and {accuracy[name]:.3f})"
                rows.append(row(work, seconds[mine], (name, seconds[name]), bound))
    return rows


def first_call(rounds, quick):
    run("time_first_call", "compiled")  # the machine code is compiled and kept
    found = measured(["compiled", "compiled without Numba"], rounds, lambda name: run("time_first_call", name))
    return [
        row("first call without Numba", found["compiled without Numba"], ("bound", 0.05), 1.0),
        row("first call with machine code from disk", found["compiled"], ("bound", 0.3), 1.0),
    ]


def overhead(rounds, quick):
    found = measured(["fit"], rounds, lambda name: run("time_overhead"))
    return [row("what fit adds to a step", found["fit"], ("bound", 10e-6), 1.0)]


TABLES = {
    "steps": steps, "products": products, "layouts": layouts, "operations": operations, "epoch": epoch,
    "memory": memory, "fit": fit, "first-call": first_call, "overhead": overhead,
}  # fmt: skip


def show(rows):
    for one in rows:
        mine, theirs = (_with_unit(one[key], one["work"]) for key in ("ours", "theirs"))
        holds = "holds" if one["holds"] else "DOES NOT HOLD"
        bound = "no bound" if one["bound"] is None else f"bound {one['bound']:.2f}: {holds}"
        print(f"  {one['work']:66} {mine:>14} {one['ratio']:6.2f} x {one['peer']:15} {theirs:>14}  {bound}", flush=True)


def _with_unit(figure, work):
    if "MiB" in work:
        return f"{figure:.1f} MiB"
    return f"{figure * 1e6:,.1f} us" if figure < 1 else f"{figure:.2f} s"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", metavar="table", help=f"some of {', '.join(TABLES)}; by default all")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and configurations")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--network", action="append", default=[], help="for the steps, in place of the usual ones")
    parser.add_argument("--json", help="also write the rows to this file")
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        shift = bytearray(2048 + 16 * random.randrange(256))  # noqa: F841 - kept, so that other arrays lie behind it
        print(json.dumps(WORKERS[args.worker[0]](*args.worker[1:])))
        return
    if unknown := set(args.tables) - set(TABLES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; expected some of {', '.join(TABLES)}")
    for network in args.network:
        if not re.fullmatch(r"[1-9]\d*(-[1-9]\d*)+:[1-9]\d*:(sgd|adam)", network):
            parser.error(f"{network!r} is no network; expected sizes:batch:optimizer, such as 64-32-5:16:adam (or sgd)")
    rows = []
    for name in args.tables or TABLES:
        print(f"{name}:", flush=True)
        networks = {"networks": args.network} if name == "steps" else {}
        found = TABLES[name](1 if args.quick else args.rounds, args.quick, **networks)
        if name != "steps":
            show(found)
        rows += found
    if args.json:
        Path(args.json).write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
