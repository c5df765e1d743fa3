"""Destinations, which take the attempts of actions, and the links of definitions to them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from .errors import DestinationRefused

MOST_DESTINATIONS: Final = 1_000
"""Destinations that one organisation keeps, so that its memory is bounded."""


class Kind(StrEnum):
    """The type of a destination, as S-def has it (C9)."""

    WEBHOOK = "webhook"
    """A URL that is called."""
    SDK = "sdk"
    """A program that listens; the built-in worker stands for it."""
    GOOGLE_PUBSUB = "google_pubsub"
    AWS_SQS = "aws_sqs"
    MCP = "mcp"
    DEFAULT_SINK = "default_sink"


class Credential(NamedTuple):
    """Secret headers of a destination's calls, (name, value); their values are never shown (B202)."""

    id: str
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Destination:
    """A receiver of attempts."""

    id: str
    label: str
    kind: Kind
    config: Mapping[str, Any]
    """What S-def has for its type."""
    tags: Mapping[str, str] | None
    credential: Credential | None
    updated_at: int
    """Milliseconds since the epoch."""

    def headers(self, action_id: str, attempt: int) -> tuple[tuple[str, str], ...]:
        """Return the headers of a call for an attempt of an action.

        They are Arklow's own (B091), those of the destination, and those of its credential, which replace headers of the
        destination with the same name in the same case (B092).

        Returns:
            Pairs of name and value.
        """
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
        """Whether an answer without a signal is an ack (B099)."""
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
    """Return a destination in the place of `old`, the one with its label, whose id it keeps.

    Args:
        old: the destination that it replaces; None for none.
        label: its name within its organisation.
        kind: its type.
        config: what S-def has for that type.
        tags: its tags; None for none.
        credential: secret headers, (name, value); they get a new id each time. None for none.
        new_id: gives the next id.
        now: the organisation's time, in milliseconds since the epoch.
    """
    own_id = old.id if old else new_id()
    return Destination(
        own_id, label, kind, config, tags, Credential(new_id(), credential) if credential else None, now
    )


class Link(NamedTuple):
    """A link of a definition to a destination: its actions may go there (B058)."""

    id: str
    label: str
    """The destination's label."""
    is_default: bool


_OWN: Final = frozenset({"content-type", "x-arklow-actionid", "x-arklow-attempt"})
"""Headers that no destination replaces, in lower case."""
_FRAMING: Final = frozenset(
    {"connection", "content-length", "expect", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
"""Headers that frame a request: the client sets them itself, and others would break the call. In lower case."""
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e]*")


def check(kind: Kind, config: Mapping[str, Any], credential: Mapping[str, str], place: str) -> None:
    """Check that calls of this destination can be sent. The schema of its type accepted it; messages call it `place`.

    Raises:
        DestinationRefused: its URL cannot be called or is Arklow's own (B109), or a call cannot have one of its headers.
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
    """Return whether a host belongs to one of Arklow's own domains (B109)."""
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
