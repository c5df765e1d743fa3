"""What a PUT of a definition may be answered with, and what its answer shows of the stored definitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..core.findings import Breach
from .world import Definition, Model, as_integer, equal_json, wrong_member


def put(
    model: Model, org: str, body: Mapping[str, Any], status: int, data: Mapping[str, Any], back: float = 0.0
) -> list[Breach]:
    """Follow the PUT of a valid definition with a good key of `org`, answered at `back`; return the breaches.

    `data` is what the answer's envelope holds, empty when the PUT was refused.
    """
    place = org, body["variant"]
    if not data:
        return _refused(model, place, body, status)
    known = model.definitions.get(place)
    if _is_the_same_in_another_case(model, place, known, data):
        model.forget(*place)
        model.forget(org, model.in_defined_case(*place))
        return model.note("a variant in other letters", "is the same")
    breaches = _check_echo(model, org, body, data, known) + _check_identity(model, org, body, data)
    version, identity = as_integer(data.get("version")), data.get("id")
    if version is None or not isinstance(identity, str):
        model.forget(*place)
        return breaches
    breaches += _check_version(model, place, known, body, data, version)
    current = _current_versions(model, known, body, version)
    if known is not None:
        if _differs_by_more_than_annotations(known.schema, body["schema"]) and "version" not in body:
            stays = "stays" if identity in known.ids else "changes"
            breaches += model.note("id of a changed definition", stays)
        breaches += model.note("a definition that is put again", "updated")
    stored_as_sent = body.get("version", version) == version
    now = Definition(
        org,
        body["variant"],
        frozenset({identity}) | (known.ids if known else frozenset()),
        version,
        current,
        {**(known.schemas if known else {}), version: body["schema"]},
        _aliases(data),
        data.get("destinations") == [],
        known.defined_at if known else back,
        known is not None and known.has_accepted_work,
        (known.fully_known if known else place not in model.possibly_defined) and stored_as_sent,
        alias_list=_listed_aliases(data),
        first_seen_version=_first_seen_version(model, place, known, version),
    )
    model.store(now, identity)
    return breaches


def _is_the_same_in_another_case(
    model: Model, place: tuple[str, str], known: Definition | None, data: Mapping[str, Any]
) -> bool:
    """Whether the answer to a PUT of a new variant has the id of one that differs by the case of letters alone."""
    org, variant = place
    spelled = model.in_defined_case(*place)
    same_id = model.by_id.get(str(data.get("id")), {}).get(org) == spelled
    return known is None and spelled != variant and same_id


def _check_identity(model: Model, org: str, body: Mapping[str, Any], data: Mapping[str, Any]) -> list[Breach]:
    """Check that no other definition of the organisation was answered with this id: links and actions name it so."""
    if not isinstance(data.get("id"), str):
        return []
    model.mark_tested("DEF-12")
    owner = model.variant_with_id(org, data["id"])
    if owner is None or _may_be_one(model, org, owner, body):
        return []
    title = "The id of the answer is that of another definition"
    return [
        Breach("DEF-12", title, f"an id of its own for {body['variant']}", f"{data['id']}, the id of {owner}")
    ]


def _may_be_one(model: Model, org: str, owner: str, body: Mapping[str, Any]) -> bool:
    """Whether the variant of a PUT and another one may be one definition: one spelled in two ways, or an alias of the other."""
    variant = body["variant"]
    is_alias = (
        owner in body.get("alias", ())
        or model.has_had_alias(org, owner, variant)
        or model.has_had_alias(org, variant, owner)
    )
    has_forms = not (owner.isascii() or variant.isascii())  # which Unicode may have as one
    return is_alias or has_forms or owner.strip().lower() == variant.strip().lower()


def _first_seen_version(model: Model, place: tuple[str, str], known: Definition | None, version: int) -> int:
    if known is not None:
        return known.first_seen_version
    return version if place in model.from_earlier_runs else 0


def _refused(model: Model, place: tuple[str, str], body: Mapping[str, Any], status: int) -> list[Breach]:
    breaches = model.note("control-plane refusal", "4xx" if status >= 400 else "200 with data null")
    known, version = model.definitions.get(place), body.get("version")
    if version is None or not _only_its_version_is_odd(model, place, known, body):
        return breaches
    if version < 0:
        breaches += model.note("negative version of a definition", "refused")
    elif known is not None and version < known.version:
        breaches += model.note("a lower explicit version", "refused")
    return breaches


def _only_its_version_is_odd(
    model: Model, place: tuple[str, str], known: Definition | None, body: Mapping[str, Any]
) -> bool:
    """Whether a PUT has nothing else for which it may be refused: its schema is understood, and no name may be taken (C5)."""
    names_are_own = set(body.get("alias", ())) <= (known.alias if known else frozenset())
    is_contested = known is not None and known.alias_contested
    return (
        body.keys() <= _MEMBERS
        and model.fits(body["schema"], {}) is not None
        and names_are_own
        and not is_contested
        and not model.definitions_with_alias(*place)
    )


def _check_echo(
    model: Model, org: str, body: Mapping[str, Any], data: Mapping[str, Any], known: Definition | None
) -> list[Breach]:
    """Compare the answer to a PUT with its body; an alias of another definition may be left out (C5)."""
    model.mark_tested("DEF-10")
    breaches = [
        wrong_member("DEF-10", member, body[member], data.get(member), "")
        for member in ("variant", "schema")
        if not equal_json(data.get(member), body[member])
    ]
    if isinstance(data.get("org_id"), str) and data["org_id"] != org:
        breaches.append(wrong_member("DEF-10", "org_id", org, data["org_id"], ""))
    answered_aliases = data.get("alias")
    if not isinstance(answered_aliases, list):
        return breaches
    variant = body["variant"]
    taken = {name for name in body.get("alias", ()) if _is_taken(model, org, name, variant)}
    own = {variant}  # which it reaches anyway
    sent, answered = set(body.get("alias", ())) - own, set(map(str, answered_aliases)) - own
    before = known.alias - own if known is not None else frozenset()
    fully_known = known.fully_known if known is not None else not model.may_exist((org, variant))
    if not sent - taken <= answered or (fully_known and not answered <= sent | before):
        breaches.append(wrong_member("DEF-10", "alias", sorted(sent), answered_aliases, ""))
    elif known is None or known.alias_contested:
        pass
    elif before and "alias" not in body:
        kept = "kept" if answered == before else "removed"
        breaches += model.note("an alias left out of an update", kept)
    elif before - sent and not taken:
        added = "are added to those before" if before <= answered else "replace those before"
        breaches += model.note("aliases of an update", added)
    return breaches


def _is_taken(model: Model, org: str, name: str, variant: str) -> bool:
    """Whether another definition than that of `variant` has a name, as its alias or its variant."""
    others = (one for one in model.definitions_with_alias(org, name) if one.variant != variant)
    return any(others) or ((org, name) in model.definitions and name != variant)


def _check_version(
    model: Model,
    place: tuple[str, str],
    known: Definition | None,
    body: Mapping[str, Any],
    data: Mapping[str, Any],
    version: int,
) -> list[Breach]:
    """Check the version that the answer names: an update adds 0 or 1 to it (B055, Q5)."""
    if "version" in body:
        return _check_explicit_version(model, place, known, body["version"], version)
    if known is None:
        if model.may_exist(place):
            return []
        model.mark_tested("DEF-2")
        title = "A new definition does not begin with version 1"
        return [] if version == 1 else [Breach("DEF-2", title, "1", str(version))]
    model.mark_tested("DEF-3")
    step = version - known.version
    if known.current_versions != {known.version} and version - max(known.current_versions) in (0, 1):
        return []
    breaches = []
    if step not in (0, 1):
        title = "An update moves the version by more than one"
        expected = f"{known.version} or {known.version + 1}"
        breaches.append(Breach("DEF-3", title, expected, str(version)))
    elif (question := _question_of_update(known, body, data)) is not None:
        breaches += model.note(question, f"version + {step}" if step else "same version")
    return breaches


def _check_explicit_version(
    model: Model, place: tuple[str, str], known: Definition | None, sent: Any, version: int
) -> list[Breach]:
    """Note what a PUT with a version shows: nothing when it is answered with the version it had without it as well."""
    stored = "stored" if version == sent else "not stored"
    if sent < 0:
        return model.note("negative version of a definition", "accepted")
    if known is None:
        shows = not model.may_exist(place) and sent != 1
        return model.note("an explicit version of a new definition", stored) if shows else []
    if not known.fully_known or version == sent == known.version + 1:
        return []
    if sent > max(known.schemas):
        return model.note("a higher explicit version", stored)
    return model.note("a lower explicit version", stored) if sent < known.version else []


def _current_versions(
    model: Model, known: Definition | None, body: Mapping[str, Any], version: int
) -> frozenset[int]:
    """Return the versions that may be current after a PUT; a lower explicit version may or may not be (Q5)."""
    highest = max(known.schemas, default=version) if known is not None else version
    if version >= highest:
        return frozenset({version})
    match model.first_answers.get("after a lower explicit version"):
        case "the lower one is current":
            return frozenset({version})
        case "the highest one is current" if "version" in body:
            return frozenset({highest})
        case _:
            return frozenset({version, highest})


def _aliases(data: Mapping[str, Any]) -> frozenset[str]:
    """The aliases that an answer shows."""
    return frozenset(_listed_aliases(data))


def _listed_aliases(data: Mapping[str, Any]) -> tuple[str, ...]:
    """The aliases that an answer shows, in its order and with its doubles."""
    shown = data.get("alias")
    return tuple(one for one in shown if isinstance(one, str)) if isinstance(shown, list) else ()


def _question_of_update(known: Definition, body: Mapping[str, Any], data: Mapping[str, Any]) -> str | None:
    """The open question that an update without a version answers, if it answers one."""
    other_alias, schema = _aliases(data) != known.alias, body["schema"]
    if not other_alias and _listed_aliases(data) != known.alias_list:
        return None
    if equal_json(known.schema, schema):
        if known.alias_contested:
            return None
        return "a definition with other aliases" if other_alias else "an equal definition"
    if other_alias:
        return None
    if _differs_by_more_than_annotations(known.schema, schema):
        return "a changed definition"
    return "a definition with other annotations"


def _differs_by_more_than_annotations(one: Any, other: Any) -> bool:
    """Whether two schemas differ in what allows or forbids something (JSON Schema, validation §9); pair by pair, as deep
    ones are put too."""
    pairs = [(one, other, False)]
    while pairs:
        mine, theirs, are_maps = pairs.pop()
        if isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
            pairs += [(left, right, False) for left, right in zip(mine, theirs, strict=True)]
        elif isinstance(mine, dict) and isinstance(theirs, dict):
            if not are_maps:
                mine, theirs = _without_annotations(mine), _without_annotations(theirs)
            if mine.keys() != theirs.keys():
                return True
            for name in mine:
                if name in _VALUES and not are_maps:
                    if not equal_json(mine[name], theirs[name]):
                        return True
                else:
                    pairs.append((mine[name], theirs[name], name in _MAPS_OF_SCHEMAS and not are_maps))
        elif not equal_json(mine, theirs):
            return True
    return False


def _without_annotations(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a schema without those that only describe."""
    return {
        name: value
        for name, value in schema.items()
        if name not in _ANNOTATIONS and not name.startswith("x-")
    }


_MEMBERS: Final = frozenset({"variant", "schema", "alias", "version"})
"""Members of a definition: a target may refuse others."""
_VALUES: Final = frozenset({"const", "enum"})
"""Keywords whose values are no schemas."""
_MAPS_OF_SCHEMAS: Final = frozenset(
    {"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"}
)
"""Keywords whose members are schemas under names that the author of the schema gives."""
_ANNOTATIONS: Final = frozenset(
    {"$comment", "default", "deprecated", "description", "examples", "readOnly", "title", "writeOnly"}
)
"""Keywords that allow and forbid nothing."""


__all__ = ["put"]
