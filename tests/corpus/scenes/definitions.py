"""Definitions: schemas, versions, aliases, and what work makes of them."""

from __future__ import annotations

from typing import Any

from tests.corpus.scenes.session import Scene, Session
from tests.corpus.scenes.values import PAYLOADS, SCHEMAS
from tests.corpus.steps import Plan


def schemas(session: Session) -> None:
    """Put every schema, and post payloads to it."""
    session.freeze()
    for number, schema in enumerate(SCHEMAS):
        session.put(f"s{number}", schema=schema)
        for payload in session.random.sample(PAYLOADS, 9):
            session.post(f"s{number}", payload=payload)
    _costly(session)
    session.records("?take=50")
    session.records("?take=50&skip=50&asc=true")


def _costly(session: Session) -> None:
    """Put schemas that are compiled or applied in a process beside the mock, which the corpus does in its own."""
    wide = {"properties": {f"p{n}": {"type": "integer", "minimum": n} for n in range(3_000)}}
    session.put("wide", schema=wide)
    for payload in ({}, {"p1": 1, "p2999": 2999}, {"p2999": 1}, {"p7": "x"}, 7):
        session.post("wide", payload=payload)
    long = {"type": "array", "items": {"anyOf": [{"type": "string"}, {"multipleOf": 7}]}}
    session.put("long", schema=long)
    payloads: tuple[Any, ...] = ([7] * 20_000, [7] * 20_000 + [8], ["x" * 9] * 9_000, [None] * 12_000)
    for payload in payloads:
        session.post("long", payload=payload)
    nested: Any = {}
    for _ in range(249):
        nested = {"not": nested}
    for depth in range(3):
        session.put(f"nested{depth}", schema=nested)
        session.post(f"nested{depth}", payload=1)
        nested = {"not": nested}
    session.put("text", schema={"type": "string", "maxLength": 100_000})
    session.post("text", payload="x" * 100_000)
    session.post("text", payload="x" * 100_001)
    session.put("big", schema={"enum": ["y" * 80_000]})
    session.post("big", payload="y" * 80_000)
    session.post("big", payload="z" * 80_000)


def versions(session: Session) -> None:
    """Put versions of all kinds, and post to each of them."""
    session.freeze()
    asked: tuple[Any, ...] = (1, 5, 3, 3, 0, 7, 7, 2, 10**12, 4, -1, 10**3999, 10**4000, 1.0, 6.0)
    for variant in ("a", "b", "c", "d"):
        for step in range(14):
            version = session.random.choice((None, None, *asked))
            body: dict[str, Any] = {"schema": session.random.choice(({}, {"type": "object"}, {"minimum": 1}))}
            if version is not None:
                body["version"] = version
            session.put(variant, **body)
            named = session.random.choice((1, 2, 3, 5, 7, step + 1, 2**31 - 1))
            session.post(variant, payload={"n": step})
            session.post(variant, payload={"n": step}, version=named)
    session.records("?take=50")
    session.journal()


def updates(session: Session) -> None:
    """Put the same definition again with one thing changed, some of it not a change at all."""
    session.freeze()
    changes: tuple[dict[str, Any], ...] = (
        {"schema": {"type": "object", "required": ["a", "b"]}},
        {"schema": {"required": ["a", "b"], "type": "object"}},
        {"schema": {"required": ["b", "a"], "type": "object"}},
        {"schema": {"required": ["b", "a"], "type": "object", "title": "T"}},
        {"schema": {"required": ["b", "a"], "type": "object", "title": "U"}},
        {"schema": {"minimum": 1}},
        {"schema": {"minimum": 1.0}},
        {"schema": {"minimum": 1}, "alias": ["x"]},
        {"schema": {"minimum": 1}, "alias": ["x", "y"]},
        {"schema": {"minimum": 1}, "alias": ["y", "x"]},
        {"schema": {"minimum": 1}, "alias": ["x", "x"]},
        {"schema": {"minimum": 1}},
        {"schema": {"minimum": 1}, "alias": []},
        {"schema": {"minimum": 2}, "alias": [], "version": 9},
        {"schema": {"minimum": 3}},
        {"schema": {"minimum": 3}, "version": 2, "unknown": 1},
    )
    for body in (*changes, *changes[:3]):
        session.put("v", **body)
        session.post("v", payload=5)
    for body in session.random.choices(changes, k=40):
        session.put(session.random.choice(("v", "w")), **body)
    session.journal()


def aliases(session: Session) -> None:
    """Give names to definitions, take them away, and post to them."""
    session.freeze()
    names = ("a", "b", "c", "A", "é", "a b", "a/b", "", "v1", "v2", "%", "01", "1")
    for step in range(90):
        variant = session.random.choice(("v1", "v2", "v3", "a", "é", "a/b"))
        alias = session.random.choices(names, k=session.random.randrange(4))
        body: dict[str, Any] = {} if step % 4 == 0 else {"alias": alias}
        session.put(variant, schema={"title": variant}, **body)
        name = session.random.choice(
            ("a", "b", "c", "A", "%C3%A9", "a%20b", "a%2Fb", "v1", "v2", "v3", "%25")
        )
        session.post(name, payload=step)
    session.records("?variant=a&take=50")
    session.records("?variant=v1&take=50")
    session.journal()


SCENES: tuple[Scene, ...] = (
    (Plan("schemas"), schemas),
    (Plan("strict schemas", {"strict_schemas": True}), schemas),
    (Plan("versions"), versions),
    (Plan("updates"), updates),
    (Plan("aliases"), aliases),
)
