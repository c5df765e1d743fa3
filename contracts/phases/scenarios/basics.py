"""What comes first: how a body is read, one whole life of an action, one refusal of each kind."""

from __future__ import annotations

from typing import Final

from ..requests import INGRESS, JSON, MODACK, PUT, NotReached
from ..sequence import PLAIN, CallSequence
from .scenario import scenario


@scenario(
    "define, ingress, modack",
    *("AUTH-1", "DEF-2", "DEF-10", "ING-3", "ING-7", "ING-9", "ING-10", "ING-11", "LEASE-8", "PAGE-11"),
)
def first_steps(sequence: CallSequence) -> None:
    """The way that every client goes."""
    variant = sequence.define({"type": "object", "required": ["order_id"]})
    sequence.accept(variant, {"order_id": "8471"})
    sequence.accept(variant, {"order_id": "8471"})
    number = sequence.live()
    held = sequence.attempt_of(number)
    sequence.modack(number, held, 300)
    if sequence.modack(number, held, 60).status == 409:
        sequence.modack(number, held + 1, 60)  # settled by somebody, or has another attempt begun?


@scenario("one refusal of each kind", "AUTH-4", "PAGE-5", "PAGE-9")
def refusals(sequence: CallSequence) -> None:
    """A key that is none, a body that is none, work and an action that nobody knows."""
    variant = sequence.define()
    lease = {"action_record_id": sequence.accept(variant), "attempt": 0, "mod_ack": 300}
    definition = {"variant": variant, "schema": {}}
    for label, good in ((INGRESS, {"payload": PLAIN}), (MODACK, lease), (PUT, definition)):
        sequence.probe(label, {}, name=variant)
        sequence.probe(label, good, name=variant, headers=[JSON])
        for wrong in ("", "arklow-contracts-wrong-key"):
            sequence.probe(label, good, name=variant, headers=[("x-arklow-auth", wrong), JSON])
    sequence.ingress(sequence.name("unknown"))
    sequence.modack(str(sequence.random.randrange(10**17, 10**18)))
    sequence.modack(sequence.accept(variant), 5)


@scenario("how a body is read", "PAGE-9", "PAGE-10")
def bodies(sequence: CallSequence) -> None:
    """Which of its interpretations of an ingress body the deployment takes (C1): asked before bodies are judged.

    A definition whose schema requires a member `payload` tells the envelope from its content.
    """
    number = sequence.define({"type": "integer"})
    envelope = sequence.define({"type": "object", "required": ["payload"]})
    inner = sequence.send(INGRESS, {"payload": 1}, name=number).status
    outer = sequence.send(INGRESS, {"payload": 1}, name=envelope).status
    schemas = "enforced" if (inner == 200) != (outer == 200) else "not enforced"
    interpretation = None
    if schemas == "enforced":
        interpretation = "envelope" if inner == 200 else "whole body"
    elif inner == 200:
        statuses = [
            sequence.send(INGRESS, {"payload": 1, **one}, name=number).status for one in _BROKEN_ENVELOPES
        ]
        interpretation = "envelope" if 400 in statuses else None
    if interpretation == "envelope":
        bare = sequence.send(INGRESS, {"order": 1}, name=sequence.define()).status
        if bare == 200:
            interpretation = "envelope, whole without payload"
    if interpretation is None:
        raise NotReached("it could not be told how an ingress body is read")
    sequence.note("ingress body", interpretation, sequence.exchanges[-1])


_BROKEN_ENVELOPES: Final = ({"tags": 5}, {"version": "x"}, {"tags": ["a"]}, {"version": None})

__all__ = ["bodies", "first_steps", "refusals"]
