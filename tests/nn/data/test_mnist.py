"""IDX files, and MNIST from a folder."""

import gzip
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nn.data import DataFileError, load_mnist, read_idx
from nn.data.mnist import _CHECKSUMS

from .idx import IDX_CODES, idx

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
    with pytest.raises(DataFileError, match=f"{path} is (not an IDX file|truncated)"):
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
        (bytes([0, 0, 0x0A, 1, 0, 0, 0, 0]), "is not an IDX file"),
        (bytes([0, 0, 8, 0]), "is not an IDX file"),
        (bytes([0, 0, 8, 2, 0, 0, 0, 1]), "8 bytes, but a header of 2 dimensions takes 12"),
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
    with pytest.raises(FileNotFoundError, match=f"the file {tmp_path / 'absent'} does not exist"):
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
