"""What the test of a finding asserts: an expression over the functions of `standalone`, by the rule that is broken."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from .summary import Record


def asserted(one: Record, together: bool) -> str:
    """The expression that is a sentence while the deployment is at fault, and empty when it is mended."""
    if one["rule"] in STORIES:
        return "same(answers, WAS, together=True)" if together else "same(answers, WAS)"
    return CHECKS[one["rule"]](one, one["script"][-1])


def _served(*_: Any) -> str:
    return "served(answers[-1])"


def _refused(*_: Any) -> str:
    return "refused(answers[-1])"


def _not(*statuses: int) -> Callable[[Record, Record], str]:
    return lambda one, last: f"among(answers[-1], {list(statuses) or [last['status']]}, {one['expected']!r})"


def _not_its_kind(one: Record, last: Record) -> str:
    """A success of another kind than the page's is wrong whatever its number; a refusal is wrong by its own."""
    kind = list(range(201, 300)) if 200 <= last["status"] < 300 else [last["status"]]
    return f"among(answers[-1], {'range(201, 300)' if len(kind) > 1 else kind}, {one['expected']!r})"


def _its_status(one: Record, last: Record) -> str:
    """Work that is to be served; where other answers are lawful too, it is not the one that was given."""
    return _refused() if one["expected"].startswith("200,") else _not()(one, last)


def _its_attempt(one: Record, last: Record) -> str:
    return _served() if 200 <= last["status"] < 300 else _refused()


def _member(one: Record, last: Record) -> str:
    place, _, expected = one["expected"].partition(": ")
    place = "" if place == "the body" else place
    if expected == "without other members":
        expected = f"without {one['actual'].removeprefix('with ')}"
    return f"breaks(answers[-1], {last['status']}, {place!r}, {expected!r})"


def _named(one: Record, _: Record) -> str:
    return repr(one["expected"].partition(":")[0])


STORIES: Final = frozenset({"READ-1", "READ-2", "RACE-1", "ORG-1", "DEF-7", "DEF-11", "ING-1", "ING-15"})
"""Rules of which no single answer can tell that they are kept."""
CHECKS: Final[dict[str, Callable[[Record, Record], str]]] = {
    **dict.fromkeys(
        ("AUTH-3", "AUTH-4", "AUTH-6", "JSON-5", "JSON-8", "PAGE-9", "PAGE-10", "HTTP-5"), _served
    ),
    **dict.fromkeys(("LEASE-3", "LEASE-6", "LEASE-9", "LIFE-7", "LIFE-9", "LIFE-11"), _served),
    **dict.fromkeys(("AUTH-1", "AUTH-10"), _not(401)),
    "AUTH-9": _not(400, 403, 404, 409, 422),
    "AUTH-8": lambda *_: "lacks(answers[-1], 401, 'www-authenticate')",
    "HTTP-1": lambda *_: "lacks(answers[-1], 405, 'allow')",
    "HTTP-6": lambda *_: "slow(min(answers[-3:], key=lambda one: one.seconds))",
    **dict.fromkeys(("HTTP-7", "HTTP-9"), _not(0)),
    "HTTP-8": lambda one, _: f"not_allowed(answers[-1], {re.findall('[A-Z]{3,}', one['expected'])})",
    **dict.fromkeys(("PAGE-1", "PAGE-2", "PAGE-3", "PAGE-15"), _not_its_kind),
    "PAGE-4": lambda _, last: f"not_announced(answers[-1], {last['status']})",
    "JSON-7": lambda _, last: f"not_json(answers[-1], {last['status']})",
    "JSON-9": lambda *_: "doubled(answers[-1])",
    **dict.fromkeys(("PAGE-5", "PAGE-6", "PAGE-7"), _member),
    "PAGE-8": lambda *_: "fails(answers)",
    "PAGE-11": _its_status,
    "PAGE-12": _not(404, 409),
    "PAGE-13": lambda *_: "no_envelope(answers[-1])",
    "PAGE-14": lambda *_: "no_error(answers[-1])",
    "PAGE-16": _not(400),
    "SAFE-1": lambda *_: "shows_a_key(answers[-1:], WORDS)",
    "SAFE-2": lambda *_: "shows_a_trace(answers[-1])",
    "DEF-1": _refused,
    "DEF-2": lambda *_: "other(answers[-1], 'version', 1)",
    "DEF-3": lambda *_: "jumps(answers)",
    "DEF-10": lambda one, last: f"not_as_put(answers, {_named(one, last)})",
    "ING-3": lambda *_: "another_version(answers)",
    "ING-7": lambda *_: "twice(answers)",
    "ING-9": lambda one, _: (
        f"another_definition(answers, {'a_va' if one['expected'].startswith('a_va') else 'a_def_id'!r})"
    ),
    "ING-10": lambda *_: "other(answers[-1], 'queue_s', 'queued')",
    "ING-11": _not(404),
    "ING-12": _not(404),
    "ING-14": lambda *_: "under_its_alias(answers)",
    "LEASE-7": _not(404),
    "LEASE-8": _its_attempt,
    "LIFE-13": _refused,
}
"""Rule → what its test asserts, for a finding and its last exchange."""

__all__ = ["CHECKS", "STORIES", "asserted"]
