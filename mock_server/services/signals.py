"""Signals of the holder of an attempt: ack, nack, modack and defer."""

from __future__ import annotations

from collections.abc import Callable

from ..domain import actions
from ..domain.actions import Action
from ..domain.errors import DroppedAction, UnknownAction
from ..domain.interpretations import DEFAULTS, Interpretations
from ..domain.ports import Organisation, Store
from .timers import Timers


class Signals:
    """Settles, extends and defers attempts. All methods raise what `find` and the functions of `domain.actions` raise."""

    def __init__(self, store: Store, timers: Timers, interpretations: Interpretations = DEFAULTS) -> None:
        self._store = store
        self._timers = timers
        self._interpretations = interpretations

    async def ack(self, org_id: str, action_id: str, attempt: int) -> None:
        """Settle an attempt, as its work is done (B127)."""
        await self._signal(
            org_id,
            action_id,
            lambda action, now, _: actions.acked(action, attempt, now, self._interpretations),
        )

    async def nack(
        self, org_id: str, action_id: str, attempt: int, *, retry: bool, retry_at: int | None
    ) -> None:
        """Give an attempt back; without `retry` for good, else until `retry_at`, in seconds since the epoch, or as long as the
        back-off says (B128 to B130)."""
        moment = None if retry_at is None else retry_at * 1_000
        await self._signal(
            org_id,
            action_id,
            lambda action, now, seed: actions.nacked(
                action,
                attempt,
                retry=retry,
                retry_at=moment,
                seed=seed,
                now=now,
                interpretations=self._interpretations,
            ),
        )

    async def modack(self, org_id: str, action_id: str, attempt: int, seconds: int) -> None:
        """Move the deadline of an attempt to `seconds` from now (B125, Q8)."""
        await self._signal(
            org_id, action_id, lambda action, now, _: actions.extended(action, attempt, seconds, now)
        )

    async def defer(self, org_id: str, action_id: str, attempt: int) -> None:
        """Take custody of an attempt (B140)."""
        await self._signal(org_id, action_id, lambda action, now, _: actions.deferred(action, attempt, now))

    async def _signal(
        self, org_id: str, action_id: str, change: Callable[[Action, int, int], Action]
    ) -> None:
        organisation = self._store.organisation(org_id)
        before, now = await self._timers.current_action(
            organisation,
            lambda: find(organisation, action_id, "body/action_record_id", self._interpretations),
        )
        after = change(before, now, organisation.seed)
        if after is not before:
            self._timers.save(organisation, (after,), now)


def find(
    organisation: Organisation, action_id: str, place: str, interpretations: Interpretations = DEFAULTS
) -> Action:
    """Return the action with this id, which the request has at `place`.

    Raises:
        UnknownAction: the id never belonged to an action of this organisation (B133).
        DroppedAction: its action was dropped to keep memory bounded.
    """
    if interpretations.leading_zeros == "overlooked":
        action_id = action_id.lstrip("0")
    action = organisation.action(action_id)
    if action is not None:
        return action
    if organisation.dropped(action_id):
        raise DroppedAction(
            f"{place}: expected an action that is still kept, got {action_id}, which was dropped for newer "
            "ones (see --max-actions and --max-payload-mib)"
        )
    raise UnknownAction(
        f"{place}: expected the id of an action of organisation {organisation.org_id}, got "
        f"{action_id[:40]}, which was never issued here"
    )
