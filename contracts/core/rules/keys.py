"""Rules on keys: who is served, and what a refusal of a key says."""

from __future__ import annotations

from typing import Final

from .assertions import NOT_SERVED, not_answered_with
from .rule import Assertion, Evidence, Example, Phase, Rule, Severity, Verifier

_CHECKS = frozenset({Verifier.CHECKS})
_PHASES = frozenset({Phase.CONSTRUCTED, Phase.GENERATED})
_KEYS = frozenset({Evidence.KEYS})

RULES: Final = (
    Rule(
        code="AUTH-1",
        weight=Severity.VIOLATION,
        title="A good key is accepted where the page says a key may stand",
        source="B001, B002, S-ing, S-mod",
        phases=_PHASES,
        verifiers=_CHECKS,
        remedy="Accept a valid key in every header that the page of the operation lists: in x-arklow-auth on all"
        " operations, and in Authorization on ingress operations too.",
        example=Example("POST /v1/modack with a valid key in Authorization", "401"),
        assertion=not_answered_with(401),
        recorded=_KEYS | {Evidence.GOOD_KEY},
        checked_elsewhere=True,
        not_replayable="whether the key is good elsewhere has to be asked as well",
    ),
    Rule(
        code="AUTH-3",
        weight=Severity.WARNING,
        title="A header that the page does not list opens nothing",
        source="B004, S-def",
        phases=_PHASES,
        verifiers=_CHECKS,
        remedy="Read the key of a control-plane request from x-arklow-auth alone.",
        example=Example(
            "PUT /v1/orgs/42/actions/definitions with a valid key in Authorization, and none in x-arklow-auth",
            "200",
        ),
        assertion=NOT_SERVED,
        recorded=_KEYS | {Evidence.SERVICE},
        explained_by=frozenset({"AUTH-4"}),
    ),
    Rule(
        code="AUTH-4",
        weight=Severity.VIOLATION,
        title="A missing or wrong key is refused",
        source="B005, S-ing, S-mod, S-def",
        phases=_PHASES,
        verifiers=_CHECKS,
        remedy="Compare the whole key before anything else, and answer 401 where it is missing, unknown, or in a header"
        " that the page does not list.",
        example=Example(
            'POST /v1/ingress/order.created without a key, {"payload": {}}',
            '200 {"data": {"a_id": "30…", …}}',
        ),
        assertion=NOT_SERVED,
        recorded=_KEYS | {Evidence.SERVICE},
    ),
    Rule(
        code="AUTH-6",
        weight=Severity.VIOLATION,
        title="A key of another organisation is refused",
        source="B133, Q10",
        phases=_PHASES,
        verifiers=_CHECKS,
        remedy="Compare the organisation in the path with the organisation of the key, and refuse the request where they"
        " differ.",
        example=Example("PUT /v1/orgs/43/actions/definitions with a key of organisation 42", "200"),
        assertion=NOT_SERVED,
        recorded=_KEYS | {Evidence.SERVICE},
        explained_by=frozenset({"AUTH-4"}),
    ),
    Rule(
        code="AUTH-8",
        weight=Severity.WARNING,
        title="A 401 names its scheme in WWW-Authenticate",
        source="RFC 9110 §11.6.1",
        phases=frozenset({Phase.EVERY_EXCHANGE}),
        verifiers=_CHECKS,
        remedy="Send WWW-Authenticate with every 401, such as `WWW-Authenticate: ApiKey`.",
        example=Example("POST /v1/modack with a wrong key", "401 without a header WWW-Authenticate"),
        assertion=Assertion(expression="lacks(answers[-1], 401, 'www-authenticate')"),
        recorded=frozenset({Evidence.ANSWER_HEADERS}),
        harmless=True,
    ),
    Rule(
        code="AUTH-9",
        weight=Severity.WARNING,
        title="On ingress a missing key is 401, whatever else is wrong",
        source="B005",
        phases=_PHASES,
        verifiers=_CHECKS,
        remedy="Check the key before the variant and the body, so that a request without a key is always answered with"
        " 401.",
        example=Example('POST /v1/modack without a key, {"attempt": -1}', "400"),
        assertion=not_answered_with(400, 403, 404, 409, 422),
        recorded=_KEYS,
        harmless=True,
        explained_by=frozenset({"AUTH-4"}),
    ),
    Rule(
        code="AUTH-10",
        weight=Severity.WARNING,
        title="A good key opens, whatever the other header has",
        source="B002",
        phases=_PHASES,
        verifiers=_CHECKS,
        remedy="Try every header that the page lists, and accept the request if one of them has a valid key.",
        example=Example(
            "POST /v1/modack with a valid key in x-arklow-auth and `Authorization: Basic YTpi`", "401"
        ),
        assertion=not_answered_with(401),
        recorded=_KEYS | {Evidence.GOOD_KEY},
        harmless=True,
    ),
)
"""In the order of reports."""

__all__ = ["RULES"]
