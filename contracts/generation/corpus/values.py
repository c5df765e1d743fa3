"""Probes with numbers and texts that servers tend to mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from .probe import (
    ANY_JSON,
    INGRESS,
    INTEGER_MEMBERS,
    MODACK,
    PLACEHOLDER,
    PUT,
    Good,
    Probe,
    body_with_text,
    encode,
)

_NUMBERS: Final[tuple[tuple[str, str, bool], ...]] = (
    ("NaN", "NaN", False),
    ("beyond a double", "1e400", False),
    ("of 400 digits", "9" * 400, False),
    ("Infinity", "Infinity", False),
    ("minus Infinity", "-Infinity", False),
    ("with a leading zero", "01", False),
    ("with a plus sign", "+1", False),
    ("without digits before its point", ".5", False),
    ("without digits after its point", "1.", False),
    ("in hexadecimal", "0x1", False),
    ("minus zero", "-0", True),
    ("in scientific notation", "1E+2", True),
    ("a small fraction", "1.25e-5", True),
    ("an integer with a point", "1.0", True),
    ("with an exponent of nine digits", "1e999999999", False),
    ("with a negative exponent of nine digits", "1e-999999999", False),
    ("beyond a double, negative", "-1e400", False),
    ("too near to zero", "1e-400", False),
    ("the largest exact integer", "9007199254740991", True),
    ("the first integer that is not exact", "9007199254740993", False),
    ("the largest signed integer", "9223372036854775807", False),
    ("beyond a signed integer", "9223372036854775808", False),
    ("beyond an unsigned integer", "18446744073709551616", False),
    ("with 400 digits after its point", "0." + "1" * 400, False),
    ("the largest double", "1.7976931348623157e308", False),
    ("the smallest double", "5e-324", False),
    ("minus zero with a point", "-0.0", True),
    ("a minus sign alone", "-", False),
    ("with two minus signs", "--1", False),
    ("with a blank after its sign", "- 1", False),
    ("without an exponent after e", "1e", False),
    ("with a fraction in its exponent", "1e1.5", False),
    ("with an underscore", "1_000", False),
    ("with two points", "1.2.3", False),
    ("negative with a leading zero", "-01", False),
    ("in octal", "0o7", False),
    ("in binary", "0b1", False),
    ("of a suffix", "1n", False),
    ("in Arabic digits", "١", False),
    ("in full-width digits", "１", False),
    ("a sign of infinity", "∞", False),
    ("1.#INF", "1.#INF", False),
)
"""(title after "a number", its text, whether it must be served where the operation takes any JSON)."""


def _spellings_of(number: int) -> Iterator[tuple[str, str, bool]]:
    """Spell an integer, and numbers near it, as (title, text, whether it must be served)."""
    yield "with a point", f"{number}.0", True
    yield "with an exponent", f"{number}e0", False
    yield "with a negative exponent", f"{number}0e-1", False
    yield "minus zero", "-0", False
    yield "that a double rounds to 1", "0.99999999999999999999", False
    yield "of 400 digits", "9" * 400, False
    yield "beyond a double", "1e400", False
    yield "NaN", "NaN", False
    yield "that a double rounds to an integer", f"{number}.00000000000000000001", False
    yield "with twenty zeros after its point", f"{number}.{'0' * 20}", False
    yield "in scientific notation", "1.5E1", False
    yield "with an exponent of nine digits", "1e999999999", False
    yield "with a leading zero", f"0{number}", False
    yield "with a plus sign", f"+{number}", False
    yield "in hexadecimal", f"{number:#x}", False
    yield "the largest of 32 bits", str(2**31 - 1), False
    yield "beyond 32 bits by a whole turn", str(2**32 + number), False
    yield "the first that is not exact", str(2**53 + 1), False
    yield "the largest of 64 bits", str(2**63 - 1), False
    yield "beyond 64 bits by a whole turn", str(2**64 + number), False
    yield "minus zero with a point", "-0.0", False


def number_probes(label: str, good: Good) -> Iterator[Probe]:
    """Make the probes of the group `numbers`: integer members in many spellings, then numbers where any JSON is taken."""
    for number, (member, title, raw, promised) in enumerate(_integer_spellings(label, good)):
        body = {**good, member: PLACEHOLDER}
        if label == PUT:  # what is stored under the good variant stays as it is
            body["variant"] = f"{good['variant']}.n{number}"
        text = encode(body).replace(encode(PLACEHOLDER), raw.encode())
        serve = promised and member == "version" and (member in good or label == PUT)
        yield Probe(f"{member} {title}", "numbers", text, must_be_served=serve)
    for title, raw, promised in _NUMBERS:
        body_text = body_with_text(label, good, raw.encode())
        yield Probe(f"a number {title}", "numbers", body_text, must_be_served=promised and label in ANY_JSON)


def _integer_spellings(label: str, good: Good) -> Iterator[tuple[str, str, str, bool]]:
    """Spell the integer members of the body in turn, as (member, title, text, whether it must be served)."""
    members = INTEGER_MEMBERS.get(label, ())
    for row in zip(*(_spellings_of(good.get(member, 1)) for member in members), strict=True):
        for member, spelling in zip(members, row, strict=True):
            yield (member, *spelling)


_TEXTS: Final[tuple[tuple[str, str, bool], ...]] = (
    ("an emoji", "😀", True),
    ("a null character", "a\x00b", False),
    ("right-to-left letters", "שלום مرحبا", True),
    ("a letter of two characters", "e\u0301", True),
    ("half of a surrogate pair", "a\ud800b", False),
    ("the last character", "\U0010ffff", False),
    ("a letter of one character", "é", True),
    ("the change of direction", "\u202eabc", False),
    ("no-width characters", "a\u200b\u200db", False),
    ("a line separator", "a\u2028b\u2029c", False),
)
"""(title, text, whether no page and no RFC allows to refuse it); sent at every place that takes a string."""

_MORE_TEXTS: Final[tuple[tuple[str, str, bool], ...]] = (
    ("a character of mathematics beyond 16 bits", "𝒳", True),
    ("a family of joined emoji", "👩‍👩‍👧‍👦", True),
    ("a flag", "🇪🇺", True),
    ("Chinese beyond 16 bits", "𠜎", True),
    ("twenty marks on one letter", "a" + "\u0301" * 20, True),
    ("a ligature", "ﬁ", True),
    ("a letter that grows in lower case", "İ", True),
    ("a letter that grows in upper case", "ß", True),
    ("a byte order mark", "\ufeffa", False),
    ("the sign of what cannot be shown", "\ufffd", True),
    ("a character that is none", "\uffff", False),
    ("a character of private use", "\ue000", False),
    ("a delete character", "\x7f", False),
    ("a control character of the second set", "\x85", False),
    ("tabs and newlines", "a\tb\r\nc", True),
    ("quotes and backslashes", "\"a\" 'b' \\c", True),
    ("blanks alone", "   ", True),
    ("a null character at its end", "a\x00", False),
    ("the word null", "null", True),
    ("a number in digits", "1e5", True),
    ("a comment of SQL", "a'; --", False),
    ("markup", "<b>&amp;</b>", False),
    ("a template", "{{7*7}}${7*7}", False),
    ("signs of a format", "%s%n%x{0}", False),
    ("a path upwards", "../../..", False),
    ("bytes in percent signs", "%00%ff%", False),
    ("an object in a string", '{"a":1}', True),
)
"""As above; sent at one place of the operation."""

_ESCAPED_TEXTS: Final[tuple[tuple[str, bytes, bool], ...]] = (
    ("an escaped slash", b'"a\\/b"', True),
    ("every short escape", b'"\\b\\f\\n\\r\\t\\"\\\\\\/"', True),
    ("an emoji in escapes", b'"\\ud83d\\ude00"', True),
    ("an emoji in escapes of capitals", b'"\\uD83D\\uDE00"', True),
    ("an escaped null character", b'"\\u0000"', False),
    ("an escaped letter", b'"\\u00e9"', True),
    ("a member name in escapes within", b'{"\\u0061":1}', True),
    ("an escaped backslash before a u", b'"\\\\u0041"', True),
    ("a delete character as it is", b'"\x7f"', False),
)
"""(title, JSON text, whether it must be served where the operation takes any JSON)."""

_TextPlace = tuple[str, Callable[[Good, str], dict[str, Any]], frozenset[str]]
"""(what it is, the good body with a text there, titles of the texts that must be served there)."""

_PROMISED_TEXTS: Final = frozenset(title for title, _, promised in (*_TEXTS, *_MORE_TEXTS) if promised)

_EMOJI: Final = frozenset({"an emoji"})

_TEXT_PLACES: Final[dict[str, tuple[_TextPlace, ...]]] = {
    INGRESS: (
        ("the payload", lambda good, text: {**good, "payload": text}, _PROMISED_TEXTS),
        ("a member name of the payload", lambda good, text: {**good, "payload": {text: 1}}, _PROMISED_TEXTS),
        ("the metadata", lambda good, text: {**good, "metadata": {"note": text}}, _PROMISED_TEXTS),
        ("a tag", lambda good, text: {**good, "tags": {"region": text}}, _EMOJI),
        ("the name of a tag", lambda good, text: {**good, "tags": {text: "eu"}}, frozenset()),
    ),
    PUT: (
        ("the schema", lambda good, text: {**good, "schema": {"title": text}}, _PROMISED_TEXTS),
        (
            "a member name of the schema",
            lambda good, text: {**good, "schema": {"default": {text: 1}}},
            _PROMISED_TEXTS,
        ),
        ("the variant", lambda good, text: {**good, "variant": f"{good['variant']}.{text}"}, _EMOJI),
        ("an alias", lambda good, text: {**good, "alias": [f"{good['variant']}.{text}"]}, _EMOJI),
    ),
    MODACK: (
        (
            "the action",
            lambda good, text: {**good, "action_record_id": f"{good['action_record_id']}{text}"},
            frozenset(),
        ),
    ),
}
"""Operation → its places for strings."""

_UNKNOWN_MEMBER: Final[_TextPlace] = (
    "an unknown member",
    lambda good, text: {**good, "x": text},
    frozenset(),
)


def string_probes(label: str, good: Good) -> Iterator[Probe]:
    """Make the probes of the group `strings`."""
    places = _TEXT_PLACES.get(label, (_UNKNOWN_MEMBER,))
    for title, text, _ in _TEXTS:
        for place in (*places, _UNKNOWN_MEMBER) if places[0] is not _UNKNOWN_MEMBER else places:
            yield _string_probe(place, title, text, good)
    takes_any_json = label in ANY_JSON
    for title, raw, promised in _ESCAPED_TEXTS:
        yield Probe(
            title, "strings", body_with_text(label, good, raw), must_be_served=takes_any_json and promised
        )
    for title, text, _ in _MORE_TEXTS:
        yield _string_probe(places[0], title, text, good)


def _string_probe(place: _TextPlace, title: str, text: str, good: Good) -> Probe:
    words, body, promised = place
    return Probe(
        f"{words} has {title}", "strings", encode(body(good, text)), must_be_served=title in promised
    )


__all__ = ["number_probes", "string_probes"]
