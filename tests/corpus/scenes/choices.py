"""Worlds that answer open questions in another way, and the switches: the same requests to each of them."""

from __future__ import annotations

from typing import Any

from tests.corpus.scenes.session import Scene, Session
from tests.corpus.steps import Plan

# questions and answers as a judge writes them; each world takes several that can be true together
CHOICES: tuple[dict[str, str], ...] = (
    {
        "ingress body": "envelope, whole without payload",
        "payload against its schema": "accepted",
        "unknown variant": "made on the fly",
        "a version that was never stored": "refused",
        "an older version": "refused",
        "an equal definition": "version + 1",
        "control-plane refusal": "200 with data null",
        "another organisation's path": "404",
    },
    {
        "ingress body": "whole body",
        "a changed definition": "same version",
        "a definition with other aliases": "same version",
        "an explicit version of a new definition": "not stored",
        "a higher explicit version": "not stored",
        "a lower explicit version": "not stored",
        "id of a changed definition": "changes",
        "an alias left out of an update": "removed",
        "another organisation's path": "401",
    },
    {
        "members that the page does not name": "refused",
        "a definition with other annotations": "same version",
        "a lower explicit version": "refused",
        "aliases of an update": "are added to those before",
        "alias that another definition has": "taken over",
        "an attempt that is over": "404",
        "an attempt that has not begun": "404",
        "a second ack": "accepted",
    },
    {
        "after a lower explicit version": "the highest one is current",
        "an older version": "the current one is used",
        "alias against a variant of the same name": "the variant",
        "a_va under an alias": "the alias",
        "a variant in other letters": "is the same",
        "noughts before an id": "overlooked",
        "a nack after a defer": "accepted without effect",
    },
    {"alias": "is a variant of its own", "unknown variant": "made on the fly"},
    {"alias": "reaches nothing", "a second ack": "accepted", "control-plane refusal": "200 with data null"},
    {"a definition that is put again": "refused"},
    {"delivery": "not at once", "negative version of a definition": "accepted", "mod_ack counts from": "now"},
)


def asked(session: Session) -> None:
    """Send what shows each choice."""
    session.freeze()
    session.freeze("7")
    updates: tuple[dict[str, Any], ...] = (
        *(
            {"schema": {"required": ["a"]}},
            {"schema": {"required": ["a"]}},
            {"schema": {"required": ["a"], "title": "T"}},
        ),
        *(
            {"alias": ["other"]},
            {"alias": ["third"]},
            {},
            {"version": 9},
            {"version": 4},
            {},
            {"version": -1},
        ),
        *(
            {"schema": {"required": ["a"]}, "alias": ["w"]},
            {"alias": []},
            {"alias": ["other", "w"]},
            {"more": 1},
        ),
    )
    for body in updates:
        session.put("v", **body)
        for version in (None, 1, 2, 4, 9, 77):
            named: dict[str, Any] = {} if version is None else {"version": version}
            session.post("v", payload={"a": 1}, **named)
    session.put("w", version=5, alias=["other", "fourth"])
    session.put("new", version=3)
    for name in ("v", "V", "w", "W", "other", "OTHER", "third", "fourth", "nothing", "%C3%89"):
        session.post(name, payload={"a": 1})
        session.api("POST", "/v1/ingress", {"variant": name, "payload": {"a": 1}})
    _bodies(session)
    _signals(session)
    for org in ("7", "042", "x"):
        session.api("PUT", f"/v1/orgs/{org}/actions/definitions", {"variant": "v", "schema": {}})
        session.api("GET", f"/v1/orgs/{org}/actions/records")
        session.api("GET", f"/v1/orgs/{org}/actions/records/1")
    session.records("?take=50")
    session.records("?variant=V")
    session.journal()


def _bodies(session: Session) -> None:
    """Post bodies that can be read in more than one way."""
    for body in (
        *(
            {"payload": {"b": 1}},
            {"a": 1},
            {"payload": {"a": 1}, "more": 1},
            {"payload": {"a": 1}, "version": 1},
        ),
        *(
            {"payload": {"a": 1}, "tags": {"t": "1"}, "metadata": 1},
            {},
            [],
            [1],
            1,
            None,
            "x",
            {"variant": "w"},
        ),
        *(
            {"variant": "w", "payload": 1, "more": 1},
            {"payload": None, "version": 0},
            {"a": 1, "tags": {"t": 1}},
        ),
    ):
        session.api("POST", "/v1/ingress/v", body)
        session.api("POST", "/v1/ingress/w?tag.q=1", body)
        session.api("POST", "/v1/ingress", body)
        session.api("PUT", "/v1/orgs/42/actions/definitions", body)


def _signals(session: Session) -> None:
    """Signal attempts that are over, that have not begun, and actions that have ended."""
    session.put("s")
    for first in ("ack", "nack", "defer"):
        action = session.post("s", payload={"a": 1})
        if not action:
            continue
        session.signal("modack", action, 1, mod_ack=9)
        session.signal(first, action)
        for name in ("ack", "nack", "defer", "modack"):
            for attempt in (0, 1):
                session.signal(name, action, attempt, mod_ack=9)
        session.advance(61)
        for spelled in (action, "0" + action, "000" + action):
            session.signal("ack", spelled, 0)
            session.signal("ack", spelled, 1)
            session.signal("ack", spelled, 0, "7")
            session.record(spelled)


SCENES: tuple[Scene, ...] = (
    (Plan("usual choices"), asked),
    *((Plan(f"other choices {n}", {"interpretations": one}), asked) for n, one in enumerate(CHOICES, 1)),
    (Plan("auto define", {"auto_define": True}), asked),
    (Plan("raw bodies", {"raw_bodies": True}), asked),
    (Plan("document only", {"document": "published"}), asked),
    (
        Plan("document only, raw bodies", {"document": "published", "raw_bodies": True, "auto_define": True}),
        asked,
    ),
)
