"""`nn.sklearn`'s estimators beside scikit-learn's MLP, on ten data sets: test scores, times, and their ratio.

    python tests/benchmarks/estimators.py                 # five seeds
    python tests/benchmarks/estimators.py --seeds 1 iris  # some data sets

Both are fitted in turns, with the same parameters, on the same split, and the times are those of `fit`: of the
processor, and by the clock. A ratio is the median of the ratios of all seeds. "within" says whether the mean score is
at least that of scikit-learn less the standard error of the latter.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import datasets, neural_network
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(Path(__file__).parents[2]))

import nn.sklearn

CLASSES = {
    "iris": lambda seed: datasets.load_iris(return_X_y=True),
    "wine": lambda seed: datasets.load_wine(return_X_y=True),
    "breast_cancer": lambda seed: datasets.load_breast_cancer(return_X_y=True),
    "digits": lambda seed: datasets.load_digits(return_X_y=True),
    "make_moons": lambda seed: datasets.make_moons(1000, noise=0.2, random_state=seed),
    "make_circles": lambda seed: datasets.make_circles(1000, noise=0.1, factor=0.5, random_state=seed),
    "make_classification": lambda seed: datasets.make_classification(2000, 20, n_informative=8, random_state=seed),
}
NUMBERS = {
    "diabetes": lambda seed: datasets.load_diabetes(return_X_y=True),
    "make_regression": lambda seed: datasets.make_regression(1000, 20, noise=10.0, random_state=seed),
    "make_friedman1": lambda seed: datasets.make_friedman1(1000, noise=1.0, random_state=seed),
}


def fitted(kind: Any, options: dict[str, Any], X: Any, y: Any) -> tuple[Any, float, float]:
    """A fitted estimator, with the seconds of the processor and of the clock."""
    clock, processor = time.perf_counter(), time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator = kind(**options).fit(X, y)
    return estimator, time.process_time() - processor, time.perf_counter() - clock


def compared(name: str, seeds: int, options: dict[str, Any]) -> dict[str, Any]:
    """Scores and times of both on one data set."""
    classifies = name in CLASSES
    ours, theirs = [
        module.MLPClassifier if classifies else module.MLPRegressor for module in (nn.sklearn, neural_network)
    ]
    rows = []
    for seed in range(seeds):
        X, y = {**CLASSES, **NUMBERS}[name](seed)
        strata = y if classifies else None
        X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed, stratify=strata)
        scaler = StandardScaler().fit(X_train)
        X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)
        given = {**options, "random_state": seed}
        in_turn = (theirs, ours) if seed % 2 else (ours, theirs)
        results = {kind: fitted(kind, given, X_train, y_train) for kind in in_turn}
        rows.append(
            [
                (results[kind][0].score(X_test, y_test), *results[kind][1:], results[kind][0].n_iter_)
                for kind in (ours, theirs)
            ]
        )
    scores, processor, clock, epochs = np.array(rows).transpose(2, 1, 0)
    error = scores[1].std(ddof=1) / np.sqrt(seeds) if seeds > 1 else 0.0
    return {
        "name": name,
        "ours": scores[0].mean(),
        "theirs": scores[1].mean(),
        "error": error,
        "within": scores[0].mean() >= scores[1].mean() - error,
        "seconds": np.median(clock[0]),
        "processor": np.median(processor[0] / processor[1]),
        "clock": np.median(clock[0] / clock[1]),
        "epochs": f"{np.median(epochs[0]):.0f}/{np.median(epochs[1]):.0f}",
    }


HEADER = (
    f"{'data':20} {'ours':>8} {'sklearn':>8} {'std.err.':>8} within {'seconds':>8} {'ratio, clock':>12} "
    f"{'processor':>9}  epochs"
)


def line(row: dict[str, Any]) -> str:
    """A data set's row of the table."""
    within = "yes" if row["within"] else "no"
    return (
        f"{row['name']:20} {row['ours']:8.4f} {row['theirs']:8.4f} {row['error']:8.4f} {within:6} "
        f"{row['seconds']:8.3f} {row['clock']:12.2f} {row['processor']:9.2f}  {row['epochs']}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="data sets; all of them by default")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    compared("iris", 1, {"max_iter": 500, "tol": 0.0})  # what a first fit imports and loads
    print(HEADER)
    for name in arguments.names or [*CLASSES, *NUMBERS]:
        print(line(compared(name, arguments.seeds, {})), flush=True)


if __name__ == "__main__":
    main()
