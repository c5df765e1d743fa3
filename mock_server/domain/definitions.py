"""The frozen definition and the immutable registry of one organisation: versions, aliases before variants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import chain, islice

from .destinations import Destination, Link
from .errors import (
    AliasTaken,
    DefinitionExists,
    LowerVersion,
    NegativeVersion,
    UnknownDestination,
    UnknownVariant,
    UnknownVersion,
    VersionTooLong,
)
from .interpretations import DEFAULTS, Interpretations
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

    def available(self, asserted: int | None, interpretations: Interpretations = DEFAULTS) -> int:
        """The version to use: the asserted one if it is stored, else the current one (B035 to B037, C4).

        Raises:
            UnknownVersion: the interpretations have such an assertion refused.
        """
        if asserted is None or asserted == self.version:
            return self.version
        older = asserted in self.versions
        interpretation = interpretations.older_version if older else interpretations.unstored_version
        if interpretation == "refused":
            raise UnknownVersion(
                f"body/version: expected {self.version}, the current version of {quoted(self.variant)}, got "
                f"{quoted(str(asserted))}, which is {'an older one' if older else 'not stored'}"
            )
        return asserted if interpretation == "used" else self.version

    def updated(
        self,
        schema: Json,
        alias: tuple[str, ...] | None,
        version: int | None,
        new_id: Callable[[], str],
        interpretations: Interpretations,
    ) -> tuple[Definition, Definition]:
        """What a PUT answers, and what is kept: the same, unless a lower version is not the current one.

        Raises:
            LowerVersion: the interpretations have it refused.
        """
        names = self._names(alias, interpretations)
        highest = interpretations.after_lower == "the highest one is current"
        number = self._number(version, interpretations)
        if number is None:
            number = (max(self.versions) if highest else self.version) + self._step(
                schema, names, interpretations
            )
        changes = interpretations.changed_id == "changes" and schema.canonical != self.schema.canonical
        put = replace(
            self,
            id=new_id() if changes else self.id,
            version=number,
            alias=names,
            schema=schema,
            versions={**self.versions, number: schema},
        )
        current = max(put.versions) if highest else number
        return put, replace(put, version=current, schema=put.versions[current])

    def _names(self, alias: tuple[str, ...] | None, interpretations: Interpretations) -> tuple[str, ...]:
        if alias is None:
            return self.alias if interpretations.omitted_aliases == "kept" else ()
        if interpretations.updated_aliases == "are added to those before":
            return tuple(dict.fromkeys((*self.alias, *alias)))
        return alias

    def _number(self, version: int | None, interpretations: Interpretations) -> int | None:
        """The version that an update names, as far as it is heeded."""
        if version is None or version == self.version:
            return version
        interpretation = (
            interpretations.higher_version if version > self.version else interpretations.lower_version
        )
        if interpretation == "refused":
            raise LowerVersion(
                f"body/version: expected a version from {self.version} on, which {quoted(self.variant)} has, "
                f"got {quoted(str(version))}"
            )
        return version if interpretation == "stored" else None

    def _step(self, schema: Json, names: tuple[str, ...], interpretations: Interpretations) -> bool:
        """Whether an update that names no version raises it."""
        steps = [interpretations.changed] if schema.canonical != self.schema.canonical else []
        steps += [interpretations.other_aliases] if names != self.alias else []
        return "version + 1" in (steps or [interpretations.equal])


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

    def resolve(self, name: str, interpretations: Interpretations = DEFAULTS) -> Definition:
        """The definition that `name` reaches, alias before variant (B038, C5).

        Raises:
            UnknownVariant: nothing answers to this name (Q6).
        """
        if interpretations.alias != "reaches its definition" or (
            interpretations.alias_or_variant == "the variant" and name in self.by_variant
        ):
            variant = name
        else:
            variant = self.by_alias.get(name, name)
        found = self.by_variant.get(variant) or self.by_variant.get(self.spelled(variant, interpretations))
        if found is not None:
            return found
        aliases = self.by_alias if interpretations.alias == "reaches its definition" else ()
        known = [other[:40] for other in islice(chain(aliases, self.by_variant), 100)]
        near = get_close_matches(name[:40], known, n=3) or known[:3]
        hint = (
            f"known here: {', '.join(quoted(n) for n in near)}" if near else "this organisation has none yet"
        )
        raise UnknownVariant(
            f"path variant: expected the variant or alias of a definition ({hint}), got {quoted(name)}; "
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
        interpretations: Interpretations = DEFAULTS,
    ) -> tuple[Registry, Definition]:
        """Store a definition: upsert by variant, id kept (B054, B055, Q5, C7). Returns it as it was put.

        Unless interpretations say otherwise, a first version is 1; a schema or an alias list that differs as JSON raises it by
        one; an explicit version is stored as sent, lower ones too; an omitted alias list is kept. `new_id` is asked once,
        for a variant that is new.

        Raises:
            NegativeVersion: ingress could not answer it as published (C16).
            VersionTooLong: more than 4,000 digits.
            AliasTaken: an alias belongs to another definition.
            DefinitionExists, LowerVersion: the interpretations have an update refused, or one to a lower version.
        """
        if version is not None and version < 0:
            raise NegativeVersion(
                f"body/version: expected an integer from 0, got {quoted(str(version))}: ingress answers the "
                "version as digits alone"
            )
        if version is not None and version >= 10**MAX_VERSION_DIGITS:
            raise VersionTooLong(f"body/version: expected at most {MAX_VERSION_DIGITS} digits")
        variant = self.spelled(variant, interpretations)
        old = self.by_variant.get(variant)
        if old is not None and interpretations.put_again == "refused":
            raise DefinitionExists(
                f"body/variant: expected one that has no definition yet, got {quoted(variant)}"
            )
        robbed = self._robbed(variant, alias or (), interpretations)
        if old is None:
            number = 1 if version is None or interpretations.first_version == "not stored" else version
            put = kept = Definition(new_id(), variant, number, alias or (), schema, {number: schema})
        else:
            put, kept = old.updated(schema, alias, version, new_id, interpretations)
        others = {name: owner for name, owner in self.by_alias.items() if owner != variant}
        registry = replace(
            self,
            by_variant={**self.by_variant, **robbed, variant: kept},
            by_alias=others | dict.fromkeys(kept.alias, variant),
        )
        return registry, put

    def spelled(self, variant: str, interpretations: Interpretations) -> str:
        """The variant as it is known here in any case of its letters, if the interpretations overlook that."""
        if interpretations.letter_case == "is told apart" or variant in self.by_variant:
            return variant
        small = variant.lower()
        return next((known for known in self.by_variant if known.lower() == small), variant)

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
                f"body/variant: expected the variant of a definition, got {quoted(variant)}; PUT it first"
            )
        for number, label in enumerate(labels):
            if label not in self.destinations:
                raise UnknownDestination(
                    f"body/destinations/{number}: expected {_one_of(self.destinations)}, got {quoted(label)}"
                )
        if default is not None and default not in labels:
            raise UnknownDestination(f"body/default: expected {_one_of(labels)}, got {quoted(default)}")
        ids = {link.label: link.id for link in definition.links}
        first = labels[0] if default is None and labels else default
        links = tuple(Link(ids.get(label) or new_id(), label, label == first) for label in labels)
        return self._linked({**self.by_variant, variant: replace(definition, links=links)}, self.destinations)

    def _robbed(
        self, variant: str, alias: tuple[str, ...], interpretations: Interpretations
    ) -> dict[str, Definition]:
        """Definitions that lose an alias to the one of `variant`.

        Raises:
            AliasTaken: none does, unless the interpretations say so.
        """
        robbed: dict[str, Definition] = {}
        for position, name in enumerate(alias):
            owner = self.by_alias.get(name, variant)
            if owner == variant:
                continue
            if interpretations.taken_alias == "refused":
                raise AliasTaken(
                    f"body/alias/{position}: expected an alias that no other definition owns, got "
                    f"{quoted(name)}, which belongs to {quoted(owner)}"
                )
            loser = robbed.get(owner, self.by_variant[owner])
            robbed[owner] = replace(loser, alias=tuple(one for one in loser.alias if one != name))
        return robbed

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
    return f"the label of a destination ({', '.join(quoted(label) for label in islice(labels, 10)) or 'none yet'})"


def _with_default(links: Sequence[Link]) -> tuple[Link, ...]:
    if not links or any(link.is_default for link in links):
        return tuple(links)
    return (links[0]._replace(is_default=True), *links[1:])


def quoted(name: str) -> str:
    """A name as it may stand in a message: quoted, control characters escaped, at most 60 characters."""
    return repr(name if len(name) <= 60 else name[:57] + "...")
