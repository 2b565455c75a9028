"""What importing the library does to the process, and how to prevent it."""

import json
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
    import os

    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(before=before)],
        env={**os.environ, **environment}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    thresholds, modules = json.loads(done.stdout)
    return tuple(thresholds), modules


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="the incremental collector has no such threshold")
def test_full_collections_become_rare():
    assert probe()[0] == (700, 10, 1000)


def test_the_environment_switches_the_tuning_off():
    import gc

    thresholds, _ = probe(AUTOGRAD_LITE_TUNE_MEMORY="0")
    assert thresholds[2] == 10 if sys.version_info < (3, 14) else thresholds == gc.get_threshold()


def test_a_programs_own_thresholds_are_left_alone():
    assert probe(before="gc.set_threshold(900, 20, 20)")[0] == (900, 20, 20)


def test_the_import_loads_nothing_heavy():
    _, modules = probe()
    assert not {"graphviz", "tqdm", "matplotlib", "sklearn", "scipy", "urllib3", "torch", "numba"} & set(modules)
