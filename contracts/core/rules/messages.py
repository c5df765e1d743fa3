"""Rules on JSON and HTTP, whatever the operation is, and on what no answer may show."""

from __future__ import annotations

from typing import Final

from .assertions import NOT_SERVED, not_answered_with
from .rule import Assertion, Evidence, Example, Phase, Rule, Severity, Verifier

_CHECKS = frozenset({Verifier.CHECKS})
_ANYWHERE = frozenset({Phase.EVERY_EXCHANGE})
_ON_REQUEST = frozenset({Phase.CONSTRUCTED, Phase.GENERATED})
_ANSWER = frozenset({Evidence.ANSWER_BODY, Evidence.ANSWER_MEDIA_TYPE})

_JSON: Final = (
    Rule(
        code="JSON-5",
        weight=Severity.WARNING,
        title="A body announces application/json",
        source="S-ing, S-mod, S-def, Q27",
        phases=_ON_REQUEST,
        verifiers=_CHECKS,
        remedy="Refuse a body whose content-type is another one than application/json.",
        example=Example("POST /v1/modack with content-type: text/plain", "200"),
        assertion=NOT_SERVED,
        recorded=frozenset({Evidence.REQUEST_CONTENT, Evidence.SERVICE}),
    ),
    Rule(
        code="JSON-7",
        weight=Severity.VIOLATION,
        title="An answer announced as JSON is JSON: UTF-8, no byte order mark, no NaN",
        source="RFC 8259 §8.1, §9",
        phases=_ANYWHERE,
        verifiers=_CHECKS,
        remedy="Write answers with a JSON serialiser that keeps to RFC 8259: in UTF-8, without a byte order mark, NaN or"
        " Infinity.",
        example=Example("POST /v1/modack", '200, content-type: application/json, {"data": NaN}'),
        assertion=Assertion(expression="not_json(answers[-1], {status})"),
        recorded=_ANSWER | {Evidence.ANSWER_BYTES},
    ),
    Rule(
        code="JSON-8",
        weight=Severity.WARNING,
        title="A body that is not JSON is refused",
        source="RFC 8259 §9, B042",
        phases=_ON_REQUEST,
        verifiers=_CHECKS,
        remedy="Parse bodies with a JSON parser that keeps to RFC 8259, and answer 400 where it fails.",
        example=Example('POST /v1/ingress/order.created, {"payload": {},}', "200"),
        assertion=NOT_SERVED,
        recorded=frozenset(
            {Evidence.REQUEST_BODY, Evidence.REQUEST_BYTES, Evidence.REQUEST_CONTENT, Evidence.SERVICE}
        ),
    ),
    Rule(
        code="JSON-9",
        weight=Severity.WARNING,
        title="Member names of an answer are unique",
        source="RFC 8259 §4",
        phases=_ANYWHERE,
        verifiers=_CHECKS,
        remedy="Build answers from objects and not by joining texts, so that no member name is written twice.",
        example=Example("POST /v1/modack", '200 {"data": null, "data": {"status": "ok"}}'),
        assertion=Assertion(expression="repeats_a_name(answers[-1])"),
        recorded=_ANSWER,
    ),
)

_HTTP: Final = (
    Rule(
        code="HTTP-1",
        weight=Severity.VIOLATION,
        title="A 405 lists the allowed methods in Allow",
        source="RFC 9110 §15.5.6",
        phases=_ON_REQUEST,
        verifiers=_CHECKS,
        remedy="Send a header Allow with every 405, with the methods that the path has.",
        example=Example("DELETE /v1/modack", "405 without a header Allow"),
        assertion=Assertion(expression="lacks(answers[-1], 405, 'allow')"),
        recorded=frozenset({Evidence.ANSWER_HEADERS}),
    ),
    Rule(
        code="HTTP-5",
        weight=Severity.WARNING,
        title="A method that the page does not list is not served",
        source="S-ing, S-mod, S-def",
        phases=_ON_REQUEST,
        verifiers=_CHECKS,
        remedy="Route the documented method of each path alone, and answer every other with 405.",
        example=Example("GET /v1/modack", "200"),
        assertion=NOT_SERVED,
        recorded=frozenset({Evidence.STATUS}),
        harmless=True,
    ),
    Rule(
        code="HTTP-6",
        weight=Severity.WARNING,
        title="An answer comes within a second",
        source="ours",
        phases=_ANYWHERE | {Phase.CONSTRUCTED},
        verifiers=frozenset({Verifier.ORACLE}),
        remedy="Find what makes this request slower than others, and move work that takes long out of the request.",
        example=Example("POST /v1/ingress/order.created", "200 after 1.4 s, three times"),
        assertion=Assertion(expression="slow(min(answers[-3:], key=lambda one: one.seconds))", repeats=3),
        not_replayable="a slow answer has to be compared with others",
    ),
    Rule(
        code="HTTP-7",
        weight=Severity.WARNING,
        title="A large body gets an answer",
        source="Q28",
        phases=_ON_REQUEST,
        verifiers=frozenset({Verifier.ORACLE}),
        remedy="Answer a body that is too large with a refusal such as 413 before the connection is closed.",
        example=Example(
            "POST /v1/ingress/order.created with a body of 100,000 bytes", "none: the connection is closed"
        ),
        assertion=not_answered_with(0),
        not_replayable="whether others get an answer has to be asked as well",
    ),
    Rule(
        code="HTTP-8",
        weight=Severity.WARNING,
        title="OPTIONS names the method of the page in Allow",
        source="RFC 9110 §9.3.7, §10.2.1",
        phases=_ON_REQUEST,
        verifiers=_CHECKS,
        remedy="List every method of the path in the header Allow that OPTIONS is answered with.",
        example=Example("OPTIONS /v1/modack", "204, allow: GET, OPTIONS"),
        assertion=Assertion(expression="not_allowed(answers[-1], {methods})"),
        recorded=frozenset({Evidence.ANSWER_HEADERS}),
    ),
    Rule(
        code="HTTP-9",
        weight=Severity.VIOLATION,
        title="A plain request gets an answer",
        source="S-ing, S-mod, S-def, RFC 9110 §15",
        phases=_ANYWHERE,
        verifiers=frozenset({Verifier.ORACLE, Verifier.PHASES}),
        remedy="Find why the server drops the connection of this request (a crash, or a limit of a proxy), and make it"
        " answer.",
        example=Example("POST /v1/modack with a valid body", "none: the connection is closed, three times"),
        assertion=not_answered_with(0),
        not_replayable="whether others get an answer has to be asked as well",
    ),
    Rule(
        code="HTTP-10",
        weight=Severity.WARNING,
        title="A path that no page has is not answered with a server error",
        source="RFC 9110 §15.5.5, §15.6.1",
        phases=_ON_REQUEST,
        verifiers=_CHECKS,
        remedy="Answer paths that no route takes with 404: empty segments, further segments and odd spellings too.",
        example=Example("POST /v1/ingress/ without a variant", "500"),
        assertion=Assertion(expression="fails(answers)"),
        harmless=True,
    ),
)

_SECRETS: Final = (
    Rule(
        code="SAFE-1",
        weight=Severity.WARNING,
        title="No answer shows a key",
        source="ours",
        phases=_ANYWHERE,
        verifiers=_CHECKS,
        remedy="Take keys out of the bodies and headers of answers; a message must not repeat the headers of the"
        " request.",
        example=Example(
            "POST /v1/modack with a wrong key beside a valid one", "401 with the valid key in its message"
        ),
        assertion=Assertion(expression="shows_a_key(answers[-1:], WORDS)"),
        recorded=_ANSWER,
        harmless=True,
    ),
    Rule(
        code="SAFE-2",
        weight=Severity.WARNING,
        title="No answer shows a stack trace",
        source="ours",
        phases=_ANYWHERE,
        verifiers=_CHECKS,
        remedy="Turn the debug mode of the server off, and write stack traces to its log instead.",
        example=Example("POST /v1/modack", "500 Traceback (most recent call last): …"),
        assertion=Assertion(expression="shows_a_trace(answers[-1])"),
        recorded=_ANSWER,
        harmless=True,
    ),
)

RULES: Final = (*_JSON, *_HTTP, *_SECRETS)
"""In the order of reports."""

__all__ = ["RULES"]
