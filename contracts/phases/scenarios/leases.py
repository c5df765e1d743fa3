"""Leases: who holds an attempt, for how long, and what ends it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from ...core.exchange import Exchange
from ...core.findings import Breach
from ..requests import NotReached
from ..sequence import Stage
from .scenario import scenario

SHORT = 1.7
"""Seconds after which a lease of one second is over, and the next attempt had time to begin."""


@scenario("only the current attempt", "LEASE-3", "LEASE-7", "LEASE-8")
def attempts(stage: Stage) -> None:
    """Others are refused, and the current one goes on all the same."""
    number = stage.live()
    held = stage.attempt_of(number)
    stage.modack(number, held, 300)
    for other in (held + 1, held + 5, 2**31 - 1):
        stage.modack(number, other, 300)
    stage.modack(number, held, 300)
    stage.modack(number, held, 60)


@scenario("ids that were never issued", "LEASE-6", "LEASE-9", "READ-1")
def unknown_ids(stage: Stage) -> None:
    """Long and short ones, beside live actions."""
    number = stage.live()
    for _ in range(3):
        stage.modack(str(stage.random.randrange(10**17, 10**18)))
    stage.modack(f"{number}0" if len(number) > 12 else "9" * 30)
    stage.modack(f"00{number}", stage.attempt_of(number), 300)
    stage.modack(number, stage.attempt_of(number), 300)


@scenario("leases that run out", "LEASE-3", "LEASE-7", "LEASE-8")
def short_leases(stage: Stage) -> Iterator[float]:
    """A lease of a second ends, and those of five minutes that were granted before and after do not."""
    calm = [stage.live() for _ in range(3)]
    fresh = [stage.accept(stage.define()) for _ in range(3)]
    before, short, after = [stage.live(), stage.live()], stage.live(), [stage.live(), stage.live()]
    huge = [stage.live() for _ in _HUGE]
    for number, seconds in zip(huge, _HUGE, strict=True):
        stage.modack(number, stage.attempt_of(number), seconds)
    held = stage.attempt_of(short)
    stage.modack(short, held, 1)
    yield SHORT
    for number in reversed((*before, *after, *huge)):
        _still_held(stage, number)
    goes_on = stage.modack(short, held + 1, 1).status == 200
    if goes_on:
        stage.modack(short, held, 300)
        stage.modack(short, held + 1, 1)
    _ended_by_modack(stage, calm, fresh[1:])
    yield SHORT
    if goes_on:
        stage.modack(short, held, 300)
        stage.modack(short, held + 2, 300)
    if stage.modack(fresh[0], 0, 3).status == 200:
        _still_held(stage, fresh[0])


_HUGE = (2**31, 2**32, 2**32 + 1, 2**53, 2**63 - 1)
"""Seconds of which some programs keep a part."""


def _still_held(stage: Stage, number: str) -> None:
    """Extend what is held; when that is refused, ask whether another attempt goes on instead."""
    mine = stage.attempt_of(number)
    if stage.modack(number, mine, 300).status == 409:
        stage.modack(number, mine + 1, 300)


def _ended_by_modack(stage: Stage, touched: list[str], untouched: list[str]) -> None:
    """Actions that were extended once are over, and those that nobody touched as long are not: a modack ends them."""
    stage.judge.ledger.tested["LEASE-8"] += 1
    again = [stage.modack(number, stage.attempt_of(number), 300).status for number in touched]
    if set(again) != {409}:
        return
    alive = [stage.modack(number, 0, 300).status for number in untouched]
    further = [stage.modack(number, 1, 300).status for number in touched]
    if set(alive) == {200} and set(further) == {409}:
        breach = Breach(
            "LEASE-8",
            "An action that was extended by five minutes is over at once",
            "attempt 0 extended again, as it is with actions that were not extended",
            "409 for attempts 0 and 1",
        )
        stage.accuse(breach, tuple(stage.exchanges))


@scenario("leases of the length that every destination has", "LEASE-3", "LEASE-7", "LEASE-8")
def long_leases(stage: Stage) -> Iterator[float]:
    """What was extended is held, and what was not goes on to the next attempt: of each two, as nobody waits again."""
    held, left = [stage.live(), stage.live()], [stage.live(), stage.live()]
    for number in held:
        stage.modack(number, stage.attempt_of(number), 300)
    for number in left:
        stage.modack(number, stage.attempt_of(number), 1)
    before = [stage.attempt_of(number) for number in left]
    yield stage.long
    for number, attempt in zip(left, before, strict=True):
        if stage.modack(number, attempt + 1, 300).status == 200:
            stage.modack(number, attempt, 300)
    for number in held:
        _still_held(stage, number)


@scenario("what ends an action", "LIFE-9", "LEASE-3", "LEASE-6", "RACE-1", "READ-1")
def settling(stage: Stage) -> None:
    """Ack, nack and defer are documented in guides: where they are offered, they do what the guides say."""
    number = stage.live()
    held = stage.attempt_of(number)
    _needed(stage, stage.signal("ack", number, held))
    stage.modack(number, held, 300)
    stage.signal("nack", number, held)
    stage.signal("defer", number, held)
    stage.signal("ack", number, held)


@scenario("who may end an action", "LEASE-3", "LEASE-6")
def settling_others(stage: Stage) -> None:
    """Neither whoever has another attempt, nor another organisation, nor anybody what was never issued."""
    for kind in ("ack", "nack", "defer"):
        _needed(stage, stage.signal(kind, str(stage.random.randrange(10**17, 10**18))), unknown=True)
        other = stage.live()
        if stage.two and len(other) >= 12:
            stage.signal(kind, other, stage.attempt_of(other), org=1)
        stage.signal(kind, other, stage.attempt_of(other) + 1)
        stage.modack(other, stage.attempt_of(other), 300)


@scenario("what a nack ends", "LIFE-7", "LIFE-9", "LEASE-3")
def rejected(stage: Stage) -> Iterator[float]:
    """One that may not be retried ends the action, one that may ends the attempt (B128, B129, B130)."""
    later = []
    asked: tuple[dict[str, Any], ...] = (
        {"retry": False},
        {},
        {"retry_at": (int(time.time()) // _DAY + 2) * _DAY},
    )
    for terms in asked:
        number = stage.live()
        held = stage.attempt_of(number)
        _needed(stage, stage.signal("nack", number, held, terms=terms))
        stage.modack(number, held, 300)
        later += [(number, held + 1)] if terms else []
    yield SHORT
    for number, attempt in later:
        stage.modack(number, attempt, 300)


@scenario("what a defer holds", "LIFE-9", "LIFE-11", "READ-1")
def deferred(stage: Stage) -> Iterator[float]:
    """A deferred attempt stays the current one until it is acked or its lease is over (B141, B142, B144)."""
    number, left = stage.live(), stage.live()
    held = stage.attempt_of(number)
    _needed(stage, stage.signal("defer", number, held))
    stage.modack(number, held, 300)
    stage.modack(number, held + 1, 300)
    stage.signal("ack", number, held)
    stage.modack(number, held, 300)
    held = stage.attempt_of(left)
    stage.signal("defer", left, held)
    stage.modack(left, held, 1)
    yield SHORT
    stage.modack(left, held + 1, 300)


@scenario("a nack after a defer", "LIFE-13", "READ-1")
def given_back(stage: Stage) -> None:
    """It is no rejection (B143): the attempt goes on as if it had not been sent."""
    pairs = []
    for _ in range(2):
        plain, given = stage.live(), stage.live()
        for number in (plain, given):
            _needed(stage, stage.signal("defer", number, stage.attempt_of(number)))
        nacked = stage.signal("nack", given, stage.attempt_of(given))
        again = [stage.modack(number, stage.attempt_of(number), 300) for number in (plain, given)]
        pairs.append((nacked.status, again[0].status, again[1].status))
    stage.judge.ledger.tested["LIFE-13"] += 1
    if all(plain == 200 and given == 409 for _, plain, given in pairs):
        breach = Breach(
            "LIFE-13",
            "A deferred action is over after a nack",
            "extended still, as without the nack",
            f"the nack answered with {pairs[-1][0]}, and the extension with 409",
        )
        stage.accuse(breach, stage.judge.origins.history(again[1]))


def _needed(stage: Stage, exchange: Exchange, *, unknown: bool = False) -> None:
    """Go on only where a signal is offered.

    Raises:
        NotReached: it was not taken; of something unknown: no application has answered it.
    """
    if exchange.status in _NO_ROUTE and not (unknown and exchange.status == 404):
        operation = f"{exchange.method} {_path(exchange)}"
        stage.known.not_offered.add(operation)
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
