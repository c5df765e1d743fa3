"""Rules on the deployment as a whole: its interpretations, its order of concurrent calls, its organisations."""

from __future__ import annotations

from typing import Final

from .assertions import SAME_ANSWERS
from .rule import Example, Phase, Rule, Severity, Verifier

_MODEL = frozenset({Verifier.MODEL})

RULES: Final = (
    Rule(
        code="READ-1",
        weight=Severity.VIOLATION,
        title="An interpretation that was taken is kept",
        source="C1, C4, C5, C6, C7, C16, Q2, Q3, Q5, Q6, Q7",
        phases=frozenset({Phase.CONSTRUCTED, Phase.RANDOM_WALKS}),
        verifiers=_MODEL,
        remedy="Make every instance, and every call, answer the open question in the same way.",
        example=Example(
            "PUT of a definition that is stored already, unchanged, twice",
            "200 with version 2, then 200 with version 2",
        ),
        assertion=SAME_ANSWERS,
        explained_by=frozenset({"DEF-10", "ING-3", "ING-7", "ING-11", "PAGE-5"}),
    ),
    Rule(
        code="READ-2",
        weight=Severity.WARNING,
        title="An interpretation is the one that was expected",
        source="ours",
        phases=frozenset({Phase.OUTCOME}),
        verifiers=frozenset({Verifier.RUN}),
        remedy="Change the deployment, or the file of --interpretations, until both say the same.",
        example=Example(
            "POST /v1/ingress/unknown, and --interpretations has `unknown variant: refused`",
            '200 {"data": {"a_id": "30…", …}}',
        ),
        assertion=SAME_ANSWERS,
    ),
    Rule(
        code="RACE-1",
        weight=Severity.VIOLATION,
        title="What concurrent calls are answered fits some order of them",
        source="B023, B035, B055, B120",
        phases=frozenset({Phase.CONSTRUCTED, Phase.CONCURRENT}),
        remedy="Make each change of a definition or an action atomic, such as by a transaction or a lock.",
        example=Example(
            "PUT of two different schemas for one variant at the same moment", "200 with version 2, for both"
        ),
        assertion=SAME_ANSWERS,
        one_sighting_is_proof=True,
        explained_by=frozenset(
            {"ING-3", "ING-7", "ING-9", "DEF-10", "LEASE-3", "LEASE-8", "LIFE-9", "READ-1", "PAGE-5"}
        ),
    ),
    Rule(
        code="ORG-1",
        weight=Severity.VIOLATION,
        title="A definition serves its own organisation alone",
        source="B133, S-def",
        phases=frozenset({Phase.CONSTRUCTED, Phase.RANDOM_WALKS}),
        verifiers=_MODEL,
        remedy="Look variants and aliases up among the definitions of the key's own organisation.",
        example=Example(
            "POST /v1/ingress/order.created with a key of organisation 42",
            "200 with the a_def_id of a definition of organisation 43",
        ),
        assertion=SAME_ANSWERS,
    ),
)
"""In the order of reports."""

__all__ = ["RULES"]
