"""Stock Schemathesis with its default checks finds no failure against document and overlays."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from mock_server.settings import OVERLAID
from tests.running_mock import mock

COMMAND = Path(sys.executable).parent / "schemathesis"


@pytest.mark.slow
def test_stock_schemathesis_finds_no_failure_and_reaches_every_operation(
    tmp_path: Path, seed: int, examples: int
) -> None:
    """With one seed and few examples, and more in `make fuzz`; each operation answers 200 at least 20 times."""
    (tmp_path / "schemathesis.toml").write_text('[parameters]\n"path.org_id" = "42"\n')
    with mock("--auto-define") as running:
        command = [
            COMMAND,
            "run",
            OVERLAID,
            "--url",
            f"http://127.0.0.1:{running.port}",
            "--seed",
            str(seed),
            "--max-examples",
            str(examples),
            "--no-color",
        ]
        found = subprocess.run(
            [*map(str, command), "-H", "x-arklow-auth: org-42"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=900,
        )
        running.call("GET", "/the-last-one")
        running.line_with("/the-last-one")
        answers = Counter(
            tuple(line.split()[1:3]) for line in running.lines if re.match(r"\d\d:\d\d:\d\d ", line)
        )

    print({f"{status} {operation}": count for (status, operation), count in sorted(answers.items())})
    assert found.returncode == 0, found.stdout[-5_000:]
    assert "No issues found" in found.stdout
    operations = (
        "createIngressVariantAction",
        "modAckIngressAction",
        "put_v1_orgs_by_org_id_actions_definitions",
    )
    assert all(answers["200", operation] >= 20 for operation in operations), answers
    assert not [status for status, _ in answers if status.startswith("5")]
