"""The conforming server keeps the document, and every mutant differs from it as its text says."""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.replies import Reply, ask
from tests.serving import SOCKET, serving

from . import (
    MUTANTS,
    NOT_SHOWN,
    Choices,
    ConformingServer,
)
from .client import (
    ABSENT,
    GOOD,
    NO_KEY,
    OTHER,
    PUT_PATH,
    Client,
    speaking,
)
from .probes import (
    ERROR,
    HEAD,
    INT_PAYLOAD,
    TAKEN,
    Probe,
    authorized,
    chunked,
    defined,
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

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

DOCUMENT = yaml.safe_load(Path(__file__).parents[2].joinpath("spec/arklow.openapi.yaml").read_text())


def assert_documented(reply: Reply, path: str, method: str) -> None:
    """Assert that the document describes the answer; of the control plane's refusals only the envelope is compared."""
    responses = DOCUMENT["paths"][path][method]["responses"]
    response = responses["200" if method == "put" else str(reply.status)]
    if "$ref" in response:
        response = DOCUMENT["components"]["responses"][response["$ref"].rpartition("/")[2]]
    assert reply.headers["content-type"] == "application/json"
    schema = response["content"]["application/json"]["schema"] | {"components": DOCUMENT["components"]}
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(reply.json)


INGRESS, MODACK, PUT = (
    ("/v1/ingress/{variant}", "post"),
    ("/v1/modack", "post"),
    ("/v1/orgs/{org_id}/actions/definitions", "put"),
)
EXOTIC = [
    Choices(),
    Choices(extra_members=True, destinations=True, ids="small", body="raw-without-payload"),
    Choices(upsert="keep", extend_from="deadline", enforce_schema=False, html_404=True),
]


@pytest.mark.parametrize("choices", EXOTIC)
def test_the_documented_path_is_answered_as_documented(choices: Choices) -> None:
    """Define, post, extend; whatever lawful choices the server makes."""
    with speaking(ConformingServer, choices) as client:
        made = client.put(alias=["w"], schema={"type": "object"})
        taken = client.ingress("w", tags={"a": "b"}, metadata=[None], version=1.0)
        kept = client.modack(taken.data["a_id"])
    assert (made.status, taken.status, kept.status) == (200, 200, 200)
    assert_documented(made, *PUT)
    assert_documented(taken, *INGRESS)
    assert_documented(kept, *MODACK)
    assert made.data["version"] == 1
    assert taken.data["a_def_id"] == made.data["id"]
    assert (taken.data["a_va"], taken.data["a_ve"], taken.data["queue_s"]) == ("v", "1", "queued")


REFUSALS: dict[str, tuple[Callable[[Client], Reply], int, tuple[str, str]]] = {
    "no key": (lambda c: c.ingress(headers=NO_KEY), 401, INGRESS),
    "Bearer": (
        lambda c: c.modack("1", headers={"x-arklow-auth": "-", "Authorization": f"Bearer {GOOD}"}),
        401,
        MODACK,
    ),
    "Authorization on PUT": (
        lambda c: c.put(headers={"x-arklow-auth": "-", "Authorization": GOOD}),
        401,
        PUT,
    ),
    "another's path": (lambda c: c.put(path="/v1/orgs/2/actions/definitions"), 403, PUT),
    "letters for org_id": (lambda c: c.put(path="/v1/orgs/a/actions/definitions"), 400, PUT),
    "no variant": (lambda c: c.put(variant=ABSENT), 400, PUT),
    "text/plain on PUT": (lambda c: c.put(headers={"content-type": "text/plain"}), 415, PUT),
    "negative version": (lambda c: c.put(version=-1), 400, PUT),
    "alias taken": (lambda c: (c.put("a", alias=["x"]), c.put("b", alias=["x"]))[1], 409, PUT),
    "unknown variant": (lambda c: c.ingress("undefined"), 400, INGRESS),
    "text/plain": (lambda c: c.ingress(headers={"content-type": "text/plain"}), 400, INGRESS),
    "broken schema": (lambda c: (c.put(schema={"type": "null"}), c.ingress())[1], 400, INGRESS),
    "tags of numbers": (lambda c: c.ingress(tags={"n": 1}), 400, INGRESS),
    "nesting": (lambda c: c.ingress_raw(b"[" * 100_000), 400, INGRESS),
    "digits": (lambda c: c.ingress_raw(b'{"payload": 1' + b"0" * 5000 + b"}"), 400, INGRESS),
    "lone surrogate": (lambda c: c.ingress_raw(rb'{"payload": "\ud800"}'), 400, INGRESS),
    "byte order mark": (lambda c: c.ingress_raw(b'\xef\xbb\xbf{"payload": 1}'), 400, INGRESS),
    "number for an id": (lambda c: c.modack(1), 400, MODACK),
    "mod_ack 0": (lambda c: c.modack("1", mod_ack=0), 400, MODACK),
    "mod_ack beyond int64": (lambda c: c.modack("1", mod_ack=2**63), 400, MODACK),
    "unknown action": (lambda c: c.modack("1"), 404, MODACK),
    "another's action": (lambda c: c.modack(c.action(), headers={"x-arklow-auth": OTHER}), 404, MODACK),
    "stale attempt": (lambda c: c.modack(c.action(), wait=60), 409, MODACK),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_a_documented_one(name: str) -> None:
    """Status, envelope, and the scheme on 401."""
    ask, status, operation = REFUSALS[name]
    with speaking(ConformingServer) as client:
        reply = ask(client)
    assert reply.status == status
    assert_documented(reply, *operation)
    assert reply.json["data"] is None
    assert ("www-authenticate" in reply.headers) == (status == 401)


@pytest.mark.parametrize(
    ("choices", "ask", "expected"),
    [
        ({"unknown_variant": "create"}, lambda c: c.ingress("new").data["a_va"], "new"),
        ({"bad_version": "latest"}, lambda c: (c.put(), c.ingress(version=9))[1].status, 200),
        ({"bad_version": "refuse"}, lambda c: (c.put(), c.ingress(version=9))[1].status, 400),
        ({"body": "raw-without-payload"}, lambda c: (c.put(), c.ingress(payload=ABSENT))[1].status, 200),
        ({"body": "raw"}, lambda c: (c.put(), c.ingress(version="x"))[1].status, 200),
        ({"upsert": "always-bump"}, lambda c: (c.put(), c.put())[1].data["version"], 2),
        ({"upsert": "bump"}, lambda c: (c.put(), c.put())[1].data["version"], 1),
        ({"delivery": "never"}, lambda c: c.modack(c.action()).status, 409),
        ({"control_refusals": "422"}, lambda c: c.put(schema=ABSENT).status, 422),
        ({"control_refusals": "200-null"}, lambda c: c.put(schema=ABSENT).data, None),
        ({"negative_version": "accept"}, lambda c: c.put(version=-3).data["version"], -3),
        ({"html_404": True}, lambda c: c.call("GET", "/x").headers["content-type"][:9], "text/html"),
        ({"enforce_schema": False}, lambda c: (c.put(schema={"not": {}}), c.ingress())[1].status, 200),
        ({"ids": "small"}, lambda c: (c.put().data["id"], c.action()), ("1", "2")),
        ({"stale": 404}, lambda c: c.modack(c.action(), 1).status, 404),
        ({"foreign_org": 404}, lambda c: c.put(path="/v1/orgs/2/actions/definitions").status, 404),
        ({"www_authenticate": False}, lambda c: "www-authenticate" in c.put(headers=NO_KEY).headers, False),
    ],
)
def test_choices_change_what_they_name(
    choices: dict[str, Any], ask: Callable[[Client], Any], expected: Any
) -> None:
    """Each choice has the effect that its docstring names."""
    with speaking(ConformingServer, Choices(**choices)) as client:
        assert ask(client) == expected


def test_a_kept_connection_survives_bodies_that_were_refused_unread() -> None:
    """The next request begins behind the body that its predecessor announced."""
    refused = f"{HEAD}Content-Length: 5\r\n\r\nGET /".encode()
    last = f"{HEAD}x-arklow-auth: {GOOD}\r\nConnection: close\r\nContent-Length: 13\r\n\r\n".encode()
    with speaking(ConformingServer) as client:
        client.put()
        answers = client.send(refused * 2 + last + b'{"payload":1}')
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"401", b"401", b"200"]


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: x\r\n",
        "Content-Length: 1\r\nContent-Length: 1\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
        "no colon\r\n",
    ],
)
def test_a_request_without_a_clear_end_is_refused_and_the_connection_closed(head: str) -> None:
    """Bytes behind it could be read as another request."""
    with speaking(ConformingServer) as client:
        assert client.send(f"{HEAD}{head}\r\nz".encode()).startswith(b"HTTP/1.1 400 ")


def test_answers_do_not_wait_for_acknowledgements() -> None:
    """Over sockets, each answer on a kept connection would take 40 ms without TCP_NODELAY."""
    found = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        found.append(environ[SOCKET].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        return ConformingServer()(environ, start_response)

    with serving(app) as url:
        assert ask(url, "POST", "/v1/modack", b"{}").status == 401
    assert found[0] != 0


def ids_differ(client: Client) -> bool:
    """Whether ids of actions made at the same moment are all different."""
    client.put()
    return len({reply.data["a_id"] for reply in client.together([client.ingress] * 8)}) == 8


def slow(client: Client) -> bool:
    """Whether the answer to an array takes a second and a half."""
    client.put()
    began = client.clock.now()
    client.ingress(payload=[])
    return client.clock.now() - began >= 1.5


def dropped(client: Client) -> bool:
    """Whether work of 70,000 characters is not accepted."""
    client.put()
    try:
        return client.ingress(payload="x" * 70_000).status != 200
    except (OSError, http.client.HTTPException):
        return True


def stolen(client: Client) -> int:
    """The status of a PUT with an alias of another definition."""
    client.put("a", alias=["x"])
    return client.put("b", alias=["x"]).status


def alias_first(client: Client) -> bool:
    """Whether a name that is a variant and an alias leads to the alias."""
    client.put("x")
    aliased = client.put("y", alias=["x"]).data["id"]
    return bool(client.ingress("x").data["a_def_id"] == aliased)


def cached(client: Client) -> list[str]:
    """The versions that answers name before and after a changed PUT."""
    client.put()
    before = client.ingress().data["a_ve"]
    client.put(schema={"type": "object"})
    return [before, client.ingress().data["a_ve"]]


def lease_of_second(client: Client) -> int:
    """The status of a modack 100 s after the second of two actions was extended by 600 s."""
    client.action()
    return lease(client, 600, 100)


def statuses(client: Client, count: int) -> set[int]:
    """All statuses of so many posts."""
    client.put()
    return {client.ingress().status for _ in range(count)}


def oldest_of(client: Client, count: int) -> int:
    """The status of a modack of an action after so many newer ones."""
    action = client.action()
    for _ in range(count):
        client.ingress()
    return client.modack(action).status


def after(client: Client, seconds: float, attempt: int) -> int:
    """The status of a modack of an attempt so long after a new action."""
    return client.modack(client.action(), attempt, wait=seconds).status


def at_once_then_later(client: Client) -> list[int]:
    """The statuses of a modack at once and of one a quarter of a second later."""
    action = client.action()
    return [client.modack(action, wait=wait).status for wait in (0, 0.25)]


def bumped(client: Client) -> int:
    """The version after a changed PUT."""
    client.put()
    return int(client.put(schema={"type": "object"}).data["version"])


def changed_schema(client: Client) -> Any:
    """The schema that a changed PUT answers with."""
    client.put()
    return client.put(schema={"type": "object"}).data["schema"]


def readable(client: Client) -> bool:
    """Whether the answer to accepted work is strict JSON in UTF-8."""

    def refuse(literal: str) -> None:
        raise ValueError(literal)

    client.put()
    try:
        json.loads(client.ingress().body.decode(), parse_constant=refuse)
    except ValueError:
        return False
    return True


DIFFERENCES: dict[str, tuple[Probe, Any, Any]] = {
    "A02": (lambda c: c.put(headers=keyed("")).status, 401, 200),
    "A03": (lambda c: c.put(headers=keyed("junk")).status, 401, 200),
    "A07": (lambda c: (c.put(), c.ingress(headers=authorized("junk")))[1].status, 401, 200),
    "A08": (lambda c: c.put(headers=authorized(GOOD)).status, 401, 200),
    "A12": (
        lambda c: [c.put(headers=keyed(key)).status for key in (GOOD[:-1], GOOD.upper())],
        [401, 401],
        [200, 200],
    ),
    "A13": (lambda c: c.put(headers=keyed(f"{GOOD}.")).status, 401, 200),
    "A14": (lambda c: c.put(schema=ABSENT, headers=NO_KEY).status, 401, 400),
    "A15": (lambda c: c.put(headers=NO_KEY).status, 401, 200),
    "A16": (lambda c: (c.put(), c.ingress(headers=authorized(GOOD, "junk")))[1].status, 200, 500),
    "A17": (lambda c: c.put(path=f"{PUT_PATH}?x-arklow-auth={GOOD}", headers=NO_KEY).status, 401, 200),
    "A19": (
        lambda c: [key in c.put(headers=keyed("junk")).body.decode() for key in ("junk", GOOD)],
        [False, False],
        [True, True],
    ),
    "B01": (ingress_with(payload="\U0001f600"), 200, 500),
    "B09": (slow, False, True),
    "B13": (lambda c: "allow" in c.call("DELETE", PUT_PATH).headers, True, False),
    "B14": (lambda c: c.call("DELETE", "/v1/modack").status, 405, 200),
    "B15": (lambda c: c.call("DELETE", "/v1/modack").status, 405, 404),
    "B19": (ingress_of(b'{"payload": 1, "payload": 2}'), 400, 500),
    "B20": (ingress_of(b'{"payload": "\xff"}'), 400, 500),
    "B21": (ingress_of(b""), 400, 500),
    "B22": (
        lambda c: [ingress_with(payload={"a": [{n: 1}]})(c) for n in ("__proto__", "constructor", "other")],
        [200, 200, 200],
        [500, 500, 200],
    ),
    "B23": (ingress_of(INT_PAYLOAD, {"x-note": "\xe9"}), 200, 500),
    "B24": (
        lambda c: [ingress_with(tags={str(n): "" for n in range(size)})(c) for size in (10, 11)],
        [200, 200],
        [200, 500],
    ),
    "B25": (ingress_of(INT_PAYLOAD, {"content-type": "application/json; charset=utf-8"}), 200, 500),
    "B26": (dropped, False, True),
    "B27": (chunked, b"200", b"500"),
    "B28": (lambda c: [ingress_with(version=v)(c) for v in (1, 1.0)], [200, 200], [200, 500]),
    "B29": (ingress_with(payload={"": 1}), 200, 500),
    "B30": (modack_with(mod_ack=2**63 - 1), 200, 500),
    "B32": (lambda c: [c.modack("9" * size).status for size in (19, 20)], [404, 404], [404, 500]),
    "B34": (
        lambda c: c.call("OPTIONS", PUT_PATH).headers["allow"],
        "PUT, OPTIONS",
        "DELETE, GET, OPTIONS",
    ),
    "B35": (lambda c: c.call("OPTIONS", PUT_PATH).status, 204, 405),
    "R03": (taken, TAKEN, TAKEN | {"a_id": int}),
    "R04": (taken, TAKEN, TAKEN | {"a_id": "act_12"}),
    "R07": (taken, TAKEN, TAKEN | {"a_ve": "v1"}),
    "R10": (taken, TAKEN, TAKEN | {"queue_s": "succeeded"}),
    "R11": (lambda c: c.modack(c.action()).data, {"status": "ok"}, {"status": "OK"}),
    "R12": (lambda c: c.modack(c.action()).data, {"status": "ok"}, {}),
    "R13": (lambda c: c.modack(c.action()).body, b'{"data": {"status": "ok"}}', b""),
    "R15": (lambda c: (c.put(), "content-type" in c.ingress().headers)[1], True, False),
    "R17": (ingress_with(), 200, 202),
    "R18": (modack_with(), 200, 204),
    "R21": (lambda c: errors_of(c.ingress("no").json), ERROR, "str"),
    "R22": (lambda c: errors_of(c.ingress("no").json), ERROR, {"message": "str"}),
    "R23": (lambda c: errors_of(c.ingress("no").json), ERROR, ERROR | {"code": "int"}),
    "R25": (lambda c: c.put(headers=NO_KEY).headers["content-type"][:9], "applicati", "text/html"),
    "R26": (lambda c: errors_of(c.put(headers=NO_KEY).json), ERROR, "NoneType"),
    "R28": (lambda c: c.modack(c.action(), 1).json["data"], None, {}),
    "R30": (defined("version"), 1, "1"),
    "R31": (defined("alias"), [], None),
    "R32": (linked("action_definition_id"), True, False),
    "R33": (linked("destination", "config", "retries"), None, 3),
    "R34": (linked("destination", "type"), "webhook", "carrier_pigeon"),
    "R35": (defined("deleted_at"), None, "yesterday"),
    "R40": (readable, True, False),
    "R41": (readable, True, False),
    "R43": (readable, True, False),
    "R45": (lambda c: b"Traceback" in c.ingress("no").body, False, True),
    "R46": (defined("org_id"), "1", 1),
    "R47": (taken, TAKEN, TAKEN | {"a_va": None}),
    "R50": (readable, True, False),
    "R53": (linked("destination", "config", "url"), "https://example.com/hook", "not a uri"),
    "S01": (lambda c: c.modack("1").status, 404, 200),
    "S04": (lambda c: after(c, 61, 0), 409, 200),
    "S05": (lambda c: after(c, 0, 1), 409, 200),
    "S06": (lambda c: after(c, 61, 0), 409, 404),
    "S07": (lambda c: (c.settle("ack", a := c.action()), c.modack(a))[1].status, 409, 200),
    "S08": (bumped, 2, 1),
    "S09": (bumped, 2, 3),
    "S11": (stolen, 409, 200),
    "S13": (alias_first, True, False),
    "S15": (cached, ["1", "2"], ["1", "1"]),
    "S16": (lambda c: (c.put(alias=["w"]), c.ingress("w"))[1].data["a_va"], "v", "w"),
    "S20": (ids_differ, True, False),
    "S23": (lambda c: lease(c, 60, 1), 200, 409),
    "S24": (lambda c: lease(c, 60, 90), 409, 200),
    "S28": (lambda c: c.action() == c.action(), False, True),
    "S29": (lambda c: (c.put(), (d := c.ingress().data)["a_id"] == d["a_def_id"])[1], False, True),
    "S32": (lambda c: (c.put(headers=NO_KEY), c.ingress())[1].status, 400, 200),
    "S33": (lambda c: statuses(c, 49), {200}, {200, 500}),
    "S35": (at_once_then_later, [200, 200], [404, 200]),
    "S36": (lambda c: [oldest_of(c, count) for count in (19, 20)], [200, 200], [200, 404]),
    "S37": (changed_schema, {"type": "object"}, {}),
    "S39": (defined("org_id"), "1", "19"),
    "S41": (lambda c: lease(c, 60, 0), 200, 409),
    "S42": (lease_of_second, 200, 409),
    "S43": (lambda c: (c.put(), c.ingress(tags=1), c.ingress())[2].status, 200, 400),
    "V01": (ingress_with(payload=ABSENT), 400, 200),
    "V02": (ingress_with(version=0), 400, 200),
    "V03": (ingress_with(version=-1), 400, 200),
    "V04": (ingress_with(version=2**31), 400, 200),
    "V05": (ingress_with(version="1"), 400, 200),
    "V06": (ingress_with(version=1.5), 400, 200),
    "V07": (ingress_with(version=True), 400, 200),
    "V08": (ingress_with(version=None), 400, 200),
    "V10": (ingress_with(tags=["a"]), 400, 200),
    "V11": (ingress_with(tags=None), 400, 200),
    "V13": (modack_with(attempt=ABSENT), 400, 200),
    "V14": (modack_with(mod_ack=ABSENT), 400, 200),
    "V18": (modack_with(mod_ack=-1), 400, 200),
    "V21": (lambda c: c.modack(c.action() + "\n").status, 400, 200),
    "V22": (lambda c: c.modack("".join(chr(0xFF10 + int(d)) for d in c.action())).status, 400, 200),
    "V24": (put_with(schema=ABSENT), 400, 200),
    "V25": (put_with(alias="w"), 400, 200),
    "V26": (put_with(alias=[1]), 400, 200),
    "V27": (put_with(version="1"), 400, 200),
    "V34": (ingress_of(b'{"payload": [NaN, Infinity]}'), 400, 200),
    "V35": (ingress_of(b'{"payload": 1} x'), 400, 200),
    "V37": (ingress_of(b""), 400, 200),
    "V40": (ingress_of(INT_PAYLOAD, {"content-type": "-"}), 400, 200),
    "V41": (ingress_with(payload=None), 200, 400),
    "V43": (modack_with(), 200, 400),
    "V45": (put_with(variant="größe"), 200, 400),
    "V46": (ingress_with(tags={}), 200, 400),
    "V49": (lambda c: c.modack("act_1").status, 400, 404),
    "V50": (modack_with(attempt=2**31), 400, 200),
}
"""Mutant → a probe, what the conforming server answers, and what the mutant answers."""


def test_every_mutant_is_shown_or_says_why_not() -> None:
    """By one probe each."""
    assert DIFFERENCES.keys() == MUTANTS.keys()
    assert not MUTANTS.keys() & NOT_SHOWN.keys()


@pytest.mark.parametrize("id", DIFFERENCES)
def test_a_mutant_differs_as_its_text_says(id: str) -> None:
    """From the conforming server with the same choices."""
    probe, conforming, mutated = DIFFERENCES[id]
    needs = MUTANTS[id].needs
    with_links = Choices(
        destinations=bool(needs.get("destinations")), operations=needs.get("operations", "three")
    )
    with speaking(ConformingServer, with_links) as client:
        assert probe(client) == conforming
    with speaking(MUTANTS[id], with_links) as client:
        assert probe(client) == mutated
