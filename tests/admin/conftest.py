from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.admin.desk import Desk


@pytest.fixture
def desk() -> Iterator[Desk]:
    """An admin plane of its own."""
    with Desk() as desk:
        yield desk
