"""The frozen definition and the immutable registry of one organisation: versions, aliases before variants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import chain, islice

from .destinations import Destination, Link
from .errors import AliasTaken, NegativeVersion, UnknownDestination, UnknownVariant, VersionTooLong
from .json_text import Json

MAX_VERSION_DIGITS = 4_000
"""Below the 4,300 digits a JSON number may have here, so that `+1` never leaves that bound."""


@dataclass(frozen=True, slots=True)
class Definition:
    """What kind of work a variant is. `versions` has the schema of every version that was ever stored."""

    id: str
    variant: str
    version: int
    alias: tuple[str, ...]
    schema: Json
    versions: Mapping[int, Json]
    links: tuple[Link, ...] = ()
    """Where its actions may go (B058); one is the default, if there are any (B059)."""

    def available(self, asserted: int | None) -> int:
        """The version to use: the asserted one if it is stored, else the current one (B035 to B037, C4)."""
        return self.version if asserted is None or asserted not in self.versions else asserted


@dataclass(frozen=True, slots=True)
class Registry:
    """All definitions of one organisation, by variant and by alias. Methods return new registries."""

    by_variant: Mapping[str, Definition] = field(default_factory=dict)
    by_alias: Mapping[str, str] = field(default_factory=dict)
    """Alias → variant of the definition that owns it."""
    destinations: Mapping[str, Destination] = field(default_factory=dict)
    """By label."""
    routes: Mapping[str, Destination] = field(default_factory=dict)
    """Variant → default destination of its definition, where it has one (B059)."""

    def resolve(self, name: str) -> Definition:
        """The definition that `name` reaches, alias before variant (B038, C5).

        Raises:
            UnknownVariant: nothing answers to this name (Q6).
        """
        found = self.by_variant.get(self.by_alias.get(name, name))
        if found is not None:
            return found
        known = [other[:40] for other in islice(chain(self.by_alias, self.by_variant), 100)]
        near = get_close_matches(name[:40], known, n=3) or known[:3]
        hint = (
            f"known here: {', '.join(short(n) for n in near)}" if near else "this organisation has none yet"
        )
        raise UnknownVariant(
            f"path variant: expected the variant or alias of a definition ({hint}), got {short(name)}; "
            "PUT the definition first, or start the mock with --auto-define"
        )

    def put(
        self,
        variant: str,
        schema: Json,
        *,
        alias: tuple[str, ...] | None,
        version: int | None,
        new_id: Callable[[], str],
    ) -> tuple[Registry, Definition]:
        """Store a definition: upsert by variant, id kept (B054, B055, Q5, C7).

        A first version is 1; a schema or an alias list that differs as JSON raises it by one; an explicit
        version is stored as sent, lower ones too; an omitted alias list is kept. `new_id` is asked once, for
        a variant that is new.

        Raises:
            NegativeVersion: ingress could not answer it as published (C16).
            VersionTooLong: more than 4,000 digits.
            AliasTaken: an alias belongs to another definition.
        """
        if version is not None and version < 0:
            raise NegativeVersion(
                f"body/version: expected an integer from 0, got {short(str(version))}: ingress answers the "
                "version as digits alone"
            )
        if version is not None and version >= 10**MAX_VERSION_DIGITS:
            raise VersionTooLong(f"body/version: expected at most {MAX_VERSION_DIGITS} digits")
        for position, name in enumerate(alias or ()):
            owner = self.by_alias.get(name, variant)
            if owner != variant:
                raise AliasTaken(
                    f"body/alias/{position}: expected an alias that no other definition owns, got "
                    f"{short(name)}, which belongs to {short(owner)}"
                )
        old = self.by_variant.get(variant)
        if old is None:
            number = 1 if version is None else version
            new = Definition(new_id(), variant, number, alias or (), schema, {number: schema})
        else:
            alias = old.alias if alias is None else alias
            changed = alias != old.alias or schema.canonical != old.schema.canonical
            number = version if version is not None else old.version + changed
            new = replace(
                old, version=number, alias=alias, schema=schema, versions={**old.versions, number: schema}
            )
        kept = {name: owner for name, owner in self.by_alias.items() if owner != variant}
        registry = replace(
            self,
            by_variant={**self.by_variant, variant: new},
            by_alias=kept | dict.fromkeys(new.alias, variant),
        )
        return registry, new

    def with_destination(self, destination: Destination) -> Registry:
        """With a destination, in place of the one of its label."""
        return self._linked(self.by_variant, {**self.destinations, destination.label: destination})

    def without_destination(self, label: str) -> Registry:
        """Without a destination and the links to it; what is left of a definition's links has its first one as the
        default, if that went."""
        rest = {
            variant: replace(
                definition, links=_with_default([k for k in definition.links if k.label != label])
            )
            for variant, definition in self.by_variant.items()
            if any(link.label == label for link in definition.links)
        }
        kept = {known: destination for known, destination in self.destinations.items() if known != label}
        return self._linked({**self.by_variant, **rest}, kept)

    def with_links(
        self, variant: str, labels: Sequence[str], default: str | None, new_id: Callable[[], str]
    ) -> Registry:
        """With a definition that is linked to the destinations of these labels alone; without a default the first is
        it. A link that there was keeps its id.

        Raises:
            UnknownVariant: no definition has this variant.
            UnknownDestination: no destination has a label, or the default is none of the labels.
        """
        definition = self.by_variant.get(variant)
        if definition is None:
            raise UnknownVariant(
                f"body/variant: expected the variant of a definition, got {short(variant)}; PUT it first"
            )
        for number, label in enumerate(labels):
            if label not in self.destinations:
                raise UnknownDestination(
                    f"body/destinations/{number}: expected {_one_of(self.destinations)}, got {short(label)}"
                )
        if default is not None and default not in labels:
            raise UnknownDestination(f"body/default: expected {_one_of(labels)}, got {short(default)}")
        ids = {link.label: link.id for link in definition.links}
        first = labels[0] if default is None and labels else default
        links = tuple(Link(ids.get(label) or new_id(), label, label == first) for label in labels)
        return self._linked({**self.by_variant, variant: replace(definition, links=links)}, self.destinations)

    def _linked(
        self, by_variant: Mapping[str, Definition], destinations: Mapping[str, Destination]
    ) -> Registry:
        routes = {
            variant: destinations[link.label]
            for variant, definition in by_variant.items()
            for link in definition.links
            if link.is_default
        }
        return Registry(by_variant, self.by_alias, destinations, routes)


def _one_of(labels: Iterable[str]) -> str:
    return f"the label of a destination ({', '.join(short(label) for label in islice(labels, 10)) or 'none yet'})"


def _with_default(links: Sequence[Link]) -> tuple[Link, ...]:
    if not links or any(link.is_default for link in links):
        return tuple(links)
    return (links[0]._replace(is_default=True), *links[1:])


def short(name: str) -> str:
    """A name as it may stand in a message: quoted, control characters escaped, at most 60 characters."""
    return repr(name if len(name) <= 60 else name[:57] + "...")
