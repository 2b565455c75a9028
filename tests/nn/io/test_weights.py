"""Weights as files: what comes back, and every way in which a file can be wrong."""

import json
import struct

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

import nn
from nn.io.weights import CheckpointError


def model(seed=0):
    return nn.Sequential(
        nn.Dense(4, 6, rng=seed), nn.BatchNorm(6), nn.LeakyReLU(0.2), nn.Dropout(0.25), nn.LayerNorm(6),
        nn.Dense(6, 3, bias=False, rng=seed + 1, dtype=np.float64), nn.Softmax(),
    )  # fmt: skip


def same(a, b):
    return a.keys() == b.keys() and all(
        np.array_equal(a[name], b[name]) and a[name].dtype == b[name].dtype for name in a
    )


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "model.safetensors"
    nn.save_weights(model(), path, {"note": "hello"})
    return path


# ---- what comes back ----


def test_a_model_is_made_anew_from_its_file(written):
    again = nn.load_model(written)
    assert repr(again) == repr(model())
    assert same(again.state_dict(), model().state_dict())
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    np.testing.assert_array_equal(again.eval()(x).data, model().eval()(x).data)


@pytest.mark.parametrize("activation", [*nn.ACTIVATIONS, nn.tanh, nn.LeakyReLU(0.3)])
def test_every_activation_of_the_library_comes_back(activation, tmp_path):
    net = nn.MLP([3, 4, 2], activation, rng=0)
    nn.save_weights(net, tmp_path / "m.safetensors")
    again = nn.load_model(tmp_path / "m.safetensors")
    x = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(again(x).data, net(x).data)
    assert type(again) is nn.MLP


def test_an_embedding_comes_back(tmp_path):
    table = nn.Embedding(5, 3, rng=0)
    nn.save_weights(table, tmp_path / "m.safetensors")
    np.testing.assert_array_equal(nn.load_model(tmp_path / "m.safetensors").weight.data, table.weight.data)


def test_weights_are_read_into_a_model_with_their_texts(written):
    other = model(seed=5)
    texts = nn.load_weights(other, written)
    assert same(other.state_dict(), model().state_dict())
    assert texts["note"] == "hello"
    assert texts["version"]


def test_any_reader_of_safetensors_reads_them(written):
    assert same(safetensors.numpy.load_file(written), model().state_dict())


def test_arrays_that_are_no_contiguous_blocks_are_saved_as_they_are(tmp_path):
    layer = nn.Dense(3, 2, rng=0)
    layer.weight.data = np.arange(6.0, dtype=np.float32).reshape(2, 3).T
    nn.save_weights(layer, tmp_path / "m.safetensors")
    np.testing.assert_array_equal(nn.load_model(tmp_path / "m.safetensors").weight.data, layer.weight.data)


def test_a_model_of_ones_own_is_filled_and_not_made(tmp_path):
    class Mine(nn.Module):
        def __init__(self):
            self.layer = nn.Dense(2, 2, rng=0)

    path = tmp_path / "m.safetensors"
    nn.save_weights(Mine(), path)
    mine = Mine()
    mine.layer.weight.data = np.zeros((2, 2), np.float32)
    nn.load_weights(mine, path)
    np.testing.assert_array_equal(mine.layer.weight.data, nn.Dense(2, 2, rng=0).weight.data)
    with pytest.raises(CheckpointError, match=r"Mine.*load_weights\(model, path\)"):
        nn.load_model(path)


def test_a_class_of_the_same_name_is_not_taken_for_the_librarys(tmp_path):
    class ReLU(nn.Module):
        def forward(self, x):
            return x

    nn.save_weights(nn.Sequential(ReLU(), nn.Dense(2, 2)), tmp_path / "m.safetensors")
    with pytest.raises(CheckpointError, match="classes or functions of your own"):
        nn.load_model(tmp_path / "m.safetensors")


# ---- what is wrong ----


def refuses(path, match):
    net = model(seed=9)
    before = net.state_dict()
    with pytest.raises(CheckpointError, match=match):
        nn.load_weights(net, path)
    assert same(net.state_dict(), before)


def test_truncated_files_are_refused_wherever_they_end(written):
    data = written.read_bytes()
    for length in [0, 1, 7, 8, 9, 50, len(data) // 2, len(data) - 1]:
        written.write_bytes(data[:length])
        refuses(written, "not a safetensors file, or is truncated")


@given(st.data())
def test_any_changed_byte_is_noticed(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("tampered") / "m.safetensors"
    nn.save_weights(nn.Dense(3, 2, rng=0), path)
    contents = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(contents) - 1))
    contents[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(contents)
    layer = nn.Dense(3, 2, rng=7)
    before = layer.state_dict()
    try:
        nn.load_weights(layer, path)
    except CheckpointError:
        assert same(layer.state_dict(), before)
    else:
        # White space in the header means nothing; all that means something is as it was.
        assert same(layer.state_dict(), nn.Dense(3, 2, rng=0).state_dict())


def test_another_programs_file_is_refused(tmp_path):
    safetensors.numpy.save_file({"weight": np.ones(3)}, tmp_path / "m.safetensors", {"format": "pt"})
    refuses(tmp_path / "m.safetensors", "not written by autograd_lite.*format.*safetensors.numpy.load_file")


@pytest.mark.parametrize("contents", [b"not a file of tensors", b"PK\x03\x04" * 20, b"\x80\x04\x95" * 50])
def test_what_is_no_safetensors_file_is_refused(contents, tmp_path):
    (tmp_path / "m.safetensors").write_bytes(contents)
    refuses(tmp_path / "m.safetensors", "not a safetensors file")


def with_texts(path, **changes):
    """Change the metadata of a file, and leave the rest."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"].update(changes)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])


def test_a_newer_layout_is_refused_with_the_version_that_wrote_it(written):
    with_texts(written, layout="2", version="9.9")
    refuses(written, "layout version 2, written by version 9.9; this version .* reads layouts up to 1: upgrade")


def test_a_layout_that_is_not_a_number_is_refused(written):
    with_texts(written, layout="new")
    refuses(written, "has the layout version 'new' in its metadata; expected a number")


def test_changed_texts_are_noticed(written):
    with_texts(written, architecture='{"class": "Dense"}')
    refuses(written, "is damaged: its contents do not match its checksum")


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (nn.MLP([4, 6, 3]), "missing|unexpected"),
        (nn.Sequential(*model(), nn.Dense(3, 3)), "missing: layers.7"),
        (nn.Sequential(nn.Dense(4, 7), *list(model())[1:]), r"layers.0.weight has shape \(4, 6\).*\(4, 7\)"),
    ],
)
def test_weights_of_another_model_are_refused(other, message, written):
    before = other.state_dict()
    with pytest.raises(CheckpointError, match=message):
        nn.load_weights(other, written)
    assert same(other.state_dict(), before)


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        ("{", "cannot be read"),
        ('{"class": "Popen"}', "'Popen' is unknown"),
        ('{"class": "Dense", "in_features": -1, "out_features": 2}', "Dense cannot be made"),
        ('{"class": "Dense", "shell": 1}', "Dense cannot be made"),
        ('{"class": "Sequential", "layers": 3}', "expected a list of layers"),
        ("[]", "expected the description of a model"),
    ],
)
def test_architectures_that_are_none_are_refused(architecture, message, tmp_path):
    from nn.io.weights import write_file

    write_file(tmp_path / "m.safetensors", {}, {"kind": "weights", "architecture": architecture})
    with pytest.raises(CheckpointError, match=message):
        nn.load_model(tmp_path / "m.safetensors")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.safetensors does not exist"):
        nn.load_model(tmp_path / "nowhere.safetensors")


def test_texts_must_be_texts(tmp_path):
    with pytest.raises(TypeError, match="metadata must map strings to strings"):
        nn.save_weights(nn.Dense(2, 2), tmp_path / "m.safetensors", {"epoch": 3})
    assert list(tmp_path.iterdir()) == []
