"""Rules on the published pages: the statuses, shapes and refusals that they promise."""

from __future__ import annotations

from typing import Final

from .assertions import KEEPS_MEMBER, NOT_SERVED, OTHER_KIND_OF_STATUS, not_answered_with
from .rule import Assertion, Evidence, Example, Phase, Rule, Severity, Verifier

_CHECKS = frozenset({Verifier.CHECKS})
_ANYWHERE = frozenset({Phase.EVERY_EXCHANGE})
_CONSTRUCTED_TOO = _ANYWHERE | {Phase.CONSTRUCTED}
_STATUS = frozenset({Evidence.STATUS})
_ANSWER = frozenset({Evidence.ANSWER_BODY, Evidence.ANSWER_MEDIA_TYPE})
_REQUEST = frozenset({Evidence.REQUEST_BODY, Evidence.REQUEST_CONTENT, Evidence.SERVICE})

_ANSWERS: Final = (
    Rule(
        code="PAGE-1",
        weight=Severity.VIOLATION,
        title="An ingress operation answers with a status its page lists",
        source="S-ing, S-mod, B019",
        phases=_ANYWHERE,
        verifiers=_CHECKS,
        remedy="Answer ingress requests that are served with 200, and redirect none of them.",
        example=Example("POST /v1/ingress/order.created", "202"),
        assertion=OTHER_KIND_OF_STATUS,
        recorded=_STATUS,
    ),
    Rule(
        code="PAGE-2",
        weight=Severity.VIOLATION,
        title="An ingress refusal in the envelope has a status its page lists",
        source="S-ing, S-mod, B019",
        phases=_ANYWHERE,
        verifiers=_CHECKS,
        remedy="Give each refusal of an ingress operation a status of its page, such as 400 in place of 422.",
        example=Example("POST /v1/ingress/order.created, {}", '422 {"data": null, "errors": […]}'),
        assertion=OTHER_KIND_OF_STATUS,
        recorded=_ANSWER | {Evidence.CAUSE},
        harmless=True,
    ),
    Rule(
        code="PAGE-3",
        weight=Severity.VIOLATION,
        title="A control-plane success is 200",
        source="S-def, B014",
        phases=_ANYWHERE,
        verifiers=_CHECKS,
        remedy="Answer control-plane requests that are served with 200, also where something was created.",
        example=Example("PUT /v1/orgs/42/actions/definitions", "201"),
        assertion=OTHER_KIND_OF_STATUS,
        recorded=_STATUS,
    ),
    Rule(
        code="PAGE-4",
        weight=Severity.VIOLATION,
        title="A documented answer has the media type of its page",
        source="S-ing, S-mod, S-def",
        phases=_ANYWHERE,
        verifiers=_CHECKS,
        remedy="Send `content-type: application/json` with every documented answer.",
        example=Example("POST /v1/modack", '200, content-type: text/html, {"data": {"status": "ok"}}'),
        assertion=Assertion(expression="not_announced(answers[-1], {status})"),
        recorded=frozenset({Evidence.ANSWER_MEDIA_TYPE}),
    ),
    Rule(
        code="PAGE-5",
        weight=Severity.VIOLATION,
        title="A documented answer has the shape of its page",
        source="S-ing, S-mod, S-def",
        phases=_CONSTRUCTED_TOO,
        verifiers=_CHECKS,
        remedy="Change the member that the finding names until the answer keeps the schema of its page.",
        example=Example(
            "POST /v1/ingress/order.created", '200 {"data": {"a_id": 3000000000, …}}: a number, not a string'
        ),
        assertion=KEEPS_MEMBER,
        recorded=_ANSWER | {Evidence.ANSWER_VALUES},
    ),
    Rule(
        code="PAGE-6",
        weight=Severity.VIOLATION,
        title="A timestamp is an RFC 3339 date-time",
        source="B018, S-def",
        phases=_ANYWHERE,
        verifiers=_CHECKS,
        remedy="Write timestamps as RFC 3339 has them, with T and a time zone, such as 2026-01-31T12:00:00Z.",
        example=Example(
            "PUT /v1/orgs/42/actions/definitions", '200 {"data": {"deleted_at": "2026-01-31 12:00", …}, …}'
        ),
        assertion=KEEPS_MEMBER,
        recorded=_ANSWER | {Evidence.ANSWER_VALUES},
    ),
    Rule(
        code="PAGE-7",
        weight=Severity.WARNING,
        title="A value has the format its page names",
        source="S-def",
        phases=_ANYWHERE,
        verifiers=_CHECKS,
        remedy="Write the value that the finding names in the format of its page, such as an absolute URI.",
        example=Example(
            "PUT /v1/orgs/42/actions/definitions", '200 with a destination whose url is "hooks.example.com"'
        ),
        assertion=KEEPS_MEMBER,
        recorded=_ANSWER | {Evidence.ANSWER_VALUES},
        harmless=True,
    ),
)

_REQUESTS: Final = (
    Rule(
        code="PAGE-8",
        weight=Severity.VIOLATION,
        title="A bad request is refused and a good one served: neither is a server error",
        source="S-ing, S-mod, S-def",
        phases=_CONSTRUCTED_TOO | {Phase.CONCURRENT},
        verifiers=_CHECKS,
        remedy="Find the error in the server's log, and refuse a bad request with a 4xx before it can fail.",
        example=Example(
            'POST /v1/modack, {"action_record_id": "1", "attempt": 0, "mod_ack": 9223372036854775808}', "500"
        ),
        assertion=Assertion(expression="fails(answers)"),
        recorded=_STATUS,
        one_sighting_is_proof=True,
    ),
    Rule(
        code="PAGE-9",
        weight=Severity.VIOLATION,
        title="A request that breaks its page is refused",
        source="S-ing, S-mod, S-def",
        phases=_CONSTRUCTED_TOO,
        verifiers=_CHECKS,
        remedy="Validate each request against the schema of its page, and refuse with 400 what breaks it.",
        example=Example('POST /v1/modack, {"action_record_id": "30…", "attempt": -1, "mod_ack": 60}', "200"),
        assertion=NOT_SERVED,
        recorded=_REQUEST,
    ),
    Rule(
        code="PAGE-10",
        weight=Severity.WARNING,
        title="A request that only one interpretation allows is refused",
        source="C1, C4, B031, B037",
        phases=_CONSTRUCTED_TOO,
        verifiers=_CHECKS,
        remedy="Refuse the request as the page says, or tell clients that this deployment takes it.",
        example=Example('POST /v1/ingress/order.created, {"order_id": "8471"} without `payload`', "200"),
        assertion=NOT_SERVED,
        recorded=_REQUEST,
    ),
    Rule(
        code="PAGE-11",
        weight=Severity.VIOLATION,
        title="A request that keeps its page is served",
        source="S-ing, S-mod",
        phases=_CONSTRUCTED_TOO,
        verifiers=frozenset({Verifier.MODEL, Verifier.PHASES, Verifier.RUN}),
        remedy="Find what refuses the request (a limit, or a validation that is stricter than the page), and lift it.",
        example=Example('POST /v1/ingress/order.created, {"payload": {"order_id": "8471"}}', "400"),
        assertion=Assertion(expression="{refusal}"),
        explained_by=frozenset({"ING-11"}),
    ),
    Rule(
        code="PAGE-12",
        weight=Severity.WARNING,
        title="A request that breaks its page is refused as a bad request",
        source="S-mod, B124",
        phases=_CONSTRUCTED_TOO,
        verifiers=_CHECKS,
        remedy="Validate the body before the action is looked up, and answer 400 where it breaks its page.",
        example=Example('POST /v1/modack, {"action_record_id": "x", "attempt": 0, "mod_ack": 60}', "404"),
        assertion=not_answered_with(404, 409),
        recorded=_REQUEST | {Evidence.ENVELOPE},
        harmless=True,
    ),
)

_REFUSALS: Final = (
    Rule(
        code="PAGE-13",
        weight=Severity.WARNING,
        title="A control-plane refusal is the envelope",
        source="B008, C17",
        phases=_ANYWHERE,
        verifiers=_CHECKS,
        remedy='Write refusals as `{"data": null, "errors": [{"code": …, "message": …}]}`.',
        example=Example("PUT /v1/orgs/42/actions/definitions, {}", "400 Bad Request"),
        assertion=Assertion(expression="no_envelope(answers[-1])"),
        recorded=_ANSWER | {Evidence.CAUSE},
        harmless=True,
        explained_by=frozenset({"PAGE-4", "PAGE-5", "JSON-7"}),
    ),
    Rule(
        code="PAGE-15",
        weight=Severity.WARNING,
        title="An ingress refusal with a status that its page does not list is the envelope",
        source="B007",
        phases=_ANYWHERE,
        verifiers=_CHECKS,
        remedy="Write the refusal as the envelope, or let what stands before the application use a status of the page.",
        example=Example("POST /v1/ingress/order.created, {}", "422 Unprocessable Content"),
        assertion=OTHER_KIND_OF_STATUS,
        recorded=_ANSWER | {Evidence.CAUSE},
        harmless=True,
    ),
    Rule(
        code="PAGE-14",
        weight=Severity.WARNING,
        title="A refusal names at least one error",
        source="B007",
        phases=_ANYWHERE,
        verifiers=_CHECKS,
        remedy="Put at least one error with `code` and `message` into `errors` of every refusal.",
        example=Example("POST /v1/modack, {}", '400 {"data": null, "errors": []}'),
        assertion=Assertion(expression="no_error(answers[-1])"),
        recorded=_ANSWER | {Evidence.ANSWER_VALUES},
        harmless=True,
    ),
    Rule(
        code="PAGE-16",
        weight=Severity.WARNING,
        title="A request at the edge of its page is not refused as a bad request",
        source="S-ing, S-mod, S-def, B051, B136",
        # One scenario alone can break it; that a run for it alone plays everything is older than that scenario.
        phases=_CONSTRUCTED_TOO,
        remedy="Accept every value that the page allows, or tell clients where this deployment draws the line.",
        example=Example(
            'POST /v1/modack, {"action_record_id": "30…", "attempt": 0, "mod_ack": 2147483648}', "400"
        ),
        assertion=not_answered_with(400),
        explained_by=frozenset({"PAGE-11", "PAGE-8"}),
    ),
)

RULES: Final = (*_ANSWERS, *_REQUESTS, *_REFUSALS)
"""In the order of reports."""

__all__ = ["RULES"]
