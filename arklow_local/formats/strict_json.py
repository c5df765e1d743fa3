"""JSON read strictly: bytes → value, or a refusal that says what is wrong.

Both readers share one decoder and one list of defects; what each makes of a defect differs:

- `parse` refuses all that a careful reader must not guess at, and names the place (RFC 8259 §4, §6, §8.1, §8.2, §9): other
  encodings than UTF-8, a byte order mark, doubled member names, NaN and Infinity, lone surrogates, nesting beyond 500
  levels, integers beyond 4,300 digits, numbers beyond a double's range. Integers are read exactly, whatever their size.
- `read` tells apart what is no JSON at all and what parsers read differently. It takes lone surrogates and numbers beyond
  a double's range, as RFC 8259 calls both JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final, NoReturn

from .excerpts import abridged_pointer, excerpt
from .json_values import compact

MARK: Final = b"\xef\xbb\xbf"
"""A byte order mark. A sender must not add it; a reader may overlook it (RFC 8259 §8.1)."""
MAX_DEPTH: Final = 500
"""Levels of nesting: far more than messages have, and few enough for Python's recursion limit of 1,000 frames."""
MAX_DIGITS: Final = 4_300
"""CPython's own limit for reading an integer (`sys.set_int_max_str_digits`)."""


class JsonRefused(Exception):
    """The text is not JSON that `parse` takes. `code` is stable; `message` says where, what was expected and what came."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


class NotJSON(ValueError):
    """The bytes are not a JSON text; the message says why and where."""


class Ambiguous(ValueError):
    """The bytes are JSON that parsers read in different ways, or beyond what `read` can read; this proves no violation."""


class Doubled(Ambiguous):
    """A member name stands twice in one object."""


def parse(data: bytes, name: str = "body") -> Any:
    """Read a text that must be understood alike by every reader; messages call it `name`.

    Raises:
        JsonRefused: it is not UTF-8, not JSON, or has one of the defects that this module lists.
    """
    try:
        text = _decoded_utf8(data)
        if text.count("[") + text.count("{") > MAX_DEPTH:
            _refuse_depth(text)
        return _unambiguous_value(text)
    except _Defect as defect:
        where = abridged_pointer(name, defect.steps)
        raise JsonRefused(defect.code, f"{where}: expected {defect.expected}") from None


def read(data: bytes) -> Any:
    """Read a JSON text as RFC 8259 has it.

    Raises:
        NotJSON: no parser that keeps to the standard accepts it.
        Ambiguous: a member name stands twice, or it is too deep or has too long a number to be read here.
    """
    try:
        return _decoded(_STANDARD, _decoded_utf8(data))
    except _Defect as defect:
        raise _KINDS[defect.code](defect.reason) from None
    except (RecursionError, OverflowError) as error:
        raise Ambiguous("it is nested too deeply to say") from error
    except ValueError as error:
        raise Ambiguous("it has a number too long to say") from error


_KINDS: Final[dict[str, type[NotJSON | Ambiguous]]] = {
    "NOT_UTF8": NotJSON,
    "EMPTY_BODY": NotJSON,
    "MALFORMED_JSON": NotJSON,
    "NOT_A_NUMBER": NotJSON,
    "DUPLICATE_KEY": Doubled,
}
"""Code of a defect that `read` finds → what it makes the text."""


# Defects


class _Defect(ValueError):
    """What is wrong with a text, for both readers."""

    def __init__(self, code: str, expected: str, reason: str = "", steps: tuple[str | int, ...] = ()) -> None:
        super().__init__(code, expected)
        self.code = code
        self.expected = expected
        """What `parse` says after "expected": what would pass, and what came."""
        self.reason = reason
        """What `read` says of the text, as a clause about "it"."""
        self.steps = steps
        """Where, as member names and indices from the outside in; empty for the whole text or when not yet known."""


class _Malformed(_Defect):
    """The text as a whole breaks the grammar."""


def _decoded_utf8(data: bytes) -> str:
    marked = data.startswith(MARK)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _Defect(
            "NOT_UTF8",
            f"UTF-8, got byte 0x{data[error.start]:02x} at offset {error.start}",
            _MARKED if marked else f"it is not UTF-8 (byte {error.start})",
        ) from None
    if marked:
        raise _Defect("NOT_UTF8", "UTF-8 without a byte order mark, got one at offset 0", _MARKED)
    return text


_MARKED: Final = "it begins with a byte order mark"


def _refuse_depth(text: str) -> None:
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            raise _Defect("TOO_DEEP", f"at most {MAX_DEPTH} levels of nesting, got {MAX_DEPTH + 1} or more")


def _decoded(decoder: json.JSONDecoder, text: str) -> Any:
    try:
        return decoder.decode(text)
    except json.JSONDecodeError as error:
        reason = f"{error.msg.lower()} at character {error.pos}"
        if not text.strip(" \t\r\n"):
            raise _Malformed("EMPTY_BODY", "a JSON value, got nothing", reason) from None
        got = excerpt(repr(text[error.pos : error.pos + 20])) if error.pos < len(text) else "the end"
        place = f"line {error.lineno}, column {error.colno}"
        raise _Malformed("MALFORMED_JSON", f"JSON, got {got} at {place} ({error.msg})", reason) from None


def _unambiguous_value(text: str) -> Any:
    try:
        value = _decoded(_STRICT, text)
    except _Malformed:
        raise
    except ValueError:  # of a hook, or of an integer that is too long: read again, as its place is not known
        _refuse_located(_decoded(_LOCATING, text))
    if _ESCAPED_SURROGATE.search(text):
        try:
            compact(value).encode("utf-8")
        except UnicodeEncodeError:
            _refuse_located(value)
    return value


# What the decoder calls


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        doubled = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise _Defect(
            "DUPLICATE_KEY",
            f"each member name once, got {excerpt(json.dumps(doubled))} twice",
            "a member name stands twice in one object",
        )
    return members


def _constant(name: str) -> NoReturn:
    raise _Defect("NOT_A_NUMBER", f"a JSON number, got {name}", f"{name} is not a JSON number")


def _float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise _Defect("NUMBER_OUT_OF_RANGE", f"a number within a double's range, got {excerpt(text)}")
    return number


def _integer(text: str) -> int:
    digits = len(text.lstrip("-"))
    if digits > MAX_DIGITS:
        raise _Defect("NUMBER_TOO_LONG", f"at most {MAX_DIGITS} digits, got {digits}")
    return int(text)


def _marking(hook: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Make a hook return its defect instead of raising it, so that the defect stands in the value at its place."""

    def marked(argument: Any) -> Any:
        try:
            return hook(argument)
        except _Defect as defect:
            return defect

    return marked


_STANDARD: Final = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_constant)
_STRICT: Final = json.JSONDecoder(object_pairs_hook=_members, parse_float=_float, parse_constant=_constant)
_LOCATING: Final = json.JSONDecoder(
    object_pairs_hook=_marking(_members),
    parse_float=_marking(_float),
    parse_constant=_marking(_constant),
    parse_int=_marking(_integer),
)
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
"""A string, or all the rest when it is never closed: so the search is linear."""
_BRACKET: Final = re.compile(r"[\[\]{}]")
_ESCAPED_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


# Places


def _refuse_located(value: Any) -> NoReturn:
    """Refuse the first defect in document order.

    Raises:
        _Defect: always, with its place.
    """
    for path, found, where in _walk(value):
        if isinstance(found, _Defect):
            raise _Defect(found.code, found.expected, steps=_steps(path))
        if isinstance(found, str) and not found.isascii():
            try:
                found.encode("utf-8")
            except UnicodeEncodeError as error:
                alone = f"\\u{ord(found[error.start]):04x} alone{where}"
                raise _Defect(
                    "LONE_SURROGATE", f"surrogates in pairs, got {alone}", steps=_steps(path)
                ) from None
    raise AssertionError("a text was refused and nothing in it is wrong")


_Path = tuple["_Path", str | int] | None
"""A place as a chain from the inside out: steps are shared, so a walk costs what the value costs."""


def _walk(value: Any) -> Iterator[tuple[_Path, Any, str]]:
    """Visit `value` and every value and member name below it, in document order.

    Yields:
        (path, value or name, how a message ends that is about a name).
    """
    pending: list[tuple[_Path, Any]] = [(None, value)]
    while pending:
        path, found = pending.pop()
        yield path, found, ""
        if isinstance(found, dict):
            for name in found:
                yield path, name, " in a member name"
            pending.extend(((path, name), found[name]) for name in reversed(found))
        elif isinstance(found, list):
            pending.extend(((path, n), found[n]) for n in reversed(range(len(found))))


def _steps(path: _Path) -> tuple[str | int, ...]:
    steps: list[str | int] = []
    while path is not None:
        path, step = path
        steps.append(step)
    return tuple(reversed(steps))


__all__ = [
    "MARK",
    "MAX_DEPTH",
    "MAX_DIGITS",
    "Ambiguous",
    "Doubled",
    "JsonRefused",
    "NotJSON",
    "parse",
    "read",
]
