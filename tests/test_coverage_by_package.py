"""The table of coverage sums up each package, and no package below the limit goes without its reason."""

from __future__ import annotations

from typing import Any

import pytest

from tests.coverage_by_package import faults, rows, table


def file(statements: int, lines: int, branches: int = 0, branches_run: int = 0) -> dict[str, Any]:
    """What coverage reports of a file."""
    return {
        "summary": {
            "num_statements": statements,
            "covered_lines": lines,
            "num_branches": branches,
            "covered_branches": branches_run,
        }
    }


REPORT = {
    "files": {
        "mock_server/app.py": file(10, 10),
        "mock_server/api/pages.py": file(90, 90, 10, 10),
        "mock_server/api/deeper/stubs.py": file(10, 8, 10, 8),
        "contracts/core/curl.py": file(100, 100, 10, 8),
    }
}


def test_files_are_summed_up_by_their_package() -> None:
    """A folder below a package is part of it; modules at the root of a program are a package together."""
    assert [(row.package, row.statements, row.lines_run, row.branches_run) for row in rows(REPORT)] == [
        ("contracts.core", 100, 100, 80),
        ("mock_server", 10, 100, 100),
        ("mock_server.api", 100, 98, 90),
    ]


def test_a_package_below_the_limit_needs_a_reason() -> None:
    """Branches count as lines do."""
    assert faults(rows(REPORT), {}) == ["contracts.core is below 90 % and has no reason in pyproject.toml"]
    assert faults(rows(REPORT), {"contracts.core": "it draws"}) == []


@pytest.mark.parametrize("package", ["mock_server.api", "mock_server.gone"])
def test_a_reason_that_holds_no_longer_is_a_fault(package: str) -> None:
    """The package has reached the limit, or is gone."""
    reasons = {"contracts.core": "it draws", package: "it is hard"}

    assert faults(rows(REPORT), reasons) == [
        f"{package} is not below 90 %: drop its reason from pyproject.toml"
    ]


def test_the_reason_stands_in_the_row() -> None:
    """Beside the figures of the package that it excuses."""
    _, core, root, _ = table(rows(REPORT), {"contracts.core": "it draws"})

    assert core.split() == "contracts.core 100 10 100.0 % 80.0 % below 90 %: it draws".split()
    assert "reason" not in root.lower()
