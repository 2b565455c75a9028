"""Measures how many mistakes are named with the right place: python -m tests.autograd_lite.checks.compare.trial.measure"""

import argparse
import re
import time
from itertools import combinations

import numpy as np

from autograd_lite.checks import compare_gradients

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
            loss, parameters, gradients = program(one, other, seed=seed)
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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", choices=["missed", "all"])
    parser.add_argument("--pairs", type=int, default=0, help="how many pairs of each program")
    parser.add_argument("--family", nargs="*", default=list(FAMILIES))
    parser.add_argument("--only", choices=["single", "pairs", "outside"])
    chosen = parser.parse_args()
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
