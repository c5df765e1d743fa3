"""Where the attempts of an action go: destinations, and the links of definitions to them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from .errors import DestinationRefused

MOST_DESTINATIONS: Final = 1_000
"""Destinations that one organisation keeps."""


class Kind(StrEnum):
    """The types of S-def (C9)."""

    WEBHOOK = "webhook"
    """Is really called."""
    SDK = "sdk"
    """Its listeners are the built-in worker."""
    GOOGLE_PUBSUB = "google_pubsub"
    AWS_SQS = "aws_sqs"
    MCP = "mcp"
    DEFAULT_SINK = "default_sink"


class Credential(NamedTuple):
    """Headers that a destination's calls carry; their values are shown to nobody (B202)."""

    id: str
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Destination:
    """Something that takes attempts. `config` is what S-def has for its type."""

    id: str
    label: str
    kind: Kind
    config: Mapping[str, Any]
    tags: Mapping[str, str] | None
    credential: Credential | None
    updated_at: int
    """Milliseconds since the epoch."""

    def headers(self, action_id: str, attempt: int) -> tuple[tuple[str, str], ...]:
        """The headers of a call: Arklow's own (B091), the destination's, the credential's, which replace those of the
        destination with the same name and casing (B092)."""
        own = (
            ("Content-Type", "application/json"),
            ("x-arklow-actionid", action_id),
            ("x-arklow-attempt", str(attempt)),
        )
        configured: Mapping[str, str] = self.config.get("headers") or {}
        added = {**configured, **dict(self.credential.headers if self.credential else ())}
        return (*own, *((name, value) for name, value in added.items() if name.lower() not in _OWN))

    @property
    def acks_by_default(self) -> bool:
        """Whether an answer without a signal settles the attempt (B099)."""
        signaling = self.config.get("signaling") or {}
        return bool(signaling.get("enabled")) and signaling.get("default") == "ack"


def put(
    old: Destination | None,
    label: str,
    kind: Kind,
    config: Mapping[str, Any],
    *,
    tags: Mapping[str, str] | None,
    credential: tuple[tuple[str, str], ...] | None,
    new_id: Callable[[], str],
    now: int,
) -> Destination:
    """A destination in the place of the one of its label, which keeps its id; a credential is always a new one."""
    name = old.id if old else new_id()
    return Destination(
        name, label, kind, config, tags, Credential(new_id(), credential) if credential else None, now
    )


class Link(NamedTuple):
    """That a definition's actions may go to a destination (B058)."""

    id: str
    label: str
    is_default: bool


_OWN: Final = frozenset({"content-type", "x-arklow-actionid", "x-arklow-attempt"})
_FRAMING: Final = frozenset(
    {"connection", "content-length", "expect", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e]*")


def check(kind: Kind, config: Mapping[str, Any], credential: Mapping[str, str], place: str) -> None:
    """Return when what the schema of the type took can be sent too; `place` names the destination in messages.

    Raises:
        DestinationRefused: a URL that nobody can call or that is Arklow's own (B109), or a header that no call can have.
    """
    if kind is Kind.WEBHOOK:
        _check_url(config["url"], f"{place}/config/url")
        _check_headers(config.get("headers") or {}, f"{place}/config/headers")
    _check_headers(credential, f"{place}/credential/headers")


def _check_url(url: str, place: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError as error:
        raise DestinationRefused(f"{place}: expected a URL, got {url[:60]!r} ({error})") from None
    if parts.scheme.lower() not in ("http", "https") or not host:
        raise DestinationRefused(f"{place}: expected a URL of http or https with a host, got {url[:60]!r}")
    if parts.username is not None or parts.password is not None:
        raise DestinationRefused(
            f"{place}: expected a URL without a user and a password, got one that has them; a credential holds headers"
        )
    if is_arklows(host):
        raise DestinationRefused(
            f"{place}: expected a host that is not Arklow's own, got {host[:60]!r} (B109)"
        )


def is_arklows(host: str) -> bool:
    """Whether a host is one of Arklow's own domains (B109)."""
    host = host.lower().rstrip(".")
    return any(host == domain or host.endswith(f".{domain}") for domain in ("arklow.io", "arklowdocs.io"))


def _check_headers(headers: Mapping[str, str], place: str) -> None:
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or name.lower() in _FRAMING:
            raise DestinationRefused(
                f"{place}: expected names of headers that leave the framing of a request alone, got {name[:60]!r}"
            )
        if not _VALUE.fullmatch(value):
            raise DestinationRefused(
                f"{place}/{name[:60]}: expected a value of visible ASCII characters and blanks, got one with others"
            )
