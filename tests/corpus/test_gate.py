"""A gate sends what it sent when its requests were recorded."""

from __future__ import annotations

from difflib import unified_diff

import pytest

from tests.corpus.gate import SERVERS, sent, stored


@pytest.mark.parametrize("server", SERVERS)
def test_a_gate_sends_the_same_bytes(server: str) -> None:
    """In the same order; where that is meant to change, `python -m tests.corpus.gate record` stores it."""
    before, now = stored(server), sent(server)

    changes = list(unified_diff(before, now, "recorded", "sent now", lineterm="", n=0))
    assert not changes, "\n".join(change[:300] for change in changes[:20])
