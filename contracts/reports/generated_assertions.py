"""What the test of a finding asserts: the expression of its rule, with the facts of the finding filled in.

The rules say which expression (`core.rules`); the functions in it are those of `generated_test_runtime`.
"""

from __future__ import annotations

import re

from ..core.rules import RULES
from .summary import JsonObject


def asserted(finding: JsonObject, together: bool) -> str:
    """Return the expression that is a sentence while the deployment breaks the rule, and an empty text afterwards.

    `together`: the requests of the finding are sent at the same moment.
    """
    last, expected = finding["script"][-1], finding["expected"]
    return RULES[finding["rule"]].assertion.expression.format(
        expected=repr(expected),
        identity=repr("a_va" if expected.startswith("a_va") else "a_def_id"),
        kind=_kind(last["status"]),
        member=_member(expected, finding["actual"]),
        methods=re.findall("[A-Z]{3,}", expected),
        name=repr(expected.partition(":")[0]),
        outcome="served" if _is_success(last["status"]) else "refused",
        refusal=_refusal(expected, last["status"]),
        status=last["status"],
        together=", together=True" if together else "",
        unserved="served(answers[-1])"
        if _is_success(last["status"])
        else _has_status(last["status"], expected),
    )


def _is_success(status: int) -> bool:
    return 200 <= status < 300


def _kind(status: int) -> str:
    """Return the statuses that break a page: a success other than 200 whatever its number, a refusal by its own."""
    return "range(201, 300)" if _is_success(status) else f"[{status}]"


def _refusal(expected: str, status: int) -> str:
    """Return the assertion on work that has to be served; where other refusals are lawful, it is about this one."""
    if expected.startswith("200,"):
        return "refused(answers[-1])"
    return _has_status(status, expected)


def _has_status(status: int, expected: str) -> str:
    return f"has_status(answers[-1], [{status}], {expected!r})"


def _member(expected: str, actual: str) -> str:
    """Return the place of a member and what it must be, as two arguments."""
    place, _, kept = expected.partition(": ")
    place = "" if place == "the body" else place
    if kept == "without other members":
        kept = f"without {actual.removeprefix('with ')}"
    return f"{place!r}, {kept!r}"


__all__ = ["asserted"]
