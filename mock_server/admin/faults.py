"""The commands of the admin plane for fault on request, by operation id. Event loop only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..domain.faults import (
    CODE,
    Cut,
    Fault,
    FaultPlan,
    PlannedFault,
)
from ..services.faults import Faults
from .commands import Call, Command, listed


class FaultCommands:
    """Add, list and remove."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def table(self) -> dict[str, Command]:
        """Operation id → command."""
        return {
            "listTroubles": self.list_all,
            "addTrouble": self.add,
            "deleteTroubles": self.remove,
            "deleteTrouble": self.remove,
        }

    async def list_all(self, call: Call) -> Any:
        """All, with what has become of them."""
        return _listed(self._faults.plan(call.path["org_id"]))

    async def add(self, call: Call) -> Any:
        """One more."""
        return _shown(self._faults.add(call.path["org_id"], _fault(call.body)))

    async def remove(self, call: Call) -> Any:
        """One of them, or all; what is left."""
        number = call.path.get("number")
        return _listed(self._faults.remove(call.path["org_id"], None if number is None else int(number)))


def _fault(body: Mapping[str, Any]) -> Fault:
    """The fault that a checked body asks for."""
    cut = body.get("cut")
    numbers = {name: int(body[name]) for name in ("times", "status", "retry_after") if name in body}
    return Fault(
        operation=body.get("operation", ""),
        share=float(body.get("share", 1)),
        code=body.get("code", CODE),
        message=body.get("message", ""),
        delay=float(body["delay"]) if "delay" in body else None,
        cut=Cut(cut) if cut else None,
        carried_out=body.get("carried_out", False),
        **numbers,
    )


def _listed(plan: FaultPlan) -> dict[str, Any]:
    return listed([_shown(planned) for planned in plan.faults])


def _shown(planned: PlannedFault) -> dict[str, Any]:
    """A fault in full; what was not asked for is null."""
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
