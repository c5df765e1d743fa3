from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.admin.conftest import desk
from tests.deliveries.receiver import Receiver

__all__ = ["desk", "receiver"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of webhooks, which answers 200 unless the test gives it other answers."""
    with Receiver() as receiver:
        yield receiver
