"""Values that break a keyword, the most telling first: what lenient readers take for a value that it is not.

Some of them satisfy the keyword after all, as a schema may be unusual; `invalid_bodies` checks each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any, Final

from .examples import SAMPLES
from .validity import Resolve, is_of_type, is_valid, types_of

Described = tuple[str, Any]
"""(what a value is, in words that follow "is"; the value)."""
Breaking = Callable[[Any, Any, Resolve], Iterable[Described]]
"""Called with the keyword's argument, the good value at the place, and how to resolve references."""

OF_EVERY_TYPE: Final[tuple[Described, ...]] = (
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


# Types


def _of_other_types(names: Any, good: Any, resolve: Resolve) -> Iterable[Described]:
    near = [_near_misses(name, good) for name in types_of({"type": names})]
    first, *others = chain.from_iterable(near)
    return (
        first,
        ("null", None),
        *others,
        *OF_EVERY_TYPE,
        ("an object with the good value", {"value": good}),
    )


def _near_misses(name: str, good: Any) -> tuple[Described, ...]:
    """List what lenient readers take for a value of this type."""
    value = good if is_of_type(name, good) else SAMPLES[name]
    return (*_NEAR_MISSES[name](value), ("the good value in a list", [value]))


_DIGITS: Final = re.compile("[0-9]{1,4000}", re.ASCII)
"""Digits that Python reads as an integer; it refuses more than 4,300."""
_NEAR_NUMBERS: Final[tuple[Described, ...]] = (
    *(("true", True), ("an empty string", ""), ("a word", "one"), ("a string of hexadecimal digits", "0x1")),
)
_NEAR_MISSES: Final[dict[str, Callable[[Any], tuple[Described, ...]]]] = {
    "integer": lambda good: (
        *(("a string of digits", str(good)), ("an integer and a half", good + 0.5), *_NEAR_NUMBERS),
        ("a string of digits after a blank", f" {good}"),
    ),
    "number": lambda good: (("a number in a string", str(good)), *_NEAR_NUMBERS),
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


# Texts


def _other_values(values: Any, good: Any, resolve: Resolve) -> Iterable[Described]:
    texts = [value for value in values if isinstance(value, str)]
    yield from ((f"{text!r} in capitals", text.upper()) for text in texts)
    yield from ((f"{text!r} with a blank", f"{text} ") for text in texts)
    yield from ((f"{text!r} and a letter", f"{text}x") for text in texts)
    yield from ((f"{value} and one", value + 1) for value in values if is_of_type("number", value))
    yield from ((f"not {json.dumps(value)}", not value) for value in values if isinstance(value, bool))
    yield "an empty string", ""
    yield "all of them in a string", ",".join(texts)
    yield from OF_EVERY_TYPE


def _not_matching(pattern: Any, good: Any, resolve: Resolve) -> Iterable[Described]:
    text = good if isinstance(good, str) and good else "1"
    yield "in full-width digits", _with_digits_from(0xFF10, text)
    yield "the good value and a newline", f"{text}\n"
    yield "an empty string", ""
    yield "letters", "abc"
    yield "in Arabic-Indic digits", _with_digits_from(0x660, text)
    yield "the good value after a blank", f" {text}"
    yield "the good value and a blank", f"{text} "
    yield "the good value and a letter", f"{text}a"
    yield "in Devanagari digits", _with_digits_from(0x966, text)
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


def _with_digits_from(zero: int, text: str) -> str:
    """Replace the ASCII digits of a text by those of another script, whose zero is the character `zero`."""
    return "".join(chr(ord(c) - ord("0") + zero) if "0" <= c <= "9" else c for c in text)


def _too_short(least: Any, good: Any, resolve: Resolve) -> Iterable[Described]:
    text = good if isinstance(good, str) else "a" * least
    yield f"{least - 1} characters", text[: least - 1] if least > 1 else ""
    yield f"{least - 1} characters beyond 16 bits", "😀" * (least - 1)
    yield "an empty string", ""


def _too_long(most: Any, good: Any, resolve: Resolve) -> Iterable[Described]:
    text = good if isinstance(good, str) and good else "a"
    yield f"{most + 1} characters", text.ljust(most + 1, text[-1])
    yield f"{most + 1} letters", "a" * (most + 1)
    yield f"{most + 1} blanks", " " * (most + 1)
    yield f"{most + 100} characters", text.ljust(most + 100, text[-1])


# Numbers


def _below_minimum(least: Any, good: Any, resolve: Resolve) -> Iterable[Described]:
    for number in (
        *(least - 1, -1, 0),
        *(-(2**31), -(2**31) - 1, -(2**63), -(2**63) - 1),
        -(10**30),
    ):
        yield str(number), number
    yield f"{least - 1} with a point", float(least - 1)
    yield f"{least - 0.5}", least - 0.5


def _above_maximum(most: Any, good: Any, resolve: Resolve) -> Iterable[Described]:
    wrapped = [turn + good for turn in (2**32, 2**64) if is_of_type("integer", good)]
    for number in (most + 1, *wrapped, 2**53, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30):
        yield str(number), number
    yield f"{most + 1} with a point", float(most + 1)
    yield "1e+300", 1e300
    yield f"{most + 0.5}", most + 0.5


def _at_or_below(limit: Any, good: Any, resolve: Resolve) -> Iterable[Described]:
    return ((str(limit), limit), *_below_minimum(limit, good, resolve))


def _at_or_above(limit: Any, good: Any, resolve: Resolve) -> Iterable[Described]:
    return ((str(limit), limit), *_above_maximum(limit, good, resolve))


def _between_multiples(step: Any, good: Any, resolve: Resolve) -> Iterable[Described]:
    base = good if is_of_type("number", good) else step
    for part in (1, 0.5, 0.1, -1, step / 2):
        yield f"{base + part}", base + part


# Lists


def _too_few_items(least: Any, good: Any, resolve: Resolve) -> Iterable[Described]:
    yield f"{least - 1} items", good[: least - 1] if isinstance(good, list) else []
    yield "an empty list", []


def _too_many_items(most: Any, good: Any, resolve: Resolve) -> Iterable[Described]:
    items = good if isinstance(good, list) and good else ["a"]
    last = items[-1]
    more = [*items, *(_varied(last, n) for n in range(most + 1))]
    yield f"{most + 1} items", more[: most + 1]
    yield f"{most + 1} equal items", [last] * (most + 1)


def _varied(value: Any, number: int) -> Any:
    """Make a value of the same type, another one for each number; what is neither text nor number stays as it is."""
    if isinstance(value, str):
        return f"{value}{number}"
    return value + 1 + number if is_of_type("number", value) else value


def _with_equal_items(unique: Any, good: Any, resolve: Resolve) -> Iterable[Described]:
    item = good[0] if isinstance(good, list) and good else "a"
    yield "an item twice", [item, item]
    if isinstance(item, int) and not isinstance(item, bool):
        yield "an item twice, once with a point", [item, float(item)]
    if isinstance(item, Mapping):
        yield "an item twice, its members turned round", [item, dict(reversed(list(item.items())))]
    yield "the good list twice", [*good, *good] if isinstance(good, list) else [item, item]


def _with_any_items(_: Any, good: Any, resolve: Resolve) -> Iterable[Described]:
    yield from (("a list of one", [1]), ("a list of null", [None]), ("a list of two", ["a", "b"]))


# Objects


def _too_few_members(least: Any, good: Any, resolve: Resolve) -> Iterable[Described]:
    yield f"{least - 1} members", dict(list(good.items())[: least - 1]) if isinstance(good, Mapping) else {}
    yield "an empty object", {}


def _too_many_members(most: Any, good: Any, resolve: Resolve) -> Iterable[Described]:
    members = dict(good) if isinstance(good, Mapping) else {}
    value = next(iter(members.values()), "a")
    yield f"{most + 1} members", {**members, **{f"m{n}": value for n in range(most + 1 - len(members))}}


def _with_bad_names(below: Any, good: Any, resolve: Resolve) -> Iterable[Described]:
    members = dict(good) if isinstance(good, Mapping) else {}
    value = next(iter(members.values()), "a")
    for name in ("", "A B", "é", "a", "Z", "1", "_", "a.b", "n" * 300, "a\n", "__proto__"):
        if not is_valid(below, name, resolve):
            yield f"an object with a member called {name[:20]!r}", {**members, name: value}


def _with_unknown_members(_: Any, good: Any, resolve: Resolve) -> Iterable[Described]:
    members = dict(good) if isinstance(good, Mapping) else {}
    respelled = (*(name.upper() for name in members), *(f"{name} " for name in members))
    for name in ("x", "__proto__", "", *respelled):
        if name not in members:
            yield f"an object with an unknown member {name!r}", {**members, name: 1}


BREAKING: Final[dict[str, Breaking]] = {
    "type": _of_other_types,
    "enum": _other_values,
    "const": lambda only, good, resolve: _other_values([only], good, resolve),
    "pattern": _not_matching,
    "minimum": _below_minimum,
    "maximum": _above_maximum,
    "exclusiveMinimum": _at_or_below,
    "exclusiveMaximum": _at_or_above,
    "multipleOf": _between_multiples,
    "minLength": _too_short,
    "maxLength": _too_long,
    "minItems": _too_few_items,
    "maxItems": _too_many_items,
    "uniqueItems": _with_equal_items,
    "items": _with_any_items,
    "minProperties": _too_few_members,
    "maxProperties": _too_many_members,
    "propertyNames": _with_bad_names,
    "additionalProperties": _with_unknown_members,
}
"""Keyword → the values that break it; `required`, `anyOf` and `oneOf` need the places of a body."""


__all__ = ["BREAKING", "OF_EVERY_TYPE", "Breaking", "Described"]
