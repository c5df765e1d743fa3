"""What goes wrong on request: the faults of each organisation, and whose turn it is."""

from __future__ import annotations

from ..domain.errors import TooManyFaults, UnknownFault, UnknownOperation
from ..domain.faults import (
    MOST,
    Fault,
    FaultPlan,
    PlannedFault,
)
from ..domain.ports import Organisation, Store
from .timers import Timers


class Faults:
    """Adds and removes faults, and spends them. Event loop only, without a wait: each answer is hit by one."""

    def __init__(self, store: Store, timers: Timers, operations: frozenset[str]) -> None:
        self._store = store
        self._timers = timers
        self._operations = operations
        self.any_active = False
        """False when no organisation has any; a look at this is all that faults cost where there are none."""

    def plan(self, org_id: str) -> FaultPlan:
        """Those of one organisation."""
        return self._store.organisation(org_id).faults

    def add(self, org_id: str, fault: Fault) -> PlannedFault:
        """One more, which hits from the next answer on.

        Raises:
            UnknownOperation: the document that is served has none of this id.
            TooManyFaults: the organisation keeps as many as it may, and each of them has answers left to hit.
        """
        if fault.operation and fault.operation not in self._operations:
            known = ", ".join(sorted(self._operations))
            raise UnknownOperation(f"body/operation: expected one of {known}; got {fault.operation[:60]!r}")
        organisation = self._store.organisation(org_id)
        if organisation.faults.is_full:
            raise TooManyFaults(
                f"path org_id: expected an organisation with fewer than {MOST} faults, got {org_id}, which has as "
                "many; delete some first"
            )
        organisation.faults = organisation.faults.added(fault)
        self.any_active = True
        added = organisation.faults.faults[-1]
        self._entered(organisation, f"{added.number} added")
        return added

    def remove(self, org_id: str, number: int | None = None) -> FaultPlan:
        """What is left without one of them, or without any.

        Raises:
            UnknownFault: there is none of this number.
        """
        organisation = self._store.organisation(org_id)
        plan = organisation.faults
        if number is not None and all(planned.number != number for planned in plan.faults):
            known = ", ".join(str(planned.number) for planned in plan.faults) or "none"
            raise UnknownFault(
                f"path number: expected a fault of organisation {org_id} ({known}), got {number}"
            )
        organisation.faults = plan.without(number)
        self._look()
        self._entered(organisation, "all removed" if number is None else f"{number} removed")
        return organisation.faults

    def may_hit(self, org_id: str, operation: str) -> bool:
        """Whether an answer of the operation may be hit."""
        return self.plan(org_id).fits(operation)

    def next_fault(self, org_id: str, operation: str) -> PlannedFault | None:
        """What hits the answer that is about to be made, which counts."""
        organisation = self._store.organisation(org_id)
        organisation.faults, struck = organisation.faults.after_answer(operation, organisation.seed)
        if struck is not None and struck.left == 0:
            self._look()
        return struck

    def _look(self) -> None:
        """See whether some can hit yet. A reset is not told of: what it removed costs a look until the next one here."""
        plans = (organisation.faults for organisation in self._store.organisations())
        self.any_active = any(planned.left != 0 for plan in plans for planned in plan.faults)

    def _entered(self, organisation: Organisation, details: str) -> None:
        organisation.journal.add_command(self._timers.now(organisation), "fault", details)
