"""The machine code on disk: what is not whole, not of this user or not for these settings is not run."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from autograd_lite.compiler.native import is_installed, loader
from tests.reliability.processes import NOBODY, ROOT, WITHOUT_PRIVILEGES, has_permissions, python, run, small_disk

pytestmark = pytest.mark.skipif(not is_installed(), reason="needs Numba")

FLOAT32 = np.dtype(np.float32)


@pytest.fixture(scope="module")
def compiled():
    """The file of the machine code, which is compiled if it is not there yet."""
    for dtype in loader.DTYPES:
        assert loader.load(dtype) is not None
    path = loader._path(FLOAT32)
    if not path.is_file():
        pytest.skip("the machine code is not kept here")
    return path


@pytest.fixture
def kept(compiled, tmp_path, monkeypatch):
    """A folder of the test's own with the machine code; its file."""
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    for dtype in loader.DTYPES:
        shutil.copy(compiled.with_name(compiled.name.replace("float32", dtype.name)), folder)
    monkeypatch.setenv("AUTOGRAD_LITE_CACHE_DIR", str(folder))
    monkeypatch.setattr(loader, "_MACHINES", {})
    assert loader.is_kept(FLOAT32)
    return folder / compiled.name


def is_run(monkeypatch):
    """Whether the machine code would be loaded; compiling it unasked is a failure."""
    monkeypatch.setattr(loader, "_compiled", lambda dtype: pytest.fail("it is compiled unasked"))
    monkeypatch.setattr(loader, "_MACHINES", {})
    found = loader.at_hand(FLOAT32) is not None
    assert loader.is_kept(FLOAT32) == found
    return found


def test_what_is_whole_and_of_this_user_is_run(kept, monkeypatch):
    assert is_run(monkeypatch)


@pytest.mark.parametrize("length", [0, 31, 32, 40, 1000, -1])
def test_a_truncated_file_is_not_run_and_starts_no_compilation(length, kept, monkeypatch):
    kept.write_bytes(kept.read_bytes()[:length])
    assert not is_run(monkeypatch)


def test_a_file_of_another_signature_is_not_run(kept, monkeypatch):
    shutil.copy(kept.with_name(kept.name.replace("float32", "float64")), kept)
    assert not is_run(monkeypatch)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666, 0o777])
def test_a_file_that_others_can_write_to_is_not_run(mode, kept, monkeypatch):
    kept.chmod(mode)
    assert not is_run(monkeypatch)


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_a_folder_that_others_can_write_to_is_not_used(mode, kept, monkeypatch):
    kept.parent.chmod(mode)
    assert not is_run(monkeypatch)
    kept.unlink()
    with pytest.warns(RuntimeWarning, match="others may write to the folder"):
        loader._write(kept, "name", b"code")
    assert not kept.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("which", ["file", "folder"])
def test_what_is_of_another_user_is_not_run(which, kept, monkeypatch):
    os.chown(kept if which == "file" else kept.parent, NOBODY, NOBODY)
    assert not is_run(monkeypatch)


def test_what_is_written_is_for_this_user_alone_whatever_the_mask(tmp_path):
    before = os.umask(0)
    try:
        loader._write(tmp_path / "new" / "float32-x.bin", "name", b"code")
    finally:
        os.umask(before)
    path = tmp_path / "new" / "float32-x.bin"
    assert [each.stat().st_mode & 0o777 for each in (path, path.parent)] == [0o600, 0o700]
    assert loader._read(path) == ("name", b"code")


def test_nothing_is_left_on_a_full_disk(tmp_path):
    with small_disk(tmp_path, 64) as folder:
        loader._write(folder / "cache" / "float32-x.bin", "name", b"x" * 1_000_000)
        assert not list((folder / "cache").iterdir())


NAME = "from autograd_lite.compiler.native import loader; import numpy; print(loader._path(numpy.dtype('f4')))"


def name_with(**settings):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    found = subprocess.run(python(NAME), env={**environment, **settings}, capture_output=True, text=True, check=True)
    return found.stdout


def test_the_name_has_every_setting_of_numba_that_may_change_code(tmp_path):
    plain = name_with()
    given = ["OPT=0", "LOOP_VECTORIZE=0", "CPU_NAME=generic", "BOUNDSCHECK=1", "NEW_SETTING=1"]
    found = {name_with(**{f"NUMBA_{name}": value}) for name, _, value in (each.partition("=") for each in given)}
    assert len(found | {plain}) == len(given) + 1
    assert name_with(NUMBA_NUM_THREADS="1", NUMBA_CACHE_DIR="/tmp") == plain


def test_settings_that_a_program_makes_are_not_kept_for_others():
    code = """
from autograd_lite.compiler.native import loader
from numba.core import config
assert loader._has_the_settings_of_the_environment()
config.OPT = 0
assert not loader._has_the_settings_of_the_environment()
"""
    subprocess.run(python(code), check=True)


TRAINING = """
import numpy as np, nn
X = np.random.default_rng(0).normal(size=(320, 4)).astype(np.float32)
model = nn.MLP([4, 8, 2], rng=0)
history = nn.fit(model, nn.softmax_cross_entropy, nn.Adam(model.parameters()), (X, (X[:, 0] > 0).astype(int)),
                 epochs=100, batch_size=32, rng=0, progress=False)
assert len(history) == 100
"""


def homes(folder):
    """Environments without a folder for caches that can be used."""
    for name, mode in (("unreadable", 0o000), ("read only", 0o555), ("not to be entered", 0o600)):
        (folder / name / ".cache" / "autograd_lite").mkdir(parents=True)
        (folder / name).chmod(mode)
    return {
        **{name: {"HOME": str(folder / name)} for name in ("unreadable", "read only", "not to be entered")},
        "absent": {"HOME": str(folder / "absent")},
        "a file": {"HOME": "/dev/null"},
        "empty": {"HOME": ""},
        "relative": {"HOME": "here", "XDG_CACHE_HOME": "there"},
        "nowhere": {"HOME": "/proc/1/nothing"},
    }


HOMES = ["unreadable", "read only", "not to be entered", "absent", "a file", "empty", "relative", "nowhere"]


@has_permissions
@pytest.mark.parametrize("home", HOMES)
def test_training_and_the_report_go_on_without_a_home(home, tmp_path):
    environment = {name: value for name, value in os.environ.items() if name not in ("XDG_CACHE_HOME", "HOME")}
    environment.pop("AUTOGRAD_LITE_CACHE_DIR", None)
    environment |= {"PYTHONPATH": str(ROOT), **homes(tmp_path / "homes")[home]}
    (tmp_path / "work").mkdir()
    for command in (python(TRAINING), [sys.executable, "-m", "autograd_lite"]):
        found = subprocess.run(
            [*WITHOUT_PRIVILEGES, *command], env=environment, cwd=tmp_path / "work", capture_output=True, text=True
        )
        assert (found.returncode, found.stderr) == (0, "")
    assert "machine code" in found.stdout
    assert not list((tmp_path / "work").iterdir())
    for each in (tmp_path / "homes").iterdir():
        each.chmod(0o700)


def test_training_and_the_report_go_on_with_a_home_that_is_full(tmp_path):
    with small_disk(tmp_path, 16) as home:
        (home / "full").write_bytes(b"x" * 4096)
        environment = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
        subprocess.run(python(TRAINING), env={**os.environ, **environment}, check=True)
        assert run("autograd_lite", environment=environment).returncode == 0


def test_the_report_says_that_a_folder_is_not_trusted(tmp_path):
    tmp_path.chmod(0o777)
    found = run("autograd_lite", environment={"AUTOGRAD_LITE_CACHE_DIR": str(tmp_path)})
    assert f"{tmp_path}: not run, since others may write to the folder" in found.stdout
