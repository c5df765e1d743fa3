"""The worker's scripts as JSON and back. Durations are seconds in JSON and milliseconds in the domain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..domain.leases import LEASE, SECOND
from ..domain.worker import (
    Do,
    Script,
    Step,
    Worker,
)


def from_json(given: Mapping[str, Any]) -> Worker:
    """Return the worker that checked JSON describes; without a default script it holds every attempt."""
    variants = {variant: _script(script) for variant, script in given.get("variants", {}).items()}
    return Worker(_script(given.get("default", "hold")), variants)


def to_json(worker: Worker) -> dict[str, Any]:
    """Return a worker as `default` (its steps) and `variants` (variant → steps), with all defaults.

    `from_json` is the way back.
    """
    return {
        "default": [_step_json(step) for step in worker.default],
        "variants": {
            variant: [_step_json(step) for step in script] for variant, script in worker.variants.items()
        },
    }


def _script(given: Any) -> Script:
    return tuple(_step(step) for step in (given if isinstance(given, list) else [given]))


def _step(given: Any) -> Step:
    if isinstance(given, str):
        return Step(Do(given))
    retry_after = given.get("retry_after")
    return Step(
        Do(given["do"]),
        after=round(given.get("after", 0) * SECOND),
        lease=round(given.get("lease", LEASE // SECOND) * SECOND),
        retry_after=None if retry_after is None else round(retry_after * SECOND),
    )


def _step_json(step: Step) -> dict[str, Any]:
    members = {"do": step.do.value, "after": seconds(step.after), "lease": seconds(step.lease)}
    return members if step.retry_after is None else members | {"retry_after": seconds(step.retry_after)}


def seconds(milliseconds: int) -> float:
    """Return a duration in seconds, as an integer when it is whole."""
    return milliseconds // SECOND if milliseconds % SECOND == 0 else milliseconds / SECOND
