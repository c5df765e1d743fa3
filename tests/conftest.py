"""Fixtures and flags that all tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests import order
from tests.lanes import Lanes
from tests.running_mock import RunningMock, mock_here

settings.register_profile("ours", deadline=None, derandomize=True)
settings.load_profile("ours")


@pytest.fixture(scope="session")
def served() -> Iterator[RunningMock]:
    """A mock with its default flags, in a thread of this process; tests share it, so each has variants or an organisation of its own."""
    with mock_here() as running:
        yield running


@pytest.fixture(scope="session")
def examples(request: pytest.FixtureRequest) -> int:
    """How many cases the generators of whole requests make of each kind: few by default, many in `make fuzz`."""
    return int(request.config.getoption("examples"))


def pytest_configure(config: pytest.Config) -> None:
    """Hold fast tests to their lane, say how the order of a run is had again, and listen to Ctrl-C.

    A shell that starts the tests in the background has SIGINT ignored, in this process and in those that tests start.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.pluginmanager.register(Lanes())
    config.pluginmanager.register(order)


def pytest_xdist_auto_num_workers() -> int:
    """Return how many workers `-n auto` starts: one more than cores, so that tests get their share where others work too."""
    return (os.cpu_count() or 1) + 1


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flags that make fuzzing tests longer."""
    parser.addoption("--seeds", type=int, default=1, help="how many seeds the fuzzing tests take")
    parser.addoption("--examples", type=int, default=25, help="how many cases generators make of each kind")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes a `seed` once for each seed."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(1, metafunc.config.getoption("seeds") + 1))
