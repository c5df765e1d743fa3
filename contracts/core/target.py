"""Which deployment is judged: its URLs, its keys and how it is reached; nothing else is contacted."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit


@dataclass(frozen=True, slots=True)
class Credential:
    """A key and the organisation it belongs to."""

    key: str = field(repr=False)
    org: str
    name: str
    """What stands for the key wherever something is shown: the shell variable `$name`."""

    @property
    def forms(self) -> Mapping[str, str]:
        """The key as encoders write it → the shell expression that makes it so."""
        return _forms(self.key, self.name)

    @property
    def near(self) -> Mapping[str, str]:
        """Keys that are nearly this one → the shell expression that makes them of it."""
        name, half = self.name, len(self.key) // 2
        made = {
            self.key[:-1]: f"${{{name}%?}}",
            self.key[:half]: f'$(printf %.{half}s "${name}")',
            f"{self.key}.": f"${{{name}}}.",
            f"{self.key}0": f"${{{name}}}0",
            f"{self.key}-not": f"${{{name}}}-not",
            self.key.upper(): f'$(printf %s "${name}" | tr a-z A-Z)',
            self.key.swapcase(): f'$(printf %s "${name}" | tr a-zA-Z A-Za-z)',
        }
        return {key: expression for key, expression in made.items() if key not in ("", self.key)}


@dataclass(frozen=True, slots=True)
class Header:
    """What goes with every request, for whoever stands before the deployment; as secret as a key."""

    name: str
    value: str = field(repr=False)
    variable: str
    """What stands for the value wherever something is shown: the shell variable `$variable`."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a deployment is reached, beside its URLs."""

    headers: tuple[Header, ...] = ()
    ca: str | None = None
    """A file of PEM certificates to trust in place of the public ones."""
    certificate: str | None = None
    """A PEM file of the certificate by which the judge shows who it is."""
    key: str | None = None
    """The file of its key, where that is another one."""
    proxy: str | None = None
    """The URL of a proxy, the only one that is used."""


@dataclass(frozen=True, slots=True)
class Admin:
    """The admin plane of a mock, by which its clock is moved."""

    url: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Target:
    """A deployment as the command line describes it; nothing more is known of it."""

    base_url: str
    """Where the control plane is, without a final slash."""
    ingress_url: str
    """Where the ingress operations are; often the same."""
    first: Credential
    second: Credential | None = None
    admin: Admin | None = None
    way: Way = field(default_factory=Way)

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """One or two."""
        return (self.first,) if self.second is None else (self.first, self.second)

    @property
    def secrets(self) -> Mapping[str, str]:
        """Key or header, in every form in which it may be met, → the shell expression that stands for it."""
        known = [(one.key, one.name) for one in self.credentials]
        known += [(one.value, one.variable) for one in self.way.headers]
        found: dict[str, str] = {}
        for secret, name in known:
            found.setdefault(secret, f"${name}")
        for secret, name in known:
            for form, shown in _forms(secret, name).items():
                found.setdefault(form, shown)
        for credential in self.credentials:
            for key, shown in credential.near.items():
                found.setdefault(key, shown)
        return found

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of the hosts that are contacted; no other is."""
        urls = (self.base_url, self.ingress_url, self.admin and self.admin.url, self.way.proxy)
        return tuple(dict.fromkeys(urlsplit(url).hostname or "" for url in urls if url))

    @property
    def production(self) -> str | None:
        """A host that is known to be nobody's test system, if there is one among them."""
        return next((host for host in self.hosts if _PRODUCTION.search(host)), None)

    @property
    def local(self) -> bool:
        """Whether all of it is on this machine."""
        return all(host == "localhost" or _LOOPBACK.fullmatch(host) for host in self.hosts)

    def base_of(self, path: str) -> str:
        """The URL before a path of the document."""
        return self.base_url if path.startswith("/v1/orgs/") else self.ingress_url


def _forms(secret: str, name: str) -> dict[str, str]:
    """A secret as encoders write it → the shell expression that makes it so of `$name`."""
    code = base64.b64encode(secret.encode()).decode()
    made = {
        quote(secret, safe=""): f'$(printf %s "${name}" | od -An -tx1 | tr " " % | tr -d "\\n")',
        code: f'$(printf %s "${name}" | base64 -w0)',
        code[: len(secret) // 3 * 4]: f'$(printf %s "${name}" | base64 -w0 | tr -d =)',
        json.dumps(secret)[1:-1]: f"${name}",
    }
    return {form: expression for form, expression in made.items() if form}


_PRODUCTION = re.compile(r"(?:^|\.)arklow\.io\.?$")
"""The service's own domain, as the published pages and the guides name its servers."""
_LOOPBACK = re.compile(r"127(?:\.[0-9]+){3}|::1")

__all__ = ["Admin", "Credential", "Header", "Target", "Way"]
