"""Every rule under `check_gradients`: first and second order, in both modes, on shapes and layouts that are drawn.

The calls are of the table of specifications, which names every function that has a rule (test_completeness.py), so a
rule without this test cannot exist. What each call's derivatives are is held in test_table.py and test_forward_mode.py;
here it is that the check, as users call it, finds nothing wrong with any rule.
"""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given, settings

from autograd_lite import check_gradients

from .engine import LAYOUTS, laid_out
from .specs import EXAMPLES, SPECS
from .specs.spec import Example

FIVE_DIGITS = {"itairy"}
"""What SciPy computes to five digits, while its derivative has all."""

NAN_IN_SINGLE = {"modfresnelp", "modfresnelm"}
"""What SciPy gives NaN for in single precision."""

EXACT = [spec for spec in SPECS if spec.name not in FIVE_DIGITS]

LARGEST_OF_EACH_FUNCTION = {
    example.spec.of: example for example in sorted(EXAMPLES, key=lambda e: e.size) if example.spec in EXACT
}


def listed(example):
    return lambda *arrays: list(example.call(*arrays))


@pytest.mark.parametrize("example", LARGEST_OF_EACH_FUNCTION.values(), ids=str)
def test_first_and_second_derivatives_agree_with_differences_in_both_modes(example):
    report = check_gradients(listed(example), *example.arrays())
    # Differences cannot tell a step near by from rounding, but they see no kink and no jump at these points.
    assert all("cannot be checked precisely" in note for note in report.notes)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(EXACT),
    st.integers(0, 20),
    st.integers(0, 2**16),
    st.sampled_from(("as drawn", *LAYOUTS)),
    st.sampled_from((np.float64, np.float32)),
)
def test_so_they_do_for_drawn_arguments_layouts_and_dtypes(spec, choice, seed, layout, dtype):
    # In single precision rounding decides how many coefficients or roots there are.
    assume(dtype is np.float64 or not (spec.ragged or spec.name in NAN_IN_SINGLE))
    example = Example(spec, spec.shapes[choice % len(spec.shapes)])
    arrays = [a if layout == "as drawn" else laid_out(a, layout) for a in example.arrays(dtype, seed)]
    check_gradients(listed(example), *arrays, order=1 if dtype is np.float32 else 2)
