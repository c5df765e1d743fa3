"""What a POST of work may be answered with, and what its answer shows of definitions and actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..core.findings import Breach
from .world import (
    FRESH_REFUSALS,
    UNIQUE_ID_DIGITS,
    Action,
    Definition,
    Model,
    as_integer,
    wrong_member,
)

_SCHEMA: Final = "payload against its schema"
_MOST_DIGITS: Final = 4_000
"""Digits of a version that are turned into a number: Python refuses a little more than that."""


@dataclass(frozen=True, slots=True)
class _Work:
    """Work that was posted to a name, and what the model knows of that name."""

    org: str
    name: str
    version: int | None
    """The version that the body names."""
    known: Definition | None
    """The definition whose variant is the name."""
    owners: list[Definition]
    """The definitions that have the name as an alias."""
    fits: bool | None
    """Whether the payload keeps its schema; None where that is open."""

    @property
    def reached(self) -> list[Definition]:
        """Every definition that the work may reach."""
        return [*([] if self.known is None else [self.known]), *self.owners]


def post(
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
    """Follow work that was posted at `at` with a good key of `org`, in a valid envelope; return the breaches.

    `fits` says whether the payload keeps its schema; None asks every schema that may be in force. Not `enveloped`: the
    deployment may take the whole body for the payload, and heed no version in it.
    """
    known, owners = model.definitions.get((org, name)), model.definitions_with_alias(org, name)
    version = as_integer(body["version"]) if "version" in body else None
    work = _Work(org, name, version, known, owners, fits)
    if fits is None:
        fits = _keeps_every_schema(model, work.reached, body, enveloped)
        work = _Work(org, name, version, known, owners, fits)
    if status >= 400:
        return _refused(model, work, status, enveloped=enveloped, at=at)
    breaches = _accepted(model, work, data, at)
    if known is not None:
        model.note_accepted_work(org, name)
    return breaches


def _refused(model: Model, work: _Work, status: int, *, enveloped: bool, at: float) -> list[Breach]:
    """Follow work that was refused."""
    known, place = work.known, (work.org, work.name)
    if not work.reached:
        certain = status in FRESH_REFUSALS and not model.may_exist(place)
        if certain and model.in_defined_case(*place) != work.name:
            model.note("a variant in other letters", "is told apart")
        return model.note("unknown variant", "refused") if certain else []
    if known is None:
        certain = bool(work.fits) and work.version is None
        certain = certain and not any(one.alias_contested for one in work.owners)
        return model.note("alias", "reaches nothing") if certain else []
    if work.owners or work.fits is None:
        return []
    if not work.fits:
        return model.note(_SCHEMA, "refused") if work.version is None else []
    if work.version is not None and known.current_versions != {work.version}:
        if not known.fully_known or work.version < known.first_seen_version:
            return []
        stored = work.version in known.schemas
        question = "an older version" if stored else "a version that was never stored"
        return model.note(question, "refused") if enveloped else []
    model.mark_tested("PAGE-11")
    if not known.has_accepted_work and at < known.defined_at + model.fresh_seconds:
        return []
    expected = "200, as the variant is defined and its schema takes the payload"
    return [Breach("PAGE-11", "Work that keeps the page is refused", expected, str(status))]


def _keeps_every_schema(
    model: Model, reached: list[Definition], body: Mapping[str, Any], enveloped: bool
) -> bool | None:
    """Whether what may be the payload keeps every schema that may be in force (True), or none (False)."""
    payloads = [body["payload"]] if enveloped else [body["payload"], body]
    answers = {
        model.fits(schema, payload)
        for one in reached
        for schema in one.schemas.values()
        for payload in payloads
    }
    return answers.pop() if len(answers) == 1 else True if not answers else None


def _accepted(model: Model, work: _Work, data: Mapping[str, Any], at: float) -> list[Breach]:
    """Follow work that was accepted."""
    unattended = bool(work.reached) and all(one.unattended for one in work.reached)
    breaches = accept_action(model, work.org, data.get("a_id"), unattended, at)
    if breaches:
        return breaches
    model.mark_tested("ING-10")
    if isinstance(data.get("queue_s"), str) and data["queue_s"] != "queued":
        breaches.append(wrong_member("ING-10", "queue_s", "queued", data["queue_s"]))
    breaches += _check_organisation(model, work.org, data.get("a_def_id"))
    if not work.reached:
        return breaches + _of_undefined_name(model, work, data)
    return breaches + _of_reached_definition(model, work, data)


def _of_undefined_name(model: Model, work: _Work, data: Mapping[str, Any]) -> list[Breach]:
    """Follow accepted work for a name under which no definition is known."""
    org, name, definition = work.org, work.name, data.get("a_def_id")
    if model.may_exist((org, name)):
        return []
    reached = model.by_id.get(definition, {}).get(org) if isinstance(definition, str) else None
    if reached is not None:
        if reached.lower() == name.lower():
            return model.note("a variant in other letters", "is the same")
        title = "Work for a variant that was never defined reaches a definition of another name"
        return [Breach("ING-9", title, "a refusal, or a new definition", str(reached))]
    if model.in_defined_case(org, name) != name:
        model.note("a variant in other letters", "is told apart")
    model.possibly_defined.add((org, name))
    return model.note("unknown variant", "made on the fly")


def _of_reached_definition(model: Model, work: _Work, data: Mapping[str, Any]) -> list[Breach]:
    """Follow accepted work for the name of a known definition, its variant or an alias of it (B038, C5)."""
    known, owners, definition = work.known, work.owners, data.get("a_def_id")
    through = next((one for one in owners if definition in one.ids), None)
    may_be_another = known is None and (work.org, work.name) in model.possibly_defined
    if any(one.alias_contested for one in owners) or may_be_another:
        return []
    breaches: list[Breach] = []
    if known is None:
        answer = "reaches its definition" if through else "is a variant of its own"
        breaches += model.note("alias", answer)
    elif any(known.ids & one.ids for one in owners):
        return []
    elif owners and (through or definition in known.ids):
        first = "the alias" if through else "the variant"
        breaches += model.note("alias against a variant of the same name", first)
    if through is not None:
        shown = "the alias" if data.get("a_va") == work.name else "the variant"
        if data.get("a_va") in (work.name, through.variant) and work.name != through.variant:
            breaches += model.note("a_va under an alias", shown)
        return breaches + _check_version(model, through, work.version, data)
    if known is not None:
        if work.fits is False and not owners:
            breaches += model.note(_SCHEMA, "accepted")
        breaches += _check_definition(model, known, work, data)
    return breaches


def accept_action(model: Model, org: str, number: Any, unattended: bool, at: float) -> list[Breach]:
    """Follow an action that was accepted at `at` under an id, `number`; return the breaches."""
    if model.actions:
        model.mark_tested("ING-7")
    if not isinstance(number, str):
        return []
    model.organisations.add(org)
    if (org, number) in model.actions:
        if not number.isdigit():  # PAGE-5 is about such an id
            return []
        return [Breach("ING-7", "Two accepted POSTs have the same a_id", "an id of its own", number, "a_id")]
    if (owner := model.owner_of_action(org, number)) is not None:
        title = "Two accepted POSTs of two organisations have the same a_id"
        actual = f"{number}, which is an action of organisation {owner}"
        return [Breach("ING-7", title, "an id of its own", actual, "a_id")]
    model.add_action(org, number, Action(unattended, at))
    return []


def _check_organisation(model: Model, org: str, definition: Any) -> list[Breach]:
    """Check that work did not reach a definition of another organisation; each may count short ids for itself."""
    if not isinstance(definition, str) or len(definition) < UNIQUE_ID_DIGITS:
        return []
    model.mark_tested("ORG-1")
    owners = model.by_id.get(definition, {})
    if not owners or org in owners:
        return []
    owner, variant = next(iter(owners.items()))
    title = "Work reaches a definition of another organisation"
    expected = "a definition of its own organisation, or a refusal"
    actual = f"a_def_id {definition}, which is {variant} of organisation {owner}"
    return [Breach("ORG-1", title, expected, actual)]


def _check_definition(model: Model, known: Definition, work: _Work, data: Mapping[str, Any]) -> list[Breach]:
    """Check what work that was posted to a known variant says of its definition."""
    breaches = []
    model.mark_tested("ING-9", "PAGE-11")
    definition, variant = data.get("a_def_id"), data.get("a_va")
    if work.owners and definition not in known.ids:
        return []
    if isinstance(definition, str) and definition not in known.ids:
        breaches.append(wrong_member("ING-9", "a_def_id", " or ".join(sorted(known.ids)), definition))
    if isinstance(variant, str) and variant != known.variant:
        breaches.append(wrong_member("ING-9", "a_va", known.variant, variant))
    return breaches or _check_version(model, known, work.version, data)


def _check_version(
    model: Model, known: Definition, asked: int | None, data: Mapping[str, Any]
) -> list[Breach]:
    """Check that `a_ve` is a version that may have been used; it narrows which one is current."""
    answered = data.get("a_ve")
    if not (isinstance(answered, str) and answered.isascii() and answered.isdigit()):
        return []
    version, allowed = int(answered[:_MOST_DIGITS]), set(known.current_versions)
    if not known.fully_known and version > max(known.schemas):
        return []
    model.mark_tested("ING-3")
    if asked is not None and (
        asked in known.schemas or not known.fully_known or asked < known.first_seen_version
    ):
        allowed |= {asked}
    if version not in allowed:
        expected = " or ".join(map(str, sorted(allowed)))
        return [wrong_member("ING-3", "a_ve", expected, answered)]
    if asked is None:
        return _narrow_current(model, known, version)
    says_nothing = known.current_versions == {asked} or (version == asked and asked in known.current_versions)
    if not known.fully_known or says_nothing or asked < known.first_seen_version:
        return []
    if asked in known.schemas:
        return model.note("an older version", "used" if version == asked else "the current one is used")
    return model.note("a version that was never stored", "the current one is used")


def _narrow_current(model: Model, known: Definition, version: int) -> list[Breach]:
    """Note which of several versions is current."""
    if len(known.current_versions) == 1:
        return []
    lower = version != max(known.current_versions)
    model.note_current_version(known, version)
    answer = "the lower one is current" if lower else "the highest one is current"
    return model.note("after a lower explicit version", answer)


__all__ = ["accept_action", "post"]
