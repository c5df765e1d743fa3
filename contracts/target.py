"""Which deployment is judged: its URLs and keys, and the law that nothing else is contacted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Credential:
    """A key and the organisation it belongs to."""

    key: str
    org: str
    name: str
    """What stands for the key wherever something is shown: the shell variable `$name`."""


@dataclass(frozen=True, slots=True)
class Target:
    """A deployment as the command line describes it; nothing more is known of it."""

    base_url: str
    """Where the control plane is, without a final slash."""
    ingress_url: str
    """Where the ingress operations are; often the same."""
    first: Credential
    second: Credential | None = None

    @property
    def origins(self) -> frozenset[tuple[str, str]]:
        """Scheme and authority of everything that may be contacted."""
        return frozenset((p.scheme, p.netloc) for p in (urlsplit(self.base_url), urlsplit(self.ingress_url)))

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """One or two."""
        return (self.first,) if self.second is None else (self.first, self.second)

    @property
    def secrets(self) -> Mapping[str, str]:
        """Key → the name it is shown under."""
        return {credential.key: credential.name for credential in self.credentials}

    def base_of(self, path: str) -> str:
        """The URL before a path of the document."""
        return self.base_url if path.startswith("/v1/orgs/") else self.ingress_url


__all__ = ["Credential", "Target"]
