"""What comes first: how a body is read, the way of every client, one refusal of each kind."""

from __future__ import annotations

from typing import Any, Final

from ..api import PLAIN, Api
from ..requests import INGRESS, JSON, MODACK, PUT, NotReached, answered
from .scenario import scenario


@scenario(
    "define, ingress, modack",
    *("AUTH-1", "DEF-2", "DEF-10", "ING-3", "ING-7", "ING-9", "ING-10", "ING-11", "LEASE-8", "PAGE-11"),
)
def first_steps(api: Api) -> None:
    """Go the way of every client: define, post work, extend the lease."""
    variant = api.define({"type": "object", "required": ["order_id"]})
    api.accept(variant, {"order_id": "8471"})
    api.accept(variant, {"order_id": "8471"})
    number = api.live()
    held = api.held_attempt(number)
    api.modack(number, held, 300)
    if api.modack(number, held, 60).status == 409:
        # tells an action that another client has settled from one whose next attempt has begun
        api.modack(number, held + 1, 60)


@scenario("one refusal of each kind", "AUTH-4", "PAGE-5", "PAGE-9")
def refusals(api: Api) -> None:
    """Send wrong keys, empty bodies, work for an unknown variant, and modacks for unknown actions and attempts."""
    variant = api.define()
    lease = {"action_record_id": api.accept(variant), "attempt": 0, "mod_ack": 300}
    definition = {"variant": variant, "schema": {}}
    for label, good in ((INGRESS, {"payload": PLAIN}), (MODACK, lease), (PUT, definition)):
        api.probe(label, {}, name=variant)
        api.probe(label, good, name=variant, headers=[JSON])
        for wrong in ("", "arklow-contracts-wrong-key"):
            api.probe(label, good, name=variant, headers=[("x-arklow-auth", wrong), JSON])
    api.ingress(api.name("unknown"))
    api.modack(str(api.random.randrange(10**17, 10**18)))
    api.modack(api.accept(variant), 5)


@scenario("how a body is read", "PAGE-9", "PAGE-10")
def bodies(api: Api) -> None:
    """Find out which interpretation of an ingress body the target takes (C1), before any body is judged.

    Two definitions tell the envelope from its content: the schema of one wants an integer, that of the other a member
    `payload`. Where schemas are not enforced, envelopes with broken members do.

    Raises:
        NotReached: neither tells it.
    """
    integer = api.define({"type": "integer"})
    envelope = api.define({"type": "object", "required": ["payload"]})
    as_content = _status(api, {"payload": 1}, integer)
    as_whole = _status(api, {"payload": 1}, envelope)
    schemas = "enforced" if (as_content == 200) != (as_whole == 200) else "not enforced"
    interpretation = None
    if schemas == "enforced":
        interpretation = "envelope" if as_content == 200 else "whole body"
    elif as_content == 200:
        statuses = [_status(api, {"payload": 1, **one}, integer) for one in _BROKEN_ENVELOPES]
        interpretation = "envelope" if 400 in statuses else None
    if interpretation == "envelope":
        bare = _status(api, {"order": 1}, api.define())
        if bare == 200:
            interpretation = "envelope, whole without payload"
    if interpretation is None:
        raise NotReached("it could not be told how an ingress body is read")
    api.sequence.note("ingress body", interpretation, api.exchanges[-1])


def _status(api: Api, body: Any, name: str) -> int:
    """Post a body and return the status with which the application answers; asked again where a gateway answers.

    Raises:
        NotReached: nothing but a gateway answers.
    """
    for _ in range(_TRIES):
        exchange = api.send(INGRESS, body, name=name)
        if exchange.has_envelope:
            return exchange.status
    raise NotReached(f"work {answered(exchange)}")


_TRIES: Final = 3
"""How often a body is posted whose answer is not the application's word."""
_BROKEN_ENVELOPES: Final = ({"tags": 5}, {"version": "x"}, {"tags": ["a"]}, {"version": None})
"""Members that break the envelope and nothing else: a target that reads envelopes refuses one of them at least."""

__all__ = ["bodies", "first_steps", "refusals"]
