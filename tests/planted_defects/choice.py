"""Choose defects: mutmut's operators make them, a seed chooses among them.

A package is a folder of the second level, such as `contracts.transport`; the modules at the root of a program are one
package together. Each package has one defect at least; the others fall to files in proportion to their lines.

What is left out, since no test could tell the difference: docstrings (mutmut's own rule), annotations, decorators,
`if TYPE_CHECKING`, `__all__`, type variables, protocols, assertions, which state what cannot happen, and the names of text encodings,
which are the same in capitals; and what would be caught too easily: the arguments of `len` and `isinstance` (mutmut's own
rule).
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from random import Random

import libcst as cst
import libcst.matchers as m
from mutmut.mutation.mutators import mutation_operators

PROGRAMS = ("contracts", "mock_server")
"""Where defects are planted."""

LEFT_OUT = (
    m.Annotation()
    | m.Assert()
    | m.Decorator()
    | m.If(test=m.Name("TYPE_CHECKING"))
    | m.Assign(targets=[m.AssignTarget(m.Name("__all__"))])
    | m.Assign(value=m.Call(func=m.Name("TypeVar") | m.Name("ParamSpec")))
    | m.ClassDef(bases=[m.Arg(m.Name("Protocol"))])
    | m.Call(func=m.Name("isinstance") | m.Name("len"))
    | m.SimpleString('"ascii"')
    | m.SimpleString('"latin-1"')
    | m.SimpleString('"utf-8"')
)
"""Code in which no defect is planted."""


@dataclass(frozen=True)
class Defect:
    """A file with one change that mutmut makes."""

    path: str
    """Relative to the root of the repository."""
    operator: str
    """mutmut's name of the kind of change."""
    before: str
    """The text of the file."""
    after: str
    """The text with the defect."""

    @property
    def line(self) -> int:
        """The number of the first line that differs, from 1."""
        return 1 + _alike(self.before.splitlines(), self.after.splitlines())

    @property
    def difference(self) -> str:
        """What differs, in one line: `old → new`."""
        before, after = (text.splitlines()[self.line - 1 :] for text in (self.before, self.after))
        same = _alike(before[::-1], after[::-1])
        sides = (" ".join(map(str.strip, lines[: len(lines) - same])) for lines in (before, after))
        return " → ".join(side or "nothing" for side in sides)


@dataclass(frozen=True)
class Change:
    """One node in place of another."""

    operator: str
    old: cst.CSTNode
    new: cst.CSTNode


class _Collector(cst.CSTVisitor):
    """Collects the nodes that mutmut can change, each with all its changes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[list[Change]] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Ask each operator for its changes of this node, unless no defect is planted in it."""
        if m.matches(node, LEFT_OUT):
            return False
        changes = [
            Change(operator.__name__.removeprefix("operator_"), node, new)
            for kind, operator in mutation_operators
            if isinstance(node, kind)
            for new in operator(node)
        ]
        if changes:
            self.found.append(changes)
        return True


def _alike(some: Sequence[str], others: Sequence[str]) -> int:
    """How many lines are the same from the first on."""
    return len([*takewhile(lambda pair: pair[0] == pair[1], zip(some, others, strict=False))])


@lru_cache(maxsize=100)
def places(text: str) -> tuple[cst.Module, list[list[Change]]]:
    """The module of a text, and its nodes that can have a defect, each by its changes."""
    module, collector = cst.parse_module(text), _Collector()
    module.visit(collector)
    return module, collector.found


def package(path: str) -> str:
    """The package of a file, as `program.folder`; the program itself for modules at its root."""
    return ".".join(Path(path).parent.parts[:2])


def chosen(root: Path, seed: int, count: int) -> list[Defect]:
    """As many defects of the programs below `root`, the same for the same seed, in the order of the tree."""
    random = Random(seed)
    lines = {
        file.relative_to(root).as_posix(): len(file.read_text("utf-8").splitlines())
        for program in PROGRAMS
        for file in sorted((root / program).rglob("*.py"))
    }
    packages = sorted({package(path) for path in lines})
    found: set[Defect] = set()
    for wanted in random.sample(packages, min(count, len(packages))):
        found.add(_drawn(root, {path: lines[path] for path in lines if package(path) == wanted}, random))
    while len(found) < count:
        found.add(_drawn(root, lines, random))
    return sorted(found, key=lambda one: (one.path, one.line, one.after))


def _drawn(root: Path, lines: dict[str, int], random: Random) -> Defect:
    """Draw a file by its lines, then a place in it, then a change of this place; again until Python can parse it."""
    while True:
        [path] = random.choices([*lines], weights=[*lines.values()])
        before = (root / path).read_text("utf-8")
        module, found = places(before)
        if found:
            change = random.choice(random.choice(found))
            after = module.deep_replace(change.old, change.new).code  # type: ignore[attr-defined]
            if _parses(after) and after != before:
                return Defect(path, change.operator, before, after)


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True
