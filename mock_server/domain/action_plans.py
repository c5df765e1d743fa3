"""The actions that an organisation begins with: frozen plans, and the actions and histories that they become.

A hand-written seed file has `ActionPlan`s, an export has `ExportedAction`s. Times are milliseconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from .actions import NEVER, Action, HistoryEvent, Work
from .definitions import Registry
from .leases import LEASE, LIFETIME
from .states import FOLLOWS, HELD, TERMINAL, Event, State

_EARLIER_ATTEMPTS: Final = 5
"""Earlier attempts in the generated history of an action: with three events each, about as much as a store keeps."""


class PlannedTime(NamedTuple):
    """A time in milliseconds: since the epoch when it is `absolute`, else from the organisation's now."""

    at: int
    absolute: bool = False

    def resolve(self, now: int) -> int:
        """Return the time in milliseconds since the epoch, when it is `now`."""
        return self.at if self.absolute else now + self.at


@dataclass(frozen=True, slots=True)
class ExportedAction:
    """An action as an export has it: under its id, with its history."""

    id: str
    variant: str
    version: int
    payload: bytes
    metadata: bytes
    tags: tuple[tuple[str, str], ...]
    event: Event
    state: State
    attempt: int
    accepted_at: int
    timeout_at: int
    available_at: int
    acts_at: int
    started_at: int
    updated_at: int
    events: tuple[HistoryEvent, ...]
    place: str = field(default="", compare=False)
    """Where it stands in its file, as a JSON pointer without its first slash."""

    def action(self, registry: Registry) -> Action:
        """Return the action. Its definition is in `registry`."""
        work = Work(
            registry.by_variant[self.variant].id,
            self.variant,
            self.version,
            self.payload,
            self.metadata,
            self.tags,
            self.accepted_at,
            self.timeout_at,
        )
        return Action(
            self.id,
            work,
            self.event,
            self.state,
            self.attempt,
            self.available_at,
            self.acts_at,
            self.started_at,
            self.updated_at,
        )


@dataclass(frozen=True, slots=True)
class ActionPlan:
    """An action that is accepted when its organisation is provisioned, or that is in a given state then."""

    name: str
    """The variant of its definition, or an alias."""
    payload: bytes
    metadata: bytes = b""
    tags: tuple[tuple[str, str], ...] = ()
    version: int | None = None
    state: State | None = None
    """None: it is given to its recipient as if a client had posted it."""
    attempt: int | None = None
    accepted: PlannedTime | None = None
    available: PlannedTime | None = None
    ended: PlannedTime | None = None
    place: str = field(default="", compare=False)
    """Where it stands in its file, as a JSON pointer without its first slash."""

    def work(self, registry: Registry, now: int) -> Work:
        """Return the work that is accepted at `now` (milliseconds). Its definition is in `registry`."""
        definition = registry.by_variant[registry.by_alias.get(self.name, self.name)]
        return Work(
            definition.id,
            definition.variant,
            definition.version_for(self.version),
            self.payload,
            self.metadata,
            self.tags,
            now,
            now + LIFETIME,
        )

    def times(self, now: int) -> tuple[int, int, int]:
        """Return the times of an action in the planned state, in milliseconds; all are within its lifetime.

        Returns:
            (acceptance, latest possible change, when its state ends by itself).
        """
        ended = now if self.ended is None else min(now, self.ended.resolve(now))
        if self.accepted is None:
            accepted = ended - min(self._earlier_attempts * LEASE, LIFETIME - LEASE)
        else:
            accepted = min(ended, self.accepted.resolve(now))
        ended = min(ended, accepted + LIFETIME)
        if self.state in TERMINAL:
            return accepted, ended, ended
        available = now + LEASE if self.available is None else self.available.resolve(now)
        return accepted, ended, max(accepted, min(available, accepted + LIFETIME))

    @property
    def _earlier_attempts(self) -> int:
        """Number of attempts that ended before the planned state."""
        if self.state is State.QUEUED or self.state is State.DISPATCH_WAIT:
            return 0 if self.attempt is None else self.attempt + 1
        return self.attempt or 0

    @property
    def is_relative(self) -> bool:
        """Whether all its times count from the organisation's now."""
        return not any(time and time.absolute for time in (self.accepted, self.available, self.ended))

    def shifted(self, placed: Action, id: str, registry: Registry, by: int) -> Action:
        """Return what `place_at` gave for another organisation as it is in this one, `by` milliseconds later."""
        return Action(
            id,
            self.work(registry, placed.work.accepted_at + by),
            placed.event,
            placed.state,
            placed.attempt,
            placed.available_at + by,
            NEVER,
            placed.started_at and placed.started_at + by,
            placed.updated_at + by,
        )

    def place_at(
        self, id: str, registry: Registry, now: int, number: int
    ) -> tuple[Action, list[HistoryEvent]]:
        """Return the action in its planned state at `now` (milliseconds), with a history that could have led there.

        Earlier attempts follow each other evenly, and the lease of each ran out.

        Args:
            id: the action's id.
            registry: has its definition.
            now: the organisation's time, in milliseconds since the epoch.
            number: the number of its first event.

        Returns:
            (action, its history, oldest event first).
        """
        accepted, changed, available = self.times(now)
        work = self.work(registry, accepted)
        history = _History(number, accepted)
        earlier, state = self._earlier_attempts, self.state or State.QUEUED
        begins = [accepted + (changed - accepted) * n // (earlier + 1) for n in range(earlier + 1)]
        begins.append(changed)
        for attempt in range(max(0, earlier - _EARLIER_ATTEMPTS), earlier):
            history.add(Event.DELIVER, attempt, begins[attempt], begins[attempt + 1])
            history.add(Event.HAND_OFF, attempt, begins[attempt], begins[attempt + 1])
            history.add(Event.EXPIRE, attempt, begins[attempt + 1], begins[attempt + 1])
        if state is State.DISPATCH_WAIT:
            history.add(Event.WAIT, max(0, earlier - 1), begins[earlier], begins[earlier])
        elif state is not State.QUEUED:
            began = begins[earlier]
            if not (state is State.CANCELED and self.attempt is None):
                history.add(Event.DELIVER, earlier, began, available)
                if state is State.ACK_WAIT:
                    history.add(Event.HAND_OFF, earlier, began, available)
            ending = _ENDINGS.get(state)
            if ending is not None:
                history.add(ending, earlier, began if state in HELD else changed, available)
        events = history.events
        last = events[-1]
        started = begins[0] if last.attempt or any(e.kind is Event.DELIVER for e in events) else 0
        action = Action(
            id, work, last.kind, last.state, last.attempt, last.available_at, NEVER, started, last.at
        )
        return action, events


class _History:
    """A history that grows, event by event, as the transition table allows."""

    def __init__(self, number: int, accepted: int) -> None:
        self.events = [HistoryEvent(number, accepted, Event.ACCEPT, State.QUEUED, 0, accepted)]

    def add(self, event: Event, attempt: int, at: int, available_at: int) -> None:
        last = self.events[-1]
        state = FOLLOWS[last.state][event]
        self.events.append(HistoryEvent(last.number + 1, at, event, state, attempt, available_at))


_ENDINGS: Final = {
    State.SCHEDULED: Event.SCHEDULE,
    State.RETRYING: Event.NACK,
    State.DEFERRED: Event.DEFER,
    State.SUCCEEDED: Event.ACK,
    State.FAILED: Event.REJECT,
    State.CANCELED: Event.CANCEL,
}
"""State → the event that brings an action there from its latest attempt."""
