"""The lines to the servers of a target: whom they trust, who they say we are, through which proxy; read in time."""

from __future__ import annotations

import http.client
import io
import os
import ssl
import time
from collections.abc import Iterable
from functools import cached_property
from typing import Any, Never
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import ProxyConfig
from urllib3.util import parse_url

from ..core.target import ConnectionOptions


class NoWay(ValueError):
    """A file that says how a target is reached cannot be used; the text says which, and why."""


class Head(urllib3.HTTPHeaderDict):
    """Headers, and the target of the request as it is to be sent: urllib3 would write its escapes in another way."""

    def __init__(self, target: str, headers: Iterable[tuple[str, str]]) -> None:
        super().__init__(list(headers))
        self.target = target

    def copy(self) -> Head:
        """The same once more, as pools ask for it."""
        return Head(self.target, self.iteritems())


class _Timely(io.RawIOBase):
    """What a socket receives: all of it within the time that the socket gives to one read."""

    def __init__(self, sock: Any, raw: io.RawIOBase) -> None:
        self._sock = sock
        self._raw = raw
        self._until = time.monotonic() + sock.gettimeout()

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Receive as much as there is.

        Raises:
            TimeoutError: the time is up, however much has come.
        """
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Let go of the socket."""
        self._raw.close()
        super().close()


class Answer(http.client.HTTPResponse):
    """The final answer to a request, read in time: http.client passes over no interim one but 100 (RFC 9110 §15.2)."""

    def __init__(self, sock: Any, *args: Any, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        self.fp = io.BufferedReader(_Timely(sock, self.fp.detach()))

    def begin(self) -> None:
        """Read the head, and those of interim answers before it."""
        super().begin()
        while 100 <= self.status < 200 and self.status != http.client.SWITCHING_PROTOCOLS:
            self.headers = None  # type: ignore[assignment]  # else it takes itself for begun
            super().begin()


class Line(urllib3.connection.HTTPConnection):
    """A connection over which a request goes to the target that its headers know."""

    response_class = Answer

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **more: Any) -> None:
        """Send a request to the target that its headers know."""
        super().request(method, getattr(headers, "target", url), body, headers, **more)


class _SecureLine(Line, urllib3.connection.HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = Line


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureLine


class Connections:
    """Makes lines to the servers of one target, all in the same way."""

    def __init__(self, options: ConnectionOptions) -> None:
        self._options = options
        self._proxy = parse_url(options.proxy) if options.proxy else None

    def target_of(self, base: str, path: str) -> str:
        """What stands between method and version of a request: a proxy that reads it wants to know the server too."""
        parts = urlsplit(base)
        forwarded = self._proxy is not None and parts.scheme == "http"
        return f"{f'http://{parts.netloc}' if forwarded else ''}{parts.path}{path}"

    def pool(self, base: str) -> urllib3.HTTPConnectionPool:
        """Lines to one server, which are used again."""
        parts = urlsplit(base)
        trust, at_the_proxy = self.trust if parts.scheme == "https" else None, self._at_the_proxy
        manager = urllib3.PoolManager(ssl_context=trust)
        if self._proxy is not None:
            proxy = self._proxy.url
            manager = urllib3.ProxyManager(
                proxy,
                proxy_ssl_context=at_the_proxy,
                ssl_context=trust or at_the_proxy,
                socket_options=Line.default_socket_options,  # else a body waits 40 ms behind its head
            )
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        return manager.connection_from_host(parts.hostname, parts.port, parts.scheme)

    def line(self, base: str) -> Line:
        """One line to a server, not yet connected."""
        parts, proxy = urlsplit(base), self._proxy
        host = parts.hostname or ""
        if proxy is None:
            secure = parts.scheme == "https"
            return _SecureLine(host, parts.port, ssl_context=self.trust) if secure else Line(host, parts.port)
        way: dict[str, Any] = {
            "host": proxy.host,
            "port": proxy.port or urllib3.connection.port_by_scheme[self._scheme],
            "proxy": proxy,
            "proxy_config": ProxyConfig(self._at_the_proxy, False, None, None),
        }
        if parts.scheme == "https":
            line = _SecureLine(**way, ssl_context=self.trust)
            line.set_tunnel(host, parts.port or 443, scheme=self._scheme)
            return line
        return _SecureLine(**way, ssl_context=self._at_the_proxy) if self._scheme == "https" else Line(**way)

    @property
    def _scheme(self) -> str:
        return "" if self._proxy is None else self._proxy.scheme or ""

    @cached_property
    def trust(self) -> ssl.SSLContext:
        """Whom a server's certificate has to be from, and ours.

        Raises:
            NoWay: a file cannot be used.
        """
        options, context = self._options, self._trusting()
        if options.certificate is not None:
            try:
                context.load_cert_chain(options.certificate, options.key, password=_nobody_is_asked)
            except OSError as error:
                files = f"{options.certificate} with {options.key}" if options.key else options.certificate
                raise NoWay(
                    f"{files}: {_why(error, 'a PEM certificate and its key, not encrypted')}"
                ) from None
        return context

    @cached_property
    def _at_the_proxy(self) -> ssl.SSLContext | None:
        """The same for the line to the proxy, who is not told who we are."""
        return self._trusting() if self._scheme == "https" else None

    def _trusting(self) -> ssl.SSLContext:
        """Trusts the target's own authorities, else those of REQUESTS_CA_BUNDLE, else those of certifi."""
        import certifi  # only here is it needed

        authorities = self._options.ca or os.environ.get("REQUESTS_CA_BUNDLE") or certifi.where()
        try:
            return ssl.create_default_context(cafile=authorities)
        except OSError as error:
            raise NoWay(f"{authorities}: {_why(error, 'certificates in PEM')}") from None


def _nobody_is_asked() -> Never:
    raise ssl.SSLError


def _why(error: OSError, expected: str) -> str:
    """What is wrong with a file, and what would pass."""
    return f"expected {expected}" if isinstance(error, ssl.SSLError) else error.strerror or str(error)


__all__ = ["Answer", "Connections", "Head", "Line", "NoWay"]
