"""Plugins of pytest for trials: `Contexts` notes which test runs a line, `Selection` runs some tests alone, in an order.

Loaded by `-p tests.planted_defects.recording`; without `PLANTED_DEFECTS_TESTS` in the environment, all tests run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest

TESTS = "PLANTED_DEFECTS_TESTS"
"""The variable with the path of a file that lists tests, one a line, in the order in which they run."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Record what runs from the setup of a test to its teardown under the name of the test."""
    measured = coverage.Coverage.current()
    if measured is None:
        return (yield)
    measured.switch_context(item.nodeid)
    try:
        return (yield)
    finally:
        measured.switch_context("")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the listed tests, in the order of the list."""
    listed = os.environ.get(TESTS)
    if listed:
        order = {name: place for place, name in enumerate(Path(listed).read_text("utf-8").splitlines())}
        items[:] = sorted((one for one in items if one.nodeid in order), key=lambda one: order[one.nodeid])
