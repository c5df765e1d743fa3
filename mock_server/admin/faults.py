"""The commands of the admin plane for injected faults, by operation id. Event loop only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..domain.faults import DEFAULT_CODE, Cut, Fault, FaultPlan
from ..presenters.faults import fault_json
from ..services.faults import Faults
from .commands import Call, Command, list_json


class FaultCommands:
    """The commands that add, list and remove the faults of an organisation."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def table(self) -> dict[str, Command]:
        """Return the commands, keyed by operation id."""
        return {
            "listFaults": self.list_all,
            "addFault": self.add,
            "deleteFaults": self.remove,
            "deleteFault": self.remove,
        }

    async def list_all(self, call: Call) -> Any:
        """List all faults, with how often each has hit."""
        return _plan_json(self._faults.plan(call.path["org_id"]))

    async def add(self, call: Call) -> Any:
        """Add a fault, and return it."""
        return fault_json(self._faults.add(call.path["org_id"], _fault(call.body)))

    async def remove(self, call: Call) -> Any:
        """Remove the fault that the path names, or all, and list those that are left."""
        number = call.path.get("number")
        return _plan_json(self._faults.remove(call.path["org_id"], None if number is None else int(number)))


def _fault(body: Mapping[str, Any]) -> Fault:
    """The fault that a checked body describes."""
    cut = body.get("cut")
    numbers = {name: int(body[name]) for name in ("times", "status", "retry_after") if name in body}
    return Fault(
        operation=body.get("operation", ""),
        share=float(body.get("share", 1)),
        code=body.get("code", DEFAULT_CODE),
        message=body.get("message", ""),
        delay=float(body["delay"]) if "delay" in body else None,
        cut=Cut(cut) if cut else None,
        carried_out=body.get("carried_out", False),
        **numbers,
    )


def _plan_json(plan: FaultPlan) -> dict[str, Any]:
    return list_json(fault_json(planned) for planned in plan.faults)
