"""What goes wrong on request: the troubles of each organisation, and whose turn it is."""

from __future__ import annotations

from ..domain.errors import TooManyTroubles, UnknownOperation, UnknownTrouble
from ..domain.faults import (
    MOST,
    Plan,
    Standing,
    Trouble,
)
from ..domain.ports import Organisation, Store
from .timers import Clockwork


class Troubles:
    """Adds and removes troubles, and spends them. Event loop only, without a wait: each answer is hit by one."""

    def __init__(self, store: Store, clockwork: Clockwork, operations: frozenset[str]) -> None:
        self._store = store
        self._clockwork = clockwork
        self._operations = operations
        self.anywhere = False
        """False when no organisation has any; a look at this is all that troubles cost where there are none."""

    def plan(self, org_id: str) -> Plan:
        """Those of one organisation."""
        return self._store.organisation(org_id).troubles

    def add(self, org_id: str, trouble: Trouble) -> Standing:
        """One more, which hits from the next answer on.

        Raises:
            UnknownOperation: the document that is served has none of this id.
            TooManyTroubles: the organisation keeps as many as it may, and each of them has answers left to hit.
        """
        if trouble.operation and trouble.operation not in self._operations:
            known = ", ".join(sorted(self._operations))
            raise UnknownOperation(f"body/operation: expected one of {known}; got {trouble.operation[:60]!r}")
        organisation = self._store.organisation(org_id)
        if organisation.troubles.is_full:
            raise TooManyTroubles(
                f"path org_id: expected an organisation with fewer than {MOST} troubles, got {org_id}, which has as "
                "many; delete some first"
            )
        organisation.troubles = organisation.troubles.added(trouble)
        self.anywhere = True
        added = organisation.troubles.troubles[-1]
        self._entered(organisation, f"{added.number} added")
        return added

    def remove(self, org_id: str, number: int | None = None) -> Plan:
        """What is left without one of them, or without any.

        Raises:
            UnknownTrouble: there is none of this number.
        """
        organisation = self._store.organisation(org_id)
        plan = organisation.troubles
        if number is not None and all(standing.number != number for standing in plan.troubles):
            known = ", ".join(str(standing.number) for standing in plan.troubles) or "none"
            raise UnknownTrouble(
                f"path number: expected a trouble of organisation {org_id} ({known}), got {number}"
            )
        organisation.troubles = plan.without(number)
        self._look()
        self._entered(organisation, "all removed" if number is None else f"{number} removed")
        return organisation.troubles

    def await_one(self, org_id: str, operation: str) -> bool:
        """Whether an answer of the operation may be hit."""
        return self.plan(org_id).fits(operation)

    def strike(self, org_id: str, operation: str) -> Standing | None:
        """What hits the answer that is about to be made, which counts."""
        organisation = self._store.organisation(org_id)
        organisation.troubles, struck = organisation.troubles.met_by(operation, organisation.seed)
        if struck is not None and struck.left == 0:
            self._look()
        return struck

    def _look(self) -> None:
        """See whether some can hit yet. A reset is not told of: what it removed costs a look until the next one here."""
        plans = (organisation.troubles for organisation in self._store.organisations())
        self.anywhere = any(standing.left != 0 for plan in plans for standing in plan.troubles)

    def _entered(self, organisation: Organisation, details: str) -> None:
        organisation.journal.commanded(self._clockwork.now(organisation), "trouble", details)
