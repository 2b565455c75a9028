"""What the tests need otherwise than documented examples do."""

import pytest


@pytest.fixture(autouse=True)
def examples_write_elsewhere():
    """No test here is a documented example. A folder for each of them would take 1 ms of every test."""
