"""Bodies, names and lists of unusual size."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any, Final

from .probe import (
    _INGRESS,
    _MODACK,
    _PUT,
    _ROOMS,
    Good,
    Probe,
    _filled,
    _more,
    _text,
    _with,
)

_SMALL: Final[tuple[tuple[str, Any], ...]] = (
    ("null", None),
    ("an empty string", ""),
    ("an empty list", []),
    ("an empty object", {}),
    ("false", False),
    ("zero", 0),
    ("a list of null", [None]),
)


def _nested(depth: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    return opening * depth + (b"1" if opening != b"[" else b"") + closing * depth


def _sizes(label: str, good: Good) -> Iterator[Probe]:
    serve = label in _ROOMS

    def sized(title: str, raw: bytes, serve: bool = False) -> Probe:
        return Probe(title, "sizes", _filled(label, good, raw), serve=serve)

    yield sized("a string of 2 KB", _text("s" * 2_000), serve)
    yield sized("200 lists in each other", _nested(200))
    yield sized("30 lists in each other", _nested(30), serve)
    if label == _MODACK:
        for digit, count in (("1", 20), ("9", 40), ("1", 400), ("9", 19), ("0", 1)):
            body = _text({**good, "action_record_id": digit * count})
            yield Probe(f"the action is {count} times {digit}", "sizes", body)
    if label == _INGRESS:
        for member in ("payload", "metadata"):
            for words, value in _SMALL:
                title = f"{member} is {words}"
                yield Probe(title, "sizes", _text({**good, member: value}), serve=True)
        yield Probe("a tag of 2 KB", "sizes", _text({**good, "tags": {"region": "r" * 2_000}}))
        yield Probe("metadata of 2 KB", "sizes", _text({**good, "metadata": "m" * 2_000}), serve=True)
    if label == _PUT:
        for words, value in _SMALL:
            yield Probe(f"the schema is {words}", "sizes", _text({**good, "schema": value}))
        for schema in (True, {"type": "nothing"}, {"$ref": "#/nowhere"}, {"pattern": "("}):
            yield Probe(f"the schema is {json.dumps(schema)}", "sizes", _text({**good, "schema": schema}))
        yield Probe(
            "a variant of 2 KB", "sizes", _text({**good, "variant": f"{good['variant']}{'v' * 2_000}"})
        )
        yield Probe("an empty variant", "sizes", _text({**good, "variant": ""}))
        yield Probe("an empty alias", "sizes", _text({**good, "alias": [""]}))
    yield sized("100 lists in each other", _nested(100))
    yield sized("30 objects in each other", _nested(30, b'{"a":', b"}"), serve)
    yield sized("100 objects in each other", _nested(100, b'{"a":', b"}"))
    yield sized("200 objects in each other", _nested(200, b'{"a":', b"}"))
    yield sized("a string of 60,000 bytes", _text("s" * 60_000))
    yield sized("a member name of 2 KB", _text({"n" * 2_000: 1}), serve)
    yield sized("a member name of 60,000 bytes", _text({"n" * 60_000: 1}))
    yield Probe("2 KB of blanks before the body", "sizes", b" " * 2_000 + _text(good), serve=True)
    yield Probe("2 KB of blanks after the body", "sizes", _text(good) + b"\n" * 2_000, serve=True)


def _named(stem: str, count: int) -> dict[str, str]:
    return {f"{stem}{n}": "v" for n in range(count)}


_TAGS: Final[tuple[tuple[str, dict[str, str], bool], ...]] = (
    ("12 tags", _named("t", 12), True),
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
    ("60 tags", _named("t", 60), False),
    ("300 tags", _named("t", 300), False),
)


_NAMES: Final[tuple[tuple[str, dict[str, Any], bool], ...]] = (
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


def _counts(label: str, good: Good) -> Iterator[Probe]:
    serve = label in _ROOMS
    rows: list[list[Probe]] = [
        [
            Probe(title, "counts", _with(label, good, value), serve=serve and promised)
            for title, value, promised in _NAMES
        ],
        [
            Probe("an object of 60 members", "counts", _with(label, good, _named("m", 60)), serve=serve),
            Probe("a list of 300 items", "counts", _with(label, good, list(range(300))), serve=serve),
            Probe("an object of 300 members", "counts", _with(label, good, _named("m", 300))),
            Probe("60 unknown members", "counts", _text({**_named("x", 60), **good})),
            Probe("300 unknown members", "counts", _text({**good, **_named("x", 300)})),
            Probe("unknown members of odd names", "counts", _more(good, b'"__proto__":{"a":1},"":2')),
        ],
    ]
    if label == _INGRESS:
        tagged = ((title, _text({**good, "tags": tags}), promised) for title, tags, promised in _TAGS)
        rows.insert(0, [Probe(title, "counts", body, serve=promised) for title, body, promised in tagged])
    if label == _PUT:
        rows.append(list(_aliases(good)))
    for row in zip_longest(*rows):
        yield from filter(None, row)


def _aliases(good: Good) -> Iterator[Probe]:
    stem = good["variant"]
    yield Probe("an alias", "counts", _text({**good, "alias": [f"{stem}.alias"]}), serve=True)
    yield Probe("no alias at all", "counts", _text({**good, "alias": []}), serve=True)
    for count in (12, 60, 300):
        body = _text({**good, "alias": [f"{stem}.alias{n}" for n in range(count)]})
        yield Probe(f"{count} aliases", "counts", body)
    yield Probe("an alias twice", "counts", _text({**good, "alias": [f"{stem}.alias"] * 2}))
    yield Probe("the variant as its own alias", "counts", _text({**good, "alias": [stem]}))


def _large(label: str, good: Good) -> Iterator[Probe]:
    rooms: tuple[tuple[str, str, Callable[[], bytes]], ...] = (
        ("a string of 70 KB", "sizes", lambda: _text("s" * 70_000)),
        ("2,000 lists in each other", "sizes", lambda: _nested(2_000)),
        ("2,000 objects in each other", "sizes", lambda: _nested(2_000, b'{"a":', b"}")),
        ("a member name of 70 KB", "sizes", lambda: _text({"n" * 70_000: 1})),
        ("a number of 70,000 digits", "numbers", lambda: b"9" * 70_000),
        ("an object of 10,000 members", "counts", lambda: _text(_named("m", 10_000))),
        ("a list of 100,000 items", "counts", lambda: _text([0] * 100_000)),
        ("20,000 emoji", "strings", lambda: _text("😀" * 20_000)),
        ("20,000 marks on one letter", "strings", lambda: _text("a" + "\u0301" * 40_000)),
        ("a string of 1 MB", "sizes", lambda: _text("s" * 1_000_000)),
        ("100,000 lists in each other", "sizes", lambda: _nested(100_000)),
        ("100,000 lists that do not end", "bytes", lambda: b"[" * 100_000),
    )
    if label == _INGRESS:
        yield Probe("2,000 tags", "counts", _text({**good, "tags": _named("t", 2_000)}), large=True)
        yield Probe("a tag of 70 KB", "sizes", _text({**good, "tags": {"region": "r" * 70_000}}), large=True)
    if label == _PUT:
        many = [f"{good['variant']}.alias{n}" for n in range(2_000)]
        yield Probe("2,000 aliases", "counts", _text({**good, "alias": many}), large=True)
        long = f"{good['variant']}{'v' * 70_000}"
        yield Probe("a variant of 70 KB", "sizes", _text({**good, "variant": long}), large=True)
    if label == _MODACK:
        body = _text({**good, "action_record_id": "1" * 70_000})
        yield Probe("an action of 70,000 digits", "sizes", body, large=True)
    for title, group, raw in rooms:
        yield Probe(title, group, _filled(label, good, raw()), large=True)
    text = _text(good)
    yield Probe("70 KB of blanks before the body", "sizes", b" " * 70_000 + text, large=True)
    yield Probe("1 MB of blanks after the body", "sizes", text + b" " * 1_000_000, large=True)
    chunks = (1,) * 70_000
    yield Probe("70,000 chunks", "chunking", text.ljust(70_000), chunks=chunks, large=True)
    packed = gzip.compress(text.ljust(8 << 20), mtime=0)
    coding = (("content-encoding", "gzip"),)
    yield Probe("8 MB of blanks in gzip", "encodings", packed, coding, large=True)
    yield Probe("1 MB of zeros", "bytes", b"\x00" * 1_000_000, large=True)


__all__ = []
