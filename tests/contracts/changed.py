"""A server whose answers are changed on their way, as a gateway or a careless encoder changes them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from werkzeug.test import run_wsgi_app

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Headers = dict[str, str]
Change = Callable[[str, str, Headers, bytes], tuple[str, Headers, bytes]]
"""Takes path, status, headers by their names, and body; returns (status, headers, body)."""


def answer_of(app: WSGIApplication, environ: WSGIEnvironment) -> tuple[str, list[tuple[str, str]], bytes]:
    """Let an application answer; returns (status, headers without the length, body)."""
    body, status, headers = run_wsgi_app(app, environ, buffered=True)
    return status, [pair for pair in headers if pair[0].lower() != "content-length"], b"".join(body)


def with_length(headers: list[tuple[str, str]], body: bytes) -> list[tuple[str, str]]:
    """Return headers with the length of a body."""
    return [*headers, ("Content-Length", str(len(body)))]


class Changed:
    """Hands each answer of an application to a change."""

    def __init__(self, app: WSGIApplication, change: Change) -> None:
        self.app = app
        self._change = change

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status, head, body = answer_of(self.app, environ)
        status, headers, body = self._change(environ["PATH_INFO"], status, dict(head), body)
        start_response(status, with_length([*headers.items()], body))
        return [body]


def on_accepted_work(edit: Callable[[dict[str, Any]], None]) -> Change:
    """Return what edits the `data` of each answer to work that was accepted."""

    def change(path: str, status: str, headers: Headers, body: bytes) -> tuple[str, Headers, bytes]:
        if "/v1/ingress/" in path and status.startswith("200"):
            value = json.loads(body)
            edit(value["data"])
            body = json.dumps(value).encode()
        return status, headers, body

    return change


def on_every_body(encode: Callable[[bytes], bytes], **more: str) -> Change:
    """Return what writes each body in another way, with further headers."""
    added = {name.replace("_", "-"): value for name, value in more.items()}
    return lambda _, status, headers, body: (
        status,
        {**headers, **(added if body else {})},
        body and encode(body),
    )


def _as_text(path: str, status: str, headers: Headers, body: bytes) -> tuple[str, Headers, bytes]:
    is_work = "/v1/ingress/" in path and status.startswith("200")
    return status, {**headers, "Content-Type": "text/plain"} if is_work else headers, body


CHANGES: Final[dict[str, tuple[str, Change]]] = {
    "a member of another type": ("PAGE-5", on_accepted_work(lambda data: data.update(queue_s=7))),
    "a numeric version": ("PAGE-5", on_accepted_work(lambda data: data.update(a_ve=int(data["a_ve"])))),
    "another media type": ("PAGE-4", _as_text),
    "an id with a line end": ("PAGE-5", on_accepted_work(lambda data: data.update(a_id=f"{data['a_id']}\n"))),
    "a byte order mark": ("JSON-7", on_every_body(lambda body: b"\xef\xbb\xbf" + body)),
    "UTF-16": ("JSON-7", on_every_body(lambda body: body.decode().encode("utf-16"))),
}
"""What every answer of a kind has → the rule that it breaks, and the change."""
COMPRESSED: Final = on_every_body(lambda body: gzip.compress(body, mtime=0), Content_Encoding="gzip")
"""Compression without being asked, which is lawful (RFC 9110 §12.5.3)."""

__all__ = [
    "CHANGES",
    "COMPRESSED",
    "Change",
    "Changed",
    "answer_of",
    "on_accepted_work",
    "on_every_body",
    "with_length",
]
