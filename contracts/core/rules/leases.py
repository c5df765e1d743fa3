"""Rules on attempts: who may extend one, and what ends an action."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from .assertions import NOT_REFUSED, NOT_SERVED, not_answered_with
from .rule import Assertion, Example, Phase, Rule, Severity, Verifier

_MODEL = frozenset({Verifier.MODEL})
_CONSTRUCTED = frozenset({Phase.CONSTRUCTED})
_WALKED_TOO = _CONSTRUCTED | {Phase.RANDOM_WALKS}

_LEASES: Final = (
    Rule(
        code="LEASE-3",
        weight=Severity.VIOLATION,
        title="Only the current attempt can be extended",
        source="B120, B121",
        phases=_WALKED_TOO,
        verifiers=_MODEL,
        remedy="Compare the attempt of each signal with the current one, and answer 409 where they differ.",
        example=Example("POST /v1/modack for attempt 0, after attempt 1 has begun", "200"),
        assertion=NOT_SERVED,
    ),
    Rule(
        code="LEASE-8",
        weight=Severity.VIOLATION,
        title="The holder of an attempt can extend it within its lease",
        source="B120, B125",
        phases=_WALKED_TOO,
        verifiers=_MODEL,
        remedy="Keep the attempt the current one until its deadline, and let `mod_ack` move the deadline by as many"
        " seconds.",
        example=Example(
            "POST /v1/modack for attempt 0, whose lease was extended by 300 seconds a moment before", "409"
        ),
        assertion=Assertion(expression="{outcome}(answers[-1])", patient=True),
    ),
    Rule(
        code="LEASE-6",
        weight=Severity.VIOLATION,
        title="An id that was never issued, or is another organisation's, is not extended",
        source="B133",
        phases=_WALKED_TOO,
        verifiers=_MODEL,
        remedy="Look the action up among those of the key's own organisation, and answer 404 where there is none.",
        example=Example(
            'POST /v1/modack, {"action_record_id": "999999999999999999", "attempt": 0, "mod_ack": 60}', "200"
        ),
        assertion=NOT_SERVED,
    ),
    Rule(
        code="LEASE-7",
        weight=Severity.WARNING,
        title="An attempt that is not the current one is 409",
        source="Q2",
        phases=_WALKED_TOO,
        verifiers=_MODEL,
        remedy="Answer 409 where the action is known and the attempt is not the current one; keep 404 for unknown ids.",
        example=Example("POST /v1/modack for attempt 0, after attempt 1 has begun", "404"),
        assertion=not_answered_with(404),
        explained_by=frozenset({"ING-11"}),
    ),
    Rule(
        code="LEASE-9",
        weight=Severity.WARNING,
        title="An id is compared as the text that it is",
        source="B010",
        phases=_CONSTRUCTED,
        verifiers=_MODEL,
        remedy="Compare ids as texts and not as numbers.",
        example=Example('POST /v1/modack with "00" before the id of an action', "200"),
        assertion=NOT_SERVED,
        explained_by=frozenset({"LEASE-6"}),
    ),
)

_ENDS: Final = (
    Rule(
        code="LIFE-7",
        weight=Severity.VIOLATION,
        title="An attempt does not begin before the time that a nack asked for",
        source="B129",
        phases=_CONSTRUCTED,
        verifiers=_MODEL,
        remedy="Begin the next attempt at `terms.retry_at` (Unix seconds), and not before.",
        example=Example(
            "POST /v1/modack for attempt 1, after a nack whose retry_at is two days ahead", "200"
        ),
        assertion=NOT_SERVED,
    ),
    Rule(
        code="LIFE-9",
        weight=Severity.VIOLATION,
        title="An action that has ended takes no signal",
        source="B110, B120, B127, B130, B134",
        phases=_CONSTRUCTED,
        verifiers=_MODEL,
        remedy="Answer 409 to every signal for an action that has succeeded, failed or been cancelled.",
        example=Example("POST /v1/modack for an action that was acked", "200"),
        assertion=NOT_SERVED,
    ),
    Rule(
        code="LIFE-11",
        weight=Severity.VIOLATION,
        title="A deferred action is not delivered again",
        source="B141, B142",
        phases=_CONSTRUCTED,
        verifiers=_MODEL,
        remedy="Keep the deferred attempt the current one, and begin no other; where its lease runs out, the action is"
        " done.",
        example=Example("POST /v1/modack for attempt 1, after attempt 0 was deferred", "200"),
        assertion=NOT_SERVED,
        explained_by=frozenset({"LIFE-9"}),
    ),
    Rule(
        code="LIFE-13",
        weight=Severity.VIOLATION,
        title="A deferred action is not given back by a nack",
        source="B143, B144",
        phases=_CONSTRUCTED,
        remedy="Take no nack of a deferred attempt for a rejection: the attempt can still be extended and acked.",
        example=Example("POST /v1/modack for a deferred attempt, after a nack of it", "409"),
        assertion=replace(NOT_REFUSED, patient=True),
    ),
)

RULES: Final = (*_LEASES, *_ENDS)
"""In the order of reports."""

__all__ = ["RULES"]
