"""Costly things that all workers of pytest-xdist share: the first worker that needs one makes it, and the others wait."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.waiting import wait_until

LIMIT = 900.0
"""Seconds that another worker may take: an installation on a busy machine."""


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that `make` has filled, once in the whole run; in other workers, when it is filled.

    Raises:
        AssertionError: it failed in the worker that tried.
    """
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # that of the run, of which each worker's is a part
    folder, ended = base / f"once-{name}", base / f"once-{name}.ended"
    try:
        folder.mkdir()
    except FileExistsError:
        wait_until(ended.exists, f"the end of {name} in another worker", within=LIMIT)
        assert ended.read_text() == "made", f"{name} failed in another worker"
        return folder
    result = "failed"
    try:
        make(folder)
        result = "made"
    finally:
        ended.write_text(result)
    return folder


__all__ = ["once"]
