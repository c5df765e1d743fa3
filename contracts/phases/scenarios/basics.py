"""What comes first: how a body is read, one whole life of an action, one refusal of each kind."""

from __future__ import annotations

from typing import Final

from ..requests import INGRESS, JSON, MODACK, PUT, NotReached
from ..sequence import PLAIN, Stage
from .scenario import scenario


@scenario(
    "define, ingress, modack",
    *("AUTH-1", "DEF-2", "DEF-10", "ING-3", "ING-7", "ING-9", "ING-10", "ING-11", "LEASE-8", "PAGE-11"),
)
def first_steps(stage: Stage) -> None:
    """The way that every client goes."""
    variant = stage.define({"type": "object", "required": ["order_id"]})
    stage.accept(variant, {"order_id": "8471"})
    stage.accept(variant, {"order_id": "8471"})
    number = stage.live()
    held = stage.attempt_of(number)
    stage.modack(number, held, 300)
    if stage.modack(number, held, 60).status == 409:
        stage.modack(number, held + 1, 60)  # settled by somebody, or has another attempt begun?


@scenario("one refusal of each kind", "AUTH-4", "PAGE-5", "PAGE-9")
def refusals(stage: Stage) -> None:
    """A key that is none, a body that is none, work and an action that nobody knows."""
    variant = stage.define()
    lease = {"action_record_id": stage.accept(variant), "attempt": 0, "mod_ack": 300}
    definition = {"variant": variant, "schema": {}}
    for label, good in ((INGRESS, {"payload": PLAIN}), (MODACK, lease), (PUT, definition)):
        stage.probe(label, {}, name=variant)
        stage.probe(label, good, name=variant, headers=[JSON])
        for wrong in ("", "arklow-contracts-wrong-key"):
            stage.probe(label, good, name=variant, headers=[("x-arklow-auth", wrong), JSON])
    stage.ingress(stage.name("unknown"))
    stage.modack(str(stage.random.randrange(10**17, 10**18)))
    stage.modack(stage.accept(variant), 5)


@scenario("how a body is read", "PAGE-9", "PAGE-10")
def bodies(stage: Stage) -> None:
    """Which of its readings of an ingress body the deployment takes (C1): asked before bodies are judged.

    A definition whose schema requires a member `payload` tells the envelope from its content.
    """
    number = stage.define({"type": "integer"})
    envelope = stage.define({"type": "object", "required": ["payload"]})
    inner = stage.send(INGRESS, {"payload": 1}, name=number).status
    outer = stage.send(INGRESS, {"payload": 1}, name=envelope).status
    schemas = "enforced" if (inner == 200) != (outer == 200) else "not enforced"
    reading = None
    if schemas == "enforced":
        reading = "envelope" if inner == 200 else "whole body"
    elif inner == 200:
        statuses = [
            stage.send(INGRESS, {"payload": 1, **one}, name=number).status for one in _BROKEN_ENVELOPES
        ]
        reading = "envelope" if 400 in statuses else None
    if reading == "envelope":
        bare = stage.send(INGRESS, {"order": 1}, name=stage.define()).status
        if bare == 200:
            reading = "envelope, whole without payload"
    if reading is None:
        raise NotReached("it could not be told how an ingress body is read")
    stage.judge.note("ingress body", reading, stage.exchanges[-1])


_BROKEN_ENVELOPES: Final = ({"tags": 5}, {"version": "x"}, {"tags": ["a"]}, {"version": None})

__all__ = ["bodies", "first_steps", "refusals"]
