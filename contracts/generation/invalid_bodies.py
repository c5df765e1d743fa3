"""Bodies that break one keyword of a request's schema at one place, made from the schema itself.

Whatever is made is read against the schema once more, so a body that is yielded is surely invalid.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any, Final

from .examples import _SAMPLES, _holding, _references, made
from .validity import _KEEPS, Resolve, Schema, Value, _bounded, _broken, _fits, _is, _kinds


@dataclass(frozen=True, slots=True)
class Negative:
    """A good body but for one keyword at one place."""

    place: str
    """Such as `attempt`, `tags/*` for any member, `alias/0`; empty for the body itself."""
    keyword: str
    """As in the document; the bounds of `format: int32` and `int64` are `minimum` and `maximum`."""
    body: Any
    title: str
    """As `attempt is a string of digits`."""


def negatives(schema: Schema, resolve: Resolve, good: Mapping[str, Any]) -> Iterator[Negative]:
    """For every pair of place and keyword the most telling body, then for every pair the next one, and so on."""
    found: dict[tuple[str, str], dict[str, Negative]] = {}
    for place in _places(schema, resolve, good):
        for negative in _of(place, resolve):
            if not _fits(schema, negative.body, resolve):
                pair = found.setdefault((negative.place, negative.keyword), {})
                pair.setdefault(json.dumps(negative.body), negative)
    for row in zip_longest(*(pair.values() for pair in found.values())):
        yield from (negative for negative in row if negative is not None)


def keywords(schema: Schema, resolve: Resolve) -> list[tuple[str, str]]:
    """Every pair of place and keyword that a body can break, whether `negatives` has a body for it or not."""
    pairs = (pair for place in _places(schema, resolve, None) for pair in _pairs(place))
    return list(dict.fromkeys(pairs))


# --- places


@dataclass(frozen=True, slots=True)
class _Place:
    """Somewhere in a body, the schemas that hold there, and a value that keeps them."""

    name: str
    schemas: tuple[Schema, ...]
    """What stands there, what it refers to and its `allOf`."""
    good: Any
    within: Callable[[Any], Any]
    """The good body with another value here."""
    references: frozenset[str]
    """Those that led here: a schema that contains itself is entered once."""

    def under(self, name: str) -> str:
        """The name of a place below."""
        return f"{self.name}/{name}" if self.name else name


def _places(schema: Schema, resolve: Resolve, good: Any) -> Iterator[_Place]:
    yield from _from("", schema, resolve, good, lambda value: value, frozenset())


def _from(
    name: str,
    schema: Schema,
    resolve: Resolve,
    good: Any,
    within: Callable[[Any], Any],
    references: frozenset[str],
) -> Iterator[_Place]:
    if not _references(schema).isdisjoint(references):
        return
    schemas = tuple(_holding(schema, resolve))
    known = references.union(*map(_references, schemas))
    value = made(schema, resolve) if good is None else good
    place = _Place(name, schemas, value, within, known)
    yield place
    for below in _below(place, resolve):
        yield from _from(place.under(below.step), below.schema, resolve, below.good, below.within, known)


@dataclass(frozen=True, slots=True)
class _Step:
    """One step down from a place."""

    step: str
    schema: Schema
    good: Any
    """None when nothing is there."""
    within: Callable[[Any], Any]


def _below(place: _Place, resolve: Resolve) -> Iterator[_Step]:
    named = {name for schema in place.schemas for name in schema.get("properties", {})}
    for schema in place.schemas:
        for name, member in schema.get("properties", {}).items():
            if isinstance(member, Mapping):
                yield _member(place, name, name, member, resolve)
        others, items = schema.get("additionalProperties"), schema.get("items")
        if isinstance(others, Mapping):
            known = (name for name in _like("object", place, resolve) if name not in named)
            yield _member(place, "*", next(known, "region"), others, resolve)
        if isinstance(items, Mapping):
            yield _item(place, items, resolve)


def _item(place: _Place, schema: Schema, resolve: Resolve) -> _Step:
    good = _like("array", place, resolve)
    return _Step("0", schema, next(iter(good), None), lambda value: place.within([value, *good[1:]]))


def _member(place: _Place, step: str, name: str, schema: Schema, resolve: Resolve) -> _Step:
    good = _like("object", place, resolve)
    return _Step(step, schema, good.get(name), lambda value: place.within({**good, name: value}))


def _like(kind: str, place: _Place, resolve: Resolve) -> Any:
    """The good value if it is of a kind, else one that may stand there and is."""
    if _is(kind, place.good):
        return place.good
    value = made({"allOf": list(place.schemas), "type": kind}, resolve)
    return value if _is(kind, value) else _SAMPLES[kind]


def _pairs(place: _Place) -> Iterator[tuple[str, str]]:
    for schema in place.schemas:
        for keyword, argument in _asserted(schema):
            if keyword == "required":
                yield from ((place.under(name), keyword) for name in argument)
            else:
                yield place.name, keyword


def _asserted(schema: Schema) -> Iterator[tuple[str, Any]]:
    """The keywords that something can break by itself, and their arguments."""
    for keyword, argument in _bounded(schema).items():
        applied = keyword in ("additionalProperties", "items", "unevaluatedItems", "unevaluatedProperties")
        idle = argument == 0 and keyword in ("minLength", "minItems", "minProperties", "uniqueItems")
        if (keyword in _ASSERTIONS and not idle) or (applied and argument is False):
            yield keyword, argument


_UNTRIED: Final = (
    *("not", "if", "contains", "patternProperties", "dependentRequired", "dependentSchemas", "prefixItems"),
    *("unevaluatedItems", "unevaluatedProperties"),
)


# --- which values keep a schema


_ASSERTIONS: Final = (_KEEPS.keys() | set(_UNTRIED)) - {"items", "properties", "allOf", "$ref"}


# --- values that keep a schema


# --- values that break a keyword

_EVERY: Final[tuple[Value, ...]] = (
    ("null", None),
    ("a string", "a"),
    ("true", True),
    ("an empty list", []),
    ("a number", 7),
    ("an empty object", {}),
    ("a fraction", 1.5),
    ("false", False),
    ("zero", 0),
    ("an empty string", ""),
    ("a list of null", [None]),
)
"""A few of every type."""


def _other_types(kinds: Any, good: Any, resolve: Resolve) -> Iterable[Value]:
    near = [_near(kind, good) for kind in _kinds({"type": kinds})]
    first, *others = chain.from_iterable(near)
    return (first, ("null", None), *others, *_EVERY, ("an object with the good value", {"value": good}))


def _near(kind: str, good: Any) -> tuple[Value, ...]:
    """What lenient readers take for a type that it is not."""
    value = good if _is(kind, good) else _SAMPLES[kind]
    return (*_NEAR[kind](value), ("the good value in a list", [value]))


_DIGITS: Final = re.compile("[0-9]{1,4000}", re.ASCII)
_FOR_NUMBERS: Final[tuple[Value, ...]] = (
    *(("true", True), ("an empty string", ""), ("a word", "one"), ("a string of hexadecimal digits", "0x1")),
)
_NEAR: Final[dict[str, Callable[[Any], tuple[Value, ...]]]] = {
    "integer": lambda good: (
        *(("a string of digits", str(good)), ("an integer and a half", good + 0.5), *_FOR_NUMBERS),
        ("a string of digits after a blank", f" {good}"),
    ),
    "number": lambda good: (("a number in a string", str(good)), *_FOR_NUMBERS),
    "string": lambda good: (
        ("its digits as a number", int(good)) if _DIGITS.fullmatch(good) else ("a number", 7),
    ),
    "array": lambda good: (
        *(("its only item", good[0] if good else "a"), ("a string with commas", "a,b")),
        *(("an object of its items", {str(n): item for n, item in enumerate(good)}),),
        ("a list in a string", json.dumps(good)),
    ),
    "object": lambda good: (
        *(
            ("an object in a list", [good]),
            ("an object in a string", json.dumps(good)),
            ("pairs in a string", "a=b"),
            ("an empty list", []),
        ),
        ("a list of pairs", [list(pair) for pair in good.items()]),
    ),
    "boolean": lambda _: (("the word true", "true"), ("one", 1), ("zero", 0), ("the word no", "no")),
    "null": lambda _: (("the word null", "null"),),
}


def _other_values(values: Any, good: Any, resolve: Resolve) -> Iterable[Value]:
    texts = [value for value in values if isinstance(value, str)]
    yield from ((f"{text!r} in capitals", text.upper()) for text in texts)
    yield from ((f"{text!r} with a blank", f"{text} ") for text in texts)
    yield from ((f"{text!r} and a letter", f"{text}x") for text in texts)
    yield from ((f"{value} and one", value + 1) for value in values if _is("number", value))
    yield from ((f"not {json.dumps(value)}", not value) for value in values if isinstance(value, bool))
    yield "an empty string", ""
    yield "all of them in a string", ",".join(texts)
    yield from _EVERY


def _unlike(pattern: Any, good: Any, resolve: Resolve) -> Iterable[Value]:
    text = good if isinstance(good, str) and good else "1"
    yield "in full-width digits", _in_digits(text, 0xFF10)
    yield "the good value and a newline", f"{text}\n"
    yield "an empty string", ""
    yield "letters", "abc"
    yield "in Arabic-Indic digits", _in_digits(text, 0x660)
    yield "the good value after a blank", f" {text}"
    yield "the good value and a blank", f"{text} "
    yield "the good value and a letter", f"{text}a"
    yield "in Devanagari digits", _in_digits(text, 0x966)
    yield "the good value after a minus sign", f"-{text}"
    yield "the good value after a plus sign", f"+{text}"
    yield "the good value with a point", f"{text}.0"
    yield "the good value in hexadecimal", f"{int(text):#x}" if _DIGITS.fullmatch(text) else "0x1"
    yield "the good value with an exponent", f"{text}e0"
    yield "the good value after a newline", f"\n{text}"
    yield "the good value and a line of letters", f"{text}\nabc"
    yield "a line of letters and the good value", f"abc\n{text}"
    yield "the good value and a null character", f"{text}\x00"
    yield "the good value and a no-width space", f"{text}\u200b"
    yield "the good value and a no-break space", f"{text}\xa0"
    yield "the good value and a raised two", f"{text}²"
    yield "the good value with a comma", f"{text},000"
    yield "the good value twice with a blank", f"{text} {text}"
    yield "in capitals", text.upper()
    yield "in small letters", text.lower()
    yield "a sign", "!"
    yield "a blank", " "


def _in_digits(text: str, zero: int) -> str:
    return "".join(chr(ord(c) - ord("0") + zero) if "0" <= c <= "9" else c for c in text)


def _below_minimum(least: Any, good: Any, resolve: Resolve) -> Iterable[Value]:
    for number in (
        least - 1,
        -1,
        0,
        -(2**31),
        -(2**31) - 1,
        -(2**63),
        -(2**63) - 1,
        -(10**30),
    ):
        yield str(number), number
    yield f"{least - 1} with a point", float(least - 1)
    yield f"{least - 0.5}", least - 0.5


def _above_maximum(most: Any, good: Any, resolve: Resolve) -> Iterable[Value]:
    turns = [turn + good for turn in (2**32, 2**64) if _is("integer", good)]
    for number in (most + 1, *turns, 2**53, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30):
        yield str(number), number
    yield f"{most + 1} with a point", float(most + 1)
    yield "1e+300", 1e300
    yield f"{most + 0.5}", most + 0.5


def _off_step(step: Any, good: Any, resolve: Resolve) -> Iterable[Value]:
    base = good if _is("number", good) else step
    for part in (1, 0.5, 0.1, -1, step / 2):
        yield f"{base + part}", base + part


def _too_short(least: Any, good: Any, resolve: Resolve) -> Iterable[Value]:
    text = good if isinstance(good, str) else "a" * least
    yield f"{least - 1} characters", text[: least - 1] if least > 1 else ""
    yield f"{least - 1} characters beyond 16 bits", "😀" * (least - 1)
    yield "an empty string", ""


def _too_long(most: Any, good: Any, resolve: Resolve) -> Iterable[Value]:
    text = good if isinstance(good, str) and good else "a"
    yield f"{most + 1} characters", text.ljust(most + 1, text[-1])
    yield f"{most + 1} letters", "a" * (most + 1)
    yield f"{most + 1} blanks", " " * (most + 1)
    yield f"{most + 100} characters", text.ljust(most + 100, text[-1])


def _too_few_items(least: Any, good: Any, resolve: Resolve) -> Iterable[Value]:
    yield f"{least - 1} items", good[: least - 1] if isinstance(good, list) else []
    yield "an empty list", []


def _too_many_items(most: Any, good: Any, resolve: Resolve) -> Iterable[Value]:
    items = good if isinstance(good, list) and good else ["a"]
    stem = items[-1]
    more = [*items, *(_another(stem, n) for n in range(most + 1))]
    yield f"{most + 1} items", more[: most + 1]
    yield f"{most + 1} equal items", [stem] * (most + 1)


def _another(value: Any, number: int) -> Any:
    """A value of the same type that is another one for each number."""
    if isinstance(value, str):
        return f"{value}{number}"
    return value + 1 + number if _is("number", value) else value


def _repeated(unique: Any, good: Any, resolve: Resolve) -> Iterable[Value]:
    item = good[0] if isinstance(good, list) and good else "a"
    yield "an item twice", [item, item]
    if isinstance(item, int) and not isinstance(item, bool):
        yield "an item twice, once with a point", [item, float(item)]
    if isinstance(item, Mapping):
        yield "an item twice, its members turned round", [item, dict(reversed(list(item.items())))]
    yield "the good list twice", [*good, *good] if isinstance(good, list) else [item, item]


def _too_few_members(least: Any, good: Any, resolve: Resolve) -> Iterable[Value]:
    yield f"{least - 1} members", dict(list(good.items())[: least - 1]) if isinstance(good, Mapping) else {}
    yield "an empty object", {}


def _too_many_members(most: Any, good: Any, resolve: Resolve) -> Iterable[Value]:
    members = dict(good) if isinstance(good, Mapping) else {}
    value = next(iter(members.values()), "a")
    yield f"{most + 1} members", {**members, **{f"m{n}": value for n in range(most + 1 - len(members))}}


def _misnamed(below: Any, good: Any, resolve: Resolve) -> Iterable[Value]:
    members = dict(good) if isinstance(good, Mapping) else {}
    value = next(iter(members.values()), "a")
    for name in ("", "A B", "é", "a", "Z", "1", "_", "a.b", "n" * 300, "a\n", "__proto__"):
        if not _fits(below, name, resolve):
            yield f"an object with a member called {name[:20]!r}", {**members, name: value}


def _unknown(_: Any, good: Any, resolve: Resolve) -> Iterable[Value]:
    members = dict(good) if isinstance(good, Mapping) else {}
    for name in (
        "x",
        "__proto__",
        "",
        *(name.upper() for name in members),
        *(f"{name} " for name in members),
    ):
        if name not in members:
            yield f"an object with an unknown member {name!r}", {**members, name: 1}


def _with_items(_: Any, good: Any, resolve: Resolve) -> Iterable[Value]:
    yield from (("a list of one", [1]), ("a list of null", [None]), ("a list of two", ["a", "b"]))


def _of_no_branch(branches: Any, good: Any, resolve: Resolve) -> Iterable[Value]:
    """Near misses of the branches in turn, then a few of every type."""
    near = []
    for branch in branches:
        if isinstance(branch, Mapping):
            around = good if _fits(branch, good, resolve) else None
            places = [place for place in _places(branch, resolve, around) if not _branches(place)]
            near.append([(one.title, one.body) for place in places for one in _of(place, resolve)][:40])
    yield from (value for row in zip_longest(*near) for value in row if value is not None)
    yield from _EVERY


def _branches(place: _Place) -> bool:
    return any("anyOf" in schema or "oneOf" in schema for schema in place.schemas)


_Breaking = Callable[[Any, Any, Resolve], Iterable[Value]]
_BREAKING: Final[dict[str, _Breaking]] = {
    "type": _other_types,
    "enum": _other_values,
    "const": lambda only, good, resolve: _other_values([only], good, resolve),
    "pattern": _unlike,
    "minimum": _below_minimum,
    "maximum": _above_maximum,
    "exclusiveMinimum": lambda limit, good, resolve: (
        (str(limit), limit),
        *_below_minimum(limit, good, resolve),
    ),
    "exclusiveMaximum": lambda limit, good, resolve: (
        (str(limit), limit),
        *_above_maximum(limit, good, resolve),
    ),
    "multipleOf": _off_step,
    "minLength": _too_short,
    "maxLength": _too_long,
    "minItems": _too_few_items,
    "maxItems": _too_many_items,
    "uniqueItems": _repeated,
    "items": _with_items,
    "minProperties": _too_few_members,
    "maxProperties": _too_many_members,
    "propertyNames": _misnamed,
    "additionalProperties": _unknown,
    "anyOf": _of_no_branch,
    "oneOf": _of_no_branch,
}
_AT_MOST: Final = 24
"""Bodies for a pair of place and keyword."""


def _of(place: _Place, resolve: Resolve) -> Iterator[Negative]:
    for schema in place.schemas:
        for keyword, argument in _asserted(schema):
            if keyword == "required":
                yield from _absent(place, argument, resolve)
            elif keyword in _BREAKING:
                for words, value in _telling(place, schema, keyword, argument, resolve):
                    title = f"{place.name or 'the body'} is {words}"
                    yield Negative(place.name, keyword, place.within(value), title)


def _absent(place: _Place, names: Iterable[str], resolve: Resolve) -> Iterator[Negative]:
    good = _like("object", place, resolve)
    for name in names:
        at, others = place.under(name), {k: v for k, v in good.items() if k != name}
        yield Negative(at, "required", place.within(others), f"{at} is absent")
        if any(schema.get("additionalProperties", True) is not True for schema in place.schemas):
            continue
        other = name.upper() if name.upper() != name else name.lower()
        misspelled = {**others, other: good.get(name)}
        yield Negative(at, "required", place.within(misspelled), f"{at} is called {other}")


def _telling(place: _Place, schema: Schema, keyword: str, argument: Any, resolve: Resolve) -> Iterable[Value]:
    """The values that break this keyword and no other one there, or if there are none those that break this one."""
    told: dict[str, Value] = {}
    cleanly: dict[str, Value] = {}
    for words, value in _BREAKING[keyword](argument, place.good, resolve):
        broken = {name for one in place.schemas for name in _broken(one, value, resolve)} - {"allOf", "$ref"}
        if keyword in broken:
            told.setdefault(json.dumps(value), (words, value))
        if broken == {keyword}:
            cleanly.setdefault(json.dumps(value), (words, value))
    return list((cleanly or told).values())[:_AT_MOST]


__all__ = ["Negative", "keywords", "negatives"]
