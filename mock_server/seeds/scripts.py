"""The worker's scripts, to JSON and from it. Durations are seconds there and milliseconds here."""

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
    """The worker that a checked body asks for; without a default script it holds."""
    variants = {variant: _script(script) for variant, script in given.get("variants", {}).items()}
    return Worker(_script(given.get("default", "hold")), variants)


def to_json(worker: Worker) -> dict[str, Any]:
    """The worker in full; `worker` reads it back."""
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
    full = {"do": step.do.value, "after": seconds(step.after), "lease": seconds(step.lease)}
    return full if step.retry_after is None else full | {"retry_after": seconds(step.retry_after)}


def seconds(milliseconds: int) -> float:
    """A duration in seconds, whole ones as an integer."""
    return milliseconds // SECOND if milliseconds % SECOND == 0 else milliseconds / SECOND
