"""Ingress on the conforming server: work is read, matched with its definition, and accepted as an action."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from flask import request

from .json_values import integer_of, violates
from .lifecycle import Lifecycle
from .values import INT32, LIFETIME, Action, Definition, Refused, RequestedDefinition, Work, bad_request


class Ingress(Lifecycle):
    """How work is read, matched with its definition, and accepted."""

    def read_work(self, body: Any) -> Work:
        """Read a body as an envelope or as the payload itself (`Choices.body`)."""
        enveloped = isinstance(body, dict) and "payload" in body
        if self.choices.body == "raw" or (self.choices.body == "raw-without-payload" and not enveloped):
            return Work(body, self.query_tags(), self.query_version())
        if not isinstance(body, dict):
            raise bad_request("the body is not an object")
        self.check_members(body, {"payload", "metadata", "tags", "version"})
        tags = self.tags_of(body)
        payload, version = self.payload_of(body), self.version_of(body)
        return Work(payload, tags | self.query_tags(), version, body.get("metadata"))

    def query_tags(self) -> dict[str, str]:
        """Tags of the query by name (B032)."""
        return {name[4:]: value for name, value in request.args.items() if name.startswith("tag.")}

    def query_version(self) -> int | None:
        text = request.args.get("version", "")
        return int(text) if re.fullmatch("[0-9]{1,10}", text) else None

    def payload_of(self, body: dict[str, Any]) -> Any:
        if "payload" not in body:
            raise bad_request("payload is missing")
        return body["payload"]

    def tags_of(self, body: dict[str, Any]) -> dict[str, str]:
        tags = body.get("tags", {})
        if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
            raise bad_request("tags is not a map of strings")
        return tags

    def version_of(self, body: dict[str, Any]) -> int | None:
        if "version" not in body:
            return None
        version = integer_of(body["version"])
        if version is None or not 1 <= version <= INT32:
            raise bad_request("version is not an int32 of at least 1")
        return version

    def resolve(self, org: str, variant: str) -> Definition:
        """Return the definition that a name of the path leads to, by variant or by alias (B038)."""
        by_variant = self.definitions.get((org, variant))
        by_alias = next(
            (one for one in self.definitions.values() if one.org_id == org and variant in one.alias), None
        )
        order = (by_alias, by_variant) if self.choices.alias_first else (by_variant, by_alias)
        return order[0] or order[1] or self.undefined(org, variant)

    def undefined(self, org: str, variant: str) -> Definition:
        """Refuse a name that leads nowhere, or define it (`Choices.unknown_variant`)."""
        if self.choices.unknown_variant == "refuse":
            raise Refused(400, "UNKNOWN_VARIANT", "no definition has this variant or alias")
        return self.define(org, RequestedDefinition(variant, {}, None, None))

    def choose_version(self, definition: Definition, sent: int | None) -> int:
        """The version that work is accepted with: the one that was sent where it is stored, else the current one."""
        if sent is None:
            return definition.version
        if sent in definition.versions:
            return sent
        if self.choices.bad_version == "refuse":
            raise Refused(400, "UNKNOWN_VERSION", "the definition has no such version")
        return definition.version

    def check_payload(self, payload: Any, schema: Any) -> None:
        if self.choices.enforce_schema and schema and violates(payload, schema):
            raise Refused(400, "PAYLOAD_REJECTED", "the payload breaks the schema of its definition")

    def accept(self, definition: Definition, version: int, posted_as: str, work: Work) -> Action:
        now = self.now()
        begins = now + (LIFETIME if self.choices.delivery == "never" else self.choices.first_delivery)
        action = Action(self.new_id(), replace(definition), version, posted_as, work, now, begins)
        self.actions[action.id] = action
        self.note(action, "accepted", now)
        return action

    def ingress_answer(self, action: Action) -> Any:
        return {"data": self.action_data(action)}

    def action_data(self, action: Action) -> dict[str, Any]:
        return {
            "a_id": action.id,
            "a_def_id": action.definition.id,
            "queue_s": "queued",
            "a_va": action.definition.variant if self.choices.a_va == "variant" else action.posted_as,
            "a_ve": str(action.version),
        }


__all__ = ["Ingress"]
