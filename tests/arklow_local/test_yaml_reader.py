"""YAML as others write it, by YAML 1.2's core schema and within bounds; what seed files have is in tests/seeds."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from arklow_local.formats.yaml_reader import Dialect, YamlRefused, read
from arklow_local.formats.yaml_writer import write_block
from tests import vendor

SPEC = vendor.UPSTREAM.parent
DOCUMENTS = sorted(file for file in SPEC.rglob("*.yaml"))


def read_document(text: bytes | str) -> Any:
    """The value of a text in the dialect of documents."""
    return read(text, "d", dialect=Dialect.DOCUMENT).value


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_both_dialects_and_pyyaml_read_our_documents_alike(file: Any) -> None:
    """Names of members apart, which PyYAML reads as numbers."""
    expected = with_text_names(yaml.safe_load(file.read_bytes()))

    assert read_document(file.read_bytes()) == expected
    assert read(file.read_bytes(), file.name).value == expected
    assert read_document(write_block(expected)) == expected


def with_text_names(node: Any) -> Any:
    """The same with names of members as texts."""
    if isinstance(node, dict):
        return {str(name): with_text_names(member) for name, member in node.items()}
    return [with_text_names(item) for item in node] if isinstance(node, list) else node


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((word, word) for word in ("yes", "off", "n", "1_000", "12:30", "2026-01-01", "2026-13-41", "0b1", "1e", ".")),
        *((word, word) for word in ("2026-01-01 10:00:00", "2001-12-14t21:59:43.10-05:00", "190:20:30", "=", "0o8", "0xg")),
        *(("true", True), ("FALSE", False), ("~", None), ("Null", None), ("''", ""), ("'010'", "010")),
        *(("010", 10), ("+1", 1), ("-0", 0), ("0x1F", 31), ("0o17", 15), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0)),
        *(("!!str 5", "5"), ("!!int 5", 5), ("!!float 5", 5.0), ("!!bool true", True), ("! 5", "5")),
        *(("!!timestamp 2026-01-01", "2026-01-01"), ("!!null ''", None)),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2(text: str, value: Any) -> None:
    """A plain date, time or `yes` is a string, as OpenAPI 3.1 recommends YAML 1.2."""
    read_value = read_document(f"a: {text}")["a"]

    assert (read_value, type(read_value)) == (value, type(value))


def test_names_of_members_are_as_they_are_spelled() -> None:
    """Also those that look like another value."""
    assert read_document("on: 1\n200: 2\n'<<': 3\n2026-01-01: 4\n") == {
        "on": 1,
        "200": 2,
        "<<": 3,
        "2026-01-01": 4,
    }


def test_merge_keys_are_merged() -> None:
    """Own members win over merged ones, wherever `<<` stands, and of several merged objects the first one wins."""
    text = "a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc: {z: 3, <<: [*a, *b]}\nd:\n  <<: *b\n  x: 4\n"

    assert read_document(text) == {
        "a": {"x": 1, "y": 1},
        "b": {"x": 2, "z": 2},
        "c": {"x": 1, "y": 1, "z": 3},
        "d": {"x": 4, "z": 2},
    }
    assert list(read_document(text)["c"]) == list(yaml.safe_load(text)["c"])


def test_of_members_that_stand_twice_the_last_one_counts() -> None:
    """Seed files refuse them; documents of others may have them."""
    assert read_document("a: 1\nb: 2\na: 3\n") == {"a": 3, "b": 2}


def test_each_place_has_a_value_of_its_own() -> None:
    """An overlay that changes one place leaves the other alone."""
    value = read_document("a: &a {x: [1]}\nb: *a\nc: {<<: *a}\n")
    value["b"]["x"].append(2)
    value["c"]["x"].append(3)

    assert value == {"a": {"x": [1]}, "b": {"x": [1, 2]}, "c": {"x": [1, 3]}}


def test_a_document_may_be_utf_16_with_its_mark() -> None:
    """As PyYAML reads it; without a mark it is UTF-8."""
    assert read_document("a: é".encode("utf-16")) == {"a": "é"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: .inf", "d line 1, a: expected a value of JSON, got .inf"),
        ("a: -.INF", "d line 1, a: expected a value of JSON, got -.INF"),
        ("a: 1e999", "d line 1, a: expected a number within a double's range, got 1e999"),
        ("a: 0x" + "1" * 5_000, "d line 1, a: expected at most 4300 digits, got 5000"),
        ("a: !!int x", "d line 1, a: expected a value of the type int, got x"),
        ("a: !!binary aaaa", "d line 1, a: expected what JSON can hold, got the tag tag:yaml.org,2002:binary"),
        ("a: !thing x", "d line 1, a: expected what JSON can hold, got the tag !thing"),
        ("a: !!set {b}", "d line 1, a: expected what JSON can hold, got the tag tag:yaml.org,2002:set"),
        ("a: &a [*a]", "d line 1, a/0: expected an anchor that stands before and is complete, got *a"),
        ("a:\n  <<: 1", "d line 2, a: expected an object or a list of objects after <<, got another value"),
        ("? [a]\n: 1", "d line 1: expected the name of a member, got a list or an object"),
        ("a: 1\n---\nb: 2", "d line 2: expected one document, got another"),
        ("a: " + "[" * 600, "expected at most 520 levels of nesting, got more"),
        ("a: [\n", "d line 2: expected YAML, got what is none (did not find expected node content)"),
    ],
)  # fmt: skip
def test_what_json_cannot_hold_and_what_has_no_end_is_refused(text: str, message: str) -> None:
    """With its line and place."""
    with pytest.raises(YamlRefused) as refused:
        read_document(text)

    assert message in str(refused.value)


def test_what_anchors_stand_for_is_bounded_in_documents_too() -> None:
    """A few lines that spell a million million values take no memory."""
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 13)]

    with pytest.raises(YamlRefused, match="expected at most 4000000 values, got more"):
        read_document("\n".join(lines))


def test_lines_are_counted_from_where_the_text_begins() -> None:
    """A page has its document in the middle."""
    source = read("a:\n  b: 1\n", "page", dialect=Dialect.DOCUMENT, first_line=10)

    assert (source.line(["a", "b"]), source.where("a/b")) == (11, "page line 11, a/b")
