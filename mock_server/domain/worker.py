"""The built-in worker of an organisation: which step its scripts have for each attempt.

No source says what happens to an action that no destination is linked to (Q24), so the worker is ours: a script for each
variant, one step for each attempt, the last step for all further attempts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from .leases import LEASE


class Do(StrEnum):
    """What a recipient does with an attempt."""

    HOLD = "hold"
    """Hand it on unsettled: the action is in `ack_wait`, under a lease, until a client settles it."""
    ACK = "ack"
    """The work is done."""
    NACK = "nack"
    """Give the attempt back, so that another follows."""
    REJECT = "reject"
    """Give the work up for good, as a nack with `retry: false`."""
    DEFER = "defer"
    """Take custody."""
    WAIT = "wait"
    """Have no capacity: the action stays in `dispatch_wait` until the script changes."""
    CALL = "call"
    """Call a webhook, whose answer says what becomes of the attempt; no script of a worker has this."""


class Step(NamedTuple):
    """What is done with one attempt. Durations are milliseconds.

    Those of a hold and of a nack are at least 1: without one, attempts would follow each other for ever at the same moment.
    """

    do: Do
    after: int = 0
    """How long the action is `running` first."""
    lease: int = LEASE
    """The lease of a hold."""
    retry_after: int | None = None
    """The pause that a nack asks for; None leaves it to the back-off."""


Script = tuple[Step, ...]
"""The steps for attempts 0, 1, …; the last one counts for all further attempts. It is never empty."""

HOLD: Script = (Step(Do.HOLD),)
"""What a worker does that was given no script."""


class Recipient(Protocol):
    """What attempts are given to: the worker alone, or the routing to destinations with the worker behind it."""

    def step(self, variant: str, attempt: int) -> Step:
        """Return what is done with this attempt of an action of this variant."""
        ...


@dataclass(frozen=True, slots=True)
class Worker:
    """The built-in worker of one organisation."""

    default: Script = HOLD
    """The script of variants without one of their own."""
    variants: Mapping[str, Script] = field(default_factory=dict)
    """Variant → script."""

    def step(self, variant: str, attempt: int) -> Step:
        """Return what is done with this attempt of an action of this variant."""
        script = self.variants.get(variant, self.default)
        return script[attempt] if attempt < len(script) else script[-1]
