"""The one door to aiohttp: calls webhooks, on this machine alone unless a host was allowed."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from ..domain.destinations import is_arklows
from ..domain.ports import NoAnswer
from ..domain.webhook_answers import Reply

if TYPE_CHECKING:
    import aiohttp

READ: Final = 64 << 10
"""Bytes of an answer's body that are read."""
_LONGEST: Final = 86_400 * 1_000


class WebhookClient:
    """Sends one request over a connection of its own, follows nothing, keeps nothing.

    A loopback address, `localhost` and what ends with `.localhost` may be called; other names are not even looked up,
    unless they are in `hosts`. What a name of this machine led to is looked at once more when the connection is made.
    """

    def __init__(self, hosts: frozenset[str] = frozenset(), *, limit: float = 5.0) -> None:
        self._hosts = frozenset(
            _host(f"http://[{host}]/" if ":" in host else f"http://{host}/") for host in hosts
        )
        self._limit = limit
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def prepare(self) -> None:
        """Load the client, a quarter of a second's work, in another thread."""
        await asyncio.get_running_loop().run_in_executor(None, _load)

    def why_not_called(self, url: str) -> str:
        """Why a URL may not be called; empty when it may."""
        host = _host(url)
        if is_arklows(host):
            return f"expected a host that is not Arklow's own, got {host[:60]!r} (B109)"
        if host in self._hosts or _is_here(host):
            return ""
        return f"expected a host of this machine, got {host[:60]!r}; allow it with --deliver-to {host[:60]}"

    async def post(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> Reply:
        """What the receiver answers.

        Raises:
            NoAnswer: it may not be called, or answers nothing usable within the limit.
        """
        reason = self.why_not_called(url)
        if reason:
            raise NoAnswer(f"not sent: {reason}")
        import aiohttp
        from multidict import CIMultiDict
        from yarl import URL

        first: CIMultiDict[str] = CIMultiDict()
        again: CIMultiDict[str] = CIMultiDict()
        for name, value in headers:
            (again if name in first else first).add(name, value)

        async def complete(request: Any, handler: Any) -> Any:
            request.headers.extend(again)  # the client itself keeps one of two names that differ in casing
            return await handler(request)

        session = self._session(allowed=_host(url) in self._hosts)
        try:
            async with session.post(
                URL(url),
                data=body,
                headers=first,
                allow_redirects=False,
                middlewares=(complete,) if again else (),
            ) as response:
                parts: list[bytes] = []
                length = 0
                while length <= READ:
                    part = await response.content.read(READ + 1 - length)
                    if not part:
                        break
                    parts.append(part)
                    length += len(part)
                else:
                    response.close()
                found = tuple(
                    (name.decode("latin-1").lower(), value.decode("latin-1"))
                    for name, value in response.raw_headers
                )
                read = b"".join(parts)
                return Reply(
                    response.status, found, read[:READ], length <= READ, _retry_after(response.headers)
                )
        except TimeoutError as error:
            reason = f"no whole answer within {self._limit:g} s"
            _forget_where(error)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            reason = f"no usable answer: {str(error)[:300] or type(error).__name__}"
            _forget_where(error)
        raise NoAnswer(reason)

    async def close(self) -> None:
        """Close what was opened."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    def _session(self, *, allowed: bool) -> aiohttp.ClientSession:
        session = self._sessions.get(allowed)
        if session is None:
            import aiohttp

            class Here(aiohttp.abc.AbstractResolver):
                """Knows `localhost` and what ends with it, without asking anybody (RFC 6761 §6.3)."""

                async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[Any]:
                    return [
                        {
                            "hostname": host,
                            "host": address,
                            "port": port,
                            "family": of,
                            "proto": 0,
                            "flags": 0,
                        }
                        for address, of in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6))
                    ]

                async def close(self) -> None:
                    pass

            connector = aiohttp.TCPConnector(
                limit=0,
                resolver=None if allowed else Here(),
                force_close=True,  # a receiver that was restarted must not meet a connection that is half dead
                use_dns_cache=False,
                socket_factory=None if allowed else socket_here,
            )
            session = self._sessions[allowed] = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("Accept", "Accept-Encoding"),
                headers={"User-Agent": "arklow-mock"},
                timeout=aiohttp.ClientTimeout(total=self._limit),
                trust_env=False,
            )
        return session


def _forget_where(error: BaseException | None) -> None:
    """Let go the frames that a failure holds: the client keeps its failures in what these frames hold, and collecting
    such cycles would stop everybody for milliseconds."""
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def _load() -> None:
    import aiohttp  # noqa: F401


def _host(url: str) -> str:
    """The host as the client that connects reads it: no other reading of a URL counts."""
    from yarl import URL

    try:
        return (URL(url).host or "").lower().rstrip(".")
    except ValueError:
        return ""


def _is_here(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost") or _is_loopback(host)


def _is_loopback(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback


def socket_here(address: tuple[Any, ...]) -> socket.socket:
    """A socket for an address of this machine; others get none, whatever name led to them.

    Raises:
        OSError: the address is another machine's.
    """
    family, kind, protocol, _, target = address
    if not _is_loopback(str(target[0]).partition("%")[0]):
        raise OSError(f"{target[0]} is no address of this machine")
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, READ)  # what nobody will read need not be taken in
    return made


def _retry_after(headers: Any) -> int | None:
    """What `Retry-After` asks for in milliseconds: seconds, or a date, counted from the answer's own (Q31)."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,10}", text):
        return min(int(text) * 1_000, _LONGEST)
    try:
        until = parsedate_to_datetime(text)
        since = parsedate_to_datetime(headers["Date"]) if "Date" in headers else datetime.now(UTC)
        return min(max(0, round((until - since).total_seconds() * 1_000)), _LONGEST)
    except (TypeError, ValueError, OverflowError):
        return None
