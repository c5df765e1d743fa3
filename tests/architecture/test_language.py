"""The words of the house: one term for one thing, and sentences that name their subject."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("arklow_local", "contracts", "mock_server")

DISTINCTIVE = re.compile(
    r"(?:(?<![A-Za-z])|(?=[A-Z]))"
    r"(?i:weather|liar|stranger|furnish|manners|courier|workbench|companion|clockwork|steer|trouble)"
)
"""Words that the vocabulary has replaced and that mean nothing else here, also inside of a longer name."""

READING = re.compile(
    r"\breadings\b|\b(?:a|an|the|this|that|each|every|one|another|which|other|lawful|first|same|no) reading\b(?! of the)",
    re.IGNORECASE,
)
"""`reading` as a noun; `reading a file` is a verb and may stand."""

NAMES = frozenset(
    {
        *("reading", "readings", "slot", "polish", "attest", "pace", "brake", "stage", "playing", "contact"),
        *("conclusion", "wires", "proof", "origins", "knowledge", "opinions", "takers", "tails", "proven"),
    }
)
"""Words that no module, flag or public function of the product has as a part of its name."""
WHOLE_NAMES = frozenset({"again", "kept", "moved", "named", "lines", "masked", "shorten"})
"""Words that none of these has as its whole name."""

UNNAMED = re.compile(r"\b(nobody|somebody|whoever|anybody)\b", re.IGNORECASE)
"""Subjects without a name: say *the target*, *the client*, *another organisation*."""

EXCEPTIONS: dict[tuple[str, str], str] = {
    ("contracts/generation/corpus/headers.py", '"nobody, ::1, %"'): (
        "part of a request: the judge sends the same requests as ever"
    ),
    ("contracts/phases/scenarios/requests.py", '.contract-nobody"'): "the same",
    ("Dockerfile", "USER nobody"): "the name of a Unix user",
    ("Dockerfile", "chown nobody"): "the name of a Unix user",
    ("mock_server/domain/faults.py", 'sha256(f"{seed}/trouble/'): (
        "part of a seed: another word would hit other answers with the same seed"
    ),
}
"""File, and the text around a word → why it stands."""

NOT_OURS = re.compile(
    r"\.lock$|^tests/data/|package-lock\.json$|^spec/upstream/|SHA256SUMS$|^tests/corpus/"
    r"|^tests/architecture/test_language\.py$|^benchmarks/.*\.json$|^LICENSE$"
)
"""Files with words of others, recorded answers, and the lists of the old words themselves."""


@cache
def texts() -> dict[str, str]:
    """Every tracked text file of ours, by its path."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    found = {}
    for name in listed:
        if not NOT_OURS.search(name) and (ROOT / name).is_file():
            try:
                found[name] = (ROOT / name).read_text("utf-8")
            except UnicodeDecodeError:
                continue
    return found


def _excepted(name: str, line: str) -> bool:
    return any(file == name and text in line for file, text in EXCEPTIONS)


def replaced_words(name: str, text: str) -> list[str]:
    """Lines of a file that have a word which the vocabulary has replaced, as `path:line: text`."""
    return [
        f"{name}:{number}: {line.strip()[:120]}"
        for number, line in enumerate(text.splitlines(), 1)
        if (DISTINCTIVE.search(line) or READING.search(line)) and not _excepted(name, line)
    ]


def unnamed_subjects(name: str, text: str) -> list[str]:
    """Lines of prose and of Python's texts and comments whose subject has no name, as `path:line: text`."""
    lines = text.splitlines()
    if name.endswith(".py"):
        numbers = {
            at
            for token in tokenize.generate_tokens(io.StringIO(text).readline)
            if token.type in (tokenize.STRING, tokenize.COMMENT)
            for at in range(token.start[0], token.end[0] + 1)
        }
    else:
        numbers = set(range(1, len(lines) + 1))
    return [
        f"{name}:{number}: {lines[number - 1].strip()[:120]}"
        for number in sorted(numbers)
        if UNNAMED.search(lines[number - 1]) and not _excepted(name, lines[number - 1])
    ]


@pytest.mark.parametrize("name", sorted(texts()))
def test_a_file_uses_the_words_of_the_vocabulary(name: str) -> None:
    """In code, messages, help, tests and docs: the words of `docs/glossary.md`, and subjects that have a name."""
    assert replaced_words(name, texts()[name]) + unnamed_subjects(name, texts()[name]) == []
    assert not DISTINCTIVE.search(name), "the name of the file"


@pytest.mark.parametrize(
    "text",
    [
        "# bad weather",
        "class Stranger:",
        '"""A reading is kept."""',
        "def note_weather(self): ...",
        "x = 'nobody asked'",
        "operationId: addTrouble",
    ],
)
def test_a_planted_word_is_found(text: str) -> None:
    """As a word, in a name, in a docstring, in a text."""
    assert replaced_words("x.py", text) + unnamed_subjects("x.py", text) != []


@pytest.mark.parametrize("text", ["def f():\n    return reading_a_file", "# reading the file takes a second"])
def test_a_verb_may_stand(text: str) -> None:
    """`reading` is a verb too."""
    assert replaced_words("x.py", text) == []


def test_there_are_few_exceptions() -> None:
    """At most ten, each with its reason, each needed."""
    assert len(EXCEPTIONS) <= 10
    for file, text in EXCEPTIONS:
        assert text in (ROOT / file).read_text("utf-8"), (file, text)


# Names


def public_functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every public function and method of the product, with its module and class before its name."""
    for package in PRODUCT:
        for file in sorted((ROOT / package).rglob("*.py")):
            module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            yield from _functions(module, ast.parse(file.read_text("utf-8")))


def _functions(prefix: str, node: ast.AST) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
            yield from _functions(f"{prefix}.{child.name}", child)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and not child.name.startswith("_"):
            yield f"{prefix}.{child.name}", child


def _old_name(name: str) -> bool:
    return name in WHOLE_NAMES or bool(NAMES & set(re.split(r"[_\-.]", name)))


def test_modules_functions_and_flags_have_names_of_the_vocabulary() -> None:
    """Words that mean other things as well are held as names alone."""
    names = {name for name, _ in public_functions() if _old_name(name.rpartition(".")[2])}
    for package in PRODUCT:
        names |= {
            str(file.relative_to(ROOT)) for file in (ROOT / package).rglob("*.py") if _old_name(file.stem)
        }
    flags = {
        flag
        for name, text in texts().items()
        if name.startswith(PRODUCT)
        for flag in re.findall(r"\"--([a-z-]+)\"", text)
        if _old_name(flag)
    }

    assert (names, flags) == (set(), set())


# Docstrings

NUMBER = re.compile(r"\b(int|float)\b")
UNIT = re.compile(
    r"\b(seconds?|milliseconds?|ms|microseconds?|minutes?|hours?|days?|bytes?|MiB|KiB|characters?|percent|%|"
    r"requests?|attempts?|levels?|digits?|how (many|often|much|long|far)|number|numbers|count|version|versions|"
    r"status|statuses|exit code|lines?|port|ports|index|position|times|share|ratio|entries|items|values|actions|"
    r"organisations?|epoch|since 1970|offset|workers|length|columns?|id|ids|code|seed|depth|width|size)\b|%"
)
PAIRED = re.compile(r"\b(tuple|dict|Mapping)\b")
SHAPE = re.compile(
    r"→|Returns:|Yields:|\b(pairs?|triples?|keyed|tuples?)\b|\bby (its|their|name|id|code|key|path|operation|variant)\b"
    r"|\([^()]*, [^()]*\)|, (and|then) |\beach with\b|\bwith (its|their)\b"
)


def _share(wanted: re.Pattern[str], has: re.Pattern[str], *, returns_only: bool) -> tuple[float, list[str]]:
    """Percent of the public functions with such annotations whose docstring says it, and the names of the others."""
    asked, missing = 0, []
    for name, node in public_functions():
        annotations = (
            [node.returns] if returns_only else [node.returns, *(a.annotation for a in _arguments(node))]
        )
        if not any(one is not None and wanted.search(ast.unparse(one)) for one in annotations):
            continue
        asked += 1
        parameters = " ".join(a.arg.replace("_", " ") for a in _arguments(node))
        if not has.search(f"{ast.get_docstring(node) or ''} {'' if returns_only else parameters}"):
            missing.append(name)
    return 100 - 100 * len(missing) / max(asked, 1), missing


def _arguments(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]


def test_public_functions_have_a_docstring() -> None:
    """Each of them."""
    assert [name for name, node in public_functions() if not ast.get_docstring(node)] == []


def test_numbers_have_a_unit() -> None:
    """At least 90 % of the public functions that take or return numbers say in what they are counted."""
    share, missing = _share(NUMBER, UNIT, returns_only=False)

    assert share >= 90, missing


def test_tuples_and_dicts_have_a_shape() -> None:
    """At least 90 % of the public functions that return tuples or dicts say what stands where."""
    share, missing = _share(PAIRED, SHAPE, returns_only=True)

    assert share >= 90, missing
