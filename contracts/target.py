"""Which deployment is judged: its URLs and keys, and the law that nothing else is contacted."""

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
        name, key = self.name, self.key
        code = base64.b64encode(key.encode()).decode()
        return {
            quote(key, safe=""): f'$(printf %s "${name}" | od -An -tx1 | tr " " % | tr -d "\\n")',
            code: f'$(printf %s "${name}" | base64 -w0)',
            code[: len(key) // 3 * 4]: f'$(printf %s "${name}" | base64 -w0 | tr -d =)',
            json.dumps(key)[1:-1]: f"${name}",
        }

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

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """One or two."""
        return (self.first,) if self.second is None else (self.first, self.second)

    @property
    def secrets(self) -> Mapping[str, str]:
        """Key, in every form in which it may be met, → the shell expression that stands for it."""
        found: dict[str, str] = {}
        for credential in self.credentials:
            found[credential.key] = f"${credential.name}"
        for credential in self.credentials:
            for form, shown in credential.forms.items():
                found.setdefault(form, shown)
        for credential in self.credentials:
            for key, shown in credential.near.items():
                found.setdefault(key, shown)
        return found

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of the hosts that are contacted; no other is."""
        urls = (self.base_url, self.ingress_url, *([self.admin.url] if self.admin else []))
        return tuple(dict.fromkeys(urlsplit(url).hostname or "" for url in urls))

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


_PRODUCTION = re.compile(r"(?:^|\.)arklow\.io\.?$")
"""The service's own domain, as the published pages and the guides name its servers."""
_LOOPBACK = re.compile(r"127(?:\.[0-9]+){3}|::1")

__all__ = ["Admin", "Credential", "Target"]
