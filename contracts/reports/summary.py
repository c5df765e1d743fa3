"""What every report says first: the verdict, what was verified, what was not and why, and what the baseline knows.

It reads a run as JSON data (`json_report.report_data`), so that a report of an earlier run can be summarised too.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any, Final

JsonObject = dict[str, Any]
"""Member → value: a run, a finding or an exchange, as `report.schema.json` has it."""


WORDS: Final = {0: "PASSED", 1: "FAILED", 3: "INCONCLUSIVE"}
"""Exit code of a run → its verdict as a word: signs and colours are lost in logs and by some terminals."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in a few words."""

    verdict: str
    """PASSED, FAILED or INCONCLUSIVE."""
    reason: str
    """Why the run proves nothing, or was cut short; empty when neither is so."""
    verified: str
    """As `Verified 54 of 60 rules (90 %)`."""
    enough: bool
    """Whether at least as many were verified as were required."""
    not_verified: tuple[tuple[tuple[str, ...], str], ...]
    """Codes of rules, with the reason that they share; without those that are suspected."""
    violations: tuple[JsonObject, ...]
    """Those that the baseline does not excuse, the plainest first."""
    warnings: tuple[JsonObject, ...]
    """Those that the baseline does not excuse, the plainest first."""
    excused: tuple[tuple[JsonObject, JsonObject], ...]
    """Findings that the baseline excuses, each with its entry."""
    expired: dict[str, JsonObject]
    """Id of a finding that the baseline no longer excuses → its entry."""
    gone: tuple[JsonObject, ...]
    """Entries of the baseline whose finding was not seen, although its rule was verified."""

    lost: float = 0.0
    """Percent of the requests that met no answer of the application."""

    @property
    def headline(self) -> str:
        """What the verdict rests on, in one line: the number of findings, or why the run proves nothing."""
        if self.verdict == WORDS[3]:
            return self.reason
        violations, warnings = len(self.violations), len(self.warnings)
        by_strict = self.verdict == WORDS[1] and not violations
        counted = [] if by_strict else [_counted(violations, "violation") if violations else "no violation"]
        counted += [_counted(warnings, "warning") + (" (--strict)" if by_strict else "")] if warnings else []
        known = [f"{len(self.excused)} known"] if self.excused else []
        lost = f"; {self.lost:g} % of the requests met no answer of the application" if self.lost else ""
        return ", ".join([*counted, *known]) + lost

    @property
    def line(self) -> str:
        """The verdict in one line, such as `FAILED  2 violations, 1 warning`."""
        return f"{self.verdict}  {self.headline}"


def summarise(run: JsonObject) -> Summary:
    """Return the summary of a run."""
    found = [*run["violations"], *run["warnings"]]
    verified = run["tested"].keys() | {one["rule"] for one in found}
    wanted = verified | {one["rule"] for one in run["not_verified"]}
    required = f", and {run['min_verified']:g} % are required" if run["min_verified"] else ""
    reasons: dict[str, list[str]] = {}
    suspected = {one["rule"] for one in run["suspected"]}
    for one in run["not_verified"]:
        if one["rule"] not in verified | suspected:  # which are told apart
            reasons.setdefault(one["why"], []).append(one["rule"])
    known = {state: {one["id"]: one for one in run["baseline"] if one["state"] == state} for state in _STATES}
    return Summary(
        WORDS[run["exit_code"]],
        run["inconclusive"] or "",
        f"Verified {len(verified)} of {len(wanted)} rules ({run['verified']:g} %{required})",
        run["verified"] >= run["min_verified"],
        tuple((tuple(rules), reason) for reason, rules in reasons.items()),
        tuple(
            sorted((one for one in run["violations"] if one["id"] not in known["excused"]), key=_plainness)
        ),
        tuple(sorted((one for one in run["warnings"] if one["id"] not in known["excused"]), key=_plainness)),
        tuple((one, known["excused"][one["id"]]) for one in found if one["id"] in known["excused"]),
        known["expired"],
        tuple(known["gone"].values()),
        run["lost"],
    )


def _plainness(finding: JsonObject) -> tuple[bool, int, int, int]:
    """Return what findings are ordered by: one request before several, in turn before at once, few before many, short first."""
    script = finding["script"]
    return finding["together"], len(script), finding["times"], len(finding["curl"])


def listed(codes: tuple[str, ...], most: int = 8) -> str:
    """Return the first `most` codes of rules, and how many more there are."""
    more = len(codes) - most
    return ", ".join(codes) if more <= 1 else f"{', '.join(codes[:most])} and {more} more"


def when_sent(finding: JsonObject) -> str:
    """Return when the last request of a finding was sent, and the ids by which its server's log can be searched."""
    parts = [finding["at"].replace("T", " ").replace("Z", " UTC")]
    parts += [f"traceparent {finding['traceparent']}"] if finding["traceparent"] else []
    parts += [f"request id {finding['request_id']}"] if finding["request_id"] else []
    return ", ".join(parts)


def evidence(finding: JsonObject) -> str:
    """Return what a finding rests on, and how often its example has shown it again."""
    shown, tried = finding["reproduced"]["shown"], finding["reproduced"]["tried"]
    again = f"shown again {shown} of {tried}" if tried else "not tried again"
    if finding["evidence"] == "confirmed":
        return again
    is_proof = not tried and finding["evidence"] != "not confirmed"
    return str(finding["evidence"]) if is_proof else f"{finding['evidence']}, {again}"


def excuse(entry: JsonObject) -> str:
    """Return owner, end and reason of an entry of the baseline, in one line."""
    return f"{entry['owner']}, until {entry['expires']}: {entry['reason']}"


def replay_command(finding: JsonObject, run: JsonObject) -> str:
    """Return the command that plays a finding again, as it can be pasted."""
    report = ["--report", run["report_dir"]] if run["report_dir"] else []
    return shlex.join(["arklow-contracts", "replay", finding["id"], *report, *run["target_flags"]])


def replay_hint(finding: JsonObject, run: JsonObject) -> list[str]:
    """Return one line on how to see a finding again; none where another client sent its requests."""
    return [f"Again: {replay_command(finding, run)}"] if run["run"] else []


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


_STATES = ("excused", "expired", "gone", "not verified")

__all__ = [
    "WORDS",
    "JsonObject",
    "Summary",
    "evidence",
    "excuse",
    "listed",
    "replay_command",
    "replay_hint",
    "summarise",
    "when_sent",
]
