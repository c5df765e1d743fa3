"""When the reference model may be told of an exchange: what has happened must be beyond doubt.

A request that is odd in any way may have been taken in another way than the model would take it, and a refusal may be
the word of a proxy. The model then follows nothing, instead of predicting from what did not happen.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl

from ..checks.context import CheckContext
from ..checks.facts import Facts
from ..model.world import as_integer

INGRESS_PATH: Final = "/v1/ingress/{variant}"
PUT_LABEL: Final = "PUT /v1/orgs/{org_id}/actions/definitions"


def unmistakable_body(facts: Facts) -> dict[str, Any] | None:
    """Return the members of the body, name → value, of a request with one good key that conforms to its page in every way.

    None for all other requests.
    """
    operation, exchange = facts.operation, facts.exchange
    if (
        facts.owner is None
        or operation is None
        or operation.request_schema is None
        or not exchange.has_plain_path
    ):
        return None
    if exchange.request_header("content-encoding") or facts.media_types != ("application/json",):
        return None
    if facts.organisation not in (None, facts.owner) or _has_more_than_tags(exchange.query):
        return None
    body = facts.body
    keeps_page = body.problems == () and not body.has_byte_order_mark
    return body.value if keeps_page and _is_as_modelled(operation.label, body.value) else None


def _is_as_modelled(label: str, body: Any) -> bool:
    """Whether a body has what the model reads of it: the document of a target may allow more than ours does."""
    if not isinstance(body, dict):
        return False
    if label == f"POST {INGRESS_PATH}":
        return "payload" in body
    if label != PUT_LABEL:
        return True
    alias = body.get("alias", [])
    return (
        isinstance(body.get("variant"), str)
        and "schema" in body
        and (as_integer(body["version"]) is not None if "version" in body else True)
        and isinstance(alias, list)
        and all(isinstance(name, str) for name in alias)
    )


def tells_of_state(facts: Facts, body: dict[str, Any], context: CheckContext) -> bool:
    """Whether an answer says something of what the target has stored, rather than of keys, HTTP or limits."""
    status = facts.exchange.status
    if status in NOT_READ or 300 <= status < 400 or not facts.exchange.has_envelope:
        return False
    if facts.accepted:
        return True
    request = facts.operation.request_schema if facts.operation is not None else None
    members = context.document.resolve(request or "").get("properties", {})
    return body.keys() <= members.keys() and facts.is_ordinary_request


def _has_more_than_tags(query: str) -> bool:
    """Whether a query has anything but printable tags (B032)."""
    pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
    only_tags = all(name.startswith("tag.") and f"{name}{value}".isprintable() for name, value in pairs)
    return not only_tags or "\ufffd" in f"{pairs}" or bool(query) > bool(pairs)


NOT_READ: Final = frozenset({401, 403, 405, 408, 411, 413, 414, 415, 431})
"""Statuses that say something of keys or HTTP: the application need not have read the body."""


__all__ = ["INGRESS_PATH", "NOT_READ", "PUT_LABEL", "tells_of_state", "unmistakable_body"]
