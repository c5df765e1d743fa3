"""Documents of the mock that tests share: loading one takes longer than most tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mock_server.api.document import Document
from mock_server.settings import ADMIN, OVERLAID, PUBLISHED

_shared = cache(Document)


def shared_document(path: Path) -> Document:
    """Load a document: one of ours once in a process, for all mocks, which only read it; any other each time."""
    return _shared(path) if path in (ADMIN, OVERLAID, PUBLISHED) else Document(path)


__all__ = ["shared_document"]
