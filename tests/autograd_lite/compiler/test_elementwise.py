"""Elementwise programs: traced from a function, and run by NumPy and by machine code to the function's bits."""

import ctypes

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_lite.compiler.elementwise import FormulaTracer, Untraceable
from autograd_lite.compiler.elementwise.llvm import CODE, kernel_of
from autograd_lite.compiler.elementwise.numpy_passes import passes
from autograd_lite.compiler.elementwise.trace import UFUNCS
from autograd_lite.compiler.native import is_installed
from autograd_lite.core.commit import commit

UNARY = [ufunc for ufunc, operands in UFUNCS.items() if operands == 1]
BINARY = [ufunc for ufunc, operands in UFUNCS.items() if operands == 2]

steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(UNARY), st.integers(0, 9)),
        st.tuples(st.sampled_from(BINARY), st.integers(0, 9), st.integers(0, 9)),
        st.tuples(st.sampled_from(BINARY), st.integers(0, 9), st.floats(-3, 3)),
    ),
    min_size=1,
    max_size=8,
)


def written(steps, results):
    """A function of three arrays that gives new values for some of them."""

    def function(arrays):
        values = list(arrays)
        for ufunc, *operands in steps:
            given = [values[x % len(values)] if isinstance(x, int) else x for x in operands]
            values.append(ufunc(*given))
        return {target: values[place % len(values)] for target, place in results.items()}

    return function


def traced(function):
    tracer = FormulaTracer()
    symbols = [tracer.array() for _ in range(3)]
    program = tracer.program({symbols[target]: value for target, value in function(symbols).items()})
    return program, tracer.coefficients()()


def by_machine_code(kernel, coefficients, arrays):
    """The arrays as the kernel leaves them."""
    found = [array.copy() for array in arrays]
    addresses = (ctypes.c_int64 * len(found))(*(array.ctypes.data for array in found))
    numbers = (ctypes.c_double * (1 + len(coefficients)))(*coefficients)
    run = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)(kernel.address)
    run(found[0].size, ctypes.addressof(addresses), ctypes.addressof(numbers))
    return found


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@settings(max_examples=60, deadline=None)
@given(
    steps=steps,
    results=st.dictionaries(st.integers(0, 2), st.integers(0, 12), min_size=1),
    dtype=st.sampled_from(["f4", "f8"]),
    n=st.sampled_from([0, 1, 3, 8, 37]),
)
def test_a_program_computes_what_its_function_does(steps, results, dtype, n):
    function = written(steps, results)
    arrays = list(np.random.default_rng(0).standard_normal((3, n)).astype(dtype))
    expected = [array.copy() for array in arrays]
    expected_values = {target: np.array(value) for target, value in function(arrays).items()}
    for target, value in expected_values.items():
        expected[target] = value
    program, coefficients = traced(function)

    by_numpy, found = passes(program), [array.copy() for array in arrays]
    scratch = [np.empty(n, dtype) for _ in range(by_numpy.scratch)]
    commit(by_numpy.calls(coefficients, [*found, *scratch], ()))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)

    if (kernel := kernel_of(program, np.dtype(dtype))) is not None:
        for one, other in zip(by_machine_code(kernel, coefficients, arrays), expected, strict=True):
            np.testing.assert_array_equal(one, other)


SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, np.inf, -np.inf, np.nan, 1e-40, -1e-40, 3.4e38, -3.4e38]


@pytest.mark.skipif(not is_installed(), reason="needs Numba")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("second", [None, 0.0, -0.0, np.nan, 0.5])
def test_every_function_is_machine_code_with_numpys_bits(ufunc, second, dtype):
    def function(arrays):
        x, y, _ = arrays
        return {2: ufunc(x) if ufunc in UNARY else ufunc(x, y if second is None else second)}

    pairs = np.meshgrid(SPECIAL, SPECIAL)
    arrays = [*(np.ravel(array).astype(dtype) for array in pairs), np.zeros(len(SPECIAL) ** 2, dtype)]
    program, coefficients = traced(function)
    kernel = kernel_of(program, np.dtype(dtype))
    if kernel is None and ufunc in (np.maximum, np.minimum):
        pytest.skip("NumPy chooses between 0 and -0 otherwise on this processor")
    expected, found = function(arrays)[2], by_machine_code(kernel, coefficients, arrays)[2]
    np.testing.assert_array_equal(found, expected)
    is_number = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(found)[is_number], np.signbit(expected)[is_number])


def test_there_is_machine_code_for_every_function_that_is_traced():
    assert CODE.keys() == UFUNCS.keys()


def test_numbers_are_computed_anew_from_the_arguments():
    tracer = FormulaTracer("t", "options")
    x = tracer.array()
    options = {"rates": (0.5, 2.0), "power": 3}
    t, symbols = tracer.number(2, "t"), tracer.options(options, "options")
    first, second = symbols["rates"]
    tracer.program({x: x * (first / (1 - t)) + abs(-second) ** symbols["power"]})
    coefficients = tracer.coefficients()
    assert coefficients(2, options) == (-0.5, 8.0)
    assert coefficients(5, {"rates": (4.0, 1.0), "power": 2}) == (-1.0, 1.0)
    assert coefficients(5, {"rates": (4.0, 1.0, 3.0), "power": 2}) is None
    assert coefficients(5, {"rates": (4.0, 1.0), "power": 2.0}) is None


def test_a_branch_on_a_number_is_a_guard():
    tracer = FormulaTracer("t", "options")
    x, t = tracer.array(), tracer.number(2, "t")
    options = tracer.options({"mode": "fast", "twice": True}, "options")
    assert options["twice"] is True
    assert options["mode"] == "fast"
    tracer.program({x: x * t if t > 1 else x})
    coefficients = tracer.coefficients()
    assert coefficients(3, {"mode": "fast", "twice": True}) == (3,)
    assert coefficients(1, {"mode": "fast", "twice": True}) is None
    assert coefficients(3, {"mode": "slow", "twice": True}) is None
    assert coefficients(3, {"mode": "fast", "twice": False}) is None


REFUSED = {
    "a reduction": lambda x, t: x * np.add.reduce(x),
    "a method": lambda x, t: x - x.mean(),
    "a shape": lambda x, t: x * x.shape[0],
    "a comparison": lambda x, t: x * (x > 0),
    "an array from elsewhere": lambda x, t: x * np.ones(3),
    "NumPy's number": lambda x, t: x * np.float64(2),
    "a root of a number": lambda x, t: x * np.sqrt(t),
    "a truth value": lambda x, t: x * True,
    "a function that is rounded as it lies": lambda x, t: np.exp(x),
    "another power": lambda x, t: x**3,
    "float": lambda x, t: x * float(t),
    "out": lambda x, t: np.add(x, x, out=x),
    "no array": lambda x, t: t,
}


@pytest.mark.parametrize("function", REFUSED.values(), ids=REFUSED)
def test_what_is_no_elementwise_arithmetic_is_refused(function):
    tracer = FormulaTracer("t")
    x = tracer.array()
    with pytest.raises(Untraceable):
        tracer.program({x: function(x, tracer.number(2, "t"))})


def test_a_refusal_that_a_function_catches_stands():
    tracer = FormulaTracer()
    x = tracer.array()
    try:
        y = x.sum()
    except Exception:
        y = x
    with pytest.raises(Untraceable, match="sum"):
        tracer.program({x: y})
