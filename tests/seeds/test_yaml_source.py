"""YAML of seed files: what is read, on which line it stands, what is refused, and what is written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arklow_local.formats.yaml_writer import write
from mock_server.seeds.yaml_source import BadSeed, read


def test_scalars_are_those_of_json_and_other_plain_scalars_are_texts() -> None:
    """There are no dates, no yes and no, and no sexagesimal numbers; names of members are as they are spelled."""
    text = "a: [yes, off, 2026-01-01, 12:30, 1.5e3, -0, ~, true, 'null', '42']\n42: x\nb:\n"

    assert read(text.encode(), "f").value == {
        "a": ["yes", "off", "2026-01-01", "12:30", 1500.0, 0, None, True, "null", "42"],
        "42": "x",
        "b": None,
    }


def test_each_member_has_its_line() -> None:
    """A member has the line of its name, an item the line where it begins, and an alias its own."""
    source = read(b"a:\n  b:\n  - 1\n  - c: 2\nd: &x {e: 1}\nf: *x\n", "f")

    lines = [source.line(steps.split("/")) for steps in ("a", "a/b", "a/b/1", "a/b/1/c", "d/e", "f", "f/no")]
    assert lines == [1, 2, 4, 4, 5, 6, 6]


def test_an_empty_file_is_an_empty_seed() -> None:
    """So is a file of comments alone; a byte order mark is skipped."""
    assert read(b"", "f").value == read(b"\xef\xbb\xbf# nothing\n", "f").value == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a: 1\nb: 012", "f line 2, b: expected a number as JSON writes it, or quotes around it, got 012"),
        (b"a: 0x1F", "f line 1, a: expected a number as JSON"),
        (b"a: .inf", "f line 1, a: expected a number as JSON"),
        (b"a: 1e999", "f line 1, a: expected a number within a double's range"),
        (b"a: 1\nb: {c: 1,\n  c: 2}", "f line 3, b/c: expected each member once, got 'c' twice"),
        (b"a:\n- [\n", "f line 3: expected YAML, got what is none"),
        (b"a: *b", "f line 1, a: expected an anchor that stands before and is complete, got *b"),
        (b"a: &a [*a]", "f line 1, a/0: expected an anchor that stands before and is complete"),
        (b"a: !!set {b}", "f line 1, a: expected what JSON can hold, got the tag"),
        (b"a: !!int x", "f line 1, a: expected a number as JSON"),
        (b"a: 1\n---\nb: 2", "f line 2: expected one document, got another"),
        (b"a: 1\n<<: {b: 1}", "f line 2, a: expected the name of a member, got <<"),
        (b"? [a]\n: 1", "f line 1: expected the name of a member, got a list or an object"),
        (b"a: 1\nb: '\xff'", "f line 2: expected UTF-8, got byte 0xff"),
        (b"a: " + b"[" * 600, "expected at most 520 levels of nesting, got more"),
        (b"a: " + b"9" * 5_000, "f line 1, a: expected at most 4300 digits, got 5000"),
    ],
)
def test_what_is_refused_names_its_line_and_member(text: bytes, message: str) -> None:
    """What parsers read in different ways is refused."""
    with pytest.raises(BadSeed) as refused:
        read(text, "f")

    assert message in str(refused.value)


def test_the_values_of_aliases_are_bounded() -> None:
    """A few lines that stand for a million million values are refused before that many were read."""
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 13)]

    with pytest.raises(BadSeed, match="expected at most 4000000 values, got more"):
        read("\n".join(lines).encode(), "f")


_TEXTS = st.text() | st.text(alphabet="ab \n\t:#-?|>'\"\u2028\x85é{}[],&*!%@`~=0")
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXTS,
    lambda below: st.lists(below, max_size=5) | st.dictionaries(_TEXTS, below, max_size=5),
)


@settings(max_examples=40)
@given(st.dictionaries(_TEXTS, _VALUES))
def test_what_is_written_is_read_back(value: dict[str, Any]) -> None:
    """Any JSON value keeps its types, and is the same text when it is written again."""
    text = write(value)
    back = read(text.encode(), "f").value

    assert repr(back) == repr(value)
    assert write(back) == text


def test_deep_values_and_long_names_are_written_so_that_they_can_be_read() -> None:
    """The value has 250 levels, and a name longer than YAML's plain names may be."""
    value: Any = {"n" * 2_000: 1}
    for _ in range(250):
        value = {"a": [value]}

    assert read(write(value).encode(), "f").value == value


def test_texts_of_several_lines_are_written_as_blocks() -> None:
    """A block keeps every blank."""
    assert write({"a": {"b": "one\ntwo\n"}, "c": " x\n"}) == "a:\n  b: |\n    one\n    two\nc: |2\n   x\n"


def test_a_lone_surrogate_is_refused() -> None:
    """YAML's escapes cannot stand for one."""
    with pytest.raises(BadSeed, match="expected YAML"):
        read(rb'a: "\ud800"', "f")
