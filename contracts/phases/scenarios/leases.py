"""Leases: who holds an attempt, for how long, and what ends it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from ...core.exchange import Exchange
from ...core.findings import Breach
from ..api import Api
from ..requests import NotReached
from .scenario import scenario

SHORT = 1.7
"""Seconds after which a lease of one second is over, and the next attempt had time to begin."""


@scenario("only the current attempt", "LEASE-3", "LEASE-7", "LEASE-8")
def attempts(api: Api) -> None:
    """Others are refused, and the current one goes on all the same."""
    number = api.live()
    held = api.held_attempt(number)
    api.modack(number, held, 300)
    for other in (held + 1, held + 5, 2**31 - 1):
        api.modack(number, other, 300)
    api.modack(number, held, 300)
    api.modack(number, held, 60)


@scenario("ids that were never issued", "LEASE-6", "LEASE-9", "READ-1")
def unknown_ids(api: Api) -> None:
    """Long and short ones, beside live actions."""
    number = api.live()
    for _ in range(3):
        api.modack(str(api.random.randrange(10**17, 10**18)))
    api.modack(f"{number}0" if len(number) > 12 else "9" * 30)
    api.modack(f"00{number}", api.held_attempt(number), 300)
    api.modack(number, api.held_attempt(number), 300)


@scenario("leases that run out", "LEASE-3", "LEASE-7", "LEASE-8")
def short_leases(api: Api) -> Iterator[float]:
    """A lease of a second ends, and those of five minutes that were granted before and after do not."""
    calm = [api.live() for _ in range(3)]
    fresh = [api.accept(api.define()) for _ in range(3)]
    before, short, after = (
        [api.live(), api.live()],
        api.live(),
        [api.live(), api.live()],
    )
    huge = [api.live() for _ in _HUGE]
    for number, seconds in zip(huge, _HUGE, strict=True):
        api.modack(number, api.held_attempt(number), seconds)
    held = api.held_attempt(short)
    api.modack(short, held, 1)
    yield SHORT
    for number in reversed((*before, *after, *huge)):
        _still_held(api, number)
    goes_on = api.modack(short, held + 1, 1).status == 200
    if goes_on:
        api.modack(short, held, 300)
        api.modack(short, held + 1, 1)
    _ended_by_modack(api, calm, fresh[1:])
    yield SHORT
    if goes_on:
        api.modack(short, held, 300)
        api.modack(short, held + 2, 300)
    if api.modack(fresh[0], 0, 3).status == 200:
        _still_held(api, fresh[0])


_HUGE = (2**31, 2**32, 2**32 + 1, 2**53, 2**63 - 1)
"""Seconds of which some programs keep a part."""


def _still_held(api: Api, number: str) -> None:
    """Extend what is held; when that is refused, ask whether another attempt goes on instead."""
    mine = api.held_attempt(number)
    if api.modack(number, mine, 300).status == 409:
        api.modack(number, mine + 1, 300)


def _ended_by_modack(api: Api, touched: list[str], untouched: list[str]) -> None:
    """Actions that were extended once are over, and those that nobody touched as long are not: a modack ends them."""
    api.judge.ledger.tested["LEASE-8"] += 1
    again = [api.modack(number, api.held_attempt(number), 300).status for number in touched]
    if set(again) != {409}:
        return
    alive = [api.modack(number, 0, 300).status for number in untouched]
    further = [api.modack(number, 1, 300).status for number in touched]
    if set(alive) == {200} and set(further) == {409}:
        breach = Breach(
            "LEASE-8",
            "An action that was extended by five minutes is over at once",
            "attempt 0 extended again, as it is with actions that were not extended",
            "409 for attempts 0 and 1",
        )
        api.accusations.accuse(breach, tuple(api.exchanges))


@scenario("leases of the length that every destination has", "LEASE-3", "LEASE-7", "LEASE-8")
def long_leases(api: Api) -> Iterator[float]:
    """What was extended is held, and what was not goes on to the next attempt: of each two, as nobody waits again."""
    held, left = [api.live(), api.live()], [api.live(), api.live()]
    for number in held:
        api.modack(number, api.held_attempt(number), 300)
    for number in left:
        api.modack(number, api.held_attempt(number), 1)
    before = [api.held_attempt(number) for number in left]
    yield api.policy.lease_wait
    for number, attempt in zip(left, before, strict=True):
        if api.modack(number, attempt + 1, 300).status == 200:
            api.modack(number, attempt, 300)
    for number in held:
        _still_held(api, number)


@scenario("what ends an action", "LIFE-9", "LEASE-3", "LEASE-6", "RACE-1", "READ-1")
def settling(api: Api) -> None:
    """Ack, nack and defer are documented in guides: where they are offered, they do what the guides say."""
    number = api.live()
    held = api.held_attempt(number)
    _needed(api, api.signal("ack", number, held))
    api.modack(number, held, 300)
    api.signal("nack", number, held)
    api.signal("defer", number, held)
    api.signal("ack", number, held)


@scenario("who may end an action", "LEASE-3", "LEASE-6")
def settling_others(api: Api) -> None:
    """Neither whoever has another attempt, nor another organisation, nor anybody what was never issued."""
    for kind in ("ack", "nack", "defer"):
        _needed(api, api.signal(kind, str(api.random.randrange(10**17, 10**18))), unknown=True)
        other = api.live()
        if api.requests.two_organisations and len(other) >= 12:
            api.signal(kind, other, api.held_attempt(other), org=1)
        api.signal(kind, other, api.held_attempt(other) + 1)
        api.modack(other, api.held_attempt(other), 300)


@scenario("what a nack ends", "LIFE-7", "LIFE-9", "LEASE-3")
def rejected(api: Api) -> Iterator[float]:
    """One that may not be retried ends the action, one that may ends the attempt (B128, B129, B130)."""
    later = []
    asked: tuple[dict[str, Any], ...] = (
        {"retry": False},
        {},
        {"retry_at": (int(time.time()) // _DAY + 2) * _DAY},
    )
    for terms in asked:
        number = api.live()
        held = api.held_attempt(number)
        _needed(api, api.signal("nack", number, held, terms=terms))
        api.modack(number, held, 300)
        later += [(number, held + 1)] if terms else []
    yield SHORT
    for number, attempt in later:
        api.modack(number, attempt, 300)


@scenario("what a defer holds", "LIFE-9", "LIFE-11", "READ-1")
def deferred(api: Api) -> Iterator[float]:
    """A deferred attempt stays the current one until it is acked or its lease is over (B141, B142, B144)."""
    number, left = api.live(), api.live()
    held = api.held_attempt(number)
    _needed(api, api.signal("defer", number, held))
    api.modack(number, held, 300)
    api.modack(number, held + 1, 300)
    api.signal("ack", number, held)
    api.modack(number, held, 300)
    held = api.held_attempt(left)
    api.signal("defer", left, held)
    api.modack(left, held, 1)
    yield SHORT
    api.modack(left, held + 1, 300)


@scenario("a nack after a defer", "LIFE-13", "READ-1")
def given_back(api: Api) -> None:
    """It is no rejection (B143): the attempt goes on as if it had not been sent."""
    pairs = []
    for _ in range(2):
        plain, given = api.live(), api.live()
        for number in (plain, given):
            _needed(api, api.signal("defer", number, api.held_attempt(number)))
        nacked = api.signal("nack", given, api.held_attempt(given))
        again = [api.modack(number, api.held_attempt(number), 300) for number in (plain, given)]
        pairs.append((nacked.status, again[0].status, again[1].status))
    api.judge.ledger.tested["LIFE-13"] += 1
    if all(plain == 200 and given == 409 for _, plain, given in pairs):
        breach = Breach(
            "LIFE-13",
            "A deferred action is over after a nack",
            "extended still, as without the nack",
            f"the nack answered with {pairs[-1][0]}, and the extension with 409",
        )
        api.accusations.accuse(breach, api.judge.history(again[1]))


def _needed(api: Api, exchange: Exchange, *, unknown: bool = False) -> None:
    """Go on only where a signal is offered.

    Raises:
        NotReached: it was not taken; of something unknown: no application has answered it.
    """
    if exchange.status in _NO_ROUTE and not (unknown and exchange.status == 404):
        operation = f"{exchange.method} {_path(exchange)}"
        api.context.learned.note_not_offered(operation)
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
