"""The lives of actions: leases, retries, deferrals, scripts of the worker, clocks that stand and clocks that run."""

from __future__ import annotations

from typing import Any

from tests.corpus.scenes.session import Scene, Session
from tests.corpus.steps import Plan

ORGS = ("42", "7", "100", "0", "9999999999999999999")


def leases(session: Session) -> None:
    """Let leases run out to the millisecond, and signal just before, at, and after their ends."""
    session.freeze()
    session.put("v")
    for offset in (-0.001, 0, 0.001):
        for name in ("ack", "nack", "defer", "modack"):
            action = session.post()
            session.advance(60 + offset)
            for attempt in (0, 1, 2):
                session.signal(name, action, attempt, mod_ack=90)
            session.record(action)
    for seconds in (1, 59, 60, 61, 3_600, 86_399, 86_400, 86_401, 10**12, 2**63 - 1):
        action = session.post()
        session.signal("modack", action, mod_ack=seconds)
        session.advance(min(seconds, 86_400) - 0.001)
        session.record(action)
        session.advance(0.001)
        session.record(action)
        session.signal("modack", action, 1, mod_ack=5)
    action = session.post()
    for _ in range(3):
        session.advance(43_200)
        session.record(action)
        session.signal("ack", action)
    session.records("?take=50")
    session.journal()


def retries(session: Session) -> None:
    """Give attempts back, with every kind of terms."""
    session.freeze()
    session.put("v")
    now = 1893499200  # 2030-01-01T12:00:00Z
    terms: tuple[Any, ...] = (
        *(
            None,
            {},
            {"retry": True},
            {"retry": False},
            {"retry_at": 0},
            {"retry_at": now},
            {"retry_at": now + 5},
        ),
        *({"retry_at": now + 90_000}, {"retry_at": 10**15}, {"retry": False, "retry_at": now + 5}, {"x": 1}),
        {"retry": True, "retry_at": now + 86_399},
    )
    for one in terms:
        action = session.post()
        session.signal("nack", action, **({} if one is None else {"terms": one}))
        session.record(action)
        for seconds in (0.5, 1, 4, 60):
            session.signal("modack", action, 0, mod_ack=10)
            session.advance(seconds)
            session.record(action)
        session.signal("ack", action, 1)
        now += 66
    action = session.post()
    for attempt in range(12):
        session.signal("nack", action, attempt)
        session.record(action)
        session.advance(80)
    session.record(action)
    session.journal()


def deferrals(session: Session) -> None:
    """Take custody, and do everything to an action that is in it."""
    session.freeze()
    session.put("v")
    afterwards: tuple[tuple[str, dict[str, Any]], ...] = (
        *(
            ("defer", {}),
            ("ack", {}),
            ("nack", {}),
            ("nack", {"terms": {"retry": False}}),
            ("modack", {"mod_ack": 600}),
        ),
        ("modack", {"mod_ack": 10**6}),
    )
    for name, more in afterwards:
        for attempt in (0, 1):
            for pause in (0, 59.999, 60):
                action = session.post()
                session.signal("defer", action)
                session.advance(pause)
                session.signal(name, action, attempt, **more)
                session.record(action)
                session.advance(600)
                session.record(action)
                session.signal("ack", action)
    session.records("?status=succeeded&take=50")
    session.journal()


def walks(session: Session) -> None:
    """Do what comes, in several organisations, with ids and attempts that are right more often than not."""
    for org in ORGS:
        session.freeze(org, seed=len(org))
        for variant in ("a", "b"):
            session.put(variant, org)
    known: list[tuple[str, str]] = [("42", "3000000001000000000")]
    chance = session.random
    for step in range(900):
        org = chance.choice(ORGS)
        match chance.randrange(12):
            case 0 | 1:
                action = session.post(chance.choice("ab"), org, payload=step, tags={"n": str(step % 7)})
                known.append((org, action))
            case 2:
                session.advance(chance.choice((0, 0.5, 1, 29.999, 30, 60, 61, 120, 3_600)), org)
            case 3:
                session.records(
                    chance.choice(("", "?asc=true", "?status=ack_wait", "?tag.n=3", "?take=2&skip=2")), org
                )
            case 4 | 5:
                owner, action = chance.choice(known[-25:])
                session.record(action, chance.choice((owner, owner, owner, org)))
            case _:
                owner, action = chance.choice(known[-25:])
                name = chance.choice(("ack", "nack", "defer", "modack", "modack", "modack"))
                more: dict[str, Any] = {"mod_ack": chance.choice((1, 30, 600))} if name == "modack" else {}
                if name == "nack" and chance.random() < 0.5:
                    more = {"terms": chance.choice(({}, {"retry": False}, {"retry_at": 1893500000 + step}))}
                attempt = chance.choice((0, 0, 0, 1, 1, 2, 3))
                session.signal(name, action, attempt, chance.choice((owner, owner, owner, org)), **more)
    for org in ORGS:
        session.records("?take=50", org)
        session.journal(org)


def workers(session: Session) -> None:
    """Have the worker play scripts of all kinds."""
    session.freeze()
    steps: tuple[Any, ...] = (
        *("hold", "ack", "nack", "reject", "defer", "wait"),
        *({"do": "ack", "after": 2}, {"do": "nack", "after": 0.5}, {"do": "hold", "lease": 5}),
        *({"do": "nack", "retry_after": 30}, {"do": "reject", "after": 100}, {"do": "defer", "after": 1}),
        *({"do": "hold", "after": 3, "lease": 1}, {"do": "ack", "after": 86_400}, {"do": "wait", "after": 1}),
    )
    for number, step in enumerate(steps):
        variant = f"v{number}"
        session.put(variant)
        session.admin("PUT", "42/worker", {"variants": {variant: step}, "default": ["nack", step, "hold"]})
        for name in (variant, "v0"):
            action = session.post(name)
            session.record(action)
            for seconds in (0.5, 2, 60, 600):
                session.advance(seconds)
                session.record(action)
            session.signal("ack", action, 0)
    for number in range(12):
        script = session.random.choices(steps, k=session.random.randint(1, 5))
        session.admin("PUT", "42/worker", {"variants": {"v0": script}})
        action = session.post("v0")
        for _ in range(4):
            session.advance(session.random.choice((1, 5, 61, 300)))
            session.signal(session.random.choice(("ack", "modack")), action, number % 3, mod_ack=9)
            session.record(action)
    session.records("?take=50")
    session.admin("GET", "42")
    session.journal()


def running(session: Session) -> None:
    """Let clocks run with the machine's, which goes on between requests."""
    for org in ("42", "7"):
        session.put("v", org)
    session.admin("PUT", "7/clock", {"mode": "running", "now": "2031-01-01T00:00:00Z"})
    session.admin("PUT", "7/worker", {"default": ["nack", {"do": "ack", "after": 2}]})
    known: list[tuple[str, str]] = []
    for step in range(70):
        org = session.random.choice(("42", "7"))
        known.append((org, session.post("v", org, payload=step)))
        session.wait(session.random.choice((0.001, 0.5, 1, 10, 30, 59.999, 60, 61, 600)))
        owner, action = session.random.choice(known[-6:])
        session.record(action, owner)
        name = session.random.choice(("ack", "nack", "defer", "modack"))
        session.signal(name, action, session.random.choice((0, 0, 1, 2)), owner, mod_ack=45)
    session.admin("PUT", "42/clock", {"mode": "frozen"})
    session.wait(100)
    session.records("?take=50")
    session.admin("PUT", "42/clock", {"mode": "real"})
    session.records("?take=50&asc=true")
    for org in ("42", "7"):
        session.admin("GET", org)
        session.journal(org)


SCENES: tuple[Scene, ...] = (
    (Plan("leases"), leases),
    (Plan("retries"), retries),
    (Plan("deferrals"), deferrals),
    (Plan("walks"), walks),
    (Plan("walks with another seed", {"seed": 7}), walks),
    (Plan("workers"), workers),
    (Plan("running clocks"), running),
)
