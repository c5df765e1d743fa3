"""What a signal of an attempt may be answered with: who holds the lease of an action, and which attempts are over."""

from __future__ import annotations

from typing import Final, Literal

from ..core.findings import Breach
from .world import IN_FORCE, LONG_ID, Action, Model

TRUSTED_LEASE: Final = 60.0
"""Seconds of a granted lease that no interpretation shortens; the action's own timeout is not known (B136)."""

SURELY_GRANTED: Final = 300
"""Seconds that may be asked for; a deadline beyond the action's own timeout may be refused (B136)."""

Signal = Literal["modack", "ack", "nack", "defer"]


def signal(
    model: Model,
    kind: Signal,
    org: str,
    number: str,
    attempt: int,
    status: int,
    call: float,
    back: float,
    *,
    seconds: int = 0,
    final: bool = False,
    far: bool = False,
) -> list[Breach]:
    """A signal with a good key and a valid body was sent at `call` and answered at `back`.

    A nack may be `final`, or ask for a time that is far away.
    """
    action = model.actions.get((org, number))
    accepted = 200 <= status < 300
    if action is None:
        return _nobodys(model, kind, org, number, accepted, status)
    if not (number.isascii() and number.isdigit()):
        return []
    model.tested.append("ING-12")
    if action.ended:
        return _after_the_end(model, kind, action, accepted, status)
    if kind == "modack":
        return _modack(model, action, attempt, status, call, back, seconds)
    return _settled(model, kind, action, attempt, accepted, back, final=final, far=far)


def _nobodys(model: Model, kind: Signal, org: str, number: str, accepted: bool, status: int) -> list[Breach]:
    if (org, number.lstrip("0")) in model.bare:
        return model.note("noughts before an id", "overlooked" if accepted else "told apart")
    theirs = any((one, number) in model.actions for one in model.organisations - {org})
    if number in model.seen and not theirs:
        return []
    if len(number) < LONG_ID and not (theirs and model.one_count):
        return []
    model.tested.append("LEASE-6")
    whose = "of another organisation" if theirs else "that was never issued"
    verb = "extended" if kind == "modack" else f"settled by {kind}" if kind != "defer" else "deferred"
    if not accepted:
        return []
    return [Breach("LEASE-6", f"An id {whose} is {verb}", "404", str(status), "id")]


def _after_the_end(model: Model, kind: Signal, action: Action, accepted: bool, status: int) -> list[Breach]:
    if kind == "ack" and action.acked:
        return model.note("a second ack", "accepted" if accepted else "refused")
    model.tested.append("LIFE-9")
    if not accepted:
        return []
    title = f"An action that has ended takes {'an' if kind == 'ack' else 'a'} {kind}"
    return [Breach("LIFE-9", title, "409", str(status), kind)]


def _modack(
    model: Model, action: Action, attempt: int, status: int, call: float, back: float, seconds: int
) -> list[Breach]:
    extended = 200 <= status < 300
    if seconds > SURELY_GRANTED and not extended:
        return []
    if not extended and status == 404 and action.attempt is None and call < action.since + IN_FORCE:
        return []
    breaches = _past(model, action, attempt, status) or _too_soon(model, action, attempt, status)
    held = action.unattended and action.attempt is not None
    left = action.leased_until - back if held else 0.0
    if not breaches and attempt >= action.lowest and left > 1:
        breaches = _held(model, action, attempt, status, left)
    if extended and not breaches:
        breaches = _extended(model, action, attempt, call, back, seconds)
    elif action.attempt is None and attempt == action.lowest == 0 and status == 409 and action.unattended:
        model.note("delivery", "not at once")
    return breaches


def _extended(
    model: Model, action: Action, attempt: int, call: float, back: float, seconds: int
) -> list[Breach]:
    breaches = model.note("delivery", "at once")
    over = action.attempt is not None and action.over_at is not None and call > action.over_at + 0.2
    if over and attempt == (action.attempt or 0) + 1:
        breaches += model.note("mod_ack counts from", "now")
    action.attempt, action.lowest, action.refused = attempt, attempt, False
    action.leased_until = call + min(seconds, TRUSTED_LEASE)
    action.over_at = back + seconds
    return breaches


def _too_soon(model: Model, action: Action, attempt: int, status: int) -> list[Breach]:
    """The next attempt of a deferred action never begins, that of a scheduled one not yet."""
    if attempt <= (action.attempt or 0) and not action.waits:
        return []
    rule = "LIFE-11" if action.deferred else "LIFE-7" if action.waits else ""
    model.tested += [rule] if rule else []
    if not rule or not 200 <= status < 300:
        return []
    title = f"Attempt {attempt} of a {'deferred' if action.deferred else 'scheduled'} action has begun"
    return [Breach(rule, title, "409", str(status))]


def _past(model: Model, action: Action, attempt: int, status: int) -> list[Breach]:
    """An attempt below one that has begun, or that was given back, stays over."""
    if attempt >= action.lowest:
        return []
    model.tested += ["LEASE-3", "LEASE-7"]
    if 200 <= status < 300:
        title = f"Attempt {attempt} is extended although it is over"
        return [Breach("LEASE-3", title, "409", str(status))]
    return model.note("an attempt that is over", str(status)) if status in (404, 409) else []


def _held(model: Model, action: Action, attempt: int, status: int, left: float) -> list[Breach]:
    """An attempt is known to hold the lease for `left` seconds more.

    A refusal of that attempt alone accuses nobody, as a default sink may have settled the action (Q23); that
    another attempt goes on instead does.
    """
    extended = 200 <= status < 300
    if attempt == action.attempt:
        model.tested += ["ING-11", "LEASE-8", "PAGE-11"]
        action.refused = not extended
        if status == 404:
            title = "An action whose lease was extended is not known"
            return [Breach("ING-11", title, "200 or 409", "404")]
        if status == 400:
            title = "A modack that was accepted before is refused as a bad request"
            return [Breach("PAGE-11", title, "200 or 409", "400")]
        return []
    model.tested += ["LEASE-3", "LEASE-7"]
    if not extended:
        if status == 400:
            title = "An attempt that the page allows is refused as a bad request"
            return [Breach("PAGE-11", title, "409", "400", "attempt")]
        return model.note("an attempt that has not begun", str(status)) if status in (404, 409) else []
    if action.refused:
        title = (
            f"Attempt {attempt} is the current one although attempt {action.attempt} has {left:.0f} s left"
        )
        return [Breach("LEASE-8", title, f"attempt {action.attempt} extended", f"attempt {attempt} extended")]
    title = f"Attempt {attempt} is extended while attempt {action.attempt} holds the lease"
    return [Breach("LEASE-3", title, "409", str(status))]


def _settled(
    model: Model,
    kind: Signal,
    action: Action,
    attempt: int,
    accepted: bool,
    back: float,
    *,
    final: bool,
    far: bool,
) -> list[Breach]:
    """An ack, nack or defer of an action that has not ended as far as is known."""
    held = action.unattended and action.attempt is not None and action.leased_until - back > 1
    if attempt < action.lowest or (held and attempt != action.attempt):
        model.tested.append("LEASE-3")
        if accepted:
            title = f"Attempt {attempt}, which is not the current one, is taken by {kind}"
            return [Breach("LEASE-3", title, "409", "200", kind)]
        return []
    if not accepted:
        if kind == "nack" and action.deferred:
            return model.note("a nack after a defer", "refused")
        return []
    if kind == "defer":
        action.deferred, action.attempt = True, attempt
    elif kind == "nack" and action.deferred:
        return model.note("a nack after a defer", "accepted without effect")
    elif kind == "ack" or final:
        action.ended, action.acked = True, kind == "ack"
    else:
        action.lowest, action.attempt, action.leased_until = attempt + 1, None, 0.0
        action.waits = far
    return []


__all__ = ["Signal", "signal"]
