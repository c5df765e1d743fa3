"""Servers for the judge to try itself on: an honest stranger, and liars that each break one promise."""

from .faults import FAULTS, NOT_SHOWN, Fault
from .serving import stranger
from .stranger import Manners, Stranger

__all__ = ["FAULTS", "NOT_SHOWN", "Fault", "Manners", "Stranger", "stranger"]
