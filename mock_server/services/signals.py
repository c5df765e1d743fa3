"""What the holder of an attempt says about it."""

from __future__ import annotations

from ..domain import actions
from ..domain.errors import DroppedAction, UnknownAction
from ..domain.ports import Clock, Ids, Store


class Signals:
    """Settles and extends attempts; of these the published document has modack."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    def modack(self, org_id: str, action_id: str, attempt: int, seconds: int) -> None:
        """Move the deadline of the current attempt to `seconds` from now (B125, Q8).

        Raises:
            UnknownAction: not an action of this organisation (B133).
            DroppedAction: it was one, and was dropped to keep memory bounded.
            SettleRefused: see `actions.extended`.
        """
        action = self._store.action(org_id, action_id)
        if action is None:
            self._refuse_missing(org_id, action_id)
            raise UnknownAction(
                f"body/action_record_id: expected the id of an action of organisation {org_id}, got "
                f"{action_id[:40]}, which was never issued here"
            )
        self._store.save_action(actions.extended(action, attempt, seconds, self._clock.now()))

    def _refuse_missing(self, org_id: str, action_id: str) -> None:
        if self._ids.issued(org_id, action_id) and not self._store.registry(org_id).holds_id(action_id):
            raise DroppedAction(
                f"body/action_record_id: expected an action that is still kept, got {action_id}, which was "
                "dropped for newer ones (see --max-actions and --max-payload-mib)"
            )
