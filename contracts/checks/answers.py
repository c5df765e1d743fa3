"""Is the answer one that the page promises: status, media type, JSON, shape, formats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from ..core import strict_json
from ..core.exchange import Exchange, media
from ..core.findings import Finding
from ..openapi.document import Operation
from .context import CheckContext


def check(exchange: Exchange, known: CheckContext, tested: Counter[str]) -> Iterator[Finding]:
    """PAGE-1 to PAGE-8, PAGE-13 to PAGE-15, JSON-7, JSON-9, HTTP-1, HTTP-5, HTTP-8, AUTH-8."""
    operation = known.operation(exchange.operation)
    if operation is None:
        if exchange.path is not None:
            yield from _undeclared_method(exchange, known, tested)
        return
    tested.update(["PAGE-8", "PAGE-3" if operation.control_plane else "PAGE-1"])
    if not operation.control_plane and 400 <= exchange.status < 500:
        tested.update(["PAGE-2", "PAGE-15"])
    if exchange.status >= 500:
        if exchange.segment in known.negative or _unknown_coding(exchange):
            return
        yield Finding(
            "PAGE-8",
            operation.label,
            f"A request is answered with {exchange.status}",
            "a good request served, a bad one refused with a 4xx",
            f"{exchange.status} {known.shown(exchange.answer)}",
            (exchange,),
        )
        return
    if exchange.status == 401:
        tested["AUTH-8"] += 1
        if exchange.got("www-authenticate") is None:
            yield Finding(
                "AUTH-8",
                operation.label,
                "A 401 does not say how to authenticate",
                "a header WWW-Authenticate",
                "none",
                (exchange,),
            )
    if _of_a_front(exchange, operation, known):
        return
    if operation.documents(exchange.status):
        yield from _body(exchange, operation, known, tested)
    else:
        yield from _undocumented(exchange, operation, known, tested)


def _undocumented(
    exchange: Exchange, operation: Operation, known: CheckContext, tested: Counter[str]
) -> Iterator[Finding]:
    refused = 400 <= exchange.status < 500
    if refused and _own_cause(exchange):
        return
    if not exchange.plain_path and (exchange.status == 404 or 300 <= exchange.status < 400):
        return
    if operation.control_plane and refused:
        tested["PAGE-13"] += 1
        value = exchange.value()
        if not isinstance(value, dict) or not {"data", "errors"} <= value.keys():
            yield Finding(
                "PAGE-13",
                operation.label,
                "A refusal is not the envelope",
                "an object with data and errors",
                f"{exchange.status} {known.shown(exchange.answer)}",
                (exchange,),
            )
        return
    value = exchange.value()
    ours = isinstance(value, dict) and value.get("data", 0) is None and isinstance(value.get("errors"), list)
    of_refusals = "PAGE-2" if ours else "PAGE-15"
    yield Finding(
        of_refusals if refused else "PAGE-3" if operation.control_plane else "PAGE-1",
        operation.label,
        f"{exchange.status} is not among the statuses of the page",
        " or ".join(operation.answers),
        f"{exchange.status} {known.shown(exchange.answer)}",
        (exchange,),
        str(exchange.status),
    )


def _has(exchange: Exchange, *names: str) -> bool:
    return any(exchange.sent(name) is not None for name in names)


def _own_cause(exchange: Exchange) -> bool:
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
            return len(exchange.body or b"") > 10_000
        case 414:
            return len(exchange.url) > 1_000
        case 415:
            sent = exchange.sent("content-type") or ""
            return media(sent) != "application/json" or ";" in sent or bool(exchange.sent("content-encoding"))
        case 431:
            return exchange.head > 1_000 or len(exchange.headers) > 30
        case _:
            return False


def _body(
    exchange: Exchange, operation: Operation, known: CheckContext, tested: Counter[str]
) -> Iterator[Finding]:
    pointer = operation.answer(exchange.status)
    if pointer is None:
        return
    tested.update(["PAGE-4", "JSON-7", "JSON-9", "PAGE-5"])
    announced = exchange.got("content-type")
    if not _announces_json(exchange):
        yield Finding(
            "PAGE-4",
            operation.label,
            f"A {exchange.status} is not announced as JSON",
            "content-type: application/json",
            "no content-type" if announced is None else f"content-type: {known.shown(announced)}",
            (exchange,),
            str(exchange.status),
        )
        return
    try:
        value = exchange.read()
    except strict_json.NotJSON as error:
        yield Finding(
            "JSON-7",
            operation.label,
            f"The body of a {exchange.status} is not JSON: {error}",
            "a JSON text in UTF-8",
            known.shown(exchange.answer) if exchange.answer else "an empty body",
            (exchange,),
            str(exchange.status),
        )
        return
    except strict_json.Doubled as error:
        yield Finding(
            "JSON-9",
            operation.label,
            f"In the body of a {exchange.status} {error}",
            "each name once",
            known.shown(exchange.answer),
            (exchange,),
            str(exchange.status),
        )
        return
    except strict_json.Ambiguous:
        return
    if exchange.status >= 400 and isinstance(value, dict):
        tested["PAGE-14"] += 1
        if value.get("errors") == []:
            yield Finding(
                "PAGE-14",
                operation.label,
                f"A {exchange.status} has no error in its list of errors",
                "at least one error",
                known.shown(exchange.answer),
                (exchange,),
            )
    shape = known.shapes.at(pointer)
    try:
        problems, formats = shape.problems(value), shape.formats(value)
    except ValueError:  # beyond what can be compared: nobody is accused
        return
    for problem in problems[:5]:
        if problem.place == "data/a_ve" and str(exchange.data().get("a_def_id")) in known.negative:
            continue
        yield Finding(
            "PAGE-5",
            operation.label,
            f"`{problem.place or 'the body'}` of a {exchange.status} breaks its schema",
            f"{problem.place or 'the body'}: {problem.expected}",
            known.shown(problem.actual, 80),
            (exchange,),
            f"{exchange.status} {problem.place}",
        )
    tested.update(_formats_in(value))
    for problem in formats[:5]:
        timestamp = "date-time" in problem.expected
        shown = known.shown(problem.actual, 80)
        yield Finding(
            "PAGE-6" if timestamp else "PAGE-7",
            operation.label,
            f"`{problem.place}` of a {exchange.status} is {shown}",
            f"{problem.place}: {problem.expected}",
            shown,
            (exchange,),
            problem.place,
        )


def is_of_a_negative_version(finding: Finding) -> bool:
    """Tell whether PAGE-5 was broken by a negative version alone, which the caller's own PUT may have caused (C16)."""
    return finding.rule == "PAGE-5" and finding.place == "200 data/a_ve" and finding.actual.startswith('"-')


def _formats_in(value: Any) -> Iterator[str]:
    """The rules on formats that an answer puts to the test: a timestamp, or a destination with its URL."""
    data = value.get("data") if isinstance(value, dict) else None
    if isinstance(data, dict):
        if isinstance(data.get("deleted_at"), str) or data.get("destinations"):
            yield "PAGE-6"
        if data.get("destinations"):
            yield "PAGE-7"


def _of_a_front(exchange: Exchange, operation: Operation, known: CheckContext) -> bool:
    """Whether a refusal may be the word of a server in front of the application, that no page describes."""
    value = exchange.value()
    enveloped = isinstance(value, dict) and "errors" in value
    if enveloped and operation.label not in known.not_offered:
        return False
    if exchange.status == 404:
        hidden = operation.label in known.not_offered or operation.label not in known.routed
        return hidden or not exchange.plain_path
    unread = not exchange.answer and (exchange.got("connection") or "").lower() == "close"
    return exchange.status == 400 and (exchange.strange or unread)  # as servers do with what broke off


def _unknown_coding(exchange: Exchange) -> bool:
    """Whether 501 is what HTTP asks for (RFC 9112 §6.1)."""
    coding = exchange.sent("transfer-encoding")
    return exchange.status == 501 and coding is not None and coding.strip().lower() != "chunked"


def _announces_json(exchange: Exchange) -> bool:
    return media(exchange.got("content-type")) == "application/json"


def _undeclared_method(exchange: Exchange, known: CheckContext, tested: Counter[str]) -> Iterator[Finding]:
    label = f"{exchange.method} {exchange.path}"
    if exchange.method == "TRACE":  # proxies answer it themselves
        return
    if exchange.status == 405:
        tested["HTTP-1"] += 1
        if exchange.got("allow") is None:
            yield Finding(
                "HTTP-1",
                label,
                "A 405 does not say which methods are allowed",
                "a header Allow",
                "none",
                (exchange,),
                "allow",
            )
    elif 200 <= exchange.status < 300 and exchange.method != "OPTIONS":
        yield Finding(
            "HTTP-5",
            label,
            f"A method that the page does not list is answered with {exchange.status}",
            "a refusal",
            f"{exchange.status} {known.shown(exchange.answer)}",
            (exchange,),
        )
    elif exchange.status >= 500 and exchange.status != 501:
        yield Finding(
            "PAGE-8",
            label,
            f"A request is answered with {exchange.status}",
            "a refusal with a 4xx",
            f"{exchange.status} {known.shown(exchange.answer)}",
            (exchange,),
        )
    if exchange.method != "OPTIONS":
        tested["HTTP-5"] += 1
    elif (allowed := exchange.got("allow")) is not None and exchange.path is not None:
        tested["HTTP-8"] += 1
        missing = known.document.methods(exchange.path) - {one.strip() for one in allowed.split(",")}
        if 200 <= exchange.status < 300 and missing:
            yield Finding(
                "HTTP-8",
                label,
                f"OPTIONS does not name {' and '.join(sorted(missing))}",
                f"Allow with {', '.join(sorted(missing))}",
                f"Allow: {known.shown(allowed)}",
                (exchange,),
            )


__all__ = ["check", "is_of_a_negative_version"]
