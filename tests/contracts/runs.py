"""Runs of the judge inside the test process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

from contracts import (
    Credential,
    Finding,
    Plan,
    Run,
    RunFinished,
    Target,
)
from contracts.checks.context import CheckContext
from contracts.core.events import Listener
from contracts.core.exchange import Exchange
from contracts.core.ledger import Ledger
from contracts.core.target import Admin
from contracts.openapi.document import PUBLISHED, load, path_below
from contracts.openapi.schemas import DocumentSchemas
from contracts.oracle.judge import Judge
from contracts.phases.api import Api
from contracts.transport.client import Client
from tests.clocks import VirtualClock
from tests.contracts.in_process import LATENCY, InProcessTransport

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

KEYS = (
    Credential("good-key-one", "1", "ARKLOW_API_KEY"),
    Credential("good-key-two", "2", "ARKLOW_SECOND_API_KEY"),
)

URL = "http://localhost"
"""Where a target answers that is reached without a socket; a host of this machine, which is judged without a limit."""
RUN_ID = "0123456789abcdef" * 2
"""Names runs in this process, which are then the same each time."""


def target(url: str) -> Target:
    """Return a target at a URL, with the keys that the conforming server knows."""
    return Target(url, url, *KEYS)


def judged(url: str, *only: str, seconds: float = 20.0, **members: Any) -> RunFinished:
    """Run the judge against a URL; a run for single rules ends as soon as a finding breaks each of them."""
    return Run(Plan(target(url), seed=7, max_time=seconds, only=frozenset(only), **members)).judge()


def judged_in_process(
    make: Callable[[VirtualClock], WSGIApplication],
    *only: str,
    latency: float = LATENCY,
    listeners: Sequence[Listener] = (),
    **members: Any,
) -> RunFinished:
    """Run the judge against an application in this process; `make` makes it with the clock that both go by.

    `members` are those of the plan, `latency` is in seconds of that clock.
    """
    clock = VirtualClock()
    transport = InProcessTransport(make(clock), clock, latency)
    plan = Plan(**{"target": target(URL), "seed": 7, "max_time": 20.0, "only": frozenset(only), **members})
    return Run(plan, *listeners, clock=clock, transport=transport, run_id=RUN_ID).judge()


def titles_by_rule(run: RunFinished) -> dict[str, str]:
    """Return code of a rule → operation and title of its first finding."""
    titles: dict[str, str] = {}
    for finding in (*run.violations, *run.warnings):
        titles.setdefault(finding.rule, f"{finding.operation}: {finding.title}")
    return titles


def check_context(url: str = "http://target", declared: Mapping[str, Any] | None = None) -> CheckContext:
    """Return a check context as it is before a run; `declared` are variants that exist, each with a payload."""
    document = load(PUBLISHED)
    return CheckContext(document, DocumentSchemas(document.content), target(url), declared=declared or {})


def exchange(
    operation: str,
    status: int,
    answer: bytes = b"",
    *,
    body: bytes | None = b"{}",
    media: str | None = "application/json",
    key: str | None = "good-key-one",
    url: str = "",
    **headers: str,
) -> Exchange:
    """Return an exchange with an operation of the document; header names have `_` for `-`."""
    method, _, path = operation.partition(" ")
    document = load(PUBLISHED)
    sent = [("content-type", "application/json"), *([("x-arklow-auth", key)] if key is not None else [])]
    got = [
        *([("content-type", media)] if media else []),
        *((n.replace("_", "-"), v) for n, v in headers.items()),
    ]
    filled = path.replace("{variant}", "order.created").replace("{org_id}", "1")
    return Exchange(
        method,
        f"http://target{url or filled}",
        tuple(sent),
        body,
        status,
        tuple(got),
        answer,
        operation=operation if operation in document.operations else None,
        path=path,
    )


def rules(findings: Iterable[Finding]) -> list[str]:
    """Return the codes of the rules that findings break, in their order."""
    return [finding.rule for finding in findings]


def client(url: str, kind: type[Client] = Client, admin: Admin | None = None, **ports: Any) -> Client:
    """Return a client without a run; `ports` are those of `Client`: a clock, a transport."""
    document = load(PUBLISHED)

    def locate(method: str, full: str) -> tuple[str | None, str | None]:
        path = document.path_of(path_below(full, url))
        label = f"{method} {path}"
        return (label if label in document.operations else None), path

    return kind(replace(target(url), admin=admin), locate, **ports)


def api_at(
    url: str,
    prefix: str = "contract.test.",
    kind: type[Client] = Client,
    judge: type[Judge] = Judge,
    *,
    careful: bool = False,
) -> Api:
    """Return the calls of an Arklow client, judged, without a run."""
    return Api(client(url, kind), judge(check_context(url), Ledger()), Random(7), prefix, careful=careful)
