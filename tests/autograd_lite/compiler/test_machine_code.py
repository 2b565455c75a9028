"""Machine code computes what NumPy computes, to the bit but for `exp` and `log`, whatever the shapes and numbers."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd_lite import Tensor, callback, compile
from autograd_lite.compiler import IndexCheck
from autograd_lite.compiler.native import is_installed, loader, opcodes

pytestmark = pytest.mark.skipif(not is_installed(), reason="needs Numba")

SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-40, -1e-40, 3.4e38, -3.4e38, 0.5]

FUNCTIONS = {
    "negative": np.negative,
    "absolute": np.absolute,
    "sqrt": lambda x: np.sqrt(np.abs(x)),
    "square": np.square,
    "sum of rows": lambda x: np.add.reduce(x, axis=0),
    "sum along rows": lambda x: np.add.reduce(x, axis=-1, keepdims=True),
    "max along rows": lambda x: np.maximum.reduce(x, axis=1),
    "sum of all": lambda x: np.ravel(x).sum(),
    "a bias": lambda x: np.maximum(x + x[0], 0),
    "a column": lambda x: x - x[:, :1],
    "a number": lambda x: (2 * x + 1) / 3,
    "a copy": lambda x: np.copy(x) * x,
    "comparisons": lambda x: np.where(x > 1, np.where(x >= x[0], x, 2.0), np.where(x < -1, -x, np.where(x <= 0, 0, x))),
    "a rectifier's backward": lambda x: np.where(x > 0, x[::1] * 2, 0),
    "picked": lambda x: x[np.arange(len(x)), np.arange(len(x)) % x.shape[1]],
    "one-hot": lambda x: x - np.equal(np.arange(len(x))[:, None], np.arange(x.shape[1])),
    "a product": lambda x: x @ (x.T + 1),
    "a transposed product": lambda x: (x.T * 2) @ (x + 1),
    "in place": lambda x: _in_place(x),
}


def _in_place(x):
    y = x * 2
    y += x
    y *= y
    return y


def _numbers(shape, dtype, seed):
    rng = np.random.default_rng(seed)
    x = (rng.standard_normal(shape) * 3).astype(dtype)
    places = rng.integers(0, x.size, len(SPECIAL))
    x.reshape(-1)[places] = SPECIAL
    return x


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (130, 9), (7, 300), (700, 700)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_results_are_numpys_to_the_bit(name, shape, dtype):
    f = FUNCTIONS[name]
    compiled = compile(f, jit=True)
    for seed in range(2):
        x = _numbers(shape, dtype, seed)
        if "product" in name:
            x = np.nan_to_num(x, posinf=1, neginf=1).clip(-3, 3)
        with np.errstate(all="ignore"):
            expected, found = f(x), compiled(x)
        assert found.dtype == expected.dtype
        if "product" in name:  # BLAS may take other paths for other alignments
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-3)
        else:
            np.testing.assert_array_equal(found, expected)
            if name != "a bias":  # of 0 and -0 NumPy's maximum is now the one, now the other
                np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))


OF_TABLES = {**opcodes.UNARY, **opcodes.BINARY, **opcodes.COMPARISONS}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("function", [f for f in OF_TABLES if f not in (np.exp, np.log)], ids=lambda f: f.__name__)
def test_every_function_of_the_tables_is_computed_as_numpy_does(function, dtype):
    x = np.stack([array.ravel() for array in np.meshgrid(SPECIAL, SPECIAL)]).astype(dtype)
    arguments = x[: getattr(function, "nin", 2)]
    compiled = compile(function, jit=True)
    with np.errstate(all="ignore"):
        for _ in range(2):
            found, expected = compiled(*arguments), function(*arguments)
    assert [call.function for segment in compiled.plans[0].segments for call in segment] == [function]
    np.testing.assert_array_equal(found, expected)


def test_every_operation_has_its_place_in_the_kernels():
    native = Path(opcodes.__file__).parent
    used = {
        node.attr
        for path in (native / "kernels").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "op"
    }
    python_alone = {"OPERATION", "ITEM", "LONGEST_SUM", "WHOLE_ROWS"}
    assert {name for name in vars(opcodes) if name.isupper()} - used == python_alone


def _within_one_unit(function, x):
    compiled = compile(function, jit=True)
    with np.errstate(all="ignore"):
        compiled(x)
        exact, found = function(x.astype(np.longdouble)), compiled(x)
        rounded = exact.astype(x.dtype)
    finite = np.isfinite(rounded)
    np.testing.assert_array_equal(found[~finite], rounded[~finite])
    unit = np.spacing(np.abs(rounded[finite])).astype(np.longdouble)
    assert (np.abs(found[finite] - exact[finite]) <= unit).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exp_is_within_a_unit_in_the_last_place(dtype):
    x = np.concatenate([np.linspace(-110, 92, 200_001), np.linspace(-1, 1, 50_001)]).astype(dtype)
    special = np.array([np.inf, -np.inf, np.nan, 0, -0.0, 1e-30, -745.2, 709.7], dtype)
    _within_one_unit(np.exp, np.concatenate([x, special]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_log_is_within_a_unit_in_the_last_place(dtype):
    x = np.concatenate([np.exp(np.linspace(-100, 88, 200_001)), np.linspace(0.5, 2, 50_001)]).astype(dtype)
    special = np.array([np.inf, -np.inf, np.nan, 0, -0.0, -1, 1, 1e-40], dtype)
    _within_one_unit(np.log, np.concatenate([x, special]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exact_machine_code_leaves_exp_and_log_to_numpy(dtype):
    def log_softmax(x):
        shifted = x - np.maximum.reduce(x, axis=1, keepdims=True)
        return shifted - np.log(np.add.reduce(np.exp(shifted), axis=1, keepdims=True))

    x = np.random.default_rng(0).standard_normal((300, 40)).astype(dtype)
    compile(np.negative, jit=True)(x)  # so that the machine code is at hand
    compiled = compile(log_softmax, jit="exact")
    for _ in range(2):
        np.testing.assert_array_equal(compiled(x), log_softmax(x))
    by_machine = [call.function for segment in compiled.plans[0].segments for call in segment]
    assert np.subtract in by_machine
    assert not {np.exp, np.log} & set(by_machine)


def test_exact_machine_code_is_not_compiled_for_it(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOGRAD_LITE_CACHE_DIR", str(tmp_path))
    compiled = compile(lambda x: np.where(x > 0, x * 2, 0), jit="exact")
    x = np.linspace(-1, 1, 20_000)
    for _ in range(2):
        np.testing.assert_array_equal(compiled(x), np.where(x > 0, x * 2, 0))
    assert not compiled.plans[0].segments
    assert not list(tmp_path.iterdir())


STEPS = st.sampled_from(
    [
        lambda x, y, r, c: x + y,
        lambda x, y, r, c: x * 0.5 - y,
        lambda x, y, r, c: x + r,
        lambda x, y, r, c: y * c,
        lambda x, y, r, c: np.maximum(x, y),
        lambda x, y, r, c: np.where(x > 0, y, 0),
        lambda x, y, r, c: np.where(x > y, x, r),
        lambda x, y, r, c: np.abs(x) + np.add.reduce(y, axis=0),
        lambda x, y, r, c: x - np.maximum.reduce(y, axis=1, keepdims=True),
        lambda x, y, r, c: x[::-1] + y,
        lambda x, y, r, c: x.T.copy().T * y,
    ]
)


@np.errstate(all="ignore")
@settings(max_examples=40, deadline=None)
@given(steps=st.lists(STEPS, min_size=2, max_size=12), rows=st.sampled_from([3, 40, 500]))
def test_operations_that_run_together_do_not_disturb_each_other(steps, rows):
    def f(x, r, c):
        y = x * 2
        for step in steps:
            x, y = step(x, y, r, c), x
        return x, y, np.add.reduce(x, axis=0)

    rng = np.random.default_rng(0)
    compiled = compile(f, jit=True)
    for _ in range(2):
        arguments = [rng.standard_normal(shape).astype(np.float32) for shape in ((rows, 400), (400,), (rows, 1))]
        for one, other in zip(compiled(*arguments), f(*arguments), strict=True):
            np.testing.assert_array_equal(one, other)


def test_rows_that_are_read_backwards_are_those_of_the_whole_array():
    def f(x):
        y = x * 2
        z = np.maximum(y, 1)
        return z[::-1] + z, y[:, ::1] + z[::-1]

    compiled = compile(f, jit=True)
    for seed in range(3):
        x = np.random.default_rng(seed).standard_normal((40, 4000)).astype(np.float32)
        for one, other in zip(compiled(x), f(x), strict=True):
            np.testing.assert_array_equal(one, other)


NUMBERS = {
    "a float beside integers": (lambda i: np.equal(i, 2.5), np.arange(5)),
    "an integer that no array holds": (lambda i: np.equal(i, 2**70), np.arange(5)),
    "a wide number beside a narrow array": (lambda x: np.greater(x, np.float64(0.1)), np.full(5, 0.1, np.float32)),
    "a negative zero": (lambda x: np.copysign(1, np.where(x > 0, x * 2, -0.0)), np.full((3, 4), -1.0, np.float32)),
}


@pytest.mark.parametrize(("f", "x"), NUMBERS.values(), ids=NUMBERS)
def test_numbers_are_taken_in_the_dtype_that_numpy_takes_them_in(f, x):
    compiled = compile(f, jit=True)
    for _ in range(2):
        np.testing.assert_array_equal(compiled(x), f(x))


@pytest.mark.parametrize("axis", [0, 1, (0, 1)])
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (3, 8), (5, 300)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_sum_of_negative_zeros_has_numpys_sign(dtype, shape, axis):
    def f(x, y):
        return np.add.reduce(x * y, axis=axis)

    x, y = np.full(shape, -0.0, dtype), np.ones(shape, dtype)
    compiled = compile(f, jit=True)
    compiled(x, y)
    np.testing.assert_array_equal(np.signbit(compiled(x, y)), np.signbit(f(x, y)))


def test_sums_follow_an_array_that_lies_otherwise_than_before():
    w = Tensor(np.ones((3, 4), np.float32))
    total = compile(lambda: (w.data * 1, w.data.sum()), jit=True)
    wide = np.arange(24, dtype=np.float32).reshape(3, 8)
    for array in (np.ones((3, 4), np.float32), wide[:, :4], np.asfortranarray(wide[:, :4])):
        w.data = array
        for _ in range(2):
            assert total()[1] == array.sum()


def test_sums_into_an_array_with_gaps_are_numpys():
    w = Tensor(np.zeros(8, np.float32))

    @compile(jit=True)
    def add_up(x):
        np.add.reduce(x, axis=0, out=w.data[::2])

    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    for _ in range(2):
        add_up(x)
        assert w.data.tolist() == [12, 0, 15, 0, 18, 0, 21, 0]


def test_a_process_that_finds_the_machine_code_does_not_import_numba():
    compile(lambda x: x + 1, jit=True)(np.ones((2, 2), np.float32))
    program = """
import sys
import numpy as np
import nn
from autograd_lite import Tensor, callback, compile
f = compile(lambda x: np.exp(x) + 1, jit=True)
x = np.ones((2, 2), np.float32)
f(x), f(x)
assert f.plans[0].segments
print("numba" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_damaged_file_is_as_good_as_none(tmp_path):
    path = tmp_path / "float32.bin"
    loader._write(path, "name", b"code" * 100)
    assert loader._read(path) == ("name", b"code" * 100)
    path.write_bytes(path.read_bytes()[:-1])
    assert loader._read(path) is None
    assert loader._read(tmp_path / "missing.bin") is None


def test_the_folder_for_the_machine_code_can_be_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("AUTOGRAD_LITE_CACHE_DIR", str(tmp_path))
    assert loader.cache_folder() == tmp_path


def test_without_numba_jit_is_refused_when_it_is_asked_for(monkeypatch):
    monkeypatch.setattr("autograd_lite.compiler.api.is_installed", lambda: False)
    with pytest.raises(ModuleNotFoundError, match="needs Numba"):
        compile(np.sin, jit=True)
    assert compile(np.sin)(np.zeros(2)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("wrong", [-1, 3, 2**40])
@pytest.mark.parametrize("spread", [lambda i: i, lambda i: np.repeat(i, 2)[::2], lambda i: i[::-1]])
def test_indices_are_checked_before_anything_is_changed(wrong, spread):
    total = Tensor(np.zeros(3))

    @compile(jit=True)
    def pick(indices, x):
        total.data += x.sum(axis=0)
        callback(IndexCheck(3), indices)
        return x[np.arange(len(indices)), indices]

    x, indices = np.arange(12.0).reshape(4, 3), np.array([0, 2, 1, 0])
    for _ in range(3):
        np.testing.assert_array_equal(pick(spread(indices), x), x[np.arange(4), spread(indices)])
    before = total.data.copy()
    indices[2] = wrong
    with pytest.raises(IndexError, match=f"index {wrong} at .* is out of range; expected 0 to 2"):
        pick(spread(indices), x)
    np.testing.assert_array_equal(total.data, before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_training_step_is_one_stretch_and_its_update(dtype):
    model = nn.MLP([5, 4, 3], rng=0, dtype=dtype)
    optimizer = nn.SGD(model.parameters(), lr=0.1)

    @compile(jit=True)
    def step(X, labels):
        optimizer.zero_grad()
        loss = nn.softmax_cross_entropy(model(X), labels)
        loss.backward()
        optimizer.step()
        return loss

    step(np.ones((6, 5), dtype), np.arange(6) % 3)
    assert len(step.plans[0].segments) == 2


def test_a_check_of_ones_own_is_the_one_that_is_made():
    class Even(IndexCheck):
        def __call__(self, values):
            if (values % 2).any():
                raise ValueError("odd")

    compiled = compile(lambda i, x: (callback(Even(9), i), x * 2)[1], jit=True)
    for _ in range(2):
        compiled(np.array([0, 2]), np.ones(2))
    with pytest.raises(ValueError, match="odd"):
        compiled(np.array([0, 1]), np.ones(2))


def test_a_callback_of_ones_own_that_happens_to_have_a_stop_is_called():
    class Seen:
        stop = 10

        def __init__(self):
            self.values = []

        def __call__(self, values):
            self.values.append(values.copy())

    seen = Seen()
    compiled = compile(lambda i, x: (callback(seen, i), x * 2)[1], jit=True)
    for call in range(3):
        compiled(np.array([call]), np.ones(2))
    np.testing.assert_array_equal(seen.values, [[0], [1], [2]])


@pytest.mark.parametrize("jit", [True, False])
@pytest.mark.parametrize("is_argument", [True, False])
def test_every_byte_but_zero_is_true(jit, is_argument):
    mask = np.tile(np.array([0, 255, 1, 2], np.uint8), (500, 2)).view(bool)
    x = np.random.default_rng(0).standard_normal(mask.shape)

    def f(x, mask=mask):
        return np.where(mask, x * 1, 0), np.where(mask, x * 2, x), x * mask, x - mask

    compiled = compile(f, jit=jit)
    for _ in range(2):
        for one, other in zip(compiled(x, mask) if is_argument else compiled(x), f(x), strict=True):
            np.testing.assert_array_equal(one, other)
