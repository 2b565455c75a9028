"""What all tests share: fixtures, and the rule that under CI nothing may be skipped."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from autograd_lite.core.context import CONTEXT

# Under CI the same examples are drawn each time, so that a run tells something of the change; elsewhere new ones.
# No example has a deadline of its own, since a busy machine may stop for longer.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", derandomize=True, deadline=None)
settings.load_profile("default")
if os.environ.get("CI") == "true":
    settings.load_profile("ci")

# A shell that starts the tests in the background has them ignore Ctrl-C, and with them every process that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--long``: the tests of reliability try as often as a night allows."""
    parser.addoption("--long", action="store_true", help="many more attempts in tests/reliability")


@pytest.fixture(scope="session")
def mnist_root():
    """Give the folder with the real MNIST files, or skip; under ``CI=true`` they must be there."""
    beside_repository = Path(__file__).parents[1] / "shared" / "data" / "mnist"
    folder = Path(os.environ.get("AUTOGRAD_LITE_MNIST") or beside_repository)
    if folder.is_dir():
        return folder
    missing = f"no MNIST in {folder}; set AUTOGRAD_LITE_MNIST to a folder with its four files"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(autouse=True)
def recording_is_left_on() -> Iterator[None]:
    """No test may leave the recording of calls switched off for those after it."""
    yield
    assert CONTEXT.get().recording


@pytest.fixture(autouse=True)
def examples_write_elsewhere(request: pytest.FixtureRequest) -> None:
    """The files that documented examples write go to a folder of their own; some need Graphviz."""
    if isinstance(request.node, pytest.DoctestItem):  # asked for here alone, since a folder takes 1 ms of every test
        request.getfixturevalue("monkeypatch").chdir(request.getfixturevalue("tmp_path"))
        sources = [example.source for example in request.node.dtest.examples]
        if any(f"{function}(" in source for function in ("backprop_page", "animate_backward") for source in sources):
            request.getfixturevalue("dot")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Under ``CI=true`` a test that skips has failed, but for those that need a disk that cannot be mounted."""
    report = yield
    may_skip = hasattr(report, "wasxfail") or "no disk can be mounted" in str(report.longrepr)
    if report.skipped and not may_skip and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and under CI nothing may be missing: {report.longrepr}"
    return report


@pytest.fixture
def dot() -> str:
    """The path of Graphviz's program, or a skip."""
    found = shutil.which("dot")
    if found is None:
        pytest.skip("Graphviz's dot is not installed")
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium that Playwright drives, or a skip."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()
