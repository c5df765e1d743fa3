"""A request of the corpus, and the good request that it departs from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Good = Mapping[str, Any]
"""Body of a request that the target serves."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One request to an operation, as it differs from an ordinary one."""

    title: str
    """In words, as `a member name twice`; no two of an operation are alike."""
    group: str
    """bytes, encodings, headers, media types, chunking, sizes, counts, numbers, strings, query, paths, methods."""
    body: bytes | None
    headers: tuple[tuple[str, str], ...] = ()
    """Beside the key, as latin-1 text; a name may stand twice, and beside `content_type` too."""
    content_type: str | None = "application/json"
    """None: no such header."""
    method: str | None = None
    """Another method than the operation's, in just this case."""
    query: str = ""
    """Already encoded, to be sent as it stands."""
    path: str = ""
    """Another path than the operation's, in which `{variant}` and `{org_id}` stand for the same; already encoded."""
    tail: str = ""
    """Appended to the path, already encoded."""
    chunks: tuple[int, ...] = ()
    """Sizes in bytes of the chunks in which the body is sent; with none it has a Content-Length."""
    must_be_served: bool = False
    """Neither a page nor an RFC leaves a ground to refuse it: a 4xx breaks a promise."""

    @property
    def mild(self) -> bool:
        """Tell whether it costs a target no more than ordinary requests: at most 10,000 bytes and about 64 levels."""
        body = self.body or b""
        return len(body) <= 10_000 and max(body.count(b"["), body.count(b"{")) <= 64


INGRESS: Final = "POST /v1/ingress/{variant}"
MODACK: Final = "POST /v1/modack"
PUT: Final = "PUT /v1/orgs/{org_id}/actions/definitions"

ANY_JSON: Final[dict[str, tuple[str, ...]]] = {INGRESS: ("payload",), PUT: ("schema", "default")}
"""Operation → the place in its body that takes any JSON value, as member names in order.

Other operations get the value in a member `x`, which a strict target may refuse.
"""
INTEGER_MEMBERS: Final = {INGRESS: ("version",), MODACK: ("attempt", "mod_ack"), PUT: ("version",)}
"""Operation → the members of its body that are integers."""
PLACEHOLDER: Final = "@here@"
"""Stands in a body where raw text is put afterwards, which need not be JSON."""


def encode(value: Any) -> bytes:
    """Write JSON without blanks, in UTF-8; what UTF-8 cannot say stands in escapes."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def body_with_text(label: str, good: Good, raw: bytes) -> bytes:
    """Put a text, JSON or not, where the operation `label` takes any JSON value, and write the good body with it."""
    first, *rest = ANY_JSON.get(label, ("x",))
    value: Any = PLACEHOLDER
    for name in reversed(rest):
        value = {name: value}
    return encode({**good, first: value}).replace(encode(PLACEHOLDER), raw)


def body_with_value(label: str, good: Good, value: Any) -> bytes:
    """Put a value where the operation `label` takes any JSON value, and write the good body with it."""
    return body_with_text(label, good, encode(value))


def body_with_members(good: Good, raw: bytes) -> bytes:
    """Write the good body with the text of more members before its last brace."""
    return encode(good)[:-1] + b"," + raw + b"}"


__all__ = [
    "ANY_JSON",
    "INGRESS",
    "INTEGER_MEMBERS",
    "MODACK",
    "PLACEHOLDER",
    "PUT",
    "Good",
    "Probe",
    "body_with_members",
    "body_with_text",
    "body_with_value",
    "encode",
]
