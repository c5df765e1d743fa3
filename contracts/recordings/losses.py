"""What a recording may have lost of an exchange, and which rules that leaves open."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from functools import cache
from typing import Final

from ..checks.facts import Facts
from ..core.rules import Evidence, codes_where


class Loss(StrEnum):
    """What an archive may not have kept of an exchange; the value says it in a report."""

    BODY = "the body of the request was not recorded whole"
    BODY_LENGTH = "nothing says that the recorded body of the request is whole"
    SENT_HEADERS = "headers of the request were not recorded"
    SENT_MEDIA = "the media type of the request was not recorded"
    SENT_REDACTED = "something in the request was redacted"
    ANSWER = "the body of the answer was not recorded whole"
    ANSWER_LENGTH = "nothing says that the recorded body of the answer is whole"
    ANSWER_HEADERS = "headers of the answer were not recorded, or hidden from a page of another origin"
    ANSWER_MEDIA = "the media type of the answer was not recorded as it was sent"
    ANSWER_REDACTED = "something in the answer was redacted"


_MISSING_EVIDENCE: Final[Mapping[Loss, Evidence]] = {
    Loss.BODY: Evidence.REQUEST_BODY,
    Loss.BODY_LENGTH: Evidence.REQUEST_BYTES,
    Loss.SENT_HEADERS: Evidence.KEYS,
    Loss.SENT_MEDIA: Evidence.REQUEST_CONTENT,
    Loss.SENT_REDACTED: Evidence.REQUEST_CONTENT,
    Loss.ANSWER: Evidence.ANSWER_BODY,
    Loss.ANSWER_LENGTH: Evidence.ANSWER_BYTES,
    Loss.ANSWER_HEADERS: Evidence.ANSWER_HEADERS,
    Loss.ANSWER_MEDIA: Evidence.ANSWER_MEDIA_TYPE,
    Loss.ANSWER_REDACTED: Evidence.ANSWER_VALUES,
}
"""Loss → the evidence that is missing with it, whatever the exchange is."""


@cache
def rules_needing(evidence: Evidence) -> frozenset[str]:
    """Return the codes of the rules that cannot be judged from a recording without this evidence."""
    return codes_where(lambda rule: evidence in rule.recorded)


def rules_left_open(facts: Facts, losses: Collection[Loss]) -> dict[str, str]:
    """Return the rules that are not applied to an exchange of which an archive has lost something: code → why."""
    status = facts.exchange.status
    left_open: dict[str, str] = {}

    def leave_open(rules: Iterable[str], why: str) -> None:
        for rule in rules:
            left_open.setdefault(rule, why)

    for loss in Loss:
        if loss in losses:
            leave_open(rules_needing(_MISSING_EVIDENCE[loss]), loss.value)
    if Loss.ANSWER in losses and facts.operation is not None and facts.operation.control_plane:
        leave_open(rules_needing(Evidence.SERVICE), Loss.ANSWER.value)
    if Loss.BODY in losses and status in (411, 413):
        leave_open(rules_needing(Evidence.CAUSE), Loss.BODY.value)
    if Loss.SENT_MEDIA in losses and status == 415:
        leave_open(rules_needing(Evidence.CAUSE), Loss.SENT_MEDIA.value)
    if Loss.SENT_HEADERS in losses and status not in (400, 401, 404, 409, 422):
        leave_open(rules_needing(Evidence.CAUSE), Loss.SENT_HEADERS.value)
    if not facts.enveloped:
        leave_open(rules_needing(Evidence.ENVELOPE), "the refusal is not the application's envelope")
    return left_open


__all__ = ["Loss", "rules_left_open", "rules_needing"]
