"""The table of refusals: error code → status, on ingress operations and elsewhere. Every code has a row.

The ingress operations document 400, 401, 404, 409 and 500 alone (B019, S-ing, S-mod), so a refusal that has a finer
status elsewhere is a 400 there. The control plane documents no failure at all (C17), so a refusal there has the status
that HTTP has for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from ..domain.interpretations import Interpretations


class Refused(Exception):
    """A request is refused with the envelope of a failure."""

    def __init__(self, code: str, message: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        """Refuse with a code of the table, a message, and further headers of the answer."""
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.headers = headers


class Statuses(NamedTuple):
    """The HTTP statuses of one error code."""

    ingress: int
    elsewhere: int


STATUSES: Final[dict[str, Statuses]] = {
    # the key and its organisation
    "UNAUTHORIZED": Statuses(401, 401),
    "FORBIDDEN_ORGANISATION": Statuses(403, 403),
    # path and method
    "NOT_FOUND": Statuses(404, 404),
    "METHOD_NOT_ALLOWED": Statuses(405, 405),
    # the transport of the body
    "UNSUPPORTED_MEDIA_TYPE": Statuses(400, 415),
    "BODY_TOO_LARGE": Statuses(400, 413),
    "BODY_INCOMPLETE": Statuses(408, 408),
    "BODY_UNREADABLE": Statuses(400, 400),
    # the text of the body
    "EMPTY_BODY": Statuses(400, 400),
    "NOT_UTF8": Statuses(400, 400),
    "MALFORMED_JSON": Statuses(400, 400),
    "DUPLICATE_KEY": Statuses(400, 400),
    "NOT_A_NUMBER": Statuses(400, 400),
    "NUMBER_TOO_LONG": Statuses(400, 400),
    "NUMBER_OUT_OF_RANGE": Statuses(400, 400),
    "LONE_SURROGATE": Statuses(400, 400),
    "TOO_DEEP": Statuses(400, 400),
    # the schemas of the document
    "INVALID_PARAMETER": Statuses(400, 400),
    "INVALID_BODY": Statuses(400, 400),
    # the state of the organisation
    "UNKNOWN_VARIANT": Statuses(400, 404),
    "UNKNOWN_VERSION": Statuses(400, 400),
    "PAYLOAD_REJECTED": Statuses(400, 400),
    "PAYLOAD_UNDECIDED": Statuses(400, 400),
    "NEGATIVE_VERSION": Statuses(409, 409),
    "VERSION_TOO_LONG": Statuses(409, 409),
    "ALIAS_TAKEN": Statuses(409, 409),
    "DEFINITION_EXISTS": Statuses(409, 409),
    "LOWER_VERSION": Statuses(409, 409),
    "SCHEMA_NOT_ENFORCEABLE": Statuses(400, 400),
    "UNKNOWN_ACTION": Statuses(404, 404),
    "DROPPED_ACTION": Statuses(404, 404),
    "STALE_ATTEMPT": Statuses(409, 409),
    "FUTURE_ATTEMPT": Statuses(409, 409),
    "DEFERRED_ACTION": Statuses(409, 409),
    "FINISHED_ACTION": Statuses(409, 409),
    # the admin plane
    "CLOCK_GOES_BACK": Statuses(409, 409),
    "TOO_MUCH_DUE": Statuses(409, 409),
    "DESTINATION_REFUSED": Statuses(409, 409),
    "UNKNOWN_ORGANISATION": Statuses(404, 404),
    "UNKNOWN_DESTINATION": Statuses(404, 404),
    "TOO_MANY_DESTINATIONS": Statuses(409, 409),
    "SAME_ORGANISATION": Statuses(409, 409),
    "UNKNOWN_SNAPSHOT": Statuses(404, 404),
    "TOO_MANY_SNAPSHOTS": Statuses(409, 409),
    "UNKNOWN_FAULT": Statuses(404, 404),
    "UNKNOWN_OPERATION": Statuses(404, 404),
    "TOO_MANY_FAULTS": Statuses(409, 409),
    "FORBIDDEN_HOST": Statuses(403, 403),
    "FORBIDDEN_ORIGIN": Statuses(403, 403),
    "TOO_MANY_LISTENERS": Statuses(429, 429),
    "TIMED_OUT": Statuses(503, 503),
    "SHUTTING_DOWN": Statuses(503, 503),
    # a defect of the mock
    "INTERNAL_ERROR": Statuses(500, 500),
}

_OF_HTTP: Final = {
    *("UNAUTHORIZED", "FORBIDDEN_ORGANISATION", "NOT_FOUND", "METHOD_NOT_ALLOWED", "BODY_INCOMPLETE"),
}
"""Codes that keep their status under the interpretation that control-plane refusals are a 200 with `data` null."""


def statuses(interpretations: Interpretations) -> Mapping[str, Statuses]:
    """Return the table under interpretations, error code → statuses."""
    table = dict(STATUSES)
    if interpretations.refusal == "200 with data null":
        for code in table.keys() - _OF_HTTP:
            if table[code].elsewhere < 500:
                table[code] = table[code]._replace(elsewhere=200)
    for code, status in (
        ("FORBIDDEN_ORGANISATION", interpretations.foreign_path),
        ("STALE_ATTEMPT", interpretations.past_attempt),
        ("FUTURE_ATTEMPT", interpretations.future_attempt),
    ):
        table[code] = Statuses(int(status), int(status))
    return table
