"""The judge of every deployment of Arklow: generates requests, judges answers, cites the source of each rule."""

from .engine import Plan, Run
from .events import RunFinished
from .failures import Finding
from .rules import RULES, Rule, Severity
from .target import Credential, Target

__version__ = "0.1.0"
__all__ = [
    "RULES",
    "Credential",
    "Finding",
    "Plan",
    "Rule",
    "Run",
    "RunFinished",
    "Severity",
    "Target",
    "__version__",
]
