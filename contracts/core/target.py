"""Which deployment is judged: its URLs, its keys, and how it is reached. No other host is contacted."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

ADMIN_TOKEN = "ARKLOW_ADMIN_TOKEN"  # noqa: S105
"""Name of the variable that stands for the token of the admin plane, which is read from it when no flag gives one."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A key, and the organisation that it belongs to."""

    key: str = field(repr=False)
    org: str
    name: str
    """What stands for the key wherever it would be shown: the shell variable `$name`."""

    @property
    def encodings(self) -> Mapping[str, str]:
        """The key as encoders write it → the shell expression that encodes `$name` in that way."""
        return _encodings(self.key, self.name)

    @property
    def near_misses(self) -> Mapping[str, str]:
        """Wrong keys that are nearly this one → the shell expression that makes them of `$name`."""
        name, half = self.name, len(self.key) // 2
        wrong = {
            self.key[:-1]: f"${{{name}%?}}",
            self.key[:half]: f'$(printf %.{half}s "${name}")',
            f"{self.key}.": f"${{{name}}}.",
            f"{self.key}0": f"${{{name}}}0",
            f"{self.key}-not": f"${{{name}}}-not",
            self.key.upper(): f'$(printf %s "${name}" | tr a-z A-Z)',
            self.key.swapcase(): f'$(printf %s "${name}" | tr a-zA-Z A-Za-z)',
        }
        return {key: expression for key, expression in wrong.items() if key not in ("", self.key)}


@dataclass(frozen=True, slots=True)
class ExtraHeader:
    """A header that goes with every request, for a gateway before the deployment; its value is as secret as a key."""

    name: str
    value: str = field(repr=False)
    variable: str
    """What stands for the value wherever it would be shown: the shell variable `$variable`."""


@dataclass(frozen=True, slots=True)
class ProxyLogin:
    """A user of a proxy; the password is as secret as a key."""

    user: str
    password: str = field(repr=False)
    variable: str = "ARKLOW_PROXY_PASSWORD"
    """What stands for the password wherever it would be shown: the shell variable `$variable`."""

    @property
    def basic(self) -> str:
        """The value of `Proxy-Authorization` (RFC 7617): the word Basic, and user and password in Base64."""
        return f"Basic {base64.b64encode(f'{self.user}:{self.password}'.encode()).decode()}"


@dataclass(frozen=True, slots=True)
class Resolution:
    """Where a host is, in place of what a look-up of its name says."""

    host: str
    """In lower case, without the brackets of an IPv6 address."""
    port: int
    address: str
    """An IPv4 or IPv6 address, the latter without brackets."""

    def __str__(self) -> str:
        """As the flag `--resolve` takes it, and that of curl too."""
        bracketed = [f"[{one}]" if ":" in one else one for one in (self.host, self.address)]
        return f"{bracketed[0]}:{self.port}:{bracketed[1]}"


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How a deployment is reached, beside its URLs. All of it holds for the admin plane too.

    The headers go to the admin plane only where it is on a host of the deployment: on another host they are for other eyes.
    """

    headers: tuple[ExtraHeader, ...] = ()
    ca: str | None = None
    """Path of a PEM file with the certificates to trust in place of the public ones."""
    certificate: str | None = None
    """Path of a PEM file with the certificate of the client."""
    key: str | None = None
    """Path of the PEM file with the key of that certificate, where it is another file."""
    proxy: str | None = None
    """URL of the only proxy that is used, without user and password; proxies of the environment are not."""
    proxy_login: ProxyLogin | None = None
    """Who asks the proxy; None where it asks for no password."""
    resolve: tuple[Resolution, ...] = ()
    """Where hosts are that this machine connects to: the proxy, or those of the target where there is none."""

    def address_of(self, url: str) -> str:
        """Return the address that the host of a URL is said to be at, else the host itself."""
        host, port = host_and_port(url)
        return next((one.address for one in self.resolve if (one.host, one.port) == (host, port)), host)


@dataclass(frozen=True, slots=True)
class Admin:
    """The admin plane of a mock, through which its clock is moved."""

    url: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Target:
    """A deployment as the command line describes it."""

    base_url: str
    """Where the control plane is, without a final slash."""
    ingress_url: str
    """Where the ingress operations are, without a final slash; often the same."""
    first: Credential
    second: Credential | None = None
    """A key of another organisation."""
    admin: Admin | None = None
    connection: ConnectionOptions = field(default_factory=ConnectionOptions)
    flags: tuple[str, ...] = ()
    """How a command line names it; no secret stands in them."""

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """The first key, then the second one if it was given."""
        return (self.first,) if self.second is None else (self.first, self.second)

    @property
    def secrets(self) -> Mapping[str, str]:
        """Each secret of the target, as it is and as encoders write it → the shell expression for it.

        Secrets are keys, values of extra headers, the password of the proxy and the token of the admin plane. A later form
        never replaces an earlier one, as two names may stand for one secret.
        """
        known = [(one.key, one.name) for one in self.credentials]
        known += [(one.value, one.variable) for one in self.connection.headers]
        login = self.connection.proxy_login
        known += [] if login is None else [(login.password, login.variable)]
        known += [] if self.admin is None else [(self.admin.token, ADMIN_TOKEN)]
        found: dict[str, str] = {}
        for secret, name in known:
            found.setdefault(secret, f"${name}")
        for secret, name in known:
            for form, expression in _encodings(secret, name).items():
                found.setdefault(form, expression)
        for credential in self.credentials:
            for key, expression in credential.near_misses.items():
                found.setdefault(key, expression)
        if login is not None:
            user = login.user.replace("'", "'\\''")
            pair = f"'{user}:'\"${login.variable}\""
            found.setdefault(login.basic.partition(" ")[2], f"$(printf %s {pair} | base64 -w0)")
        return found

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names of all hosts that are contacted, each once: control plane, ingress, admin plane, then the proxy."""
        return tuple(dict.fromkeys(urlsplit(url).hostname or "" for url in self._urls))

    @property
    def admin_headers(self) -> tuple[ExtraHeader, ...]:
        """The headers that go to the admin plane: those of the target if it is on one of its hosts, else none."""
        ours = {urlsplit(url).hostname for url in (self.base_url, self.ingress_url)}
        same = self.admin is not None and urlsplit(self.admin.url).hostname in ours
        return self.connection.headers if same else ()

    @property
    def _urls(self) -> list[str]:
        urls = (self.base_url, self.ingress_url, self.admin and self.admin.url, self.connection.proxy)
        return [url for url in urls if url]

    @property
    def production_host(self) -> str | None:
        """The first of its hosts that belongs to Arklow's own production; None where none does."""
        return next((host for host in self.hosts if is_of_the_service(host)), None)

    @property
    def is_local(self) -> bool:
        """Whether all of its hosts are this machine, where they are looked up or said to be."""
        addresses = [self.connection.address_of(url) for url in self._urls]
        return all(one == "localhost" or _LOOPBACK.fullmatch(one) for one in addresses)

    def base_of(self, path: str) -> str:
        """Return the base URL that a path of the document belongs to."""
        return self.base_url if path.startswith("/v1/orgs/") else self.ingress_url


def host_and_port(url: str) -> tuple[str, int]:
    """Return the host of a URL in lower case, an IPv6 address without its brackets, and its port."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or {"https": 443}.get(parts.scheme, 80)


def is_of_the_service(host: str | None) -> bool:
    """Tell whether a host belongs to Arklow's own production."""
    return _PRODUCTION.search(host or "") is not None


def _encodings(secret: str, name: str) -> dict[str, str]:
    """Return a secret as encoders write it → the shell expression: for URLs, in Base64 (also as the user of `Basic`), JSON."""
    code = base64.b64encode(secret.encode()).decode()
    encoded = {
        quote(secret, safe=""): f'$(printf %s "${name}" | od -An -tx1 | tr " " % | tr -d "\\n")',
        code: f'$(printf %s "${name}" | base64 -w0)',
        code[: len(secret) // 3 * 4]: f'$(printf %s "${name}" | base64 -w0 | tr -d =)',
        base64.b64encode(f"{secret}:".encode()).decode(): f'$(printf %s: "${name}" | base64 -w0)',
        json.dumps(secret)[1:-1]: f"${name}",
    }
    return {form: expression for form, expression in encoded.items() if form}


_PRODUCTION = re.compile(r"(?:^|\.)arklow\.io\.?$")
"""The service's own domain, which the published pages and the guides name as their server."""
_LOOPBACK = re.compile(r"127(?:\.[0-9]+){3}|::1")

__all__ = [
    *(
        "ADMIN_TOKEN",
        "Admin",
        "ConnectionOptions",
        "Credential",
        "ExtraHeader",
        "ProxyLogin",
        "Resolution",
        "Target",
    ),
    *("host_and_port", "is_of_the_service"),
]
