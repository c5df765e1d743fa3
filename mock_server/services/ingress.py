"""Accept posted work as actions."""

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
    """Checks posted work against its definition, and makes an action of it."""

    def __init__(
        self, store: Store, timers: Timers, schemas: Schemas, interpretations: Interpretations = DEFAULTS
    ) -> None:
        self._store = store
        self._timers = timers
        self._schemas = schemas
        self._interpretations = interpretations
        self._checks_payloads = interpretations.payload_mismatch == "refused"

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
        """Make an action, for every call a new one, even with equal input (B023), and give it to its recipient at once.

        Args:
            org_id: the organisation's id.
            name: the variant of the work, or an alias.
            payload: the work itself.
            metadata: a JSON text; empty when none was sent.
            tags: pairs of key and value.
            version: the version that the client asserts; None for the current one. One that is not stored falls back to the
                current one (B037, C4).

        Raises:
            UnknownVariant: `name` reaches no definition.
            UnknownVersion: see `Definition.version_for`.
            PayloadRejected, PayloadUndecided: see `Schemas.check`; no action is made then (B039).
        """
        organisation = self._store.organisation(org_id)
        definition, number = await self._checked_definition(organisation, name, payload, version)
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

    async def _checked_definition(
        self, organisation: Organisation, name: str, payload: Json, version: int | None
    ) -> tuple[Definition, int]:
        """The definition that a payload fits, and the version of it."""
        while True:
            definition, registry = self._definition(organisation, name), organisation.registry
            number = definition.version_for(version, self._interpretations)
            schema = definition.versions[number]
            if schema is EMPTY_OBJECT or not self._checks_payloads:
                return definition, number
            await self._schemas.check(schema, payload)
            if organisation.registry is registry:  # else it was put or reset meanwhile: check once more
                return definition, number

    def _definition(self, organisation: Organisation, name: str) -> Definition:
        """The definition that a name reaches, made when the interpretations have it so."""
        registry = organisation.registry
        try:
            return registry.resolve(name, self._interpretations)
        except UnknownVariant:
            if not self._may_define(registry, name):
                raise
        organisation.registry, definition = registry.put(
            name, EMPTY_OBJECT, alias=None, version=None, new_id=organisation.new_definition_id
        )
        return definition

    def _may_define(self, registry: Registry, name: str) -> bool:
        """Whether a name that reaches no definition is given one that takes every payload."""
        if name in registry.by_alias:
            return self._interpretations.alias == "is a variant of its own"
        return self._interpretations.unknown_variant == "made on the fly"
