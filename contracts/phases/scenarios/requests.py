"""Requests that break their page in one place, and requests that no generator of values can say."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote, urlencode

from ...core.exchange import Exchange
from ...core.findings import Breach
from ...generation.corpus.catalogue import probes
from ...generation.corpus.probe import Probe
from ...generation.examples import made
from ...generation.invalid_bodies import Negative, keywords, negatives
from ...transport.client import Request
from ...transport.interference import CUT_OFF, Weather
from ..requests import INGRESS, JSON, MODACK, PUT, NotReached
from ..sequence import Stage
from .keys import WRONG
from .scenario import Scenario, scenario

_OWN_REFUSAL: Final = frozenset({400, 422})
"""Statuses by which a body itself is refused."""


@scenario("definitions that break their page", "PAGE-9")
def broken_definitions(stage: Stage) -> None:
    """Each member and keyword, for the own organisation."""
    good = {"variant": stage.name(), "schema": {}, "alias": [stage.name("alias")], "version": 3}
    for negative in _tried(stage, PUT, good):
        _record(stage, PUT, negative, stage.probe(PUT, negative.body, as_it_is=True))
    for org in ("abc", "1a", "-1", "１", f"{stage.org()}a", f"{stage.org()}.0", f"+{stage.org()}"):
        stage.probe(PUT, good, path_org=org)


@scenario("work that breaks its page", "PAGE-9", "PAGE-10")
def broken_work(stage: Stage) -> None:
    """Each member and keyword, for a known variant; only an envelope has members to break."""
    variant = stage.define()
    stage.accept(variant, 1)
    good = {"payload": 1, "tags": {"region": "eu"}, "metadata": {"a": 1}, "version": 1}
    if not stage.known.envelopes:
        for place, keyword in _keywords(stage, INGRESS):
            stage.judge.ledger.negatives.setdefault((INGRESS, place, keyword), "not tried")
        raise NotReached("ingress bodies are not read as envelopes")
    for negative in _tried(stage, INGRESS, good):
        _record(stage, INGRESS, negative, stage.probe(INGRESS, negative.body, name=variant, as_it_is=True))
    bare: Any
    for bare in ({}, {"order": 1}, [], "a", 1, None):
        stage.probe(INGRESS, raw=json.dumps(bare).encode(), name=variant)


@scenario("modacks that break their page", "PAGE-9", "PAGE-12")
def broken_modacks(stage: Stage) -> None:
    """Each member and keyword, for a live action, which is live afterwards too."""
    number = stage.live_or_not()
    good = stage.lease(number)
    for negative in _tried(stage, MODACK, good):
        _record(stage, MODACK, negative, stage.probe(MODACK, negative.body, as_it_is=True))
    for shown in (stage.counted(number), f"{number}\n", f" {number}", f"{number}.0", f"+{number}"):
        stage.probe(MODACK, {**good, "action_record_id": shown})
    if stage.modack(number, good["attempt"]).status != 200:
        raise NotReached("the action did not stay alive while broken modacks were aimed at it")


@scenario("operations that no other sequence is for", "AUTH-4", "PAGE-9")
def others(stage: Stage) -> None:
    """What a document has beyond the three: each as its schemas say, without a key, with a wrong one, and broken."""
    labels = [label for label in stage.known.document.operations if label not in (INGRESS, MODACK, PUT)]
    if not labels:
        return
    variant = stage.plain()
    ours = {
        "variant": variant,
        "action_record_id": stage.accept(variant),
        "attempt": 0,
        "org_id": stage.org(),
    }
    for label in labels:
        request, good = _example(stage, label, ours)
        if not _offered(stage, label, request):
            continue
        for headers in (request.headers, (JSON,), (("x-arklow-auth", WRONG), JSON)):
            stage.try_out(replace(request, headers=headers))
        if isinstance(good, dict):
            for negative in _tried(stage, label, good):
                broken = replace(request, body=json.dumps(negative.body).encode())
                _record(stage, label, negative, stage.try_out(broken))


def _example(stage: Stage, label: str, ours: Mapping[str, Any]) -> tuple[Request, Any]:
    """A request that keeps its page, aimed at what is ours, and its body."""
    document = stage.known.document
    operation = document.operations[label]
    path, query = operation.path, {}
    for parameter in document.parameters(operation):
        name = str(parameter["name"])
        value = ours.get(name, made(parameter.get("schema", {}), document.at))
        text = value if isinstance(value, str) else json.dumps(value)
        if parameter["in"] == "path":
            path = path.replace(f"{{{name}}}", quote(text, safe=""))
        elif parameter["in"] == "query" and parameter.get("required", False):
            query[name] = text
    good = None if operation.request is None else made(document.at(operation.request), document.at)
    if isinstance(good, dict):
        good |= {name: value for name, value in ours.items() if name in good}
    body = None if operation.request is None else json.dumps(good).encode()
    url = f"{path}?{urlencode(query)}" if query else path
    return Request(operation.method, url, (stage.key(), JSON), body), good


def _offered(stage: Stage, label: str, request: Request) -> bool:
    """Whether the target knows an operation; if not, it answers as on a path that nobody has."""
    path, _, _ = request.path.partition("?")
    answers = [stage.client.send(one) for one in (request, replace(request, path=f"{path}.contract-nobody"))]
    told = [(one.status, _codes(one)) for one in answers]
    if answers[0].status != 404 or told[0] != told[1]:
        return True
    if told[0][1]:  # in words that are no router's own
        stage.known.not_offered.add(label)
    return False


def _codes(exchange: Exchange) -> list[Any]:
    """The codes of the errors of a refusal."""
    value = exchange.value()
    errors = value.get("errors") if isinstance(value, dict) else None
    return [one.get("code") for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []


def _schema(stage: Stage, label: str) -> Any:
    operation = stage.known.operation(label)
    if operation is None or operation.request is None:
        raise NotReached(f"the document has no body for {label}")
    return stage.known.document.at(operation.request)


def _keywords(stage: Stage, label: str) -> list[tuple[str, str]]:
    return keywords(_schema(stage, label), stage.known.document.at)


def _tried(stage: Stage, label: str, good: dict[str, Any]) -> Iterator[Negative]:
    for place, keyword in _keywords(stage, label):
        stage.judge.ledger.negatives.setdefault((label, place, keyword), "not tried")
    yield from negatives(_schema(stage, label), stage.known.document.at, stage.whole(label, good))


def _record(stage: Stage, label: str, negative: Negative, exchange: Exchange | None) -> None:
    """What a negative has proved: refused for its own sake, refused for another reason, or accepted."""
    place = label, negative.place, negative.keyword
    if exchange is None:
        said = "masked"
    elif 200 <= exchange.status < 300 and exchange.data():
        said = "accepted"
    elif exchange.status in _OWN_REFUSAL or exchange.status == 200:
        said = "proven"
    else:
        said = "masked"
    told = stage.judge.ledger.negatives
    if _WEIGHT[said] > _WEIGHT[told.get(place, "not tried")]:
        told[place] = said


_WEIGHT: Final = {"not tried": 0, "proven": 1, "masked": 2, "accepted": 3}


_PART: Final = 50
"""Turns of the catalogue in one sequence: a run that is broken off repeats no more than that."""


def _wire(part: int) -> Scenario:
    """A part of the catalogue, operation by operation in turns; the last part has all that is left."""

    def play(stage: Stage) -> None:
        calls = _good(stage)
        rows = [(label, body, name, list(probes(label, body))) for label, body, name in calls]
        end = (part + 1) * _PART if part + 1 < _PARTS else max(len(row[3]) for row in rows)
        for turn in range(part * _PART, end):
            for label, body, name, catalogue in rows:
                if turn < len(catalogue):
                    _sent(stage, label, body, name, catalogue[turn])
        lease = calls[1][1]
        stage.modack(lease["action_record_id"], lease["attempt"], 300)

    title = f"bytes, headers, sizes and paths that no value has, part {part + 1} of {_PARTS}"
    return scenario(title, "JSON-5", "JSON-8", "PAGE-8", "PAGE-9", "PAGE-11")(play)


_PARTS: Final = 13
wire: Final = tuple(map(_wire, range(_PARTS)))
"""The whole catalogue of requests that no value has."""


def _good(stage: Stage) -> list[tuple[str, dict[str, Any], str]]:
    """A body of each operation that is served, and the variant in its path."""
    variant = stage.define()
    stage.accept(variant)
    number = stage.live_or_not()
    lease = stage.lease(number)
    return [
        (INGRESS, stage.whole(INGRESS, {"payload": {"order_id": "8471"}}), variant),
        (MODACK, stage.whole(MODACK, lease), ""),
        (PUT, stage.whole(PUT, {"variant": stage.define(), "schema": {}}), ""),
    ]


def _sent(stage: Stage, label: str, body: dict[str, Any], name: str, probe: Probe) -> None:
    if probe.large or not (probe.mild or stage.manners.intrusive):
        return
    if stage.slot and label == PUT and json.dumps(body["variant"]).encode() not in (probe.body or b""):
        return  # it might make a definition of another name
    exchange = stage.probed(label, probe, name)
    if exchange is None or not probe.serve or exchange.status not in _OWN_REFUSAL or exchange.strange:
        return
    if name in stage.known.declared:
        return  # whose schema nobody has told
    if label == INGRESS:
        stage.ripen(name)
    again = stage.probed(label, probe, name)
    twin = stage.send(label, body, name=name)
    if again is None or again.status != exchange.status or not (200 <= twin.status < 300 and twin.data()):
        return
    if label == PUT or probe.group in ("sizes", "counts"):  # RFC 8259 §9 allows limits
        _too_much(stage, exchange)
        return
    breach = Breach(
        "PAGE-11",
        f"A request that keeps its page is refused: {probe.title}",
        "200, as without it",
        f"{exchange.status} {stage.known.shown(exchange.answer)}",
    )
    stage.blame(breach, stage.judge.origins.needed(exchange))


@scenario("values at the edge of their page", "PAGE-16")
def edges(stage: Stage) -> None:
    """What the page allows and a program may find too much: it is no bad request."""
    number, variant = stage.live(), stage.name()
    lease = stage.lease(number)
    schemas: tuple[Any, ...] = (True, False, None, [], "a", 1)
    calls: list[tuple[str, dict[str, Any]]] = [
        *((MODACK, {**lease, "action_record_id": digits}) for digits in ("1" * 25, "9" * 40)),
        *((MODACK, {**lease, "mod_ack": seconds}) for seconds in (301, 3_600, 2**31, 2**63 - 1)),
        *((PUT, {"variant": stage.name(), "schema": schema}) for schema in schemas),
        *((PUT, {"variant": variant, "schema": {}, "version": version}) for version in (1, 7, 2**31, 2**40)),
        (PUT, {"variant": stage.name("x" * 150), "schema": {}}),
        (PUT, {"variant": stage.name(), "schema": {}, "alias": []}),
    ]
    for label, body in calls:
        twice = [stage.probe(label, body) for _ in range(2)]
        stage.judge.ledger.tested["PAGE-16"] += 1
        first = twice[0]
        if first is not None and all(one is not None and one.status in _OWN_REFUSAL for one in twice):
            stage.define()  # what is plain is taken still
            _too_much(stage, first)


def _too_much(stage: Stage, exchange: Exchange) -> None:
    breach = Breach(
        "PAGE-16",
        "A request at the edge of what its page allows is refused as a bad request",
        "an answer that is not 400",
        f"{exchange.status} {stage.known.shown(exchange.answer)}",
    )
    stage.blame(breach, stage.judge.origins.needed(exchange))


@scenario("methods that no page lists", "HTTP-1", "HTTP-5", "HTTP-8")
def methods(stage: Stage) -> None:
    """Each on each path."""
    variant = stage.define()
    for label, declared in ((INGRESS, "POST"), (MODACK, "POST"), (PUT, "PUT")):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"):
            if method != declared:
                stage.probe(label, name=variant, method=method)


@scenario("large bodies", "HTTP-7", "PAGE-8", "PAGE-11")
def large(stage: Stage) -> None:
    """A body of 100 KB is served or refused (Q28), and not dropped."""
    if not stage.manners.intrusive:
        raise NotReached("large bodies need --intrusive")
    variant = stage.define()
    stage.accept(variant)
    for size in (20_000, 100_000, 300_000):
        request = stage.request(INGRESS, {"payload": "x" * size}, name=variant)
        stage.judge.ledger.tested["HTTP-7"] += 1
        dropped = [_dropped(stage, request) for _ in range(2)]
        if all(dropped) and not _dropped(stage, stage.request(INGRESS, {"payload": "x"}, name=variant)):
            stage.judge.unanswered(stage.client.unanswered(request), size)
            return
        if stage.exchanges[-1].status in _OWN_REFUSAL:
            _too_much(stage, stage.exchanges[-1])
    for label, good, name in _good(stage):
        for probe in probes(label, good):
            if probe.large:
                stage.probed(label, probe, name)


def _dropped(stage: Stage, request: Request) -> bool:
    try:
        stage.play(request)
    except Weather as weather:
        if str(weather) != CUT_OFF:
            raise
        return True
    return False


@scenario("answers that take long", "HTTP-6")
def slow(stage: Stage) -> None:
    """What took more than a second is asked again, beside a plain request."""
    variant = stage.define()
    stage.accept(variant)
    stage.client.timeout, before = _SLOW, stage.client.timeout
    try:
        _asked_again(stage, variant)
    finally:
        stage.client.timeout = before


def _asked_again(stage: Stage, variant: str) -> None:
    for exchange in list(stage.judge.slow)[:2]:
        request = _same(stage, exchange, variant)
        twice = [_seconds(stage, request) for _ in range(2)]
        plain = [_seconds(stage, stage.request(INGRESS, {"payload": 1}, name=variant)) for _ in range(2)]
        if min(twice) > 1 and max(plain) < min(twice) / 5:
            breach = Breach(
                "HTTP-6",
                f"An answer takes {min(twice):.1f} s each time",
                f"an answer within a second, as others take {max(plain):.2f} s",
                f"{min(twice):.1f} s",
            )
            stage.accuse(breach, stage.judge.origins.needed(exchange))
            return


_SLOW = 3.0
"""Seconds that are waited for an answer that may never come."""


def _same(stage: Stage, exchange: Exchange, variant: str) -> Request:
    label = exchange.operation or INGRESS
    return stage.request(
        label, name=exchange.segment or variant, raw=exchange.body, headers=[stage.key(), JSON]
    )


def _seconds(stage: Stage, request: Request) -> float:
    began = time.monotonic()
    with suppress(Weather):  # no answer in time
        stage.client.send(request)
    return time.monotonic() - began


__all__ = [
    "broken_definitions",
    "broken_modacks",
    "broken_work",
    "edges",
    "large",
    "methods",
    "others",
    "slow",
    "wire",
]
