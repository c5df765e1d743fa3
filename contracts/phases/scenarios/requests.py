"""Requests that break their page in one place, and requests that no generator of values can say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote, urlencode

from ...core.exchange import Exchange
from ...core.findings import Breach
from ...generation.corpus.catalogue import probes
from ...generation.corpus.probe import Probe
from ...generation.examples import example_of
from ...generation.invalid_bodies import InvalidBody, breakable_keywords, invalid_bodies
from ...transport.client import Request
from ...transport.interference import CUT_OFF, Interference
from ..requests import INGRESS, JSON, MODACK, PUT, NotReached
from ..sequence import CallSequence
from .keys import WRONG
from .scenario import Scenario, scenario

_OWN_REFUSAL: Final = frozenset({400, 422})
"""Statuses by which a body itself is refused."""


@scenario("definitions that break their page", "PAGE-9")
def broken_definitions(sequence: CallSequence) -> None:
    """Each member and keyword, for the own organisation."""
    good = {"variant": sequence.name(), "schema": {}, "alias": [sequence.name("alias")], "version": 3}
    for negative in _tried(sequence, PUT, good):
        _record(sequence, PUT, negative, sequence.probe(PUT, negative.body, as_it_is=True))
    for org in ("abc", "1a", "-1", "１", f"{sequence.org()}a", f"{sequence.org()}.0", f"+{sequence.org()}"):
        sequence.probe(PUT, good, path_org=org)


@scenario("work that breaks its page", "PAGE-9", "PAGE-10")
def broken_work(sequence: CallSequence) -> None:
    """Each member and keyword, for a known variant; only an envelope has members to break."""
    variant = sequence.define()
    sequence.accept(variant, 1)
    good = {"payload": 1, "tags": {"region": "eu"}, "metadata": {"a": 1}, "version": 1}
    if not sequence.context.learned.takes_envelopes:
        for place, keyword in _keywords(sequence, INGRESS):
            sequence.judge.ledger.negatives.setdefault((INGRESS, place, keyword), "not attempted")
        raise NotReached("ingress bodies are not read as envelopes")
    for negative in _tried(sequence, INGRESS, good):
        _record(
            sequence, INGRESS, negative, sequence.probe(INGRESS, negative.body, name=variant, as_it_is=True)
        )
    bare: Any
    for bare in ({}, {"order": 1}, [], "a", 1, None):
        sequence.probe(INGRESS, raw=json.dumps(bare).encode(), name=variant)


@scenario("modacks that break their page", "PAGE-9", "PAGE-12")
def broken_modacks(sequence: CallSequence) -> None:
    """Each member and keyword, for a live action, which is live afterwards too."""
    number = sequence.live_or_not()
    good = sequence.lease(number)
    for negative in _tried(sequence, MODACK, good):
        _record(sequence, MODACK, negative, sequence.probe(MODACK, negative.body, as_it_is=True))
    for shown in (sequence.counted(number), f"{number}\n", f" {number}", f"{number}.0", f"+{number}"):
        sequence.probe(MODACK, {**good, "action_record_id": shown})
    if sequence.modack(number, good["attempt"]).status != 200:
        raise NotReached("the action did not stay alive while broken modacks were aimed at it")


@scenario("operations that no other sequence is for", "AUTH-4", "PAGE-9")
def others(sequence: CallSequence) -> None:
    """What a document has beyond the three: each as its schemas say, without a key, with a wrong one, and broken."""
    labels = [label for label in sequence.context.document.operations if label not in (INGRESS, MODACK, PUT)]
    if not labels:
        return
    variant = sequence.plain()
    ours = {
        "variant": variant,
        "action_record_id": sequence.accept(variant),
        "attempt": 0,
        "org_id": sequence.org(),
    }
    for label in labels:
        request, good = _example(sequence, label, ours)
        if not _offered(sequence, label, request):
            continue
        for headers in (request.headers, (JSON,), (("x-arklow-auth", WRONG), JSON)):
            sequence.try_out(replace(request, headers=headers))
        if isinstance(good, dict):
            for negative in _tried(sequence, label, good):
                broken = replace(request, body=json.dumps(negative.body).encode())
                _record(sequence, label, negative, sequence.try_out(broken))


def _example(sequence: CallSequence, label: str, ours: Mapping[str, Any]) -> tuple[Request, Any]:
    """A request that keeps its page, aimed at what is ours, and its body."""
    document = sequence.context.document
    operation = document.operations[label]
    path, query = operation.path, {}
    for parameter in document.parameters(operation):
        name = str(parameter["name"])
        value = ours.get(name, example_of(parameter.get("schema", {}), document.resolve))
        text = value if isinstance(value, str) else json.dumps(value)
        if parameter["in"] == "path":
            path = path.replace(f"{{{name}}}", quote(text, safe=""))
        elif parameter["in"] == "query" and parameter.get("required", False):
            query[name] = text
    good = (
        None
        if operation.request_schema is None
        else example_of(document.resolve(operation.request_schema), document.resolve)
    )
    if isinstance(good, dict):
        good |= {name: value for name, value in ours.items() if name in good}
    body = None if operation.request_schema is None else json.dumps(good).encode()
    url = f"{path}?{urlencode(query)}" if query else path
    return Request(operation.method, url, (sequence.key(), JSON), body), good


def _offered(sequence: CallSequence, label: str, request: Request) -> bool:
    """Whether the target knows an operation; if not, it answers as on a path that nobody has."""
    path, _, _ = request.path.partition("?")
    answers = [
        sequence.client.send(one) for one in (request, replace(request, path=f"{path}.contract-nobody"))
    ]
    told = [(one.status, _codes(one)) for one in answers]
    if answers[0].status != 404 or told[0] != told[1]:
        return True
    if told[0][1]:  # in words that are no router's own
        sequence.context.learned.note_not_offered(label)
    return False


def _codes(exchange: Exchange) -> list[Any]:
    """The codes of the errors of a refusal."""
    value = exchange.value()
    errors = value.get("errors") if isinstance(value, dict) else None
    return [one.get("code") for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []


def _schema(sequence: CallSequence, label: str) -> Any:
    operation = sequence.context.operation(label)
    if operation is None or operation.request_schema is None:
        raise NotReached(f"the document has no body for {label}")
    return sequence.context.document.resolve(operation.request_schema)


def _keywords(sequence: CallSequence, label: str) -> list[tuple[str, str]]:
    return breakable_keywords(_schema(sequence, label), sequence.context.document.resolve)


def _tried(sequence: CallSequence, label: str, good: dict[str, Any]) -> Iterator[InvalidBody]:
    for place, keyword in _keywords(sequence, label):
        sequence.judge.ledger.negatives.setdefault((label, place, keyword), "not attempted")
    yield from invalid_bodies(
        _schema(sequence, label), sequence.context.document.resolve, sequence.whole(label, good)
    )


def _record(sequence: CallSequence, label: str, negative: InvalidBody, exchange: Exchange | None) -> None:
    """What a negative has proved: refused for its own sake, refused for another reason, or accepted."""
    place = label, negative.place, negative.keyword
    if exchange is None:
        said = "masked"
    elif 200 <= exchange.status < 300 and exchange.data():
        said = "accepted"
    elif exchange.status in _OWN_REFUSAL or exchange.status == 200:
        said = "confirmed"
    else:
        said = "masked"
    told = sequence.judge.ledger.negatives
    if _WEIGHT[said] > _WEIGHT[told.get(place, "not attempted")]:
        told[place] = said


_WEIGHT: Final = {"not attempted": 0, "confirmed": 1, "masked": 2, "accepted": 3}


_PART: Final = 50
"""Turns of the catalogue in one sequence: a run that is broken off repeats no more than that."""


def _wire(part: int) -> Scenario:
    """A part of the catalogue, operation by operation in turns; the last part has all that is left."""

    def play(sequence: CallSequence) -> None:
        calls = _good(sequence)
        rows = [(label, body, name, list(probes(label, body))) for label, body, name in calls]
        end = (part + 1) * _PART if part + 1 < _PARTS else max(len(row[3]) for row in rows)
        for turn in range(part * _PART, end):
            for label, body, name, catalogue in rows:
                if turn < len(catalogue):
                    _sent(sequence, label, body, name, catalogue[turn])
        lease = calls[1][1]
        sequence.modack(lease["action_record_id"], lease["attempt"], 300)

    title = f"bytes, headers, sizes and paths that no value has, part {part + 1} of {_PARTS}"
    return scenario(title, "JSON-5", "JSON-8", "PAGE-8", "PAGE-9", "PAGE-11")(play)


_PARTS: Final = 13
wire: Final = tuple(map(_wire, range(_PARTS)))
"""The whole catalogue of requests that no value has."""


def _good(sequence: CallSequence) -> list[tuple[str, dict[str, Any], str]]:
    """A body of each operation that is served, and the variant in its path."""
    variant = sequence.define()
    sequence.accept(variant)
    number = sequence.live_or_not()
    lease = sequence.lease(number)
    return [
        (INGRESS, sequence.whole(INGRESS, {"payload": {"order_id": "8471"}}), variant),
        (MODACK, sequence.whole(MODACK, lease), ""),
        (PUT, sequence.whole(PUT, {"variant": sequence.define(), "schema": {}}), ""),
    ]


def _sent(sequence: CallSequence, label: str, body: dict[str, Any], name: str, probe: Probe) -> None:
    if probe.large or not (probe.mild or sequence.policy.intrusive):
        return
    if (
        sequence.reuses_names
        and label == PUT
        and json.dumps(body["variant"]).encode() not in (probe.body or b"")
    ):
        return  # it might make a definition of another name
    exchange = sequence.probed(label, probe, name)
    if (
        exchange is None
        or not probe.must_be_served
        or exchange.status not in _OWN_REFUSAL
        or exchange.strange
    ):
        return
    if name in sequence.context.declared:
        return  # whose schema nobody has told
    if label == INGRESS:
        sequence.ripen(name)
    again = sequence.probed(label, probe, name)
    twin = sequence.send(label, body, name=name)
    if again is None or again.status != exchange.status or not (200 <= twin.status < 300 and twin.data()):
        return
    if label == PUT or probe.group in ("sizes", "counts"):  # RFC 8259 §9 allows limits
        _too_much(sequence, exchange)
        return
    breach = Breach(
        "PAGE-11",
        f"A request that keeps its page is refused: {probe.title}",
        "200, as without it",
        f"{exchange.status} {sequence.context.shown(exchange.answer)}",
    )
    sequence.blame(breach, sequence.judge.needed(exchange))


@scenario("values at the edge of their page", "PAGE-16")
def edges(sequence: CallSequence) -> None:
    """What the page allows and a program may find too much: it is no bad request."""
    number, variant = sequence.live(), sequence.name()
    lease = sequence.lease(number)
    schemas: tuple[Any, ...] = (True, False, None, [], "a", 1)
    calls: list[tuple[str, dict[str, Any]]] = [
        *((MODACK, {**lease, "action_record_id": digits}) for digits in ("1" * 25, "9" * 40)),
        *((MODACK, {**lease, "mod_ack": seconds}) for seconds in (301, 3_600, 2**31, 2**63 - 1)),
        *((PUT, {"variant": sequence.name(), "schema": schema}) for schema in schemas),
        *((PUT, {"variant": variant, "schema": {}, "version": version}) for version in (1, 7, 2**31, 2**40)),
        (PUT, {"variant": sequence.name("x" * 150), "schema": {}}),
        (PUT, {"variant": sequence.name(), "schema": {}, "alias": []}),
    ]
    for label, body in calls:
        twice = [sequence.probe(label, body) for _ in range(2)]
        sequence.judge.ledger.tested["PAGE-16"] += 1
        first = twice[0]
        if first is not None and all(one is not None and one.status in _OWN_REFUSAL for one in twice):
            sequence.define()  # what is plain is taken still
            _too_much(sequence, first)


def _too_much(sequence: CallSequence, exchange: Exchange) -> None:
    breach = Breach(
        "PAGE-16",
        "A request at the edge of what its page allows is refused as a bad request",
        "an answer that is not 400",
        f"{exchange.status} {sequence.context.shown(exchange.answer)}",
    )
    sequence.blame(breach, sequence.judge.needed(exchange))


@scenario("methods that no page lists", "HTTP-1", "HTTP-5", "HTTP-8")
def methods(sequence: CallSequence) -> None:
    """Each on each path."""
    variant = sequence.define()
    for label, declared in ((INGRESS, "POST"), (MODACK, "POST"), (PUT, "PUT")):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"):
            if method != declared:
                sequence.probe(label, name=variant, method=method)


@scenario("large bodies", "HTTP-7", "PAGE-8", "PAGE-11")
def large(sequence: CallSequence) -> None:
    """A body of 100 KB is served or refused (Q28), and not dropped."""
    if not sequence.policy.intrusive:
        raise NotReached("large bodies need --intrusive")
    variant = sequence.define()
    sequence.accept(variant)
    for size in (20_000, 100_000, 300_000):
        request = sequence.request(INGRESS, {"payload": "x" * size}, name=variant)
        sequence.judge.ledger.tested["HTTP-7"] += 1
        dropped = [_dropped(sequence, request) for _ in range(2)]
        if all(dropped) and not _dropped(sequence, sequence.request(INGRESS, {"payload": "x"}, name=variant)):
            sequence.judge.add_cut_off(sequence.client.unanswered(request), size)
            return
        if sequence.exchanges[-1].status in _OWN_REFUSAL:
            _too_much(sequence, sequence.exchanges[-1])
    for label, good, name in _good(sequence):
        for probe in probes(label, good):
            if probe.large:
                sequence.probed(label, probe, name)


def _dropped(sequence: CallSequence, request: Request) -> bool:
    try:
        sequence.play(request)
    except Interference as interference:
        if str(interference) != CUT_OFF:
            raise
        return True
    return False


@scenario("answers that take long", "HTTP-6")
def slow(sequence: CallSequence) -> None:
    """What took more than a second is asked again, beside a plain request."""
    variant = sequence.define()
    sequence.accept(variant)
    for exchange in list(sequence.judge.slow)[:2]:
        request = _same(sequence, exchange, variant)
        twice = [_seconds(sequence, request) for _ in range(2)]
        plain = [
            _seconds(sequence, sequence.request(INGRESS, {"payload": 1}, name=variant)) for _ in range(2)
        ]
        if min(twice) > 1 and max(plain) < min(twice) / 5:
            breach = Breach(
                "HTTP-6",
                f"An answer takes {min(twice):.1f} s each time",
                f"an answer within a second, as others take {max(plain):.2f} s",
                f"{min(twice):.1f} s",
            )
            sequence.accuse(breach, sequence.judge.needed(exchange))
            return


_SLOW = 3.0
"""Seconds that are waited for an answer that may never come."""


def _same(sequence: CallSequence, exchange: Exchange, variant: str) -> Request:
    label = exchange.operation or INGRESS
    return sequence.request(
        label, name=exchange.segment or variant, raw=exchange.body, headers=[sequence.key(), JSON]
    )


def _seconds(sequence: CallSequence, request: Request) -> float:
    began = sequence.client.clock.now()
    with suppress(Interference):  # no answer in time
        sequence.client.send(request, timeout=_SLOW)
    return sequence.client.clock.now() - began


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
