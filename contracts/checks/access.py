"""Who was served: keys that should open, and keys that should not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote

from ..core import strict_json
from ..core.exchange import Exchange
from ..core.findings import Finding
from ..openapi.document import Operation
from .acceptance import accepted, organisation
from .context import CheckContext


def check(exchange: Exchange, known: CheckContext, tested: Counter[str]) -> Iterator[Finding]:
    """AUTH-1, AUTH-3, AUTH-4, AUTH-6, AUTH-9, AUTH-10."""
    operation = known.operation(exchange.operation)
    if operation is None or not operation.keys:
        return
    owners = {credential.key: credential.org for credential in known.target.credentials}
    named = {
        name.lower(): value.strip() for name, value in exchange.headers if name.lower() in operation.keys
    }
    shown = {name: value for name, value in named.items() if value}
    good = {name: owners[value] for name, value in shown.items() if value in owners}
    served = accepted(exchange, operation)
    if good:
        yield from _with_a_good_key(exchange, operation, known, good, named, served, tested)
        return
    undeclared = [
        name.lower()
        for name, value in exchange.headers
        if value in owners and name.lower() in known.document.keys - set(operation.keys)
    ]
    if undeclared:
        tested["AUTH-3"] += 1
    else:
        tested["AUTH-4"] += 1
    if served and undeclared:
        yield Finding(
            "AUTH-3",
            operation.label,
            f"A key in {undeclared[0]} is served, which the page does not list",
            "a refusal",
            str(exchange.status),
            (exchange,),
        )
    elif served and (not shown or _same_organisation(exchange, operation, known)):
        yield Finding(
            "AUTH-4",
            operation.label,
            _whose(exchange, shown, owners),
            "401" if not operation.control_plane else "a refusal",
            f"{exchange.status} {known.shown(exchange.answer)}",
            (exchange,),
        )
    elif not operation.control_plane and 400 <= exchange.status < 500 and not shown and not undeclared:
        tested["AUTH-9"] += 1
        if exchange.status in (400, 403, 404, 409, 422) and operation.label in known.routed:
            yield Finding(
                "AUTH-9",
                operation.label,
                f"A missing key is answered with {exchange.status}",
                "401",
                str(exchange.status),
                (exchange,),
            )


def _with_a_good_key(
    exchange: Exchange,
    operation: Operation,
    known: CheckContext,
    good: dict[str, str],
    named: dict[str, str],
    served: bool,
    tested: Counter[str],
) -> Iterator[Finding]:
    """`good` has the organisation of each header with a good key, `named` every header for keys."""
    org = organisation(exchange, operation)
    if org is not None and org not in good.values():
        if not (org.isascii() and org.isdigit()):
            return
        tested["AUTH-6"] += 1
        if served:
            yield Finding(
                "AUTH-6",
                operation.label,
                "A key acts for an organisation that it does not belong to",
                "a refusal",
                f"{exchange.status} for organisation {org}",
                (exchange,),
            )
        return
    rule = "AUTH-1" if len(named) == 1 else "AUTH-10"
    tested[rule] += 1
    if exchange.status == 401:
        beside = "" if len(named) == 1 else ", as there is another header for keys"
        yield Finding(
            rule,
            operation.label,
            f"A good key in {' and '.join(good)} is refused{beside}",
            f"the key accepted in {' or '.join(operation.keys)}",
            f"401 {known.shown(exchange.answer)}",
            (exchange,),
            next(iter(good)),
        )


def _whose(exchange: Exchange, shown: dict[str, str], owners: dict[str, str]) -> str:
    if shown:
        return "A request with a wrong key is served"
    for name, value in exchange.headers:
        if any(key in value for key in owners):
            return f"A request with its key in {name.lower()} is served"
    inside = any(quote(key, safe="") in exchange.query for key in owners)
    return "A request with its key in the query is served" if inside else "A request without a key is served"


def _same_organisation(exchange: Exchange, operation: Operation, known: CheckContext) -> bool:
    """Whether what was served is ours, so that the key cannot be a good one of somebody else."""
    data = exchange.data()
    if operation.control_plane:
        return str(data.get("org_id")) in {credential.org for credential in known.target.credentials}
    if str(data.get("a_def_id")) in known.definitions:
        return True
    try:
        body = strict_json.read(exchange.body or b"")
    except ValueError:
        return False
    return isinstance(body, dict) and str(body.get("action_record_id")) in known.actions


__all__ = ["check"]
