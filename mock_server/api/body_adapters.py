"""What a request body becomes before it is checked, where the sources describe it in several ways (C1, B044).

Adapters are functions of a module, so that they can be sent to a worker process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final

from ..domain.definitions import quoted
from ..domain.interpretations import Interpretations
from .document import Operation
from .errors import Refused

Adapter = Callable[[Any], Any]
"""A parsed body → the body that is checked; raises `Refused`."""

_VARIANT_IN_PATH: Final = "createIngressVariantAction"
_VARIANT_IN_BODY: Final = "createIngressAction"


def wrap_without_payload(body: Any) -> Any:
    """Return the body, or an envelope around it when it has no `payload` member (C1, B027)."""
    return body if isinstance(body, dict) and "payload" in body else {"payload": body}


def wrap_whole(body: Any) -> Any:
    """Return an envelope around the body, whatever it is (C1, B028)."""
    return {"payload": body}


def refuse_other_members(body: Any, *, members: Sequence[str]) -> Any:
    """Return a body that has no members but these.

    Raises:
        Refused: it has another (B044).
    """
    other = next((name for name in body if name not in members), None) if isinstance(body, dict) else None
    if other is not None:
        raise Refused(
            "INVALID_BODY", f"body: expected no members but {', '.join(members)}, got {quoted(other)}"
        )
    return body


def body_adapters(interpretations: Interpretations, operations: Iterable[Operation]) -> dict[str, Adapter]:
    """Return the adapters that interpretations ask for, keyed by operation id; most operations have none."""
    match interpretations.ingress_body:
        case "whole body":
            found: dict[str, Adapter] = {_VARIANT_IN_PATH: wrap_whole}
        case "envelope, whole without payload":
            found = {_VARIANT_IN_PATH: wrap_without_payload}
        case _:
            found = {}
    if interpretations.unnamed_members == "ignored":
        return found
    for operation in operations:
        if (
            operation.id in (_VARIANT_IN_PATH, _VARIANT_IN_BODY)
            and operation.body is not None
            and operation.body.members
        ):
            strict = partial(refuse_other_members, members=sorted(operation.body.members))
            first = found.get(operation.id)
            found[operation.id] = strict if first is None else partial(_in_turn, first=first, then=strict)
    return found


def _in_turn(body: Any, *, first: Adapter, then: Adapter) -> Any:
    return then(first(body))


__all__ = ["Adapter", "body_adapters", "refuse_other_members", "wrap_whole", "wrap_without_payload"]
