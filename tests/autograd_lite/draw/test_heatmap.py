"""Heat maps of arrays: every cell's colour tells its entry."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from autograd_lite.draw.page.heatmap import COLUMNS, ROWS, heat_map


def pixels(image):
    """The colours of a PNG, as an array of shape (rows, columns, 3)."""
    png, chunks = image.png, {}
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at = 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length]) == (zlib.crc32(kind + data),)
        chunks[kind] = data
        at += 12 + length
    columns, rows, depth, colour_type = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (rows, columns, depth, colour_type) == (image.rows, image.columns, 8, 3)
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(rows, columns + 1)
    assert not lines[:, 0].any()
    return np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)[lines[:, 1:]].astype(int)


def test_zeros_alone_are_white():
    array = np.full((20, 20), 1e-9)
    array[0, 0], array[3, 5] = 1.0, 0.0
    white = (pixels(heat_map(array)) == 255).all(axis=-1)
    assert np.argwhere(white).tolist() == [[3, 5]]


def test_negative_entries_are_blue_and_positive_ones_orange():
    colours = pixels(heat_map(np.linspace(-1, 1, 100).reshape(10, 10)))
    red, blue = colours[..., 0].ravel(), colours[..., 2].ravel()
    assert (blue[:50] > red[:50]).all()
    assert (red[50:] > blue[50:]).all()


def test_larger_entries_are_darker():
    lightness = pixels(heat_map(np.linspace(0.01, 1, 90).reshape(9, 10))).sum(axis=-1).ravel()
    assert (np.diff(lightness) <= 0).all()


def test_nan_is_black_and_infinity_has_the_full_colour():
    array = np.ones((9, 9))
    array[0, 0], array[1, 1], array[2, 2] = np.nan, np.inf, -np.inf
    colours = pixels(heat_map(array))
    assert colours[0, 0].tolist() == [0, 0, 0]
    assert colours[1, 1].tolist() == colours[5, 5].tolist()
    assert colours[2, 2, 2] > colours[2, 2, 0]


@pytest.mark.parametrize("shape", [(100, 10), (10, 1000), (784, 128), (5000,), (3, 40, 7), (49, 97)])
def test_one_large_entry_is_seen_wherever_it_is(shape):
    rng = np.random.default_rng(0)
    for _ in range(20):
        array = np.zeros(shape)
        place = tuple(rng.integers(n) for n in shape)
        array[place] = -3.0
        image = heat_map(array)
        assert image.rows <= ROWS
        assert image.columns <= COLUMNS
        colours = pixels(image)
        rows = array.reshape(-1, shape[-1])
        row, column = (int(i[0]) for i in np.nonzero(rows))
        seen = np.argwhere((colours != 255).any(axis=-1)).tolist()
        assert seen == [[row // image.block[0], column // image.block[1]]]


def test_complex_numbers_are_shown_by_their_size():
    assert heat_map(np.full((9, 9), 3 + 4j)).limit == 5.0


@given(arrays(np.float64, (13, 11), elements=st.floats(allow_nan=True, allow_infinity=True)))
def test_every_array_has_a_map(array):
    image = heat_map(array)
    assert pixels(image).shape == (13, 11, 3)
