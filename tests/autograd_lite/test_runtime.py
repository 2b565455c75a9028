"""What importing the library does to the process, and how to prevent it."""

import json
import subprocess
import sys

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


def test_full_collections_become_rare_where_the_collector_has_them():
    untouched, _ = probe(AUTOGRAD_LITE_TUNE_MEMORY="0")
    tuned, _ = probe()
    assert tuned == (*untouched[:2], 1000 if untouched[2] else 0)


def test_the_environment_switches_the_tuning_off():
    done = subprocess.run([sys.executable, "-c", "import gc; print(list(gc.get_threshold()))"], capture_output=True)
    thresholds, _ = probe(AUTOGRAD_LITE_TUNE_MEMORY="0")
    assert list(thresholds) == json.loads(done.stdout)


def test_a_programs_own_thresholds_are_left_alone():
    assert probe(before="gc.set_threshold(900, 20, 20)")[0] == (900, 20, 20)


def test_the_import_loads_nothing_heavy():
    _, modules = probe()
    assert not {"graphviz", "tqdm", "matplotlib", "sklearn", "scipy", "urllib3", "torch", "numba"} & set(modules)
