"""The admin plane: its commands, what it refuses, and who may call it."""

from __future__ import annotations

from typing import Any

from tests.corpus.scenes.hostile import TEXTS
from tests.corpus.scenes.session import FROZEN, NOTHING, Scene, Session
from tests.corpus.scenes.values import OTHER_VALUES, members, replaced, without
from tests.corpus.steps import Plan
from tests.corpus.worlds import TOKEN

HOOK = {"label": "hook", "type": "webhook", "config": {"url": "http://localhost:8080/200"}}
COMMANDS: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/organisations", NOTHING),
    ("DELETE", "/organisations?organisation=8,9", NOTHING),
    ("GET", "42", NOTHING),
    (
        "POST",
        "42/reset",
        {
            "seed": 1,
            "clock": {"mode": "frozen", "now": "2030-01-01T12:00:00Z"},
            "worker": {},
            "provision": True,
        },
    ),
    ("POST", "42/fork", {"to": "43", "snapshot": "one"}),
    ("PUT", "42/clock", {"mode": "frozen", "now": "2031-01-01T12:00:00Z"}),
    ("POST", "42/clock/advance", {"seconds": 1}),
    ("POST", "42/clock/advance", {"to": "2032-01-01T12:00:00Z"}),
    ("PUT", "42/worker", {"default": ["hold"], "variants": {"v": [{"do": "ack", "after": 1}]}}),
    ("GET", "42/destinations", NOTHING),
    ("PUT", "42/destinations", HOOK | {"tags": {"a": "b"}, "credential": {"headers": {"x-secret": "s"}}}),
    ("DELETE", "42/destinations/5000000000000000000", NOTHING),
    ("PUT", "42/links", {"variant": "v", "destinations": ["hook"], "default": "hook"}),
    ("GET", "42/snapshots", NOTHING),
    ("PUT", "42/snapshots/one", NOTHING),
    ("POST", "42/snapshots/one/restore", NOTHING),
    ("DELETE", "42/snapshots/one", NOTHING),
    ("POST", "42/actions/3000000000000000000/end", {"as": "ack"}),
    ("GET", "42/journal", NOTHING),
    ("GET", "42/journal.har", NOTHING),
    ("GET", "42/journal/tail", NOTHING),
    ("GET", "42/faults", NOTHING),
    ("POST", "42/faults", {"status": 503, "times": 1, "operation": "ackIngressAction"}),
    ("DELETE", "42/faults", NOTHING),
    ("DELETE", "42/faults/1", NOTHING),
    ("GET", "/seed", NOTHING),
)


def callers(session: Session) -> None:
    """Call every command with other tokens, hosts and origins."""
    session.freeze()
    session.put("v")
    for method, path, body in COMMANDS:
        for token in (None, "", "wrong", TOKEN + " ", TOKEN.upper()):
            session.admin(method, path, body, token=token)
        session.admin(method, path, body, token=None, headers=(("authorization", TOKEN),))
        session.admin(method, path, body, host="evil.example")
        session.admin(method, path, body, headers=(("origin", "https://evil.example"),))
        session.admin(method, path, body, headers=(("origin", "https://page.example"),))
    for host in (
        None,
        "",
        "localhost",
        "LOCALHOST:1",
        "127.0.0.1:3124",
        "[::1]:3124",
        "::1",
        "mock.example",
        "localhost:x",
    ):
        session.admin("GET", "42", host=host)
    for scheme in ("bearer", "BEARER", "Basic", "Bearer\t"):
        session.admin("GET", "42", token=None, headers=(("authorization", f"{scheme} {TOKEN}"),))
    for path in ("/", "/openapi.json", "/nowhere"):
        session.admin("GET", path, token=None, host="evil.example")
    session.journal()


def routes(session: Session) -> None:
    """Send every method to every path, and ask for paths that are none."""
    paths = dict.fromkeys(path.split("?")[0] for _, path, _ in COMMANDS)
    for path in paths:
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"):
            if method == "GET" or (method, path) not in {(m, p) for m, p, _ in COMMANDS}:
                session.admin(method, path)
        preflight = (("origin", "https://page.example"), ("access-control-request-method", "PUT"))
        session.admin("OPTIONS", path, token=None, headers=preflight)
        private = (*preflight, ("access-control-request-private-network", "true"))
        session.admin("OPTIONS", path, token=None, headers=private)
        session.admin("GET", f"{path}/")
        session.admin("GET", f"{path}/more")
    for path in (
        "//",
        "/organisations//",
        "/organisations/x",
        "/organisations/4.2",
        "/organisations/%34%32",
        "/%",
        "/docs",
    ):
        session.admin("GET", path)
    for org in ("0", "042", "-1", "x", "9" * 19, "9" * 20, "%20", "%2F", "42%2Fclock", "é"):
        session.admin("GET", org)
        session.admin("PUT", f"{org}/clock", {"mode": "real"})
    session.admin("GET", "/organisations")


def malformed(session: Session) -> None:
    """Break every member of every command's body."""
    session.freeze()
    session.put("v")
    action = session.post()
    session.admin("PUT", "42/destinations", HOOK)
    session.admin("PUT", "42/snapshots/one")
    for method, path, body in COMMANDS:
        if body is NOTHING:
            continue
        path = path.replace("3000000000000000000", action)
        session.admin(method, path, NOTHING)
        session.admin(method, path, body | {"more": 1})
        for place in members(body):
            session.admin(method, path, without(body, place))
            for value in OTHER_VALUES[::2]:
                session.admin(method, path, replaced(body, place, value))
    for text in TEXTS[::2]:
        session.admin("PUT", "42/worker", text)
    for media_type in (None, "text/plain", "application/json; charset=utf-8", "application/xml"):
        session.admin("PUT", "42/worker", {}, media_type=media_type)
    session.admin("PUT", "42/worker", {}, headers=(("content-encoding", "gzip"),))
    session.admin("PUT", "42/worker", b'{"variants": {"v": "ack"}, "x": "' + b"y" * (1 << 20) + b'"}')
    session.admin("GET", "42")
    session.journal()


def moments(session: Session) -> None:
    """Set clocks, forwards and backwards, and to times that are none."""
    times = (
        *(
            "2030-01-01T12:00:00Z",
            "2030-01-01T12:00:00.1234567Z",
            "2030-01-01T13:00:00+01:00",
            "2030-01-01T12:00:00-00:00",
        ),
        *(
            "2030-02-30T00:00:00Z",
            "2030-02-29T00:00:00Z",
            "2028-02-29T00:00:00Z",
            "2030-01-01 12:00:00Z",
            "2030-01-01",
        ),
        *("1999-12-31T23:59:59Z", "2000-01-01T00:00:00Z", "2999-12-31T23:59:59.999Z", "3000-01-01T00:00:00Z"),
        *(
            "2030-01-01T24:00:00Z",
            "2030-01-01T23:59:60Z",
            "2030-01-01t12:00:00z",
            "2030-01-01T12:00:00",
            "now",
            "",
        ),
    )
    for time in times:
        for org, mode in (("1", "frozen"), ("2", "running"), ("3", "real")):
            session.admin("PUT", f"{org}/clock", {"mode": mode, "now": time})
            session.admin("POST", f"{org}/reset", {"clock": {"mode": mode, "now": time}})
        session.admin("POST", "4/clock/advance", {"to": time})
        session.admin("POST", "4/reset", {"clock": {"now": time}})
    session.freeze()
    session.put("v")
    session.post()
    for time in times[:3]:
        session.admin("PUT", "42/clock", {"mode": "frozen", "now": time})
    for body in (
        {"mode": "frozen", "now": "2029-01-01T00:00:00Z"},
        {"mode": "running"},
        {"mode": "real"},
        {"mode": "frozen"},
    ):
        session.admin("PUT", "42/clock", body)
    for seconds in (0, 0.0004, 0.001, 1.5, 86_400, 315_576_000, 315_576_001, -1, 1e300, 1e-300):
        session.admin("POST", "42/clock/advance", {"seconds": seconds})
        session.admin("GET", "42")
    session.records("?take=50")
    session.journal()


def pasts(session: Session) -> None:
    """Take snapshots, restore and delete them, fork, reset and let go, with actions in all states."""
    session.freeze()
    chance = session.random
    names = ("one", "two.x", "-3", "_", "a" * 60)
    known: dict[str, list[str]] = {"42": [], "7": []}
    for step in range(150):
        org = chance.choice(("42", "7"))
        name = chance.choice(names)
        match chance.randrange(11):
            case 0 | 1:
                session.put("v", org, schema={"title": str(step)})
                known[org].append(session.post("v", org, payload=step))
            case 2:
                session.admin("PUT", f"{org}/snapshots/{name}")
            case 3:
                session.admin("POST", f"{org}/snapshots/{name}/restore")
            case 4:
                session.admin("DELETE", f"{org}/snapshots/{name}")
            case 5:
                body = {"to": "7" if org == "42" else "42"} | ({"snapshot": name} if step % 3 else {})
                session.admin("POST", f"{org}/fork", body)
            case 6:
                session.advance(chance.choice((1, 61, 600)), org)
            case 7:
                action = chance.choice(known[org] or ["1"])
                event = chance.choice(("expire", "ack", "nack", "reject", "time_out", "cancel"))
                session.admin("POST", f"{org}/actions/{action}/end", {"as": event})
            case 8:
                session.signal(chance.choice(("ack", "defer")), chance.choice(known[org] or ["1"]), 0, org)
            case 9:
                session.records("?take=5", org)
                session.admin("GET", f"{org}/snapshots")
            case _:
                if step % 4 == 0:
                    session.admin("POST", f"{org}/reset", FROZEN | {"seed": step})
                session.admin("GET", org)
    for name in ("", ".", "..", ".x", "a" * 61, "é", "a%20b", "a%2Fb", "a+b"):
        session.admin("PUT", f"42/snapshots/{name}")
    for number in range(33):
        session.admin("PUT", f"8/snapshots/s{number}")
    session.admin("POST", "42/fork", {"to": "42"})
    session.admin("POST", "42/fork", {"to": "9", "snapshot": "none"})
    for query in (
        "",
        "?organisation=",
        "?organisation=x",
        "?organisation=1,,2",
        "?organisation=7,8,42,8",
        "?organisation=77",
    ):
        session.admin("DELETE", f"/organisations{query}")
    session.admin("GET", "/organisations")


def journals(session: Session) -> None:
    """Read journals, archives and streams with every query."""
    session.freeze()
    session.put("v")
    actions = [session.post("v", payload={"n": n, "text": "é" * n * 50}) for n in range(24)]
    for number, action in enumerate(actions):
        session.signal(("ack", "nack", "defer", "modack")[number % 4], action, mod_ack=9)
    session.api(
        "POST",
        "/v1/ingress/v?tag.a=b&c",
        b"\xff\xfe{",
        headers=(("cookie", "a=b"), ("authorization", "org-42")),
    )
    session.api("POST", "/v1/ingress/%C3%A9", b'{"payload": "\xc3', headers=(("x-a", "1"), ("x-a", "2")))
    session.advance(3_600)
    for value in (
        "",
        "0",
        "1",
        "5",
        "1000",
        "1001",
        "-1",
        "x",
        "01",
        "1.0",
        "9007199254740991",
        "9007199254740992",
    ):
        for name in ("after", "limit"):
            session.admin("GET", f"42/journal?{name}={value}")
            session.admin("GET", f"42/journal.har?{name}={value}")
        session.admin("GET", f"42/journal?action={value}")
    for kind in ("request", "transition", "command", "delivery", "other", ""):
        session.admin("GET", f"42/journal?kind={kind}&limit=20")
        session.admin("GET", f"42/journal?kind={kind}&action={actions[3]}")
    session.admin("GET", "42/journal?limit=2&limit=3&after=1&unknown=1")
    for query in ("", "?after=0", "?after=40", "?after=x", "?after=-1"):
        session.admin("GET", f"42/journal/tail{query}")
    for last in ("0", "50", "99999", "x", "-1", "", "1" * 16):
        session.admin("GET", "42/journal/tail?after=90", headers=(("last-event-id", last),))
    session.admin("GET", "42/journal?limit=1000")
    session.admin("GET", "43/journal")
    session.admin("GET", "43/journal.har")


def documents(session: Session) -> None:
    """Read the pages and documents as they are: prose too, so a changed description shows in this world alone."""
    for path in ("/", "/openapi.json", "/openapi.yaml", "/docs/openapi.json"):
        session.api("GET", path, plain=False)
    for path in ("/", "/openapi.json", "/openapi.yaml"):
        session.admin("GET", path, token=None)


ADMITTED: dict[str, Any] = {"admin_names": ["mock.example"], "admin_origins": ["https://page.example"]}
SCENES: tuple[Scene, ...] = (
    (Plan("callers of the admin plane"), callers),
    (Plan("callers that were admitted", ADMITTED), callers),
    (Plan("routes of the admin plane", ADMITTED), routes),
    (Plan("malformed commands"), malformed),
    (Plan("moments"), moments),
    (Plan("pasts"), pasts),
    (Plan("journals"), journals),
    (Plan("documents"), documents),
    (Plan("documents as published", {"document": "published"}), documents),
)
