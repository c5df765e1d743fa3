"""More mutants, made from the published pages alone by an author who had not seen the judge.

They show how well the judge does on mutations that were not in mind when it was written. Each names the page, the
behaviour (B), the open question (Q), the contradiction (C) or the RFC that its verdict stands on.
"""

from __future__ import annotations

from .accepted import ACCEPTED
from .answers import RESPONSE_SCHEMA
from .auth import AUTH
from .refused import REFUSED
from .robustness import ROBUSTNESS
from .state import STATE

HOLDOUT = (
    RESPONSE_SCHEMA.mutants
    | ACCEPTED.mutants
    | REFUSED.mutants
    | AUTH.mutants
    | STATE.mutants
    | ROBUSTNESS.mutants
)
"""Keyed by id."""

__all__ = ["HOLDOUT"]
