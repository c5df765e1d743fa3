"""The exit code of each command by its cause: help, the page of the reference and tests are made from this table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_JUDGING: Final = ("check", "judge")
_ALL: Final = ("check", "judge", "replay", "compare", "explain", "spec status", "targets")


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a command ends with an exit code."""

    commands: tuple[str, ...]
    code: int
    cause: str
    helps: str = ""
    """What changes the code, if anything but a change of the deployment does."""


CAUSES: Final = (
    Cause(_JUDGING, 0, "no rule is broken; warnings alone are printed", "`--strict` counts warnings"),
    Cause(("check",), 0, "every finding is excused by the baseline", "an entry expires on its day"),
    Cause(_JUDGING, 1, "a rule is broken: a violation", "`--baseline` excuses a known one (`check`)"),
    Cause(_JUDGING, 1, "there is a warning, and `--strict` is given"),
    Cause(
        _JUDGING,
        1,
        "a rule is broken, although the run was cut short or its reports could not be written",
        "the screen says which",
    ),
    Cause(("check",), 3, "the target could not be reached, or its TLS was refused", "`--ca`, `--proxy`, `--header`"),
    Cause(("check",), 3, "what answers is no Arklow: another path, a login page, a redirect", "`--base-url`, `--ingress-url`"),
    Cause(("check",), 3, "the target refuses the key", "`--api-key`, `--org`"),
    Cause(("check",), 3, "gateways, limits or restarts were in the way of too many requests", "`--rate`, `--max-time`"),
    Cause(("check",), 3, "fewer rules were verified than are asked for", "`--min-verified`, `--second-api-key`, `--variant`, `--wait`"),
    Cause(("check",), 3, "a rule seemed to be broken, and that could not be shown again", "`--max-time`, `--max-requests`; the line says which"),
    Cause(("check",), 3, "the circuit breaker opened: plain answers became slow, or failed", "`--rate`"),
    Cause(("check",), 3, "the run was interrupted before it found anything", "`--resume` goes on with a night"),
    Cause(("judge",), 3, "the archives have no exchange of the document", "`--base-url`, `--document`"),
    Cause(("replay",), 0, "no finding shows again"),
    Cause(("replay",), 1, "a finding shows again"),
    Cause(("replay",), 3, "a finding could not be tried; its line says why"),
    Cause(("compare",), 0, "the reports are compared"),
    Cause(("compare",), 1, "the last run has a new violation, and `--fail-on-new` is given"),
    Cause(("explain",), 0, "the rule or the finding is explained"),
    Cause(("spec status",), 0, "nothing changed in the pages"),
    Cause(("spec status",), 1, "something changed in the pages"),
    Cause(("targets",), 0, "the targets are listed"),
    Cause(_ALL, 2, "the command line cannot be carried out: a wrong flag, or a file that cannot be used", "the line says which"),
    Cause(_JUDGING, 3, "the judge itself failed, which proves nothing", "the line names the file with the details"),
    Cause(
        ("replay", "compare", "explain", "spec status", "targets"),
        3,
        "what was to be printed could not be, as its reader went away or the disk is full",
    ),
)  # fmt: skip
"""In the order of the commands, then of the codes."""


def codes_of(command: str) -> set[int]:
    """Return the exit codes that a command may have of itself, besides that of output which cannot be written."""
    printed = CAUSES[-1]
    return {one.code for one in CAUSES if command in one.commands and one is not printed}


__all__ = ["CAUSES", "Cause", "codes_of"]
