"""Accept work."""

from __future__ import annotations

from ..domain import actions, leases
from ..domain.actions import Action, Work
from ..domain.definitions import Definition, Registry
from ..domain.errors import UnknownVariant
from ..domain.interpretations import DEFAULTS, Interpretations
from ..domain.json_text import EMPTY_OBJECT, Json
from ..domain.ports import Organisation, Schemas, Store
from .timers import Timers


class Ingress:
    """Turns accepted work into actions."""

    def __init__(
        self, store: Store, timers: Timers, schemas: Schemas, interpretations: Interpretations = DEFAULTS
    ) -> None:
        self._store = store
        self._timers = timers
        self._schemas = schemas
        self._interpretations = interpretations
        self._checks = interpretations.payload_mismatch == "refused"

    async def accept(
        self,
        org_id: str,
        name: str,
        payload: Json,
        *,
        metadata: bytes,
        tags: tuple[tuple[str, str], ...],
        version: int | None,
    ) -> Action:
        """A new action for every call, even with equal input (B023), given to whoever takes it at once.

        `name` is an alias or a variant. A version that is not stored falls back to the current one (B037,
        C4).

        Raises:
            UnknownVariant: nothing answers to `name`.
            UnknownVersion: see `Definition.available`.
            PayloadRejected, PayloadUndecided: see `Schemas.check`; no record exists then (B039).
        """
        organisation = self._store.organisation(org_id)
        definition = self._definition(organisation, name)
        while True:
            registry = organisation.registry
            number = definition.version_for(version, self._interpretations)
            schema = definition.versions[number]
            if schema is EMPTY_OBJECT or not self._checks:
                break
            await self._schemas.check(schema, payload)
            if organisation.registry is registry:
                break
            definition = self._definition(organisation, name)  # put or reset meanwhile: check once more
        now = self._timers.now(organisation)
        work = Work(
            definition.id,
            definition.variant,
            number,
            payload.text,
            metadata,
            tags,
            now,
            now + leases.LIFETIME,
        )
        action = actions.accepted(organisation.new_action_id(), work)
        self._timers.add(
            organisation,
            (
                action,
                *actions.dispatched(
                    action, self._timers.recipient(organisation), organisation.seed, now, now
                ),
            ),
        )
        return action

    def _definition(self, organisation: Organisation, name: str) -> Definition:
        registry = organisation.registry
        try:
            return registry.resolve(name, self._interpretations)
        except UnknownVariant:
            if not self._makes(registry, name):
                raise
        organisation.registry, definition = registry.put(
            name, EMPTY_OBJECT, alias=None, version=None, new_id=organisation.new_definition_id
        )
        return definition

    def _makes(self, registry: Registry, name: str) -> bool:
        """Whether a name that reaches nothing is given an open definition."""
        if name in registry.by_alias:
            return self._interpretations.alias == "is a variant of its own"
        return self._interpretations.unknown_variant == "made on the fly"
