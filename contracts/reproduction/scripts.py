"""What the exchanges of a script say of each other: which action is asked for, and what the script itself has made."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..checks.facts import action_id, definition_names, request_value
from ..core.exchange import Exchange
from ..core.findings import Finding
from ..model.world import FRESH_REFUSALS, FRESH_SECONDS


def requested_action(exchange: Exchange) -> str | None:
    """Return the id of the action that a signal is for; None when the request names none."""
    return action_id(request_value(exchange))


def created_action(exchange: Exchange) -> str:
    """Return the id that the answer gives to an action, if it is made of digits; else an empty text."""
    number = exchange.data().get("a_id")
    return number if isinstance(number, str) and number.isascii() and number.isdigit() else ""


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


__all__ = ["created_action", "has_hasty_refusal", "requested_action", "undefined_names"]
