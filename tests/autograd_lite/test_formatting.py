"""Numbers as text: with a unit and its prefix."""

import pytest

from autograd_lite.formatting import with_unit


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (4_390_000, "4.39 MB"), (5e9, "5 GB"), (7e15, "7e+03 TB")],
)
def test_a_number_has_a_prefix_that_counts_in_thousands(count, text):
    assert with_unit(count, "B") == text
