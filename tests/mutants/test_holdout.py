"""Each mutant of the holdout differs from the conforming server as its text says."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import pytest

from . import (
    HOLDOUT,
    MUTANTS,
    Choices,
    ConformingServer,
)
from .client import (
    GOOD,
    NO_KEY,
    PUT_PATH,
    speaking,
)
from .holdout_probes import (
    DEEP,
    THEIR_PATH,
    after_change,
    basic,
    by_another,
    called,
    capital,
    changed_elsewhere,
    counted,
    current_after,
    data_of,
    defined_as,
    dropped,
    extended,
    extended_once,
    first_of_two,
    form,
    future,
    hung_up,
    ids,
    in_header,
    ingress_type,
    kind_of,
    late_lease,
    leased,
    listed,
    live,
    nacked_after_defer,
    of_its_own,
    queue,
    recorded,
    referring,
    refusal,
    removed_alias,
    repeated,
    seconds_for,
    slower,
    status_after,
    stored_partly,
    their_alias,
    their_definition,
    twice,
    typed,
    unknown,
    unknown_ids,
    updated_alias,
    variant,
    waiting,
)
from .probes import (
    ERROR,
    TAKEN,
    Probe,
    authorized,
    ingress_of,
    ingress_with,
    keyed,
    linked,
    modack_with,
    put_with,
    taken,
)

FALSE: list[Any] = [False, 0, "", [], {}, None]
FORWARD = {"type": "object", "description": "an order"}

DIFFERENCES: dict[str, tuple[Probe, Any, Any]] = {
    "H001": (kind_of("a_def_id"), "str", "NoneType"),
    "H002": (data_of("queue_s"), "queued", None),
    "H003": (data_of("a_va"), "v", None),
    "H004": (lambda c: data_of("a_id")(c)[-1].isdigit(), True, False),
    "H005": (taken, TAKEN, TAKEN | {"a_def_id": int}),
    "H006": (data_of("a_ve"), "1", 1),
    "H007": (lambda c: (c.put(), type(c.ingress().data))[1], dict, list),
    "H008": (lambda c: (c.put(), "data" in c.ingress().json)[1], True, False),
    "H009": (lambda c: data_of("a_def_id")(c) == "", False, True),
    "H010": (data_of("a_ve"), "1", "1.0"),
    "H011": (ingress_type, "application/json", "text/json"),
    "H012": (ingress_type, "application/json", "application/json; charset=utf-8"),
    "H013": (lambda c: (c.put(), rb"\u0061_id" in c.ingress().body)[1], False, True),
    "H014": (lambda c: extended_once(c).data, {"status": "ok"}, "ok"),
    "H015": (lambda c: extended_once(c).data, {"status": "ok"}, {"status": True}),
    "H016": (modack_with(), 200, 201),
    "H017": (lambda c: extended_once(c).headers["content-type"], "application/json", "text/plain"),
    "H018": (refusal(unknown), ERROR, "dict"),
    "H019": (refusal(unknown), ERROR, b""),
    "H020": (refusal(future), ERROR, {"code": "str"}),
    "H021": (refusal(future), ERROR, b"conflict"),
    "H022": (refusal(lambda c: c.modack("1", headers=NO_KEY)), ERROR, ERROR | {"message": "NoneType"}),
    "H023": (refusal(lambda c: c.modack(1)), ERROR, "no data"),
    "H024": (lambda c: type(c.ingress(tags=1).json["errors"][0]), dict, str),
    "H025": (lambda c: len(c.ingress(tags=1).json["errors"]), 1, 0),
    "H026": (ingress_with(tags=1), 400, 422),
    "H027": (lambda c: c.ingress("undefined").status, 400, 404),
    "H028": (lambda c: by_another(c).status, 404, 403),
    "H029": (lambda c: type(c.put().data["id"]), str, int),
    "H030": (defined_as("schema"), {}, "missing"),
    "H031": (defined_as("version"), 1, 1.5),
    "H032": (defined_as("alias", alias=["w"]), ["w"], ["w", None]),
    "H033": (lambda c: "errors" in c.put().json, True, False),
    "H034": (lambda c: (c.put().json["errors"], "deleted_at" in c.put().data), (None, True), ([], False)),
    "H035": (defined_as("destinations"), [], {}),
    "H036": (put_with(), 200, 201),
    "H037": (linked("destination", "config", "response_time_sla_ms"), 5000, 0),
    "H038": (linked("destination", "config", "signaling", "default"), "ack", None),
    "H039": (linked("destination", "tags"), {"region": "eu"}, {"shard": 3}),
    "H040": (linked("destination", "label"), "orders", None),
    "H041": (live(int), 400, 200),
    "H042": (live(lambda action: f" {action} "), 400, 200),
    "H043": (live(lambda action: f"00{action}"), 404, 200),
    "H044": (modack_with(attempt="0"), 400, 200),
    "H045": (modack_with(attempt=False), 400, 200),
    "H046": (modack_with(attempt=0.5), 400, 200),
    "H047": (modack_with(attempt=-1), 400, 200),
    "H048": (modack_with(mod_ack="60"), 400, 200),
    "H049": (modack_with(mod_ack=1.5), 400, 200),
    "H050": (modack_with(mod_ack=0), 400, 200),
    "H051": (modack_with(mod_ack=2**63), 400, 200),
    "H052": (listed, 400, 200),
    "H053": (form, 400, 200),
    "H054": (ingress_with(tags={"n": 1}), 400, 200),
    "H055": (ingress_with(tags={"n": None}), 400, 200),
    "H056": (ingress_with(tags="a=b"), 400, 200),
    "H057": (ingress_with(version=[1]), 400, 200),
    "H058": (ingress_of(b'{"payload": 1, }'), 400, 200),
    "H059": (typed("text/plain"), 400, 200),
    "H060": (lambda c: c.call("PUT", PUT_PATH, {"variant": 7, "schema": {}}).status, 400, 200),
    "H061": (put_with(version=True), 400, 200),
    "H062": (put_with(version=1.5), 400, 200),
    "H063": (put_with(alias=None), 400, 200),
    "H064": (put_with(alias={"w": 1}), 400, 200),
    "H065": (put_with(path="/v1/orgs/1a/actions/definitions"), 400, 200),
    "H066": (ingress_with(metadata="m"), 200, 400),
    "H067": (ingress_with(tags={"n": ""}), 200, 400),
    "H068": (ingress_with(tags={"größe": "xl"}), 200, 400),
    "H069": (
        lambda c: [ingress_with(payload=one)(c) for one in FALSE],
        [200] * 6,
        [400] * 5 + [200],
    ),
    "H070": (lambda c: (c.put(version=2**31 - 1), c.ingress(version=2**31 - 1))[1].status, 200, 400),
    "H071": (lambda c: [c.modack("9" * size).status for size in (30, 31)], [404, 404], [404, 400]),
    "H072": (modack_with(attempt=2**31 - 1), 409, 400),
    "H073": (modack_with(mod_ack=301), 200, 400),
    "H074": (put_with(schema=True), 200, 400),
    "H075": (lambda c: [c.put().status for _ in range(2)], [200, 200], [200, 409]),
    "H076": (typed("Application/JSON"), 200, 400),
    "H077": (ingress_of(b'\r\n\t {"payload": 1}'), 200, 400),
    "H078": (ingress_of(rb'{"\u0070ayload": 1}'), 200, 400),
    "H079": (ingress_with(payload=DEEP), 200, 400),
    "H080": (ingress_with(payload="x" * 100_000), 200, 400),
    "H081": (variant("v" * 65), 200, 400),
    "H082": (variant("a b"), 200, 400),
    "H083": (variant("text.generate"), 200, 400),
    "H084": (in_header(), 401, 200),
    "H085": (modack_with(headers=NO_KEY), 401, 200),
    "H086": (lambda c: by_another(c).status, 404, 200),
    "H087": (put_with(path=THEIR_PATH), 403, 200),
    "H088": (their_definition, 400, 200),
    "H089": (in_header(Authorization=GOOD), 200, 401),
    "H090": (in_header(Authorization=f"Bearer {GOOD}"), 401, 200),
    "H091": (in_header(Cookie=f"key={GOOD}"), 401, 200),
    "H092": (in_header(x_api_key=GOOD), 401, 200),
    "H093": (basic, 401, 200),
    "H094": (put_with(headers=keyed(f"{GOOD}-or-not")), 401, 200),
    "H095": (lambda c: (c.put(), c.ingress(headers=authorized("junk", GOOD)))[1].status, 200, 401),
    "H096": (lambda c: (c.put(), c.ingress(headers=keyed("junk")))[1].status, 401, 403),
    "H097": (lambda c: c.modack("1", headers=NO_KEY).status, 401, 404),
    "H098": (capital, b"200", b"401"),
    "H099": (updated_alias, [200, 200], [200, 400]),
    "H100": (removed_alias, 400, 200),
    "H101": (their_alias, 400, 200),
    "H102": (lambda c: (c.put(alias=["w"]), c.put(alias=[]))[1].data["alias"], [], ["w"]),
    "H103": (stored_partly, [400, 400], [400, 200]),
    "H104": (changed_elsewhere, "1", "2"),
    "H105": (after_change(), "2", "1"),
    "H106": (after_change(version=2), "2", "1"),
    "H107": (ingress_with(version=1), 200, 400),
    "H108": (lambda c: (c.put(), c.ingress(version=9))[1].data["a_ve"], "1", "9"),
    "H109": (lambda c: [c.put(name).data["version"] for name in "ab"], [1, 1], [1, 2]),
    "H110": (defined_as("version"), 1, 0),
    "H111": (lambda c: (c.put(), c.ingress("V"))[1].status, 400, 200),
    "H112": (lambda c: c.put(" v ").data["variant"], " v ", "v"),
    "H113": (defined_as("schema", schema=FORWARD), FORWARD, {"type": "object"}),
    "H114": (ids(21), True, False),
    "H115": (first_of_two, 200, 404),
    "H116": (dropped, [200] * 8, [200] * 6 + [404, 200]),
    "H117": (repeated, False, True),
    "H118": (queue, ["queued", "queued"], ["queued", "running"]),
    "H119": (of_its_own, True, False),
    "H120": (lambda c: [c.ingress(name).status for name in "abcd"], [400] * 4, [400] * 3 + [200]),
    "H121": (leased(60, 0), 200, 409),
    "H122": (leased(60, 0), 200, 409),
    "H123": (leased(1, 1), 409, 200),
    "H124": (leased(2**32, 0), 200, 409),
    "H125": (late_lease, 200, 409),
    "H126": (partial(current_after, waits=[1]), 1, 0),
    "H127": (partial(current_after, waits=[1, 60]), 2, 0),
    "H128": (partial(current_after, waits=[1]), 1, 2),
    "H129": (unknown_ids, [404] * 7, [404] * 5 + [200] * 2),
    "H130": (extended(4), [200] * 4, [200] * 3 + [404]),
    "H131": (recorded("input"), 7, {"payload": 7, "tags": {"region": "us"}}),
    "H132": (recorded("tags"), {"region": "eu"}, {"region": "us"}),
    "H133": (status_after("ack", 60), ["succeeded", 0], ["ack_wait", 1]),
    "H134": (status_after("nack", 1, terms={"retry": False}), ["failed", 0], ["ack_wait", 1]),
    "H135": (status_after("defer", 60), ["succeeded", 0], ["ack_wait", 1]),
    "H136": (nacked_after_defer, "ack_wait", "failed"),
    "H137": (waiting, ["scheduled", 0], ["ack_wait", 1]),
    "H138": (counted, 2, 1),
    "H139": (ingress_with(tags={"a.b": "c"}), 200, 500),
    "H140": (called("POST", "/v1/ingress/v?debug=1"), 200, 500),
    "H141": (twice, b"200", b"500"),
    "H142": (called("POST", "/v1/ingress/v", accept="text/html"), 200, 500),
    "H143": (called("POST", "/v1/ingress/v", accept="text/html"), 200, 406),
    "H144": (called("POST", "/v1/ingress/%76"), 200, 500),
    "H145": (
        lambda c: [ingress_of(b'{"payload": %s}' % one)(c) for one in (b"1e2", b"100", b'"1e2"')],
        [200, 200, 200],
        [500, 200, 200],
    ),
    "H146": (ingress_with(payload=[2**64]), 200, 500),
    "H147": (ingress_of(b"null"), 400, 500),
    "H148": (called("BREW", "/v1/modack"), 405, 500),
    "H149": (ingress_with(payload="\0"), 200, 500),
    "H150": (lambda c: (c.put("v" * 256), c.ingress("v" * 256))[1].status, 200, 500),
    "H151": (ingress_of(b'{"payload": 1e400}'), 400, 500),
    "H152": (ingress_of(b'{"payload": %s}' % (b"[" * 1000 + b"]" * 1000)), 400, 500),
    "H153": (ingress_of(rb'{"payload": "\ud800"}'), 400, 500),
    "H154": (referring, 200, 500),
    "H155": (hung_up, 404, "hung up"),
    "H156": (
        lambda c: [seconds_for(ingress_with(payload=one), c) for one in (1, "x")],
        [0.0, 0.0],
        [0.0, 20.0],
    ),
    "H157": (slower, False, True),
    "H158": (put_with(alias=["w", ""]), 200, 500),
    "H159": (called("POST", "/v1/modack/"), 404, 500),
    "H160": (called("HEAD", "/v1/modack"), 405, 500),
}
"""Mutant → a probe, what the conforming server answers, and what the mutant answers."""


@pytest.mark.parametrize("id", DIFFERENCES)
def test_a_mutant_of_the_holdout_differs_as_its_text_says(id: str) -> None:
    """From the conforming server with the same choices."""
    probe, conforming, mutated = DIFFERENCES[id]
    choices = Choices(**HOLDOUT[id].needs)
    with speaking(ConformingServer, choices) as client:
        assert probe(client) == conforming
    with speaking(HOLDOUT[id], choices) as client:
        assert probe(client) == mutated


def test_every_mutant_of_the_holdout_is_shown() -> None:
    """Ids have no gaps."""
    assert DIFFERENCES.keys() == HOLDOUT.keys()
    assert list(HOLDOUT) == [f"H{number:03}" for number in range(1, len(HOLDOUT) + 1)]


def test_no_mutant_of_the_holdout_has_the_text_of_another_one() -> None:
    """In the holdout or in the catalogue."""
    texts = [one.text for one in (*HOLDOUT.values(), *MUTANTS.values())]
    assert [text for text, count in Counter(texts).items() if count > 1] == []


def test_the_holdout_is_spread_over_the_groups() -> None:
    """No group has less than a twelfth, and most of the mutants break a promise."""
    shares = Counter(one.group for one in HOLDOUT.values())
    assert shares.keys() == {"auth", "response-schema", "robustness", "state", "validation"}
    assert all(count >= len(HOLDOUT) // 12 for count in shares.values())
    assert Counter(one.verdict for one in HOLDOUT.values())["violation"] >= 85


def test_every_verdict_of_the_holdout_has_a_source() -> None:
    """In brackets behind the text."""
    assert [one.id for one in HOLDOUT.values() if not one.source] == []
