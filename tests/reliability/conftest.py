"""What the tests of reliability share: how often they try, and threads that take turns often."""

import sys

import pytest


@pytest.fixture
def rounds(request):
    """From a number of attempts to that of a run with ``--long``, which makes fifty times as many."""
    return lambda count: count * (50 if request.config.getoption("--long") else 1)


@pytest.fixture
def frequent_switches():
    """Threads take turns after 10 microseconds in place of 5 milliseconds."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)
