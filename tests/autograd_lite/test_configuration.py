"""`show_config` names what there is, what overrides it, and what that costs."""

import os
import subprocess
import sys

import numpy as np
import pytest

from autograd_lite import configuration, show_config
from autograd_lite.compiler.native import is_installed, loader


def _printed(*arguments, **environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENBLAS_", "OMP_"))}
    done = subprocess.run(
        [sys.executable, "-m", "autograd_lite", *arguments],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_it_names_versions_kernel_threads_and_vector_units():
    sections = show_config("dicts")
    assert sections["NumPy"]["version"] == np.__version__
    assert sections["BLAS"]["vendor"]
    assert int(sections["processor"]["cores"]) >= 1
    assert sections["processor"]["vector units"]
    assert sections["memory"]["allocator"]
    assert sections["Numba"]["version"]


def test_the_command_prints_it():
    printed = _printed()
    for name in ("NumPy", "BLAS", "processor", "memory", "Numba"):
        assert f"\n{name}\n" in f"\n{printed}"
    assert np.__version__ in printed


@pytest.mark.skipif(not is_installed(), reason="needs Numba")
def test_the_command_compiles_the_machine_code():
    printed = _printed("--compile")
    assert f"machine code: {loader.cache_folder()}: float32, float64" in printed
    assert all(map(loader.is_kept, loader.DTYPES))


@pytest.mark.skipif(not is_installed(), reason="needs Numba")
def test_machine_code_that_is_not_there_is_named_with_what_compiles_it(tmp_path):
    printed = _printed(AUTOGRAD_LITE_CACHE_DIR=str(tmp_path))
    assert f"machine code: {tmp_path}: none yet; python -m autograd_lite --compile" in printed


def test_without_numba_the_command_says_what_it_needs_to_compile():
    program = "import runpy, sys; sys.modules['numba'] = None; runpy.run_module('autograd_lite', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", program, "--compile"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--compile needs Numba; pip install 'autograd_lite[jit]'" in done.stderr


def test_variables_that_override_something_are_named_with_what_they_override():
    printed = _printed(OPENBLAS_NUM_THREADS="1", AUTOGRAD_LITE_TUNE_MEMORY="0")
    assert "OPENBLAS_NUM_THREADS: 1: the threads of OpenBLAS" in printed
    assert "page faults" in printed


def test_the_environment_is_left_as_it_is():
    before = dict(os.environ)
    show_config("dicts")
    assert dict(os.environ) == before


@pytest.mark.skipif(
    "X86_V4" not in show_config("dicts")["processor"]["vector units"] or "kernel" not in show_config("dicts")["BLAS"],
    reason="needs a processor with 512 bits, and OpenBLAS",
)
def test_a_kernel_below_the_processor_is_said_with_what_it_costs():
    printed = _printed(OPENBLAS_CORETYPE="Haswell")
    assert "! BLAS runs its Haswell kernels" in printed
    assert "because OPENBLAS_CORETYPE=Haswell pins them" in printed
    assert "GFLOP/s with it and at" in printed
    assert "! BLAS runs" not in _printed()


@pytest.mark.parametrize(
    ("kernel", "units", "is_below"),
    [
        ("Haswell", "X86_V2 X86_V3 X86_V4", True),
        ("SkylakeX", "X86_V2 X86_V3 X86_V4", False),
        ("Haswell", "X86_V2 X86_V3", False),
        ("Nehalem", "SSE3 AVX2", True),
        ("neoversen1", "NEON ASIMD", False),
    ],
)
def test_which_kernels_are_below_which_processors(monkeypatch, kernel, units, is_below):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    sections = {
        "BLAS": {"kernel": kernel}, "processor": {"vector units": units, "cores": "2"}, "environment": {},
    }  # fmt: skip
    assert any("kernels" in remark for remark in configuration._remarks(sections)) == is_below


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="mode='text' is unknown"):
        show_config("text")
