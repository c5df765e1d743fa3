"""Requests that break their page in one place, requests that no generator of values can express, and slow answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Any, Final
from urllib.parse import quote, urlencode

from ...core.exchange import Exchange
from ...core.findings import Breach
from ...generation.corpus.catalogue import large_probes, probes
from ...generation.corpus.probe import Probe
from ...generation.corpus.sizes import depth_probes
from ...generation.examples import example_of
from ...generation.invalid_bodies import InvalidBody, breakable_keywords, invalid_bodies
from ...transport.interference import CUT_OFF, Interference, UnusableAnswer
from ...transport.wire import Request
from ..api import Api, id_as_number
from ..requests import INGRESS, JSON, MODACK, PUT, NotReached
from .keys import WRONG
from .scenario import Scenario, scenario

_OWN_REFUSAL: Final = frozenset({400, 422})
"""Statuses that refuse the body itself."""


@scenario("definitions that break their page", "PAGE-9")
def broken_definitions(api: Api) -> None:
    """Put definitions that break one keyword of one member, then definitions in organisations that are none."""
    good = {"variant": api.name(), "schema": {}, "alias": [api.name("alias")], "version": 3}
    for invalid in _invalid_bodies(api, PUT, good):
        _record(api, PUT, invalid, api.probe(PUT, invalid.body, as_it_is=True))
    for org in (
        "abc",
        "1a",
        "-1",
        "１",
        f"{api.requests.organisation()}a",
        f"{api.requests.organisation()}.0",
        f"+{api.requests.organisation()}",
    ):
        api.probe(PUT, good, path_org=org)


@scenario("work that breaks its page", "PAGE-9", "PAGE-10")
def broken_work(api: Api) -> None:
    """Post work that breaks one keyword of one member of its envelope, then bodies that are no envelope.

    Raises:
        NotReached: bodies are not read as envelopes, so that they have no members to break.
    """
    variant = api.define()
    api.accept(variant, 1)
    good = {"payload": 1, "tags": {"region": "eu"}, "metadata": {"a": 1}, "version": 1}
    if not api.context.learned.takes_envelopes:
        for place, keyword in _keywords(api, INGRESS):
            api.judge.ledger.negatives.setdefault((INGRESS, place, keyword), "not attempted")
        raise NotReached("ingress bodies are not read as envelopes")
    for invalid in _invalid_bodies(api, INGRESS, good):
        _record(api, INGRESS, invalid, api.probe(INGRESS, invalid.body, name=variant, as_it_is=True))
    bare: Any
    for bare in ({}, {"order": 1}, [], "a", 1, None):
        api.probe(INGRESS, raw=json.dumps(bare).encode(), name=variant)


@scenario("modacks that break their page", "PAGE-9", "PAGE-12")
def broken_modacks(api: Api) -> None:
    """Send modacks for a live action that break one keyword of one member; the action stays alive.

    Raises:
        NotReached: it did not stay alive.
    """
    number = api.live_or_accepted()
    good = api.lease_body(number)
    for invalid in _invalid_bodies(api, MODACK, good):
        _record(api, MODACK, invalid, api.probe(MODACK, invalid.body, as_it_is=True))
    for spelling in (id_as_number(number), f"{number}\n", f" {number}", f"{number}.0", f"+{number}"):
        api.probe(MODACK, {**good, "action_record_id": spelling})
    if not api.modack(number, good["attempt"]).is_served:
        raise NotReached("the action did not stay alive while broken modacks were aimed at it")


@scenario("operations that no other sequence is for", "AUTH-4", "PAGE-9")
def others(api: Api) -> None:
    """Call the operations that a document has beyond the three: as it says, without a key, with a wrong one, and broken."""
    labels = [label for label in api.context.document.operations if label not in (INGRESS, MODACK, PUT)]
    if not labels:
        return
    variant = api.open_variant()
    ours = {
        "variant": variant,
        "action_record_id": api.accept(variant),
        "attempt": 0,
        "org_id": api.requests.organisation(),
    }
    for label in labels:
        request, good = _example(api, label, ours)
        if not _offered(api, label, request):
            continue
        for headers in (request.headers, (JSON,), (("x-arklow-auth", WRONG), JSON)):
            api.sequence.probe(replace(request, headers=headers))
        if isinstance(good, dict):
            for invalid in _invalid_bodies(api, label, good):
                broken = replace(request, body=json.dumps(invalid.body).encode())
                _record(api, label, invalid, api.sequence.probe(broken))


def _example(api: Api, label: str, ours: Mapping[str, Any]) -> tuple[Request, Any]:
    """Return a request that keeps its page, aimed at what the run has made, and its body as a pair."""
    document = api.context.document
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
    return Request(operation.method, url, (api.requests.key(), JSON), body), good


def _offered(api: Api, label: str, request: Request) -> bool:
    """Say whether the target knows an operation; if not, it answers as on a path that does not exist."""
    path, _, _ = request.path.partition("?")
    answers = [api.client.send(one) for one in (request, replace(request, path=f"{path}.contract-nobody"))]
    here, elsewhere = [(one.status, _codes(one)) for one in answers]
    if here[0] != 404 or here != elsewhere:
        return True
    if here[1]:  # the application itself says it, and not a router
        api.context.learned.note_not_offered(label)
    return False


def _codes(exchange: Exchange) -> list[Any]:
    """Return the codes of the errors in a refusal."""
    value = exchange.value()
    errors = value.get("errors") if isinstance(value, dict) else None
    return [one.get("code") for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []


def _schema(api: Api, label: str) -> Any:
    """Return the schema of the body of an operation.

    Raises:
        NotReached: the document has none.
    """
    operation = api.context.operation(label)
    if operation is None or operation.request_schema is None:
        raise NotReached(f"the document has no body for {label}")
    return api.context.document.resolve(operation.request_schema)


def _keywords(api: Api, label: str) -> list[tuple[str, str]]:
    return breakable_keywords(_schema(api, label), api.context.document.resolve)


def _invalid_bodies(api: Api, label: str, good: dict[str, Any]) -> Iterator[InvalidBody]:
    """Yield bodies that break one keyword of one member each; note that all of these keywords can be broken."""
    for place, keyword in _keywords(api, label):
        api.judge.ledger.negatives.setdefault((label, place, keyword), "not attempted")
    yield from invalid_bodies(
        _schema(api, label), api.context.document.resolve, api.requests.complete(label, good)
    )


def _record(api: Api, label: str, invalid: InvalidBody, exchange: Exchange | None) -> None:
    """Note what an invalid body has shown: refused as such, refused for another reason, or accepted."""
    place = label, invalid.place, invalid.keyword
    if exchange is None or not exchange.has_envelope:
        outcome = "masked"
    elif 200 <= exchange.status < 300 and exchange.data():
        outcome = "accepted"
    elif exchange.status in _OWN_REFUSAL or exchange.status == 200:
        outcome = "confirmed"
    else:
        outcome = "masked"
    outcomes = api.judge.ledger.negatives
    if _WEIGHT[outcome] > _WEIGHT[outcomes.get(place, "not attempted")]:
        outcomes[place] = outcome


_WEIGHT: Final = {"not attempted": 0, "confirmed": 1, "masked": 2, "accepted": 3}
"""Outcome → its weight: the heaviest one of all bodies that break the same keyword stands."""


_PART: Final = 50
"""Turns of the catalogue in one scenario: a night that is resumed repeats no more than that."""


def _wire(part: int) -> Scenario:
    """Return the scenario of one part of the catalogue, the operations in turns; the last part has all that is left."""

    def play(api: Api) -> None:
        calls = _good_bodies(api)
        rows = [(label, body, name, list(probes(label, body))) for label, body, name in calls]
        end = (part + 1) * _PART if part + 1 < _PARTS else max(len(row[3]) for row in rows)
        for turn in range(part * _PART, end):
            for label, body, name, catalogue in rows:
                if turn < len(catalogue):
                    _send(api, label, body, name, catalogue[turn])
        lease = calls[1][1]
        api.modack(lease["action_record_id"], lease["attempt"], 300)

    title = f"bytes, headers, sizes and paths that no value has, part {part + 1} of {_PARTS}"
    return scenario(title, "HTTP-10", "JSON-5", "JSON-8", "PAGE-8", "PAGE-9", "PAGE-11")(play)


_PARTS: Final = 13
"""Parts of the catalogue."""
wire: Final = tuple(map(_wire, range(_PARTS)))
"""The whole catalogue of requests that no value can express."""


def _good_bodies(api: Api) -> list[tuple[str, dict[str, Any], str]]:
    """Return triples of an operation, a body that is served, and the variant in its path.

    Raises:
        NotReached: no definition, or no work, was accepted.
    """
    variant = api.define()
    api.accept(variant)
    number = api.live_or_accepted()
    lease = api.lease_body(number)
    return [
        (INGRESS, api.requests.complete(INGRESS, {"payload": {"order_id": "8471"}}), variant),
        (MODACK, api.requests.complete(MODACK, lease), ""),
        (PUT, api.requests.complete(PUT, {"variant": api.define(), "schema": {}}), ""),
    ]


def _send(api: Api, label: str, body: dict[str, Any], name: str, probe: Probe) -> None:
    if not (probe.mild or api.policy.intrusive):
        return
    if api.names.reused and label == PUT and json.dumps(body["variant"]).encode() not in (probe.body or b""):
        return  # it might define another name, which would stay
    exchange = api.send_probe(label, probe, name)
    if (
        exchange is None
        or not probe.must_be_served
        or exchange.status not in _OWN_REFUSAL
        or exchange.is_unusual
    ):
        return
    if name in api.context.declared:
        return  # its schema is not known
    if label == INGRESS:
        api.wait_until_known(name)
    repeated = api.send_probe(label, probe, name)
    ordinary = api.send(label, body, name=name)
    if repeated is None or repeated.status != exchange.status:
        return
    if not (200 <= ordinary.status < 300 and ordinary.data()):
        return
    if label == PUT or probe.group in ("sizes", "counts"):  # RFC 8259 §9 allows limits
        _blame_edge(api, exchange)
        return
    breach = Breach(
        "PAGE-11",
        f"A request that keeps its page is refused: {probe.title}",
        "200, as without it",
        f"{exchange.status} {api.context.shown(exchange.answer)}",
    )
    api.accusations.blame(breach, api.judge.needed(exchange))


@scenario("values at the edge of their page", "PAGE-16")
def edges(api: Api) -> None:
    """Send what the page allows and a program may find too much: its refusal is not a bad request."""
    number, variant = api.live(), api.name()
    lease = api.lease_body(number)
    schemas: tuple[Any, ...] = (True, False, None, [], "a", 1)
    calls: list[tuple[str, dict[str, Any]]] = [
        *((MODACK, {**lease, "action_record_id": digits}) for digits in ("1" * 25, "9" * 40)),
        *((MODACK, {**lease, "mod_ack": seconds}) for seconds in (301, 3_600, 2**31, 2**63 - 1)),
        *((PUT, {"variant": api.name(), "schema": schema}) for schema in schemas),
        *((PUT, {"variant": variant, "schema": {}, "version": version}) for version in (1, 7, 2**31, 2**40)),
        (PUT, {"variant": api.name("x" * 150), "schema": {}}),
        (PUT, {"variant": api.name(), "schema": {}, "alias": []}),
    ]
    for label, body in calls:
        twice = [api.probe(label, body) for _ in range(2)]
        api.judge.ledger.tested["PAGE-16"] += 1
        first = twice[0]
        if first is not None and all(one is not None and one.status in _OWN_REFUSAL for one in twice):
            api.define()  # else ordinary definitions are refused as well
            _blame_edge(api, first)


def _blame_edge(api: Api, exchange: Exchange) -> None:
    breach = Breach(
        "PAGE-16",
        "A request at the edge of what its page allows is refused as a bad request",
        "an answer that is not 400",
        f"{exchange.status} {api.context.shown(exchange.answer)}",
    )
    api.accusations.blame(breach, api.judge.needed(exchange))


@scenario("methods that no page lists", "HTTP-1", "HTTP-5", "HTTP-8")
def methods(api: Api) -> None:
    """Send every method to every path, but the one that is documented there."""
    variant = api.define()
    for label, declared in ((INGRESS, "POST"), (MODACK, "POST"), (PUT, "PUT")):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"):
            if method != declared:
                api.probe(label, name=variant, method=method)


@scenario("paths that no page has", "HTTP-10")
def paths(api: Api) -> None:
    """Send an empty variant, a slash twice, and a further segment: a path that no route takes is refused."""
    text, variant = json.dumps({"payload": 1}).encode(), api.define()
    for title, path in (
        ("no variant", "/v1/ingress/"),
        ("a slash twice", "/v1//ingress/{variant}"),
        ("two slashes in place of a variant", "/v1/ingress//"),
        ("a further segment", "/v1/ingress/{variant}/x"),
    ):
        api.send_probe(INGRESS, Probe(title, "paths", text, path=path), variant)


@scenario("values that are nested deeply", "PAGE-8")
def depths(api: Api) -> None:
    """Post a few nested payloads of tens and hundreds of levels; the catalogue has all steps, for each operation."""
    variant = api.define()
    good = api.requests.complete(INGRESS, {"payload": {"order_id": "8471"}})
    for probe in islice(depth_probes(INGRESS, good), _FEW_DEPTHS):
        _send(api, INGRESS, good, variant, probe)


_FEW_DEPTHS: Final = 4
"""Nested payloads that a small budget is spent on."""


@scenario("large bodies", "HTTP-7", "PAGE-8", "PAGE-11")
def large(api: Api) -> None:
    """Send bodies of up to 300 KB: they are served or refused (Q28), and not dropped.

    Raises:
        NotReached: large bodies are not allowed.
    """
    if not api.policy.intrusive:
        raise NotReached("large bodies need --intrusive")
    variant = api.define()
    api.accept(variant)
    small = api.requests.build(INGRESS, {"payload": "x"}, name=variant)
    for size in (20_000, 100_000, 300_000):
        request = api.requests.build(INGRESS, {"payload": "x" * size}, name=variant)
        api.judge.ledger.tested["HTTP-7"] += 1
        dropped = [_dropped(api, request) for _ in range(2)]
        if all(dropped) and api.accusations.is_cut_off_each_time(request, small):
            api.judge.add_cut_off(api.client.unanswered(request), size)
            return
        refused = api.exchanges[-1]
        if refused.status in _OWN_REFUSAL and api.sequence.play(small).is_served:
            _blame_edge(api, refused)
    for label, good, name in _good_bodies(api):
        for probe in large_probes(label, good):
            api.send_probe(label, probe, name)


def _dropped(api: Api, request: Request) -> bool:
    """Play a request and say whether its connection was cut off.

    Raises:
        Interference: no answer came for another reason.
    """
    try:
        api.sequence.play(request)
    except Interference as interference:
        if str(interference) != CUT_OFF or isinstance(interference, UnusableAnswer):
            raise
        return True
    return False


@scenario("answers that take long", "HTTP-6")
def slow(api: Api) -> None:
    """Send requests again that took more than a second, beside an ordinary one."""
    variant = api.define()
    api.accept(variant)
    plain = [one.back - one.call for one in api.exchanges[-2:]]
    if min(plain) > 1 and api.client.throttle.usual > 1:
        breach = Breach(
            "HTTP-6",
            f"Plain answers take {min(plain):.1f} s, as all answers do",
            "an answer within a second",
            f"{min(plain):.1f} s",
        )
        api.accusations.blame(breach, tuple(api.exchanges[-2:]))
        return
    for exchange in list(api.judge.slow)[:_SLOW_REQUESTS]:
        request = _same(api, exchange, variant)
        twice = [_seconds(api, request) for _ in range(2)]
        ordinary = [
            _seconds(api, api.requests.build(INGRESS, {"payload": 1}, name=variant)) for _ in range(2)
        ]
        if min(twice) > 1 and max(ordinary) < min(twice) / 5:
            breach = Breach(
                "HTTP-6",
                f"An answer takes {min(twice):.1f} s each time",
                f"an answer within a second, as others take {max(ordinary):.2f} s",
                f"{min(twice):.1f} s",
            )
            api.accusations.accuse(breach, api.judge.needed(exchange))
            return


_SLOW_REQUESTS = 2
"""Slow requests that are sent again: each takes a dozen seconds at worst."""


def _same(api: Api, exchange: Exchange, variant: str) -> Request:
    """Return the same request with the key of the first organisation; work for no variant goes to `variant`."""
    label = exchange.operation or INGRESS
    return api.requests.build(
        label, name=exchange.segment or variant, raw=exchange.body, headers=[api.requests.key(), JSON]
    )


def _seconds(api: Api, request: Request) -> float:
    """Send a request and return the seconds until its answer, or until none came in time."""
    began = api.client.clock.now()
    with suppress(Interference):
        api.client.send(request, timeout=api.policy.slow_timeout)
    return api.client.clock.now() - began


__all__ = [
    "broken_definitions",
    "broken_modacks",
    "broken_work",
    "depths",
    "edges",
    "large",
    "methods",
    "others",
    "paths",
    "slow",
    "wire",
]
