"""Data that are larger than memory: they stay in their files, and training needs memory for its batches alone."""

import struct
import subprocess
import sys

import numpy as np
import pytest

import nn

PROGRAM = """
import sys
import numpy as np
import nn

def anonymous():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon")) / 1024

kind, path, how = sys.argv[1:]
X = np.load(path, mmap_mode="r") if kind == "npy" else nn.data.read_idx(path, mmap=True)
y = np.arange(len(X)) % 3
model = nn.Sequential(lambda x: np.asarray(x, np.float32).reshape(len(x), -1), nn.Dense(500, 3, rng=0))
if how == "compiled":
    model = nn.Dense(500, 3, rng=0)
optimizer = nn.SGD(model.parameters(), lr=0.1)
loss = nn.softmax_cross_entropy
nn.fit(model, loss, optimizer, (X[:500], y[:500]), epochs=1, batch_size=100, progress=False, compile=how == "compiled")
before = anonymous()
history = nn.fit(
    model, loss, optimizer, (X, y), (X[:5000], y[:5000]), epochs=1, batch_size=100, progress=False,
    compile=how == "compiled",
)
print(anonymous() - before, X.nbytes / 2**20, len(history.steps["loss"]))
"""


def _write_npy(path):
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(60_000, 500))
    array[::1000] = 1
    array.flush()


def _write_idx(path):
    path.write_bytes(bytes([0, 0, 0x0D, 2]) + struct.pack(">2I", 60_000, 500))
    with path.open("r+b") as file:
        file.truncate(12 + 60_000 * 500 * 4)


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's figures of memory")
@pytest.mark.parametrize("how", ["eager", "compiled"])
@pytest.mark.parametrize(("kind", "write"), [("npy", _write_npy), ("idx", _write_idx)], ids=["npy", "idx"])
def test_training_needs_memory_for_its_batches_alone(tmp_path, kind, write, how):
    path = tmp_path / f"data.{kind}"
    write(path)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, kind, str(path), how], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    grown, whole, steps = map(float, done.stdout.split())
    assert steps == 600
    assert whole > 110
    assert grown < whole / 5


def test_a_mapped_idx_file_holds_what_the_file_holds(tmp_path):
    path = tmp_path / "pairs"
    path.write_bytes(bytes([0, 0, 0x0B, 2, 0, 0, 0, 2, 0, 0, 0, 1]) + bytes([1, 0, 255, 255]))
    mapped = nn.data.read_idx(path, mmap=True)
    assert isinstance(mapped, np.memmap)
    np.testing.assert_array_equal(mapped, nn.data.read_idx(path))
    (tmp_path / "none").write_bytes(bytes([0, 0, 0x08, 1, 0, 0, 0, 0]))
    assert nn.data.read_idx(tmp_path / "none", mmap=True).shape == (0,)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\x1f\x8b\x08\x00", "is gzipped and cannot be mapped"),
        (bytes([0, 0, 0x08, 1, 0, 0, 0, 9, 1]), "truncated"),
        (b"text", "is not an IDX file"),
    ],
)
def test_a_file_that_cannot_be_mapped_says_why(tmp_path, content, message):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(nn.data.DataFileError, match=message):
        nn.data.read_idx(path, mmap=True)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        nn.data.read_idx(tmp_path / "missing", mmap=True)
