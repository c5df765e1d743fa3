"""Sizes that keep a file readable from top to bottom, and a function on one screen."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("arklow_local", "contracts", "mock_server")

LONGEST_FILE = 500
"""Lines; the models of this code stay below 650."""
LONGEST_FUNCTION = 60
"""Lines, decorators and docstring included: what a screen shows."""

LONG_FILES = {
    "contracts/reports/generated_test_runtime.py": "the runtime that each generated test carries, in one file",
}
"""File → why it may be longer."""


def _files(*packages: str) -> list[Path]:
    return [file for package in packages for file in sorted((ROOT / package).rglob("*.py"))]


def test_no_file_is_too_long() -> None:
    """Catalogues of data are split by what they are about too, and tests by what they show."""
    long = {
        str(file.relative_to(ROOT)): count
        for file in _files(*PRODUCT, "tests")
        if (count := len(file.read_text("utf-8").splitlines())) > LONGEST_FILE
    }

    assert long.keys() == LONG_FILES.keys(), long


def test_no_function_is_too_long() -> None:
    """In the product."""
    long = [
        f"{file.relative_to(ROOT)}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1} lines"
        for file in _files(*PRODUCT)
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION
    ]

    assert long == []


def test_the_judge_has_few_modules_at_its_root() -> None:
    """Everything else lives in a package that says what it is for."""
    flat = {file.stem for file in (ROOT / "contracts").glob("*.py")}

    assert flat == {"__init__", "__main__", "cli", "pytest_plugin"}
