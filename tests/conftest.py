from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.served import Served, mock

settings.register_profile("ours", deadline=None, derandomize=True)
settings.load_profile("ours")


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """A mock with its default flags, shared by tests that use variants of their own."""
    with mock() as running:
        yield running
