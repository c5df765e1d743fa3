"""Servers for the judge to try itself on: an conforming variant, and mutants that each break one promise."""

from .catalogue import MUTANTS, NOT_SHOWN, Mutant
from .conforming_server import Choices, ConformingServer
from .conforming_variants import CONFORMING_VARIANTS
from .deployments import DEPLOYMENTS
from .holdout import HOLDOUT
from .races import RACES, RACING

__all__ = [
    "CONFORMING_VARIANTS",
    "DEPLOYMENTS",
    "HOLDOUT",
    "MUTANTS",
    "NOT_SHOWN",
    "RACES",
    "RACING",
    "Choices",
    "ConformingServer",
    "Mutant",
]
