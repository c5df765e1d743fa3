"""Rules on definitions: their versions, their aliases, and what a PUT stores."""

from __future__ import annotations

from typing import Final

from .assertions import NOT_REFUSED, SAME_ANSWERS
from .rule import Assertion, Example, Phase, Rule, Severity, Verifier

_MODEL = frozenset({Verifier.MODEL})
_CONSTRUCTED = frozenset({Phase.CONSTRUCTED})
_WALKED_TOO = _CONSTRUCTED | {Phase.RANDOM_WALKS}

RULES: Final = (
    Rule(
        code="DEF-1",
        weight=Severity.WARNING,
        title="A definition can be put again",
        source="Q5",
        phases=_CONSTRUCTED,
        verifiers=_MODEL,
        remedy="Let PUT update the definition where its variant exists already.",
        example=Example("PUT of a variant that is defined already, with another schema", "409"),
        assertion=NOT_REFUSED,
    ),
    Rule(
        code="DEF-2",
        weight=Severity.VIOLATION,
        title="The first version is 1",
        source="B054",
        phases=_WALKED_TOO,
        verifiers=_MODEL,
        remedy="Give a new definition version 1 where its PUT names none, and count the versions of each one apart.",
        example=Example(
            'PUT of a new variant, {"variant": "order.created", "schema": {}}', "200 with version 0"
        ),
        assertion=Assertion(expression="differs(answers[-1], 'version', 1)", needs_others=True),
    ),
    Rule(
        code="DEF-3",
        weight=Severity.WARNING,
        title="An update raises the version by one at most",
        source="B055, Q5",
        phases=_WALKED_TOO,
        verifiers=_MODEL,
        remedy="Raise the version by one when a definition changes, and by nothing else.",
        example=Example("PUT of another schema for a variant of version 1", "200 with version 3"),
        assertion=Assertion(expression="skips_versions(answers)"),
        explained_by=frozenset({"DEF-10", "ING-11"}),
    ),
    Rule(
        code="DEF-7",
        weight=Severity.WARNING,
        title="An alias belongs to one definition",
        source="C5",
        phases=_CONSTRUCTED,
        verifiers=_MODEL,
        remedy="Refuse a PUT whose alias another definition has.",
        example=Example(
            'PUT {"variant": "b", "schema": {}, "alias": ["x"]} while the definition of "a" has the alias "x"',
            '200, and "x" reaches "b" from now on',
        ),
        assertion=SAME_ANSWERS,
    ),
    Rule(
        code="DEF-10",
        weight=Severity.VIOLATION,
        title="PUT answers with the definition that was put",
        source="S-def",
        phases=_WALKED_TOO,
        verifiers=_MODEL,
        remedy="Store variant, schema and aliases as they were sent, and answer with what was stored.",
        example=Example(
            'PUT {"variant": "order.created", "schema": {"type": "object"}}',
            '200 {"data": {"schema": {}, …}, …}',
        ),
        assertion=Assertion(expression="not_as_put(answers, {name})"),
    ),
    Rule(
        code="DEF-11",
        weight=Severity.VIOLATION,
        title="A definition that was refused is not stored",
        source="B005",
        phases=_CONSTRUCTED,
        remedy="Check the key and the body before anything is stored, or undo what was stored when a PUT is refused.",
        example=Example(
            "PUT with a wrong key, refused with 401, then POST /v1/ingress/{the same variant} with a valid key",
            "200",
        ),
        assertion=Assertion(expression="served_otherwise(answers)"),
        explained_by=frozenset({"ING-11"}),
    ),
    Rule(
        code="DEF-12",
        weight=Severity.VIOLATION,
        title="A definition has an id of its own",
        source="S-def, S-ing",
        phases=_WALKED_TOO,
        verifiers=_MODEL,
        remedy="Give each new definition an id that no other definition has had, and answer its PUTs with that id.",
        example=Example(
            "PUT of another variant, after PUT was answered with the id 1000000001",
            '200 {"data": {"id": "1000000001", …}, …}',
        ),
        assertion=SAME_ANSWERS,
    ),
)
"""In the order of reports."""

__all__ = ["RULES"]
