"""Connections to the servers of one target: which authorities they trust, which certificate they show, which proxy they use."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, Never
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import ProxyConfig
from urllib3.util import parse_url

from ..core.target import ConnectionOptions
from .answers import Answer


class NoWay(ValueError):
    """A file that says how a target is reached cannot be used; the text says which, and why."""


class Head(urllib3.HTTPHeaderDict):
    """Headers, and the request target as it is to be sent: urllib3 would write its escapes in another way."""

    def __init__(self, target: str, headers: Iterable[tuple[str, str]]) -> None:
        super().__init__(list(headers))
        self.target = target

    def copy(self) -> Head:
        """Return an equal head; pools of urllib3 ask for it."""
        return Head(self.target, self.iteritems())


class Line(urllib3.connection.HTTPConnection):
    """A connection that sends the request target which the headers hold, not the one that urllib3 has made."""

    response_class = Answer

    def __init__(self, *where: Any, on_open: Callable[[], None] = lambda: None, **how: Any) -> None:
        """Make a connection that is not open yet; `on_open` is called each time that it is opened."""
        super().__init__(*where, **how)
        self._on_open = on_open

    def connect(self) -> None:
        """Open the connection."""
        super().connect()
        self._on_open()

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **more: Any) -> None:
        """Send a request, its target as a `Head` has it."""
        super().request(method, getattr(headers, "target", url), body, headers, **more)


class _SecureLine(Line, urllib3.connection.HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = Line


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureLine


class Connections:
    """Makes connections to the servers of one target, all in the same way."""

    def __init__(self, options: ConnectionOptions) -> None:
        self._options = options
        self._proxy = parse_url(options.proxy) if options.proxy else None

    def request_target(self, base: str, path: str) -> str:
        """Return what stands between method and version of a request for `path` below the URL `base`.

        A proxy that forwards the request has to read the server there as well (RFC 9112 §3.2.2).
        """
        parts = urlsplit(base)
        forwarded = self._proxy is not None and parts.scheme == "http"
        return f"{f'http://{parts.netloc}' if forwarded else ''}{parts.path}{path}"

    def pool(self, base: str, on_open: Callable[[], None]) -> urllib3.HTTPConnectionPool:
        """Return a pool of connections to one server, which are used again; `on_open` is called when one is opened.

        Raises:
            NoWay: a file that says how the target is reached cannot be used.
        """
        parts = urlsplit(base)
        trust, proxy_trust = self.trust if parts.scheme == "https" else None, self._proxy_trust
        manager = urllib3.PoolManager(ssl_context=trust)
        if self._proxy is not None:
            proxy = self._proxy.url
            manager = urllib3.ProxyManager(
                proxy,
                proxy_ssl_context=proxy_trust,
                ssl_context=trust or proxy_trust,
                socket_options=Line.default_socket_options,  # else a body waits 40 ms behind its head
            )
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        pool = manager.connection_from_host(parts.hostname, parts.port, parts.scheme)
        pool.conn_kw["on_open"] = on_open
        return pool

    def line(self, base: str) -> Line:
        """Return a connection to one server that is not open yet.

        Raises:
            NoWay: a file that says how the target is reached cannot be used.
        """
        parts, proxy = urlsplit(base), self._proxy
        host = parts.hostname or ""
        if proxy is None:
            secure = parts.scheme == "https"
            return _SecureLine(host, parts.port, ssl_context=self.trust) if secure else Line(host, parts.port)
        proxied: dict[str, Any] = {
            "host": proxy.host,
            "port": proxy.port or urllib3.connection.port_by_scheme[self._proxy_scheme],
            "proxy": proxy,
            "proxy_config": ProxyConfig(self._proxy_trust, False, None, None),
        }
        if parts.scheme == "https":
            line = _SecureLine(**proxied, ssl_context=self.trust)
            line.set_tunnel(host, parts.port or 443, scheme=self._proxy_scheme)
            return line
        secure = self._proxy_scheme == "https"
        return _SecureLine(**proxied, ssl_context=self._proxy_trust) if secure else Line(**proxied)

    @property
    def _proxy_scheme(self) -> str:
        return "" if self._proxy is None else self._proxy.scheme or ""

    @cached_property
    def trust(self) -> ssl.SSLContext:
        """The authorities of which a server has to have its certificate, and the certificate that is shown to it.

        Raises:
            NoWay: a file cannot be used.
        """
        options, context = self._options, self._trusting()
        if options.certificate is not None:
            try:
                context.load_cert_chain(options.certificate, options.key, password=_refuse_password)
            except OSError as error:
                files = f"{options.certificate} with {options.key}" if options.key else options.certificate
                raise NoWay(
                    f"{files}: {_why(error, 'a PEM certificate and its key, not encrypted')}"
                ) from None
        return context

    @cached_property
    def _proxy_trust(self) -> ssl.SSLContext | None:
        """The same authorities for the connection to the proxy, which is shown no certificate."""
        return self._trusting() if self._proxy_scheme == "https" else None

    def _trusting(self) -> ssl.SSLContext:
        """Trust the target's own authorities, else those of REQUESTS_CA_BUNDLE, else those of certifi."""
        import certifi  # a target without TLS does not need it

        authorities = self._options.ca or os.environ.get("REQUESTS_CA_BUNDLE") or certifi.where()
        try:
            return ssl.create_default_context(cafile=authorities)
        except OSError as error:
            raise NoWay(f"{authorities}: {_why(error, 'certificates in PEM')}") from None


def _refuse_password() -> Never:
    """Stand in for OpenSSL's prompt, which would hold a run that has no terminal."""
    raise ssl.SSLError


def _why(error: OSError, expected: str) -> str:
    """Say what is wrong with a file, or what was expected of it."""
    return f"expected {expected}" if isinstance(error, ssl.SSLError) else error.strerror or str(error)


__all__ = ["Connections", "Head", "Line", "NoWay"]
