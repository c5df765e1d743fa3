"""What the built-in worker of an organisation does with the attempts it is given.

No source says who takes an action that no destination is linked to (Q24), so this is ours: a script for
each variant, one step for each attempt, the last step for all further ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from .leases import LEASE


class Do(StrEnum):
    """What a worker can do with an attempt."""

    HOLD = "hold"
    """Hand it on and leave it unsettled: `ack_wait` under a lease, until somebody settles it."""
    ACK = "ack"
    NACK = "nack"
    REJECT = "reject"
    """Give the work up for good, as a nack with `retry: false`."""
    DEFER = "defer"
    WAIT = "wait"
    """Have no capacity: the action stays in `dispatch_wait` until the script changes."""
    CALL = "call"
    """Ask a webhook, whose answer says what becomes of the attempt; no worker's script has this."""


class Step(NamedTuple):
    """What is done with one attempt. Durations are milliseconds. Those of a hold and of a nack are at least 1, or time
    would stand still while attempts follow each other for ever."""

    do: Do
    after: int = 0
    """How long the action is `running` first."""
    lease: int = LEASE
    """The lease of a hold."""
    retry_after: int | None = None
    """The pause that a nack asks for; None leaves it to the back-off."""


Script = tuple[Step, ...]

HOLD: Script = (Step(Do.HOLD),)


class Recipient(Protocol):
    """Whoever attempts are given to."""

    def step(self, variant: str, attempt: int) -> Step:
        """What is done with this attempt of an action of this variant."""
        ...


@dataclass(frozen=True, slots=True)
class Worker:
    """The scripts of an organisation; none of them is empty."""

    default: Script = HOLD
    variants: Mapping[str, Script] = field(default_factory=dict)

    def step(self, variant: str, attempt: int) -> Step:
        """What is done with this attempt of an action of this variant."""
        script = self.variants.get(variant, self.default)
        return script[attempt] if attempt < len(script) else script[-1]
