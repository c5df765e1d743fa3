"""Put a definition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..domain.definitions import Definition
from ..domain.destinations import Destination
from ..domain.errors import SchemaNotEnforceable
from ..domain.json_text import Json
from ..domain.ports import Schemas, Store


class Stored(NamedTuple):
    """A stored definition, and why its schema checks nothing (empty when it is enforced)."""

    definition: Definition
    unenforced: str
    destinations: Mapping[str, Destination]
    """All there are, by label."""


class Definitions:
    """The control plane's part of the world."""

    def __init__(self, store: Store, schemas: Schemas, *, strict: bool) -> None:
        self._store = store
        self._schemas = schemas
        self._strict = strict

    async def put(
        self, org_id: str, variant: str, schema: Json, *, alias: tuple[str, ...] | None, version: int | None
    ) -> Stored:
        """Create or update the definition of `variant`.

        Raises:
            DefinitionRefused: see `Registry.put`; with strict schemas also one that cannot be enforced.
        """
        unenforced = await self._schemas.standing(schema)
        if unenforced and self._strict:
            raise SchemaNotEnforceable(
                f"body/schema: expected a schema that can be enforced, got one where {unenforced}"
            )
        organisation = self._store.organisation(org_id)
        organisation.registry, definition = organisation.registry.put(
            variant, schema, alias=alias, version=version, new_id=organisation.new_definition_id
        )
        return Stored(definition, unenforced, organisation.registry.destinations)
