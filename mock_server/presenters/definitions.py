"""Definitions, destinations and the links between them as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ..domain.definitions import Definition
from ..domain.destinations import Destination, Link
from ..domain.json_text import Json
from ..timestamps import timestamp


def definition_json(
    org_id: str,
    definition: Definition,
    version: int,
    schema: Json,
    destinations: Mapping[str, Destination],
) -> dict[str, Any]:
    """Return the members of one version of a definition by name, its links included (S-def, B058).

    `destinations` are those of the organisation, label → destination.
    """
    return {
        "id": definition.id,
        "org_id": org_id,
        "variant": definition.variant,
        "version": version,
        "alias": list(definition.alias),
        "schema": orjson.Fragment(schema.text),
        "deleted_at": None,
        "destinations": [
            link_json(org_id, definition, link, destinations[link.label]) for link in definition.links
        ],
    }


def link_json(org_id: str, definition: Definition, link: Link, destination: Destination) -> dict[str, Any]:
    """Return the members of a link by name, its destination included (B058)."""
    return {
        "id": link.id,
        "action_definition_id": definition.id,
        "destination_id": destination.id,
        "org_id": org_id,
        "is_default": link.is_default,
        "destination": destination_json(org_id, destination),
    }


def destination_json(org_id: str, destination: Destination) -> dict[str, Any]:
    """Return the members of a destination by name (S-def); of its credential it has the id alone (B202)."""
    return {
        "id": destination.id,
        "org_id": org_id,
        "updated_at": timestamp(destination.updated_at),
        "deleted_at": None,
        "label": destination.label,
        "tags": destination.tags,
        "credential_id": destination.credential.id if destination.credential else None,
        "type": destination.kind.value,
        "config": destination.config,
    }


__all__ = ["definition_json", "destination_json", "link_json"]
