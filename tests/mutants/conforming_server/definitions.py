"""Definitions on the conforming server: PUT's body, versions, aliases, and how a definition is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .json_values import canonical, compiled, integer_of
from .requests import Requests
from .values import LONGEST_VERSION, Definition, Refused, RequestedDefinition, bad_request


class Definitions(Requests):
    """How definitions are read, stored, numbered and shown."""

    def read_definition(self, body: Any) -> RequestedDefinition:
        if not isinstance(body, dict):
            raise bad_request("the body is not an object")
        if not isinstance(body.get("variant"), str):
            raise bad_request("variant is not a string")
        self.check_members(body, {"variant", "schema", "version", "alias"})
        return RequestedDefinition(
            body["variant"], self.schema_of(body), self.definition_version_of(body), self.alias_of(body)
        )

    def schema_of(self, body: dict[str, Any]) -> Any:
        if "schema" not in body:
            raise bad_request("schema is missing")
        schema = body["schema"]
        if self.choices.bad_schema == "refused" and isinstance(schema, dict) and compiled(schema) is None:
            raise bad_request("schema is no JSON Schema")
        return schema

    def definition_version_of(self, body: dict[str, Any]) -> int | None:
        if "version" not in body:
            return None
        if (version := integer_of(body["version"])) is None:
            raise bad_request("version is not an integer")
        if version < 0 and self.choices.negative_version == "refuse":
            raise bad_request("version is negative")
        if abs(version) >= 10**LONGEST_VERSION:
            raise bad_request("version is too long")
        return version

    def alias_of(self, body: dict[str, Any]) -> list[str] | None:
        if "alias" not in body:
            return None
        alias = body["alias"]
        if not isinstance(alias, list) or not all(isinstance(item, str) for item in alias):
            raise bad_request("alias is not an array of strings")
        return alias

    def store(self, org: str, requested: RequestedDefinition) -> Definition:
        """Create or update the definition of a variant, and return it.

        Raises:
            Refused: 409, an alias is another definition's, or the version is lower, as the choices say.
        """
        definition = self.definitions.get((org, requested.variant))
        if definition is not None:
            requested = self.applied(definition, requested)
        self.claim_aliases(org, definition, requested.alias or [])
        if definition is None:
            return self.define(org, requested)
        self.update(definition, requested)
        return definition

    def applied(self, definition: Definition, requested: RequestedDefinition) -> RequestedDefinition:
        """What counts of a PUT to a definition that exists."""
        if requested.alias is None and self.choices.omitted_alias == "emptied":
            requested = replace(requested, alias=[])
        if requested.version is None or requested.version >= definition.version:
            return requested
        if self.choices.lower_version == "refused":
            raise Refused(409, "LOWER_VERSION", "the definition has a higher version")
        return replace(requested, version=None) if self.choices.lower_version == "ignored" else requested

    def claim_aliases(self, org: str, own: Definition | None, names: list[str]) -> None:
        """Take these aliases from every other definition of the organisation, or refuse the PUT."""
        for other in self.definitions.values():
            if other.org_id != org or other is own or not (taken := set(names) & set(other.alias)):
                continue
            if self.choices.alias == "refuse":
                raise Refused(409, "ALIAS_TAKEN", "another definition has this alias")
            other.alias = [name for name in other.alias if name not in taken]

    def define(self, org: str, requested: RequestedDefinition) -> Definition:
        version = 1 if requested.version is None else requested.version
        definition = Definition(
            self.new_id(), org, requested.variant, version, requested.alias or [], requested.schema
        )
        definition.versions[version] = requested.schema
        self.definitions[org, requested.variant] = definition
        return definition

    def update(self, definition: Definition, requested: RequestedDefinition) -> None:
        alias = definition.alias if requested.alias is None else requested.alias
        same_schema = canonical(definition.schema) == canonical(requested.schema)
        changed = alias != definition.alias or not same_schema
        version = self.next_version(definition.version, requested.version, changed)
        if self.choices.update_id == "changes" and (changed or version != definition.version):
            definition.id = self.new_id()
        definition.version = version
        definition.alias, definition.schema = alias, requested.schema
        definition.versions[definition.version] = requested.schema

    def next_version(self, current: int, sent: int | None, changed: bool) -> int:
        """The version after a PUT: the one that was sent, or as `Choices.upsert` says."""
        if sent is not None:
            return sent
        always, never = self.choices.upsert == "always-bump", self.choices.upsert == "keep"
        return self.bumped(current) if always or (changed and not never) else current

    def bumped(self, version: int) -> int:
        """The version after this one."""
        return version + 1

    def put_answer(self, definition: Definition) -> Any:
        return {"data": self.definition_data(definition), "errors": None}

    def definition_data(self, definition: Definition) -> dict[str, Any]:
        data = {
            "id": definition.id,
            "org_id": definition.org_id,
            "variant": definition.variant,
            "version": definition.version,
            "alias": definition.alias,
            "schema": definition.schema,
            "deleted_at": None,
            "destinations": [],
        }
        if self.choices.destinations:
            data["destinations"] = [self.link(definition)]
        return data

    def link(self, definition: Definition) -> dict[str, Any]:
        return {
            "id": "71",
            "action_definition_id": definition.id,
            "destination_id": "72",
            "org_id": definition.org_id,
            "is_default": True,
            "destination": self.destination(definition),
        }

    def destination(self, definition: Definition) -> dict[str, Any]:
        return {
            "id": "72",
            "org_id": definition.org_id,
            "updated_at": "2026-07-22T09:30:00.000Z",
            "deleted_at": None,
            "label": "orders",
            "tags": {"region": "eu"},
            "credential_id": None,
            "type": "webhook",
            "config": self.destination_config(),
        }

    def destination_config(self) -> dict[str, Any]:
        return {
            "url": "https://example.com/hook",
            "headers": {"x-team": "orders"},
            "signaling": {"enabled": True, "default": "ack"},
            "response_time_sla_ms": 5000,
        }


__all__ = ["Definitions"]
