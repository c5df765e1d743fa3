"""Checks of a plan that no JSON Schema can make: it is carried out on empty registries, and payloads meet their schemas."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Final

from arklow_local.formats.excerpts import abridged_pointer

from ..domain.action_plans import ActionPlan, ExportedAction
from ..domain.definitions import Registry, quoted
from ..domain.destinations import MOST_DESTINATIONS
from ..domain.errors import ArklowError, UnknownVariant
from ..domain.json_text import EMPTY_OBJECT, Json
from ..domain.ports import Schemas
from ..domain.seeds import DefinitionPlan, ExportedIds, OrganisationPlan, SeedPlan, SeedRefused, refused

_ACTIONS_AT_A_TIME: Final = 200
"""Payloads that are checked before requests get their turn."""


async def check_plan(plan: SeedPlan, schemas: Schemas, *, strict: bool) -> None:
    """Check that a fresh organisation can be provisioned without a failure. With `strict` all schemas can be enforced.

    Raises:
        SeedRefused: something is named twice or does not exist, or a payload does not fit its schema.
    """
    checked: set[tuple[bytes, bytes]] = set()
    for organisation in plan.plans():
        registry = await asyncio.to_thread(_trial_registry, organisation)
        for definition in organisation.definitions if strict else ():
            await _refuse_unenforceable(definition, schemas)
        for number, action in enumerate(organisation.actions):
            if number % _ACTIONS_AT_A_TIME == _ACTIONS_AT_A_TIME - 1:
                await asyncio.sleep(0)
            schema, payload = _schema_of(registry, action), action.payload
            if schema is not EMPTY_OBJECT and (schema.text, payload) not in checked:
                checked.add((schema.text, payload))
                try:
                    await schemas.check(schema, Json(payload, json.loads(payload)))
                except ArklowError as error:
                    raise refused(action.place, error) from None


async def _refuse_unenforceable(definition: DefinitionPlan, schemas: Schemas) -> None:
    for schema in (definition.schema, *(other for _, other in definition.other_versions)):
        unenforced = await schemas.why_not_enforced(schema)
        if unenforced:
            raise SeedRefused(
                f"{definition.place}/schema",
                f"expected a schema that can be enforced, got one where {unenforced}",
            )


def _schema_of(registry: Registry, action: ActionPlan | ExportedAction) -> Json:
    """The schema that an action's payload has to fit; an exported payload was checked when it was accepted.

    Raises:
        SeedRefused: the action's definition does not exist.
    """
    name = action.variant if isinstance(action, ExportedAction) else action.name
    try:
        if not isinstance(action, ExportedAction):
            definition = registry.resolve(name)
            return definition.versions[definition.version_for(action.version)]
        if name in registry.by_variant:
            return EMPTY_OBJECT
        raise UnknownVariant("")
    except UnknownVariant:
        known = ", ".join(quoted(variant) for variant in list(registry.by_variant)[:10]) or "none"
        raise SeedRefused(
            f"{action.place}/variant",
            f"expected the variant or alias of a definition that is there ({known}), got {quoted(name)}",
        ) from None


def _trial_registry(plan: OrganisationPlan) -> Registry:
    """The destinations and definitions of an organisation, put one after the other as the API and the admin plane would.

    Raises:
        SeedRefused: one of them is refused, or the plan has the id of another one.
    """
    registry = Registry()
    for destination in plan.destinations:
        registry = registry.with_destination(destination.destination(None, str, 0))
    if len(registry.destinations) > MOST_DESTINATIONS:
        raise SeedRefused(
            f"{plan.place}/destinations",
            f"expected {MOST_DESTINATIONS} destinations that an organisation keeps at most, got "
            f"{len(registry.destinations)} with those of the template",
        )
    for one in plan.definitions:
        current = 1 if one.version is None else one.version
        try:
            for number, schema in (*one.other_versions, (current, one.schema)):
                registry, _ = registry.put(one.variant, schema, alias=one.alias, version=number, new_id=str)
            registry = registry.with_links(one.variant, one.labels or (), one.default, str)
        except ArklowError as error:
            raise refused(one.place, error) from None
    if plan.ids is not None:
        _refuse_unknown_names(plan.ids, "destinations", plan.ids.destinations, registry.destinations)
        _refuse_unknown_names(plan.ids, "definitions", plan.ids.definitions, registry.by_variant)
    return registry


def _refuse_unknown_names(
    ids: ExportedIds, member: str, given: Mapping[str, object], known: Mapping[str, object]
) -> None:
    for name in given:
        if name not in known:
            raise SeedRefused(
                abridged_pointer(f"{ids.place}/{member}", [name]),
                f"expected one of the {member} above, got {quoted(name)}",
            )
