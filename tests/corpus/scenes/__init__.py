"""Makes the requests of the corpus, from a seed and from what the mock answers on the way. Used when recording alone."""

from __future__ import annotations

from collections.abc import Iterator

from tests.corpus.scenes import (
    administration,
    capacity,
    choices,
    definitions,
    deliveries,
    hostile,
    lives,
    malformed,
    planned_faults,
    seeds,
    soup,
)
from tests.corpus.scenes.session import Session
from tests.corpus.steps import Recorded

MODULES = (
    definitions,
    malformed,
    hostile,
    lives,
    choices,
    capacity,
    planned_faults,
    administration,
    deliveries,
    seeds,
    soup,
)
"""Each has `SCENES`: the plan of a world, and the function that sends requests to it."""


def recordings() -> Iterator[Recorded]:
    """Send everything, world by world."""
    for module in MODULES:
        for plan, scene in module.SCENES:
            with Session(plan) as session:
                scene(session)
                yield Recorded(plan, session.steps)
    yield from seeds.restarted()
