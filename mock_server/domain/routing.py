"""Routes the attempts of an organisation's actions: to a webhook, to a sink, or to the worker."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Final, NamedTuple

from .destinations import Destination, Kind
from .worker import Do, Step, Worker

_CALL: Final = Step(Do.CALL)
_WAIT: Final = Step(Do.WAIT)
_SUNK: Final = Step(Do.ACK)


class Routing(NamedTuple):
    """A recipient that sends variants with a default destination there (B059), and all others to the worker."""

    worker: Worker
    routes: Mapping[str, Destination]
    """Variant → default destination of its definition."""
    busy: Container[str]
    """Labels of destinations that have no room for another call now (B072)."""

    def step(self, variant: str, attempt: int) -> Step:
        """Return what is done with this attempt of an action of this variant.

        A sink acks it at once (B112, Q23). The worker stands for the listeners of an SDK destination, and takes what has no
        destination (Q24; ours).
        """
        destination = self.routes.get(variant)
        if destination is None or destination.kind is Kind.SDK:
            return self.worker.step(variant, attempt)
        if destination.kind is not Kind.WEBHOOK:
            return _SUNK
        return _WAIT if destination.label in self.busy else _CALL
