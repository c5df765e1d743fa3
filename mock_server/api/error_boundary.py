"""The outermost layer: every request gets one answer, refusals in the documented envelope, and one line of the log."""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from ..domain.errors import ArklowError
from .bodies import ClientGone
from .envelope import Headers, encode, refusal, send_json
from .errors import STATUSES, Refused, Statuses
from .exchange import EXCHANGE, Exchange

Log = Callable[[str], None]

_ALLOW_HEADERS: Final = b"authorization, content-type, prefer, x-arklow-auth"
"""What a preflight that names no headers is allowed to send."""
_PREFLIGHT_AGE: Final = b"600"
"""Seconds that a browser may keep the answer to a preflight."""
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]")


class ErrorBoundary:
    """Wraps the application of the document, and answers whatever it raises.

    It knows the routes only to name the methods of a path and the paths that exist; Connexion does the routing.
    """

    def __init__(
        self,
        app: ASGIApp,
        routes: Iterable[tuple[str, str]],
        log: Log,
        journal: Callable[[Scope, Exchange], None],
        statuses: Mapping[str, Statuses] = STATUSES,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Wrap `app`.

        Args:
            app: answers requests, or raises.
            routes: (method, path template) of all that `app` answers.
            log: called with one line for each request.
            journal: called with each request of a known organisation that was answered.
            statuses: error code → the statuses of a refusal.
            timer: returns seconds, by which durations are measured.
        """
        self._app = app
        self._log = log
        self._journal = journal
        self._statuses = statuses
        self._timer = timer
        self._routes: dict[str, tuple[re.Pattern[str], list[str]]] = {}
        for method, path in routes:
            pattern = re.compile(
                "".join("[^/]+" if p[:1] == "{" else re.escape(p) for p in re.split(r"(\{[^}]*\})", path))
            )
            self._routes.setdefault(path, (pattern, []))[1].append(method.upper())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != "http":
            return
        started = self._timer()
        exchange = scope[EXCHANGE] = Exchange()
        try:
            self._settle_path(scope, exchange)
            if scope["method"] == "OPTIONS":
                await self._options(scope, send, exchange)
            elif scope["method"] == "HEAD":
                raise HTTPException(405)
            else:
                await self._app(scope, receive, send)
        except ClientGone:
            exchange.reason = "the client closed the connection before its body was complete"
        except ArklowError as error:
            await self._refuse(send, exchange, error.code, error.message)
        except Refused as refused:
            await self._refuse(send, exchange, refused.code, refused.message, refused.headers)
        except HTTPException:
            await self._refuse_route(scope, send, exchange)
        except Exception:
            self._log(traceback.format_exc())
            if not exchange.status:  # otherwise an answer is on its way already
                await self._refuse(send, exchange, "INTERNAL_ERROR", "the mock failed; this is its own fault")
        exchange.seconds = self._timer() - started
        if exchange.organisation and (exchange.status or exchange.fault):
            self._journal(scope, exchange)
        self._log(_line(scope, exchange))

    def _settle_path(self, scope: Scope, exchange: Exchange) -> None:
        """Make the path routable: its segments decoded but for a `/` inside one, and one final slash dropped (Q29)."""
        raw: bytes = scope["raw_path"]
        if b"%" in raw:
            try:
                segments = [unquote_to_bytes(segment).decode("utf-8") for segment in raw.split(b"/")]
            except UnicodeDecodeError:
                raise Refused(
                    "INVALID_PARAMETER", "path: expected percent-encoded UTF-8, got other bytes"
                ) from None
            scope["path"] = "/".join(
                s.replace("%", "%25").replace("/", "%2F").replace("\n", "%0A") for s in segments
            )
            exchange.is_escaped = True
        path: str = scope["path"]
        if path.endswith("/") and len(path) > 1 and not self._allowed(path):
            scope["path"] = path[:-1]

    def _allowed(self, path: str) -> list[str]:
        """The methods of all routes that fit a path."""
        return sorted(
            {m for pattern, methods in self._routes.values() if pattern.fullmatch(path) for m in methods}
        )

    async def _options(self, scope: Scope, send: Send, exchange: Exchange) -> None:
        """Answer OPTIONS with the methods of the path; any preflight is answered, as any page may try the API."""
        path = scope["path"]
        allowed = (
            sorted({m for _, ms in self._routes.values() for m in ms}) if path == "*" else self._allowed(path)
        )
        sent = dict(scope["headers"])
        if not allowed and b"access-control-request-method" not in sent:
            raise HTTPException(404)
        allow = ", ".join([*allowed, "OPTIONS"]).encode()
        headers: list[tuple[bytes, bytes]] = [
            (b"allow", allow),
            (b"access-control-allow-origin", b"*"),
            (b"access-control-allow-methods", allow),
            (b"access-control-allow-headers", sent.get(b"access-control-request-headers", _ALLOW_HEADERS)),
            (b"access-control-max-age", _PREFLIGHT_AGE),
        ]
        if b"access-control-request-private-network" in sent:
            headers.append((b"access-control-allow-private-network", b"true"))
        exchange.answered(204)
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _refuse_route(self, scope: Scope, send: Send, exchange: Exchange) -> None:
        """Refuse a path that does not exist, or a method that its path does not have."""
        method, path = scope["method"], scope["path"]
        allowed = self._allowed(path)
        path_text = repr(path[:100])
        if allowed:
            allow = ", ".join([*allowed, "OPTIONS"])
            await self._refuse(
                send,
                exchange,
                "METHOD_NOT_ALLOWED",
                f"method: expected {allow} for {path_text}, got {method}",
                ((b"allow", allow.encode()),),
            )
        else:
            known = ", ".join(f"{'/'.join(methods)} {path}" for path, (_, methods) in self._routes.items())
            await self._refuse(
                send, exchange, "NOT_FOUND", f"path: expected one of {known}; got {method} {path_text}"
            )

    async def _refuse(
        self, send: Send, exchange: Exchange, code: str, message: str, headers: Headers = ()
    ) -> None:
        statuses = (self._statuses if exchange.operation else STATUSES)[code]
        status = statuses.ingress if exchange.is_ingress else statuses.elsewhere
        exchange.reason = f"{code} {message}"
        await send_json(exchange.send or send, exchange, status, encode(refusal(code, message)), headers)


def _line(scope: Scope, exchange: Exchange) -> str:
    """The line of the log, in printable ASCII."""
    what = exchange.operation or f"{scope['method']} {scope['path'][:100]}"
    who = f"org {exchange.organisation}" if exchange.organisation else "-"
    line = f"{exchange.status or '---'} {what}  {who}  {exchange.seconds * 1000:.1f} ms"
    if exchange.fault:
        line = f"{line}  fault {exchange.fault}"
    if exchange.reason:
        line = f"{line}  {exchange.reason}"
    return (
        line if line.isascii() and line.isprintable() else _UNPRINTABLE.sub(lambda c: ascii(c[0])[1:-1], line)
    )
