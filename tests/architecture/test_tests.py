"""Every test asserts something: a test that only runs code passes whatever the code returns."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

HELPERS = {
    "_limited": "a refusal names the limit",
    "assert_conforms": "a report has no finding, and every operation was reached",
    "assert_found": "a run found the interpretations that a deployment takes",
    "assert_judged": "what two runs have found of changed pages",
    "assert_refused": "a mock refuses a request as a table says",
    "assert_reports_can_be_written": "every report of a run can be written, and fits its schema",
    "until": "something happens in time",
    "assert_three_were_hit": "a fault hits as many answers as it should",
}
"""Function that asserts for its callers → what it asserts."""


def asserts(node: ast.AST) -> bool:
    """Whether there is an assert statement, a `pytest.raises`, `warns` or `fail`, or a call of a helper in a function."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assert):
            return True
        if isinstance(inner, ast.Call):
            called = ast.unparse(inner.func)
            if (
                called in ("pytest.raises", "pytest.warns", "pytest.fail")
                or called.rpartition(".")[2] in HELPERS
            ):
                return True
    return False


def found_tests(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The test functions of a file, those in classes too; not what a test defines inside itself."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from found_tests(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


def without_assertion(name: str, text: str) -> list[str]:
    """Tests of a file that assert nothing, as `path:line name`."""
    return [f"{name}:{one.lineno} {one.name}" for one in found_tests(ast.parse(text)) if not asserts(one)]


def test_every_test_asserts() -> None:
    """Itself, or by a helper that is named above."""
    found = [
        one
        for file in sorted((ROOT / "tests").rglob("test_*.py"))
        for one in without_assertion(str(file.relative_to(ROOT)), file.read_text("utf-8"))
    ]

    assert found == []


@pytest.mark.parametrize(
    "body",
    [
        "    call()",
        "    if call() != 1:\n        return",
        "    class Server:\n        def answer(self): return 1\n    call(Server())",
    ],
)
def test_a_test_that_only_runs_code_is_found(body: str) -> None:
    """Whatever else it does."""
    assert without_assertion("x.py", f"def test_x():\n{body}") == ["x.py:1 test_x"]


@pytest.mark.parametrize(
    "body",
    ["    assert call()", "    with pytest.raises(ValueError):\n        call()", "    pytest.fail('no')"],
)
def test_an_assertion_is_seen(body: str) -> None:
    """Each kind of it, in classes too."""
    assert without_assertion("x.py", f"def test_x():\n{body}") == []
    inside = "\n".join(f"    {line}" for line in f"def test_x(self):\n{body}".splitlines())
    assert without_assertion("x.py", f"class TestX:\n{inside}") == []


def test_every_helper_is_there_and_asserts() -> None:
    """A helper that no longer asserts would excuse all its callers."""
    defined: dict[str, bool] = {}
    for file in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in HELPERS:
                defined[node.name] = asserts(node)

    assert defined == dict.fromkeys(HELPERS, True)
