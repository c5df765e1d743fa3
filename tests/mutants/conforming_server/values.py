"""What the conforming server keeps and reads: definitions, actions, the bodies of requests, and refusals."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, NoReturn

from .choices import Operation

Status = Literal["queued", "held", "deferred", "retrying", "scheduled", "succeeded", "failed"]
"""Where an action is in its life; `held` and `deferred` are shown as `ack_wait`."""

INT32 = 2**31 - 1
INT64 = 2**63 - 1
DIGITS = re.compile("[0-9]+")
LEASE = 60.0
"""Seconds of a fresh lease (B101)."""
LIFETIME = 86_400.0
"""Seconds from acceptance until an action that has not ended fails."""
BACK_OFF = 1.0
"""Seconds between a nack without a time of its own and the next attempt (B129)."""
DEEPEST = 200
"""Levels of a body that are still read; the pages name no limit."""
LONGEST_VERSION = 4_000
"""Digits of a version on PUT: below the 4,300 that Python converts from and to text."""
KEYS = {"good-key-one": "1", "good-key-two": "2"}
"""Key → organisation."""
CONTROL_PLANE: set[Operation] = {"put", "records", "record"}
"""Operations that read the key from `x-arklow-auth` alone and refuse as `Choices.control_refusals` says."""
SETTLEMENT_MEMBERS = {"action_record_id", "attempt"}
TERMINAL: set[Status] = {"succeeded", "failed"}


class Refused(Exception):  # noqa: N818
    """A request that is refused: status, error code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def bad_request(message: str) -> Refused:
    """Make the refusal of a body or parameter that the document does not allow."""
    return Refused(400, "INVALID_REQUEST", message)


def crash() -> NoReturn:
    """Fail as a mutant does that cannot cope with a request: with 500."""
    raise Refused(500, "INTERNAL_ERROR", "a mistake of the server")


@dataclass
class Definition:
    """A definition; every version keeps its schema."""

    id: str
    org_id: str
    variant: str
    version: int
    alias: list[str]
    schema: Any
    versions: dict[int, Any] = field(default_factory=dict)
    """Version → schema."""


@dataclass
class Action:
    """Accepted work, its current attempt, and until when its status stands; times are seconds since 1970."""

    id: str
    definition: Definition
    version: int
    posted_as: str
    """The variant or alias that the request named."""
    work: Work
    accepted: float
    deadline: float
    attempt: int = 0
    status: Status = "queued"
    acked: bool = False
    started: float | None = None
    completed: float | None = None
    updated: float = 0.0
    error: str | None = None
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ends(self) -> float:
        """When the action fails unless it has ended before."""
        return self.accepted + LIFETIME

    @property
    def public_status(self) -> str:
        """The status as records show it."""
        return "ack_wait" if self.status in ("held", "deferred") else self.status


@dataclass(frozen=True)
class RequestedDefinition:
    """The body of a PUT; a member that was not sent is None."""

    variant: str
    schema: Any
    version: int | None
    alias: list[str] | None


@dataclass(frozen=True)
class Work:
    """The body and the query of an ingress request."""

    payload: Any
    tags: dict[str, str]
    version: int | None
    metadata: Any = None


@dataclass(frozen=True)
class Extension:
    """The body of a modack."""

    action_id: str
    attempt: int
    seconds: int


@dataclass(frozen=True)
class Terms:
    """What a nack asks for: the time of the next attempt (seconds since 1970), or none."""

    retry_at: int | None = None
    retry: bool = True


@dataclass(frozen=True)
class Settlement:
    """The body of an ack, nack or defer; only a nack has terms of its own."""

    action_id: str
    attempt: int
    terms: Terms


@dataclass(frozen=True)
class Page:
    """Which records are asked for."""

    take: int = 20
    skip: int = 0
    count_only: bool = False
    ascending: bool = False


def timestamp(seconds: float | None) -> str | None:
    """Format seconds since 1970 as the control plane writes a time: UTC, with milliseconds."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


__all__ = [
    "BACK_OFF",
    "CONTROL_PLANE",
    "DEEPEST",
    "DIGITS",
    "INT32",
    "INT64",
    "KEYS",
    "LEASE",
    "LIFETIME",
    "LONGEST_VERSION",
    "SETTLEMENT_MEMBERS",
    "TERMINAL",
    "Action",
    "Definition",
    "Extension",
    "Page",
    "Refused",
    "RequestedDefinition",
    "Settlement",
    "Status",
    "Terms",
    "Work",
    "bad_request",
    "crash",
    "timestamp",
]
