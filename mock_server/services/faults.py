"""Adds injected faults to organisations, removes them, and says which answer they hit."""

from __future__ import annotations

from ..domain.errors import TooManyFaults, UnknownFault, UnknownOperation
from ..domain.faults import MAX_FAULTS, Fault, FaultPlan, PlannedFault
from ..domain.ports import Organisation, Store
from .timers import Timers


class Faults:
    """The injected faults of all organisations. Event loop only, and nothing is awaited, so that a count never counts twice."""

    def __init__(self, store: Store, timers: Timers, operations: frozenset[str]) -> None:
        """Take the ids of the served document's operations, which faults may name."""
        self._store = store
        self._timers = timers
        self._operations = operations
        self.any_active = False
        """Whether some organisation may have a fault; asking this is all that faults cost where there are none."""

    def plan(self, org_id: str) -> FaultPlan:
        """Return the faults of an organisation."""
        return self._store.organisation(org_id).faults

    def add(self, org_id: str, fault: Fault) -> PlannedFault:
        """Add a fault, which can hit the next answer.

        Raises:
            UnknownOperation: the served document has no operation of this id.
            TooManyFaults: the organisation keeps as many as it may, and each of them has answers left to hit.
        """
        if fault.operation and fault.operation not in self._operations:
            known = ", ".join(sorted(self._operations))
            raise UnknownOperation(f"body/operation: expected one of {known}; got {fault.operation[:60]!r}")
        organisation = self._store.organisation(org_id)
        if organisation.faults.is_full:
            raise TooManyFaults(
                f"path org_id: expected an organisation with fewer than {MAX_FAULTS} faults, got {org_id}, which has as "
                "many; delete some first"
            )
        organisation.faults = organisation.faults.added(fault)
        self.any_active = True
        added = organisation.faults.faults[-1]
        self._enter(organisation, f"{added.number} added")
        return added

    def remove(self, org_id: str, number: int | None = None) -> FaultPlan:
        """Remove the fault of this number, or all of them, and return what is left.

        Raises:
            UnknownFault: the organisation has no fault of this number.
        """
        organisation = self._store.organisation(org_id)
        plan = organisation.faults
        if number is not None and all(planned.number != number for planned in plan.faults):
            known = ", ".join(str(planned.number) for planned in plan.faults) or "none"
            raise UnknownFault(
                f"path number: expected a fault of organisation {org_id} ({known}), got {number}"
            )
        organisation.faults = plan.without(number)
        self._update_any_active()
        self._enter(organisation, "all removed" if number is None else f"{number} removed")
        return organisation.faults

    def may_hit(self, org_id: str, operation: str) -> bool:
        """Return whether an answer of the operation may be hit."""
        return self.plan(org_id).fits(operation)

    def next_fault(self, org_id: str, operation: str) -> PlannedFault | None:
        """Count the answer that is about to be made, and return the fault that hits it."""
        organisation = self._store.organisation(org_id)
        organisation.faults, hitting = organisation.faults.after_answer(operation, organisation.seed)
        if hitting is not None and hitting.left == 0:
            self._update_any_active()
        return hitting

    def _update_any_active(self) -> None:
        """A reset removes faults without a call of this: then `any_active` stays true until the next call."""
        plans = (organisation.faults for organisation in self._store.organisations())
        self.any_active = any(planned.left != 0 for plan in plans for planned in plan.faults)

    def _enter(self, organisation: Organisation, details: str) -> None:
        organisation.journal.add_command(self._timers.now(organisation), "fault", details)
