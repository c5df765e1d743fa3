"""What a signal of an attempt may be answered with: which attempt holds the lease of an action, and which are over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from ..core.findings import Breach
from .world import UNIQUE_ID_DIGITS, Action, Model

TRUSTED_LEASE: Final = 60.0
"""Seconds of a granted lease that no interpretation shortens; the action's own timeout is not known (B136)."""

SURELY_GRANTED: Final = 300
"""Seconds that may be asked for; a deadline beyond the action's own timeout may be refused (B136)."""

_SHORTEST_LIMIT: Final = 9
"""Digits that every program reads of an id: it may keep ids as integers of 32 bits."""

_CLEARLY_LEFT: Final = 1.0
"""Seconds of a lease that have to be left before it is counted on: clocks and networks are not exact."""
_CLEARLY_OVER: Final = 0.2
"""Seconds after its end from which on a lease is taken to be over."""

Kind = Literal["modack", "ack", "nack", "defer"]


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal with a good key and a valid body, and its answer."""

    kind: Kind
    org: str
    number: str
    """The id of its action."""
    attempt: int
    status: int
    call: float
    """When it was sent."""
    back: float
    """When it was answered."""
    seconds: int = 0
    """The lease that a modack asks for."""
    final: bool = False
    """A nack rejects the action for good."""
    far: bool = False
    """A nack asks for a time that is far away."""

    @property
    def accepted(self) -> bool:
        """Whether it was accepted."""
        return 200 <= self.status < 300


def follow(model: Model, signal: Signal) -> list[Breach]:
    """Follow a signal; return the breaches."""
    action = model.actions.get((signal.org, signal.number))
    if action is None:
        return _unknown_action(model, signal)
    if not (signal.number.isascii() and signal.number.isdigit()):
        return []
    model.mark_tested("ING-12")
    if action.ended:
        return _ended_action(model, action, signal)
    if signal.kind == "modack":
        return _modack(model, action, signal)
    return _settlement(model, action, signal)


def _change(model: Model, signal: Signal, **members: Any) -> None:
    """Change what is known of the action of a signal."""
    place = signal.org, signal.number
    model.actions[place] = replace(model.actions[place], **members)


def _unknown_action(model: Model, signal: Signal) -> list[Breach]:
    """Follow a signal for an id that the organisation was not given."""
    number, kind = signal.number, signal.kind
    if model.differs_by_zeros(signal.org, number):
        return model.note("noughts before an id", "overlooked" if signal.accepted else "told apart")
    of_another = any((one, number) in model.actions for one in model.organisations - {signal.org})
    if number in model.issued_ids and not of_another:
        return []
    if len(number) < UNIQUE_ID_DIGITS:
        known = model.ids_are_shared if of_another else model.is_beyond_the_counter(number)
        if not known:
            return []
    model.mark_tested("LEASE-6")
    whose = "of another organisation" if of_another else "that was never issued"
    if signal.accepted:
        verb = "extended" if kind == "modack" else f"settled by {kind}" if kind != "defer" else "deferred"
        return [Breach("LEASE-6", f"An id {whose} is {verb}", "404", str(signal.status), "id")]
    if kind != "modack" or not _is_for_another_cause(model, signal):
        return []
    title = f"An id {whose} is answered with {signal.status}"
    issued = model.longest_id if signal.status == 400 else ""
    return [Breach("LEASE-6", title, "404", str(signal.status), "id", fault=title, beside=issued)]


def _is_for_another_cause(model: Model, signal: Signal) -> bool:
    """Whether a modack of an unknown action is refused with the status of another cause: 409, or 400 for a valid body.

    An id that is longer than those of the target may be refused as a bad request: PAGE-16 is about such limits.
    """
    may_be_limit = len(signal.number) > max(len(model.longest_id), _SHORTEST_LIMIT)
    return signal.status == 409 or (signal.status == 400 and not may_be_limit)


def _ended_action(model: Model, action: Action, signal: Signal) -> list[Breach]:
    kind = signal.kind
    if kind == "ack" and action.acked:
        return model.note("a second ack", "accepted" if signal.accepted else "refused")
    model.mark_tested("LIFE-9")
    if not signal.accepted:
        return []
    title = f"An action that has ended takes {'an' if kind == 'ack' else 'a'} {kind}"
    return [Breach("LIFE-9", title, "409", str(signal.status), kind)]


def _modack(model: Model, action: Action, signal: Signal) -> list[Breach]:
    extended, attempt, status = signal.accepted, signal.attempt, signal.status
    if signal.seconds > SURELY_GRANTED and not extended:
        return []
    is_fresh = action.attempt is None and signal.call < action.accepted_at + model.fresh_seconds
    if not extended and status == 404 and is_fresh:
        return []
    breaches = _past_attempt(model, action, signal) or _future_attempt(model, action, signal)
    held = action.unattended and action.attempt is not None
    left = action.leased_until - signal.back if held else 0.0
    if not breaches and attempt >= action.lowest_attempt and left > _CLEARLY_LEFT:
        breaches = _held_action(model, action, signal, left)
    if extended and not breaches:
        breaches = _extended(model, action, signal)
    elif (
        action.unattended
        and action.attempt is None
        and attempt == action.lowest_attempt == 0
        and status == 409
    ):
        model.note("delivery", "not at once")
    return breaches


def _extended(model: Model, action: Action, signal: Signal) -> list[Breach]:
    """Follow a modack that was accepted and breaks nothing."""
    breaches = model.note("delivery", "at once")
    attempt, end = signal.attempt, action.lease_end_from_now
    over = action.attempt is not None and end is not None and signal.call > end + _CLEARLY_OVER
    if over and attempt == (action.attempt or 0) + 1:
        breaches += model.note("mod_ack counts from", "now")
    _change(
        model,
        signal,
        attempt=attempt,
        lowest_attempt=attempt,
        was_refused=False,
        leased_until=signal.call + min(signal.seconds, TRUSTED_LEASE),
        lease_end_from_now=signal.back + signal.seconds,
    )
    return breaches


def _future_attempt(model: Model, action: Action, signal: Signal) -> list[Breach]:
    """Check an attempt that cannot have begun: of a deferred action it never does, of a scheduled one not yet."""
    attempt = signal.attempt
    if attempt <= (action.attempt or 0) and not action.retry_is_far:
        return []
    rule = "LIFE-11" if action.deferred else "LIFE-7" if action.retry_is_far else ""
    if not rule:
        return []
    model.mark_tested(rule)
    if not signal.accepted:
        return []
    title = f"Attempt {attempt} of a {'deferred' if action.deferred else 'scheduled'} action has begun"
    return [Breach(rule, title, "409", str(signal.status))]


def _past_attempt(model: Model, action: Action, signal: Signal) -> list[Breach]:
    """Check an attempt below one that has begun, or that was given back: it stays over."""
    if signal.attempt >= action.lowest_attempt:
        return []
    model.mark_tested("LEASE-3", "LEASE-7")
    if signal.accepted:
        title = f"Attempt {signal.attempt} is extended although it is over"
        return [Breach("LEASE-3", title, "409", str(signal.status))]
    if signal.status == 400:
        title = "An attempt that the page allows is refused as a bad request"
        return [Breach("PAGE-11", title, "409", "400", "attempt")]
    if signal.status not in (404, 409):
        return []
    return model.note("an attempt that is over", str(signal.status))


def _held_action(model: Model, action: Action, signal: Signal, left: float) -> list[Breach]:
    """Check a modack while an attempt is known to hold the lease for `left` seconds more.

    A refusal of that attempt alone breaks nothing, as a default sink may have settled the action (Q23); that another
    attempt goes on instead does.
    """
    attempt, status = signal.attempt, signal.status
    if attempt == action.attempt:
        model.mark_tested("ING-11", "LEASE-8", "PAGE-11")
        _change(model, signal, was_refused=not signal.accepted)
        if status == 404:
            title = "An action whose lease was extended is not known"
            return [Breach("ING-11", title, "200 or 409", "404")]
        if status == 400:
            title = "A modack that was accepted before is refused as a bad request"
            return [Breach("PAGE-11", title, "200 or 409", "400")]
        return []
    model.mark_tested("LEASE-3", "LEASE-7")
    if not signal.accepted:
        if status == 400:
            title = "An attempt that the page allows is refused as a bad request"
            return [Breach("PAGE-11", title, "409", "400", "attempt")]
        return model.note("an attempt that has not begun", str(status)) if status in (404, 409) else []
    if action.was_refused:
        title = (
            f"Attempt {attempt} is the current one although attempt {action.attempt} has {left:.0f} s left"
        )
        return [Breach("LEASE-8", title, f"attempt {action.attempt} extended", f"attempt {attempt} extended")]
    title = f"Attempt {attempt} is extended while attempt {action.attempt} holds the lease"
    return [Breach("LEASE-3", title, "409", str(status))]


def _settlement(model: Model, action: Action, signal: Signal) -> list[Breach]:
    """Follow an ack, nack or defer of an action that is not known to have ended."""
    kind, attempt = signal.kind, signal.attempt
    left = action.leased_until - signal.back
    held = action.unattended and action.attempt is not None and left > _CLEARLY_LEFT
    if attempt < action.lowest_attempt or (held and attempt != action.attempt):
        model.mark_tested("LEASE-3")
        if signal.accepted:
            title = f"Attempt {attempt}, which is not the current one, is taken by {kind}"
            return [Breach("LEASE-3", title, "409", "200", kind)]
        return []
    if not signal.accepted:
        if kind == "nack" and action.deferred:
            return model.note("a nack after a defer", "refused")
        return []
    if kind == "defer":
        _change(model, signal, deferred=True, attempt=attempt)
    elif kind == "nack" and action.deferred:
        return model.note("a nack after a defer", "accepted without effect")
    elif kind == "ack" or signal.final:
        _change(model, signal, ended=True, acked=kind == "ack")
    else:
        _change(
            model,
            signal,
            lowest_attempt=attempt + 1,
            attempt=None,
            leased_until=0.0,
            retry_is_far=signal.far,
        )
    return []


__all__ = ["Kind", "Signal", "follow"]
