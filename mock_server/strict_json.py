"""Bytes → JSON value, refusing what a careful reader must not guess at, with the place named.

Refused: other encodings than UTF-8, a byte order mark, duplicate member names, NaN and Infinity, lone
surrogates, nesting beyond 500, integers beyond 4,300 digits, numbers beyond a double's range (RFC 8259
§4, §6, §8.1, §8.2, §9). Integers are read exactly, whatever their size.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import Any, Final, NoReturn

import orjson

MAX_DEPTH: Final = 500
MAX_DIGITS: Final = 4_300
"""CPython's own limit for reading an integer (sys.set_int_max_str_digits)."""


class JsonRefused(Exception):
    """The text is not JSON we take. `code` is stable; `message` says where, what was expected, what came."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


class _Defect:
    """Stands in a parsed value where the text was refused."""

    def __init__(self, code: str, expected: str) -> None:
        self.code = code
        self.expected = expected


def _number(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise _Refused("NUMBER_OUT_OF_RANGE", f"a number within a double's range, got {excerpt(text)}")
    return number


def _plain_number(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise _Refused("DUPLICATE_KEY", f"each member name once, got {excerpt(json.dumps(twice))} twice")
    return members


def _constant(name: str) -> NoReturn:
    raise _Refused("NOT_A_NUMBER", f"a JSON number, got {name}")


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > MAX_DIGITS:
        raise _Refused("NUMBER_TOO_LONG", f"at most {MAX_DIGITS} digits, got {len(text.lstrip('-'))}")
    return int(text)


class _Refused(ValueError):
    """A hook's refusal: what is wrong, before anybody looked where."""

    def __init__(self, code: str, expected: str) -> None:
        super().__init__(code, expected)
        self.code = code
        self.expected = expected


def _marking(hook: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def marked(argument: Any) -> Any:
        try:
            return hook(argument)
        except _Refused as refusal:
            return _Defect(refusal.code, refusal.expected)

    return marked


_STRICT: Final = json.JSONDecoder(object_pairs_hook=_object, parse_float=_number, parse_constant=_constant)
_LOCATING: Final = json.JSONDecoder(
    object_pairs_hook=_marking(_object),
    parse_float=_marking(_number),
    parse_constant=_marking(_constant),
    parse_int=_marking(_integer),
)
_PLAIN_NUMBERS: Final = json.JSONDecoder(parse_float=_plain_number)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)
_SORTING: Final = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), sort_keys=True, check_circular=False
)
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
"""A string, or all the rest when it is never closed: so the search is linear."""
_BRACKET: Final = re.compile(r"[\[\]{}]")
_ESCAPED_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


def parse(data: bytes) -> Any:
    """The value that `data` spells.

    Raises:
        JsonRefused: it is not UTF-8, not JSON, or one of the refusals of this module.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JsonRefused(
            "NOT_UTF8", f"body: expected UTF-8, got byte 0x{data[error.start]:02x} at offset {error.start}"
        ) from None
    if text[:1] == "\ufeff":
        raise JsonRefused("NOT_UTF8", "body: expected UTF-8 without a byte order mark, got one at offset 0")
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _refuse_depth(text)
    try:
        value = _STRICT.decode(text)
    except json.JSONDecodeError as error:
        if not text.strip(" \t\r\n"):
            raise JsonRefused("EMPTY_BODY", "body: expected a JSON value, got nothing") from None
        got = excerpt(repr(text[error.pos : error.pos + 20])) if error.pos < len(text) else "the end"
        raise JsonRefused(
            "MALFORMED_JSON",
            f"body: expected JSON, got {got} at line {error.lineno}, column {error.colno} ({error.msg})",
        ) from None
    except ValueError:
        _refuse_located(_LOCATING.decode(text))
    if _ESCAPED_SURROGATE.search(text):
        try:
            _ENCODER.encode(value).encode("utf-8")
        except UnicodeEncodeError:
            _refuse_located(value)
    return value


def dump(value: Any) -> bytes:
    """The value as compact UTF-8; what `parse` took comes back equal."""
    try:
        # copied, because the text may be kept and orjson's own keeps a buffer of 4 KiB alive
        return bytes(memoryview(orjson.dumps(value)))
    except TypeError:  # integers beyond 64 bits, nesting beyond 254
        return _ENCODER.encode(value).encode("utf-8")


def digest(value: Any) -> bytes:
    """A digest that two values share when they are equal as JSON: `{"a":1,"b":2}` and `{"b":2,"a":1.0}`."""
    return sha256(_SORTING.encode(_PLAIN_NUMBERS.decode(_ENCODER.encode(value))).encode("utf-8")).digest()


def _refuse_depth(text: str) -> None:
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            raise JsonRefused(
                "TOO_DEEP",
                f"body: expected at most {MAX_DEPTH} levels of nesting, got {MAX_DEPTH + 1} or more",
            )


def _refuse_located(value: Any) -> NoReturn:
    for path, found, where in _walk(value):
        if isinstance(found, _Defect):
            raise JsonRefused(found.code, f"{place('body', _steps(path))}: expected {found.expected}")
        if isinstance(found, str) and not found.isascii():
            try:
                found.encode("utf-8")
            except UnicodeEncodeError as error:
                raise JsonRefused(
                    "LONE_SURROGATE",
                    f"{place('body', _steps(path))}: expected surrogates in pairs, got "
                    f"\\u{ord(found[error.start]):04x} alone{where}",
                ) from None
    raise AssertionError("a text was refused and nothing in it is wrong")


_Path = tuple["_Path", str | int] | None
"""A place as a chain from the inside out: steps are shared, so a walk costs what the value costs."""


def _walk(value: Any) -> Iterator[tuple[_Path, Any, str]]:
    """Every value and member name below (and with) `value`, with its path, in document order."""
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


def _steps(path: _Path) -> list[str | int]:
    steps: list[str | int] = []
    while path is not None:
        path, step = path
        steps.append(step)
    return steps[::-1]


def place(root: str, steps: Sequence[str | int]) -> str:
    """A JSON pointer (RFC 6901) below `root` as it may stand in a message; its middle is cut when it is long."""
    pointer = "/".join([root, *map(_step, steps)])
    return pointer if len(pointer) <= 400 else f"{pointer[:200]}...{pointer[-197:]}"


def _step(name: str | int) -> str:
    text = str(name).replace("~", "~0").replace("/", "~1")
    return excerpt(text.encode("utf-8", "backslashreplace").decode("utf-8"))


def excerpt(text: str, limit: int = 80) -> str:
    """A text as it may stand in a message or a header: one line, printable, at most `limit` characters."""
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[: limit + 1])
    return text if len(text) <= limit else text[: limit - 3] + "..."
