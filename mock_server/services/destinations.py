"""Commands on destinations and on the links of definitions to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..domain import destinations
from ..domain.definitions import Definition, quoted
from ..domain.destinations import MOST_DESTINATIONS, Destination, Kind
from ..domain.errors import TooManyDestinations, UnknownDestination
from ..domain.ports import Organisation, Store
from .timers import Timers


class Destinations:
    """Puts, deletes and links destinations. Event loop only; each command is entered in the journal."""

    def __init__(self, store: Store, timers: Timers) -> None:
        self._store = store
        self._timers = timers

    async def put(
        self,
        org_id: str,
        label: str,
        kind: Kind,
        config: Mapping[str, Any],
        *,
        tags: Mapping[str, str] | None = None,
        credential: Mapping[str, str] | None = None,
    ) -> Destination:
        """Create or replace the destination of a label; its id stays, and so do the links to it.

        Args:
            org_id: the organisation's id.
            label: the destination's name within its organisation.
            kind: its type.
            config: what S-def has for that type.
            tags: its tags; None for none.
            credential: secret headers, name → value; None for no credential.

        Raises:
            DestinationRefused: see `destinations.check`.
            TooManyDestinations: the organisation keeps as many as it may.
        """
        destinations.check(kind, config, credential or {}, "body")
        if kind is Kind.WEBHOOK:
            await self._timers.prepare_calls()
        organisation = self._store.organisation(org_id)
        old = organisation.registry.destinations.get(label)
        if old is None and len(organisation.registry.destinations) >= MOST_DESTINATIONS:
            raise TooManyDestinations(
                f"body/label: expected one of the {MOST_DESTINATIONS} destinations that organisation {org_id} keeps, "
                f"got {quoted(label)}; delete one first"
            )
        new = destinations.put(
            old,
            label,
            kind,
            config,
            tags=tags,
            credential=tuple(credential.items()) if credential else None,
            new_id=organisation.new_link_id,
            now=self._timers.now(organisation),
        )
        routed = _routed_variants(organisation, label)
        organisation.registry = organisation.registry.with_destination(new)
        self._enter(organisation, "destination", label)
        await self._timers.offer_waiting(organisation, routed)
        return new

    async def delete(self, org_id: str, id: str) -> Destination:
        """Delete a destination and the links to it; calls that are under way there are finished.

        Raises:
            UnknownDestination: the organisation has none of this id.
        """
        organisation = self._store.organisation(org_id)
        registry = organisation.registry
        found = next((known for known in registry.destinations.values() if known.id == id), None)
        if found is None:
            raise UnknownDestination(
                f"path id: expected the id of a destination of organisation {org_id}, got {id}"
            )
        routed = _routed_variants(organisation, found.label)
        organisation.registry = registry.without_destination(found.label)
        self._enter(organisation, "destination deleted", found.label)
        await self._timers.offer_waiting(organisation, routed)
        return found

    async def set_links(
        self, org_id: str, variant: str, labels: Sequence[str], *, default: str | None
    ) -> Definition:
        """Link a definition to the destinations of these labels, and to no others; None makes the first the default.

        Raises:
            UnknownVariant, UnknownDestination: see `Registry.with_links`.
        """
        organisation = self._store.organisation(org_id)
        organisation.registry = organisation.registry.with_links(
            variant, labels, default, organisation.new_link_id
        )
        self._enter(organisation, "links", variant)
        await self._timers.offer_waiting(organisation, {variant})
        return organisation.registry.by_variant[variant]

    def why_not_called(self, destination: Destination) -> str:
        """Return why a webhook is not called; empty for one that is, and for destinations of other types."""
        return self._timers.why_not_called(destination)

    def _enter(self, organisation: Organisation, name: str, details: str) -> None:
        organisation.journal.add_command(self._timers.now(organisation), name, details)


def _routed_variants(organisation: Organisation, label: str) -> set[str]:
    """The variants whose actions go to a destination."""
    return {variant for variant, to in organisation.registry.routes.items() if to.label == label}
