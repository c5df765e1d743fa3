"""What a PUT of a definition may be answered with, and what its answer tells of the world."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.findings import Breach
from .world import Definition, Model, same, whole, wrong


def put(
    model: Model, org: str, body: Mapping[str, Any], status: int, data: Mapping[str, Any], back: float = 0.0
) -> list[Breach]:
    """A valid definition was put with a good key; `data` is empty when it was refused."""
    place = org, body["variant"]
    if not data:
        return _put_refused(model, place, body, status)
    known = model.definitions.get(place)
    spelled = model.spelled(*place)
    if (
        known is None
        and spelled != body["variant"]
        and model.by_id.get(str(data.get("id")), {}).get(org) == spelled
    ):
        model.forget(*place)
        model.forget(org, spelled)
        return model.note("a variant in other letters", "is the same")
    breaches = _echoed(model, org, body, data, known)
    version, identity = whole(data.get("version")), data.get("id")
    if version is None or not isinstance(identity, str):
        model.forget(*place)
        return breaches
    breaches += _stepped(model, place, known, body, data, version)
    current = _current(model, known, body, version)
    if known is not None:
        if not same(_plain(known.schema), _plain(body["schema"])) and "version" not in body:
            stays = "stays" if identity in known.ids else "changes"
            breaches += model.note("id of a changed definition", stays)
        breaches += model.note("a definition that is put again", "updated")
    now = Definition(
        org,
        body["variant"],
        frozenset({identity}) | (known.ids if known else frozenset()),
        version,
        current,
        (known.schemas if known else {}) | {version: body["schema"]},
        _names(data),
        data.get("destinations") == [],
        known.since if known else back,
        known is not None and known.confirmed,
        (known.told if known is not None else place not in model.doubtful)
        and body.get("version", version) == version,
        found=known.found if known is not None else version if place in model.reused else 0,
    )
    model.store(now, identity)
    return breaches


def _put_refused(model: Model, place: tuple[str, str], body: Mapping[str, Any], status: int) -> list[Breach]:
    breaches = model.note("control-plane refusal", "4xx" if status >= 400 else "200 with data null")
    known, version = model.definitions.get(place), body.get("version")
    if version is not None and version < 0:
        breaches += model.note("negative version of a definition", "refused")
    elif version is not None and known is not None and version < known.version:
        breaches += model.note("a lower explicit version", "refused")
    return breaches


def _echoed(
    model: Model, org: str, body: Mapping[str, Any], data: Mapping[str, Any], known: Definition | None
) -> list[Breach]:
    """What the answer to a PUT says otherwise than the PUT; an alias that somebody else has may be left out."""
    model.tested.append("DEF-10")
    breaches = [
        wrong("DEF-10", member, body[member], data.get(member), "")
        for member in ("variant", "schema")
        if not same(data.get(member), body[member])
    ]
    if isinstance(data.get("org_id"), str) and data["org_id"] != org:
        breaches.append(wrong("DEF-10", "org_id", org, data["org_id"], ""))
    got = data.get("alias")
    if not isinstance(got, list):
        return breaches
    theirs = {name for name in body.get("alias", ()) if _is_theirs(model, org, name, body["variant"])}
    own = {body["variant"]}  # which it reaches anyway
    sent, answered = set(body.get("alias", ())) - own, set(map(str, got)) - own
    before = known.alias - own if known is not None else frozenset()
    told = known.told if known is not None else not model.may_exist((org, body["variant"]))
    if not sent - theirs <= answered or (told and not answered <= sent | before):
        breaches.append(wrong("DEF-10", "alias", sorted(sent), got, ""))
    elif known is None or known.shaken:
        pass
    elif before and "alias" not in body:
        kept = "kept" if answered == before else "removed"
        breaches += model.note("an alias left out of an update", kept)
    elif before - sent and not theirs:
        added = "are added to those before" if before <= answered else "replace those before"
        breaches += model.note("aliases of an update", added)
    return breaches


def _is_theirs(model: Model, org: str, name: str, variant: str) -> bool:
    """Whether another definition has a name."""
    others = (one for one in model.owners(org, name) if one.variant != variant)
    return any(others) or ((org, name) in model.definitions and name != variant)


def _stepped(
    model: Model,
    place: tuple[str, str],
    known: Definition | None,
    body: Mapping[str, Any],
    data: Mapping[str, Any],
    version: int,
) -> list[Breach]:
    """What the version of the answer says."""
    if "version" in body:
        return _explicit(model, place, known, body["version"], version)
    if known is None:
        if model.may_exist(place):
            return []
        model.tested.append("DEF-2")
        title = "A new definition does not begin with version 1"
        return [] if version == 1 else [Breach("DEF-2", title, "1", str(version))]
    model.tested.append("DEF-3")
    step = version - known.version
    if known.current != {known.version} and version - max(known.current) in (0, 1):
        return []
    breaches = []
    if step not in (0, 1):
        title = "An update moves the version by more than one"
        expected = f"{known.version} or {known.version + 1}"
        breaches.append(Breach("DEF-3", title, expected, str(version)))
    elif (what := _what_changed(known, body, data)) is not None:
        breaches += model.note(what, f"version + {step}" if step else "same version")
    return breaches


def _explicit(
    model: Model, place: tuple[str, str], known: Definition | None, sent: Any, version: int
) -> list[Breach]:
    """What a PUT with a version shows; nothing when the answer names it, and would without it as well."""
    stored = "stored" if version == sent else "not stored"
    if sent < 0:
        return model.note("negative version of a definition", "accepted")
    if known is None:
        told = not model.may_exist(place) and sent != 1
        return model.note("an explicit version of a new definition", stored) if told else []
    if not known.told or version == sent == known.version + 1:
        return []
    if sent > max(known.schemas):
        return model.note("a higher explicit version", stored)
    return model.note("a lower explicit version", stored) if sent < known.version else []


def _current(model: Model, known: Definition | None, body: Mapping[str, Any], version: int) -> frozenset[int]:
    """What is current after a PUT: a lower explicit version may or may not be."""
    highest = max(known.schemas, default=version) if known is not None else version
    if version >= highest:
        return frozenset({version})
    match model.taken.get("after a lower explicit version"):
        case "the lower one is current":
            return frozenset({version})
        case "the highest one is current" if "version" in body:
            return frozenset({highest})
        case _:
            return frozenset({version, highest})


def _names(data: Mapping[str, Any]) -> frozenset[str]:
    """The aliases that an answer shows."""
    shown = data.get("alias")
    return frozenset(one for one in shown if isinstance(one, str)) if isinstance(shown, list) else frozenset()


def _what_changed(known: Definition, body: Mapping[str, Any], data: Mapping[str, Any]) -> str | None:
    """The question that an update without a version answers."""
    other_alias, schema = _names(data) != known.alias, body["schema"]
    if same(known.schema, schema):
        if known.shaken:
            return None
        return "a definition with other aliases" if other_alias else "an equal definition"
    if other_alias:
        return None
    if same(_plain(known.schema), _plain(schema)):
        return "a definition with other annotations"
    return "a changed definition"


def _plain(schema: Any) -> Any:
    """A schema without what only describes (JSON Schema, validation §9)."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: value
        if name in ("const", "enum")
        else {one: _plain(below) for one, below in value.items()}
        if name in _NAMES and isinstance(value, dict)
        else _plain(value)
        for name, value in schema.items()
        if name not in _ANNOTATIONS and not name.startswith("x-")
    }


_NAMES = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})
"""Keywords whose members are named by whoever writes the schema."""
_ANNOTATIONS = frozenset(
    {"$comment", "default", "deprecated", "description", "examples", "readOnly", "title", "writeOnly"}
)


__all__ = ["put"]
