"""Write the pages that are made from the program and its tests.

    python docs/make.py           write the pages
    python docs/make.py --check   exit 1 when a page differs from what its sources give

`lifecycle.md` is drawn from `mock_server/domain/states.py`. `behaviours.md` says which test shows which
documented behaviour: the statements are those of `spec/sources.md`, the tests are those under `tests/` whose
docstring cites the number. `reference/flags.md` has every flag of both programs, from their parsers, and
`reference/exit-codes.md` why the judge ends with which exit code.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Final

from contracts.cli import parser as judge_parser
from contracts.commands.exit_codes import CAUSES
from mock_server.cli.flags import export_parser
from mock_server.cli.flags import parser as mock_parser
from mock_server.domain import states
from mock_server.domain.states import (
    FOLLOWS,
    TERMINAL,
    TRANSITIONS,
    Event,
    Refusal,
    State,
)

HERE = Path(__file__).parent
ROOT = HERE.parent

IN_FULL: Final = tuple(
    f"B{number:03}" for number in chain(range(70, 82), range(90, 113), range(120, 137), range(140, 146))
)
"""The life of an action, webhooks, settling and deferral: each of these is shown by a test, or is a named gap."""

GAPS: Final = {
    "B070": "`queued` is shown by events and by the answer to the POST: by the time of an interpretation the worker has it",
    "B076": "no operation of the service cancels, so the tests use a command of the admin plane",
    "B123": "500 is not provoked: it would be a fault of the mock",
    "B112": "a topic: nothing is published, the attempt is taken as done",
    "B145": "that a listener's slot is freed: there are no listeners, lanes or limits",
}
"""What of a behaviour HTTP answers of the mock cannot show, and why."""

ANSWERS: Final = {
    Refusal.NOT_DELIVERED: "409 `FUTURE_ATTEMPT`; 409 `STALE_ATTEMPT` for an earlier attempt that was delivered",
    Refusal.ENDED: "409 `STALE_ATTEMPT`",
    Refusal.IN_CUSTODY: "409 `DEFERRED_ACTION`",
    Refusal.TERMINAL: "409 `FINISHED_ACTION`",
    Refusal.IMPOSSIBLE: "none: no client can ask for it",
}
"""What the holder of an attempt is told."""

SHORT: Final = {
    Refusal.NOT_DELIVERED: "✗ not delivered",
    Refusal.ENDED: "✗ ended",
    Refusal.IN_CUSTODY: "✗ custody",
    Refusal.TERMINAL: "✗ over",
    Refusal.IMPOSSIBLE: "·",
}
"""Refusals in the table."""


def lifecycle() -> str:
    """The page of the states: the drawing, the table, and what the words mean."""
    lines = [
        "<!-- Made by docs/make.py from mock_server/domain/states.py; edit that and run `make docs`. -->",
        "",
        "# The life of an action",
        "",
        "Drawn from the one table that decides what may follow what. Rules with their sources:",
        "[spec/rules.md](../spec/rules.md#the-life-of-an-action).",
        "",
        "```mermaid",
        *_drawing(),
        "```",
        "",
        "## Every state and every event",
        "",
        "A cell is the state that follows, or the reason why none does; `·` cannot happen there.",
        "",
        _row(["", *(f"`{state.value}`" for state in State)]),
        _row(["---"] * (len(State) + 1)),
        *(_row([f"`{event.value}`", *(_cell(state, event) for state in State)]) for event in Event),
        "",
        "## States",
        "",
        _row(["State", "Shown as", "Meaning"]),
        _row(["---"] * 3),
    ]
    meanings = dict(_meanings(State))
    for state in State:
        meaning = meanings.get(state.name) or "Over: nothing follows."
        lines.append(_row([f"`{state.value}`", f"`{state.status.value}`", meaning]))
    lines += ["", "## Events", "", _row(["Event", "What happened"]), _row(["---"] * 2)]
    meanings = dict(_meanings(Event))
    lines += [_row([f"`{event.value}`", meanings[event.name]]) for event in Event]
    lines += [
        "",
        "## Refusals",
        "",
        "A settle that names another attempt than the current one is refused before the table is asked: 409",
        "`STALE_ATTEMPT` for a lower one, 409 `FUTURE_ATTEMPT` for a higher one; an action that is over is 409",
        "`FINISHED_ACTION` whatever attempt is named.",
        "",
        _row(["In the table", "Why", "The answer"]),
        _row(["---"] * 3),
        *(_row([SHORT[refusal], refusal.value.capitalize() + ".", ANSWERS[refusal]]) for refusal in Refusal),
    ]
    return "\n".join(lines) + "\n"


def _drawing() -> Iterator[str]:
    yield "stateDiagram-v2"
    for state in State:
        if state.value != state.status.value:
            yield f'    state "{state.value}, shown as {state.status.value}" as {state.value}'
    yield f"    [*] --> {State.QUEUED.value} : {Event.ACCEPT.value}"
    for state, row in FOLLOWS.items():
        for target in State:
            events = [event.value for event, outcome in row.items() if outcome is target]
            if events:
                yield f"    {state.value} --> {target.value} : {', '.join(events)}"
        if state in TERMINAL:
            yield f"    {state.value} --> [*]"


def _cell(state: State, event: Event) -> str:
    outcome = TRANSITIONS[state][event]
    return f"`{outcome.value}`" if isinstance(outcome, State) else SHORT[outcome]


def _meanings(words: type[StrEnum]) -> Iterator[tuple[str, str]]:
    """Member → the text that stands below it in the source."""
    source = ast.parse(Path(states.__file__).read_text("utf-8"))
    [found] = [node for node in source.body if isinstance(node, ast.ClassDef) and node.name == words.__name__]
    for member, below in zip(found.body, found.body[1:], strict=False):
        if isinstance(member, ast.Assign) and isinstance(below, ast.Expr):
            [target], value = member.targets, below.value
            if isinstance(target, ast.Name) and isinstance(value, ast.Constant):
                yield target.id, " ".join(str(value.value).split())


def behaviours() -> str:
    """The page of the behaviours: number, statement, tests, and what no test can show."""
    said, shown = statements(), tests()
    lines = [
        "<!-- Made by docs/make.py from spec/sources.md and the docstrings under tests/; run `make docs`. -->",
        "",
        "# Documented behaviours and the tests that show them",
        "",
        "The life of an action (B070 to B081), webhooks (B090 to B112), settling (B120 to B136) and deferral (B140 to B145)",
        "are here in full, of the others those that a test cites. How sure each statement is: [spec/sources.md](../spec/sources.md).",
        "",
        _row(["Behaviour", "Statement", "Tests"]),
        _row(["---"] * 3),
    ]
    for number in sorted({*IN_FULL, *shown}):
        found = [f"`{test}`" for test in shown.get(number, [])]
        if number in GAPS:
            found.append(f"*not shown:* {GAPS[number]}")
        lines.append(_row([number, said[number], "<br>".join(found)]))
    return "\n".join(lines) + "\n"


def statements() -> dict[str, str]:
    """Number → what the documentation says, in our words."""
    text = (ROOT / "spec" / "sources.md").read_text("utf-8")
    return dict(re.findall(r"^\| (B\d{3}) \| (.*?) \| [^|]* \|$", text, re.MULTILINE))


def tests() -> dict[str, list[str]]:
    """Number → the tests whose docstring cites it, alone or within "B020 to B022"."""
    found: dict[str, list[str]] = {}
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        name = file.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for number in sorted(cited(ast.get_docstring(node) or "")):
                    found.setdefault(number, []).append(f"{name}::{node.name}")
    return found


def cited(text: str) -> set[str]:
    """The behaviours that a text names."""
    spans = re.findall(r"\bB(\d{3})(?: to B(\d{3}))?\b", text)
    return {f"B{number:03}" for a, b in spans for number in range(int(a), int(b or a) + 1)}


def flags() -> str:
    """The page of the flags: a table for each group of flags of each command."""
    lines = [
        "<!-- Made by docs/make.py from the parsers of the two programs; run `make docs`. -->",
        "",
        "# Flags",
        "",
        "The same as `--help` of each command says.",
        "",
        *_flags_of("arklow-mock", mock_parser()),
        *_flags_of("arklow-mock export", export_parser()),
        "## arklow-contracts",
        "",
        "Exit codes: 0 conforms, 1 violations, 2 usage, 3 inconclusive; [by cause](exit-codes.md).",
        "",
    ]
    for name, command in _subparsers(judge_parser()):
        lines += _flags_of(f"arklow-contracts {name}", command)
    return "\n".join(lines)


def exit_codes() -> str:
    """The page of the exit codes: a row for each cause."""
    lines = [
        "<!-- Made by docs/make.py from contracts/commands/exit_codes.py; run `make docs`. -->",
        "",
        "# Exit codes of arklow-contracts",
        "",
        "0: fine. 1: something is wrong with the deployment, or has changed. 2: the command line cannot be carried out.",
        "3: inconclusive, which is neither.",
        "",
        _row(["Command", "Code", "Cause", "What helps"]),
        _row(["---"] * 4),
        *(
            _row([", ".join(f"`{name}`" for name in one.commands), str(one.code), one.cause, one.helps])
            for one in CAUSES
        ),
    ]
    return "\n".join(lines) + "\n"


def _subparsers(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """The commands of a parser, and theirs: pairs of name and parser."""
    for action in parser._actions:
        for name, command in action.choices.items() if isinstance(action, argparse._SubParsersAction) else ():
            deeper = list(_subparsers(command))
            yield from ((f"{name} {other}", each) for other, each in deeper) if deeper else [(name, command)]


def _flags_of(title: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    yield from (f"## {title}", "")
    yield from (f"{parser.description}", "")
    for group in parser._action_groups:
        actions = [action for action in group._group_actions if action.dest != "help"]
        if actions:
            yield from (f"**{group.title}**".replace("**options**", "**other**"), "")
            yield from ("| Flag | What it does |", "|---|---|")
            expand = parser._get_formatter()._expand_help
            yield from (_row([_spelled(action), _escaped(expand(action))]) for action in actions)
            yield ""


def _spelled(action: argparse.Action) -> str:
    value = action.metavar if isinstance(action.metavar, str) else ""
    if action.choices and not value:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    names = action.option_strings or [action.dest]
    return ", ".join(
        f"`{name} {value}`" if value and action.option_strings else f"`{name}`" for name in names
    )


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def made() -> dict[str, str]:
    """File name → text of everything this program makes."""
    return {
        "lifecycle.md": lifecycle(),
        "behaviours.md": behaviours(),
        "reference/flags.md": flags(),
        "reference/exit-codes.md": exit_codes(),
    }


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` only compare them. Returns the exit code."""
    stale = []
    for name, text in made().items():
        target = HERE / name
        if target.exists() and target.read_text("utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in arguments:
            target.write_text(text, "utf-8")
    print("docs:", ", ".join(stale) or "nothing", "differs" if "--check" in arguments else "written")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
