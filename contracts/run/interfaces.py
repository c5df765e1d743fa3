"""What the scheduler needs of the rest of a run."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from typing import Protocol

from ..core.exchange import Exchange
from ..core.findings import Finding
from ..phases.api import Api


class Presence(Protocol):
    """The target as the scheduler needs it: `Preflight`, or what stands for it in a test."""

    prefix: str
    """Begins the names of the run."""
    unreachable: str | None
    """That the target went away for good, in one sentence."""

    def new_sequence(self, *, scope: str = "", careful: bool = False) -> Api:
        """Return an empty sequence."""
        ...

    def has_forgotten(self) -> bool:
        """Say whether the target has lost what it knew; then the model begins anew."""
        ...

    def wait_for_return(self) -> bool:
        """Wait until the target answers again; False when it does not."""
        ...


class Settling(Protocol):
    """Decides what stands: `Confirmation`, or what stands for it in a test."""

    def settle(
        self,
        suspicions: Sequence[Finding],
        source: Hashable,
        exchanges: Sequence[Exchange],
        *,
        repeated: bool = False,
    ) -> bool:
        """Decide which suspicions stand, and say whether their source has to be played again to decide."""
        ...

    def postpone(self, suspicions: Iterable[Finding], exchanges: Sequence[Exchange], why: str) -> None:
        """Keep suspicions that could not be tried again, and why not."""
        ...

    @property
    def has_postponed(self) -> bool:
        """Whether there is something that was postponed."""
        ...

    def settle_postponed(self) -> None:
        """Try again what was postponed."""
        ...

    def confirm(self) -> None:
        """Try unconfirmed findings again."""
        ...

    def confirm_again(self, seconds: float = math.inf) -> None:
        """Try every finding again, as far as `seconds` go."""
        ...

    def shrink(self, seconds: float) -> None:
        """Make examples smaller, as far as `seconds` go."""
        ...

    def drop_unconfirmed(self) -> None:
        """Drop what was never shown a second time."""
        ...


__all__ = ["Presence", "Settling"]
