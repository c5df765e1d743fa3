"""What a POST of work may be answered with, and what its answer tells of definitions and actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..core.findings import Breach
from .world import IN_FORCE, LONG_ID, MAY_PASS, Action, Definition, Model, whole, wrong

_SCHEMA: Final = "payload against its schema"


def ingress(
    model: Model,
    org: str,
    name: str,
    body: Mapping[str, Any],
    status: int,
    data: Mapping[str, Any],
    *,
    fits: bool | None = None,
    enveloped: bool = True,
    at: float = 0.0,
) -> list[Breach]:
    """Work was posted with a good key, in a valid envelope, at that time.

    `fits` says whether the payload keeps its schema; None asks every schema that may be in force.
    Not `enveloped`: the deployment may take the whole body for the payload, and heed no version in it.
    """
    known, owners = model.definitions.get((org, name)), model.owners(org, name)
    reached = [known] if known and not owners else owners if not known else [known, *owners]
    asked = whole(body["version"]) if "version" in body else None
    if fits is None:
        fits = _taken(model, reached, body, enveloped)
    if status < 400:
        breaches = _accepted(model, org, name, known, owners, asked, data, fits=fits, at=at)
        if known is not None:
            known.confirmed = True
        return breaches
    if not reached:
        sure = status in MAY_PASS and not model.may_exist((org, name))
        if sure and model.spelled(org, name) != name:
            model.note("a variant in other letters", "is told apart")
        return model.note("unknown variant", "refused") if sure else []
    if known is None:
        sure = bool(fits) and asked is None and not any(one.shaken for one in owners)
        return model.note("alias", "reaches nothing") if sure else []
    if owners or fits is None:
        return []
    if not fits:
        return model.note(_SCHEMA, "refused") if asked is None else []
    if asked is not None and known.current != {asked}:
        older = asked in known.schemas
        if not known.told or asked < known.found:
            return []
        question = "an older version" if older else "a version that was never stored"
        return model.note(question, "refused") if enveloped else []
    model.tested.append("PAGE-11")
    if not known.confirmed and at < known.since + IN_FORCE:
        return []
    expected = "200, as the variant is defined and its schema takes the payload"
    return [Breach("PAGE-11", "Work that keeps the page is refused", expected, str(status))]


def _taken(model: Model, reached: list[Definition], body: Mapping[str, Any], enveloped: bool) -> bool | None:
    """Whether every schema that may be in force takes what may be the payload, or none does."""
    payloads = [body["payload"]] if enveloped else [body["payload"], body]
    said = {
        model.fits(schema, payload)
        for one in reached
        for schema in one.schemas.values()
        for payload in payloads
    }
    return said.pop() if len(said) == 1 else True if not said else None


def _accepted(
    model: Model,
    org: str,
    name: str,
    known: Definition | None,
    owners: list[Definition],
    asked: int | None,
    data: Mapping[str, Any],
    *,
    fits: bool | None,
    at: float,
) -> list[Breach]:
    unattended = all(one.unattended for one in (known, *owners) if one is not None)
    breaches = issued(model, org, data.get("a_id"), bool(known or owners) and unattended, at)
    if breaches:
        return breaches
    model.tested.append("ING-10")
    if isinstance(data.get("queue_s"), str) and data["queue_s"] != "queued":
        breaches.append(wrong("ING-10", "queue_s", "queued", data["queue_s"]))
    definition = data.get("a_def_id")
    breaches += _anothers(model, org, definition)
    if known is None and not owners:
        reached = model.by_id.get(definition, {}).get(org) if isinstance(definition, str) else None
        if reached is not None and not model.may_exist((org, name)):
            if reached.lower() == name.lower():
                return breaches + model.note("a variant in other letters", "is the same")
            title = "Work for a variant that was never defined reaches a definition of another name"
            return [*breaches, Breach("ING-9", title, "a refusal, or a new definition", str(reached))]
        if not model.may_exist((org, name)):
            if model.spelled(org, name) != name:
                model.note("a variant in other letters", "is told apart")
            model.doubtful.add((org, name))
            breaches += model.note("unknown variant", "made on the fly")
        return breaches
    through = next((one for one in owners if definition in one.ids), None)
    if any(one.shaken for one in owners) or (known is None and (org, name) in model.doubtful):
        return breaches
    if known is None:
        answer = "reaches its definition" if through else "is a variant of its own"
        breaches += model.note("alias", answer)
    elif owners and any(known.ids & one.ids for one in owners):
        return breaches
    elif owners and (through or definition in known.ids):
        first = "the alias" if through else "the variant"
        breaches += model.note("alias against a variant of the same name", first)
    if through is not None:
        shown = "the alias" if data.get("a_va") == name else "the variant"
        if data.get("a_va") in (name, through.variant) and name != through.variant:
            breaches += model.note("a_va under an alias", shown)
        return breaches + _of_version(model, through, asked, data)
    if known is not None:
        if fits is False and not owners:
            breaches += model.note(_SCHEMA, "accepted")
        breaches += _reached(model, known, asked, data, owners)
    return breaches


def issued(model: Model, org: str, number: Any, unattended: bool, at: float) -> list[Breach]:
    """An action was accepted under an id."""
    model.tested += ["ING-7"] if model.actions else []
    if not isinstance(number, str):
        return []
    model.organisations.add(org)
    if (org, number) in model.actions:
        if not number.isdigit():
            return []  # the page has something to say of such an id
        return [Breach("ING-7", "Two accepted POSTs have the same a_id", "an id of its own", number, "a_id")]
    model.actions[org, number] = Action(unattended, at)
    model.bare.add((org, number.lstrip("0")))
    return []


def _anothers(model: Model, org: str, definition: Any) -> list[Breach]:
    """Work of one organisation reached a definition of another; small ids may be counted for each."""
    if not isinstance(definition, str) or len(definition) < LONG_ID:
        return []
    model.tested.append("ORG-1")
    owners = model.by_id.get(definition, {})
    if not owners or org in owners:
        return []
    owner, variant = next(iter(owners.items()))
    title = "Work reaches a definition of another organisation"
    expected = "a definition of its own organisation, or a refusal"
    actual = f"a_def_id {definition}, which is {variant} of organisation {owner}"
    return [Breach("ORG-1", title, expected, actual)]


def _reached(
    model: Model, known: Definition, asked: int | None, data: Mapping[str, Any], owners: list[Definition]
) -> list[Breach]:
    """What work that was posted to a known variant says of its definition."""
    breaches = []
    model.tested += ["ING-9", "PAGE-11"]
    if owners and data.get("a_def_id") not in known.ids:
        return []
    if isinstance(data.get("a_def_id"), str) and data["a_def_id"] not in known.ids:
        breaches.append(wrong("ING-9", "a_def_id", " or ".join(sorted(known.ids)), data["a_def_id"]))
    if isinstance(data.get("a_va"), str) and data["a_va"] != known.variant:
        breaches.append(wrong("ING-9", "a_va", known.variant, data["a_va"]))
    return breaches or _of_version(model, known, asked, data)


def _of_version(model: Model, known: Definition, asked: int | None, data: Mapping[str, Any]) -> list[Breach]:
    """Whether `a_ve` is a version that may have been used; narrows what is current."""
    answered = data.get("a_ve")
    if not (isinstance(answered, str) and answered.isascii() and answered.isdigit()):
        return []
    version, allowed = int(answered[:4_000]), set(known.current)
    if not known.told and version > max(known.schemas):
        return []
    model.tested.append("ING-3")
    if asked is not None and (asked in known.schemas or not known.told or asked < known.found):
        allowed |= {asked}
    if version not in allowed:
        expected = " or ".join(map(str, sorted(allowed)))
        return [wrong("ING-3", "a_ve", expected, answered)]
    if asked is None:
        return _narrowed(model, known, version)
    if not known.told or known.current == {asked} or (version == asked and asked in known.current):
        return []
    if asked < known.found:
        return []
    if asked in known.schemas:
        return model.note("an older version", "used" if version == asked else "the current one is used")
    return model.note("a version that was never stored", "the current one is used")


def _narrowed(model: Model, known: Definition, version: int) -> list[Breach]:
    if len(known.current) == 1:
        return []
    lower = version != max(known.current)
    known.current = frozenset({version})
    answer = "the lower one is current" if lower else "the highest one is current"
    return model.note("after a lower explicit version", answer)


__all__ = ["ingress", "issued"]
