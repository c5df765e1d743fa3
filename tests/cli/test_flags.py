"""The flags of `arklow-mock`: their values, their defaults, and what the help says of them."""

from __future__ import annotations

import re
import shlex
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mock_server import __version__
from mock_server.cli import flags
from mock_server.cli.flags import EXPORT_FLAGS, FLAGS, Flag, export_parser, parser

FLAGS_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "flags.md"
HELP = Path(__file__).parent / "help"
"""What `--help` prints at a width of a hundred columns; a change of a flag changes them."""

DEFAULTS: dict[str, Any] = {
    "port": 3_123,
    "ingress_port": 3_125,
    "host": [],
    "admin_port": 3_124,
    "no_admin": False,
    "admin_host": [],
    "admin_token": None,
    "admin_name": [],
    "admin_origin": [],
    "key": [],
    "document_only": False,
    "document": None,
    "spec_dir": None,
    "strict_document": False,
    "auto_define": False,
    "raw_bodies": False,
    "interpretations": None,
    "strict_schemas": False,
    "seed_file": None,
    "seed": 0,
    "max_body_mib": 10.0,
    "max_actions": 100_000,
    "max_payload_mib": 512.0,
    "journal": 2_000,
    "deliver_to": [],
    "delivery_limit": 5.0,
    "ready_file": None,
    "exit_with_parent": False,
}

GIVEN: dict[str, tuple[str, Any]] = {
    "--port 1": ("port", 1),
    "--ingress-port 2": ("ingress_port", 2),
    "--host a --host ::1": ("host", ["a", "::1"]),
    "--admin-port 0": ("admin_port", 0),
    "--no-admin": ("no_admin", True),
    "--admin-host a": ("admin_host", ["a"]),
    "--admin-token t": ("admin_token", "t"),
    "--admin-name a --admin-name b": ("admin_name", ["a", "b"]),
    "--admin-origin https://a.example": ("admin_origin", ["https://a.example"]),
    "--key k=7 --key l=8": ("key", [("k", "7"), ("l", "8")]),
    "--document-only": ("document_only", True),
    "--document a.yaml": ("document", Path("a.yaml")),
    "--spec-dir pages": ("spec_dir", Path("pages")),
    "--strict-document": ("strict_document", True),
    "--auto-define": ("auto_define", True),
    "--raw-bodies": ("raw_bodies", True),
    "--interpretations i.yaml": ("interpretations", Path("i.yaml")),
    "--strict-schemas": ("strict_schemas", True),
    "--seed-file s.yaml": ("seed_file", Path("s.yaml")),
    "--seed 7": ("seed", 7),
    "--max-body-mib .5": ("max_body_mib", 0.5),
    "--max-actions 1": ("max_actions", 1),
    "--max-payload-mib 2": ("max_payload_mib", 2.0),
    "--journal 0": ("journal", 0),
    "--deliver-to a.example --deliver-to b": ("deliver_to", ["a.example", "b"]),
    "--delivery-limit 50": ("delivery_limit", 50.0),
    "--ready-file r.json": ("ready_file", Path("r.json")),
    "--exit-with-parent": ("exit_with_parent", True),
}


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No token, and a terminal of a hundred columns and two."""
    monkeypatch.delenv("ARKLOW_ADMIN_TOKEN", raising=False)
    monkeypatch.setenv("COLUMNS", "102")


def test_without_flags_each_has_its_default() -> None:
    """So a change of a default is seen here."""
    assert vars(parser().parse_args([])) == DEFAULTS
    assert {flag.names[-1] for flag in FLAGS} == {given.split()[0] for given in GIVEN}


@pytest.mark.parametrize("given", GIVEN)
def test_a_flag_sets_one_value(given: str) -> None:
    """All others keep their defaults."""
    name, value = GIVEN[given]

    assert vars(parser().parse_args(shlex.split(given))) == DEFAULTS | {name: value}


def test_the_flags_of_export() -> None:
    """Their defaults, and each given."""
    defaults: dict[str, Any] = {
        "admin_url": "http://localhost:3124",
        "admin_token": None,
        "organisation": [],
        "output": None,
    }
    given = "--admin-url http://[::1]:1 --admin-token t --organisation 1 --organisation 2 -o a.yaml"
    values = {"admin_url": "http://[::1]:1", "admin_token": "t", "organisation": ["1", "2"], "output": Path("a.yaml")}  # fmt: skip

    assert vars(export_parser().parse_args([])) == defaults
    assert vars(export_parser().parse_args(given.split())) == values
    assert export_parser().parse_args(["--output", "a"]).output == Path("a")


@pytest.mark.parametrize("made", [parser, export_parser])
def test_the_environment_stands_in_for_the_token(
    made: Callable[[], ArgumentParser], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The flag comes first; an empty variable is none, and a bad one is refused without being shown."""
    monkeypatch.setenv("ARKLOW_ADMIN_TOKEN", "from-there")
    assert made().parse_args([]).admin_token == "from-there"
    assert made().parse_args(["--admin-token", "given"]).admin_token == "given"
    monkeypatch.setenv("ARKLOW_ADMIN_TOKEN", "")
    assert made().parse_args([]).admin_token is None
    monkeypatch.setenv("ARKLOW_ADMIN_TOKEN", "se cret")
    with pytest.raises(SystemExit):
        made().parse_args([])
    assert "se cret" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "given",
    [
        "--no-admin --admin-port 1",
        "--document a --document-only",
        "--document a --spec-dir b",
        "--document-only --spec-dir b",
        "--port 70000",
        "--nope",
        "more",
    ],
)
def test_flags_that_make_no_sense_are_usage_errors(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and what the command takes."""
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(given.split())

    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: arklow-mock [serve] [FLAG ...]\n")


@pytest.mark.parametrize(("made", "name"), [(parser, "serve"), (export_parser, "export")])
def test_the_help_is_as_recorded(made: Callable[[], ArgumentParser], name: str) -> None:
    """Every flag under its heading, examples, exit codes, in lines that fit a hundred columns."""
    text = re.sub(
        "-o FILE, --output FILE", "-o, --output FILE     ", made().format_help()
    )  # Python 3.11, 3.12

    assert text == (HELP / f"{name}.txt").read_text("utf-8")
    assert max(map(len, text.splitlines())) <= 100


def test_a_narrow_terminal_has_shorter_lines_and_a_wide_one_none_beyond_a_hundred_columns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What argparse wraps; examples stay as they are."""
    wide = parser().format_help()
    monkeypatch.setenv("COLUMNS", "300")
    assert parser().format_help() == wide
    monkeypatch.setenv("COLUMNS", "72")
    narrow = parser().format_help()
    assert max(len(line) for line in narrow.partition("keys that need no flag")[0].splitlines()) <= 70


@pytest.mark.parametrize("flag", [*FLAGS, *EXPORT_FLAGS], ids=lambda flag: flag.names[-1])
def test_the_page_of_the_flags_says_what_the_help_does(flag: Flag) -> None:
    """With the same default."""
    spelled = ", ".join(f"`{name} {flag.metavar}".strip() + "`" for name in flag.names)

    assert f"| {spelled} | {flag.help} {flag.note}".rstrip() in FLAGS_PAGE.read_text("utf-8")


@pytest.mark.parametrize("made", [parser, export_parser])
def test_the_version_is_that_of_the_package(
    made: Callable[[], ArgumentParser], capsys: pytest.CaptureFixture[str]
) -> None:
    """For each command."""
    with pytest.raises(SystemExit) as ended:
        made().parse_args(["--version"])

    assert (ended.value.code, capsys.readouterr().out) == (0, f"arklow-mock {__version__}\n")


def test_a_note_says_whether_a_flag_may_be_repeated_and_what_holds_without_it() -> None:
    """In words where the value does not say it."""
    notes = [
        Flag(("--a",), "", "", **more).note
        for more in (
            {},
            {"default": 0},
            {"default": 1.5, "default_in_words": "one and a half"},
            {"repeatable": True},
            {"repeatable": True, "default_in_words": "none"},
        )
    ]

    assert notes == [
        "",
        "(default 0)",
        "(default one and a half)",
        "(repeatable)",
        "(repeatable; default none)",
    ]
    assert flags.CONTROL_PORT == 3_123
