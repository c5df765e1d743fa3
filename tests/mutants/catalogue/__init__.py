"""The mutants that the judge was written with, by the kind of promise that they break."""

from __future__ import annotations

from .answers import RESPONSE_SCHEMA
from .auth import AUTH
from .robustness import ROBUSTNESS
from .state import STATE
from .validation import VALIDATION

MUTANTS = AUTH.mutants | ROBUSTNESS.mutants | RESPONSE_SCHEMA.mutants | STATE.mutants | VALIDATION.mutants
"""Keyed by id."""
NOT_SHOWN = {
    "S10": "An explicit version is stored as sent (Q5), so a lower one rolls the conforming server back as well.",
}
"""Keyed by the id of a mutant that was considered: why it was dropped."""

__all__ = ["MUTANTS", "NOT_SHOWN"]
