"""Answers that go wrong on request: by the admin plane, and by the client itself."""

from __future__ import annotations

from typing import Any

from tests.corpus.scenes.session import NOTHING, Scene, Session
from tests.corpus.scenes.values import OTHER_VALUES, PUT
from tests.corpus.steps import Headers, Plan

FAULTS: tuple[dict[str, Any], ...] = (
    {"status": 503},
    {"status": 503, "times": 2},
    {"status": 429},
    {"status": 429, "retry_after": 0},
    {
        "status": 409,
        "code": "STALE_ATTEMPT",
        "message": "not now",
        "operation": "modAckIngressAction",
        "times": 3,
    },
    {"status": 200},
    {"status": 204},
    {"status": 205},
    {"status": 304},
    {"status": 599, "delay": 2.5},
    {"status": 500, "carried_out": True, "times": 4},
    {"share": 0.5, "status": 502},
    {"share": 0.25, "delay": 1, "times": 3},
    {"delay": 0},
    {"delay": 0.125, "operation": "createIngressVariantAction"},
    {"cut": "close"},
    {"cut": "reset", "times": 1},
    {"cut": "half", "carried_out": True, "operation": "createIngressVariantAction"},
    {"cut": "close", "carried_out": True, "delay": 3},
    {"cut": "reset", "share": 0.5, "carried_out": True},
)

WRONG: tuple[Any, ...] = (
    *(
        {},
        {"times": 1},
        {"status": 99},
        {"status": 600},
        {"status": 503, "cut": "half"},
        {"cut": "open"},
        {"delay": 301},
    ),
    *(
        {"status": 503, "operation": "nothing"},
        {"status": 503, "code": "lower"},
        {"status": 503, "more": 1},
        [],
        None,
        "x",
    ),
    *(
        {"delay": 1, "code": "A"},
        {"cut": "half", "retry_after": 1},
        {"status": 503, "share": 0},
        {"status": 503, "times": 0},
    ),
)


PREFERENCES: tuple[Headers, ...] = tuple(
    (("prefer", text),)
    for text in (
        *(
            "code=503",
            "code=200",
            "code=204",
            "code=304",
            "code=429",
            "code=99",
            "code=600",
            "code=",
            "code",
            "code=x",
        ),
        *(
            "delay=2",
            "delay=0",
            "delay=0.5",
            "delay=300",
            "delay=301",
            "delay=-1",
            "delay=x",
            "delay=1e1",
            "delay",
        ),
        *(
            "code=503, delay=2",
            "CODE=503",
            'code="503"',
            "code=503; x=y",
            "code = 503",
            " code=503 ",
            "code=503,code=404",
        ),
        *(
            "respond-async, code=418",
            "return=minimal",
            'x="code=503"',
            'code="5\\03"',
            'code="503',
            "",
            ",",
        ),
    )
)
SEVERAL: tuple[Headers, ...] = (
    (("prefer", "code=503"), ("prefer", "delay=1")),
    (("prefer", "a"), ("prefer", "code=502")),
)
QUERIES = (
    *(
        "__code=503",
        "__code=204",
        "__code=99",
        "__code=",
        "__code",
        "__code=503&__code=404",
        "__code=x&__code=404",
    ),
    *(
        "__delay=1.5",
        "__delay=999",
        "__delay=",
        "__code=503&__delay=2",
        "%5F_code=503",
        "%5f%5fcode=503",
        "__CODE=503",
    ),
    *("__other=1", "tag.__code=503", "tag.a=__code"),
)


def planned(session: Session) -> None:
    """Have each kind of fault hit a few requests."""
    session.freeze()
    session.put("v")
    for number, fault in enumerate(FAULTS):
        session.admin("POST", "42/faults", fault)
        for _ in range(3):
            action = session.post("v", payload=number)
        session.signal("modack", action or "3000000000000000000", mod_ack=30)
        session.put("v", schema={"title": str(number)})
        session.api("POST", "/v1/ingress/v", b"{")
        session.post("v", "7")
        session.records("?take=1")
        session.api("GET", "/v1/orgs/7/actions/records")
        session.api("GET", "/v1/orgs/42/actions/records", key="x")
        session.admin("GET", "42/faults")
        if number % 3 == 0:
            session.admin("DELETE", "42/faults")
        else:
            session.admin("DELETE", f"42/faults/{number + 1}")
    session.records("?take=50")
    session.journal()


def halves(session: Session) -> None:
    """Have answers cut in half. The journal, which has the first half of a text that a rename may move, is not read."""
    session.freeze()
    session.put("v")
    for fault in (
        {"cut": "half"},
        {"cut": "half", "times": 1, "delay": 1},
        {"cut": "half", "carried_out": True},
    ):
        session.admin("POST", "42/faults", fault)
        for number in range(3):
            session.post("v", payload=number)
        session.signal("ack", "1")
        session.put("v")
        session.records("?take=1")
        session.admin("DELETE", "42/faults")
    session.records("?take=50")


def several(session: Session) -> None:
    """Add several faults, more than there may be, and remove them; a reset removes them as well."""
    session.freeze(seed=5)
    session.put("v")
    for fault in (FAULTS[4], FAULTS[11], FAULTS[10], FAULTS[1]):
        session.admin("POST", "42/faults", fault)
    for step in range(14):
        action = session.post("v", payload=step)
        session.signal("modack", action or "1", mod_ack=step + 1)
    session.admin("GET", "42/faults")
    session.admin("PUT", "42/snapshots/a")
    session.admin("DELETE", "42/faults/2")
    session.admin("DELETE", "42/faults/2")
    session.admin("POST", "42/snapshots/a/restore")
    session.admin("GET", "42/faults")
    session.admin("POST", "42/fork", {"to": "9"})
    session.admin("GET", "9/faults")
    for _ in range(101):
        session.admin("POST", "42/faults", {"status": 503, "times": 1, "operation": "ackIngressAction"})
    session.signal("ack", "1")
    session.admin("POST", "42/faults", {"status": 503, "times": 1})
    for wrong in WRONG:
        session.admin("POST", "42/faults", wrong)
    for member in (
        "operation",
        "times",
        "share",
        "delay",
        "status",
        "code",
        "message",
        "retry_after",
        "carried_out",
    ):
        for value in OTHER_VALUES[::3]:
            session.admin("POST", "8/faults", {"status": 503, member: value})
    for value in OTHER_VALUES[::3]:
        session.admin("POST", "8/faults", {"cut": value})
        session.admin("POST", "8/faults", {"delay": value})
    for number in ("0", "x", "-1", "9999", "9007199254740992", "1.0"):
        session.admin("DELETE", f"42/faults/{number}")
    session.admin("POST", "42/reset")
    session.admin("GET", "42/faults")


def preferred(session: Session) -> None:
    """Ask for faults with headers and parameters, well and badly spelled."""
    session.freeze()
    session.put("v")
    for sent in (*PREFERENCES, *SEVERAL):
        session.api("POST", "/v1/ingress/v", {"payload": 1}, headers=sent)
        session.api("GET", "/v1/orgs/42/actions/records?take=1", headers=sent)
    for query in QUERIES:
        session.api("POST", f"/v1/ingress/v?{query}", {"payload": 1})
        session.api(
            "PUT",
            f"{PUT}?{query}",
            {"variant": "v", "schema": {}},
            headers=(("prefer", "code=502, delay=1"),),
        )
        session.records(f"?{query}&take=1")
        session.api("POST", f"/v1/nowhere?{query}", {"payload": 1})
        session.api("POST", f"/v1/ingress/v?{query}", {"payload": 1}, key="x")
        session.api("POST", f"/v1/ingress/v?{query}", b"{")
    session.admin("POST", "42/faults", {"status": 500, "times": 2})
    for sent in ((), (("prefer", "code=503"),), ()):
        session.api("POST", "/v1/ack", NOTHING, headers=sent)
    session.admin("GET", "42/faults")
    session.records("?count_only=true")
    session.journal()


SCENES: tuple[Scene, ...] = (
    (Plan("planned faults"), planned),
    (Plan("answers cut in half"), halves),
    (Plan("several faults"), several),
    (Plan("faults that clients prefer"), preferred),
)
