"""Files that are written: completely or not at all, whatever stands in their place, and whatever happens meanwhile."""

import os
import random
import resource
import signal
import stat
import subprocess
import threading
import time
from pathlib import Path

import pytest

import nn
from autograd_lite import Tensor
from autograd_lite.draw import draw_graph, save_graph
from autograd_lite.files import ABANDONED_SECONDS, check_writable, replacing, write_atomically
from tests.reliability.processes import NOBODY, WITHOUT_PRIVILEGES, has_permissions, python, small_disk

MODEL = nn.MLP([3, 4, 2], rng=0)


def history():
    found = nn.History()
    found.add_epoch({"epoch": 1, "loss": 0.5})
    return found


WRITERS = {
    "weights.safetensors": lambda path: nn.save_weights(MODEL, path),
    "history.csv": lambda path: history().to_csv(path),
    "history.json": lambda path: history().to_json(path),
    "graph.dot": lambda path: save_graph(draw_graph(Tensor(2.0, requires_grad=True) * 3), path),
    "bytes": lambda path: write_atomically(Path(path), b"contents"),
}
every_writer = pytest.mark.parametrize("name", WRITERS)


@every_writer
def test_a_symbolic_link_stays_and_its_target_is_written(name, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / name
    link.symlink_to(Path("elsewhere") / "target")  # which is not there yet
    for _ in range(2):
        WRITERS[name](link)
        assert link.is_symlink()
        assert (tmp_path / "elsewhere" / "target").stat().st_size
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["target"]


@every_writer
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o666])
def test_permissions_and_owner_of_an_older_file_stay(name, mode, tmp_path):
    path = tmp_path / name
    path.write_bytes(b"old")
    path.chmod(mode)
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)
    before = path.stat()
    WRITERS[name](path)
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert path.read_bytes() != b"old"


def test_a_new_file_has_the_permissions_that_the_mask_allows(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "new", b"")
        write_atomically(tmp_path / "secret", b"", mode=0o600)
    finally:
        os.umask(before)
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("new", "secret")] == [0o640, 0o600]


def test_contents_of_a_private_file_are_private_while_they_are_written(tmp_path):
    path = tmp_path / "private"
    path.write_bytes(b"old")
    path.chmod(0o600)
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()} == {0o600}


@every_writer
def test_a_pipe_is_written_into(name, tmp_path):
    path = tmp_path / name
    os.mkfifo(path)
    read = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    WRITERS[name](path)
    reader.join(20)
    assert read[0]
    assert stat.S_ISFIFO(path.lstat().st_mode)


@every_writer
def test_a_device_is_written_into(name, tmp_path):
    path = tmp_path / name
    if os.geteuid() == 0:  # a device that the test may break; only root can make one
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    else:
        path.symlink_to("/dev/null")
    WRITERS[name](path)
    assert stat.S_ISCHR(path.stat().st_mode)
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_standard_output_as_a_file_is_appended_to(tmp_path):
    log = tmp_path / "log"
    log.write_text("before\n")
    code = "from pathlib import Path; from autograd_lite.files import *; p = Path('/dev/stdout'); check_writable(p)\n"
    code += "write_atomically(p, b'written\\n'); write_atomically(Path('/proc/self/fd/1'), b'again\\n')"
    with log.open("ab") as file:
        subprocess.run(python(code), stdout=file, check=True)
    assert log.read_text() == "before\nwritten\nagain\n"


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127, "."])
def test_a_name_may_be_as_long_as_the_system_allows(name, tmp_path):
    if name == ".":
        with pytest.raises(IsADirectoryError):
            write_atomically(tmp_path / name, b"new")
        return
    write_atomically(tmp_path / name, b"new")
    assert (tmp_path / name).read_bytes() == b"new"


def test_links_in_a_circle_are_an_error_and_stay(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match=r"symbolic links.*a'"):
        write_atomically(tmp_path / "a", b"new")
    assert (tmp_path / "a").is_symlink()


@has_permissions
def test_what_a_user_may_not_write_is_refused_with_its_name(tmp_path):
    (tmp_path / "read only").write_bytes(b"old")
    (tmp_path / "read only").chmod(0o444)
    (tmp_path / "closed").mkdir(mode=0o555)
    (tmp_path / "unreadable").mkdir(mode=0o333)
    (tmp_path / "unreadable").chmod(0o333)
    code = """
from pathlib import Path
from autograd_lite.files import check_writable, write_atomically
folder = Path(sys.argv[1])
for name in ("read only", "closed/new", "missing/new"):
    for function in (check_writable, lambda path: write_atomically(path, b"new")):
        try:
            function(folder / name)
        except OSError as error:
            assert name in str(error), error
        else:
            sys.exit(f"{name} was written")
check_writable(folder / "unreadable" / "new")
write_atomically(folder / "unreadable" / "new", b"new")
"""
    found = subprocess.run([*WITHOUT_PRIVILEGES, *python(code, tmp_path)], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert (tmp_path / "read only").read_bytes() == b"old"
    assert (tmp_path / "unreadable" / "new").read_bytes() == b"new"


def test_a_check_leaves_nothing_and_changes_nothing(tmp_path):
    (tmp_path / "old").write_bytes(b"old")
    before = (tmp_path / "old").stat()
    for name in ("old", "new"):
        check_writable(tmp_path / name)
    assert (tmp_path / "old").stat() == before
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_what_a_killed_process_left_is_removed_after_a_day_and_other_files_stay(tmp_path):
    left, young = tmp_path / ".weights.safetensors.0123abcd.part", tmp_path / ".other.4567cdef.part"
    mine = [
        tmp_path / name for name in (".notes.part", "x.0123abcd.part", ".notes.0123ABCD.part", ".a.0123abcd.part.b")
    ]
    for path in (left, young, *mine):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - 2 * ABANDONED_SECONDS,) * 2)
    os.utime(young)
    write_atomically(tmp_path / "new", b"new")
    assert {path.name for path in tmp_path.iterdir()} == {"new", young.name, *(path.name for path in mine)}


@every_writer
def test_a_file_that_grows_too_large_leaves_the_older_one(name, tmp_path):
    """The system's limit of a file's size stands for a full disk where none can be mounted."""
    path = tmp_path / name
    path.write_bytes(b"old")
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4, before[1][1]))
    try:
        with pytest.raises(OSError, match=name) as caught:
            WRITERS[name](path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before[1])
        signal.signal(signal.SIGXFSZ, before[0])
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_a_full_disk_leaves_the_older_file_and_nothing_else(tmp_path):
    with small_disk(tmp_path, 256) as folder:
        path = folder / "weights.safetensors"
        nn.save_weights(MODEL, path)
        old = path.read_bytes()
        large = nn.MLP([100, 1000, 2], rng=0)
        with pytest.raises(OSError, match="No space left on device") as caught:
            nn.save_weights(large, path)
        assert caught.value.filename == str(path)
        assert path.read_bytes() == old
        assert [each.name for each in folder.iterdir()] == [path.name]


KILLED = """
from pathlib import Path
from autograd_lite.files import write_atomically
contents = [bytes([i]) * 200_000 for i in range(256)]
print("begun", flush=True)
while True:
    for data in contents:
        write_atomically(Path(sys.argv[1]), data)
"""


def test_a_process_that_is_killed_leaves_one_contents_or_another_and_stale_parts_are_cleared(tmp_path, rounds):
    path = tmp_path / "file"
    draw = random.Random(0)
    for _ in range(rounds(8)):
        with subprocess.Popen(python(KILLED, path), stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            time.sleep(draw.uniform(0, 0.02))
            process.kill()
        if path.exists():
            contents = path.read_bytes()
            assert len(contents) == 200_000
            assert len(set(contents)) == 1
    for left in tmp_path.iterdir():
        os.utime(left, (0, 0))
    write_atomically(path, b"whole")
    assert [left.name for left in tmp_path.iterdir()] == ["file"]


def test_processes_that_write_one_file_leave_one_of_their_contents(tmp_path):
    path = tmp_path / "file"
    writers = [subprocess.Popen(python(KILLED, path), stdout=subprocess.PIPE) for _ in range(4)]
    try:
        for writer in writers:
            writer.stdout.readline()
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline:
            if path.exists():
                contents = path.read_bytes()
                assert len(contents) == 200_000
                assert len(set(contents)) == 1
        assert all(writer.poll() is None for writer in writers)
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()


def test_an_error_within_the_block_leaves_the_older_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail():
        with replacing(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
