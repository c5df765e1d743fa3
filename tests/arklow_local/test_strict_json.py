"""Two readers of JSON over one decoder: what each takes, and what it says of the rest.

The words of every refusal of `parse` are in tests/end_to_end/test_refusals.py.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arklow_local.formats.json_values import digest, show
from arklow_local.formats.strict_json import (
    MARK,
    Ambiguous,
    Doubled,
    JsonRefused,
    NotJSON,
    parse,
    read,
)
from mock_server.fast_json import dump

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)
ODD_BYTES = (
    st.binary()
    | st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))
    | VALUES.map(lambda value: json.dumps(value).encode()[1:])
)


@given(VALUES)
def test_what_json_writes_comes_back_equal(value: Any) -> None:
    """Both readers take it, escaped or not, and written by the mock's own writer."""
    for reader in (parse, read):
        assert reader(json.dumps(value).encode()) == value
        assert reader(json.dumps(value, ensure_ascii=False).encode()) == value
        assert repr(reader(dump(value))) == repr(value)


@given(ODD_BYTES)
def test_any_bytes_are_parsed_or_refused_with_a_place(data: bytes) -> None:
    """`parse` raises nothing else, and a value that it takes can be written."""
    try:
        message = "body" + dump(parse(data)).decode()[:0]
    except JsonRefused as refusal:
        message = refusal.message

    assert message.startswith("body")
    assert message.isprintable()


@given(ODD_BYTES)
def test_what_is_parsed_is_read_as_the_same_value(data: bytes) -> None:
    """`read` takes all that `parse` takes, and raises nothing but its own errors."""
    try:
        value = read(data)
    except (NotJSON, Ambiguous):
        with pytest.raises(JsonRefused):
            parse(data)
    else:
        try:
            parsed = parse(data)
        except JsonRefused:
            return
        assert repr(parsed) == repr(value)


@pytest.mark.parametrize(
    ("data", "code", "kind", "reason"),
    [
        (b"\xff", "NOT_UTF8", NotJSON, "it is not UTF-8 (byte 0)"),
        (MARK + b"{}", "NOT_UTF8", NotJSON, "it begins with a byte order mark"),
        (MARK + b"\xff", "NOT_UTF8", NotJSON, "it begins with a byte order mark"),
        (b" \n", "EMPTY_BODY", NotJSON, "expecting value at character 2"),
        (b'{"a":1', "MALFORMED_JSON", NotJSON, "expecting ',' delimiter at character 6"),
        (b"[NaN]", "NOT_A_NUMBER", NotJSON, "NaN is not a JSON number"),
        (b'{"a":1,"\\u0061":2}', "DUPLICATE_KEY", Doubled, "a member name stands twice in one object"),
        (b"[" * 501 + b"]" * 501, "TOO_DEEP", None, ""),
        (b"[" * 100_000, "TOO_DEEP", Ambiguous, "it is nested too deeply to say"),
        (b"9" * 5_000, "NUMBER_TOO_LONG", Ambiguous, "it has a number too long to say"),
        (b"1e400", "NUMBER_OUT_OF_RANGE", None, ""),
        (b'"\\ud800"', "LONE_SURROGATE", None, ""),
    ],
    ids=str,
)
def test_each_defect_has_its_code_and_its_kind(
    data: bytes, code: str, kind: type[Exception] | None, reason: str
) -> None:
    """`parse` refuses every one; `read` takes what RFC 8259 calls JSON, and sets apart what parsers read differently."""
    with pytest.raises(JsonRefused) as refused:
        parse(data)
    assert refused.value.code == code
    if kind is None:
        read(data)
        return
    with pytest.raises((NotJSON, Ambiguous)) as found:
        read(data)
    assert (type(found.value), str(found.value)) == (kind, reason)


@pytest.mark.parametrize("data", [b'{"a":1,"a":2} x', b"[NaN, }", b'["\\ud800", 1e999'])
def test_a_text_with_two_defects_is_malformed_when_it_breaks_the_grammar(data: bytes) -> None:
    """Where the other defect is cannot be said, as the text has no value."""
    with pytest.raises(JsonRefused) as refused:
        parse(data)

    assert refused.value.code == "MALFORMED_JSON"


def test_the_name_of_the_text_begins_each_message() -> None:
    """The place below it is a JSON pointer."""
    with pytest.raises(JsonRefused) as refused:
        parse(b'{"a/b":[1,{"c":1,"c":2}]}', "payload")

    assert refused.value.message == 'payload/a~1b/1: expected each member name once, got "c" twice'


@given(VALUES)
def test_values_equal_as_json_share_a_digest(value: Any) -> None:
    """The order of members and the spelling of a whole number do not count."""
    reordered = json.loads(json.dumps(value), object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    as_floats = json.loads(
        json.dumps(value), parse_int=lambda text: float(text) if abs(int(text)) < 2**53 else int(text)
    )

    assert digest(reordered) == digest(value)
    assert digest(as_floats) == digest(value)


@pytest.mark.parametrize(
    ("one", "other"), [(1, True), (0, False), (0, None), ("1", 1), ([], {}), ([1, 2], [2, 1]), (1, 1.5)]
)
def test_values_that_differ_as_json_do_not(one: Any, other: Any) -> None:
    """Python calls some of them equal."""
    assert digest([one]) != digest([other])


def test_a_value_is_shown_on_one_line() -> None:
    """White space becomes single blanks, and the end of a long value is cut off."""
    assert show({"a": "b\u2028c", "d": "é" * 200}, 24) == '{"a": "b c", "d": "éééé…'
