"""Measures how many mistakes are named with the right place; run as a module of the tests, with ``--help``."""

import argparse
import re
import time
from itertools import combinations

import numpy as np

from autograd_lite.checks import compare_gradients
from autograd_lite.checks.compare import search

from . import attentions, convolutions, dense, embeddings, normalisations, recurrent, regression, statistical  # noqa: F401
from .program import FAMILIES


def said(program, *wrong, seed=0):
    loss, parameters, gradients = program(*wrong, seed=seed)
    return [str(e) for e in compare_gradients(gradients, loss, parameters).explanations]


def names(program, texts, wrong):
    return any(re.search(program.says[wrong], text) for text in texts)


def singles(family, programs, seed, show):
    good = total = 0
    for program in programs:
        for wrong in program.says:
            start = time.perf_counter()
            texts = said(program, wrong, seed=seed)
            took = time.perf_counter() - start
            ok = names(program, texts, wrong)
            good, total = good + ok, total + 1
            if show == "all" or (show and not ok):
                print(f"{'ok ' if ok else 'NO '} {program.name}: {wrong} ({took:.1f} s)")
                for text in texts or ["(nothing)"]:
                    print("        ", text)
    print(f"{family:15} single {good:4} of {total:4}", flush=True)
    return good, total


def pairs(family, programs, seed, show, count):
    good = total = 0
    rng = np.random.default_rng(seed)
    for program in programs:
        chosen = list(combinations(program.says, 2))
        rng.shuffle(chosen)
        for one, other in chosen[:count]:
            try:
                loss, parameters, gradients = program(one, other, seed=seed)
            except ValueError:
                continue  # nothing is left to be multiplied
            alone = [program(name, seed=seed)[2] for name in (one, other)]
            if any(all(np.allclose(gradients[k], g[k], rtol=1e-9) for k in g) for g in alone):
                continue  # one hides the other
            texts = [str(e) for e in compare_gradients(gradients, loss, parameters).explanations]
            ok = names(program, texts, one) and names(program, texts, other)
            good, total = good + ok, total + 1
            if show == "all" or (show and not ok):
                print(f"{'ok ' if ok else 'NO '} {program.name}: {one} + {other}")
                for text in texts or ["(nothing)"]:
                    print("        ", text)
    print(f"{family:15} pairs  {good:4} of {total:4}", flush=True)
    return good, total


def outside(family, programs, seed, show):
    good = total = 0
    for program in programs:
        for wrong in program.outside:
            loss, parameters, gradients = program(wrong, seed=seed)
            found = compare_gradients(gradients, loss, parameters).explanations
            ok = all(e.kind == "delta" for e in found)
            good, total = good + ok, total + 1
            if show and not ok:
                print(f"NO  {program.name}: {wrong}: {[str(e) for e in found]}")
    print(f"{family:15} outside {good:4} of {total:4} without a false cause", flush=True)
    return good, total


class InSinglePrecision:
    """A generator whose floats are in single precision, so that the program and the derivation are."""

    def __init__(self, seed):
        self.generator = np.random.default_rng(seed)

    def __getattr__(self, name):
        def drawn(*args, **kwargs):
            value = getattr(self.generator, name)(*args, **kwargs)
            return np.float32(value) if np.asarray(value).dtype == np.float64 else value

        return drawn


def differences(loss, parameters):
    """Central differences of a loss, as gradients."""
    found = {}
    for name, value in parameters.items():
        found[name] = np.zeros(np.shape(value))
        for at in np.ndindex(*np.shape(value)):
            ends = []
            for step in (1e-6, -1e-6):
                moved = np.array(value, float)
                moved[at] += step
                ends.append(float(loss({**parameters, name: moved})))
            found[name][at] = (ends[0] - ends[1]) / 2e-6
    return found


def right(program, variant, seed):
    """A right derivation: as it is, rounded, in single precision, in another order of summation, by differences."""
    if variant == "single precision":
        loss, parameters, gradients = program.write(lambda wrong: False, InSinglePrecision(seed))
        return loss, {name: np.float32(v) for name, v in parameters.items()}, gradients
    loss, parameters, gradients = program(seed=seed)
    if variant == "rounded":
        gradients = {name: np.float32(g) for name, g in gradients.items()}
    elif variant == "another order":  # each number is another sum of the same terms
        rng = np.random.default_rng(seed)
        gradients = {n: g * (1 + 4e-16 * rng.integers(-2, 3, np.shape(g))) for n, g in gradients.items()}
    elif variant == "differences":
        gradients = differences(loss, parameters)
    return loss, parameters, gradients


VARIANTS = ("exact", "rounded", "single precision", "another order")


def accused(count, seed, show):
    """How many right derivations are accused of something, or said not to agree."""
    rng = np.random.default_rng(seed)
    every = [program for programs in FAMILIES.values() for program in programs]
    wrongly = 0
    for i in range(count):
        program, variant = every[rng.integers(len(every))], VARIANTS[rng.integers(len(VARIANTS))]
        variant = "differences" if i % 200 == 0 else variant
        drawn = int(rng.integers(2**31))
        with np.errstate(all="ignore"):
            loss, parameters, gradients = right(program, variant, drawn)
            report = compare_gradients(gradients, loss, parameters)
        if report.explanations or not (report.agrees() or variant == "differences"):
            wrongly += 1
            if show:
                print(f"NO  {program.name} ({variant}, seed {drawn}): {report}")
    print(f"right: {wrongly} of {count} accused", flush=True)
    return wrongly


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", choices=["missed", "all"])
    parser.add_argument("--pairs", type=int, default=0, help="how many pairs of each program")
    parser.add_argument("--family", nargs="*", default=list(FAMILIES))
    parser.add_argument("--right", type=int, default=0, help="how many right derivations, and nothing else")
    parser.add_argument("--only", choices=["single", "pairs", "outside"])
    chosen = parser.parse_args()
    search.PATIENCE = 1000.0  # other work on the machine is no reason to find less
    if chosen.right:
        accused(chosen.right, chosen.seed, chosen.show)
        return
    sums = {}
    for family in chosen.family:
        programs = FAMILIES[family]
        results = {}
        if chosen.only in (None, "single"):
            results["single"] = singles(family, programs, chosen.seed, chosen.show)
        if chosen.only in (None, "outside"):
            results["outside"] = outside(family, programs, chosen.seed, chosen.show)
        if chosen.pairs:
            results["pairs"] = pairs(family, programs, chosen.seed, chosen.show, chosen.pairs)
        for name, (good, total) in results.items():
            before = sums.get(name, (0, 0))
            sums[name] = before[0] + good, before[1] + total
    for name, (good, total) in sums.items():
        print(f"{name}: {good} of {total} ({100 * good / max(total, 1):.1f} %)")


if __name__ == "__main__":
    main()
