"""The MNIST digits, and IDX files, which contain them."""

from __future__ import annotations

import io
import math
import os
import stat
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from autograd_lite.extend import user_cache, write_atomically

_FOLDER_VARIABLE = "AUTOGRAD_LITE_MNIST"

_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
# These are SHA-256 checksums of the raw (gunzipped) bytes, since mirrors may compress differently.
_CHECKSUMS = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
_SECONDS_OF_SILENCE = 30.0
_CHUNK = 1 << 16

_IDX_DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


class DataFileError(ValueError):
    """The contents of a data file do not match its format, its data set or its checksum."""


class DownloadError(OSError):
    """No mirror delivered the complete file."""


class MNIST(NamedTuple):
    """The four arrays of MNIST, or of a data set in the same format.

    Attributes
    ----------
    train_images, test_images : ndarray, shape (N, 784) or (N, 28, 28)
        Images of handwritten digits; ink has high values, paper is 0.
    train_labels, test_labels : ndarray of int64, shape (N,)
        The digits, 0 to 9.
    """

    train_images: NDArray[Any]
    train_labels: NDArray[np.int64]
    test_images: NDArray[Any]
    test_labels: NDArray[np.int64]


def load_mnist(
    root: str | os.PathLike[str] | None = None, *, flatten: bool = True, dtype: DTypeLike = np.float32
) -> MNIST:
    """Load the MNIST handwritten digits: 60,000 for training and 10,000 for testing, of 28 by 28 pixels.

    The files are read from `root`, or else from the folder in the environment variable ``AUTOGRAD_LITE_MNIST``, or else
    from the user's cache folder (``autograd_lite/mnist`` in ``XDG_CACHE_HOME``, or in the system's folder for caches).
    Files that are missing in the cache are downloaded first, 11 MB in all. No network is used if the files exist.

    In a folder of your own, the files may be gzipped or not, and may contain any data set in MNIST's format, such as
    Fashion-MNIST. In the cache, every file is compared with its checksum at every load (about 0.03 s of 0.4 s), and a
    file that does not match is downloaded again.

    Parameters
    ----------
    root : path, optional
        The folder with the four files.
    flatten : bool, default True
        Whether images are rows of 784 pixels, or 28 by 28.
    dtype : floating data type or uint8, default float32
        A floating type gives pixels in [0, 1], uint8 the raw pixels from 0 to 255.

    Returns
    -------
    MNIST
        ``(train_images, train_labels, test_images, test_labels)``.

    Raises
    ------
    FileNotFoundError
        If the folder, or one of the four files in it, does not exist.
    DataFileError
        If a file in the folder is corrupt, or not in MNIST's format.
    DownloadError
        If no mirror delivered a complete file; the message has each mirror's error, and says what to do.
    OSError
        If the cache folder cannot be written to.
    TypeError
        If `dtype` is neither floating nor uint8.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition" (1998).

    Examples
    --------
    This example uses blank images in place of the real ones:

    >>> import pathlib, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> for part, n in (("train", 6), ("t10k", 2)):
    ...     images = bytes([0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, 28, 0, 0, 0, 28]) + bytes(n * 28 * 28)
    ...     labels = bytes([0, 0, 8, 1, 0, 0, 0, n]) + bytes(range(n))
    ...     for name, contents in (("images-idx3-ubyte", images), ("labels-idx1-ubyte", labels)):
    ...         _ = pathlib.Path(folder.name, f"{part}-{name}").write_bytes(contents)
    >>> mnist = load_mnist(folder.name)
    >>> mnist.train_images.shape, mnist.train_images.dtype
    ((6, 784), dtype('float32'))
    >>> mnist.test_labels
    array([0, 1])
    >>> folder.cleanup()
    """
    pixel_dtype = _pixel_dtype(dtype)
    if root is None:
        root = os.environ.get(_FOLDER_VARIABLE) or None
    if root is None:
        cache = _cache_folder()
        files = [_from_cache(f"{name}.gz", sha256, _MIRRORS, cache) for name, sha256 in _CHECKSUMS.items()]
    else:
        files = [_from_folder(name, Path(root).expanduser()) for name in _CHECKSUMS]

    def images_and_labels(*pair: tuple[Path, bytes]) -> tuple[NDArray[Any], NDArray[np.int64]]:
        images, labels = _checked_pair(*pair)
        if flatten:
            images = images.reshape(len(images), 28 * 28)
        pixels = images if pixel_dtype == np.uint8 else np.divide(images, 255, dtype=pixel_dtype)
        return pixels, labels.astype(np.int64)

    return MNIST(*images_and_labels(*files[:2]), *images_and_labels(*files[2:]))


def read_idx(path: str | os.PathLike[str], mmap: bool = False) -> NDArray[Any]:
    """Read a file in IDX format, the format of MNIST, gzipped or not.

    Parameters
    ----------
    path : path
        The path of the file. Its first bytes, not its name, decide whether it is gzipped.
    mmap : bool, default False
        Whether to leave the numbers in the file, and read them only when they are used, for data that are larger than
        memory. `Minibatches` and `fit` take such an array without copying it. A gzipped file cannot be mapped.

    Returns
    -------
    ndarray or memmap
        The array, with the shape and type from the file's header: integers of 8, 16 or 32 bits or floats of 32 or 64
        bits. The byte order is the native one, but for a memory map that of the file, which is big-endian.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If the file does not exist, or is a folder.
    DataFileError
        If the file is empty, truncated, too long, corrupt, not an IDX file, or gzipped although `mmap` is True.

    References
    ----------
    LeCun, Cortes, Burges, "The MNIST database of handwritten digits", "File formats".

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "pair")
    ...     _ = path.write_bytes(bytes([0, 0, 0x0B, 1, 0, 0, 0, 2]) + bytes([1, 0, 255, 255]))
    ...     read_idx(path)
    array([256,  -1], dtype=int16)
    """
    source = Path(path)
    return _mapped(source) if mmap else _parse_idx(_contents(source), source)


def _mapped(path: Path) -> NDArray[Any]:
    head = _read(path, _LONGEST_HEADER)
    if head.startswith(_GZIP):
        raise DataFileError(f"{path} is gzipped and cannot be mapped into memory; unpack it with gzip -d first")
    if not path.is_file():
        raise DataFileError(f"{path} is a pipe and cannot be mapped into memory; read it without mmap=True")
    dtype, shape, header = _layout(head, path.stat().st_size, path)
    if not math.prod(shape):
        return np.zeros(shape, dtype)
    return np.memmap(path, dtype, mode="r", offset=header, shape=shape)


def _contents(path: Path) -> bytes:
    return _gunzipped(_read(path), path)


def _read(path: Path, length: int = -1) -> bytes:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(f"{path} is a folder; expected a file")
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            raise DataFileError(f"{path} is a device; expected a file")
        with path.open("rb") as file:
            return file.read(length)
    except FileNotFoundError:
        raise FileNotFoundError(f"the file {path.absolute()} does not exist") from None


_GZIP = b"\x1f\x8b"


def _gunzipped(data: bytes, source: Path | str) -> bytes:
    """The bytes of a file, unpacked if it is gzipped: at most as many as its header demands, and one more."""
    if not data.startswith(_GZIP):
        return data
    import gzip

    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            head = file.read(_LONGEST_HEADER)
            dtype, shape, header = _described(head, source)
            size = header + math.prod(shape) * dtype.itemsize
            if size > len(head) + len(data) * _MOST_GZIP_SAVES:
                raise DataFileError(f"{source} is truncated: its header (shape {shape}) demands {size:,} bytes")
            return head + file.read(max(0, size - len(head)) + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise DataFileError(f"{source}: corrupt or truncated gzip data ({error})") from error
    except MemoryError:
        raise DataFileError(f"{source} is unpacked to more than the memory that there is") from None


_MOST_GZIP_SAVES = 1032
"""The largest factor by which deflate shortens bytes."""


def _parse_idx(contents: bytes, source: Path) -> NDArray[Any]:
    dtype, shape, header = _layout(contents[:_LONGEST_HEADER], len(contents), source)
    return np.frombuffer(contents, dtype, offset=header).reshape(shape).astype(dtype.newbyteorder("="))


_LONGEST_HEADER = 4 + 4 * 255


def _layout(head: bytes, length: int, source: Path) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """The dtype, the shape and the length of the header of an IDX file with this length."""
    dtype, shape, header = _described(head, source)
    expected = header + math.prod(shape) * dtype.itemsize
    if length != expected:
        raise DataFileError(
            f"{source} is {'truncated' if length < expected else 'too long'}: "
            f"{length:,} bytes after any decompression, "
            f"and its header (shape {_shown(shape)} of {dtype.name}) demands {_shown(expected)}"
        )
    return dtype, shape, header


def _described(head: bytes, source: Path | str) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """The dtype, the shape and the length of the header of an IDX file that begins with these bytes."""
    if not head:
        raise DataFileError(f"{source} is empty; expected an IDX file")
    magic = head[:4]
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _IDX_DTYPES or magic[3] == 0:
        codes = " ".join(f"{code:02x}" for code in _IDX_DTYPES)
        raise DataFileError(
            f"{source} is not an IDX file: it begins with the bytes {magic.hex(' ')}, where 00 00, "
            f"a type (one of {codes}) and the number of dimensions are expected"
        )
    dtype, ndim = np.dtype(_IDX_DTYPES[magic[2]]), magic[3]
    header = 4 + 4 * ndim
    if len(head) < header:
        raise DataFileError(
            f"{source} is truncated: {len(head)} bytes, but a header of {ndim} dimensions takes {header}"
        )
    shape = struct.unpack(f">{ndim}I", head[4:header])
    try:
        np.broadcast_to(np.zeros((), dtype), shape)
    except ValueError as error:  # more than NumPy's dimensions, or a size of more than 64 bits
        raise DataFileError(f"{source} declares a shape that NumPy cannot hold: {_shown(shape)}") from error
    return dtype, shape, header


def _shown(value: Any) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return text if len(text) <= 80 else f"{text[:80]}..."


def _pixel_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    try:
        result = np.dtype(dtype)
    except TypeError:
        result = None
    if result is None or (result.kind != "f" and result != np.uint8):
        raise TypeError(f"dtype must be floating (pixels in [0, 1]) or uint8 (raw pixels), got {dtype!r}")
    return result


def _from_folder(name: str, folder: Path) -> tuple[Path, bytes]:
    if not folder.is_dir():
        raise FileNotFoundError(f"the folder {folder.absolute()} (from root or {_FOLDER_VARIABLE}) does not exist")
    dotted = name.replace("-idx", ".idx")
    candidates = [name, f"{name}.gz", dotted, f"{dotted}.gz"]
    for candidate in candidates:
        path = folder / candidate
        if path.exists():
            return path, _contents(path)
    raise FileNotFoundError(
        f"{name} is not in {folder.absolute()} (looked for {', '.join(candidates)}); "
        "put it there, or let load_mnist() download the data set into its cache"
    )


def _checked_pair(
    images_file: tuple[Path, bytes], labels_file: tuple[Path, bytes]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    (images_path, images_contents), (labels_path, labels_contents) = images_file, labels_file
    images, labels = _parse_idx(images_contents, images_path), _parse_idx(labels_contents, labels_path)
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28):
        raise DataFileError(
            f"{images_path} holds {images.dtype} of shape {images.shape}; "
            "images are expected to be uint8 of shape (N, 28, 28)"
        )
    if labels.dtype != np.uint8 or labels.ndim != 1:
        raise DataFileError(
            f"{labels_path} holds {labels.dtype} of shape {labels.shape}; labels are expected to be uint8 of shape (N,)"
        )
    if len(images) != len(labels):
        raise DataFileError(f"{images_path} holds {len(images)} images, {labels_path} {len(labels)} labels")
    if (labels > 9).any():
        first = int(np.argmax(labels > 9))
        raise DataFileError(f"{labels_path}: label {labels[first]} at index {first}; labels are 0 to 9")
    return images, labels


def _cache_folder() -> Path:
    folder = user_cache()
    if folder is None:
        raise FileNotFoundError(
            f"the user has no folder for caches, since HOME is not set to one; set {_FOLDER_VARIABLE} to a folder with "
            "the four files, or pass it"
        )
    return folder / "mnist"


def _from_cache(file_name: str, checksum: str, mirrors: Sequence[str], folder: Path) -> tuple[Path, bytes]:
    path = folder / file_name
    try:
        return path, _verified(_contents(path), checksum, path)
    except (FileNotFoundError, DataFileError):
        return path, _download(file_name, checksum, mirrors, folder)


def _verified(contents: bytes, checksum: str, source: Path | str) -> bytes:
    import hashlib

    found = hashlib.sha256(contents).hexdigest()
    if found != checksum:
        raise DataFileError(f"{source}: the SHA-256 of the raw bytes is {found}; expected {checksum}")
    return contents


def _download(file_name: str, checksum: str, mirrors: Sequence[str], folder: Path) -> bytes:
    """Put a file into the folder from the first mirror that delivers it completely; return its raw bytes."""
    from http.client import HTTPException

    folder.mkdir(parents=True, exist_ok=True)
    reasons = []
    for mirror in mirrors:
        url = mirror + file_name
        try:
            data = _fetched(url)
            contents = _verified(_gunzipped(data, url), checksum, url)
        except (OSError, HTTPException, DataFileError) as error:
            reasons.append(f"  {url}: {error or type(error).__name__}")
        else:
            # This is outside of the try block, because a full disk is not an error of the mirror.
            write_atomically(folder / file_name, data)
            return contents
    raise DownloadError(
        "\n".join(
            [
                f"no mirror delivered {file_name}:",
                *reasons,
                f"Download {', '.join(f'{name}.gz' for name in _CHECKSUMS)} by other means into a folder, "
                f"and set {_FOLDER_VARIABLE} to it.",
            ]
        )
    )


def _fetched(url: str) -> bytes:
    from urllib.request import urlopen

    from tqdm import tqdm

    data = bytearray()
    with urlopen(url, timeout=_SECONDS_OF_SILENCE) as response:
        expected = response.length  # the Content-Length header, or None
        name = url.rpartition("/")[2]
        # disable=None: a bar on a terminal, nothing in a log
        with tqdm(total=expected, desc=name, unit="B", unit_scale=True, disable=None) as bar:
            while chunk := response.read(_CHUNK):
                data += chunk
                bar.update(len(chunk))
    if expected is not None and len(data) != expected:
        raise ConnectionError(f"the connection closed after {len(data):,} of {expected:,} bytes")
    return bytes(data)
