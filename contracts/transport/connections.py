"""Connections to the servers of one target: which authorities they trust, which certificate they show, which proxy they use."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, Never
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import ProxyConfig
from urllib3.util import parse_url

from ..core.target import ConnectionOptions
from .answers import Answer
from .interference import CUT_OFF, NO_PROXY, TOO_SLOW, Interference, Unreachable, kind_of
from .tls import SPEAKS_TLS, tls_kind

_LOOK = 1.0
"""Seconds in which a server that closes connections says why."""
_WANTS_LOGIN = "the proxy answers 407 (it takes a user: --proxy http://USER:PASSWORD@HOST:PORT)"


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

    def __init__(
        self, *where: Any, on_open: Callable[[], None] = lambda: None, address: str = "", **how: Any
    ) -> None:
        """Make a connection that is not open yet.

        Args:
            where: host and port, as urllib3 takes them.
            on_open: called each time that the connection is opened.
            address: where the host is; empty: its name is looked up.
            how: what else urllib3 takes.
        """
        super().__init__(*where, **how)
        self._on_open = on_open
        self._address = address

    def connect(self) -> None:
        """Open the connection.

        Raises:
            Unreachable: it could not be opened, to the proxy or through it.
        """
        try:
            super().connect()
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
            kind = self._kind_of(error)
            self.close()
            raise Unreachable(kind) from error
        self._on_open()

    def _new_conn(self) -> socket.socket:
        """Connect to the address of the host; its name stays that of the URL for all else."""
        name, self._dns_host = self._dns_host, self._address or self._dns_host
        try:
            return super()._new_conn()
        finally:
            self._dns_host = name

    def _kind_of(self, error: Exception) -> str:
        """Return the kind of interference that has kept the connection from being opened."""
        to_proxy = self.proxy is not None and not self.has_connected_to_proxy
        if isinstance(error, ssl.SSLError):
            return tls_kind(error, to_proxy=to_proxy)
        kind = kind_of(error)
        if kind == "the proxy answers 407":
            return _WANTS_LOGIN
        if kind.startswith("the proxy answers") or kind == TOO_SLOW:
            return kind
        if to_proxy:
            return NO_PROXY
        if kind != CUT_OFF:
            return kind
        if self.proxy is not None:
            return "the proxy closes the connection"
        return "TLS failed: the connection was closed during the handshake"

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
        login = options.proxy_login
        self._proxy_headers = {} if login is None else {"Proxy-Authorization": login.basic}

    def request_target(self, base: str, path: str) -> str:
        """Return what stands between method and version of a request for `path` below the URL `base`.

        A proxy that forwards the request has to read the server there as well (RFC 9112 §3.2.2).
        """
        parts = urlsplit(base)
        return f"{f'http://{parts.netloc}' if self._are_forwarded(base) else ''}{parts.path}{path}"

    def forwarding_headers(self, base: str) -> Mapping[str, str]:
        """Return name → value of the headers that requests to the URL `base` need for a proxy that forwards them."""
        return self._proxy_headers if self._are_forwarded(base) else {}

    def refuse_word_of_proxy(self, base: str, status: int) -> None:
        """Check that an answer with this status to a request for `base` is not one that a proxy gives by itself.

        Raises:
            Interference: it is.
        """
        if status == http.client.PROXY_AUTHENTICATION_REQUIRED and self._are_forwarded(base):
            raise Interference(_WANTS_LOGIN)

    def _are_forwarded(self, base: str) -> bool:
        return self._proxy is not None and urlsplit(base).scheme == "http"

    def why_cut_off(self, base: str) -> str | None:
        """Open a connection to the server of a URL, and say why TLS, or the lack of it, is the reason that it closes connections.

        Nothing is sent over it, so that what a server says before it closes is not lost. None where it is not the reason.
        """
        if urlsplit(base).scheme == "http":
            return SPEAKS_TLS if self._speaks_tls(base) else None
        line = self.line(base)
        line.timeout = _LOOK
        try:
            line.connect()
            line.sock.settimeout(_LOOK)
            line.sock.recv(1)
        except ssl.SSLError as error:
            return None if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError) else tls_kind(error)
        except (Interference, OSError):
            return None
        finally:
            line.close()
        return None

    def _speaks_tls(self, base: str) -> bool:
        """Say whether a server takes TLS on the port of a URL without TLS; False where it is behind a proxy."""
        parts, trusting_all = urlsplit(base), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting_all.check_hostname, trusting_all.verify_mode = False, ssl.CERT_NONE
        if self._proxy is not None:
            return False
        try:
            with (
                socket.create_connection((self._options.address_of(base), parts.port or 80), _LOOK) as sock,
                trusting_all.wrap_socket(sock, server_hostname=parts.hostname),
            ):
                return True
        except ssl.SSLError as error:
            return "ALERT" in (getattr(error, "reason", None) or "")
        except OSError:
            return False

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
                proxy_headers=self._proxy_headers,
                proxy_ssl_context=proxy_trust,
                ssl_context=trust or proxy_trust,
                socket_options=Line.default_socket_options,  # else a body waits 40 ms behind its head
            )
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        pool = manager.connection_from_host(parts.hostname, parts.port, parts.scheme)
        pool.conn_kw["on_open"] = on_open
        pool.conn_kw["address"] = self._address(base)
        return pool

    def line(self, base: str) -> Line:
        """Return a connection to one server that is not open yet.

        Raises:
            NoWay: a file that says how the target is reached cannot be used.
        """
        parts, proxy = urlsplit(base), self._proxy
        host, address = parts.hostname or "", self._address(base)
        if proxy is None:
            if parts.scheme == "https":
                return _SecureLine(host, parts.port, address=address, ssl_context=self.trust)
            return Line(host, parts.port, address=address)
        proxied: dict[str, Any] = {
            "address": address,
            "host": proxy.host,
            "port": proxy.port or urllib3.connection.port_by_scheme[self._proxy_scheme],
            "proxy": proxy,
            "proxy_config": ProxyConfig(self._proxy_trust, False, None, None),
        }
        if parts.scheme == "https":
            line = _SecureLine(**proxied, ssl_context=self.trust)
            line.set_tunnel(host, parts.port or 443, self._proxy_headers, scheme=self._proxy_scheme)
            return line
        secure = self._proxy_scheme == "https"
        return _SecureLine(**proxied, ssl_context=self._proxy_trust) if secure else Line(**proxied)

    def _address(self, base: str) -> str:
        """Return the host or the address that is connected to for requests to the URL `base`."""
        return self._options.address_of(self._options.proxy or base)

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
        """Trust the target's own authorities, else those of certifi."""
        import certifi  # a target without TLS does not need it

        authorities = self._options.ca or certifi.where()
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
