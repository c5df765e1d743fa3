"""Destinations and calls to webhooks, which a client in this process answers as their URLs say."""

from __future__ import annotations

from typing import Any

from tests.corpus.scenes.session import Scene, Session
from tests.corpus.steps import Plan

HERE = "http://localhost:8080"
RECEIVERS: tuple[str, ...] = (
    *(
        "/200",
        "/204",
        "/500,200",
        "/503,503,200",
        "/429,200",
        "/429,200?retry=7",
        "/404,200",
        "/404,200?retry=5",
        "/302,200",
    ),
    *(
        "/408,200",
        "/409,200",
        "/425,200",
        "/418,200?retry=0",
        "/down,200",
        "/down",
        "/200?delay=3",
        "/200?delay=90",
    ),
    *(
        "/200?signal=ack",
        "/200?signal=nack",
        "/200?signal=nack&value=9",
        "/200?signal=mod_ack&value=90",
        "/200?signal=other",
    ),
    *(
        "/200?signal=mod_ack",
        "/200?signal=mod_ack&value=0",
        "/200?signal=nack&value=x",
        "/200?signal=ack&value=1",
    ),
    '/200?body={"__arklow__":{"signal":"nack","value":30}}',
    '/200?body={"__arklow__":{"signal":"mod_ack","value":"45"}}',
    '/200?body={"__arklow__":{"signal":"other"}}',
    '/200?body={"__arklow__":1}',
    '/200?body={"__arklow__"',
)
DESTINATIONS: tuple[dict[str, Any], ...] = (
    {"label": "sdk", "type": "sdk", "config": {"namespace": "n"}},
    {"label": "pubsub", "type": "google_pubsub", "config": {"project_id": "p", "topic_id": "t", "more": 1}},
    {"label": "sqs", "type": "aws_sqs", "config": {"queue_url": "https://queue.example/1", "region": "r"}},
    {"label": "mcp", "type": "mcp", "config": {"endpoint": "https://mcp.example/"}},
    {"label": "sink", "type": "default_sink", "config": {}},
)


URLS: tuple[str, ...] = (
    *(
        "http://127.0.0.1:1/200",
        "http://[::1]:1/200",
        "http://sub.localhost/200",
        "http://10.0.0.1/200",
        "localhost/200",
    ),
    *(
        "https://api.arklow.io/200",
        "https://arklow.io/200",
        "https://other.example/200",
        "https://allowed.example/200",
    ),
    *(
        "http://user:word@localhost/200",
        "ftp://localhost/200",
        "",
        "/200",
        "http://",
        "http://localhost:99999/",
        "http://é/",
    ),
)
HEADERS: tuple[dict[str, str], ...] = (
    {"x": "é"},
    {"x": "a\nb"},
    {"a b": "1"},
    {"": "1"},
    {"host": "x"},
    {"Content-Length": "1"},
    {"A": "1", "a": "2"},
)
LINKS: tuple[dict[str, Any], ...] = (
    *(
        {"variant": "c", "destinations": ["sink", "sdk"]},
        {"variant": "c", "destinations": ["sink", "sdk"], "default": "sdk"},
    ),
    *(
        {"variant": "c", "destinations": ["none"]},
        {"variant": "none", "destinations": []},
        {"variant": "c", "destinations": []},
    ),
    {"variant": "c", "destinations": ["sink"], "default": "sdk"},
)


def called(session: Session) -> None:
    """Have each receiver called until it is content."""
    for number, receiver in enumerate(RECEIVERS):
        org = str(100 + number)
        session.freeze(org)
        session.put("v", org)
        for default in ("ack", "mod_ack"):
            config: dict[str, Any] = {
                "url": HERE + receiver.replace('"', "%22").replace("{", "%7B").replace("}", "%7D")
            }
            config |= {
                "signaling": {"enabled": True, "default": default},
                "headers": {"x-a": "1", "X-Arklow-Attempt": "9"},
            }
            body = {
                "label": "hook",
                "type": "webhook",
                "config": config,
                "credential": {"headers": {"x-key": "secret"}},
            }
            session.admin("PUT", f"{org}/destinations", body)
            session.admin("PUT", f"{org}/links", {"variant": "v", "destinations": ["hook"]})
            action = session.post("v", org, payload={"n": number, "x": 1.0})
            for seconds in (0, 2, 75):
                session.advance(seconds, org)
                session.record(action, org)
            session.signal("modack", action, 0, org, mod_ack=5)
        session.journal(org)


def crowded(session: Session) -> None:
    """Have more calls than may be under way to one destination, and settle some meanwhile."""
    session.freeze()
    session.put("v")
    hook = {"label": "slow", "type": "webhook", "config": {"url": f"{HERE}/500,200?delay=2"}}
    session.admin("PUT", "42/destinations", hook)
    session.admin("PUT", "42/links", {"variant": "v", "destinations": ["slow"]})
    actions = [session.post(payload=number) for number in range(25)]
    session.records("?take=50")
    session.records("?status=dispatch_wait&count_only=true")
    for action in actions[:4]:
        session.signal("ack", action)
    session.wait(2.1)
    session.records("?take=50")
    session.admin("PUT", "42/snapshots/under-way")
    session.wait(3)
    session.advance(0)
    session.records("?take=50")
    session.admin("POST", "42/snapshots/under-way/restore")
    session.records("?take=50")
    session.admin("PUT", "42/links", {"variant": "v", "destinations": []})
    session.advance(300)
    session.records("?take=50")
    session.journal()


def destinations(session: Session) -> None:
    """Create, replace, link and delete destinations of every type, good ones and bad ones."""
    session.freeze()
    for variant in ("a", "b", "c"):
        session.put(variant)
    made = {}
    for body in DESTINATIONS:
        made[body["label"]] = session.admin("PUT", "42/destinations", body).data["id"]
        session.admin("PUT", "42/destinations", body | {"tags": {"t": "1"}})
        session.admin("PUT", "42/destinations", body | {"config": {"x": 1}})
        session.admin("PUT", "42/links", {"variant": "a", "destinations": [body["label"]]})
        action = session.post("a")
        session.record(action)
        session.put("a", schema={"title": body["label"]})
    for url in URLS:
        body = {"label": "hook", "type": "webhook", "config": {"url": url}}
        session.admin("PUT", "42/destinations", body)
        session.admin("PUT", "42/links", {"variant": "b", "destinations": ["hook"]})
        action = session.post("b")
        session.advance(0)
        session.record(action)
    for headers in HEADERS:
        config = {"url": f"{HERE}/200", "headers": headers}
        session.admin("PUT", "42/destinations", {"label": "h", "type": "webhook", "config": config})
        body = {
            "label": "c",
            "type": "webhook",
            "config": {"url": f"{HERE}/200"},
            "credential": {"headers": headers},
        }
        session.admin("PUT", "42/destinations", body)
    for links in LINKS:
        session.admin("PUT", "42/links", links)
        session.put("c")
        session.record(session.post("c"))
    session.admin("GET", "42/destinations")
    for found in (*made.values(), made["sink"], "1", "x"):
        session.admin("DELETE", f"42/destinations/{found}")
    session.admin("GET", "42/destinations")
    session.admin("GET", "/seed")
    session.journal()


SCENES: tuple[Scene, ...] = (
    (Plan("webhooks"), called),
    (Plan("crowded webhooks"), crowded),
    (Plan("destinations", {"deliver_to": ["allowed.example"]}), destinations),
)
