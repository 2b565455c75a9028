"""Fixtures that several test folders share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def mnist_root():
    """Give the folder with the real MNIST files, or skip; under ``CI=true`` they must be there."""
    beside_repository = Path(__file__).parents[2] / "shared" / "data" / "mnist"
    folder = Path(os.environ.get("AUTOGRAD_LITE_MNIST") or beside_repository)
    if folder.is_dir():
        return folder
    missing = f"no MNIST in {folder}; set AUTOGRAD_LITE_MNIST to a folder with its four files"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)
