"""What was accepted: the bytes that were sent are read again before anybody is blamed for taking them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from ..core import strict_json
from ..core.exchange import Exchange, media
from ..core.findings import Finding
from ..openapi.document import Operation
from ..openapi.schemas import Problem
from .context import CheckContext

_INGRESS = "/v1/ingress/{variant}"
_MASKED = (401, 403, 405, 413, 415, 429)
"""Refusals that come before anybody looked at the body."""


def accepted(exchange: Exchange, operation: Operation) -> bool:
    """Whether the request was served; a control-plane 200 without data is a refusal (B009)."""
    if not 200 <= exchange.status < 300:
        return False
    if not operation.control_plane:
        return True
    value = exchange.value()
    return not (isinstance(value, dict) and value.get("data") is None and "data" in value)


def organisation(exchange: Exchange, operation: Operation) -> str | None:
    """The organisation in the path, if the path has one."""
    if not operation.control_plane:
        return None
    template = operation.path.strip("/").split("/")
    segments = urlsplit(exchange.url).path.strip("/").split("/")[-len(template) :]
    return unquote(segments[template.index("{org_id}")]) if "{org_id}" in template else None


def check(exchange: Exchange, known: CheckContext, tested: Counter[str]) -> Iterator[Finding]:
    """PAGE-9, PAGE-10, PAGE-12, JSON-5, JSON-8."""
    operation = known.operation(exchange.operation)
    if operation is None or operation.request is None or exchange.status in _MASKED or exchange.status >= 500:
        return
    served = accepted(exchange, operation)
    org = organisation(exchange, operation)
    if org is not None and not re.fullmatch("[0-9]+", org, re.ASCII):
        tested["PAGE-9"] += 1
        if served:
            yield _taken(
                exchange, operation, known, Problem("org_id", "Pattern", "digits", strict_json.show(org), org)
            )
        return
    announced = media(exchange.sent("content-type") or "application/json")
    if announced != "application/json" or exchange.sent("content-encoding"):
        yield from _another_type(exchange, operation, known, announced, served, tested)
        return
    if not (exchange.body or b"").strip(b" \t\r\n"):
        tested["PAGE-9"] += 1
        if served:
            yield _taken(exchange, operation, known, Problem("", "Required", "a JSON text", "no body", None))
        return
    try:
        value = strict_json.read((exchange.body or b"").removeprefix(strict_json.MARK))
        problems = known.shapes.at(operation.request).problems(value)
    except strict_json.NotJSON as error:
        tested["JSON-8"] += 1
        if served:
            yield Finding(
                "JSON-8",
                operation.label,
                f"A body that is not JSON is accepted: {error}",
                "a refusal",
                str(exchange.status),
                (exchange,),
                re.sub("[0-9]+", "", str(error)),
            )
        return
    except ValueError:
        return
    if not problems:
        return
    if operation.path == _INGRESS:
        yield from _ingress(exchange, operation, problems, value, known, served, tested)
        return
    if served or exchange.status == 400 or operation.control_plane:
        tested["PAGE-9"] += 1
    if not operation.control_plane:
        tested["PAGE-12"] += 1
    if served:
        yield _taken(exchange, operation, known, problems[0])
    elif exchange.status in (404, 409) and not operation.control_plane and operation.label in known.routed:
        yield Finding(
            "PAGE-12",
            operation.label,
            f"`{problems[0].place}` breaks its page and is answered with {exchange.status}",
            f"400, as {problems[0].place} must be {problems[0].expected}",
            str(exchange.status),
            (exchange,),
            problems[0].place,
        )


def _another_type(
    exchange: Exchange,
    operation: Operation,
    known: CheckContext,
    announced: str,
    served: bool,
    tested: Counter[str],
) -> Iterator[Finding]:
    """A body that is announced as something else than JSON, where only one announcement is made."""
    types = [value for name, value in exchange.headers if name.lower() == "content-type"]
    if len(types) > 1 or announced.endswith("json") or not announced.partition("/")[2]:
        return
    tested["JSON-5"] += 1
    if served:
        yield Finding(
            "JSON-5",
            operation.label,
            f"A body that is announced as {announced} is accepted",
            "a refusal, as the page lists application/json alone",
            f"{exchange.status} {known.shown(exchange.answer)}",
            (exchange,),
        )


def _ingress(
    exchange: Exchange,
    operation: Operation,
    problems: list[Problem],
    value: object,
    known: CheckContext,
    served: bool,
    tested: Counter[str],
) -> Iterator[Finding]:
    """C1: without `payload` another interpretation takes the body whole; C4: a version that is none may be overlooked."""
    if not isinstance(value, dict) or "payload" not in value:
        tested["PAGE-10"] += 1
        if served:
            yield _taken(
                exchange,
                operation,
                known,
                Problem("payload", "Required", "present", "absent", None),
                "PAGE-10",
            )
        return
    if not known.envelopes or not (served or exchange.segment in known.variants):
        return
    blamed = [problem for problem in problems if not _only_out_of_range(problem)]
    tested["PAGE-9" if blamed else "PAGE-10"] += 1
    if served and blamed:
        yield _taken(exchange, operation, known, blamed[0])
    elif served:
        yield _taken(exchange, operation, known, problems[0], "PAGE-10")


def _only_out_of_range(problem: Problem) -> bool:
    return (
        problem.place == "version"
        and isinstance(problem.value, int | float)
        and not isinstance(problem.value, bool)
    )


def _taken(
    exchange: Exchange, operation: Operation, known: CheckContext, problem: Problem, rule: str = "PAGE-9"
) -> Finding:
    place = problem.place or "the body"
    return Finding(
        rule,
        operation.label,
        f"A request is accepted although `{place}` is {known.shown(problem.actual, 80)}",
        f"a refusal: {place} must be {problem.expected}",
        f"{exchange.status} {known.shown(exchange.answer)}",
        (exchange,),
        re.sub("/.*", "", problem.place),
    )


__all__ = ["accepted", "check", "organisation"]
