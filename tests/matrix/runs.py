"""One run of the judge against one server: in this process on a virtual clock, or over sockets with processes of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from contracts import Run, RunFinished
from contracts.cli import parser
from contracts.commands.plan_options import plan_of
from contracts.core.events import Event, Found
from tests.clocks import VirtualClock
from tests.contracts.in_process import InProcessTransport
from tests.contracts.runs import RUN_ID, URL
from tests.processes import started

from .conditions import CONDITIONS, PLAIN, Ahead
from .servers import Server, server_process

KEYS: Final = {"KEY_ONE": "good-key-one", "KEY_TWO": "good-key-two"}
"""Environment variable → key, as the judge reads them."""
SLOW_ANSWER: Final = 1.0
"""Seconds; an example of HTTP-6 is confirmed by the time that it takes."""


@dataclass
class Row:
    """What one run of the judge said of one server."""

    name: str
    condition: str = PLAIN
    """What lay between the judge and the server."""
    exit_code: int | None = None
    violations: list[str] = field(default_factory=list)
    """Rule and operation of each, in the order of the report."""
    warnings: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    """Ids of all findings, sorted."""
    first: int | None = None
    """Requests that were sent until the first finding that counts."""
    requests: int = 0
    seconds: float = 0.0
    """CPU seconds of a run in this process; seconds on the wall over sockets."""
    examples: list[int] = field(default_factory=list)
    """Requests in the printed example of each finding that counts."""
    repeats: list[bool] = field(default_factory=list)
    """Whether the printed example of each violation failed again against a fresh server."""

    @property
    def rules(self) -> set[str]:
        """Codes of the rules that were found broken."""
        return {one.partition(" ")[0] for one in (*self.violations, *self.warnings)}

    @property
    def verdict(self) -> tuple[int | None, list[str], list[str]]:
        """What was said: exit code, violations and warnings."""
        return self.exit_code, sorted(self.violations), sorted(self.warnings)


def command_line(url: str, flags: Sequence[str]) -> list[str]:
    """The command line of the judge with both keys and both organisations, after the name of the program."""
    return [
        *("check", "--base-url", url, "--api-key", "env:KEY_ONE", "--org", "1"),
        *("--second-api-key", "env:KEY_TWO", "--second-org", "2", *flags),
    ]


def in_process(server: Server, flags: Sequence[str], condition: str = PLAIN) -> Row:
    """Run the judge in this process; `flags` are those of `check`, to which the condition may add some."""
    began, clock, row = time.process_time(), VirtualClock(), Row(server.name, condition=condition)
    met = CONDITIONS[condition]
    command = command_line(f"{URL}{met.path}", [*flags, *met.flags])
    plan = plan_of(parser().parse_args(command), KEYS)
    app = server.made(Ahead(clock, met.ahead) if met.ahead else clock)
    transport = InProcessTransport(met.front(app, clock), clock, met.latency)
    sent = 0

    def count(_: object) -> None:
        nonlocal sent
        sent += 1

    def listen(event: Event) -> None:
        if isinstance(event, Found) and event.finding.severity.value == server.verdict and row.first is None:
            row.first = sent

    run = Run(plan, listen, clock=clock, transport=transport, observers=[count], run_id=RUN_ID).judge()
    _fill(row, run)
    row.seconds = round(time.process_time() - began, 2)
    return row


def _fill(row: Row, run: RunFinished) -> None:
    """Fill the row with what a run has found."""
    row.exit_code, row.requests = run.exit_code, run.requests
    row.violations = [f"{one.rule} {one.operation}" for one in run.violations]
    row.warnings = [f"{one.rule} {one.operation}" for one in run.warnings]
    row.ids = sorted(one.id for one in (*run.violations, *run.warnings))
    row.examples = [len(one.exchanges) for one in run.violations or run.warnings]


def over_sockets(server: Server, flags: Sequence[str], *, repeats: bool = False) -> Row:
    """Run the judge and the server in processes of their own; with `repeats` try each printed example again."""
    began, row = time.monotonic(), Row(server.name)
    with server_process(*server.flags) as url, tempfile.TemporaryDirectory() as reports:
        arguments = [*command_line(url, flags), "--report-dir", reports]
        command = [sys.executable, "-m", "contracts", *arguments]
        with started(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **KEYS}
        ) as running:
            row.exit_code = running.wait()
        report = json.loads((Path(reports) / "report.json").read_text("utf-8"))
        row.violations = [f"{one['rule']} {one['operation']}" for one in report["violations"]]
        row.warnings = [f"{one['rule']} {one['operation']}" for one in report["warnings"]]
        found = [*report["violations"], *report["warnings"]]
        row.ids, row.requests = sorted(one["id"] for one in found), report["requests"]
        counted = report["violations"] or report["warnings"]
        row.examples = [one["curl"].count("curl ") for one in counted]
        if repeats:
            row.repeats = [_repeats(one, server, url) for one in counted]
    row.seconds = round(time.monotonic() - began, 1)
    return row


def _repeats(found: Mapping[str, str], server: Server, url: str) -> bool:
    """Whether a printed example tells a fresh mutant from a fresh conforming server."""
    if found["curl"].rstrip().endswith("--only does it often"):
        return bool(over_sockets(server, ["--only", found["rule"], "--max-time", "20"]).violations)
    with server_process(*server.flags) as mutant, server_process() as conforming:
        outputs = [
            _output(found["curl"].replace(url, one), slow=found["rule"] == "HTTP-6")
            for one in (mutant, conforming)
        ]
    return outputs[0] != outputs[1]


def _output(script: str, *, slow: bool) -> object:
    """What the lines of a shell print, without what differs from run to run; `slow`: whether they take long."""
    began = time.monotonic()
    ran = subprocess.run(
        ["sh", "-c", script],
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, **KEYS},
        timeout=120,
    )
    if slow:
        return time.monotonic() - began > SLOW_ANSWER
    text = re.sub(r"(?m)^Date:.*$", "", ran.stdout)
    ids: dict[str, str] = {}
    return ran.returncode, re.sub(
        r"[0-9]{10,}", lambda found: ids.setdefault(found[0], f"id {len(ids)}"), text
    )


Judge = Callable[[Server, Sequence[str]], Row]
"""Runs the judge against a server with flags of `check`."""

__all__ = ["Judge", "Row", "in_process", "over_sockets"]
