"""Requests that are JSON and HTTP, and wrong: each member of each body broken, keys, organisations, methods, queries."""

from __future__ import annotations

import json

from tests.corpus.scenes.session import NOTHING, Scene, Session
from tests.corpus.scenes.values import BODIES, OTHER_VALUES, PUT, members, replaced, without
from tests.corpus.steps import Plan

PATHS = (
    *("/", "/openapi.json", "/openapi.yaml", "/docs/openapi.json"),
    *("/v1/ingress/v", "/v1/ingress", "/v1/modack", "/v1/ack", "/v1/nack", "/v1/defer"),
    *(PUT, "/v1/orgs/42/actions/records", "/v1/orgs/42/actions/records/3000000000000000000"),
    *("/v1", "/v1/orgs", "/v1/orgs/42", "/v1/orgs/42/actions", "/v2/ingress/v", "/nowhere", "*"),
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "QUERY", "get", "PO ST")
KEYS = (
    *(None, "", " ", "org-42", " org-42 ", "org-42-abcdefgh", "org-42-abcdefg", "org-42-ABCDEFGH", "org-042"),
    *("org-", "org-x", "ORG-42", "org-7", "dev-key", "dev-key ", "Bearer org-42", "org-12345678901234567890"),
    *("org-1234567890123456789", "org-42\xe9", "org-42,org-42", "null"),
)


def bodies(session: Session, names: tuple[str, ...]) -> None:
    """Break every member of a body in every way, with an action that is there."""
    session.freeze()
    session.put("v")
    for name in names:
        method, target, good = BODIES[name]
        action = session.post()
        if "action_record_id" in good:
            good = good | {"action_record_id": action}
        texts = []
        for place in members(good):
            texts += [json.dumps(replaced(good, place, value)) for value in OTHER_VALUES]
            texts.append(json.dumps(without(good, place)))
            member = place[-1]
            whole = json.dumps(good)
            texts += [whole.replace(f'"{member}"', f'"{other}"') for other in (member.upper(), f"{member} ")]
            texts.append(whole.replace(f'"{member}": ', f'"{member}": 1, "{member}": '))
        for text in texts:
            session.api(method, target, text.encode())
        session.record(action)
    session.records("?take=50")


def definition(session: Session) -> None:
    """Break the body of a definition, and what work is posted with."""
    bodies(session, ("definition", "work", "named work"))


def signals(session: Session) -> None:
    """Break the bodies of the signals."""
    bodies(session, ("modack", "ack", "nack", "defer"))


def methods(session: Session) -> None:
    """Send every method to every path."""
    session.freeze()
    session.put("v")
    for path in PATHS[4:]:
        for method in METHODS:
            session.api(method, path, {} if method in ("POST", "PUT", "PATCH") else NOTHING)
    for path in PATHS[:4]:
        for method in METHODS[1:]:
            session.api(method, path)
    asks = (("origin", "https://page.example"), ("access-control-request-method", "PUT"))
    more = (("access-control-request-headers", "x-a"), ("access-control-request-private-network", "true"))
    for path in (*PATHS, "/nowhere/at/all"):
        session.api("OPTIONS", path, headers=asks, plain=False)
        session.api("OPTIONS", path, headers=(*asks, *more), plain=False)


def keys(session: Session) -> None:
    """Ask with keys of all kinds, in both headers."""
    session.freeze()
    session.put("v")
    action = session.post()
    asked = (
        ("PUT", PUT, {"variant": "k", "schema": {}}),
        ("POST", "/v1/ingress/v", {"payload": 1}),
        ("POST", "/v1/modack", {"action_record_id": action, "attempt": 0, "mod_ack": 60}),
        ("GET", "/v1/orgs/42/actions/records", NOTHING),
    )
    for method, target, body in asked:
        for key in KEYS:
            session.api(method, target, body, key=key)
            given = () if key is None else (("authorization", key),)
            session.api(method, target, body, key=None, headers=given)
        for first, second in (("org-42", "x"), ("x", "org-42"), ("org-7", "org-42"), ("org-42", "org-7")):
            session.api(method, target, body, key=first, headers=(("authorization", second),))
            session.api(method, target, body, key=first, headers=(("x-arklow-auth", second),))
    for org in ("7", "042", "0", "-1", "x", "4.2", "42%20", "99999999999999999999999", "%34%32", "é"):
        session.api("PUT", f"/v1/orgs/{org}/actions/definitions", {"variant": "k", "schema": {}})
        session.api("GET", f"/v1/orgs/{org}/actions/records")
        session.api("GET", f"/v1/orgs/{org}/actions/records/{action}")


def queries(session: Session) -> None:
    """Read lists with filters and bounds, good and bad."""
    session.freeze()
    for variant in ("a", "b", "é"):
        session.put(variant)
    actions = [session.post(v, tags={"n": str(n)}, payload=n) for n, v in enumerate(("a", "b", "%C3%A9") * 9)]
    for number, action in enumerate(actions):
        session.signal(("ack", "nack", "defer", "modack")[number % 4], action, mod_ack=30)
    values = (
        "",
        "0",
        "1",
        "2",
        "50",
        "51",
        "-1",
        "1.0",
        "1e1",
        " 1",
        "01",
        "x",
        "true",
        "false",
        "TRUE",
        "9" * 30,
    )
    for name in ("take", "skip", "count_only", "asc", "status", "variant", "tag.n", "tag.", "unknown"):
        for value in values:
            session.records(f"?{name}={value}")
    statuses = (
        "queued",
        "dispatch_wait",
        "scheduled",
        "retrying",
        "running",
        "ack_wait",
        "succeeded",
        "failed",
    )
    for status in (*statuses, "canceled", "done"):
        session.records(f"?status={status}&asc=true")
        session.records(f"?status={status}&status=ack_wait&variant=a&take=2&skip=1")
    for query in (
        *("?", "?&", "?=", "?a", "?take=1&take=2", "?take=2&take=x", "?variant=%C3%A9", "?variant=%ff"),
        *("?variant=a+b", "?tag.n=1&tag.n=2", "?tag.n=3&variant=a", "?count_only=true&status=ack_wait"),
        *("?take=1;skip=2", "?%74ake=3", "?take=%31", "?skip=26", "?skip=27", "?skip=9223372036854775807"),
        *("?skip=9223372036854775808", "?search=x", "?__code=", "?a=" + "b" * 5_000),
    ):
        session.records(query)
    for action in (actions[0], "0" + actions[0], "0", "1" * 19, "1" * 30, "x", "-1", "1.0", "%31"):
        session.record(action)


def tags(session: Session) -> None:
    """Post work with tags in body and query."""
    session.freeze()
    session.put("v")
    queries = (
        *(
            "?tag.a=1",
            "?tag.a=",
            "?tag.a",
            "?tag.=1",
            "?tag=1",
            "?tag.a=1&tag.a=2",
            "?tag.a.b=1",
            "?tag.%C3%A9=%C3%BC",
        ),
        *("?TAG.a=1", "?tag.a=1&x=2", "?tag.a=%ff", "?tag.a=1+2", "?tag.a=%20", "?a=1", "?tag.a=%00"),
    )
    for query in queries:
        for body in ({"a": "body", "b": "body"}, {}):
            action = session.post("v", query=query, tags=body)
            if action:
                session.record(action)
            named = {"variant": "v", "payload": 1, "tags": body}
            session.api("POST", f"/v1/ingress{query}", named)
    session.records("?tag.a=1&take=50")


SCENES: tuple[Scene, ...] = (
    (Plan("malformed definitions and work"), definition),
    (Plan("malformed signals"), signals),
    (Plan("methods"), methods),
    (Plan("keys", {"keys": {"dev-key": "42", "null": "7"}}), keys),
    (Plan("queries"), queries),
    (Plan("tags"), tags),
)
