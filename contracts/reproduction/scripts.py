"""What the exchanges of a script say of each other: which action is asked for, and what the script itself has made."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ..checks.facts import definition_names, request_value
from ..core.digits import numbers_in
from ..core.exchange import Exchange
from ..core.findings import Finding
from ..model.world import FRESH_REFUSALS, FRESH_SECONDS

_OTHER_SCHEMA = 10_000
"""Properties that no payload of the judge has, so that the schema with this bound takes each, and is another than those put."""
_ID_DIGITS = 6
"""Digits from which on a number is taken for an id: shorter ones are versions and seconds."""


def requested_action(exchange: Exchange) -> str | None:
    """Return the id of the action that a signal is for, in ASCII digits; None when the request names none.

    In a body that is no JSON object it is the first number that is as long as an id.
    """
    value = request_value(exchange)
    if isinstance(value, dict):
        return next(numbers_in(str(value.get("action_record_id")).encode()), None)
    return next((one for one in numbers_in(exchange.body) if len(one) >= _ID_DIGITS), None)


def created_action(exchange: Exchange) -> str:
    """Return the id that the answer gives to an action, if it is made of digits; else an empty text."""
    return (exchange.issued_id or "") if 200 <= exchange.status < 300 else ""


def with_earlier_definitions(script: tuple[Exchange, ...]) -> tuple[Exchange, ...]:
    """Return a tuple: a script that puts another definition first under each name that it puts once.

    An earlier run has defined a name that is used again, so that a PUT there is an update. Where the name is new the same
    has to be made.
    """
    puts = [one for one in script if one.method == "PUT" and isinstance(request_value(one), dict)]
    names = Counter(str(request_value(one).get("variant")) for one in puts)
    earlier = []
    for one in puts:
        name = str(request_value(one).get("variant"))
        if names[name] == 1:
            body = json.dumps({"variant": name, "schema": {"maxProperties": _OTHER_SCHEMA}}).encode()
            earlier.append(replace(one, body=body, chunks=()))
    return (*earlier, *script)


def with_last_definitions(script: tuple[Exchange, ...]) -> tuple[Exchange, ...]:
    """Return a tuple: a script without the definitions that a later one under the same name has replaced.

    Of a name that is used in many runs, an early definition may leave open which schema is in force.
    """
    kept: list[Exchange] = []
    defined: set[str] = set()
    for one in reversed(script):
        names = definition_names(request_value(one))[:1] if one.method == "PUT" else []
        if kept and names and defined.issuperset(names):
            continue
        kept.insert(0, one)
        if one.status < 300:
            defined.update(names)
    return tuple(kept)


def puts_by_name(script: Sequence[Exchange]) -> Counter[str]:
    """Return variant → how often it is put, at most twice: more tell nothing else of a name that was defined before."""
    puts = (definition_names(request_value(one))[:1] for one in script if one.method == "PUT")
    return Counter({name: min(2, count) for name, count in Counter(one[0] for one in puts if one).items()})


def undefined_names(script: Sequence[Exchange]) -> set[str]:
    """Return the names to which work is posted before the script has put them."""
    defined: set[str] = set()
    undefined: set[str] = set()
    for exchange in script:
        if exchange.method == "PUT":
            defined |= set(definition_names(request_value(exchange)))
        elif exchange.method == "POST" and exchange.segment not in defined:
            undefined.add(exchange.segment)
    return undefined


def about_the_same(script: Sequence[Exchange], *others: Exchange) -> tuple[Exchange, ...]:
    """Return the last exchange of a script, those on the same action, and others, after what made all that they name."""
    number = requested_action(script[-1])
    same = [one for one in script[:-1] if number is not None and requested_action(one) == number]
    return made_for(script, [*same, *others, script[-1]])


def made_for(script: Sequence[Exchange], wanted: Sequence[Exchange]) -> tuple[Exchange, ...]:
    """Return a tuple of some exchanges of a script in their order, with those before them that made what they name."""
    kept: list[Exchange] = []
    for earlier in reversed(script):
        if any(earlier is one for one in wanted):
            kept.insert(0, earlier)
            continue
        if earlier.method == "PUT" and 200 <= earlier.status < 300:
            made = set(definition_names(request_value(earlier)))
            needed = any(one.method == "POST" and one.segment in made for one in kept)
        else:
            made = {created_action(earlier)} - {""}
            needed = any(made & set(numbers_in(one.body)) for one in kept)
        if needed:
            kept.insert(0, earlier)
    return tuple(kept)


def has_hasty_refusal(finding: Finding) -> bool:
    """Say whether something was refused within two seconds after it was made with the same key.

    Not all of a target need have known it by then, so the refusal proves nothing.
    """
    made: dict[tuple[str | None, str | None], float] = {}
    for exchange in finding.exchanges:
        key = exchange.request_header("x-arklow-auth") or exchange.request_header("authorization")
        names = (exchange.segment, requested_action(exchange))
        if exchange.status in FRESH_REFUSALS and any(
            exchange.call < made.get((key, name), -math.inf) + FRESH_SECONDS for name in names
        ):
            return True
        if exchange.created and exchange.method == "PUT":
            made |= {(key, name): exchange.back for name in definition_names(request_value(exchange))}
        elif created_action(exchange):
            made[key, created_action(exchange)] = exchange.back
    return False


__all__ = [
    "created_action",
    "has_hasty_refusal",
    "requested_action",
    "undefined_names",
    "with_earlier_definitions",
    "with_last_definitions",
]
