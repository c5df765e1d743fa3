"""What an export has beyond a hand-written seed file: actions with their ids and histories, and all ids of an organisation.

`at` is the JSON pointer of what is read, without its first slash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from arklow_local.formats.excerpts import abridged_pointer

from ..domain.action_plans import ActionPlan, ExportedAction
from ..domain.actions import NEVER, HistoryEvent
from ..domain.id_sequences import IdSegment, IdSequences, action_id
from ..domain.leases import LIFETIME
from ..domain.seeds import DefinitionIds, DestinationIds, ExportedIds, SeedRefused
from ..domain.states import Event, State
from ..fast_json import dump
from ..timestamps import END
from .planned_actions import moment_of

_LONGEST: Final = (1 << 32) - 1
"""Milliseconds after its acceptance that a packed history can hold: 49 days."""


def exported_action(
    given: Mapping[str, Any],
    at: str,
    ids: ExportedIds | None,
    before: Sequence[ActionPlan | ExportedAction],
) -> ExportedAction:
    """Return the plan of an action with an id.

    Args:
        given: checked JSON.
        at: where it stands.
        ids: those of its organisation.
        before: the actions of the organisation that stand before it.

    Raises:
        SeedRefused: the id is not the next one, or a time or the number of an event is impossible.
    """
    sequences = _sequences_of(given, at, ids, before)
    start = moment_of(given, "accepted_at", at)

    def within(values: Mapping[str, Any], member: str, where: str) -> int:
        found = moment_of(values, member, where, end=END + LIFETIME)
        if not 0 <= found - start <= _LONGEST:
            raise SeedRefused(
                f"{where}/{member}",
                f"expected a time from the acceptance on and less than 49 days after it, got {values[member]}",
            )
        return found

    events = _history(given["events"], f"{at}/events", sequences.events, within)
    return ExportedAction(
        given["id"],
        given["variant"],
        int(given["version"]),
        dump(given["payload"]),
        dump(given["metadata"]) if "metadata" in given else b"",
        tuple(given.get("tags", {}).items()),
        Event(given["event"]),
        State(given["status"]),
        int(given["attempt"]),
        start,
        within(given, "timeout_at", at),
        within(given, "available_at", at),
        within(given, "acts_at", at) if "acts_at" in given else NEVER,
        within(given, "started_at", at) if "started_at" in given else 0,
        within(given, "updated_at", at),
        events,
        at,
    )


def _sequences_of(
    given: Mapping[str, Any],
    at: str,
    ids: ExportedIds | None,
    before: Sequence[ActionPlan | ExportedAction],
) -> IdSequences:
    """The id sequences of an organisation whose next action this is.

    Raises:
        SeedRefused: it has no ids, or the action's is not the next one.
    """
    if ids is None:
        raise SeedRefused(f"{at}/id", f"expected no id in what has no ids of an export, got {given['id']}")
    if before and not isinstance(before[-1], ExportedAction):
        raise SeedRefused(f"{at}/id", f"expected actions with an id before the others, got {given['id']}")
    expected = action_id(ids.sequences.segments, ids.sequences.dropped + len(before))
    if given["id"] != expected:
        raise SeedRefused(f"{at}/id", f"expected {expected}, which comes next, got {given['id']}")
    return ids.sequences


def _history(
    given: Sequence[Mapping[str, Any]],
    at: str,
    counted: int,
    within: Callable[[Mapping[str, Any], str, str], int],
) -> tuple[HistoryEvent, ...]:
    """The events of an action, whose numbers grow up to the `counted` events of the organisation."""
    events = []
    number = 0
    for position, event in enumerate(given):
        where = f"{at}/{position}"
        if not number < event["number"] <= counted:
            raise SeedRefused(
                f"{where}/number",
                f"expected a number from {number + 1} to {counted}, the events counted, got {event['number']}",
            )
        number = int(event["number"])
        events.append(
            HistoryEvent(
                number,
                within(event, "at", where),
                Event(event["event"]),
                State(event["status"]),
                int(event["attempt"]),
                within(event, "available_at", where),
            )
        )
    return tuple(events)


def exported_ids(given: Mapping[str, Any], at: str) -> ExportedIds:
    """Return all ids of an organisation.

    Raises:
        SeedRefused: a segment of ids begins before an older one.
    """
    segments = tuple(
        IdSegment(line["suffix"], int(line["actions"]), int(line["events"])) for line in given["lines"]
    )
    for position, (own, older) in enumerate(zip(segments, (*segments[1:], IdSegment("")), strict=True)):
        is_first = position == len(segments) - 1
        if own[1:] < older[1:] or (is_first and own[1:] != (0, 0)):
            expected = "0 for both, as the first of all" if is_first else "no less than the line below"
            raise SeedRefused(
                f"{at}/lines/{position}",
                f"expected {expected}, got {own.first_action} and {own.events_before}",
            )
    counted = {name: int(count) for name, count in given.get("counted", {}).items()}
    destinations = {
        label: DestinationIds(
            known["id"],
            known.get("credential", ""),
            moment_of(known, "updated_at", abridged_pointer(f"{at}/destinations", [label])),
        )
        for label, known in given.get("destinations", {}).items()
    }
    definitions = {
        variant: DefinitionIds(known["id"], tuple(known.get("links", ())))
        for variant, known in given.get("definitions", {}).items()
    }
    return ExportedIds(IdSequences(segments, **counted), definitions, destinations, at)
