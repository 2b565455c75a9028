"""What the tests of networks share."""

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Products this small gain nothing from a second thread, and lose much where the cores are busy."""
    with threadpool_limits(1):
        yield
