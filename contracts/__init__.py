"""The judge of every deployment of Arklow: generates requests, judges answers, cites the source of each rule."""

from .core.events import RunFinished
from .core.findings import Finding
from .core.rules import RULES, Rule, Severity
from .core.target import Credential, Target
from .run.engine import Run
from .run.plan import Plan

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
