"""Hypothesis strategies for what a caller of Arklow chooses."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

text = st.text(st.characters(codec="utf-8"), max_size=12)

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=8,
)

tags = st.dictionaries(text, text, max_size=3)

schemas = st.sampled_from(
    [{}, {"type": "object"}, {"title": "a"}, {"title": "b"}, {"type": ["object", "null"]}]
)
"""Schemas of definitions. All take an object as payload."""

objects = st.dictionaries(text, json_values, max_size=4)

leases = st.sampled_from([60, 61, 300, 3_600, 2**31])
"""Seconds; long enough that nothing expires within a sequence."""

__all__ = ["json_values", "leases", "objects", "schemas", "tags", "text"]
