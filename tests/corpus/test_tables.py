"""What the judge knows by heart is what it knew when its tables were recorded: nothing changes in them by accident."""

from __future__ import annotations

from difflib import unified_diff

from tests.corpus.tables import stored, tables


def test_the_tables_of_the_judge_are_as_recorded() -> None:
    """Where a rule, a question, a scenario or a request is meant to change, `python -m tests.corpus.tables record` stores it."""
    changes = list(unified_diff(stored(), tables(), "recorded", "now", lineterm="", n=0))

    assert not changes, "\n".join(change[:300] for change in changes[:20])


def test_the_tables_say_all_of_a_request() -> None:
    """A digest stands for what is long, a word for what is compressed; every other member is there as it is."""
    lines = tables()

    assert "rule DEF-1 | source: 'Q5'" in lines
    assert "question a lower explicit version | source: 'Q5'" in lines
    assert any(line.startswith("POST /v1/modack a closing brace too many | body: b'{") for line in lines)
    assert any(line.endswith("| body: b'compressed'") for line in lines)
    assert len(lines) == len(set(lines))
