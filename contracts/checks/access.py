"""Which requests were carried out: those with a good key should be, those without one should not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from ..core.exchange import Exchange
from ..core.findings import Finding
from ..openapi.document import Operation
from .context import CheckContext
from .facts import Facts


def check(facts: Facts, context: CheckContext, tested: Counter[str]) -> Iterator[Finding]:
    """Check AUTH-1, AUTH-3, AUTH-4, AUTH-6, AUTH-9 and AUTH-10."""
    operation, exchange = facts.operation, facts.exchange
    if operation is None or not operation.key_headers:
        return
    owners = {credential.key: credential.org for credential in context.target.credentials}
    named = {
        name.lower(): value.strip()
        for name, value in exchange.headers
        if name.lower() in operation.key_headers
    }
    good = {name: owners[value] for name, value in named.items() if value and value in owners}
    if good:
        yield from _with_a_good_key(facts, operation, context, good, len(named), tested)
        return
    has_key = any(named.values())
    undeclared = [
        name.lower()
        for name, value in exchange.headers
        if value in owners and name.lower() in context.document.key_headers - set(operation.key_headers)
    ]
    tested["AUTH-3" if undeclared else "AUTH-4"] += 1
    if facts.accepted and undeclared:
        yield Finding(
            "AUTH-3",
            operation.label,
            f"A key in {undeclared[0]} is served, which the page does not list",
            "a refusal",
            str(exchange.status),
            (exchange,),
        )
    elif facts.accepted and (not has_key or _is_ours(facts, operation, context)):
        yield Finding(
            "AUTH-4",
            operation.label,
            _title(exchange, has_key, owners),
            "401" if not operation.control_plane else "a refusal",
            f"{exchange.status} {context.shown(exchange.answer)}",
            (exchange,),
        )
    elif _refused_without_key(facts, operation) and not has_key and not undeclared:
        tested["AUTH-9"] += 1
        if exchange.status in (400, 403, 404, 409, 422) and operation.label in context.learned.routed:
            yield Finding(
                "AUTH-9",
                operation.label,
                f"A missing key is answered with {exchange.status}",
                "401",
                str(exchange.status),
                (exchange,),
                fault=str(exchange.status),
            )


def _refused_without_key(facts: Facts, operation: Operation) -> bool:
    """Whether it is the application that refuses, on an operation whose page says how it refuses a missing key."""
    refused = 400 <= facts.exchange.status < 500 and facts.exchange.has_envelope
    return refused and not operation.control_plane


def _with_a_good_key(
    facts: Facts,
    operation: Operation,
    context: CheckContext,
    good: Mapping[str, str],
    key_headers: int,
    tested: Counter[str],
) -> Iterator[Finding]:
    """Check a request that shows a good key.

    `good` has the organisation of each header with a good key, by its name; `key_headers` is how many headers for keys
    the request has.
    """
    org, exchange = facts.organisation, facts.exchange
    if org is not None and org not in good.values():
        if not (org.isascii() and org.isdigit()):
            return
        tested["AUTH-6"] += 1
        if facts.accepted:
            yield Finding(
                "AUTH-6",
                operation.label,
                "A key acts for an organisation that it does not belong to",
                "a refusal",
                f"{exchange.status} for organisation {org}",
                (exchange,),
            )
        return
    rule = "AUTH-1" if key_headers == 1 else "AUTH-10"
    if rule == "AUTH-10" and exchange.status == 401 and not exchange.has_envelope:
        return  # the word of a gateway, and nothing asks it again
    tested[rule] += 1
    if exchange.status == 401:
        beside = "" if key_headers == 1 else ", as there is another header for keys"
        yield Finding(
            rule,
            operation.label,
            f"A good key in {' and '.join(good)} is refused{beside}",
            f"the key accepted in {' or '.join(operation.key_headers)}",
            f"401 {context.shown(exchange.answer)}",
            (exchange,),
            next(iter(good)),
        )


def _title(exchange: Exchange, has_key: bool, owners: Mapping[str, str]) -> str:
    """Say what was served: a wrong key, a good one elsewhere in the request, or no key."""
    if has_key:
        return "A request with a wrong key is served"
    for name, value in exchange.headers:
        if any(key in value for key in owners):
            return f"A request with its key in {name.lower()} is served"
    inside = any(quote(key, safe="") in exchange.query for key in owners)
    return "A request with its key in the query is served" if inside else "A request without a key is served"


def _is_ours(facts: Facts, operation: Operation, context: CheckContext) -> bool:
    """Whether what was served belongs to an organisation of ours, so that the key cannot be a good one of another."""
    if operation.control_plane:
        return str(facts.data.get("org_id")) in {credential.org for credential in context.target.credentials}
    if str(facts.data.get("a_def_id")) in context.learned.definitions:
        return True
    body = None if facts.body.has_byte_order_mark else facts.body.value
    return isinstance(body, dict) and str(body.get("action_record_id")) in context.learned.actions


__all__ = ["check"]
