"""A request of the catalogue, and the good request that it departs from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Good = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Probe:
    """One request to an operation, as it differs from a plain one."""

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
    """Sizes of the chunks in which the body is sent; with none it has a Content-Length."""
    serve: bool = False
    """Neither a page nor an RFC leaves a ground to refuse it: a 4xx is a broken promise."""
    large: bool = False
    """More than 64 KiB, very deep, or slow: left out unless wanted."""

    @property
    def mild(self) -> bool:
        """Whether it is neither large nor deep, so that nobody's server suffers by it."""
        body = self.body or b""
        return not self.large and len(body) <= 10_000 and max(body.count(b"["), body.count(b"{")) <= 64


_INGRESS: Final = "POST /v1/ingress/{variant}"


_MODACK: Final = "POST /v1/modack"


_PUT: Final = "PUT /v1/orgs/{org_id}/actions/definitions"


_ROOMS: Final[dict[str, tuple[str, ...]]] = {_INGRESS: ("payload",), _PUT: ("schema", "default")}
"""Where a body may have any JSON value; elsewhere it becomes a member `x`, which one interpretation may refuse."""


_INTEGERS: Final = {_INGRESS: ("version",), _MODACK: ("attempt", "mod_ack"), _PUT: ("version",)}


_HERE: Final = "@here@"


def _text(value: Any) -> bytes:
    """JSON without blanks, in UTF-8; what UTF-8 cannot say stands in escapes."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def _filled(label: str, good: Good, raw: bytes) -> bytes:
    """The good body with a JSON text, or what is none, in its room."""
    first, *rest = _ROOMS.get(label, ("x",))
    here: Any = _HERE
    for name in reversed(rest):
        here = {name: here}
    return _text({**good, first: here}).replace(_text(_HERE), raw)


def _with(label: str, good: Good, value: Any) -> bytes:
    return _filled(label, good, _text(value))


def _more(good: Good, raw: bytes) -> bytes:
    """The good body with more text before its last brace."""
    return _text(good)[:-1] + b"," + raw + b"}"


__all__ = ["Good", "Probe"]
