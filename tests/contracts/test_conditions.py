"""What lies between the judge and a deployment accuses no deployment, and hides no breach of one that can be judged."""

from __future__ import annotations

import pytest

from tests.matrix.__main__ import right
from tests.matrix.conditions import CONDITIONS
from tests.matrix.runs import Row, in_process
from tests.matrix.servers import servers


def judged(name: str, condition: str, *flags: str) -> Row:
    """Judge a server for three seconds of its clock."""
    [server] = servers([], [name])
    row = in_process(server, ["--max-time", "3", "--seed", "1", *flags], condition)
    assert server.verdict != "none" or right(server, row), row.violations
    return row


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_accuses_no_server_that_keeps_every_promise(condition: str) -> None:
    """`make mutants ARGS="--sets variants --conditions all"` asks each variant; here it is one."""
    row = judged("plain", condition)

    assert row.exit_code == (3 if condition == "login page" else 1 if row.violations else 0)


@pytest.mark.parametrize("condition", [name for name in CONDITIONS if name != "login page"])
def test_a_condition_hides_no_breach(condition: str) -> None:
    """An answer of another shape is seen through each."""
    row = judged("R04", condition, "--only", "PAGE-5")

    assert any(one.startswith("PAGE-5 ") for one in row.violations)
