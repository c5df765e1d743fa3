"""Requests that were carried out although they break their page: the bytes that were sent decide, not what was meant."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from arklow_local.formats import json_values, strict_json

from ..core.findings import Finding
from ..openapi.document import Operation
from ..openapi.schemas import Problem
from .context import CheckContext
from .facts import Facts

_INGRESS: Final = "/v1/ingress/{variant}"
_MASKED: Final = (401, 403, 405, 413, 415, 429)
"""Refusals that may come before the body is looked at."""
_JSON_SPACE: Final = b" \t\r\n"
"""What RFC 8259 §2 calls insignificant whitespace."""


def check(facts: Facts, context: CheckContext, tested: Counter[str]) -> Iterator[Finding]:
    """Check PAGE-9, PAGE-10, PAGE-12, JSON-5 and JSON-8."""
    operation, exchange = facts.operation, facts.exchange
    if (
        operation is None
        or operation.request_schema is None
        or exchange.status in _MASKED
        or exchange.status >= 500
        or not exchange.has_envelope
    ):
        return
    org = facts.organisation
    if org is not None and not re.fullmatch("[0-9]+", org, re.ASCII):
        tested["PAGE-9"] += 1
        if facts.accepted:
            problem = Problem("org_id", "Pattern", "digits", json_values.show(org), org)
            yield _accepted_although(problem, facts, operation, context)
        return
    if facts.media_type != "application/json" or exchange.request_header("content-encoding"):
        yield from _another_type(facts, operation, context, tested)
    elif not (exchange.body or b"").strip(_JSON_SPACE):
        tested["PAGE-9"] += 1
        if facts.accepted:
            problem = Problem("", "Required", "a JSON text", "no body", None)
            yield _accepted_although(problem, facts, operation, context)
    elif isinstance(facts.body.error, strict_json.NotJSON):
        tested["JSON-8"] += 1
        if facts.accepted:
            yield Finding(
                "JSON-8",
                operation.label,
                f"A body that is not JSON is accepted: {facts.body.error}",
                "a refusal",
                str(exchange.status),
                (exchange,),
                re.sub("[0-9]+", "", str(facts.body.error)),
            )
    elif facts.body.problems:
        check_value = _ingress if operation.path == _INGRESS else _value
        yield from check_value(facts, operation, facts.body.problems, context, tested)


def _value(
    facts: Facts,
    operation: Operation,
    problems: Sequence[Problem],
    context: CheckContext,
    tested: Counter[str],
) -> Iterator[Finding]:
    """Check a JSON body that breaks its schema; where ids are looked up, 400 comes before 404 and 409."""
    exchange, status = facts.exchange, facts.exchange.status
    if facts.accepted or status == 400 or operation.control_plane:
        tested["PAGE-9"] += 1
    if not operation.control_plane:
        tested["PAGE-12"] += 1
    if facts.accepted:
        yield _accepted_although(problems[0], facts, operation, context)
    elif (
        status in (404, 409)
        and not operation.control_plane
        and exchange.has_plain_path  # else 404 may be about the path
        and operation.label in context.learned.routed
    ):
        yield Finding(
            "PAGE-12",
            operation.label,
            f"`{problems[0].place}` breaks its page and is answered with {status}",
            f"400, as {problems[0].place} must be {problems[0].expected}",
            str(status),
            (exchange,),
            problems[0].place,
            fault=f"{problems[0].expected}: {status}",
        )


def _another_type(
    facts: Facts, operation: Operation, context: CheckContext, tested: Counter[str]
) -> Iterator[Finding]:
    """Check a body that is announced as something else than JSON, where only one announcement is made."""
    announced = facts.media_type
    if len(facts.media_types) > 1 or announced.endswith("json") or not announced.partition("/")[2]:
        return
    tested["JSON-5"] += 1
    exchange = facts.exchange
    if facts.accepted:
        yield Finding(
            "JSON-5",
            operation.label,
            f"A body that is announced as {announced} is accepted",
            "a refusal, as the page lists application/json alone",
            f"{exchange.status} {context.shown(exchange.answer)}",
            (exchange,),
            fault="a body of another media type is accepted",
        )


def _ingress(
    facts: Facts,
    operation: Operation,
    problems: Sequence[Problem],
    context: CheckContext,
    tested: Counter[str],
) -> Iterator[Finding]:
    """Check an ingress body by the envelope interpretation.

    Without `payload` another interpretation takes the body whole (C1); a version that is none may be overlooked (C4).
    """
    value = facts.body.value
    if not isinstance(value, dict) or "payload" not in value:
        tested["PAGE-10"] += 1
        if facts.accepted:
            problem = Problem("payload", "Required", "present", "absent", None)
            yield _accepted_although(problem, facts, operation, context, "PAGE-10")
        return
    if not context.learned.takes_envelopes or not (
        facts.accepted or facts.exchange.segment in context.learned.variants
    ):
        return
    certain = [problem for problem in problems if not _is_number_for_version(problem)]
    tested["PAGE-9" if certain else "PAGE-10"] += 1
    if facts.accepted and certain:
        yield _accepted_although(certain[0], facts, operation, context)
    elif facts.accepted:
        yield _accepted_although(problems[0], facts, operation, context, "PAGE-10")


def _is_number_for_version(problem: Problem) -> bool:
    return (
        problem.place == "version"
        and isinstance(problem.value, int | float)
        and not isinstance(problem.value, bool)
    )


def _accepted_although(
    problem: Problem, facts: Facts, operation: Operation, context: CheckContext, rule: str = "PAGE-9"
) -> Finding:
    place, exchange = problem.place or "the body", facts.exchange
    return Finding(
        rule,
        operation.label,
        f"A request is accepted although `{place}` is {context.value(problem.actual, problem.place)}",
        f"a refusal: {place} must be {problem.expected}",
        f"{exchange.status} {context.shown(exchange.answer)}",
        (exchange,),
        re.sub("/.*", "", problem.place),
        fault=problem.expected if "/" not in problem.place else "below",
    )


__all__ = ["check"]
