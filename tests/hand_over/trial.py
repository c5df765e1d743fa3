"""One run of the judge against one mutant, and each of its findings handed over to a person who has the report alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from contracts.commands.ports import Ports
from contracts.transport.interference import Interference
from contracts.transport.wire import Message, Reply
from tests.clocks import VirtualClock
from tests.contracts.commands import ports_to, ran
from tests.contracts.inner_pytest import pytested
from tests.contracts.runs import URL
from tests.mutants import ConformingServer, Mutant
from tests.mutants.conforming_server import DEFAULT_CHOICES
from tests.serving import serving

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

KEYS: Final = {"KEY_ONE": "good-key-one", "KEY_TWO": "good-key-two"}
"""Environment variable → key, as the judge reads them."""
TARGET: Final[tuple[str, ...]] = (
    *("--base-url", URL, "--api-key", "env:KEY_ONE", "--org", "1"),
    *("--second-api-key", "env:KEY_TWO", "--second-org", "2"),
)
MODES: Final[Mapping[str, tuple[str, ...]]] = {
    "check": (),
    "prefix": ("--name-prefix", "x"),
    "gate": ("--profile", "gate"),
    "night": ("--profile", "night", "--max-time", "60"),
}
"""Way in which the judge is run → its flags."""
SLOW: Final = 1.0
"""Seconds; an example of HTTP-6 is told by the time that it takes."""


@dataclass(frozen=True)
class HandOver:
    """What came of handing over one finding."""

    id: str
    severity: str
    sentence: str
    requests: int
    """In its example."""
    replays: tuple[int, int, int]
    """Exit codes of `replay` on the live mutant, the healed server and a dead one."""
    test: tuple[str, str]
    """Outcome of the generated test on the live mutant and on the healed server."""
    curl: bool
    """Whether the printed lines tell a fresh mutant from a fresh healed server."""
    notes: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether each way of handing it over does what it promises."""
        return self.replays == (1, 0, 3) and self.test == ("failed", "passed") and self.curl


@dataclass(frozen=True)
class Row:
    """What one run has found, and what came of handing it over."""

    mutant: str
    mode: str
    exit_code: int
    findings: tuple[HandOver, ...] = ()
    seconds: float = 0.0


class _Dead:
    """A transport to a server that is away."""

    drops = 0

    def send(self, message: Message, timeout: float) -> Reply:
        raise Interference("connection refused")

    def send_together(
        self, messages: Sequence[Message], timeout: float
    ) -> Iterator[tuple[int, Reply | Interference]]:
        raise Interference("connection refused")

    def close(self) -> None:
        """Do nothing."""


def healed(mutant: Mutant, clock: Any = None) -> ConformingServer:
    """Make the server that the mutant is without its fault."""
    return ConformingServer(replace(DEFAULT_CHOICES, **mutant.needs), clock=clock)


def tried(mutant: Mutant, mode: str, flags: Sequence[str] = (), *, by_hand: bool = True) -> Row:
    """Judge a mutant, and hand each finding over; `by_hand`: also by the generated test and the curl lines."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        check = ran(
            "check",
            *TARGET,
            "--report-dir",
            out,
            *("--seed", "1", *MODES[mode], *flags),
            ports=ports_to(lambda clock: mutant(clock=clock)),
            **KEYS,
        )
        report = json.loads((out / "report.json").read_text("utf-8"))
        found = tuple(
            _handed_over(mutant, one, report, out, by_hand=by_hand)
            for one in (*report["violations"], *report["warnings"])
        )
    return Row(mutant.id, mode, check.code, found, round(time.monotonic() - began, 1))


def _handed_over(
    mutant: Mutant, finding: Mapping[str, Any], report: Mapping[str, Any], out: Path, *, by_hand: bool
) -> HandOver:
    def live(clock: Any = None) -> WSGIApplication:
        return mutant(clock=clock)

    def mended(clock: Any = None) -> WSGIApplication:
        return healed(mutant, clock)

    notes = []

    def replayed(ports: Ports) -> int:
        done = ran("replay", finding["id"], "--report", out, *TARGET, ports=ports, **KEYS)
        notes.append(f"replay: {(done.out + done.errors).strip()}")
        return done.code

    clock = VirtualClock()
    replays = (
        replayed(ports_to(live)),
        replayed(ports_to(mended)),
        replayed(Ports(clock, _Dead(), "0123456789abcdef" * 2)),
    )
    test, curl = ("failed", "passed"), True
    if by_hand:
        file = out / "tests" / f"test_{finding['id'].lower().replace('-', '_')}.py"
        outcomes = [_outcome_of(file, app()) for app in (live, mended)]
        notes += [f"test: {said}" for _, said in outcomes]
        test = outcomes[0][0], outcomes[1][0]
        printed = [_printed(finding, app()) for app in (live, mended)]
        curl = printed[0] != printed[1]
        if not curl:
            notes.append(f"curl: {finding['curl']}\n{printed[0]}")
    return HandOver(
        finding["id"],
        "violation" if finding in report["violations"] else "warning",
        finding["sentence"],
        len(finding["script"]),
        replays,
        test,
        curl,
        tuple(notes),
    )


class _Outcomes:
    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self.seen.append((report.outcome, str(report.longrepr or "")))


def _outcome_of(file: Path, app: WSGIApplication) -> tuple[str, str]:
    if not file.exists():
        return "missing", ""
    outcomes = _Outcomes()
    with serving(app) as url:
        pytested(file.parent, file, plugins=[outcomes], environment={**KEYS, "ARKLOW_BASE_URL": url})
    return outcomes.seen[-1] if outcomes.seen else ("missing", "")


def _printed(finding: Mapping[str, Any], app: WSGIApplication) -> object:
    """Return what the pasted lines print, without what differs from run to run."""
    began = time.monotonic()
    with serving(app) as url:
        done = subprocess.run(
            ["bash", "-c", finding["curl"].replace(URL, url)],
            capture_output=True,
            text=True,
            errors="replace",
            env={**os.environ, **KEYS},
            timeout=180,
        )
    if finding["rule"] == "HTTP-6":
        return time.monotonic() - began > SLOW
    text = re.sub(r"(?m)^Date:.*$", "", done.stdout + done.stderr).replace(url, "URL")
    ids: dict[str, str] = {}
    return re.sub(r"[0-9]{10,}", lambda found: ids.setdefault(found[0], f"id {len(ids)}"), text)
