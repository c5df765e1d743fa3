"""Leases: who holds an attempt, for how long, and what ends it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from ...core.exchange import Exchange
from ...core.findings import Breach
from ..requests import NotReached
from ..sequence import CallSequence
from .scenario import scenario

SHORT = 1.7
"""Seconds after which a lease of one second is over, and the next attempt had time to begin."""


@scenario("only the current attempt", "LEASE-3", "LEASE-7", "LEASE-8")
def attempts(sequence: CallSequence) -> None:
    """Others are refused, and the current one goes on all the same."""
    number = sequence.live()
    held = sequence.attempt_of(number)
    sequence.modack(number, held, 300)
    for other in (held + 1, held + 5, 2**31 - 1):
        sequence.modack(number, other, 300)
    sequence.modack(number, held, 300)
    sequence.modack(number, held, 60)


@scenario("ids that were never issued", "LEASE-6", "LEASE-9", "READ-1")
def unknown_ids(sequence: CallSequence) -> None:
    """Long and short ones, beside live actions."""
    number = sequence.live()
    for _ in range(3):
        sequence.modack(str(sequence.random.randrange(10**17, 10**18)))
    sequence.modack(f"{number}0" if len(number) > 12 else "9" * 30)
    sequence.modack(f"00{number}", sequence.attempt_of(number), 300)
    sequence.modack(number, sequence.attempt_of(number), 300)


@scenario("leases that run out", "LEASE-3", "LEASE-7", "LEASE-8")
def short_leases(sequence: CallSequence) -> Iterator[float]:
    """A lease of a second ends, and those of five minutes that were granted before and after do not."""
    calm = [sequence.live() for _ in range(3)]
    fresh = [sequence.accept(sequence.define()) for _ in range(3)]
    before, short, after = (
        [sequence.live(), sequence.live()],
        sequence.live(),
        [sequence.live(), sequence.live()],
    )
    huge = [sequence.live() for _ in _HUGE]
    for number, seconds in zip(huge, _HUGE, strict=True):
        sequence.modack(number, sequence.attempt_of(number), seconds)
    held = sequence.attempt_of(short)
    sequence.modack(short, held, 1)
    yield SHORT
    for number in reversed((*before, *after, *huge)):
        _still_held(sequence, number)
    goes_on = sequence.modack(short, held + 1, 1).status == 200
    if goes_on:
        sequence.modack(short, held, 300)
        sequence.modack(short, held + 1, 1)
    _ended_by_modack(sequence, calm, fresh[1:])
    yield SHORT
    if goes_on:
        sequence.modack(short, held, 300)
        sequence.modack(short, held + 2, 300)
    if sequence.modack(fresh[0], 0, 3).status == 200:
        _still_held(sequence, fresh[0])


_HUGE = (2**31, 2**32, 2**32 + 1, 2**53, 2**63 - 1)
"""Seconds of which some programs keep a part."""


def _still_held(sequence: CallSequence, number: str) -> None:
    """Extend what is held; when that is refused, ask whether another attempt goes on instead."""
    mine = sequence.attempt_of(number)
    if sequence.modack(number, mine, 300).status == 409:
        sequence.modack(number, mine + 1, 300)


def _ended_by_modack(sequence: CallSequence, touched: list[str], untouched: list[str]) -> None:
    """Actions that were extended once are over, and those that nobody touched as long are not: a modack ends them."""
    sequence.judge.ledger.tested["LEASE-8"] += 1
    again = [sequence.modack(number, sequence.attempt_of(number), 300).status for number in touched]
    if set(again) != {409}:
        return
    alive = [sequence.modack(number, 0, 300).status for number in untouched]
    further = [sequence.modack(number, 1, 300).status for number in touched]
    if set(alive) == {200} and set(further) == {409}:
        breach = Breach(
            "LEASE-8",
            "An action that was extended by five minutes is over at once",
            "attempt 0 extended again, as it is with actions that were not extended",
            "409 for attempts 0 and 1",
        )
        sequence.accuse(breach, tuple(sequence.exchanges))


@scenario("leases of the length that every destination has", "LEASE-3", "LEASE-7", "LEASE-8")
def long_leases(sequence: CallSequence) -> Iterator[float]:
    """What was extended is held, and what was not goes on to the next attempt: of each two, as nobody waits again."""
    held, left = [sequence.live(), sequence.live()], [sequence.live(), sequence.live()]
    for number in held:
        sequence.modack(number, sequence.attempt_of(number), 300)
    for number in left:
        sequence.modack(number, sequence.attempt_of(number), 1)
    before = [sequence.attempt_of(number) for number in left]
    yield sequence.policy.long
    for number, attempt in zip(left, before, strict=True):
        if sequence.modack(number, attempt + 1, 300).status == 200:
            sequence.modack(number, attempt, 300)
    for number in held:
        _still_held(sequence, number)


@scenario("what ends an action", "LIFE-9", "LEASE-3", "LEASE-6", "RACE-1", "READ-1")
def settling(sequence: CallSequence) -> None:
    """Ack, nack and defer are documented in guides: where they are offered, they do what the guides say."""
    number = sequence.live()
    held = sequence.attempt_of(number)
    _needed(sequence, sequence.signal("ack", number, held))
    sequence.modack(number, held, 300)
    sequence.signal("nack", number, held)
    sequence.signal("defer", number, held)
    sequence.signal("ack", number, held)


@scenario("who may end an action", "LEASE-3", "LEASE-6")
def settling_others(sequence: CallSequence) -> None:
    """Neither whoever has another attempt, nor another organisation, nor anybody what was never issued."""
    for kind in ("ack", "nack", "defer"):
        _needed(sequence, sequence.signal(kind, str(sequence.random.randrange(10**17, 10**18))), unknown=True)
        other = sequence.live()
        if sequence.two and len(other) >= 12:
            sequence.signal(kind, other, sequence.attempt_of(other), org=1)
        sequence.signal(kind, other, sequence.attempt_of(other) + 1)
        sequence.modack(other, sequence.attempt_of(other), 300)


@scenario("what a nack ends", "LIFE-7", "LIFE-9", "LEASE-3")
def rejected(sequence: CallSequence) -> Iterator[float]:
    """One that may not be retried ends the action, one that may ends the attempt (B128, B129, B130)."""
    later = []
    asked: tuple[dict[str, Any], ...] = (
        {"retry": False},
        {},
        {"retry_at": (int(time.time()) // _DAY + 2) * _DAY},
    )
    for terms in asked:
        number = sequence.live()
        held = sequence.attempt_of(number)
        _needed(sequence, sequence.signal("nack", number, held, terms=terms))
        sequence.modack(number, held, 300)
        later += [(number, held + 1)] if terms else []
    yield SHORT
    for number, attempt in later:
        sequence.modack(number, attempt, 300)


@scenario("what a defer holds", "LIFE-9", "LIFE-11", "READ-1")
def deferred(sequence: CallSequence) -> Iterator[float]:
    """A deferred attempt stays the current one until it is acked or its lease is over (B141, B142, B144)."""
    number, left = sequence.live(), sequence.live()
    held = sequence.attempt_of(number)
    _needed(sequence, sequence.signal("defer", number, held))
    sequence.modack(number, held, 300)
    sequence.modack(number, held + 1, 300)
    sequence.signal("ack", number, held)
    sequence.modack(number, held, 300)
    held = sequence.attempt_of(left)
    sequence.signal("defer", left, held)
    sequence.modack(left, held, 1)
    yield SHORT
    sequence.modack(left, held + 1, 300)


@scenario("a nack after a defer", "LIFE-13", "READ-1")
def given_back(sequence: CallSequence) -> None:
    """It is no rejection (B143): the attempt goes on as if it had not been sent."""
    pairs = []
    for _ in range(2):
        plain, given = sequence.live(), sequence.live()
        for number in (plain, given):
            _needed(sequence, sequence.signal("defer", number, sequence.attempt_of(number)))
        nacked = sequence.signal("nack", given, sequence.attempt_of(given))
        again = [sequence.modack(number, sequence.attempt_of(number), 300) for number in (plain, given)]
        pairs.append((nacked.status, again[0].status, again[1].status))
    sequence.judge.ledger.tested["LIFE-13"] += 1
    if all(plain == 200 and given == 409 for _, plain, given in pairs):
        breach = Breach(
            "LIFE-13",
            "A deferred action is over after a nack",
            "extended still, as without the nack",
            f"the nack answered with {pairs[-1][0]}, and the extension with 409",
        )
        sequence.accuse(breach, sequence.judge.history(again[1]))


def _needed(sequence: CallSequence, exchange: Exchange, *, unknown: bool = False) -> None:
    """Go on only where a signal is offered.

    Raises:
        NotReached: it was not taken; of something unknown: no application has answered it.
    """
    if exchange.status in _NO_ROUTE and not (unknown and exchange.status == 404):
        operation = f"{exchange.method} {_path(exchange)}"
        sequence.context.learned.note_not_offered(operation)
        raise NotReached(f"the target does not offer {operation}")
    if not unknown and not 200 <= exchange.status < 300:
        raise NotReached(f"{_path(exchange)} of a held attempt is answered with {exchange.status}")


def _path(exchange: Exchange) -> str:
    return urlsplit(exchange.url).path


_NO_ROUTE = (404, 405, 501)
_DAY = 86_400

__all__ = [
    "attempts",
    "deferred",
    "given_back",
    "long_leases",
    "rejected",
    "settling",
    "settling_others",
    "short_leases",
    "unknown_ids",
]
