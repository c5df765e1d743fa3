"""Hooks of Schemathesis: aim what it generates at what exists, and let the judge see every answer."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import schemathesis
from schemathesis import APIOperation, Case, CheckContext, HookContext, Response
from schemathesis.checks import CHECKS
from schemathesis.hooks import unregister

from ..checks.answers import is_foreign_failure
from ..core.exchange import Exchange
from ..core.findings import Finding
from ..core.rules import Severity
from ..oracle.judge import Judge
from ..oracle.observation import Observation
from ..transport.client import Client
from ..transport.interference import Interference
from ..transport.throttle import TimeUp
from .accusations import look_into_failure

CHECK = "ArklowRules"
"""The name under which Schemathesis knows the check that judges by our rules."""
_UNAIMED = 4
"""One generated request in so many is sent as it was generated, so that unknown names and ids are tried too."""


class Aim:
    """What generated requests are aimed at, as most that name nothing known are refused before they are read.

    Its suspicions are those of the generated requests.
    """

    def __init__(self, client: Client, judge: Judge, prefix: str, names: Sequence[str] = ()) -> None:
        """Aim at nothing yet; definitions get names with `prefix`, or only `names` if there are any."""
        self.client = client
        self.judge = judge
        self.prefix = prefix
        self.names = names
        self.variant: str | None = None
        """A variant that takes any work."""
        self.action: str | None = None
        """The id of a live action."""
        self.suspicions: list[Finding] = []
        """What the reference model did not allow of the generated requests."""
        self.answered: Exchange | None = None
        """The last exchange, until it is judged."""

    def observe(self, exchange: Exchange) -> Observation:
        """Judge an answer, keep the suspicions, and return all that it shows."""
        observed = self.judge.observe(exchange)
        self.suspicions += observed.suspicions
        failed = [finding for finding in observed.findings if is_foreign_failure(finding)]
        if failed:
            with suppress(Interference, TimeUp):
                look_into_failure(self.client, self.judge, failed)
        return observed

    def broken_rule(self) -> str | None:
        """Judge the last answer, and return the code and title of the first violation, None where there is none.

        The answer is not held any more then: Schemathesis keeps errors, and with them what their frames hold.
        """
        if self.answered is None:
            return None
        exchange, self.answered = self.answered, None
        violations = (one for one in self.observe(exchange).findings if one.severity is Severity.VIOLATION)
        return next((f"{one.rule}: {one.title}" for one in violations), None)

    def lose_track_of(self, exchange: Exchange) -> None:
        """Leave open what a request did, as it met interference."""
        self.suspicions += self.judge.lose_track_of(exchange)

    def turn(self, case: Case[Any]) -> None:
        """Let a case name what exists, three times of four; definitions always get a name of the run."""
        checksum = zlib.crc32(json.dumps(case.body, default=_text, sort_keys=True).encode())
        aimed = checksum % _UNAIMED != 0
        path = case.operation.path
        if path.startswith("/v1/ingress/") and self.variant and isinstance(case.path_parameters, dict):
            if aimed and not str(case.path_parameters.get("variant")).startswith(self.prefix):
                case.path_parameters["variant"] = self.variant
        elif path == "/v1/modack" and self.action and isinstance(case.body, dict) and aimed:
            number = case.body.get("action_record_id")
            actions = self.judge.context.learned.actions
            if isinstance(number, str) and number.isdecimal() and number not in actions:
                case.body["action_record_id"] = self.action
        elif isinstance(case.body, dict):
            variant = case.body.get("variant")
            if isinstance(variant, str):
                case.body["variant"] = self._own(variant)
            alias = case.body.get("alias")
            if isinstance(alias, list):
                case.body["alias"] = [self._own(one) if isinstance(one, str) else one for one in alias]

    def _own(self, name: str) -> str:
        """Return a name of the run for one that was generated: the same one each time."""
        if self.names:
            return self.names[zlib.crc32(name.encode(errors="replace")) % len(self.names)]
        return name if name.startswith(self.prefix) else f"{self.prefix}{name}"


def _text(value: Any) -> str:
    """Return bytes, or that there is no body, as the same text in each run."""
    return str(value) if isinstance(value, bytes) else type(value).__name__


@contextmanager
def installed(aim: Aim) -> Iterator[None]:
    """Register the hooks, and the check that judges by our rules, while Schemathesis runs."""

    def before_init_operation(context: HookContext, operation: APIOperation[Any, Any, Any, Any]) -> None:
        operation.base_url = aim.client.target.base_of(operation.path)

    def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
        aim.turn(case)

    hooks = (before_init_operation, before_call)
    for hook in hooks:
        schemathesis.hook(hook)
    schemathesis.check(_check(aim))
    try:
        yield
    finally:
        CHECKS.unregister(CHECK)
        for hook in hooks:
            unregister(hook)


def _check(aim: Aim) -> Callable[[CheckContext, Response, Case[Any]], None]:
    """Return the check that hands every answer to the judge, and fails on a violation."""

    def ArklowRules(ctx: CheckContext, response: Response, case: Case[Any]) -> None:  # noqa: N802 - its name is shown
        if (broken := aim.broken_rule()) is not None:
            raise AssertionError(broken)  # so that Schemathesis shrinks it

    return ArklowRules


__all__ = ["CHECK", "Aim", "installed"]
