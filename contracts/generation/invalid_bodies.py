"""Bodies that break one keyword of a request's schema at one place, made from the schema itself.

Each body is checked against the schema before it is yielded, so it is invalid for certain.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from .examples import SAMPLES, example_of, reference_of, schemas_at
from .invalid_values import BREAKING, OF_EVERY_TYPE, Breaking, Described
from .validity import (
    SATISFIED,
    Resolve,
    Schema,
    broken_keywords,
    is_of_type,
    is_valid,
    with_format_bounds,
)


@dataclass(frozen=True, slots=True)
class InvalidBody:
    """A good body but for one keyword at one place."""

    place: str
    """Such as `attempt`, `tags/*` for any member, `alias/0`; empty for the body itself."""
    keyword: str
    """As in the document; the bounds of `format: int32` and `int64` are `minimum` and `maximum`."""
    body: Any
    title: str
    """As `attempt is a string of digits`."""


def invalid_bodies(schema: Schema, resolve: Resolve, good: Mapping[str, Any]) -> Iterator[InvalidBody]:
    """Make invalid bodies out of a good one: first the most telling body for every pair of place and keyword, then the next
    for every pair, and so on."""
    found: dict[tuple[str, str], dict[str, InvalidBody]] = {}
    for place in _places(schema, resolve, good):
        for invalid in _bodies_at(place, resolve):
            if not is_valid(schema, invalid.body, resolve):
                pair = found.setdefault((invalid.place, invalid.keyword), {})
                pair.setdefault(json.dumps(invalid.body), invalid)
    for row in zip_longest(*(pair.values() for pair in found.values())):
        yield from (invalid for invalid in row if invalid is not None)


def breakable_keywords(schema: Schema, resolve: Resolve) -> list[tuple[str, str]]:
    """List the (place, keyword) pairs that a body can break, whether `invalid_bodies` has a body for the pair or not."""
    pairs = (pair for place in _places(schema, resolve, None) for pair in _keywords_at(place))
    return list(dict.fromkeys(pairs))


# Places


@dataclass(frozen=True, slots=True)
class _Place:
    """A part of a body: the schemas that hold there, and a value that satisfies them."""

    name: str
    schemas: tuple[Schema, ...]
    """What stands there, what it refers to and its `allOf`."""
    good: Any
    body_with: Callable[[Any], Any]
    """The good body with another value here."""
    references: frozenset[str]
    """Those that led here: a schema that contains itself is entered once."""

    def under(self, name: str) -> str:
        """Name a place below."""
        return f"{self.name}/{name}" if self.name else name


@dataclass(frozen=True, slots=True)
class _Step:
    """One step down from a place."""

    name: str
    schema: Schema
    good: Any
    """None when nothing is there."""
    body_with: Callable[[Any], Any]


def _places(schema: Schema, resolve: Resolve, good: Any) -> Iterator[_Place]:
    """Find the places of a body, from the outside in; with `good` None, places have examples instead of its parts."""
    yield from _places_from("", schema, resolve, good, lambda value: value, frozenset())


def _places_from(
    name: str,
    schema: Schema,
    resolve: Resolve,
    good: Any,
    body_with: Callable[[Any], Any],
    references: frozenset[str],
) -> Iterator[_Place]:
    if not reference_of(schema).isdisjoint(references):
        return
    schemas = tuple(schemas_at(schema, resolve))
    entered = references.union(*map(reference_of, schemas))
    value = example_of(schema, resolve) if good is None else good
    place = _Place(name, schemas, value, body_with, entered)
    yield place
    for step in _steps_down(place, resolve):
        under = place.under(step.name)
        yield from _places_from(under, step.schema, resolve, step.good, step.body_with, entered)


def _steps_down(place: _Place, resolve: Resolve) -> Iterator[_Step]:
    named = {name for schema in place.schemas for name in schema.get("properties", {})}
    for schema in place.schemas:
        for name, member in schema.get("properties", {}).items():
            if isinstance(member, Mapping):
                yield _to_member(place, name, name, member, resolve)
        others, items = schema.get("additionalProperties"), schema.get("items")
        if isinstance(others, Mapping):
            present = (name for name in _good_of_type("object", place, resolve) if name not in named)
            yield _to_member(place, "*", next(present, "region"), others, resolve)
        if isinstance(items, Mapping):
            yield _to_first_item(place, items, resolve)


def _to_first_item(place: _Place, schema: Schema, resolve: Resolve) -> _Step:
    good = _good_of_type("array", place, resolve)
    return _Step("0", schema, next(iter(good), None), lambda value: place.body_with([value, *good[1:]]))


def _to_member(place: _Place, step: str, name: str, schema: Schema, resolve: Resolve) -> _Step:
    good = _good_of_type("object", place, resolve)
    return _Step(step, schema, good.get(name), lambda value: place.body_with({**good, name: value}))


def _good_of_type(name: str, place: _Place, resolve: Resolve) -> Any:
    """Give the good value if it has this type, else one that may stand there and has."""
    if is_of_type(name, place.good):
        return place.good
    value = example_of({"allOf": list(place.schemas), "type": name}, resolve)
    return value if is_of_type(name, value) else SAMPLES[name]


def _keywords_at(place: _Place) -> Iterator[tuple[str, str]]:
    for schema in place.schemas:
        for keyword, argument in _assertions(schema):
            if keyword == "required":
                yield from ((place.under(name), keyword) for name in argument)
            else:
                yield place.name, keyword


def _assertions(schema: Schema) -> Iterator[tuple[str, Any]]:
    """Find the keywords of a schema that a value can break by itself, as (keyword, argument)."""
    for keyword, argument in with_format_bounds(schema).items():
        applied = keyword in ("additionalProperties", "items", "unevaluatedItems", "unevaluatedProperties")
        idle = argument == 0 and keyword in ("minLength", "minItems", "minProperties", "uniqueItems")
        if (keyword in _ASSERTIONS and not idle) or (applied and argument is False):
            yield keyword, argument


_WITHOUT_BODIES: Final = (
    *("not", "if", "contains", "patternProperties", "dependentRequired", "dependentSchemas", "prefixItems"),
    *("unevaluatedItems", "unevaluatedProperties"),
)
"""Keywords that a value can break and for which no body is made: `breakable_keywords` names them, so that this shows."""
_ASSERTIONS: Final = (SATISFIED.keys() | set(_WITHOUT_BODIES)) - {"items", "properties", "allOf", "$ref"}
"""Keywords that say something of a value themselves, and not by schemas below."""


# Bodies


_MOST_BODIES: Final = 24
"""Bodies for a pair of place and keyword: what follows repeats what was shown."""
_MOST_OF_A_BRANCH: Final = 40
"""Near misses of one branch of `anyOf`: branches take turns, so further ones would not be reached."""


def _bodies_at(place: _Place, resolve: Resolve) -> Iterator[InvalidBody]:
    for schema in place.schemas:
        for keyword, argument in _assertions(schema):
            if keyword == "required":
                yield from _without_members(place, argument, resolve)
            elif keyword in _BREAKING:
                for words, value in _telling_values(place, keyword, argument, resolve):
                    title = f"{place.name or 'the body'} is {words}"
                    yield InvalidBody(place.name, keyword, place.body_with(value), title)


def _without_members(place: _Place, names: Iterable[str], resolve: Resolve) -> Iterator[InvalidBody]:
    """Leave out each member in turn, then misspell it where an unknown member is allowed."""
    good = _good_of_type("object", place, resolve)
    for name in names:
        at, others = place.under(name), {k: v for k, v in good.items() if k != name}
        yield InvalidBody(at, "required", place.body_with(others), f"{at} is absent")
        if any(schema.get("additionalProperties", True) is not True for schema in place.schemas):
            continue
        other = name.upper() if name.upper() != name else name.lower()
        misspelled = {**others, other: good.get(name)}
        yield InvalidBody(at, "required", place.body_with(misspelled), f"{at} is called {other}")


def _telling_values(place: _Place, keyword: str, argument: Any, resolve: Resolve) -> Iterable[Described]:
    """List the values that break this keyword alone, or when there are none those that break others with it."""
    breaking: dict[str, Described] = {}
    breaking_alone: dict[str, Described] = {}
    for words, value in _BREAKING[keyword](argument, place.good, resolve):
        broken = {name for one in place.schemas for name in broken_keywords(one, value, resolve)}
        broken -= {"allOf", "$ref"}
        if keyword in broken:
            breaking.setdefault(json.dumps(value), (words, value))
        if broken == {keyword}:
            breaking_alone.setdefault(json.dumps(value), (words, value))
    return list((breaking_alone or breaking).values())[:_MOST_BODIES]


def _of_no_branch(branches: Any, good: Any, resolve: Resolve) -> Iterable[Described]:
    """Make near misses of the branches in turn, then values of every type."""
    near: list[list[Described]] = []
    for branch in branches:
        if isinstance(branch, Mapping):
            around = good if is_valid(branch, good, resolve) else None
            places = [place for place in _places(branch, resolve, around) if not _has_branches(place)]
            bodies = [(one.title, one.body) for place in places for one in _bodies_at(place, resolve)]
            near.append(bodies[:_MOST_OF_A_BRANCH])
    yield from (value for row in zip_longest(*near) for value in row if value is not None)
    yield from OF_EVERY_TYPE


def _has_branches(place: _Place) -> bool:
    return any("anyOf" in schema or "oneOf" in schema for schema in place.schemas)


_BREAKING: Final[dict[str, Breaking]] = {**BREAKING, "anyOf": _of_no_branch, "oneOf": _of_no_branch}


__all__ = ["InvalidBody", "breakable_keywords", "invalid_bodies"]
