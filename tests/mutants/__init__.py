"""Servers that the judge is tried on: a conforming one with its lawful variants, and mutants that break one promise each.

Nothing here knows the judge or the mock: a test holds that.
"""

from __future__ import annotations

from .catalogue import MUTANTS, NOT_SHOWN
from .conforming_server import Choices, ConformingServer
from .conforming_variants import CONFORMING_VARIANTS
from .deployments import DEPLOYMENTS
from .further import FURTHER
from .holdout import HOLDOUT
from .mutant import Mutant, mutant
from .races import RACES, with_window

__all__ = [
    "CONFORMING_VARIANTS",
    "DEPLOYMENTS",
    "FURTHER",
    "HOLDOUT",
    "MUTANTS",
    "NOT_SHOWN",
    "RACES",
    "Choices",
    "ConformingServer",
    "Mutant",
    "mutant",
    "with_window",
]
