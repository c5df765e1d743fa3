"""Whether an answer is one that the page promises: its status, media type, JSON, shape and formats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from arklow_local.formats import strict_json

from ..core.exchange import LONG_TEXT, MANY_HEADERS, Exchange, media_type
from ..core.findings import Finding
from ..openapi.document import Operation
from ..openapi.schemas import Problem
from .context import CheckContext
from .facts import Facts

_MOST_PROBLEMS: Final = 5
"""Places of one answer that are reported: what is broken throughout needs no longer list."""
_LONG_BODY: Final = 10_000
"""Bytes from which on a server may find a body too long."""


def check(facts: Facts, context: CheckContext, tested: Counter[str]) -> Iterator[Finding]:
    """Check PAGE-1 to PAGE-8, PAGE-13 to PAGE-15, JSON-7, JSON-9, HTTP-1, HTTP-5, HTTP-8, HTTP-10 and AUTH-8.

    An answer whose body could not be read is judged where its status or a header says all.
    """
    operation, exchange = facts.operation, facts.exchange
    if operation is None:
        if exchange.path is not None:
            yield from _undeclared_method(exchange, context, tested)
        else:
            yield from _undeclared_path(exchange, context, tested)
        return
    tested["PAGE-8"] += 1
    if not exchange.unread:
        tested["PAGE-3" if operation.control_plane else "PAGE-1"] += 1
    if not exchange.unread and not operation.control_plane and 400 <= exchange.status < 500:
        tested.update(["PAGE-2", "PAGE-15"])
    if exchange.status >= 500:
        if exchange.segment not in context.learned.negative_versions and not _is_unknown_coding(exchange):
            yield _server_error(
                exchange, operation.label, context, "a good request served, a bad one refused"
            )
        return
    if exchange.status == 401:
        tested["AUTH-8"] += 1
        if exchange.answer_header("www-authenticate") is None:
            yield Finding(
                "AUTH-8",
                operation.label,
                "A 401 does not say how to authenticate",
                "a header WWW-Authenticate",
                "none",
                (exchange,),
            )
    if exchange.unread:  # what it says, and whether the application says it, is not known
        return
    if _may_be_of_a_front_end(facts, operation, context):
        return
    if operation.lists_status(exchange.status):
        yield from _body(facts, operation, context, tested)
    else:
        yield from _undocumented(facts, operation, context, tested)


def _server_error(exchange: Exchange, label: str, context: CheckContext, instead: str) -> Finding:
    return Finding(
        "PAGE-8",
        label,
        f"A request is answered with {exchange.status}",
        f"{instead} with a 4xx",
        f"{exchange.status} {context.shown(exchange.answer)}",
        (exchange,),
        fault=str(exchange.status),
    )


def _undocumented(
    facts: Facts, operation: Operation, context: CheckContext, tested: Counter[str]
) -> Iterator[Finding]:
    """Check an answer whose status the page does not list."""
    exchange, value = facts.exchange, facts.value
    refused = 400 <= exchange.status < 500
    if refused and _has_a_cause_in_http(exchange):
        return
    if not exchange.has_plain_path and (exchange.status == 404 or 300 <= exchange.status < 400):
        return
    if operation.control_plane and refused:
        tested["PAGE-13"] += 1
        if not exchange.is_whole_envelope:
            yield Finding(
                "PAGE-13",
                operation.label,
                "A refusal is not the envelope",
                "an object with data and errors",
                f"{exchange.status} {context.shown(exchange.answer)}",
                (exchange,),
            )
        return
    ours = isinstance(value, dict) and value.get("data", 0) is None and isinstance(value.get("errors"), list)
    of_refusals = "PAGE-2" if ours else "PAGE-15"
    yield Finding(
        of_refusals if refused else "PAGE-3" if operation.control_plane else "PAGE-1",
        operation.label,
        f"{exchange.status} is not among the statuses of the page",
        " or ".join(operation.answer_schemas),
        f"{exchange.status} {context.shown(exchange.answer)}",
        (exchange,),
        str(exchange.status),
    )


def _has_a_cause_in_http(exchange: Exchange) -> bool:
    """Whether HTTP itself has a reason for this status, whatever a page lists (RFC 9110 §15.5)."""
    match exchange.status:
        case 405 | 408 | 421:
            return True
        case 403:
            return _has(exchange, "origin", "cookie", "referer", "x-http-method-override")
        case 406:
            return _has(exchange, "accept", "accept-charset", "accept-encoding", "accept-language")
        case 412 | 416 | 428:
            return any(name.lower().startswith(("if-", "range")) for name, _ in exchange.headers)
        case 411:
            return bool(exchange.chunks) or exchange.body is None
        case 413:
            return len(exchange.body or b"") > _LONG_BODY
        case 414:
            return len(exchange.url) > LONG_TEXT
        case 415:
            sent = exchange.request_header("content-type") or ""
            return (
                media_type(sent) != "application/json"
                or ";" in sent
                or bool(exchange.request_header("content-encoding"))
            )
        case 431:
            return exchange.header_size > LONG_TEXT or len(exchange.headers) > MANY_HEADERS
        case _:
            return False


def _has(exchange: Exchange, *names: str) -> bool:
    """Whether the request has a header of one of these names."""
    return any(exchange.request_header(name) is not None for name in names)


def _body(
    facts: Facts, operation: Operation, context: CheckContext, tested: Counter[str]
) -> Iterator[Finding]:
    """Check the body of an answer whose status the page lists."""
    exchange = facts.exchange
    pointer = operation.answer_schema(exchange.status)
    if pointer is None:
        return
    tested.update(["PAGE-4", "JSON-7", "JSON-9", "PAGE-5"])
    unreadable = _unreadable(exchange, operation, context)
    if unreadable is not None:
        yield unreadable
    if unreadable is not None or exchange.is_unreadable:
        return
    value = facts.value
    if exchange.status >= 400 and isinstance(value, dict):
        tested["PAGE-14"] += 1
        if value.get("errors") == []:
            yield Finding(
                "PAGE-14",
                operation.label,
                f"A {exchange.status} has no error in its list of errors",
                "at least one error",
                context.shown(exchange.answer),
                (exchange,),
                str(exchange.status),
            )
    yield from _shape(facts, operation, context, pointer, tested)


def _unreadable(exchange: Exchange, operation: Operation, context: CheckContext) -> Finding | None:
    """Say why the body of an answer is not JSON; None where it is JSON, or where parsers differ."""
    announced, status = exchange.answer_header("content-type"), exchange.status
    if media_type(announced) != "application/json":
        rule, title = "PAGE-4", f"A {status} is not announced as JSON"
        expected = "content-type: application/json"
        actual = (
            "no content-type" if announced is None else f"content-type: {context.value(announced, limit=120)}"
        )
    else:
        try:
            exchange.required_value()
            return None
        except strict_json.NotJSON as error:
            rule, title = "JSON-7", f"The body of a {status} is not JSON: {error}"
            expected = "a JSON text in UTF-8"
            actual = context.shown(exchange.answer) if exchange.answer else "an empty body"
        except strict_json.Doubled as error:
            rule, title = "JSON-9", f"In the body of a {status} {error}"
            expected, actual = "each name once", context.shown(exchange.answer)
        except strict_json.Ambiguous:
            return None
    return Finding(rule, operation.label, title, expected, actual, (exchange,), str(status))


def _shape(
    facts: Facts, operation: Operation, context: CheckContext, pointer: str, tested: Counter[str]
) -> Iterator[Finding]:
    """Check an answer against the schema at `pointer`, then the formats of its texts."""
    exchange, value = facts.exchange, facts.value
    shape = context.schemas.at(pointer)
    try:
        problems, formats = shape.problems(value), shape.format_problems(value)
    except ValueError:  # beyond what can be compared
        return
    for problem in problems[
        : _MOST_PROBLEMS if exchange.has_envelope else 1
    ]:  # without it, each member is missing
        if (
            problem.place == "data/a_ve"
            and str(facts.data.get("a_def_id")) in context.learned.negative_versions
        ):
            continue
        yield Finding(
            "PAGE-5",
            operation.label,
            f"`{problem.place or 'the body'}` of a {exchange.status} breaks its schema",
            f"{problem.place or 'the body'}: {problem.expected}",
            context.value(problem.actual, problem.place),
            (exchange,),
            f"{exchange.status} {problem.place}",
            fault=_fault(problem),
        )
    tested.update(_formats_in(value))
    for problem in formats[:_MOST_PROBLEMS]:
        shown = context.value(problem.actual, problem.place)
        yield Finding(
            "PAGE-6" if "date-time" in problem.expected else "PAGE-7",
            operation.label,
            f"`{problem.place}` of a {exchange.status} is {shown}",
            f"{problem.place}: {problem.expected}",
            shown,
            (exchange,),
            f"{exchange.status} {problem.place}",
            fault=problem.expected,
        )


def _fault(problem: Problem) -> str:
    """Say what an answer breaks, and with which members where the schema has no others."""
    others = problem.keyword == "additionalProperties"
    return f"{problem.expected}, {problem.actual}" if others else problem.expected


def is_foreign_failure(finding: Finding) -> bool:
    """Tell whether a server error is not in the application's words: a gateway may have failed by chance."""
    return finding.rule in ("PAGE-8", "HTTP-10") and not finding.exchanges[-1].has_envelope


def is_of_a_negative_version(finding: Finding) -> bool:
    """Tell whether PAGE-5 was broken by a negative version alone, which the caller's own PUT may have caused (C16)."""
    return finding.rule == "PAGE-5" and finding.place == "200 data/a_ve" and finding.actual.startswith('"-')


def _formats_in(value: Any) -> Iterator[str]:
    """Yield the rules on formats that an answer could break: it has a timestamp, or a destination with its URL."""
    data = value.get("data") if isinstance(value, dict) else None
    if isinstance(data, dict):
        if isinstance(data.get("deleted_at"), str) or data.get("destinations"):
            yield "PAGE-6"
        if data.get("destinations"):
            yield "PAGE-7"


def _may_be_of_a_front_end(facts: Facts, operation: Operation, context: CheckContext) -> bool:
    """Whether a refusal may be the word of a server in front of the application, which no page describes."""
    exchange = facts.exchange
    if facts.enveloped and operation.label not in context.learned.not_offered:
        return False
    if exchange.status == 404:
        hidden = (
            operation.label in context.learned.not_offered or operation.label not in context.learned.routed
        )
        return hidden or not exchange.has_plain_path
    closed_early = not exchange.answer and (exchange.answer_header("connection") or "").lower() == "close"
    return exchange.status == 400 and (exchange.is_unusual or closed_early)


def _is_unknown_coding(exchange: Exchange) -> bool:
    """Whether 501 is what HTTP asks for, as the transfer coding is unknown (RFC 9112 §6.1)."""
    coding = exchange.request_header("transfer-encoding")
    return exchange.status == 501 and coding is not None and coding.strip().lower() != "chunked"


def _undeclared_method(exchange: Exchange, context: CheckContext, tested: Counter[str]) -> Iterator[Finding]:
    """Check a request with a method that its path does not list."""
    label = f"{exchange.method} {exchange.path}"
    if exchange.method == "TRACE":  # proxies answer it themselves
        return
    if exchange.status == 405:
        tested["HTTP-1"] += 1
        if exchange.answer_header("allow") is None:
            yield Finding(
                "HTTP-1",
                label,
                "A 405 does not say which methods are allowed",
                "a header Allow",
                "none",
                (exchange,),
                "allow",
            )
    elif exchange.is_served and exchange.method != "OPTIONS" and not exchange.unread:
        yield Finding(
            "HTTP-5",
            label,
            f"A method that the page does not list is answered with {exchange.status}",
            "a refusal",
            f"{exchange.status} {context.shown(exchange.answer)}",
            (exchange,),
        )
    elif exchange.status >= 500 and exchange.status != 501:
        yield _server_error(exchange, label, context, "a refusal")
    if exchange.method != "OPTIONS":
        tested["HTTP-5"] += 1
    else:
        yield from _options(exchange, label, context, tested)


def _undeclared_path(exchange: Exchange, context: CheckContext, tested: Counter[str]) -> Iterator[Finding]:
    """Check a request whose path fits no template of the document; 501 and 505 may be about its method or its bytes."""
    if exchange.method == "TRACE":
        return
    tested["HTTP-10"] += 1
    if exchange.status >= 500 and exchange.status not in (501, 505):
        yield Finding(
            "HTTP-10",
            f"{exchange.method} {context.document.known_part_of(context.path_of(exchange.url))}",
            f"A path that no page has is answered with {exchange.status}",
            "404, or another refusal with a 4xx",
            f"{exchange.status} {context.shown(exchange.answer)}",
            (exchange,),
            fault=str(exchange.status),
        )


def _options(
    exchange: Exchange, label: str, context: CheckContext, tested: Counter[str]
) -> Iterator[Finding]:
    """Check whether the `Allow` of an answer to OPTIONS names every method of the path."""
    allowed = exchange.answer_header("allow")
    if allowed is None or exchange.path is None:
        return
    tested["HTTP-8"] += 1
    missing = context.document.methods(exchange.path) - {one.strip() for one in allowed.split(",")}
    if 200 <= exchange.status < 300 and missing:
        yield Finding(
            "HTTP-8",
            label,
            f"OPTIONS does not name {' and '.join(sorted(missing))}",
            f"Allow with {', '.join(sorted(missing))}",
            f"Allow: {context.value(allowed, limit=120)}",
            (exchange,),
        )


__all__ = ["check", "is_foreign_failure", "is_of_a_negative_version"]
