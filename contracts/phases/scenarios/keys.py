"""Which keys open the operations: in each header, nearly right ones, and good ones where none is read."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from ..api import Api
from ..requests import INGRESS, JSON, MODACK, PUT, NotReached
from .scenario import scenario

WRONG = "arklow-contracts-wrong-key"
"""A key that was issued to no organisation."""


@scenario("keys that are none", "AUTH-4")
def wrong_keys(api: Api) -> None:
    """Call each operation without a key, with an empty one, and with one that was never issued, in each header."""
    for label, body, name in _calls(api):
        for headers in (
            (),
            (("x-arklow-auth", ""),),
            (("x-arklow-auth", WRONG),),
            (("authorization", WRONG),),
        ):
            api.probe(label, body, name=name, headers=[*headers, JSON])


@scenario("who may enter", "AUTH-1", "AUTH-3", "AUTH-4", "AUTH-6", "AUTH-9", "AUTH-10")
def keys(api: Api) -> None:
    """Call each operation with keys of every kind; good ones first, as many wrong ones may lock the good one out."""
    good, near = api.requests.key()[1], api.context.target.first.near_misses
    for label, body, name in _calls(api):
        operation = api.context.operation(label)
        listed = operation.key_headers if operation else ()
        for headers in _good(good, listed):
            api.probe(label, body, name=name, headers=[*headers, JSON])
        for headers in _elsewhere(good, listed):
            api.probe(label, body, name=name, headers=[*headers, JSON])
        for parameter in ("x-arklow-auth", "authorization", "api_key", "key", "token"):
            api.probe(label, body, name=name, headers=[JSON], query=f"{parameter}={quote(good, safe='')}")
        for headers in _wrong(listed, near):
            api.probe(label, body, name=name, headers=[*headers, JSON])
    api.probe(INGRESS, {}, name=api.name(), headers=[JSON])
    api.probe(MODACK, {}, headers=[JSON])
    unknown = str(api.random.randrange(10**17, 10**18))
    api.probe(MODACK, {"action_record_id": unknown, "attempt": 0, "mod_ack": 60}, headers=[JSON])
    body = {"variant": api.name(), "schema": {}}
    api.probe(PUT, body, path_org=str(int(api.requests.organisation()) + 10**9))


def _calls(api: Api) -> list[tuple[str, dict[str, Any], str]]:
    """Return triples of an operation, a good body and the variant in its path, aimed at what exists.

    Raises:
        NotReached: no work was accepted.
    """
    variant = api.define()
    try:
        number = api.live()
    except NotReached:
        number = api.accept(variant)
    return [
        (INGRESS, {"payload": 1}, variant),
        (MODACK, api.lease_body(number), ""),
        (PUT, {"variant": variant, "schema": {}}, ""),
    ]


def _good(good: str, listed: tuple[str, ...]) -> Iterator[list[tuple[str, str]]]:
    """Yield headers with the good key: each that the page lists, in any case, together, and beside wrong keys."""
    for name in listed:
        yield [(name, good)]
        yield [(name.title(), good)]
        yield [(name.upper(), good)]
    if len(listed) > 1:
        yield [(name, good) for name in listed]
    for name in listed:
        for other in {"x-arklow-auth", "authorization"} - {name}:
            yield [(name, good), (other, WRONG)]
            yield [(other, WRONG), (name, good)]
            yield [(name, good), (other, "")]


def _elsewhere(good: str, listed: tuple[str, ...]) -> Iterator[list[tuple[str, str]]]:
    """Yield headers with the good key in a place where the page has none."""
    if "authorization" not in listed:
        yield [("authorization", good)]
    for name in ("x-api-key", "api-key", "x-auth-token", "x-arklow-key"):
        yield [(name, good)]
    yield [("cookie", f"x-arklow-auth={good}")]
    yield [("authorization", f"Basic {base64.b64encode(f'{good}:'.encode()).decode()}")]


def _wrong(listed: tuple[str, ...], near: Iterable[str]) -> Iterator[list[tuple[str, str]]]:
    """Yield headers with wrong keys: nearly right ones in each header that is read, and words that some programs let in."""
    for name in listed:
        yield [(name, "")]
        yield [(name, WRONG)]
        for other in near:
            yield [(name, other)]
    for other in ("null", "undefined", "*", "0", "Bearer", "true", "admin"):
        yield [("x-arklow-auth", other)]


__all__ = ["WRONG", "keys", "wrong_keys"]
