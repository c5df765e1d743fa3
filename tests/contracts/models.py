"""What is done to a reference model, and which rules its answers break."""

from __future__ import annotations

from typing import Any

from contracts.core.findings import Breach
from contracts.model import definitions, signals
from contracts.model.ingress import post
from contracts.model.signals import Kind, Signal
from contracts.model.world import Model


def put(
    model: Model,
    version: int | float = 1,
    answered: dict[str, Any] | None = None,
    variant: str = "v",
    sent: int | None = None,
    org: str = "1",
    **members: Any,
) -> list[Breach]:
    """Put a definition; its answer shows what was put, except for the members `answered`. Return the breaches."""
    body = {"variant": variant, "schema": {}, **members} | ({} if sent is None else {"version": sent})
    defaults = {"id": f"d-{variant}", "org_id": org, "alias": [], "destinations": []}
    data = {**defaults, **body, "version": version, **(answered or {})}
    return definitions.put(model, org, body, 200, data)


def defined(model: Model, version: int | float = 1, **members: Any) -> list[str]:
    """Put a definition; return the codes of the broken rules."""
    return [breach.rule for breach in put(model, version, **members)]


def work(
    model: Model, name: str = "v", number: str = "1", asked: int | None = None, org: str = "1", **data: Any
) -> list[Breach]:
    """Post work that is accepted; return the breaches."""
    body = {"payload": 1} | ({} if asked is None else {"version": asked})
    answer = {"a_id": number, "a_def_id": f"d-{name}", "queue_s": "queued", "a_va": name, "a_ve": "1", **data}
    return post(model, org, name, body, 200, answer)


def accepted(model: Model, name: str = "v", number: str = "1", **members: Any) -> list[str]:
    """Post work that is accepted; return the codes of the broken rules."""
    return [breach.rule for breach in work(model, name, number, **members)]


def turned_away(
    model: Model, name: str = "v", status: int = 400, asked: int | None = None, at: float = 10.0, **more: Any
) -> list[Breach]:
    """Post work that is refused, by default long after its definition was put; return the breaches."""
    body = {"payload": 1} | ({} if asked is None else {"version": asked})
    return post(model, "1", name, body, status, {}, at=at, **more)


def refused(model: Model, name: str = "v", **members: Any) -> list[str]:
    """Post work that is refused; return the codes of the broken rules."""
    return [breach.rule for breach in turned_away(model, name, **members)]


def signal(
    model: Model, kind: Kind, attempt: int, status: int, at: float = 1, number: str = "1", **more: Any
) -> list[Breach]:
    """Send a signal of the first organisation; return what its answer breaks."""
    seconds = 300 if kind == "modack" else 0
    return signals.follow(model, Signal(kind, "1", number, attempt, status, at, at, seconds=seconds, **more))


def extended(
    model: Model, attempt: int, status: int, at: float, number: str = "1", org: str = "1", mod_ack: int = 300
) -> list[str]:
    """Send a modack; return the codes of the rules that its answer breaks."""
    found = signals.follow(model, Signal("modack", org, number, attempt, status, at, at, seconds=mod_ack))
    return [breach.rule for breach in found]


def settled(model: Model, kind: Kind, attempt: int, status: int, at: float = 1, **more: Any) -> list[str]:
    """Send an ack, nack or defer; return the codes of the rules that its answer breaks."""
    return [breach.rule for breach in signal(model, kind, attempt, status, at, **more)]


def lowered(model: Model, variant: str = "v") -> Model:
    """Put version 7, then version 3."""
    defined(model, 7, variant=variant, sent=7)
    defined(model, 3, variant=variant, sent=3)
    return model


def live() -> Model:
    """Make a model of one action whose attempt 0 is held from second 0 on."""
    model = Model()
    defined(model)
    accepted(model)
    extended(model, 0, 200, 0)
    return model


__all__ = [
    "accepted",
    "defined",
    "extended",
    "live",
    "lowered",
    "put",
    "refused",
    "settled",
    "signal",
    "turned_away",
    "work",
]
