"""The checks of single exchanges: lawful ones, and for each rule exchanges that break it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from contracts.checks import run_checks
from contracts.checks.facts import derive_facts
from contracts.core.exchange import Exchange
from contracts.phases.requests import INGRESS, MODACK, PUT
from tests.contracts.runs import check_context, exchange, rules

ACCEPTED = b'{"data":{"a_id":"1","a_def_id":"2","queue_s":"queued","a_va":"v","a_ve":"1"}}'
DEFINED = b'{"data":{"id":"2","org_id":"1","variant":"v","version":1,"alias":[],"schema":{}},"errors":null}'
REFUSED = b'{"data":null,"errors":[{"code":"C","message":"m"}]}'
OK = b'{"data":{"status":"ok"}}'
WORK = b'{"payload":1}'
LEASE = b'{"action_record_id":"1","attempt":0,"mod_ack":60}'
DEFINITION = b'{"variant":"v","schema":{}}'


LINK = b"""{"id": "71", "action_definition_id": "2", "destination_id": "72", "org_id": "1", "is_default": true,
"destination": {"id": "72", "org_id": "1", "updated_at": "2026-07-22T09:30:00Z", "deleted_at": null,
"label": "orders", "tags": {}, "credential_id": null, "type": "webhook", "config": {"url": "not a uri",
"headers": {}, "signaling": {"enabled": true, "default": "ack"}, "response_time_sla_ms": 5000}}}"""
LINKED = DEFINED.replace(b'"alias"', b'"destinations":[' + LINK + b'],"alias"')
TRACE = rb'"Traceback (most recent call last): File \"a.py\", line 3"'


def keyed(one: Exchange, header: str) -> Exchange:
    """Add a good key in a header."""
    return replace(one, headers=(*one.headers, (header, "good-key-one")))


def beside(one: Exchange, value: str) -> Exchange:
    """Add the other header for keys."""
    return replace(one, headers=(*one.headers, ("authorization", value)))


def announced(one: Exchange, media: str) -> Exchange:
    """Announce the body as another media type."""
    sent = tuple(pair for pair in one.headers if pair[0] != "content-type")
    return replace(one, headers=(*sent, ("content-type", media)))


def found(one: Exchange, *, envelope: bool = True) -> list[str]:
    """Return the codes of the rules that one exchange breaks."""
    known = check_context()
    if envelope:
        known.learned.note("ingress body", "envelope")
    known.learned.note_definition("2", "1")
    known.learned.note_action("1", "1")
    known.learned.note_routed(*known.document.operations)
    return rules(list(run_checks(derive_facts(one, known), known, Counter())))


@pytest.mark.parametrize(
    "one",
    [
        exchange(INGRESS, 200, ACCEPTED, body=WORK),
        exchange(INGRESS, 200, ACCEPTED[:-1] + b',"meta":{}}', body=WORK),
        exchange(INGRESS, 200, ACCEPTED, body=WORK, media="application/json; charset=utf-8"),
        exchange(INGRESS, 400, REFUSED, body=b"{"),
        exchange(INGRESS, 401, REFUSED, body=WORK, key=None, www_authenticate="ApiKey"),
        exchange(MODACK, 200, OK, body=LEASE),
        exchange(MODACK, 404, REFUSED, body=LEASE),
        exchange(MODACK, 409, REFUSED, body=LEASE),
        exchange(MODACK, 408, b"", body=LEASE, media=None),
        exchange(PUT, 200, DEFINED, body=DEFINITION),
        exchange(PUT, 200, b'{"data":null,"errors":[]}', body=b"[]"),
        exchange(PUT, 422, REFUSED, body=b"[]"),
        exchange(PUT, 403, REFUSED, body=DEFINITION, url="/v1/orgs/7/actions/definitions"),
        exchange(PUT, 200, DEFINED, body=b"\xef\xbb\xbf" + DEFINITION),
        exchange(INGRESS, 400, b"<html>", body=WORK, media="text/html", url="/v1/ingress/a%2Fb"),
        exchange(INGRESS, 400, b'{"message":"m"}', body=WORK, url="/v1/ingress/v?x=%ff"),
        exchange(INGRESS, 404, b'{"message":"m"}', body=WORK, url="/v1/ingress/v/"),
        exchange(INGRESS, 308, b"", body=WORK, media=None, url="/v1/ingress/v/"),
        keyed(exchange(INGRESS, 431, b"", body=WORK, media=None), "x" * 1_001),
        exchange("GET /v1/modack", 405, b"", media=None, allow="POST"),
        exchange("GET /v1/modack", 404, b"<html>", media="text/html"),
        exchange("OPTIONS /v1/modack", 204, b"", media=None),
        exchange("GET /v1/modack", 501, b"", media=None),
        exchange("OPTIONS /v1/modack", 204, b"", media=None, allow="OPTIONS, POST"),
        exchange("OPTIONS /v1/modack", 405, b"", media=None, allow="GET"),
        exchange("TRACE /v1/modack", 200, b""),
        exchange(INGRESS, 413, b"", body=b"x" * 20_000, media=None),
        announced(exchange(MODACK, 200, OK, body=LEASE), "application/merge-patch+json"),
        announced(exchange(MODACK, 415, b"", body=LEASE, media=None), "text/plain"),
        exchange(MODACK, 404, REFUSED.replace(b'"m"', b'"no action is at hand (see the docs)"'), body=LEASE),
    ],
    ids=lambda one: f"{one.operation or one.method} {one.status}",
)
def test_what_the_sources_allow_is_passed_over(one: Exchange) -> None:
    """Extra members, any control-plane 4xx, HTTP's own refusals and other methods break no rule."""
    assert found(one) == []


@pytest.mark.parametrize(
    ("rule", "one"),
    [
        ("PAGE-1", exchange(INGRESS, 202, ACCEPTED, body=WORK)),
        ("PAGE-1", exchange(MODACK, 302, b"", body=LEASE, media=None, location="https://api.arklow.io/")),
        ("PAGE-2", exchange(INGRESS, 404, REFUSED, body=WORK)),
        ("PAGE-2", exchange(INGRESS, 415, REFUSED, body=WORK)),
        ("PAGE-3", exchange(PUT, 201, DEFINED, body=DEFINITION)),
        ("PAGE-4", exchange(INGRESS, 200, ACCEPTED, body=WORK, media="text/html")),
        ("PAGE-4", exchange(INGRESS, 200, ACCEPTED, body=WORK, media=None)),
        ("PAGE-4", exchange(INGRESS, 400, b"<html>", body=b"{", media="text/html")),
        ("PAGE-5", exchange(INGRESS, 200, ACCEPTED.replace(b'"a_id":"1"', b'"a_id":1'), body=WORK)),
        ("PAGE-5", exchange(INGRESS, 200, ACCEPTED.replace(b'"a_id":"1"', b'"a_id":"1\\n"'), body=WORK)),
        ("PAGE-5", exchange(PUT, 200, DEFINED.replace(b'"version":1', b'"version":"1"'), body=DEFINITION)),
        (
            "PAGE-6",
            exchange(PUT, 200, DEFINED.replace(b'"id"', b'"deleted_at":"now","id"', 1), body=DEFINITION),
        ),
        ("PAGE-8", exchange(INGRESS, 500, REFUSED, body=WORK)),
        ("PAGE-8", exchange(PUT, 501, REFUSED, body=DEFINITION)),
        ("PAGE-8", exchange("GET /v1/modack", 500, b"")),
        ("PAGE-9", exchange(INGRESS, 200, ACCEPTED, body=b'{"payload":1,"version":"1"}')),
        ("PAGE-9", exchange(INGRESS, 200, ACCEPTED, body=b"")),
        ("PAGE-9", exchange(MODACK, 200, OK, body=LEASE.replace(b'"1"', b'"1\\n"'))),
        ("PAGE-9", exchange(PUT, 200, DEFINED, body=b'{"variant":"v"}')),
        ("PAGE-10", exchange(INGRESS, 200, ACCEPTED, body=b'{"payload":1,"version":0}')),
        ("PAGE-10", exchange(INGRESS, 200, ACCEPTED, body=b'{"order":1}')),
        ("PAGE-12", exchange(MODACK, 404, REFUSED, body=LEASE.replace(b'"1"', b'"x"'))),
        ("PAGE-13", exchange(PUT, 400, b"<html>", body=b"[]", media="text/html")),
        ("JSON-7", exchange(INGRESS, 200, ACCEPTED[:40], body=WORK)),
        ("JSON-7", exchange(INGRESS, 200, b"\xef\xbb\xbf" + ACCEPTED, body=WORK)),
        ("JSON-7", exchange(INGRESS, 200, ACCEPTED.replace(b'"1"', b"NaN", 1), body=WORK)),
        ("JSON-7", exchange(MODACK, 200, b"", body=LEASE)),
        ("JSON-8", exchange(MODACK, 200, OK, body=LEASE + b"x")),
        ("HTTP-1", exchange("GET /v1/modack", 405, b"", media=None)),
        ("HTTP-5", exchange("DELETE /v1/modack", 200, OK)),
        ("HTTP-10", replace(exchange("POST /v1/ingress/", 500, REFUSED), path=None)),
        ("HTTP-10", replace(exchange("POST /v1//modack", 599, b"", media=None), path=None)),
        ("AUTH-1", exchange(MODACK, 401, REFUSED, body=LEASE, www_authenticate="ApiKey")),
        ("AUTH-10", beside(exchange(MODACK, 401, REFUSED, body=LEASE, www_authenticate="ApiKey"), "")),
        ("AUTH-10", beside(exchange(INGRESS, 401, REFUSED, body=WORK, www_authenticate="ApiKey"), "wrong")),
        (
            "AUTH-10",
            beside(exchange(INGRESS, 401, REFUSED, body=WORK, www_authenticate="ApiKey"), "good-key-one"),
        ),
        ("AUTH-4", exchange(MODACK, 200, OK, body=LEASE, key=None)),
        ("AUTH-4", exchange(INGRESS, 200, ACCEPTED, body=WORK, key="wrong")),
        ("AUTH-6", exchange(PUT, 200, DEFINED, body=DEFINITION, key="good-key-two")),
        ("PAGE-7", exchange(PUT, 200, LINKED, body=DEFINITION)),
        ("PAGE-14", exchange(INGRESS, 400, b'{"data":null,"errors":[]}', body=b"{")),
        ("PAGE-15", exchange(INGRESS, 422, b"no", body=b"{", media="text/plain")),
        ("PAGE-15", exchange(MODACK, 418, b'{"errors":"no"}', body=LEASE)),
        ("JSON-9", exchange(INGRESS, 200, ACCEPTED[:-1] + b',"data":1}', body=WORK)),
        ("HTTP-8", exchange("OPTIONS /v1/modack", 204, b"", media=None, allow="GET, PUT")),
        ("SAFE-1", exchange(INGRESS, 200, ACCEPTED, body=WORK, x_debug="good-key-one")),
        ("SAFE-1", exchange(MODACK, 404, REFUSED.replace(b'"m"', b'"good-key-two"'), body=LEASE)),
        ("SAFE-2", exchange(MODACK, 404, REFUSED.replace(b'"m"', TRACE), body=LEASE)),
        ("SAFE-2", exchange(MODACK, 404, REFUSED.replace(b'"m"', b'"x at a.B.c(B.java:7)"'), body=LEASE)),
        ("AUTH-3", keyed(exchange(PUT, 200, DEFINED, body=DEFINITION, key=None), "authorization")),
        ("AUTH-4", keyed(exchange(MODACK, 200, OK, body=LEASE, key=None), "x-api-key")),
        ("JSON-5", announced(exchange(MODACK, 200, OK, body=b"attempt=0"), "text/plain")),
        ("AUTH-8", exchange(INGRESS, 401, REFUSED, body=WORK, key=None)),
        ("AUTH-9", exchange(INGRESS, 400, REFUSED, body=WORK, key=None)),
    ],
    ids=lambda one: one if isinstance(one, str) else f"{one.operation or one.method} {one.status}",
)
def test_an_exchange_that_breaks_one_rule_is_one_finding(rule: str, one: Exchange) -> None:
    """No other check reports it as well."""
    assert found(one) == [rule]


@pytest.mark.parametrize("status", [200, 301, 400, 404, 405, 501, 505])
def test_a_path_that_no_page_has_may_be_answered_with_anything_but_a_server_error(status: int) -> None:
    """Even with success: routers forgive what they take for a slip. 501 and 505 are about methods and versions."""
    assert found(replace(exchange("POST /v1/ingress/", status, REFUSED), path=None)) == []


def asked(status: int, *headers: tuple[str, str], body: bytes | None = WORK, url: str = "") -> Exchange:
    """Make work with further headers that is refused with a status that its page does not list."""
    plain = exchange(INGRESS, status, REFUSED, body=body, url=url)
    return replace(plain, headers=(*plain.headers, *headers))


CAUSES: dict[str, tuple[Exchange, Exchange]] = {
    "403 to a browser": (asked(403, ("origin", "http://a")), asked(403, ("x-origin", "http://a"))),
    "403 to another method in a header": (asked(403, ("X-HTTP-Method-Override", "PUT")), asked(403)),
    "406 to a type": (asked(406, ("Accept", "text/html")), asked(406, ("x-accept", "a"))),
    "406 to a language": (asked(406, ("accept-language", "x")), asked(406)),
    "412 to a condition": (asked(412, ("If-None-Match", "*")), asked(412)),
    "416 to a range": (asked(416, ("Range", "bytes=0-")), asked(416, ("x-range", "a"))),
    "428 to a condition": (asked(428, ("if-match", "a")), asked(428)),
    "411 without a length": (replace(asked(411), chunks=(1,)), asked(411)),
    "411 without a body": (asked(411, body=None), asked(411)),
    "413 to a long body": (asked(413, body=b"x" * 20_000), asked(413)),
    "414 to a long URL": (asked(414, url="/v1/ingress/" + "v" * 1_100), asked(414)),
    "415 to another type": (announced(asked(415), "text/plain"), asked(415)),
    "415 to a parameter": (announced(asked(415), "application/json; charset=utf-8"), asked(415)),
    "415 to a coding": (asked(415, ("content-encoding", "gzip")), asked(415)),
    "431 to a long header": (asked(431, ("x-a", "x" * 1_001)), asked(431)),
    "431 to many headers": (asked(431, *[("x-a", "1")] * 60), asked(431)),
    "421": (asked(421), asked(418)),
}
"""Why HTTP itself refuses work → such a refusal, and the same one of a request that gives no such cause."""


@pytest.mark.parametrize("cause", CAUSES)
def test_a_refusal_for_which_http_has_a_cause_needs_no_page(cause: str) -> None:
    """Any other request may be refused by the statuses of its page alone."""
    lawful, unlawful = CAUSES[cause]

    assert "PAGE-2" not in found(lawful)
    assert "PAGE-2" in found(unlawful)


@pytest.mark.parametrize(
    "odd", [b'"\\ud800"', b"1e999", b"1" + b"0" * 5_000], ids=["half a pair", "infinite", "long"]
)
def test_an_answer_that_parsers_read_in_different_ways_is_left_out(odd: bytes) -> None:
    """Its other members are not looked at either."""
    assert found(exchange(INGRESS, 200, ACCEPTED[:-1] + b',"more":' + odd + b"}", body=WORK)) == []


def test_a_path_with_a_slash_more_may_be_unknown_whatever_its_body_is() -> None:
    """404 is about its path then, and not about the id in its body."""
    bad = exchange(MODACK, 404, REFUSED, body=LEASE.replace(b'"1"', b'"x"'))

    assert found(bad) == ["PAGE-12"]
    assert found(replace(bad, url=f"{bad.url}/")) == []


def test_a_wrong_key_that_reaches_only_what_is_not_ours_breaks_nothing() -> None:
    """A key made from a good one may be the good key of another organisation."""
    foreign = ACCEPTED.replace(b'"2"', b'"77"')

    assert found(exchange(INGRESS, 200, foreign, body=WORK, key="good-key-on")) == []


def test_tags_and_versions_are_judged_only_where_bodies_are_envelopes() -> None:
    """A deployment that takes every body whole has no reason to refuse them (B028)."""
    taken = exchange(INGRESS, 200, ACCEPTED, body=b'{"payload":1,"version":"1"}')

    assert found(taken, envelope=False) == []


def test_what_follows_from_a_negative_version_breaks_nothing() -> None:
    """C16: the control plane takes such a version, and the pages leave ingress no way to answer it."""
    known = check_context()
    known.learned.note_negative_version("2", "order.created")
    answered = exchange(INGRESS, 200, ACCEPTED.replace(b'"a_ve":"1"', b'"a_ve":"-3"'), body=WORK)
    failed = exchange(INGRESS, 500, REFUSED, body=WORK)

    assert [
        *run_checks(derive_facts(answered, known), known, Counter()),
        *run_checks(derive_facts(failed, known), known, Counter()),
    ] == []


def test_accepting_bytes_that_parsers_read_in_different_ways_breaks_nothing() -> None:
    """An object with a member name twice is JSON to some parsers and none to others."""
    assert found(exchange(MODACK, 200, OK, body=LEASE[:-1] + b',"attempt":"x"}')) == []


def test_a_finding_says_where_it_is_what_was_expected_and_what_came() -> None:
    """A reader can act on it without the report."""
    broken = exchange(INGRESS, 200, ACCEPTED.replace(b'"a_id":"1"', b'"a_id":"act_1"'), body=WORK)

    finding = next(iter(run_checks(derive_facts(broken, check_context()), check_context(), Counter())))

    assert (finding.title, finding.expected, finding.actual) == (
        "`data/a_id` of a 200 breaks its schema",
        "data/a_id: a string that matches ^[0-9]+$",
        '"act_1"',
    )


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (exchange(MODACK, 200, OK, body=LEASE, key=None), "A request without a key is served"),
        (exchange(MODACK, 200, OK, body=LEASE, key="wrong"), "A request with a wrong key is served"),
        (
            keyed(exchange(MODACK, 200, OK, body=LEASE, key=None), "x-api-key"),
            "A request with its key in x-api-key is served",
        ),
        (
            exchange(MODACK, 200, OK, body=LEASE, key=None, url="/v1/modack?key=good-key-one"),
            "A request with its key in the query is served",
        ),
        (exchange(PUT, 200, DEFINED, body=b"[]"), "A request is accepted although `the body` is []"),
        (
            exchange(INGRESS, 200, ACCEPTED, body=b'{"payload":1,"version":"1"}'),
            'A request is accepted although `version` is "1"',
        ),
    ],
)
def test_the_title_of_a_finding_says_what_was_served(one: Exchange, said: str) -> None:
    """How the key came, or which member is wrong."""
    known = check_context()
    known.learned.note("ingress body", "envelope")
    known.learned.note_definition("2", "1")
    known.learned.note_action("1", "1")

    [finding] = run_checks(derive_facts(one, known), known, Counter())

    assert finding.title == said


@pytest.mark.parametrize(
    ("one", "routed", "offered", "expected"),
    [
        (exchange(MODACK, 404, b"<html>", body=LEASE, media="text/html"), False, True, []),
        (exchange(MODACK, 404, b"<html>", body=LEASE, media="text/html"), True, True, ["PAGE-4"]),
        (exchange(MODACK, 404, b"<html>", body=LEASE, media="text/html"), True, False, []),
        (exchange(INGRESS, 404, REFUSED, body=WORK), True, True, ["PAGE-2"]),
        (exchange(INGRESS, 404, REFUSED, body=WORK), True, False, []),
        (exchange(INGRESS, 400, b"", body=WORK, media=None, connection="close"), True, True, []),
        (exchange(INGRESS, 400, b"", body=WORK, media=None), True, True, ["PAGE-4"]),
    ],
)
def test_a_refusal_may_be_the_word_of_a_server_in_front(
    one: Exchange, routed: bool, offered: bool, expected: list[str]
) -> None:
    """Where the application has not shown the operation, or does not offer it, or the connection ends at once."""
    known = check_context()
    if routed:
        known.learned.note_routed(*known.document.operations)
    if not offered:
        known.learned.note_not_offered(str(one.operation))

    assert [
        rule
        for rule in rules(list(run_checks(derive_facts(one, known), known, Counter())))
        if rule[:4] == "PAGE"
    ] == expected
