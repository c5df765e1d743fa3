"""The life of an action on the conforming server: deliveries, deadlines, events."""

from __future__ import annotations

from .definitions import Definitions
from .values import LEASE, TERMINAL, Action, Refused, Status, timestamp


class Lifecycle(Definitions):
    """What happens to an action by itself, and which attempt may speak for it."""

    def find(self, org: str, action_id: str) -> Action:
        """Return an action of the organisation.

        Raises:
            Refused: 404, the organisation has no such action.
        """
        action = self.actions.get(action_id)
        if action is None or action.definition.org_id != org:
            raise Refused(404, "UNKNOWN_ACTION", "no action has this id")
        return action

    def elapse(self, action: Action) -> None:
        """Let happen what was due at each deadline that has passed."""
        now = self.now()
        while action.status not in TERMINAL and action.deadline <= now:
            self.pass_deadline(action, action.deadline)

    def pass_deadline(self, action: Action, when: float) -> None:
        """Pass one deadline: deferred work succeeds, a lifetime ends, or the next attempt begins."""
        if action.status == "deferred":
            self.end(action, "succeeded", "expired", when)
        elif when >= action.ends:
            action.error = "the action has timed out"
            self.end(action, "failed", "timed_out", when)
        else:
            self.deliver(action, when)

    def deliver(self, action: Action, when: float) -> None:
        """Let the next attempt hold the action; the first one has number 0."""
        if action.started is None:
            action.started = when
        else:
            action.attempt += 1
        action.status = "held"
        action.deadline = min(when + LEASE, action.ends)
        self.note(action, "delivered", when)

    def end(self, action: Action, status: Status, kind: str, when: float) -> None:
        action.status, action.completed = status, when
        self.note(action, kind, when)

    def note(self, action: Action, kind: str, when: float) -> None:
        """Write down the event of a transition."""
        action.updated = when
        action.events.append(
            {
                "id": self.new_id(),
                "action_record_id": action.id,
                "org_id": action.definition.org_id,
                "kind": kind,
                "status": action.public_status,
                "attempt": action.attempt,
                "available_at": self.available_at(action),
            }
        )

    def available_at(self, action: Action) -> str | None:
        """When the next attempt may begin; None where no attempt is ever delivered."""
        known = action.status not in TERMINAL and self.choices.delivery == "at-once"
        return timestamp(action.deadline) if known else None

    def check_unfinished(self, action: Action) -> None:
        if action.status in TERMINAL:
            raise Refused(409, "FINISHED_ACTION", "the action has ended")

    def check_attempt(self, action: Action, attempt: int) -> None:
        """Refuse every attempt but the one that holds the action."""
        if action.status == "queued":
            raise Refused(409, "NOT_DELIVERED", "no attempt has begun")
        if attempt != action.attempt:
            self.reject_attempt(attempt < action.attempt)
        if action.status in ("retrying", "scheduled"):
            raise Refused(409, "ENDED_ATTEMPT", "the attempt has ended and the next has not begun")

    def reject_attempt(self, stale: bool) -> None:
        """Refuse an attempt that is over (`stale`), or one that has not begun."""
        raise Refused(self.choices.stale, "WRONG_ATTEMPT", "the attempt is not the current one")


__all__ = ["Lifecycle"]
