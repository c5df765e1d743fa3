"""A seed chooses the same defects again; each package has one, each changes one place, and idle code has none."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from .choice import PROGRAMS, Defect, chosen, package, places

ROOT = Path(__file__).parents[2]

IDLE = '''
"""A docstring with a number: 1."""
from typing import TYPE_CHECKING, Literal, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    Both = {1: 2}
_T = TypeVar("_T")
_P = ParamSpec("_P")
__all__ = ["f"]


class Port(Protocol):
    rate: int = 1

    def wait(self, seconds: float = 1) -> None: ...


@decorated("by", number=1)
def f(one: Literal["a", 1]) -> Literal["b"]:
    """Do nothing."""
    assert one > 1, "message"
    return [isinstance(one, "int" or "str"), "utf-8"]
'''
"""Code that has no place for a defect."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Three packages: a large one, a small one, and the root of a program."""
    for path, text in {
        "contracts/core/large.py": "x = 1\n" * 200,
        "contracts/core/idle.py": IDLE,
        "mock_server/api/small.py": "def f(one):\n    return one < 1\n",
        "mock_server/app.py": "x = 1 if y else 2\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, "utf-8")
    return tmp_path


def test_a_seed_chooses_the_same_defects_again(tree: Path) -> None:
    """Another seed chooses others."""
    assert chosen(tree, 1, 10) == chosen(tree, 1, 10) != chosen(tree, 2, 10)


def test_each_package_has_a_defect(tree: Path) -> None:
    """Small ones too; the large ones have the others, and no defect comes twice."""
    defects = chosen(tree, 1, 12)
    packages = Counter(package(one.path) for one in defects)

    assert len({(one.path, one.after) for one in defects}) == 12
    assert packages.keys() == {"contracts.core", "mock_server.api", "mock_server"}
    assert packages["contracts.core"] >= 6


def test_fewer_defects_than_packages_fall_to_some_of_them(tree: Path) -> None:
    """No package has two then."""
    assert len({package(one.path) for one in chosen(tree, 1, 2)}) == 2


def test_code_that_no_test_can_judge_has_no_defect() -> None:
    """Docstrings, annotations, decorators, types, protocols, exports, assertions, encodings, and what mutmut itself leaves out."""
    assert places(IDLE)[1] == []


def test_a_defect_changes_one_place_of_its_file(tree: Path) -> None:
    """The line and the difference say which; Python can parse what comes out."""
    for one in chosen(tree, 1, 10):
        pairs = zip(one.before.splitlines(), one.after.splitlines(), strict=True)
        [(number, old, new)] = [(at, *pair) for at, pair in enumerate(pairs, 1) if pair[0] != pair[1]]
        assert (one.line, one.difference) == (number, f"{old.strip()} → {new.strip()}")
        assert one.before == (tree / one.path).read_text("utf-8")
        ast.parse(one.after)


def test_a_difference_over_several_lines_is_one_line() -> None:
    """What is gone is named as nothing."""
    defect = Defect("x.py", "arg_removal", "f(\n    1,\n    2,\n)\n", "f(\n    1)\n")

    assert (defect.line, defect.difference) == (2, "1, 2, ) → 1)")
    assert Defect("x.py", "keywords", "a\nb\n", "a\n").difference == "b → nothing"


def test_the_product_has_the_packages_that_defects_fall_to() -> None:
    """One defect each leaves more than ten of forty for the sizes."""
    packages = {
        package(file.relative_to(ROOT).as_posix())
        for name in PROGRAMS
        for file in (ROOT / name).rglob("*.py")
    }

    assert {"contracts", "contracts.transport", "mock_server", "mock_server.domain"} <= packages
    assert len(packages) < 30
