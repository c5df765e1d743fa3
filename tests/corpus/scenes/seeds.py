"""Worlds that begin with a seed file, exports, a mock that starts with an export, and another document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.corpus.scenes.session import NOTHING, Scene, Session
from tests.corpus.steps import Plan, Recorded

SEED = """
keys: {shop-key: 42, other-key: "7"}
template:
  clock: {mode: frozen, now: "2026-01-01T09:00:00Z"}
  worker:
    default: hold
    variants: {invoice.sent: [nack, {do: ack, after: 2}]}
  destinations:
    - {label: shop, type: webhook, config: {url: "http://localhost:8080/200?signal=mod_ack&value=40"}, credential: {headers: {authorization: Bearer local}}}
    - {label: archive, type: default_sink, config: {}, tags: {a: b}}
  definitions:
    - {variant: order.created, alias: [order], schema: {type: object, required: [order_id]}}
    - {variant: order.archived, destinations: [archive, shop]}
    - {variant: invoice.sent, version: 3, versions: [{version: 1, schema: {type: string}}]}
  actions:
    - {variant: order, payload: {order_id: "8471"}}
    - {variant: order.created, payload: {order_id: "8472"}, tags: {shop: north}, status: retrying, attempt: 2, accepted_ago: 600, available_in: 30}
    - {variant: invoice.sent, payload: null, status: deferred, available_in: 3600}
    - {variant: invoice.sent, payload: 1, status: succeeded, accepted_ago: 86400, ended_ago: 86000}
    - {variant: invoice.sent, payload: x, version: 1, status: queued}
    - {variant: invoice.sent, payload: 2, status: dispatch_wait}
    - {variant: invoice.sent, payload: 3, status: running, available_in: 5}
    - {variant: invoice.sent, payload: 4, status: scheduled, available_at: "2026-01-01T10:00:00Z"}
    - {variant: order.archived, payload: 5, status: ack_wait, attempt: 1}
organisations:
  "42":
    seed: 7
    definitions: [{variant: order.archived, destinations: [shop]}]
    actions: [{variant: order, payload: {order_id: "9001"}, status: failed, attempt: 3}, {variant: order.archived, payload: 1}]
  "7": {clock: {mode: running}, worker: {default: ack}}
"""

DOCUMENT = """
openapi: 3.1.0
info: {title: Another, version: "1"}
security: [{apiKey: []}]
paths:
  /v1/ingress/{variant}:
    post:
      operationId: createIngressVariantAction
      parameters: [{name: variant, in: path, required: true, schema: {type: string, minLength: 1}}]
      requestBody:
        required: true
        content: {application/json: {schema: {type: object, required: [payload], properties: {payload: {}}}}}
      responses:
        "200":
          description: Accepted
          content: {application/json: {schema: {type: object, required: [data, more], properties: {data: {type: object}, more: {type: integer, minimum: 3}}}}}
  /v1/orgs/{org_id}/things/{id}:
    get:
      operationId: getThing
      parameters:
        - {name: org_id, in: path, required: true, schema: {type: string, pattern: "^[0-9]+$"}}
        - {name: id, in: path, required: true, schema: {type: integer}}
        - {name: flag, in: query, required: true, schema: {type: boolean}}
      responses:
        "200":
          description: A thing
          content: {application/json: {schema: {type: object, required: [name, when, list], properties: {name: {type: string, minLength: 3}, when: {type: string, format: date-time}, list: {type: array, minItems: 2, items: {enum: [b, a]}}}}}}
    post:
      operationId: postThing
      parameters:
        - {name: org_id, in: path, required: true, schema: {type: string}}
        - {name: id, in: path, required: true, schema: {type: string}}
      requestBody: {content: {application/json: {schema: {type: object, properties: {a: {type: integer, format: int32}}}}}}
      responses: {"204": {description: Nothing}}
components:
  securitySchemes: {apiKey: {type: apiKey, in: header, name: x-arklow-auth}}
"""


def provisioned(session: Session) -> None:
    """Look at organisations that begin provisioned, and go on with them."""
    for org in ("42", "7", "100"):
        session.admin("GET", org)
        listed = session.records("?take=50", org).data["items"]
        session.admin("GET", f"{org}/destinations")
        session.put("order.created", org, schema={"type": "object"})
        for one in listed:
            session.record(one["id"], org)
            session.signal("modack", one["id"], one["state"]["attempt"], org, mod_ack=120)
        for variant in ("order", "order.archived", "invoice.sent", "nothing"):
            session.post(variant, org, payload={"order_id": "1"})
        session.advance(45, org)
        session.records("?take=50", org)
        session.journal(org)
    for key in ("shop-key", "other-key", "third-key", "dev-key"):
        session.api("POST", "/v1/ingress/order", {"payload": {"order_id": "2"}}, key=key)
    session.admin("POST", "42/reset")
    session.admin("GET", "42")
    session.admin("POST", "42/reset", {"provision": False, "seed": 3})
    session.admin("GET", "42")
    session.records("?take=50")
    session.admin("POST", "42/reset")
    session.admin("POST", "42/fork", {"to": "8"})
    session.records("?take=50", "8")
    for query in (
        "",
        "?organisation=42",
        "?organisation=42,7,42",
        "?organisation=55",
        "?organisation=x",
        "?organisation=",
    ):
        session.admin("GET", f"/seed{query}")


def exported(session: Session) -> None:
    """Fill organisations with everything, and export them."""
    for org in ("42", "7"):
        session.freeze(org, seed=11)
        session.put("a", org, alias=["b"], schema={"type": "object"})
        session.put("a", org, schema={"type": "object", "title": "é"})
        session.put("c", org, version=4)
        session.admin("PUT", f"{org}/worker", {"variants": {"c": ["nack", {"do": "ack", "after": 30}]}})
        session.admin("PUT", f"{org}/destinations", {"label": "sink", "type": "default_sink", "config": {}})
        for number in range(9):
            action = session.post(
                "ac"[number % 2], org, payload={"n": number}, metadata=[1.5], tags={"t": "u"}
            )
            session.signal(("ack", "nack", "defer", "modack")[number % 4], action, 0, org, mod_ack=77)
            session.advance(7, org)
    session.admin("POST", "42/fork", {"to": "9"})
    session.post("a", "9", payload={})
    session.admin("GET", "/seed?organisation=7")
    session.admin("GET", "/seed")


def goes_on(session: Session) -> None:
    """Go on where another mock was."""
    for org in ("42", "7", "9"):
        session.admin("GET", org)
        for one in session.records("?take=50", org).data["items"]:
            session.record(one["id"], org)
        session.put("a", org, schema={})
        session.post("a", org, payload={"n": 1})
        session.advance(100, org)
        session.records("?take=50", org)
    session.admin("GET", "/seed")


def restarted() -> Iterator[Recorded]:
    """Start a mock with what another one exports at its end."""
    for plan, scene in (
        (Plan("exported before a restart"), exported),
        (Plan("provisioned before a restart", {"seed_file": SEED}), provisioned),
    ):
        with Session(plan) as session:
            scene(session)
            export = session.admin("GET", "/seed").data
            yield Recorded(plan, session.steps)
        after = Plan(plan.name.replace("before", "after"), {"seed_file": json.dumps(export)})
        with Session(after) as session:
            goes_on(session) if scene is exported else provisioned(session)
            yield Recorded(after, session.steps)


def another_document(session: Session) -> None:
    """Ask a mock that serves another document, with operations that only a stub answers."""
    session.freeze()
    session.admin("PUT", "42/worker", {"default": "ack"})
    for variant in ("v", "w"):
        session.put(variant)
        session.post(variant)
    bodies: tuple[Any, ...] = (NOTHING, {}, {"a": 1}, {"a": "x"}, {"a": 2**31}, [], b"{")
    for org in ("42", "7", "x"):
        for thing in ("1", "-1", "x", "1.0", "%31"):
            for query in ("", "?flag=true", "?flag=1", "?flag=false&flag=true"):
                session.api("GET", f"/v1/orgs/{org}/things/{thing}{query}")
            for body in bodies[: 7 if org == "42" else 1]:
                session.api("POST", f"/v1/orgs/{org}/things/{thing}", body)
    for path in ("/", "/openapi.json", "/openapi.yaml", "/docs/openapi.json", "/v1/ack"):
        session.api("GET", path)
    session.journal()


SCENES: tuple[Scene, ...] = (
    (Plan("another document", {"document": DOCUMENT, "auto_define": True}), another_document),
)
