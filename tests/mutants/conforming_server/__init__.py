"""A server that keeps every promise of the document, written from the published pages alone.

Nothing of it comes from the mock or from the judge: a mistake that both had would otherwise hide in the tests. Each file
is a layer over the one before: state, answers, requests, definitions, lifecycle, ingress, signals, records, server.
"""

from __future__ import annotations

from .choices import DEFAULT_CHOICES, Choices, Operation
from .json_values import canonical, compiled, depth, integer_of
from .server import ConformingServer
from .values import (
    CONTROL_PLANE,
    INT32,
    INT64,
    KEYS,
    TERMINAL,
    Action,
    Definition,
    Page,
    Refused,
    RequestedDefinition,
    Terms,
    Work,
    bad_request,
    crash,
)

__all__ = [
    "CONTROL_PLANE",
    "DEFAULT_CHOICES",
    "INT32",
    "INT64",
    "KEYS",
    "TERMINAL",
    "Action",
    "Choices",
    "ConformingServer",
    "Definition",
    "Operation",
    "Page",
    "Refused",
    "RequestedDefinition",
    "Terms",
    "Work",
    "bad_request",
    "canonical",
    "compiled",
    "crash",
    "depth",
    "integer_of",
]
