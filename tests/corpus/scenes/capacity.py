"""Bounds of memory: what is dropped when an organisation keeps too much."""

from __future__ import annotations

from tests.corpus.scenes.session import Scene, Session
from tests.corpus.steps import Plan


def dropped(session: Session) -> None:
    """Post more than is kept, in three organisations, and ask for what is gone."""
    known: list[tuple[str, str]] = []
    for org in ("42", "7", "8"):
        session.freeze(org)
        session.put("v", org)
    for step in range(90):
        org = session.random.choice(("42", "42", "7", "8"))
        size = session.random.choice((1, 10, 400, 3_000))
        known.append((org, session.post("v", org, payload="x" * size, metadata=step, tags={"n": str(step)})))
        if step % 3 == 0:
            owner, action = session.random.choice(known)
            session.record(action, owner)
            session.signal("modack", action, 0, owner, mod_ack=600)
        if step % 10 == 0:
            session.advance(61, org)
            session.records("?take=3", org)
    for owner, action in known[:12]:
        for name in ("ack", "modack"):
            session.signal(name, action, 0, owner, mod_ack=1)
    session.admin("GET", "/organisations")
    for org in ("42", "7", "8"):
        session.admin("GET", org)
        session.records("?take=50", org)
        session.journal(org)
        session.journal(org, "?after=3&limit=5")


SCENES: tuple[Scene, ...] = (
    (Plan("few actions", {"max_actions": 20, "journal": 40}), dropped),
    (Plan("few bytes", {"max_payload_bytes": 20_000, "journal": 0}), dropped),
    (Plan("one action", {"max_actions": 1, "journal": 1}), dropped),
)
