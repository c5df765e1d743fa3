"""The commands of the admin plane for trouble on request, by operation id. Event loop only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..domain.faults import (
    CODE,
    Cut,
    Plan,
    Standing,
    Trouble,
)
from ..services.faults import Troubles
from .commands import Call, Command, listed


class TroubleCommands:
    """Add, list and remove."""

    def __init__(self, troubles: Troubles) -> None:
        self._troubles = troubles

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
        return _listed(self._troubles.plan(call.path["org_id"]))

    async def add(self, call: Call) -> Any:
        """One more."""
        return _shown(self._troubles.add(call.path["org_id"], _trouble(call.body)))

    async def remove(self, call: Call) -> Any:
        """One of them, or all; what is left."""
        number = call.path.get("number")
        return _listed(self._troubles.remove(call.path["org_id"], None if number is None else int(number)))


def _trouble(body: Mapping[str, Any]) -> Trouble:
    """The trouble that a checked body asks for."""
    cut = body.get("cut")
    numbers = {name: int(body[name]) for name in ("times", "status", "retry_after") if name in body}
    return Trouble(
        operation=body.get("operation", ""),
        share=float(body.get("share", 1)),
        code=body.get("code", CODE),
        message=body.get("message", ""),
        delay=float(body["delay"]) if "delay" in body else None,
        cut=Cut(cut) if cut else None,
        carried_out=body.get("carried_out", False),
        **numbers,
    )


def _listed(plan: Plan) -> dict[str, Any]:
    return listed([_shown(standing) for standing in plan.troubles])


def _shown(standing: Standing) -> dict[str, Any]:
    """A trouble in full; what was not asked for is null."""
    trouble = standing.trouble
    return {
        "number": standing.number,
        "operation": trouble.operation or None,
        "times": trouble.times,
        "share": trouble.share,
        "status": trouble.status,
        "code": None if trouble.status is None else trouble.code,
        "message": trouble.message or None,
        "delay": trouble.delay,
        "cut": trouble.cut,
        "retry_after": trouble.retry_after,
        "carried_out": trouble.carried_out,
        "hit": standing.hit,
        "left": standing.left,
    }
