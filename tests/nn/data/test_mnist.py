"""IDX files, MNIST from a folder, and its download into the cache."""

import gzip
import hashlib
import http.server
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nn.data import DataFileError, DownloadError, load_mnist, read_idx
from nn.data.mnist import _CHECKSUMS, _cache_folder, _download, _from_cache

IDX_CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx(array):
    code = IDX_CODES[array.dtype.str[1:]]
    header = struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


# IDX files


@given(
    array=st.sampled_from(sorted(IDX_CODES)).flatmap(
        lambda code: hnp.arrays(code, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4))
    ),
    compressed=st.booleans(),
)
def test_what_was_written_is_read(tmp_path_factory, array, compressed):
    path = tmp_path_factory.getbasetemp() / "array"
    path.write_bytes(gzip.compress(idx(array)) if compressed else idx(array))
    result = read_idx(path)
    np.testing.assert_array_equal(result, array)
    assert result.shape == array.shape
    assert result.dtype == array.dtype
    assert result.dtype.isnative


def test_the_result_is_writable(tmp_path):
    (tmp_path / "array").write_bytes(idx(np.zeros(3, "u1")))
    result = read_idx(str(tmp_path / "array"))
    result[:] = 1
    assert result.sum() == 3


@pytest.mark.parametrize("size", range(1, 20))
def test_a_file_cut_anywhere_is_refused_by_name(tmp_path, size):
    path = tmp_path / "cut"
    path.write_bytes(idx(np.arange(8, dtype="i1").reshape(2, 4))[:size])
    with pytest.raises(DataFileError, match=f"{path} is (no IDX file|truncated)"):
        read_idx(path)


@pytest.mark.parametrize("size", range(2, 100, 7))
def test_gzip_data_cut_anywhere_are_refused_by_name(tmp_path, size):
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(idx(np.arange(100, dtype="u1")))[:size])
    with pytest.raises(DataFileError, match=f"{path}: corrupt or truncated gzip data"):
        read_idx(path)


def test_flipped_gzip_data_are_refused(tmp_path):
    data = bytearray(gzip.compress(idx(np.arange(100, dtype="u1"))))
    data[-6] ^= 0xFF  # within the CRC
    (tmp_path / "a.gz").write_bytes(data)
    with pytest.raises(DataFileError, match=r"a\.gz: corrupt or truncated gzip data \(CRC check failed"):
        read_idx(tmp_path / "a.gz")


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"", "is empty"),
        (gzip.compress(b""), "is empty"),
        (b"\x89PNG\r\n\x1a\n", "begins with the bytes 89 50 4e 47, where 00 00, a type"),
        (bytes([0, 0, 0x0A, 1, 0, 0, 0, 0]), "is no IDX file"),
        (bytes([0, 0, 8, 0]), "is no IDX file"),
        (bytes([0, 0, 8, 2, 0, 0, 0, 1]), "8 bytes, and a header of 2 dimensions takes 12"),
        (idx(np.zeros((2, 3), "f4"))[:-1], r"truncated: 35 bytes .*\(shape \(2, 3\) of float32\) demands 36"),
        (idx(np.zeros((2, 3), "u1")) + b"\0", r"too long: 19 bytes .* demands 18"),
        (bytes([0, 0, 8, 4]) + bytes(4) + b"\xff" * 12, "NumPy cannot hold"),
        (bytes([0, 0, 8, 65]) + bytes(4 * 65), "NumPy cannot hold"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_contents_that_are_no_whole_idx_file_are_refused(tmp_path, contents, message):
    (tmp_path / "foreign").write_bytes(contents)
    with pytest.raises(DataFileError, match=f"foreign.* {message}"):
        read_idx(tmp_path / "foreign")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"there is no file {tmp_path / 'absent'}"):
        read_idx(tmp_path / "absent")


def test_a_folder_is_no_idx_file(tmp_path):
    with pytest.raises(IsADirectoryError, match=f"{tmp_path} is a folder"):
        read_idx(tmp_path)


# MNIST in a folder


@pytest.fixture
def small_mnist(tmp_path):
    """Give a folder with 12 training and 5 test images, and the arrays in it by file name."""
    rng = np.random.default_rng(0)
    arrays = {}
    for part, count in (("train", 12), ("t10k", 5)):
        arrays[f"{part}-images-idx3-ubyte"] = rng.integers(0, 256, (count, 28, 28), np.uint8)
        arrays[f"{part}-labels-idx1-ubyte"] = rng.integers(0, 10, count, np.uint8)
    folder = tmp_path / "small"
    folder.mkdir()
    for name, array in arrays.items():
        (folder / name).write_bytes(idx(array))
    return folder, arrays


def test_pixels_are_scaled_to_one(small_mnist):
    folder, arrays = small_mnist
    mnist = load_mnist(folder)
    expected = arrays["train-images-idx3-ubyte"].reshape(12, 784) / np.float32(255)
    np.testing.assert_array_equal(mnist.train_images, expected)
    assert mnist.train_images.dtype == np.float32


def test_uint8_gives_the_raw_pixels(small_mnist):
    folder, arrays = small_mnist
    mnist = load_mnist(folder, flatten=False, dtype=np.uint8)
    np.testing.assert_array_equal(mnist.test_images, arrays["t10k-images-idx3-ubyte"])
    assert mnist.test_images.dtype == np.uint8


@pytest.mark.parametrize("dtype", [np.float16, np.float32, "float64"])
def test_dtype_is_that_of_the_images(small_mnist, dtype):
    assert load_mnist(small_mnist[0], dtype=dtype).test_images.dtype == dtype


@pytest.mark.parametrize(("flatten", "shape"), [(True, (5, 784)), (False, (5, 28, 28))])
def test_flatten_decides_the_shape(small_mnist, flatten, shape):
    assert load_mnist(small_mnist[0], flatten=flatten).test_images.shape == shape


def test_labels_are_int64(small_mnist):
    folder, arrays = small_mnist
    mnist = load_mnist(folder)
    assert (mnist.train_labels.dtype, mnist.test_labels.dtype) == (np.int64, np.int64)
    np.testing.assert_array_equal(mnist.train_labels, arrays["train-labels-idx1-ubyte"])


@pytest.mark.parametrize("form", ["{}", "{}.gz", "dotted", "dotted.gz"])
def test_the_usual_file_names_are_found(small_mnist, form):
    folder, arrays = small_mnist
    for name, array in arrays.items():
        (folder / name).unlink()
        usual = form.replace("dotted", name.replace("-idx", ".idx")).format(name)
        (folder / usual).write_bytes(gzip.compress(idx(array)) if usual.endswith(".gz") else idx(array))
    assert len(load_mnist(folder).train_labels) == 12


def test_the_environment_names_the_folder(small_mnist, monkeypatch):
    monkeypatch.setenv("AUTOGRAD_LITE_MNIST", str(small_mnist[0]))
    assert len(load_mnist().train_labels) == 12


def test_root_goes_before_the_environment(small_mnist, monkeypatch):
    monkeypatch.setenv("AUTOGRAD_LITE_MNIST", "/nowhere")
    assert len(load_mnist(small_mnist[0]).train_labels) == 12


def test_a_missing_folder_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOGRAD_LITE_MNIST", str(tmp_path / "absent"))
    with pytest.raises(FileNotFoundError, match=f"{tmp_path / 'absent'} .*AUTOGRAD_LITE_MNIST"):
        load_mnist()


@pytest.mark.parametrize("name", _CHECKSUMS)
def test_a_missing_file_is_named_with_its_folder(small_mnist, name):
    folder, _ = small_mnist
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"{name} is not in {folder}"):
        load_mnist(folder)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("train-images-idx3-ubyte", np.zeros((12, 28, 27), "u1"), r"uint8 of shape \(12, 28, 27\); images"),
        ("train-images-idx3-ubyte", np.zeros((12, 28, 28), "i1"), r"int8 of shape \(12, 28, 28\); images"),
        ("t10k-images-idx3-ubyte", np.zeros((5, 784), "u1"), r"shape \(5, 784\); images"),
        ("t10k-images-idx3-ubyte", np.zeros((6, 28, 28), "u1"), "holds 6 images, .*t10k-labels.* 5 labels"),
        ("train-labels-idx1-ubyte", np.zeros(12, "i4"), r"int32 of shape \(12,\); labels"),
        ("train-labels-idx1-ubyte", np.zeros((12, 1), "u1"), r"shape \(12, 1\); labels"),
        ("t10k-labels-idx1-ubyte", np.array([0, 9, 10, 0, 11], "u1"), "label 10 at index 2"),
        ("t10k-labels-idx1-ubyte", np.array([0, 9, 0, 0, 10], "u1"), "label 10 at index 4"),
    ],
)
def test_arrays_not_in_the_form_of_mnist_are_refused_by_file(small_mnist, name, array, message):
    folder, _ = small_mnist
    (folder / name).write_bytes(idx(array))
    with pytest.raises(DataFileError, match=f"{folder / name}.*{message}"):
        load_mnist(folder)


@pytest.mark.parametrize("dtype", [np.int64, bool, complex, "S4", "no such type"])
def test_dtypes_that_cannot_hold_pixels_are_refused(small_mnist, dtype):
    with pytest.raises(TypeError, match="dtype must be floating"):
        load_mnist(small_mnist[0], dtype=dtype)


def test_no_socket_is_opened_when_the_files_are_there(small_mnist):
    program = (
        "import sys\n"
        "from nn.data import load_mnist\n"
        "def refuse(event, arguments):\n"
        "    assert not event.startswith(('socket.', 'urllib.')), event\n"
        "sys.addaudithook(refuse)\n"
        f"print(len(load_mnist({str(small_mnist[0])!r}).train_labels))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert (run.stdout, run.stderr) == ("12\n", "")


# The real MNIST


@pytest.fixture(scope="module")
def real_mnist(mnist_root):
    return load_mnist(mnist_root)


def test_mnist_has_its_published_sizes(real_mnist):
    assert [array.shape for array in real_mnist] == [(60_000, 784), (60_000,), (10_000, 784), (10_000,)]


def test_mnist_has_its_published_mean_and_deviation(real_mnist):
    pixels = real_mnist.train_images
    assert (pixels.min(), pixels.max()) == (0, 1)
    assert np.mean(pixels, dtype=np.float64) == pytest.approx(0.1307, abs=5e-5)
    assert np.std(pixels, dtype=np.float64) == pytest.approx(0.3081, abs=5e-5)


def test_mnist_begins_with_its_well_known_digits(real_mnist):
    assert real_mnist.train_labels[:8].tolist() == [5, 0, 4, 1, 9, 2, 1, 3]
    assert real_mnist.test_labels[:8].tolist() == [7, 2, 1, 0, 4, 1, 4, 9]


def test_a_filled_cache_is_used(mnist_root, real_mnist, tmp_path, monkeypatch):
    monkeypatch.delenv("AUTOGRAD_LITE_MNIST", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache = tmp_path / "autograd_lite" / "mnist"
    cache.mkdir(parents=True)
    for name in _CHECKSUMS:
        source = next(path for path in (mnist_root / f"{name}.gz", mnist_root / name) if path.exists())
        shutil.copyfile(source, cache / f"{name}.gz")
    np.testing.assert_array_equal(load_mnist().test_images, real_mnist.test_images)


# The download

NAME = "t10k-labels-idx1-ubyte.gz"
RAW = idx(np.arange(200, dtype="u1"))
GOOD = gzip.compress(RAW)
CHECKSUM = hashlib.sha256(RAW).hexdigest()


class Mirrors(http.server.ThreadingHTTPServer):
    """An HTTP server on 127.0.0.1; the first part of the path says how it serves the one file."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), MirrorHandler)
        self.requests = []

    def __getitem__(self, behaviour):
        return f"http://127.0.0.1:{self.server_port}/{behaviour}/"


class MirrorHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        behaviour, name = self.path.strip("/").split("/")
        self.server.requests.append((behaviour, name))
        getattr(self, behaviour)()

    def send(self, body, length=None):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def good(self):
        self.send(GOOD)

    def raw(self):
        self.send(RAW)

    def unannounced(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(GOOD)

    def cut(self):
        self.send(GOOD[:20], length=len(GOOD))

    def cut_unannounced(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(GOOD[:20])

    def wrong(self):
        self.send(gzip.compress(RAW + b"\0"))

    def page(self):
        self.send(b"<html>Log in to the network</html>")

    def absent(self):
        self.send_error(404)

    def nonsense(self):
        self.wfile.write(b"nonsense\r\n\r\n")

    def interrupt(self):
        self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: 1000\r\n\r\n" + GOOD[:20])
        self.wfile.flush()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        self.rfile.read(1)  # until the client hangs up

    def log_message(self, *_):
        pass


@pytest.fixture
def mirrors(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Mirrors() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


FAILURES = {
    "cut": r"bytes",
    "cut_unannounced": "corrupt or truncated gzip data",
    "wrong": f"SHA-256 of the raw bytes is [0-9a-f]{{64}}, and {CHECKSUM} is expected",
    "page": "SHA-256",
    "absent": "HTTP Error 404",
    "nonsense": "nonsense",
}


@pytest.mark.parametrize("behaviour", ["good", "raw", "unannounced"])
def test_a_download_puts_the_file_into_the_folder(mirrors, tmp_path, behaviour):
    folder = tmp_path / "new" / "cache"
    assert _download(NAME, CHECKSUM, [mirrors[behaviour]], folder) == RAW
    assert [path.name for path in folder.iterdir()] == [NAME]
    np.testing.assert_array_equal(read_idx(folder / NAME), np.arange(200))


@pytest.mark.parametrize("behaviour", FAILURES)
def test_the_next_mirror_serves_when_the_first_fails(mirrors, tmp_path, behaviour):
    assert _download(NAME, CHECKSUM, [mirrors[behaviour], mirrors["good"]], tmp_path) == RAW
    assert mirrors.requests == [(behaviour, NAME), ("good", NAME)]
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize("behaviour", FAILURES)
def test_a_failing_download_leaves_no_file(mirrors, tmp_path, behaviour):
    with pytest.raises(DownloadError, match=f"{mirrors[behaviour]}{NAME}: .*{FAILURES[behaviour]}"):
        _download(NAME, CHECKSUM, [mirrors[behaviour]], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_error_lists_every_mirror_and_says_what_to_do(mirrors, tmp_path):
    with pytest.raises(DownloadError) as caught:
        _download(NAME, CHECKSUM, [mirrors["absent"], mirrors["wrong"]], tmp_path)
    first, absent, wrong, advice = str(caught.value).splitlines()
    assert first == f"no mirror delivered {NAME}:"
    assert absent.strip() == f"{mirrors['absent']}{NAME}: HTTP Error 404: Not Found"
    assert wrong.strip().startswith(f"{mirrors['wrong']}{NAME}: ")
    assert "set AUTOGRAD_LITE_MNIST" in advice
    assert all(name in advice for name in _CHECKSUMS)


def test_a_mirror_that_does_not_answer_is_a_failure(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        mirror = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(DownloadError, match=f"{mirror}{NAME}: .*refused"):
            _download(NAME, CHECKSUM, [mirror], tmp_path)


def test_a_failing_download_leaves_an_existing_file_alone(mirrors, tmp_path):
    (tmp_path / NAME).write_bytes(GOOD)
    with pytest.raises(DownloadError):
        _download(NAME, CHECKSUM, [mirrors["cut"], mirrors["wrong"]], tmp_path)
    assert (tmp_path / NAME).read_bytes() == GOOD
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.skipif(sys.platform == "win32", reason="signals a thread")
def test_an_interrupted_download_leaves_no_file_and_asks_no_other_mirror(mirrors, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        _download(NAME, CHECKSUM, [mirrors["interrupt"], mirrors["good"]], tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert [behaviour for behaviour, _ in mirrors.requests] == ["interrupt"]


def test_a_file_that_cannot_be_put_in_place_leaves_no_temporary_one(mirrors, tmp_path):
    (tmp_path / NAME / "in the way").mkdir(parents=True)
    with pytest.raises(OSError, match=NAME) as caught:
        _download(NAME, CHECKSUM, [mirrors["good"], mirrors["good"]], tmp_path)
    assert not isinstance(caught.value, DownloadError)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert len(mirrors.requests) == 1


# The cache


def test_a_good_file_in_the_cache_asks_no_mirror(mirrors, tmp_path):
    (tmp_path / NAME).write_bytes(GOOD)
    assert _from_cache(NAME, CHECKSUM, [mirrors["good"]], tmp_path) == (tmp_path / NAME, RAW)
    assert mirrors.requests == []


@pytest.mark.parametrize("present", [None, b"", GOOD[:-9], gzip.compress(RAW[:-1] + b"\0"), b"\0" * 30])
def test_a_missing_or_corrupt_file_in_the_cache_is_downloaded(mirrors, tmp_path, present):
    if present is not None:
        (tmp_path / NAME).write_bytes(present)
    assert _from_cache(NAME, CHECKSUM, [mirrors["good"]], tmp_path) == (tmp_path / NAME, RAW)
    assert (tmp_path / NAME).read_bytes() == GOOD


def test_the_cache_is_where_xdg_cache_home_says(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert _cache_folder() == tmp_path / "autograd_lite" / "mnist"


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="these have places of their own")
def test_the_cache_is_in_the_home_folder_without_xdg_cache_home(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert _cache_folder() == tmp_path / ".cache" / "autograd_lite" / "mnist"
