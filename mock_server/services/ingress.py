"""Accept work."""

from __future__ import annotations

from ..domain import actions
from ..domain.actions import Action
from ..domain.definitions import Definition
from ..domain.errors import UnknownVariant
from ..domain.json_text import EMPTY_OBJECT, Json
from ..domain.ports import Clock, Ids, Schemas, Store


class Ingress:
    """Turns accepted work into actions."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, schemas: Schemas, *, auto_define: bool) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._schemas = schemas
        self._auto_define = auto_define

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
        """A new action for every call, even with equal input (B023).

        `name` is an alias or a variant. A version that is not stored falls back to the current one (B037,
        C4).

        Raises:
            UnknownVariant: nothing answers to `name`.
            PayloadRejected, PayloadUndecided: see `Schemas.check`; no record exists then (B039).
        """
        definition = self._definition(org_id, name)
        number = definition.available(version)
        schema = definition.versions[number]
        if schema is not EMPTY_OBJECT:
            await self._schemas.check(schema, payload)
        action = actions.accepted(
            id=self._ids.next(org_id),
            org_id=org_id,
            definition_id=definition.id,
            variant=definition.variant,
            version=number,
            payload=payload.text,
            metadata=metadata,
            tags=tags,
            now=self._clock.now(),
        )
        self._store.add_action(action)
        return action

    def _definition(self, org_id: str, name: str) -> Definition:
        registry = self._store.registry(org_id)
        try:
            return registry.resolve(name)
        except UnknownVariant:
            if not self._auto_define:
                raise
        registry, definition = registry.put(
            name,
            EMPTY_OBJECT,
            alias=None,
            version=None,
            org_id=org_id,
            new_id=lambda: self._ids.next(org_id),
        )
        self._store.save_registry(org_id, registry)
        return definition
