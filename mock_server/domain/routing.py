"""Who takes the attempts of an organisation's actions: a destination that is called, a sink, or the worker."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Final, NamedTuple

from .destinations import Destination, Kind
from .worker import Do, Step, Worker

_CALL: Final = Step(Do.CALL)
_WAIT: Final = Step(Do.WAIT)
_SUNK: Final = Step(Do.ACK)


class Routing(NamedTuple):
    """The worker, beside the default destinations of some variants (B059)."""

    worker: Worker
    routes: Mapping[str, Destination]
    """Variant → its definition's default destination."""
    busy: Container[str]
    """Labels of destinations that can be called by nobody more now (B072)."""

    def step(self, variant: str, attempt: int) -> Step:
        """What is done with this attempt of an action of this variant: a sink takes it as done (B112, Q23), the
        listeners of an SDK destination are the worker, who has all that goes nowhere too (Q24; ours)."""
        destination = self.routes.get(variant)
        if destination is None or destination.kind is Kind.SDK:
            return self.worker.step(variant, attempt)
        if destination.kind is not Kind.WEBHOOK:
            return _SUNK
        return _WAIT if destination.label in self.busy else _CALL
