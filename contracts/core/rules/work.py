"""Rules on accepting work: which definition an ingress request reaches, and what becomes of its action."""

from __future__ import annotations

from typing import Final

from .assertions import SAME_ANSWERS, not_answered_with
from .rule import Assertion, Example, Phase, Rule, Severity, Verifier

_MODEL = frozenset({Verifier.MODEL})
_CONSTRUCTED = frozenset({Phase.CONSTRUCTED})
_WALKED_TOO = _CONSTRUCTED | {Phase.RANDOM_WALKS}

RULES: Final = (
    Rule(
        code="ING-1",
        weight=Severity.WARNING,
        title="An alias comes before a variant of the same name",
        source="B038, C5",
        phases=_CONSTRUCTED,
        verifiers=_MODEL,
        remedy="Look a name up among the aliases of the organisation first, and among its variants second.",
        example=Example(
            'POST /v1/ingress/x, where "x" is an alias of the variant "a" and a variant itself',
            '200 with a_va "x"',
        ),
        assertion=SAME_ANSWERS,
    ),
    Rule(
        code="ING-3",
        weight=Severity.VIOLATION,
        title="Without a version the current one is used",
        source="B035",
        phases=_WALKED_TOO,
        verifiers=_MODEL,
        remedy="Use the current version of the definition where the body names none, and drop cached definitions on PUT.",
        example=Example(
            "POST /v1/ingress/order.created without `version`, after PUT was answered with version 2",
            '200 with a_ve "1"',
        ),
        assertion=Assertion(expression="another_version(answers)"),
        explained_by=frozenset({"DEF-10", "DEF-11", "ING-7"}),
    ),
    Rule(
        code="ING-7",
        weight=Severity.VIOLATION,
        title="Every accepted POST is a new action",
        source="B023",
        phases=_WALKED_TOO | {Phase.CONCURRENT},
        verifiers=_MODEL,
        remedy="Make a new id for each accepted POST, also where its body equals an earlier one.",
        example=Example(
            "POST /v1/ingress/order.created, the same body twice", "200 with the same a_id twice"
        ),
        assertion=Assertion(expression="repeats_an_id(answers)"),
    ),
    Rule(
        code="ING-9",
        weight=Severity.VIOLATION,
        title="a_def_id is the definition and a_va its variant",
        source="S-ing, B022",
        phases=_WALKED_TOO,
        verifiers=_MODEL,
        remedy="Answer with id and variant of the definition that the name in the path reaches.",
        example=Example(
            "POST /v1/ingress/order.created, which PUT has given the id 1000000001",
            '200 with a_def_id "1000000002"',
        ),
        assertion=Assertion(expression="another_definition(answers, {identity})", needs_others=True),
        explained_by=frozenset({"DEF-10"}),
    ),
    Rule(
        code="ING-10",
        weight=Severity.VIOLATION,
        title="An accepted action is queued",
        source="B021",
        phases=_WALKED_TOO,
        verifiers=_MODEL,
        remedy='Answer an accepted POST with `"queue_s": "queued"`.',
        example=Example("POST /v1/ingress/order.created", '200 with queue_s "running"'),
        assertion=Assertion(expression="differs(answers[-1], 'queue_s', 'queued')"),
    ),
    Rule(
        code="ING-11",
        weight=Severity.VIOLATION,
        title="An accepted action stays known",
        source="B108, B120",
        phases=_WALKED_TOO,
        verifiers=_MODEL,
        remedy="Store an action durably, where every instance finds it, before its POST is answered with 200.",
        example=Example("POST /v1/modack for an action that was accepted seconds before", "404"),
        assertion=not_answered_with(404),
        needs_control_actions=True,
    ),
    Rule(
        code="ING-12",
        weight=Severity.WARNING,
        title="An accepted action is known at once",
        source="Q35",
        phases=_CONSTRUCTED,
        verifiers=frozenset({Verifier.MODEL, Verifier.PHASES}),
        remedy="Answer a POST only when every instance knows its action, or read from where it was written.",
        example=Example(
            "POST /v1/modack for an action that was just accepted, and the same again two seconds later",
            "404, then 200",
        ),
        assertion=Assertion(expression="has_status(answers[-1], [404], {expected})", about_fresh=True),
    ),
    Rule(
        code="ING-14",
        weight=Severity.WARNING,
        title="Under an alias a_va is the variant of the definition",
        source="B022, C5",
        phases=_CONSTRUCTED,
        verifiers=_MODEL,
        remedy="Answer with the variant of the definition, and not with the name in the path.",
        example=Example('POST /v1/ingress/x, where "x" is an alias of the variant "a"', '200 with a_va "x"'),
        assertion=Assertion(expression="under_its_alias(answers)"),
    ),
    Rule(
        code="ING-15",
        weight=Severity.WARNING,
        title="A variant is compared as the text that it is",
        source="S-def, S-ing",
        phases=_CONSTRUCTED,
        verifiers=_MODEL,
        remedy="Compare variants character by character; upper and lower case are different names.",
        example=Example(
            "POST /v1/ingress/ORDER.CREATED, where order.created alone is defined", "200 with its a_def_id"
        ),
        assertion=SAME_ANSWERS,
    ),
)
"""In the order of reports."""

__all__ = ["RULES"]
