"""Each mutant of the holdout differs from the conforming server as its text says."""

from __future__ import annotations

import base64
import http.client
import json
from collections import Counter
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any

import pytest

from tests.replies import Reply

from . import (
    HOLDOUT,
    MUTANTS,
    Choices,
    ConformingServer,
)
from .client import (
    GOOD,
    NO_KEY,
    OTHER,
    PUT_PATH,
    Client,
    speaking,
)
from .holdout.robustness import H156
from .probes import (
    ERROR,
    HEAD,
    INT_PAYLOAD,
    TAKEN,
    Probe,
    authorized,
    errors_of,
    ingress_of,
    ingress_with,
    keyed,
    lease,
    linked,
    modack_with,
    put_with,
    taken,
)

THEIRS = keyed(OTHER)
THEIR_PATH = "/v1/orgs/2/actions/definitions"
DEEP: Any = json.loads("[" * 25 + "]" * 25)


def ingress_type(client: Client) -> str:
    client.put()
    return client.ingress().headers["content-type"]


def data_of(name: str) -> Callable[[Client], Any]:
    """A member of the data of accepted work; None when it is not there."""

    def ask(client: Client) -> Any:
        client.put()
        return client.ingress().data.get(name)

    return ask


def kind_of(name: str) -> Callable[[Client], str]:
    return lambda client: type(data_of(name)(client)).__name__


def extended_once(client: Client) -> Reply:
    """The answer to a modack of a new action."""
    return client.modack(client.action())


def defined_as(name: str, **members: Any) -> Callable[[Client], Any]:
    return lambda client: client.put(**members).data.get(name, "missing")


def refusal(ask: Callable[[Client], Reply]) -> Callable[[Client], Any]:
    """The shape of a refusal, or its body where that is no object."""

    def shape(client: Client) -> Any:
        reply = ask(client)
        try:
            return errors_of(reply.json) if "data" in reply.json else "no data"
        except json.JSONDecodeError:
            return reply.body

    return shape


def unknown(client: Client) -> Reply:
    return client.modack("1")


def future(client: Client) -> Reply:
    return client.modack(client.action(), 1)


def by_another(client: Client) -> Reply:
    return client.modack(client.action(), headers=THEIRS)


def live(change: Callable[[str], Any]) -> Callable[[Client], int]:
    """The status of a modack whose id is that of a new action, changed."""
    return lambda client: client.modack(change(client.action())).status


def form(client: Client) -> int:
    text = f"action_record_id={client.action()}&attempt=0&mod_ack=60"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return client.ingress_raw(text.encode(), "/v1/modack", headers).status


def listed(client: Client) -> int:
    body = [{"action_record_id": client.action(), "attempt": 0, "mod_ack": 60}]
    return client.call("POST", "/v1/modack", body).status


def typed(value: str) -> Callable[[Client], int]:
    return ingress_of(INT_PAYLOAD, {"content-type": value})


def variant(name: str) -> Callable[[Client], int]:
    return lambda client: client.put(name).status


def in_header(**headers: str) -> Callable[[Client], int]:
    """The status of work whose key is not where it belongs."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda client: (client.put(), client.ingress(headers=NO_KEY | named))[1].status


def basic(client: Client) -> int:
    sent = base64.b64encode(f"{GOOD}:".encode()).decode()
    return in_header(Authorization=f"Basic {sent}")(client)


def capital(client: Client) -> bytes:
    client.put()
    head = f"{HEAD}X-Arklow-Auth: {GOOD}\r\nConnection: close\r\nContent-Length: 14\r\n\r\n"
    return client.send(head.encode() + INT_PAYLOAD)[9:12]


def twice(client: Client) -> bytes:
    client.put()
    head = f"{HEAD}x-arklow-auth: {GOOD}\r\nX-Note: 1\r\nx-note: 2\r\nConnection: close\r\n"
    return client.send(f"{head}Content-Length: 14\r\n\r\n".encode() + INT_PAYLOAD)[9:12]


def their_definition(client: Client) -> int:
    """The status of work for what only the other organisation has defined."""
    client.put(path=THEIR_PATH, headers=THEIRS, alias=["w"])
    return client.ingress().status


def their_alias(client: Client) -> int:
    client.put(path=THEIR_PATH, headers=THEIRS, alias=["w"])
    return client.ingress("w").status


def updated_alias(client: Client) -> list[int]:
    client.put(alias=["w"])
    before = client.ingress("w").status
    client.put(alias=["w"], schema={"type": "object"})
    return [before, client.ingress("w").status]


def removed_alias(client: Client) -> int:
    client.put(alias=["w"])
    client.put(alias=[])
    return client.ingress("w").status


def stored_partly(client: Client) -> list[int]:
    return [client.put(alias=1).status, client.ingress().status]


def changed_elsewhere(client: Client) -> str:
    client.put()
    client.put(path=THEIR_PATH, headers=THEIRS, schema={"type": "object"})
    return str(client.ingress().data["a_ve"])


def after_change(**members: Any) -> Callable[[Client], Any]:
    """The version that work is accepted with, after the definition went from 1 to 2."""

    def ask(client: Client) -> Any:
        client.put()
        client.put(schema={"type": "object"})
        return client.ingress(**members).data["a_ve"]

    return ask


def ids(count: int) -> Callable[[Client], bool]:
    """Whether so many actions have an id each."""
    return lambda client: len({client.action() for _ in range(count)}) == count


def first_of_two(client: Client) -> int:
    """The status of a modack of ours, after the other organisation has made an action too."""
    action = client.action()
    client.put(path=THEIR_PATH, headers=THEIRS)
    client.ingress(headers=THEIRS)
    return client.modack(action).status


def dropped(client: Client) -> list[int]:
    return [extended_once(client).status for _ in range(8)]


def repeated(client: Client) -> bool:
    client.put()
    key = {"Idempotency-Key": "once"}
    return bool(client.ingress(headers=key).data["a_id"] == client.ingress(headers=key).data["a_id"])


def queue(client: Client) -> list[str]:
    client.put()
    return [client.ingress().data["queue_s"] for _ in range(2)]


def of_its_own(client: Client) -> bool:
    client.put("first")
    own = client.put("v").data["id"]
    return bool(client.ingress("v").data["a_def_id"] == own)


def current_after(client: Client, waits: list[float], seconds: int = 1) -> int:
    """Which attempt is the current one when an extended lease and then others have run out."""
    action = client.action()
    client.modack(action, mod_ack=seconds)
    client.time += sum(waits)
    return next(attempt for attempt in range(9) if client.modack(action, attempt).status == 200)


def leased(seconds: int, wait: float) -> Callable[[Client], int]:
    return lambda client: lease(client, seconds, wait)


def late_lease(client: Client) -> int:
    """Whether a lease that was extended at its 50th second has its 60 more."""
    action = client.action()
    client.modack(action, wait=50)
    return client.modack(action, wait=55).status


def unknown_ids(client: Client) -> list[int]:
    return [client.modack(str(number)).status for number in range(1, 8)]


def extended(times: int) -> Callable[[Client], list[int]]:
    def ask(client: Client) -> list[int]:
        action = client.action()
        return [client.modack(action).status for _ in range(times)]

    return ask


def recorded(name: str) -> Callable[[Client], Any]:
    """A member of the record of work with tags in its body and its query."""

    def ask(client: Client) -> Any:
        client.put()
        body = {"payload": 7, "tags": {"region": "us"}}
        action = client.call("POST", "/v1/ingress/v?tag.region=eu", body).data["a_id"]
        return client.record(action).data[name]

    return ask


def status_after(operation: str, wait: float, **members: Any) -> Callable[[Client], list[Any]]:
    """The status and attempt that a record shows so long after a signal."""

    def ask(client: Client) -> list[Any]:
        action = client.action()
        client.settle(operation, action, **members)
        client.time += wait
        state = client.record(action).data["state"]
        return [state["status"], state["attempt"]]

    return ask


def nacked_after_defer(client: Client) -> str:
    action = client.action()
    client.settle("defer", action)
    client.settle("nack", action)
    return str(client.record(action).data["state"]["status"])


def waiting(client: Client) -> list[Any]:
    return status_after("nack", 50, terms={"retry_at": int(client.time) + 100})(client)


def counted(client: Client) -> int:
    client.action()
    client.action()
    return int(client.record(query="?take=1").data["count"])


def called(method: str, path: str, **headers: str) -> Callable[[Client], int]:
    body = {"payload": 1}
    return lambda client: (client.put(), client.call(method, path, body, headers=headers))[1].status


def hung_up(client: Client) -> Any:
    try:
        return client.modack("1").status
    except (OSError, http.client.HTTPException):
        return "hung up"


def seconds_for(ask: Callable[[Client], Any], client: Client) -> float:
    began = monotonic()
    ask(client)
    return monotonic() - began


def slower(client: Client) -> bool:
    for _ in range(15):
        client.put()
    return seconds_for(lambda c: c.put(), client) > 0.05


def referring(client: Client) -> int:
    client.put(schema={"$defs": {"n": {}}, "$ref": "#/$defs/n"})
    return client.ingress().status


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


class Hurried(H156):
    """20 s for an answer to a string as payload, made a fifth of one so that the test is short"""

    pause = 0.2


def test_a_string_as_payload_takes_its_time() -> None:
    """As long as the mutant's pause, and no other payload does."""
    assert H156.pause == 20
    with speaking(Hurried) as client:
        assert seconds_for(ingress_with(payload=1), client) < 0.2
        assert seconds_for(ingress_with(payload="x"), client) >= 0.2


def test_every_mutant_of_the_holdout_is_shown() -> None:
    """H156 by the test above; ids have no gaps."""
    assert DIFFERENCES.keys() | {"H156"} == HOLDOUT.keys()
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
