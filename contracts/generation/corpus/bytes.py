"""Probes whose body is no JSON, is ambiguous, or spells the good body in another way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from typing import Any, Final

from .probe import Good, Probe, body_with_members, body_with_text, encode

_ADDED_AROUND: Final[tuple[tuple[str, bytes, bytes], ...]] = (
    ("garbage after the body", b"", b"x"),
    ("a byte order mark", b"\xef\xbb\xbf", b""),
    ("a second document", b"", b"{}"),
    ("a null byte after the body", b"", b"\x00"),
    ("a closing brace too many", b"", b"}"),
    ("a comma after the body", b"", b","),
    ("a semicolon after the body", b"", b";"),
    ("a comment after the body", b"", b"//x"),
    ("invalid UTF-8 after the body", b"", b"\xff"),
    ("invalid UTF-8 before the body", b"\xfe", b""),
    ("garbage before the body", b"x", b""),
    ("a null byte before the body", b"\x00", b""),
    ("a guard against inclusion before the body", b")]}',\n", b""),
    ("a record separator before the body", b"\x1e", b"\n"),
    ("a form feed before the body", b"\x0c", b""),
    ("a vertical tab before the body", b"\x0b", b""),
    ("a no-break space before the body", b"\xc2\xa0", b""),
    ("a line separator after the body", b"", b"\xe2\x80\xa8"),
    ("an ideographic space after the body", b"", b"\xe3\x80\x80"),
    ("a control-Z after the body", b"", b"\x1a"),
    ("the body as an argument", b"f(", b")"),
    ("the body in parentheses", b"(", b")"),
    ("the body in braces", b"{", b"}"),
    ("the body assigned", b"x=", b""),
)
"""(title, bytes before the good body, bytes after it)."""

_OTHER_BODIES: Final[tuple[tuple[str, bytes | None], ...]] = (
    ("an empty body", b""),
    ("a blank alone", b" "),
    ("a newline alone", b"\n"),
    ("no body and no length", None),
    ("null alone", b"null"),
    ("an empty list alone", b"[]"),
    ("a string alone", b'"a"'),
    ("an opening brace alone", b"{"),
    ("a quotation mark alone", b'"'),
    ("null bytes", b"\x00" * 8),
    ("words", b"hello"),
    ("a form", b"payload=1&variant=a"),
    ("XML", b'<?xml version="1.0"?><payload>1</payload>'),
    ("YAML", b"payload: 1\n"),
    ("a byte order mark alone", b"\xef\xbb\xbf"),
    ("an invalid byte alone", b"\xff"),
    ("a list that does not end", b"[" * 50),
)
"""(title, the whole body; None for no body)."""

_CHANGED_TEXTS: Final[tuple[tuple[str, Callable[[bytes], bytes]], ...]] = (
    ("without its last brace", lambda text: text[:-1]),
    ("a trailing comma", lambda text: text[:-1] + b",}"),
    ("single quotes", lambda text: text.replace(b'"', b"'")),
    ("cut in the middle", lambda text: text[: len(text) // 2]),
    ("the body twice", lambda text: text + text),
    ("the body twice in two lines", lambda text: text + b"\n" + text),
    ("the body in a string", lambda text: encode(text.decode())),
    ("the body in a list", lambda text: b"[" + text + b"]"),
    ("a comment within", lambda text: b"{/* x */" + text[1:]),
    ("a line comment within", lambda text: b"{//x\n" + text[1:]),
    ("a comment after a hash within", lambda text: b"{#x\n" + text[1:]),
    ("without its first brace", lambda text: text[1:]),
    ("names without quotes", lambda text: re.sub(rb'"(\w+)":', rb"\1:", text)),
    ("a leading comma", lambda text: b"{," + text[1:]),
    ("two commas", lambda text: text[:-1] + b',,"x":1}'),
    ("no comma between members", lambda text: text[:-1] + b' "x":1}'),
    ("a semicolon between members", lambda text: text[:-1] + b';"x":1}'),
    ("a member without a value", lambda text: text[:-1] + b',"x":}'),
    ("a member without a colon", lambda text: text[:-1] + b',"x"}'),
    ("a value without a name", lambda text: text[:-1] + b",1}"),
    ("a number for a name", lambda text: text[:-1] + b",1:2}"),
    ("null for a name", lambda text: text[:-1] + b",null:2}"),
    ("an equals sign for a colon", lambda text: text.replace(b":", b"=", 1)),
    ("an arrow for a colon", lambda text: text.replace(b":", b"=>", 1)),
    ("two colons", lambda text: text.replace(b":", b"::", 1)),
    ("brackets for braces", lambda text: b"[" + text[1:-1] + b"]"),
    ("a bracket for the last brace", lambda text: text[:-1] + b"]"),
    ("curly quotes", lambda text: text.replace(b'"', "“".encode())),
    ("backquotes", lambda text: text.replace(b'"', b"`")),
    ("a no-break space within", lambda text: b"{\xc2\xa0" + text[1:]),
    ("a form feed within", lambda text: b"{\x0c" + text[1:]),
    ("a byte order mark within", lambda text: b"{\xef\xbb\xbf" + text[1:]),
)
"""(title, from the text of the good body to the body)."""

_ILL_FORMED_VALUES: Final[tuple[tuple[str, bytes], ...]] = (
    ("invalid UTF-8 in a string", b'"\xff\xfe"'),
    ("half of a surrogate pair in escapes", b'"\\ud800"'),
    ("an unescaped newline in a string", b'"a\nb"'),
    ("an unescaped null byte in a string", b'"a\x00b"'),
    ("a member name twice within", b'{"a":1,"a":2}'),
    ("half of a surrogate pair in UTF-8", b'"\xed\xa0\x80"'),
    ("a surrogate pair in UTF-8", b'"\xed\xa0\xbd\xed\xb8\x80"'),
    ("invalid UTF-8 in a member name", b'{"\xff":1}'),
    ("a slash in two bytes of UTF-8", b'"\xc0\xaf"'),
    ("a null character in two bytes of UTF-8", b'"\xc0\x80"'),
    ("a character of which a byte is missing", b'"\xe2\x82"'),
    ("a continuation byte alone", b'"\x80"'),
    ("a character beyond the last", b'"\xf4\x90\x80\x80"'),
    ("a latin-1 letter", b'"caf\xe9"'),
    ("the second half of a surrogate pair in escapes", b'"\\udc00"'),
    ("a surrogate pair the wrong way round", b'"\\ude00\\ud83d"'),
    ("two first halves of surrogate pairs", b'"\\ud83d\\ud83d"'),
    ("half of a surrogate pair and a letter", b'"\\ud83da"'),
    ("half of a surrogate pair in a member name", b'{"\\ud800":1}'),
    ("a member name twice within, once in escapes", b'{"a":1,"\\u0061":2}'),
    ("an empty member name twice within", b'{"":1,"":2}'),
    ("__proto__ twice within", b'{"__proto__":1,"__proto__":{"a":1}}'),
    ("an unescaped tab in a string", b'"a\tb"'),
    ("an unescaped carriage return in a string", b'"a\rb"'),
    ("an unescaped control character in a string", b'"a\x1fb"'),
    ("an unescaped newline in a member name", b'{"a\nb":1}'),
    ("an escape that JSON has not", b'"\\x41"'),
    ("an escaped single quote", b'"\\\'"'),
    ("an escaped zero", b'"\\0"'),
    ("an escape that is too short", b'"\\u12"'),
    ("an escape in braces", b'"\\u{41}"'),
    ("an escape of eight digits", b'"\\U0001F600"'),
    ("an escape with a sign", b'"\\u+041"'),
    ("an escaped newline in the text", b'"a\\\nb"'),
    ("a string that does not end", b'"a'),
    ("a string in single quotes", b"'a'"),
    ("two strings beside each other", b'"a" "b"'),
    ("a word without quotes", b"hello"),
    ("undefined", b"undefined"),
    ("None", b"None"),
    ("True", b"True"),
    ("NULL", b"NULL"),
    ("half of null", b"nul"),
    ("nothing", b""),
    ("a list with a trailing comma", b"[1,]"),
    ("a list with a hole", b"[1,,2]"),
    ("a list that ends with a brace", b"[1}"),
    ("a regular expression", b"/a/"),
    ("a call", b"Date(0)"),
)
"""(title, text where the operation takes any JSON value)."""


def _in_escapes(value: Any) -> str:
    """Write JSON in which every character of every string is an escape."""
    if isinstance(value, str):
        units = value.encode("utf-16-be").hex()
        return '"' + "".join(f"\\u{units[n : n + 4]}" for n in range(0, len(units), 4)) + '"'
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(f"{_in_escapes(name)}:{_in_escapes(member)}" for name, member in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join(map(_in_escapes, value)) + "]"
    return json.dumps(value)


def _with_members_reversed(value: Any) -> Any:
    """Reverse the members of all objects in a value."""
    if isinstance(value, dict):
        return {name: _with_members_reversed(value[name]) for name in reversed(value)}
    return [_with_members_reversed(item) for item in value] if isinstance(value, list) else value


def _other_spellings(good: Good) -> Iterator[tuple[str, bytes]]:
    """Spell the good body in ways that are the same value by RFC 8259, as (title, body)."""
    text, (name, *_) = encode(good), good
    yield "a member name in escapes", text.replace(encode(name), _in_escapes(name).encode(), 1)
    yield "blanks around the body", b" \t\r\n" + text + b"\n \r\t"
    yield "members in another order", encode(_with_members_reversed(dict(good)))
    yield "every string in escapes", _in_escapes(dict(good)).encode()
    yield "blanks between all tokens", json.dumps(good, indent="\t", separators=(" ,", " : ")).encode()
    yield "a newline after the body", text + b"\n"
    yield "escapes in capitals", re.sub(rb"\\u\w{4}", _with_capital_digits, _in_escapes(dict(good)).encode())


def _with_capital_digits(found: re.Match[bytes]) -> bytes:
    return b"\\u" + found[0][2:].upper()


def _doubled_members(good: Good) -> Iterator[tuple[str, bytes]]:
    """Write the good body with a member name twice, as (title, body)."""
    text = encode(good)
    for name, value in good.items():
        yield f"{name} twice, the second null", body_with_members(good, encode({name: None})[1:-1])
        yield f"{name} twice and the same", body_with_members(good, encode({name: value})[1:-1])
        yield f"{name} twice, the first null", encode({name: None})[:-1] + b"," + text[1:]
        yield (
            f"{name} twice, once in escapes",
            body_with_members(good, _in_escapes({name: value})[1:-1].encode()),
        )
    yield "an unknown member twice and the same", body_with_members(good, b'"x":1,"x":1')
    yield "an unknown member twice with other values", body_with_members(good, b'"x":1,"x":[2]')


def byte_probes(label: str, good: Good) -> Iterator[Probe]:
    """Make the probes of the group `bytes`; the tables take turns."""
    text = encode(good)
    tables: tuple[Iterable[tuple[str, bytes | None, bool]], ...] = (
        ((title, raw, False) for title, raw in _OTHER_BODIES),
        ((title, body_with_text(label, good, raw), False) for title, raw in _ILL_FORMED_VALUES),
        ((title, raw, False) for title, raw in _doubled_members(good)),
        ((title, before + text + after, False) for title, before, after in _ADDED_AROUND),
        ((title, raw, True) for title, raw in _other_spellings(good)),
        ((title, change(text), False) for title, change in _CHANGED_TEXTS),
    )
    for row in zip_longest(*tables):
        for title, body, is_good in filter(None, row):
            yield Probe(title, "bytes", body, must_be_served=is_good)


__all__ = ["byte_probes"]
