"""IDX files: every malformed one is the reader's own error, and none costs more than it holds."""

import gzip
import os
import random
import resource
import struct
import threading

import numpy as np
import pytest

from nn.data import DataFileError, read_idx
from tests.reliability.test_model_files import address_space

WHOLE = bytes([0, 0, 0x0D, 2, 0, 0, 0, 3, 0, 0, 0, 2]) + np.arange(6, dtype=">f4").tobytes()


def header(kind, *shape):
    return bytes([0, 0, kind, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)


MALFORMED = {
    "nothing": b"",
    "half a magic number": b"\0\0\x08",
    "no dimensions": bytes([0, 0, 8, 0]) + b"x",
    "255 dimensions": header(8, *[1] * 255) + b"x",
    "65 dimensions of an empty array": header(8, 0, *[1] * 64),
    "an empty array of 2^128": header(8, 0, *[2**32 - 1] * 4),
    "2^96 numbers": header(0x0E, *[2**32 - 1] * 3),
    "40 GB": header(8, 10**4, 2 * 10**6, 2),
    "one too many": WHOLE + b"\0",
    "one too few": WHOLE[:-1],
    "gzip of nothing": gzip.compress(b""),
    "gzip of a header of 4 GB": gzip.compress(header(8, 2**32 - 1)),
    "gzip, truncated": gzip.compress(WHOLE)[:-9],
    "gzip, changed": gzip.compress(WHOLE)[:-8] + bytes(8),
    "gzip with something after it": gzip.compress(WHOLE) + b"more",
    "gzip, the magic number alone": b"\x1f\x8b",
}


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_files_are_the_readers_own_error(name, mmap, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(MALFORMED[name])
    with pytest.raises(DataFileError) as caught:
        read_idx(path, mmap=mmap)
    assert len(str(caught.value)) < 500


def test_a_gzip_bomb_is_unpacked_no_further_than_its_header_demands(tmp_path):
    path = tmp_path / "bomb"
    path.write_bytes(gzip.compress(header(8, 10) + bytes(600_000_000), 1))
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (address_space() + (200 << 20), before[1]))
    try:
        with pytest.raises(DataFileError, match="too long"):
            read_idx(path)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("mmap", [False, True])
def test_a_device_is_refused_and_a_pipe_is_read(mmap, tmp_path):
    with pytest.raises(DataFileError, match="/dev/zero is a device"):
        read_idx("/dev/zero", mmap=mmap)
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(WHOLE))
    writer.start()
    try:
        if mmap:
            with pytest.raises(DataFileError, match="is a pipe and cannot be mapped"):
                read_idx(tmp_path / "pipe", mmap=True)
        else:
            assert read_idx(tmp_path / "pipe").shape == (3, 2)
    finally:
        writer.join(20)


def test_mutated_files_are_an_array_or_the_readers_own_error(tmp_path, rounds):
    path = tmp_path / "file"
    draw = random.Random(0)
    refused = 0
    for _ in range(rounds(200)):
        raw = bytearray(draw.choice([WHOLE, gzip.compress(WHOLE), gzip.compress(header(8, 0, 7))]))
        for _ in range(draw.choice([1, 2, 5])):
            place = draw.randrange(len(raw))
            if draw.random() < 0.6:
                raw[place] = draw.choice([0, 1, 2, 0xFF, draw.randrange(256)])
            else:
                raw[place : place + draw.randrange(4)] = bytes(draw.randrange(256) for _ in range(draw.randrange(4)))
            raw = raw or bytearray(b"\0")
        path.write_bytes(raw)
        for mmap in (False, True):
            try:
                assert isinstance(read_idx(path, mmap=mmap), np.ndarray)
            except DataFileError:
                refused += 1
    assert refused > 100
