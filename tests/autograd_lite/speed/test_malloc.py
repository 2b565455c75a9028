"""What importing the library does to the process, and how to prevent it."""

import json
import os
import platform
import subprocess
import sys

import pytest

PROBE = """
import gc, json, os, sys
{before}
import autograd_lite, nn
print(json.dumps([gc.get_threshold(), sorted(m for m in sys.modules if "." not in m)]))
"""


def probe(before="", **environment):
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(before=before)],
        env={**os.environ, **environment}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    thresholds, modules = json.loads(done.stdout)
    return tuple(thresholds), modules


def test_collections_become_rare_where_the_collector_has_generations():
    untouched, _ = probe(AUTOGRAD_LITE_TUNE_MEMORY="0")
    tuned, _ = probe()
    assert tuned == ((2000, 10, 1000) if untouched[2] else untouched)


def test_the_environment_switches_the_tuning_off():
    done = subprocess.run([sys.executable, "-c", "import gc; print(list(gc.get_threshold()))"], capture_output=True)
    thresholds, _ = probe(AUTOGRAD_LITE_TUNE_MEMORY="0")
    assert list(thresholds) == json.loads(done.stdout)


def test_a_programs_own_thresholds_are_left_alone():
    assert probe(before="gc.set_threshold(900, 20, 20)")[0] == (900, 20, 20)


def test_the_import_loads_nothing_heavy():
    _, modules = probe()
    assert not {"graphviz", "tqdm", "matplotlib", "sklearn", "scipy", "urllib3", "torch", "numba"} & set(modules)


FAULTS = """
import resource
import numpy as np
import autograd_lite
array = np.ones(1 << 20)
def step():
    return sum(float(temporary[0]) for temporary in [array + i for i in range(8)])
for _ in range(3):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_large_temporaries_stop_to_page_fault():
    if not sys.platform.startswith("linux") or platform.libc_ver()[0] != "glibc":
        pytest.skip("the allocator is not glibc's")

    def faults(tune):
        done = subprocess.run(
            [sys.executable, "-c", FAULTS],
            env={**os.environ, "AUTOGRAD_LITE_TUNE_MEMORY": tune}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return int(done.stdout)

    assert faults("1") < 100 < faults("0")
