"""The reader takes what RFC 8259 calls JSON, exactly; defects are in tests/end_to_end/test_refusals.py."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arklow_local.formats.json_values import digest
from arklow_local.formats.strict_json import JsonRefused, parse
from mock_server.fast_json import dump

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)  # fmt: skip


@given(VALUES)
def test_what_json_writes_comes_back_equal(value: Any) -> None:
    """Escaped or not, and through our own writer too."""
    assert parse(json.dumps(value).encode()) == value
    assert parse(json.dumps(value, ensure_ascii=False).encode()) == value
    assert repr(parse(dump(value))) == repr(value)


@given(
    st.binary()
    | st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))
    | VALUES.map(lambda v: json.dumps(v).encode()[1:])
)
def test_any_bytes_are_read_or_refused_with_a_place(data: bytes) -> None:
    """Nothing else is raised, and a value that was read can be written."""
    try:
        message = "body" + dump(parse(data)).decode()[:0]
    except JsonRefused as refusal:
        message = refusal.message

    assert message.startswith("body")
    assert message.isprintable()


@given(VALUES)
def test_values_equal_as_json_share_a_digest(value: Any) -> None:
    """Member order and the spelling of a whole number do not count."""
    turned = json.loads(json.dumps(value), object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    floated = json.loads(
        json.dumps(value), parse_int=lambda text: float(text) if abs(int(text)) < 2**53 else int(text)
    )

    assert digest(turned) == digest(value)
    assert digest(floated) == digest(value)


@pytest.mark.parametrize(
    ("one", "other"), [(1, True), (0, False), (0, None), ("1", 1), ([], {}), ([1, 2], [2, 1]), (1, 1.5)]
)
def test_values_that_differ_as_json_do_not(one: Any, other: Any) -> None:
    """Python calls some of them equal."""
    assert digest([one]) != digest([other])
