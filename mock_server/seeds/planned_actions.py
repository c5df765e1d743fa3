"""Actions of a hand-written seed file: checked JSON → plans. Times are seconds or RFC 3339 there and milliseconds here.

`at` is the JSON pointer of what is read, without its first slash.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arklow_local.formats.excerpts import excerpt

from ..domain.action_plans import ActionPlan, PlannedTime
from ..domain.leases import LIFETIME, SECOND
from ..domain.seeds import SeedRefused
from ..domain.states import TERMINAL, State
from ..fast_json import dump
from ..timestamps import END, moment


def action_plan(given: Mapping[str, Any], at: str) -> ActionPlan:
    """Return the plan of an action without an id.

    Raises:
        SeedRefused: its times contradict its status, or each other.
    """
    state = State(given["status"]) if "status" in given else None
    version = given.get("version")
    for member in given:
        if member == "attempt" or member.endswith(("_ago", "_at", "_in")):
            _refuse_contradiction(given, member, state, at)
    return ActionPlan(
        given["variant"],
        dump(given["payload"]),
        dump(given["metadata"]) if "metadata" in given else b"",
        tuple(given.get("tags", {}).items()),
        None if version is None else int(version),
        state,
        int(given["attempt"]) if "attempt" in given else None,
        _planned_time(given, "accepted", "ago", at),
        _planned_time(given, "available", "in", at),
        _planned_time(given, "ended", "ago", at),
        at,
    )


def moment_of(given: Mapping[str, Any], member: str, at: str, *, end: int = END) -> int:
    """Return a date-time member in milliseconds since the epoch; it is before `end`, in milliseconds too.

    Raises:
        SeedRefused: no calendar has the day, or it is out of bounds.
    """
    text = given[member]
    try:
        return moment(text, end=end)
    except ValueError as error:
        raise SeedRefused(f"{at}/{member}", f"{error}, got {text[:40]!r}") from None


def _refuse_contradiction(given: Mapping[str, Any], member: str, state: State | None, at: str) -> None:
    """Check that a time or the attempt goes together with the status and with the other times.

    Raises:
        SeedRefused: it does not; the JSON Schema cannot say so.
    """
    got = excerpt(repr(given[member]), 40)
    kind = member.rpartition("_")[0]
    if state is None:
        text = "expected a status beside it, got none"
    elif member == "attempt" and state is State.QUEUED:
        text = f"expected no attempt of an action that is queued, got {got}"
    elif kind == "ended" and state not in TERMINAL:
        text = f"expected the status of an action that has ended beside it, got {state.value}"
    elif kind == "available" and (state in TERMINAL or state in (State.QUEUED, State.DISPATCH_WAIT)):
        text = f"expected the status of an action that waits for a time beside it, got {state.value}"
    elif member == "accepted_ago" and not given.get("ended_ago", 0) <= given[member]:
        text = f"expected at least {given['ended_ago']}, as it ended then, got {got}"
    elif member == "accepted_ago" and state not in TERMINAL and given[member] * SECOND >= LIFETIME:
        text = f"expected seconds below {LIFETIME // SECOND}, as an action that is open is younger, got {got}"
    elif member.endswith("_at") and {f"{kind}_ago", f"{kind}_in"} & given.keys():
        text = f"expected {kind} once, got it in seconds too"
    else:
        return
    raise SeedRefused(f"{at}/{member}", text)


def _planned_time(given: Mapping[str, Any], kind: str, relative: str, at: str) -> PlannedTime | None:
    """The time `<kind>_ago` or `<kind>_in`, whichever `relative` says, or `<kind>_at`; None for none of them."""
    seconds = given.get(f"{kind}_{relative}")
    if seconds is not None:
        return PlannedTime(round(seconds * SECOND) * (1 if relative == "in" else -1))
    if f"{kind}_at" in given:
        return PlannedTime(moment_of(given, f"{kind}_at", at), absolute=True)
    return None
