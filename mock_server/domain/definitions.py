"""Definitions, and the registry of one organisation: its definitions by variant and alias, and its destinations.

Both are frozen; methods that change something return new values.
"""

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
"""Below the 4,300 digits that a JSON number may have here, so that a version plus 1 stays below that bound."""


@dataclass(frozen=True, slots=True)
class Definition:
    """What a variant of work is: its schema, in every version that was stored."""

    id: str
    variant: str
    version: int
    """The current version."""
    alias: tuple[str, ...]
    schema: Json
    """That of the current version."""
    versions: Mapping[int, Json]
    """Version → schema, of every version that was ever stored."""
    links: tuple[Link, ...] = ()
    """Where its actions may go (B058); one of them is the default, if there are any (B059)."""

    def version_for(self, asserted: int | None, interpretations: Interpretations = DEFAULTS) -> int:
        """Return the version that work uses: the asserted one if it is stored, else the current one (B035 to B037, C4).

        Raises:
            UnknownVersion: the interpretations refuse the assertion.
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
        """Return the definition after a PUT with this schema, alias list and version; None stands for what the PUT omits.

        Returns:
            (what the PUT answers, what is kept). They differ when a lower version is stored but not current.

        Raises:
            LowerVersion: the interpretations refuse a version below the current one.
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
        """The version that an update names; None when it names none, or when it is not stored."""
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
        """Whether an update that names no version raises it by 1."""
        steps = [interpretations.changed] if schema.canonical != self.schema.canonical else []
        steps += [interpretations.other_aliases] if names != self.alias else []
        return "version + 1" in (steps or [interpretations.equal])


@dataclass(frozen=True, slots=True)
class Registry:
    """All definitions and destinations of one organisation."""

    by_variant: Mapping[str, Definition] = field(default_factory=dict)
    """Variant → definition."""
    by_alias: Mapping[str, str] = field(default_factory=dict)
    """Alias → variant of the definition that owns it."""
    destinations: Mapping[str, Destination] = field(default_factory=dict)
    """Label → destination."""
    routes: Mapping[str, Destination] = field(default_factory=dict)
    """Variant → default destination of its definition, for definitions with links (B059)."""

    def resolve(self, name: str, interpretations: Interpretations = DEFAULTS) -> Definition:
        """Return the definition that `name` reaches, as an alias before as a variant (B038, C5).

        Raises:
            UnknownVariant: it reaches none (Q6).
        """
        if interpretations.alias != "reaches its definition" or (
            interpretations.alias_or_variant == "the variant" and name in self.by_variant
        ):
            variant = name
        else:
            variant = self.by_alias.get(name, name)
        found = self.by_variant.get(variant) or self.by_variant.get(
            self.known_variant(variant, interpretations)
        )
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
        """Create or update the definition of a variant, which keeps its id (B054, B055, Q5, C7).

        By default a first version is 1. A schema or an alias list that differs as JSON raises the version by 1. An explicit
        version is stored as sent, also a lower one. An omitted alias list stays.

        Args:
            variant: the definition's variant.
            schema: the schema of its payloads.
            alias: its aliases; None when the PUT omits them.
            version: its version; None when the PUT names none.
            new_id: gives the next id of a definition; called when the variant is new or the id changes.
            interpretations: what is done where sources leave it open.

        Returns:
            (the new registry, the definition as the PUT answers it).

        Raises:
            NegativeVersion: ingress could not answer it as published (C16).
            VersionTooLong: more than 4,000 digits.
            AliasTaken: an alias belongs to another definition.
            DefinitionExists, LowerVersion: the interpretations refuse the update.
        """
        if version is not None and version < 0:
            raise NegativeVersion(
                f"body/version: expected an integer from 0, got {quoted(str(version))}: ingress answers the "
                "version as digits alone"
            )
        if version is not None and version >= 10**MAX_VERSION_DIGITS:
            raise VersionTooLong(f"body/version: expected at most {MAX_VERSION_DIGITS} digits")
        variant = self.known_variant(variant, interpretations)
        old = self.by_variant.get(variant)
        if old is not None and interpretations.put_again == "refused":
            raise DefinitionExists(
                f"body/variant: expected one that has no definition yet, got {quoted(variant)}"
            )
        losers = self._losers(variant, alias or (), interpretations)
        if old is None:
            number = 1 if version is None or interpretations.first_version == "not stored" else version
            put = kept = Definition(new_id(), variant, number, alias or (), schema, {number: schema})
        else:
            put, kept = old.updated(schema, alias, version, new_id, interpretations)
        others = {name: owner for name, owner in self.by_alias.items() if owner != variant}
        registry = replace(
            self,
            by_variant={**self.by_variant, **losers, variant: kept},
            by_alias=others | dict.fromkeys(kept.alias, variant),
        )
        return registry, put

    def known_variant(self, variant: str, interpretations: Interpretations) -> str:
        """Return the variant in the spelling of its definition, where the interpretations ignore the case of letters."""
        if interpretations.letter_case == "is told apart" or variant in self.by_variant:
            return variant
        small = variant.lower()
        return next((known for known in self.by_variant if known.lower() == small), variant)

    def with_destination(self, destination: Destination) -> Registry:
        """Return the registry with a destination, in place of the one with its label."""
        return self._with(self.by_variant, {**self.destinations, destination.label: destination})

    def without_destination(self, label: str) -> Registry:
        """Return the registry without a destination and the links to it.

        A definition that loses its default link has the first of the others as its default.
        """
        rest = {
            variant: replace(
                definition, links=_with_default([k for k in definition.links if k.label != label])
            )
            for variant, definition in self.by_variant.items()
            if any(link.label == label for link in definition.links)
        }
        kept = {known: destination for known, destination in self.destinations.items() if known != label}
        return self._with({**self.by_variant, **rest}, kept)

    def with_links(
        self, variant: str, labels: Sequence[str], default: str | None, new_id: Callable[[], str]
    ) -> Registry:
        """Return the registry with a definition linked to the destinations of these labels, and to no others.

        A default of None makes the first label the default. A link to a destination that was linked before keeps its id;
        `new_id` gives those of the others.

        Raises:
            UnknownVariant: no definition has this variant.
            UnknownDestination: no destination has one of the labels, or the default is none of them.
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
        return self._with({**self.by_variant, variant: replace(definition, links=links)}, self.destinations)

    def _losers(
        self, variant: str, alias: tuple[str, ...], interpretations: Interpretations
    ) -> dict[str, Definition]:
        """The definitions that lose an alias to the one of `variant`, without it; keyed by variant.

        Raises:
            AliasTaken: the interpretations refuse an alias that another definition has.
        """
        losers: dict[str, Definition] = {}
        for position, name in enumerate(alias):
            owner = self.by_alias.get(name, variant)
            if owner == variant:
                continue
            if interpretations.taken_alias == "refused":
                raise AliasTaken(
                    f"body/alias/{position}: expected an alias that no other definition owns, got "
                    f"{quoted(name)}, which belongs to {quoted(owner)}"
                )
            loser = losers.get(owner, self.by_variant[owner])
            losers[owner] = replace(loser, alias=tuple(one for one in loser.alias if one != name))
        return losers

    def _with(
        self, by_variant: Mapping[str, Definition], destinations: Mapping[str, Destination]
    ) -> Registry:
        """The registry with these definitions and destinations, and the routes that follow."""
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
    """Return a name as it may stand in a message: quoted, control characters escaped, at most 60 characters of it."""
    return repr(name if len(name) <= 60 else name[:57] + "...")
