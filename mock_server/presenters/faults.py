"""Injected faults as the JSON of the admin plane."""

from __future__ import annotations

from typing import Any

from ..domain.faults import PlannedFault


def fault_json(planned: PlannedFault) -> dict[str, Any]:
    """Return the members of a fault by name; those that were not given are None."""
    fault = planned.fault
    return {
        "number": planned.number,
        "operation": fault.operation or None,
        "times": fault.times,
        "share": fault.share,
        "status": fault.status,
        "code": None if fault.status is None else fault.code,
        "message": fault.message or None,
        "delay": fault.delay,
        "cut": fault.cut,
        "retry_after": fault.retry_after,
        "carried_out": fault.carried_out,
        "hit": planned.hit,
        "left": planned.left,
    }


__all__ = ["fault_json"]
