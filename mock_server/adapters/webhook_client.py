"""The one door to aiohttp: calls webhooks, of this machine alone unless another host was allowed."""

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

MAX_BODY: Final = 64 << 10
"""Bytes that are read of an answer's body: enough for a signal, and the rest would only cost memory."""
_LONGEST_PAUSE: Final = 86_400 * 1_000
"""Milliseconds: no action lives longer."""


class WebhookClient:
    """Sends each request over a connection of its own. It follows no redirect and keeps no cookie.

    Loopback addresses, `localhost` and names that end with `.localhost` may be called. Other names are not even looked up,
    unless they are in `hosts`. The address of a connection is checked again when it is made.
    """

    def __init__(self, hosts: frozenset[str] = frozenset(), *, limit: float = 5.0) -> None:
        """Allow these `hosts`, too. An answer may take `limit` seconds in all."""
        self._hosts = frozenset(
            _host(f"http://[{host}]/" if ":" in host else f"http://{host}/") for host in hosts
        )
        self._limit = limit
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def prepare(self) -> None:
        """Import aiohttp in another thread, as that takes a quarter of a second."""
        await asyncio.get_running_loop().run_in_executor(None, _load)

    def why_not_called(self, url: str) -> str:
        """Return why a URL may not be called; empty when it may."""
        host = _host(url)
        if is_arklows(host):
            return f"expected a host that is not Arklow's own, got {host[:60]!r} (B109)"
        if host in self._hosts or _is_this_machine(host):
            return ""
        return f"expected a host of this machine, got {host[:60]!r}; allow it with --deliver-to {host[:60]}"

    async def post(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> Reply:
        """Call a webhook, with headers as (name, value), and return its answer.

        Raises:
            NoAnswer: the URL may not be called, or there is no usable answer within the limit.
        """
        reason = self.why_not_called(url)
        if reason:
            raise NoAnswer(f"not sent: {reason}")
        import aiohttp
        from multidict import CIMultiDict
        from yarl import URL

        first: CIMultiDict[str] = CIMultiDict()
        repeated: CIMultiDict[str] = CIMultiDict()
        for name, value in headers:
            (repeated if name in first else first).add(name, value)

        async def complete(request: Any, handler: Any) -> Any:
            request.headers.extend(repeated)  # aiohttp itself keeps one of two names that differ in case
            return await handler(request)

        session = self._session(allowed=_host(url) in self._hosts)
        try:
            async with session.post(
                URL(url),
                data=body,
                headers=first,
                allow_redirects=False,
                middlewares=(complete,) if repeated else (),
            ) as response:
                parts: list[bytes] = []
                length = 0
                while length <= MAX_BODY:
                    part = await response.content.read(MAX_BODY + 1 - length)
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
                    response.status,
                    found,
                    read[:MAX_BODY],
                    length <= MAX_BODY,
                    _retry_after(response.headers),
                )
        except TimeoutError as error:
            reason = f"no whole answer within {self._limit:g} s"
            _drop_frames(error)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            reason = f"no usable answer: {str(error)[:300] or type(error).__name__}"
            _drop_frames(error)
        raise NoAnswer(reason)

    async def close(self) -> None:
        """Close the sessions."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    def _session(self, *, allowed: bool) -> aiohttp.ClientSession:
        session = self._sessions.get(allowed)
        if session is None:
            import aiohttp

            class LoopbackResolver(aiohttp.abc.AbstractResolver):
                """Resolves `localhost` and names that end with it, without a name server (RFC 6761 §6.3)."""

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
                resolver=None if allowed else LoopbackResolver(),
                force_close=True,  # else a call to a restarted receiver could meet a connection that is closed already
                use_dns_cache=False,
                socket_factory=None if allowed else loopback_socket,
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


def _drop_frames(error: BaseException | None) -> None:
    """Drop the frames that an exception holds: aiohttp keeps its exceptions in objects of these frames, and collecting such
    cycles would delay all requests by milliseconds."""
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def _load() -> None:
    import aiohttp  # noqa: F401


def _host(url: str) -> str:
    """The host of a URL as yarl sees it, which aiohttp uses: another parser might see another host."""
    from yarl import URL

    try:
        return (URL(url).host or "").lower().rstrip(".")
    except ValueError:
        return ""


def _is_this_machine(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost") or _is_loopback(host)


def _is_loopback(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback


def loopback_socket(address: tuple[Any, ...]) -> socket.socket:
    """Return a socket for an address of this machine, as `getaddrinfo` has addresses.

    Raises:
        OSError: the address is another machine's, whatever name led to it.
    """
    family, kind, protocol, _, target = address
    if not _is_loopback(str(target[0]).partition("%")[0]):
        raise OSError(f"{target[0]} is no address of this machine")
    new = socket.socket(family, kind, protocol)
    new.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MAX_BODY)  # more than that is not read
    return new


def _retry_after(headers: Any) -> int | None:
    """What `Retry-After` asks for, in milliseconds: a number of seconds, or a date, counted from the answer's `Date` (Q31)."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,10}", text):
        return min(int(text) * 1_000, _LONGEST_PAUSE)
    try:
        until = parsedate_to_datetime(text)
        since = parsedate_to_datetime(headers["Date"]) if "Date" in headers else datetime.now(UTC)
        return min(max(0, round((until - since).total_seconds() * 1_000)), _LONGEST_PAUSE)
    except (TypeError, ValueError, OverflowError):
        return None
