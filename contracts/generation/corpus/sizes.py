"""Probes of unusual size: long texts and names, deep nesting, many members and items, and very small values."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any, Final

from .probe import (
    ANY_JSON,
    INGRESS,
    MODACK,
    PUT,
    Good,
    Probe,
    body_with_members,
    body_with_text,
    body_with_value,
    encode,
)

_SMALL_VALUES: Final[tuple[tuple[str, Any], ...]] = (
    ("null", None),
    ("an empty string", ""),
    ("an empty list", []),
    ("an empty object", {}),
    ("false", False),
    ("zero", 0),
    ("a list of null", [None]),
)
"""(what it is, the value)."""


def _nested(depth: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    """Write a text of `depth` levels; objects hold 1 at their deepest."""
    return opening * depth + (b"1" if opening != b"[" else b"") + closing * depth


def size_probes(label: str, good: Good) -> Iterator[Probe]:
    """Make the probes of the group `sizes`, but for the deep and the large ones."""
    takes_any_json = label in ANY_JSON

    def sized(title: str, raw: bytes, must_be_served: bool = False) -> Probe:
        return Probe(title, "sizes", body_with_text(label, good, raw), must_be_served=must_be_served)

    yield sized("a string of 2 KB", encode("s" * 2_000), takes_any_json)
    yield sized("a string of 20,000 bytes", encode("s" * 20_000))
    if label == MODACK:
        for digit, count in (("1", 20), ("9", 40), ("1", 400), ("9", 19), ("0", 1)):
            body = encode({**good, "action_record_id": digit * count})
            yield Probe(f"the action is {count} times {digit}", "sizes", body)
    if label == INGRESS:
        for member in ("payload", "metadata"):
            for words, value in _SMALL_VALUES:
                title = f"{member} is {words}"
                yield Probe(title, "sizes", encode({**good, member: value}), must_be_served=True)
        yield Probe("a tag of 2 KB", "sizes", encode({**good, "tags": {"region": "r" * 2_000}}))
        yield Probe(
            "metadata of 2 KB", "sizes", encode({**good, "metadata": "m" * 2_000}), must_be_served=True
        )
    if label == PUT:
        for words, value in _SMALL_VALUES:
            yield Probe(f"the schema is {words}", "sizes", encode({**good, "schema": value}))
        for schema in (True, {"type": "nothing"}, {"$ref": "#/nowhere"}, {"pattern": "("}):
            yield Probe(f"the schema is {json.dumps(schema)}", "sizes", encode({**good, "schema": schema}))
        yield Probe(
            "a variant of 2 KB", "sizes", encode({**good, "variant": f"{good['variant']}{'v' * 2_000}"})
        )
        yield Probe("an empty variant", "sizes", encode({**good, "variant": ""}))
        yield Probe("an empty alias", "sizes", encode({**good, "alias": [""]}))
    yield sized("a string of 60,000 bytes", encode("s" * 60_000))
    yield sized("a string of 9,000 bytes", encode("s" * 9_000))
    yield sized("a string of 5,000 bytes", encode("s" * 5_000))
    yield sized("a member name of 2 KB", encode({"n" * 2_000: 1}), takes_any_json)
    yield sized("a member name of 60,000 bytes", encode({"n" * 60_000: 1}))
    yield Probe("2 KB of blanks before the body", "sizes", b" " * 2_000 + encode(good), must_be_served=True)
    yield Probe("2 KB of blanks after the body", "sizes", encode(good) + b"\n" * 2_000, must_be_served=True)


_DEPTHS: Final = (
    *((300, "objects"), (50, "lists"), (500, "lists"), (100, "objects"), (30, "lists"), (200, "lists")),
    *((30, "objects"), (300, "lists"), (50, "objects"), (500, "objects"), (100, "lists"), (200, "objects")),
    *((20, "lists"), (1_000, "objects"), (20, "objects"), (1_000, "lists")),
)
"""(levels, what is nested): a server that fails beyond some depth may refuse what is deeper still, so every step is tried; the
first four have something of each."""
_SERVED_LEVELS: Final = 30
"""Levels up to which no parser has a reason to refuse a value: documents of that depth are in daily use."""


def depth_probes(label: str, good: Good) -> Iterator[Probe]:
    """Make the probes of nested values, from 20 levels to 1,000; RFC 8259 §9 lets a parser limit the depth by a refusal."""
    for levels, nested in _DEPTHS:
        text = _nested(levels) if nested == "lists" else _nested(levels, b'{"a":', b"}")
        promised = label in ANY_JSON and levels <= _SERVED_LEVELS
        title = f"{levels:,} {nested} in each other"
        yield Probe(title, "sizes", body_with_text(label, good, text), must_be_served=promised)


def _members(stem: str, count: int) -> dict[str, str]:
    """Make `count` members with names of their own."""
    return {f"{stem}{n}": "v" for n in range(count)}


_TAGS: Final[tuple[tuple[str, dict[str, str], bool], ...]] = (
    ("12 tags", _members("t", 12), True),
    ("no tag at all", {}, True),
    ("an empty tag", {"region": "eu", "tier": ""}, True),
    ("a tag with an empty name", {"": "eu"}, False),
    ("a tag with a dot in its name", {"a.b": "eu", "a": "us"}, False),
    ("a tag with a letter that is not ASCII in its name", {"größe": "l"}, False),
    ("a tag with an emoji in its name", {"😀": "eu"}, False),
    ("a tag called __proto__", {"__proto__": "eu"}, False),
    ("a tag called constructor", {"constructor": "eu"}, False),
    ("a tag with a blank in its name", {"a b": "eu"}, False),
    ("a tag with a sign of the query in its name", {"a=b&c": "eu"}, False),
    ("a tag called null", {"null": "null"}, False),
    ("a tag that looks like a number", {"1": "1"}, False),
    ("tags that differ in case", {"Region": "eu", "region": "us"}, False),
    ("60 tags", _members("t", 60), False),
    ("300 tags", _members("t", 300), False),
)
"""(title, tags, whether the request must be served)."""

_MEMBER_NAMES: Final[tuple[tuple[str, dict[str, Any], bool], ...]] = (
    ("a member called __proto__", {"__proto__": {"a": 1}}, True),
    ("a member with an empty name", {"": 1}, True),
    ("a member called constructor", {"constructor": {"prototype": {"a": 1}}}, True),
    ("a member called hasOwnProperty", {"hasOwnProperty": None}, True),
    ("a member called toString", {"toString": 1, "valueOf": 2, "toJSON": 3}, True),
    ("a member called length", {"length": -1}, True),
    ("a member with a dot in its name", {"a.b": 1, "a": {"b": 2}}, True),
    ("a member with a slash in its name", {"a/b~c": 1}, True),
    ("a member called as a number", {"0": 1, "-1": 2, "1.5": 3}, True),
    ("a member called as the envelope's", {"payload": 1, "data": None, "errors": []}, True),
    ("members that differ in case", {"a": 1, "A": 2}, True),
    ("a member called as a class", {"__class__": 1, "class": 2, "@type": "java.lang.Object"}, False),
    ("a member called $ref", {"$ref": "#/nowhere"}, False),
    ("a member called as an operator", {"$gt": "", "$where": "1"}, False),
)
"""(title, value where the operation takes any JSON, whether the request must be served)."""


def count_probes(label: str, good: Good) -> Iterator[Probe]:
    """Make the probes of the group `counts`: members, items, tags and aliases, many or oddly named."""
    takes_any_json = label in ANY_JSON
    rows: list[list[Probe]] = [
        [
            Probe(
                title,
                "counts",
                body_with_value(label, good, value),
                must_be_served=takes_any_json and promised,
            )
            for title, value, promised in _MEMBER_NAMES
        ],
        [
            Probe(
                "an object of 60 members",
                "counts",
                body_with_value(label, good, _members("m", 60)),
                must_be_served=takes_any_json,
            ),
            Probe(
                "a list of 300 items",
                "counts",
                body_with_value(label, good, list(range(300))),
                must_be_served=takes_any_json,
            ),
            Probe("an object of 300 members", "counts", body_with_value(label, good, _members("m", 300))),
            Probe("a list of 20,000 items", "counts", body_with_value(label, good, [0] * 20_000)),
            Probe("an object of 3,000 members", "counts", body_with_value(label, good, _members("m", 3_000))),
            Probe("a list of 3,000 items", "counts", body_with_value(label, good, [0] * 3_000)),
            Probe("an object of 1,000 members", "counts", body_with_value(label, good, _members("m", 1_000))),
            Probe("60 unknown members", "counts", encode({**_members("x", 60), **good})),
            Probe("300 unknown members", "counts", encode({**good, **_members("x", 300)})),
            Probe(
                "unknown members of odd names", "counts", body_with_members(good, b'"__proto__":{"a":1},"":2')
            ),
        ],
    ]
    if label == INGRESS:
        tagged = ((title, encode({**good, "tags": tags}), promised) for title, tags, promised in _TAGS)
        rows.insert(
            0, [Probe(title, "counts", body, must_be_served=promised) for title, body, promised in tagged]
        )
    if label == PUT:
        rows.append(list(_alias_probes(good)))
    for row in zip_longest(*rows):
        yield from filter(None, row)


def _alias_probes(good: Good) -> Iterator[Probe]:
    stem = good["variant"]
    yield Probe("an alias", "counts", encode({**good, "alias": [f"{stem}.alias"]}), must_be_served=True)
    yield Probe("no alias at all", "counts", encode({**good, "alias": []}), must_be_served=True)
    for count in (12, 60, 300):
        body = encode({**good, "alias": [f"{stem}.alias{n}" for n in range(count)]})
        yield Probe(f"{count} aliases", "counts", body)
    yield Probe("an alias twice", "counts", encode({**good, "alias": [f"{stem}.alias"] * 2}))
    yield Probe("the variant as its own alias", "counts", encode({**good, "alias": [stem]}))


def large_probes(label: str, good: Good) -> Iterator[Probe]:
    """Make the probes that are large, very deep or slow, each when it is asked for, as all of them take 20 MB."""
    values: tuple[tuple[str, str, Callable[[], bytes]], ...] = (
        ("a string of 70 KB", "sizes", lambda: encode("s" * 70_000)),
        ("2,000 lists in each other", "sizes", lambda: _nested(2_000)),
        ("2,000 objects in each other", "sizes", lambda: _nested(2_000, b'{"a":', b"}")),
        ("10,000 lists in each other", "sizes", lambda: _nested(10_000)),
        ("10,000 objects in each other", "sizes", lambda: _nested(10_000, b'{"a":', b"}")),
        ("a string of 300 KB", "sizes", lambda: encode("s" * 300_000)),
        ("a member name of 70 KB", "sizes", lambda: encode({"n" * 70_000: 1})),
        ("a number of 70,000 digits", "numbers", lambda: b"9" * 70_000),
        ("an object of 10,000 members", "counts", lambda: encode(_members("m", 10_000))),
        ("a list of 100,000 items", "counts", lambda: encode([0] * 100_000)),
        ("20,000 emoji", "strings", lambda: encode("😀" * 20_000)),
        ("20,000 marks on one letter", "strings", lambda: encode("a" + "\u0301" * 40_000)),
        ("a string of 1 MB", "sizes", lambda: encode("s" * 1_000_000)),
        ("100,000 lists in each other", "sizes", lambda: _nested(100_000)),
        ("100,000 lists that do not end", "bytes", lambda: b"[" * 100_000),
    )
    if label == INGRESS:
        yield Probe("2,000 tags", "counts", encode({**good, "tags": _members("t", 2_000)}))
        yield Probe("a tag of 70 KB", "sizes", encode({**good, "tags": {"region": "r" * 70_000}}))
    if label == PUT:
        many = [f"{good['variant']}.alias{n}" for n in range(2_000)]
        yield Probe("2,000 aliases", "counts", encode({**good, "alias": many}))
        long = f"{good['variant']}{'v' * 70_000}"
        yield Probe("a variant of 70 KB", "sizes", encode({**good, "variant": long}))
    if label == MODACK:
        body = encode({**good, "action_record_id": "1" * 70_000})
        yield Probe("an action of 70,000 digits", "sizes", body)
    for title, group, raw in values:
        yield Probe(title, group, body_with_text(label, good, raw()))
    text = encode(good)
    yield Probe("70 KB of blanks before the body", "sizes", b" " * 70_000 + text)
    yield Probe("1 MB of blanks after the body", "sizes", text + b" " * 1_000_000)
    chunks = (1,) * 70_000
    yield Probe("70,000 chunks", "chunking", text.ljust(70_000), chunks=chunks)
    packed = gzip.compress(text.ljust(8 << 20), mtime=0)
    coding = (("content-encoding", "gzip"),)
    yield Probe("8 MB of blanks in gzip", "encodings", packed, coding)
    yield Probe("1 MB of zeros", "bytes", b"\x00" * 1_000_000)


__all__ = ["count_probes", "depth_probes", "large_probes", "size_probes"]
