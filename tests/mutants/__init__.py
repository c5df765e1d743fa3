"""Servers for the judge to try itself on: an honest stranger, and liars that each break one promise."""

from .conforming_variant import Manners, Stranger
from .conforming_variants import STRANGERS
from .deployments import DEPLOYMENTS
from .faults import FAULTS, NOT_SHOWN, Fault
from .holdout import HOLDOUT
from .races import RACES, RACING
from .serving import stranger

__all__ = [
    "DEPLOYMENTS",
    "FAULTS",
    "HOLDOUT",
    "NOT_SHOWN",
    "RACES",
    "RACING",
    "STRANGERS",
    "Fault",
    "Manners",
    "Stranger",
    "stranger",
]
