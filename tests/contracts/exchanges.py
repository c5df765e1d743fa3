"""Hand-made exchanges of one definition, `v`, its work and its leases: what is not said is as a client sends it."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from contracts.core.exchange import Exchange, Headers
from contracts.phases.requests import INGRESS, JSON, MODACK, PUT
from tests.contracts.runs import check_context

KEY = ("x-arklow-auth", "good-key-one")
THEIRS = ("x-arklow-auth", "good-key-two")
_CLOCK = count(100)


def asked(
    label: str,
    body: Any,
    status: int = 200,
    data: Any = None,
    *,
    headers: Headers = (KEY, JSON),
    raw: bytes | None = None,
    segment: str = "v",
    query: str = "",
    got: Headers = (JSON, ("www-authenticate", "ApiKey")),
) -> Exchange:
    """Make an exchange with an operation; each is a second later than the one before."""
    method, _, path = label.partition(" ")
    filled = path.replace("{variant}", segment).replace("{org_id}", "1")
    errors = None if status < 300 and data is not None else [{"code": "C", "message": "m"}]
    answer: dict[str, Any] = {"data": data} | (
        {} if errors is None and "orgs" not in path else {"errors": errors}
    )
    at = float(next(_CLOCK))
    operations = check_context().document.operations
    return Exchange(
        *(method, f"http://target{filled}{query}", headers),
        json.dumps(body).encode() if raw is None else raw,
        *(status, got, json.dumps(answer).encode()),
        operation=label if label in operations else None,
        path=path if any(path == one.path for one in operations.values()) else None,
        call=at,
        back=at,
    )


def put(variant: str = "v", version: int = 1, **more: Any) -> Exchange:
    """Make a PUT that stored a definition."""
    body = {"variant": variant, "schema": {}}
    data = {"id": "771", "org_id": "1", "alias": [], "destinations": [], "version": version, **body}
    return asked(PUT, more.pop("body", body), more.pop("status", 200), more.pop("data", data), **more)


def work(number: str = "900", **more: Any) -> Exchange:
    """Make work for that definition that was accepted under an id, `number`."""
    data = {"a_id": number, "a_def_id": "771", "queue_s": "queued", "a_va": "v", "a_ve": "1"}
    return asked(INGRESS, more.pop("body", {"payload": 1}), data=data, **more)


def refusal(body: Any = None, status: int = 400, **more: Any) -> Exchange:
    """Make work that was refused."""
    return asked(INGRESS, {"payload": 1} if body is None else body, status, **more)


def modack(number: str = "900", attempt: int = 0, status: int = 200, **more: Any) -> Exchange:
    """Make a modack that extended a lease, or did not."""
    body = {"action_record_id": number, "attempt": attempt, "mod_ack": 300}
    return asked(MODACK, more.pop("body", body), status, {"status": "ok"} if status == 200 else None, **more)
