"""Leases: which attempt is held, for how long, and what ends an attempt or its action."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from ...core.exchange import Exchange
from ...core.findings import Breach
from ...model.world import FAR_BEYOND, UNIQUE_ID_DIGITS
from ..api import Api, are_counted, id_as_number
from ..requests import NotReached, answered
from .scenario import scenario

_SHORT = 1.7
"""Seconds after which a lease of one second is over, and the next attempt has had the time to begin."""


@scenario("only the current attempt", "LEASE-3", "LEASE-7", "LEASE-8")
def attempts(api: Api) -> None:
    """Extend other attempts than the current one; they are refused, and the current one goes on all the same."""
    number = api.live()
    held = api.held_attempt(number)
    api.modack(number, held, 300)
    for other in (held + 1, held + 5, 2**31 - 1):
        api.modack(number, other, 300)
    api.modack(number, held, 300)
    api.modack(number, held, 60)


@scenario("ids that were never issued", "LEASE-6", "LEASE-9", "READ-1")
def unknown_ids(api: Api) -> None:
    """Extend actions that were never created, with long and short ids, beside a live one."""
    number = api.live()
    for _ in range(3):
        api.modack(str(api.random.randrange(10**17, 10**18)))
    _extend_beyond_the_counter(api, number)
    api.modack(f"{number}0" if len(number) > 12 else "9" * 30)
    api.modack(f"00{number}", api.held_attempt(number), 300)
    api.modack(number, api.held_attempt(number), 300)


def _extend_beyond_the_counter(api: Api, number: str) -> None:
    """Extend an action that a target with short ids has not come to: ids are counted where the next ones are near."""
    if len(number) >= UNIQUE_ID_DIGITS or not number.isdigit():
        return
    variant = api.open_variant()
    numbers = [number, api.accept(variant), api.accept(variant)]
    api.model.ids_are_counted = are_counted(numbers)
    api.modack(f"{id_as_number(numbers[-1]) + 2 * FAR_BEYOND}")


@scenario("leases that run out", "LEASE-3", "LEASE-7", "LEASE-8")
def short_leases(api: Api) -> Iterator[float]:
    """Wait until a lease of one second is over; leases of five minutes that were granted before and after it are not."""
    extended = [api.live() for _ in range(3)]
    untouched = [api.accept(api.define()) for _ in range(3)]
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
    yield _SHORT
    for number in reversed((*before, *after, *huge)):
        _extend_held(api, number)
    goes_on = api.modack(short, held + 1, 1).is_served
    if goes_on:
        api.modack(short, held, 300)
        api.modack(short, held + 1, 1)
    _accuse_ending_modacks(api, extended, untouched[1:])
    yield _SHORT
    if goes_on:
        api.modack(short, held, 300)
        api.modack(short, held + 2, 300)
    if api.modack(untouched[0], 0, 3).is_served:
        _extend_held(api, untouched[0])


_HUGE = (2**31, 2**32, 2**32 + 1, 2**53, 2**63 - 1)
"""Seconds of which programs with 32 or 64 bits keep only a part."""


def _extend_held(api: Api, number: str, *, steps: int = 1) -> None:
    """Extend the attempt that is held; if that is refused, ask whether one of the next `steps` goes on instead."""
    mine = api.held_attempt(number)
    if api.modack(number, mine, 300).status == 409:
        _extend_next(api, number, mine, steps=steps)


def _extend_next(api: Api, number: str, attempt: int, *, steps: int = 1) -> bool:
    """Extend the first of the next `steps` attempts that can be extended, and say whether there was one."""
    return any(api.modack(number, attempt + step, 300).is_served for step in range(1, steps + 1))


def _accuse_ending_modacks(api: Api, extended: list[str], untouched: list[str]) -> None:
    """Accuse the target if actions that were extended once are over, and others that were left alone as long are not."""
    api.judge.ledger.tested["LEASE-8"] += 1
    again = [api.modack(number, api.held_attempt(number), 300) for number in extended]
    if not _all_refused(again):
        return
    alive = [api.modack(number, 0, 300) for number in untouched]
    further = [api.modack(number, 1, 300) for number in extended]
    if all(one.is_served for one in alive) and _all_refused(further):
        breach = Breach(
            "LEASE-8",
            "An action that was extended by five minutes is over at once",
            "attempt 0 extended again, as it is with actions that were not extended",
            "409 for attempts 0 and 1",
        )
        api.accusations.accuse(breach, tuple(api.exchanges))


def _all_refused(modacks: list[Exchange]) -> bool:
    """Say whether the application says of each of these that its attempt is not the current one."""
    return all(one.status == 409 and one.has_envelope for one in modacks)


@scenario("leases of the length that every destination has", "LEASE-3", "LEASE-7", "LEASE-8")
def long_leases(api: Api) -> Iterator[float]:
    """Wait until leases of a minute are over: two that were extended are held, and two others have a next attempt.

    Two of each are waited for at once, as a second wait would take too long: what both show is confirmed. Where leases are
    shorter than a minute, several attempts have begun and ended meanwhile; so the held ones are looked at while an extension
    of before certainly holds, and again when the leases of a minute would be over without it.
    """
    held, ended = [api.live(), api.live()], [api.live(), api.live()]
    for number in held:
        api.modack(number, api.held_attempt(number), 300)
    for number in ended:
        api.modack(number, api.held_attempt(number), 1)
    before = [api.held_attempt(number) for number in ended]
    began = api.client.now()
    yield _FIRST_LOOK * api.policy.lease_wait
    for number in held:
        _extend_held(api, number, steps=_MOST_ATTEMPTS)
    yield max(0.0, began + api.policy.lease_wait - api.client.now())
    for number, attempt in zip(ended, before, strict=True):
        if _extend_next(api, number, attempt, steps=_MOST_ATTEMPTS):
            api.modack(number, attempt, 300)
    for number in held:
        _extend_held(api, number, steps=_MOST_ATTEMPTS)


_FIRST_LOOK = 0.45
"""Share of the wait after which leases are looked at first: 34 of 75 seconds, so that leases of 30 s are over, and those that an
extension holds for a minute at least (B136) are not."""
_MOST_ATTEMPTS = 8
"""Attempts that may have begun meanwhile: leases of ten seconds in 75."""


@scenario("what ends an action", "LIFE-9", "LEASE-3", "LEASE-6", "RACE-1", "READ-1")
def settling(api: Api) -> None:
    """Ack an action, then send every signal again: where acks are offered, they end it as the guides say (B127)."""
    number = api.live()
    held = api.held_attempt(number)
    _require_offered(api, api.signal("ack", number, held))
    api.modack(number, held, 300)
    api.signal("nack", number, held)
    api.signal("defer", number, held)
    api.signal("ack", number, held)


@scenario("who may end an action", "LEASE-3", "LEASE-6")
def settling_others(api: Api) -> None:
    """Send signals for another attempt, from another organisation, and for actions that were never created."""
    for kind in ("ack", "nack", "defer"):
        _require_offered(api, api.signal(kind, str(api.random.randrange(10**17, 10**18))), unknown=True)
        other = api.live()
        if api.requests.two_organisations and len(other) >= 12:
            api.signal(kind, other, api.held_attempt(other), org=1)
        api.signal(kind, other, api.held_attempt(other) + 1)
        api.modack(other, api.held_attempt(other), 300)


@scenario("what a nack ends", "LIFE-7", "LIFE-9", "LEASE-3")
def rejected(api: Api) -> Iterator[float]:
    """Nack attempts: without a retry that ends the action, with one it ends the attempt (B128, B129, B130)."""
    ended = []
    all_terms: tuple[dict[str, Any], ...] = (
        {"retry": False},
        {},
        {"retry_at": (int(api.client.clock.unix_time()) // _DAY + 2) * _DAY},
    )
    for terms in all_terms:
        number = api.live()
        held = api.held_attempt(number)
        _require_offered(api, api.signal("nack", number, held, terms=terms))
        api.modack(number, held, 300)
        ended += [(number, held + 1)] if terms else []
    yield _SHORT
    for number, attempt in ended:
        api.modack(number, attempt, 300)


@scenario("what a defer holds", "LIFE-9", "LIFE-11", "READ-1")
def deferred(api: Api) -> Iterator[float]:
    """Defer attempts: each stays the current one until it is acked or its lease is over (B141, B142, B144)."""
    number, waiting = api.live(), api.live()
    held = api.held_attempt(number)
    _require_offered(api, api.signal("defer", number, held))
    api.modack(number, held, 300)
    api.modack(number, held + 1, 300)
    api.signal("ack", number, held)
    api.modack(number, held, 300)
    held = api.held_attempt(waiting)
    api.signal("defer", waiting, held)
    api.modack(waiting, held, 1)
    yield _SHORT
    api.modack(waiting, held + 1, 300)


@scenario("a nack after a defer", "LIFE-13", "READ-1")
def given_back(api: Api) -> None:
    """Nack one of two deferred attempts: it is no rejection, and the attempt goes on as without it (B143)."""
    pairs = []
    for _ in range(2):
        kept, given = api.live(), api.live()
        for number in (kept, given):
            _require_offered(api, api.signal("defer", number, api.held_attempt(number)))
        nacked = api.signal("nack", given, api.held_attempt(given))
        again = [api.modack(number, api.held_attempt(number), 300) for number in (kept, given)]
        pairs.append((nacked.status, again[0].is_served, _all_refused(again[1:])))
    api.judge.ledger.tested["LIFE-13"] += 1
    if all(kept and given for _, kept, given in pairs):
        breach = Breach(
            "LIFE-13",
            "A deferred action is over after a nack",
            "extended still, as without the nack",
            f"the nack answered with {pairs[-1][0]}, and the extension with 409",
        )
        api.accusations.accuse(breach, api.judge.history(again[1]))


def _require_offered(api: Api, exchange: Exchange, *, unknown: bool = False) -> None:
    """Go on only where a signal is offered; `unknown`: the action was never created, so that a 404 is its answer.

    Raises:
        NotReached: the signal was not taken, or is not offered.
    """
    if exchange.status in _NO_ROUTE and not (unknown and exchange.status == 404):
        operation = f"{exchange.method} {_path(exchange)}"
        api.context.learned.note_not_offered(operation)
        raise NotReached(f"the target does not offer {operation}")
    if not unknown and not exchange.is_served:
        raise NotReached(f"{_path(exchange)} of a held attempt {answered(exchange)}")


def _path(exchange: Exchange) -> str:
    return urlsplit(exchange.url).path


_NO_ROUTE = (404, 405, 501)
"""Statuses of an operation that a target does not have."""
_DAY = 86_400
"""Seconds of a day: a time to retry at is the begin of one, so that it stays the same when it is replayed."""

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
