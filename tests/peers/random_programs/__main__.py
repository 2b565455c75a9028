"""Hold random programs against differences, peers and the library itself: ``python -m tests.peers.random_programs``."""

import argparse
import os
import re
import secrets
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

for threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(threads, "1")  # the processes share the cores

from .search import COMPILED, PEERS, Outcome, hold_programs  # noqa: E402 - NumPy reads the variables when it is imported

TOGETHER = 20
"""How many programs a process is given at a time."""
PARTS = 25
"""How many times a process is given programs before a new one takes its place: what JAX compiled stays in memory."""


def options() -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(prog="python -m tests.peers.random_programs", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="how many programs (200)")
    parser.add_argument("--seed", type=int, help="of the first run; a new one, which is printed, if it is left out")
    parser.add_argument("--first", type=int, default=0, help="the number of the first program (0)")
    parser.add_argument("--only", help="the seed of one program, as it was printed: [0, 17]")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes (one for each core)")
    parser.add_argument("--without", action="append", default=[], choices=PEERS, help="a peer that is not installed")
    parser.add_argument("--thorough", action="store_true", help=f"all {len(COMPILED)} ways of compiling each program")
    parser.add_argument("--as-drawn", action="store_true", help="print what fails as it was drawn")
    return parser.parse_args()


def main() -> int:
    """Run the command; the status is 1 if a program fails."""
    given = options()
    peers = [peer for peer in PEERS if peer not in given.without]
    if given.only:
        seeds = [[int(number) for number in re.findall(r"\d+", given.only)]]
    else:
        seed = secrets.randbelow(2**31) if given.seed is None else given.seed
        print(f"{given.count} random programs, --seed {seed}", flush=True)
        seeds = [[seed, number] for number in range(given.first, given.first + given.count)]
    start, total = time.monotonic(), Outcome()
    parts = [seeds[i : i + TOGETHER] for i in range(0, len(seeds), TOGETHER)]
    # A pool with max_tasks_per_child can wait for ever when a process retires (CPython issue 115634): pools retire.
    for first in range(0, len(parts), PARTS * given.jobs):
        with ProcessPoolExecutor(given.jobs, get_context("spawn")) as pool:
            running = [
                pool.submit(hold_programs, part, peers, given.thorough, not given.as_drawn)
                for part in parts[first : first + PARTS * given.jobs]
            ]
            for done in as_completed(running):
                outcome = done.result()
                total += outcome
                for failure in outcome.failures:
                    print(f"\n{failure}", flush=True)
    report(total, time.monotonic() - start)
    return 1 if total.failures else 0


def report(total: Outcome, seconds: float) -> None:
    """Print what was compared, and what was not, with the reasons."""
    print(f"\n{total.programs} programs in {seconds:.0f} s, {len(total.failures)} that fail")
    print("compared, with milliseconds of processor time each:")
    for check in total.seconds:
        count = total.compared[check]
        print(f"{count:7d} {1e3 * total.seconds[check] / max(count, 1):6.0f} {check}")
    print("left out:")
    for reason, count in total.left_out.most_common(40):
        print(f"{count:7d} {reason}")


if __name__ == "__main__":
    sys.exit(main())
