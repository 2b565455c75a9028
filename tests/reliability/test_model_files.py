"""Files of weights: what is written loads again, and what is damaged or crafted is refused before it costs anything."""

import json
import random
import resource
import struct
import subprocess

import numpy as np
import pytest

import nn
from nn.io.weights import RESERVED, CheckpointError, write_file
from tests.reliability.processes import python

MODEL = nn.Sequential(nn.Dense(3, 4, rng=0), nn.BatchNorm(4), nn.ReLU(), nn.Embedding(3, 2, rng=0))


@pytest.mark.parametrize("name", RESERVED)
def test_metadata_that_would_hide_the_files_own_are_refused_and_nothing_is_written(name, tmp_path):
    with pytest.raises(ValueError, match=f"may not have the name '{name}'"):
        nn.save_weights(MODEL, tmp_path / "m.safetensors", {"note": "mine", name: "mine"})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("texts", [{"a": "\ud800"}, {"\udfff": "a"}, {"a": "x" * 100_000_001}])
def test_texts_that_no_reader_takes_are_refused_when_saving(texts, tmp_path):
    with pytest.raises(ValueError, match=r"half a character|no reader takes more|header too large"):
        nn.save_weights(MODEL, tmp_path / "m.safetensors", texts)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "\0", "\x1b[31m", "é\n", "\U0001f600", '"}{', "x" * 1_000_000])
def test_other_texts_come_back(text, tmp_path):
    nn.save_weights(MODEL, tmp_path / "m.safetensors", {text: text})
    assert nn.load_weights(MODEL, tmp_path / "m.safetensors")[text] == text


@pytest.mark.parametrize("name", ["__metadata__", "a\ud800"])
def test_tensors_whose_names_no_reader_takes_are_refused_when_saving(name, tmp_path):
    module = nn.Module()
    setattr(module, name, nn.Dense(2, 2, rng=0).weight)
    with pytest.raises(ValueError, match=r"cannot have the name|half a character"):
        nn.save_weights(module, tmp_path / "m.safetensors")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("dtype", ["longdouble", "complex64"])
def test_tensors_that_the_format_cannot_store_are_refused(dtype, tmp_path):
    with pytest.raises(TypeError, match=f"weight has dtype {np.dtype(dtype)}, which safetensors cannot store"):
        write_file(tmp_path / "m.safetensors", {"weight": np.ones(2, dtype)}, {})
    assert not list(tmp_path.iterdir())


def test_the_same_model_gives_the_same_bytes_in_every_process(tmp_path):
    code = "import nn; nn.save_weights(nn.MLP([3, 4, 2], rng=0), sys.argv[1], {name: name for name in 'abcdefgh'})"
    written = []
    for i in range(4):
        subprocess.run(python(code, tmp_path / str(i)), check=True)
        written.append((tmp_path / str(i)).read_bytes())
    assert len(set(written)) == 1


def test_what_is_too_deep_for_a_file_is_saved_without_its_architecture(tmp_path):
    model = nn.Sequential(nn.Dense(2, 2, rng=0))
    for _ in range(120):
        model = nn.Sequential(model)
    nn.save_weights(model, tmp_path / "m.safetensors")
    assert nn.load_weights(model, tmp_path / "m.safetensors")
    with pytest.raises(CheckpointError, match="too deep"):
        nn.load_model(tmp_path / "m.safetensors")


# ---- crafted ----


def nested(depth):
    return '{"class": "Sequential", "layers": [' * depth + "]}" * depth


CRAFTED = {
    "a layer of 40 GB": '{"class": "Dense", "in_features": 100000, "out_features": 100000}',
    "a bias alone": '{"class": "Dense", "in_features": 0, "out_features": 10000000000}',
    "two layers": json.dumps(
        {"class": "Sequential", "layers": [{"class": "Dense", "in_features": 1, "out_features": 3}] * 2}
    ),
    "an embedding": '{"class": "Embedding", "num_embeddings": 1000000000000, "embedding_dim": 1}',
    "features": '{"class": "BatchNorm", "features": 100000000000}',
    "more features": '{"class": "LayerNorm", "features": 100000000000}',
    "more than 64 bits": f'{{"class": "Dense", "in_features": {10**400}, "out_features": 0}}',
    "less than 64 bits": f'{{"class": "Dense", "in_features": -{10**30}, "out_features": {10**30}}}',
    "no number": '{"class": "LayerNorm", "features": Infinity}',
    "fractions": '{"class": "Dense", "in_features": 1e5, "out_features": 1e5}',
    "an infinite rate": '{"class": "Dropout", "p": 1e999}',
    "a dtype of 1 GB": '{"class": "Dense", "in_features": 1, "out_features": 1, "dtype": "U268435456"}',
    "deep": nested(500),
    "deeper than Python": nested(100_000),
    "a deep option": '{"class": "Dropout", "p": ' + "[" * 5000 + "]" * 5000 + "}",
    "many layers": '{"class": "Sequential", "layers": [' + '{"class": "ReLU"},' * 200_000 + '{"class": "ReLU"}]}',
    "nothing": "null",
    "a number of 5,000 digits": "1" * 5000,
}


@pytest.mark.parametrize("name", CRAFTED)
def test_a_crafted_architecture_is_refused_before_anything_is_allocated(name, tmp_path):
    path = tmp_path / "m.safetensors"
    write_file(path, {"a": np.ones(4)}, {"kind": "weights", "architecture": CRAFTED[name]})
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (address_space() + (200 << 20), before[1]))
    try:
        with pytest.raises(CheckpointError) as caught:
            nn.load_model(path)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    assert len(str(caught.value)) < 1000


def address_space():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


# ---- damaged ----


def sealed(header, data):
    """A file with this header and a checksum that is right, where the header has arrays at all."""
    try:
        texts = header["__metadata__"]
        texts.pop("sha256", None)
        arrays = {
            name: np.frombuffer(data[slice(*info["data_offsets"])], DTYPES[info["dtype"]]).reshape(info["shape"])
            for name, info in header.items()
            if name != "__metadata__"
        }
        from nn.io.weights import _checksum

        texts["sha256"] = _checksum(arrays, texts)
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


DTYPES = {"F32": "f4", "F64": "f8", "I64": "i8", "U8": "u1", "BOOL": "?", "F16": "f2"}
ODD = [0, -1, 1, 2**31, 2**63, 2**64, 10**30, 0.5, None, True, "", "x", [], {}, [[]], [0], [0, 10**12], [2**40, 2**40]]


def mutated(contents, draw):
    """A file with a few bytes, texts or numbers changed; half of them with a checksum that is right."""
    (length,) = struct.unpack("<Q", contents[:8])
    if draw.random() < 0.5:
        raw = bytearray(contents)
        for _ in range(draw.choice([1, 1, 2, 8])):
            place = draw.randrange(len(raw))
            match draw.randrange(4):
                case 0:
                    raw[place] = draw.randrange(256)
                case 1:
                    del raw[place : place + draw.choice([1, 8, 100])]
                case 2:
                    raw[place:place] = bytes(draw.randrange(256) for _ in range(draw.choice([1, 8])))
                case 3:
                    raw[:8] = struct.pack("<Q", draw.choice([0, 1, length - 1, length + 1, 2**40, 2**64 - 1]))
            raw = raw or bytearray(b"\0")
        return bytes(raw)
    header = json.loads(contents[8 : 8 + length])
    texts = header["__metadata__"]
    if draw.random() < 0.5:
        spec = json.loads(texts.get("architecture") or texts["training"])
        change(spec, draw)
        texts["architecture" if "architecture" in texts else "training"] = json.dumps(spec)
    else:
        change(header, draw)
    return sealed(header, contents[8 + length :])


def change(tree, draw):
    """Change a value somewhere in a tree of dicts and lists."""
    while True:
        keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
        if not keys:
            return
        key = draw.choice(keys)
        if isinstance(tree[key], dict | list) and tree[key] and draw.random() < 0.8:
            tree = tree[key]
            continue
        if draw.random() < 0.2:
            del tree[key]
        else:
            tree[key] = draw.choice(ODD)
        return


def test_mutated_files_give_the_model_or_one_error_and_change_nothing(tmp_path, rounds):
    path = tmp_path / "m.safetensors"
    nn.save_weights(MODEL, path)
    contents = path.read_bytes()
    draw = random.Random(0)
    refused = 0
    for _ in range(rounds(200)):
        path.write_bytes(mutated(contents, draw))
        before = MODEL.state_dict()
        for load in (nn.load_model, lambda file: nn.load_weights(MODEL, file)):
            try:
                load(path)
            except CheckpointError:
                refused += 1
                after = MODEL.state_dict()
                assert all(np.array_equal(before[name], after[name], equal_nan=True) for name in before)
    assert refused > 100
