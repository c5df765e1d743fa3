"""Create and update definitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..domain.definitions import Definition
from ..domain.destinations import Destination
from ..domain.errors import SchemaNotEnforceable
from ..domain.interpretations import DEFAULTS, Interpretations
from ..domain.json_text import Json
from ..domain.ports import Organisation, Schemas, Store


class Stored(NamedTuple):
    """A definition as it was put."""

    definition: Definition
    unenforced: str
    """Why its schema checks nothing; empty when it is enforced."""
    destinations: Mapping[str, Destination]
    """All destinations of the organisation, keyed by label."""


class Definitions:
    """Puts definitions."""

    def __init__(
        self, store: Store, schemas: Schemas, *, strict: bool, interpretations: Interpretations = DEFAULTS
    ) -> None:
        self._store = store
        self._schemas = schemas
        self._strict = strict
        self._interpretations = interpretations

    async def put(
        self, org_id: str, variant: str, schema: Json, *, alias: tuple[str, ...] | None, version: int | None
    ) -> Stored:
        """Create or update the definition of `variant`; None stands for what the PUT omits, see `Registry.put`.

        Raises:
            DefinitionRefused: see `Registry.put`; with strict schemas also a schema that cannot be enforced.
        """
        unenforced = await self._schemas.why_not_enforced(schema)
        if unenforced and self._strict:
            raise SchemaNotEnforceable(
                f"body/schema: expected a schema that can be enforced, got one where {unenforced}"
            )
        if self._interpretations.payload_mismatch == "accepted":
            unenforced = unenforced or "work that breaks a schema is accepted here (--interpretations)"
        organisation = self._store.organisation(org_id)
        if self._interpretations.annotated == "same version":
            schema = await self._same_as_before(organisation, variant, schema)
        organisation.registry, definition = organisation.registry.put(
            variant,
            schema,
            alias=alias,
            version=version,
            new_id=organisation.new_definition_id,
            interpretations=self._interpretations,
        )
        return Stored(definition, unenforced, organisation.registry.destinations)

    async def _same_as_before(self, organisation: Organisation, variant: str, schema: Json) -> Json:
        """The schema, with the digest of the stored one when they differ in annotations alone, so that they count as equal."""
        while True:
            registry = organisation.registry
            old = registry.by_variant.get(registry.known_variant(variant, self._interpretations))
            same = old is not None and await self._schemas.same_but_for_annotations(old.schema, schema)
            if organisation.registry is registry:  # else it was put or reset meanwhile: compare once more
                return schema._replace(canonical=old.schema.canonical) if old and same else schema
