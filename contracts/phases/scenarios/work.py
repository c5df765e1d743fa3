"""Work: of every kind, as often as a client likes, and never lost once it is accepted."""

from __future__ import annotations

from typing import Any, Final

from ...core.findings import Breach
from ..api import Api
from ..requests import INGRESS, JSON, MODACK
from .scenario import scenario


@scenario("work of every kind", "PAGE-11", "PAGE-8")
def kinds(api: Api) -> None:
    """Post payloads, metadata and tags of every JSON type, and extend a lease by every length."""
    variant = api.define()
    api.accept(variant, {"order_id": "8471"})
    for payload in _PAYLOADS:
        api.ingress(variant, payload)
    for payload in _BEYOND:
        api.probe(INGRESS, {"payload": payload}, name=variant)
    for members in _MEMBERS:
        api.ingress(variant, {"order_id": "8471"}, **members)
    number = api.accept(variant)
    for seconds in (1, 3_600, 2**31, 2**53, 2**63 - 1):
        api.modack(number, 0, seconds)
    for number in ("1" * 20, "9" * 40):
        api.modack(number)


_PAYLOADS: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1.5, 2**53 - 1, "", "a", "ünï 😀", [], [1, [2, [3]]]),
    *({}, {"": 1}, {"__proto__": {"a": 1}, "constructor": 1, "hasOwnProperty": None}, {"a": {"b": [None]}}),
    *({"payload": 1}, {f"m{n}": n for n in range(60)}, "x" * 2_000, list(range(300))),
    {"payload": {"payload": 1}, "tags": 5, "version": "x"},
)
_BEYOND: Final[tuple[Any, ...]] = ("\u0000", 1e300, 2**64, "\ud800")
"""Payloads that a parser with limits may refuse (RFC 8259 §9), and must not fail on."""
_MEMBERS: Final[tuple[dict[str, Any], ...]] = (
    {"tags": {}},
    {"tags": {"region": "eu", "tier": ""}},
    {"tags": {"größe": "ü", "😀": "😀", "a.b": "c", "": "x"}},
    {"tags": {f"t{n}": "v" for n in range(12)}},
    {"metadata": None},
    {"metadata": False},
    {"metadata": {"a": [1, "b", None]}},
    {"metadata": "text"},
    {"metadata": []},
    {"version": 1.0},
    {"tags": {"a": "b"}, "metadata": {"c": "d"}, "version": 1},
)


@scenario("tags in the query", "PAGE-11", "PAGE-8")
def query_tags(api: Api) -> None:
    """Post tags in the query, beside those of the body, whatever the payload is (B032, B033)."""
    variant = api.define()
    api.accept(variant)
    for query in ("tag.region=eu", "tag.region=eu&tag.tier=gold", "tag.region=", "tag.region=%C3%BC"):
        api.ingress(variant, {"a": 1}, query=query)
    api.ingress(variant, {"a": 1}, query="tag.region=eu", tags={"region": "us", "tier": "gold"})
    api.ingress(variant, [1], query="tag.region=eu")


@scenario("what was accepted stays", "ING-11", "ING-12", "ING-3")
def custody(api: Api) -> None:
    """Extend an action after refusals of every kind, and after much else was accepted: it is not lost."""
    variant = api.define()
    first = api.accept(variant)
    api.modack(first)
    for headers in ([JSON], [api.requests.key()]):
        api.send(INGRESS, None, name=variant, headers=headers)
    api.send(MODACK, {})
    api.ingress(variant, 2)
    api.modack(first)
    for number in range(40):
        api.accept(variant, number)
    api.modack(first)
    api.ingress(variant, 2)
    _accuse_lost_actions(api, variant)


def _accuse_lost_actions(api: Api, variant: str) -> None:
    """Accuse the target if one of many equal actions is unknown while the others are live."""
    if not api.known_definition(variant).unattended:
        return  # a linked client may have settled them
    live, lost = 0, None
    for number in [api.accept(variant, {"n": number}) for number in range(12)]:
        exchange = api.modack(number)
        live += exchange.is_served
        if exchange.status == 404 and exchange.has_envelope and live > 2:
            lost = lost or exchange
        elif exchange.is_served and lost is not None:  # this one was left alone as long
            breach = Breach(
                "ING-11",
                "An accepted action is not known, and others that were accepted alike are",
                "200, as for the others",
                "404, after two seconds too",
            )
            api.accusations.accuse(breach, api.judge.needed(lost))
            return


@scenario("equal work", "ING-7", "ING-9")
def equal_work(api: Api) -> None:
    """Post equal work: each POST makes a new action, whatever header says that it is the same (B023, B024)."""
    variant, other = api.define(), api.define({"maxProperties": 100})
    for _ in range(3):
        api.ingress(variant, {"same": True}, tags={"a": "b"}, metadata={"n": 1})
        api.ingress(other, {"same": True}, tags={"a": "b"}, metadata={"n": 1})
    for _ in range(2):
        api.send(
            INGRESS,
            {"payload": {"same": True}},
            name=variant,
            headers=[api.requests.key(), JSON, ("idempotency-key", "arklow-contracts-1")],
        )


__all__ = ["custody", "equal_work", "kinds", "query_tags"]
