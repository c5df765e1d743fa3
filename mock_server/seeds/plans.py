"""Seed files: bytes → plans that nothing can fail of, or what is wrong with them and on which line."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from arklow_local.formats.excerpts import abridged_pointer, excerpt
from arklow_local.formats.json_values import digest

from ..domain.action_plans import ActionPlan, ExportedAction, PlannedTime
from ..domain.actions import NEVER, HistoryEvent
from ..domain.definitions import Definition, Registry, quoted
from ..domain.destinations import MOST_DESTINATIONS, Kind, check
from ..domain.errors import ArklowError, UnknownVariant
from ..domain.id_sequences import IdSegment, IdSequences, action_id
from ..domain.json_text import EMPTY_OBJECT, Json
from ..domain.leases import LIFETIME, SECOND
from ..domain.ports import Schemas
from ..domain.seeds import (
    ClockPlan,
    DefinitionIds,
    DefinitionPlan,
    DestinationIds,
    DestinationPlan,
    ExportedIds,
    OrganisationPlan,
    SeedPlan,
    SeedRefused,
    refused,
)
from ..domain.states import TERMINAL, Event, State
from ..fast_json import dump
from ..schemas import DocumentSchemas, Validator, breach
from ..settings import SEED
from ..timestamps import BEGIN, END, moment
from . import scripts
from .yaml_source import Source, read

_KEY: Final = re.compile(r"[!-~](?:[ -~]{0,198}[!-~])?")
_ORGANISATION: Final = re.compile(r"[0-9]{1,19}")
_LONGEST: Final = (1 << 32) - 1
"""Milliseconds from its acceptance that a history can tell of."""


class Loaded(NamedTuple):
    """A seed file that is all right, and its text."""

    source: Source
    seed: SeedPlan


async def load(data: bytes, name: str, *, schemas: Schemas, keys: Mapping[str, str], strict: bool) -> Loaded:
    """What a file asks for; it is read in another thread. `keys` belong to organisations already, and with `strict` a
    definition's schema has to be enforceable.

    Raises:
        BadSeed: it cannot be used, whatever organisations in use are.
    """
    source = await asyncio.to_thread(read, data, name)
    try:
        seed = await asyncio.to_thread(_seed, source.value, keys)
        await _examine(seed, schemas, strict=strict)
    except SeedRefused as error:
        raise source.bad(error) from None
    return Loaded(source, seed)


@cache
def _validator() -> Validator:
    return DocumentSchemas(json.loads(SEED.read_bytes())).at("")


def _seed(value: Any, keys: Mapping[str, str]) -> SeedPlan:
    if isinstance(value, dict):
        for member, pattern, expected in (
            ("keys", _KEY, "an API key of 1 to 200 visible characters"),
            ("organisations", _ORGANISATION, "the id of an organisation, 1 to 19 digits"),
        ):
            names = value.get(member)
            for name in names if isinstance(names, dict) else ():
                if not pattern.fullmatch(name):
                    raise SeedRefused(
                        abridged_pointer("", [member, name])[1:],
                        f"expected {expected}, got {quoted(name)}",
                    )
    wrong = breach(_validator(), value)
    if wrong:
        raise SeedRefused(abridged_pointer("", wrong.path)[1:], wrong.text)
    listed = {key: _organisation(given) for key, given in value.get("keys", {}).items()}
    for key, organisation in listed.items():
        if keys.get(key, organisation) != organisation:
            raise SeedRefused(
                abridged_pointer("", ["keys", key])[1:],
                f"expected organisation {keys[key]}, which the key was given to at the start, got {organisation}",
            )
    template = _organisation_seed(value.get("template", {}), "template")
    if template.ids is not None:
        raise SeedRefused("template/ids", "expected ids in an organisation alone, got some in the template")
    organisations = {
        org_id: _organisation_seed(given, f"organisations/{org_id}").merged_over(template)
        for org_id, given in value.get("organisations", {}).items()
    }
    taken: dict[str, str] = {}
    for org_id, organisation_plan in organisations.items():
        if organisation_plan.ids is not None:
            suffix = organisation_plan.ids.sequences.segments[0].suffix
            if taken.setdefault(suffix, org_id) != org_id:
                raise SeedRefused(
                    f"{organisation_plan.ids.place}/lines/0/suffix",
                    f"expected what no other organisation's ids end with, got {suffix}, as of {taken[suffix]}",
                )
    given = {name: value[name] for name in ("keys", "template") if name in value}
    return SeedPlan(listed, template, organisations, given)


def _organisation(given: str | float) -> str:
    return given if isinstance(given, str) else str(int(given))


def _organisation_seed(given: Mapping[str, Any], at: str) -> OrganisationPlan:
    seed, worker = given.get("seed"), given.get("worker", {})
    said = scripts.from_json(worker)
    ids = _ids(given["ids"], f"{at}/ids") if "ids" in given else None
    for member, name in (("destinations", "label"), ("definitions", "variant")):
        seen = set()
        for number, named in enumerate(given.get(member, ())):
            if named[name] in seen:
                raise SeedRefused(
                    f"{at}/{member}/{number}/{name}",
                    f"expected each {name} once, got {quoted(named[name])} again",
                )
            seen.add(named[name])
    actions: list[ActionPlan | ExportedAction] = []
    for number, action in enumerate(given.get("actions", ())):
        where = f"{at}/actions/{number}"
        if "id" in action:
            actions.append(_kept(action, where, ids, actions))
        else:
            actions.append(_action(action, where))
    return OrganisationPlan(
        seed=None if seed is None else int(seed),
        clock=_clock(given["clock"], f"{at}/clock") if "clock" in given else None,
        default=said.default if "default" in worker else None,
        scripts=said.variants,
        destinations=tuple(
            _destination(destination, f"{at}/destinations/{number}")
            for number, destination in enumerate(given.get("destinations", ()))
        ),
        definitions=tuple(
            _definition(definition, f"{at}/definitions/{number}")
            for number, definition in enumerate(given.get("definitions", ()))
        ),
        actions=tuple(actions),
        ids=ids,
        place=at,
    )


def _clock(given: Mapping[str, Any], at: str) -> ClockPlan:
    mode, ahead = given["mode"], given.get("ahead_ms")
    for member, modes in (("now", ("running", "frozen")), ("ahead_ms", ("running",))):
        if member in given and (mode not in modes or (member == "now" and "ahead_ms" in given)):
            raise SeedRefused(
                f"{at}/{member}",
                f"expected no {member} beside mode {mode}"
                f"{' and ahead_ms' if mode in modes else ''}, got {given[member]!r}",
            )
    now = _moment(given, "now", at) if "now" in given else None
    if now is not None and now < BEGIN + LIFETIME:
        raise SeedRefused(f"{at}/now", f"expected a time from 2000-01-02 on, got {given['now']!r}")
    return ClockPlan(
        mode == "frozen",
        now,
        int(ahead) if ahead is not None else 0 if mode == "real" else None,
        at,
    )


def _moment(given: Mapping[str, Any], member: str, at: str, *, end: int = END) -> int:
    text = given[member]
    try:
        return moment(text, end=end)
    except ValueError as error:
        raise SeedRefused(f"{at}/{member}", f"{error}, got {text[:40]!r}") from None


def _destination(given: Mapping[str, Any], at: str) -> DestinationPlan:
    kind, config = Kind(given["type"]), given["config"]
    credential = given.get("credential", {}).get("headers", {})
    try:
        check(kind, config, credential, at)
    except ArklowError as error:
        raise refused(at, error) from None
    return DestinationPlan(
        given["label"], kind, config, given.get("tags"), tuple(credential.items()) or None, at
    )


def _json(value: Any) -> Json:
    text = dump(value)
    return EMPTY_OBJECT if text == EMPTY_OBJECT.text else Json(text, value, digest(value))


def _definition(given: Mapping[str, Any], at: str) -> DefinitionPlan:
    version, alias, labels = given.get("version"), given.get("alias"), given.get("destinations")
    default = given.get("default")
    if default is not None and default not in (labels or ()):
        raise SeedRefused(
            f"{at}/default", f"expected one of the definition's destinations, got {quoted(default)}"
        )
    current = 1 if version is None else int(version)
    older = tuple((int(other["version"]), _json(other["schema"])) for other in given.get("versions", ()))
    sequences = [number for number, _ in older]
    for position, number in enumerate(sequences):
        if number == current or number in sequences[:position]:
            raise SeedRefused(
                f"{at}/versions/{position}/version", f"expected each version once, got {number} again"
            )
    return DefinitionPlan(
        given["variant"],
        _json(given.get("schema", {})),
        None if version is None else current,
        None if alias is None else tuple(alias),
        older,
        None if labels is None else tuple(labels),
        default,
        at,
    )


def _action(given: Mapping[str, Any], at: str) -> ActionPlan:
    state = State(given["status"]) if "status" in given else None
    version = given.get("version")
    for member in given:
        if member == "attempt" or member.endswith(("_ago", "_at", "_in")):
            _check_time(given, member, state, at)
    return ActionPlan(
        given["variant"],
        dump(given["payload"]),
        dump(given["metadata"]) if "metadata" in given else b"",
        tuple(given.get("tags", {}).items()),
        None if version is None else int(version),
        state,
        int(given["attempt"]) if "attempt" in given else None,
        _when(given, "accepted", "ago", at),
        _when(given, "available", "in", at),
        _when(given, "ended", "ago", at),
        at,
    )


def _check_time(given: Mapping[str, Any], member: str, state: State | None, at: str) -> None:
    """What no schema says of an action's times."""
    got = excerpt(repr(given[member]), 40)
    kind = member.rpartition("_")[0]
    if state is None:
        text = "expected a status beside it, got none"
    elif member == "attempt" and state is State.QUEUED:
        text = f"expected no attempt of an action that is queued, got {got}"
    elif kind == "ended" and state not in TERMINAL:
        text = f"expected the status of an action that has ended beside it, got {state.value}"
    elif kind == "available" and (state in TERMINAL or state in (State.QUEUED, State.DISPATCH_WAIT)):
        text = f"expected the status of an action that waits for a time beside it, got {state.value}"
    elif member == "accepted_ago" and not given.get("ended_ago", 0) <= given[member]:
        text = f"expected at least {given['ended_ago']}, as it ended then, got {got}"
    elif member == "accepted_ago" and state not in TERMINAL and given[member] * SECOND >= LIFETIME:
        text = f"expected seconds below {LIFETIME // SECOND}, as an action that is open is younger, got {got}"
    elif member.endswith("_at") and {f"{kind}_ago", f"{kind}_in"} & given.keys():
        text = f"expected {kind} once, got it in seconds too"
    else:
        return
    raise SeedRefused(f"{at}/{member}", text)


def _when(given: Mapping[str, Any], kind: str, relative: str, at: str) -> PlannedTime | None:
    seconds = given.get(f"{kind}_{relative}")
    if seconds is not None:
        return PlannedTime(round(seconds * SECOND) * (1 if relative == "in" else -1))
    if f"{kind}_at" in given:
        return PlannedTime(_moment(given, f"{kind}_at", at), absolute=True)
    return None


def _kept(
    given: Mapping[str, Any], at: str, ids: ExportedIds | None, before: Sequence[ActionPlan | ExportedAction]
) -> ExportedAction:
    if ids is None:
        raise SeedRefused(f"{at}/id", f"expected no id in what has no ids of an export, got {given['id']}")
    if before and not isinstance(before[-1], ExportedAction):
        raise SeedRefused(f"{at}/id", f"expected actions with an id before the others, got {given['id']}")
    expected = action_id(ids.sequences.segments, ids.sequences.dropped + len(before))
    if given["id"] != expected:
        raise SeedRefused(f"{at}/id", f"expected {expected}, which comes next, got {given['id']}")
    end = END + LIFETIME
    start = _moment(given, "accepted_at", at)

    def within(values: Mapping[str, Any], member: str, where: str) -> int:
        found = _moment(values, member, where, end=end)
        if not 0 <= found - start <= _LONGEST:
            raise SeedRefused(
                f"{where}/{member}",
                f"expected a time from the acceptance on and less than 49 days after it, got {values[member]}",
            )
        return found

    events = []
    number = 0
    for position, event in enumerate(given["events"]):
        where = f"{at}/events/{position}"
        if not number < event["number"] <= ids.sequences.events:
            raise SeedRefused(
                f"{where}/number",
                f"expected a number from {number + 1} to {ids.sequences.events}, the events counted, got {event['number']}",
            )
        number = int(event["number"])
        events.append(
            HistoryEvent(
                number,
                within(event, "at", where),
                Event(event["event"]),
                State(event["status"]),
                int(event["attempt"]),
                within(event, "available_at", where),
            )
        )
    return ExportedAction(
        given["id"],
        given["variant"],
        int(given["version"]),
        dump(given["payload"]),
        dump(given["metadata"]) if "metadata" in given else b"",
        tuple(given.get("tags", {}).items()),
        Event(given["event"]),
        State(given["status"]),
        int(given["attempt"]),
        start,
        within(given, "timeout_at", at),
        within(given, "available_at", at),
        within(given, "acts_at", at) if "acts_at" in given else NEVER,
        within(given, "started_at", at) if "started_at" in given else 0,
        within(given, "updated_at", at),
        tuple(events),
        at,
    )


def _ids(given: Mapping[str, Any], at: str) -> ExportedIds:
    segments = tuple(
        IdSegment(line["suffix"], int(line["actions"]), int(line["events"])) for line in given["lines"]
    )
    for position, (own, older) in enumerate(zip(segments, (*segments[1:], IdSegment("")), strict=True)):
        last = position == len(segments) - 1
        if own[1:] < older[1:] or (last and own[1:] != (0, 0)):
            expected = "0 for both, as the first of all" if last else "no less than the line below"
            raise SeedRefused(
                f"{at}/lines/{position}",
                f"expected {expected}, got {own.first_action} and {own.events_before}",
            )
    counted = {name: int(count) for name, count in given.get("counted", {}).items()}
    destinations = {
        label: DestinationIds(
            known["id"],
            known.get("credential", ""),
            _moment(known, "updated_at", abridged_pointer(f"{at}/destinations", [label])),
        )
        for label, known in given.get("destinations", {}).items()
    }
    definitions = {
        variant: DefinitionIds(known["id"], tuple(known.get("links", ())))
        for variant, known in given.get("definitions", {}).items()
    }
    return ExportedIds(IdSequences(segments, **counted), definitions, destinations, at)


_AT_A_TIME: Final = 200
"""Payloads looked at before others get their turn."""


async def _examine(seed: SeedPlan, schemas: Schemas, *, strict: bool) -> None:
    """Return when nothing of it can fail any more.

    Raises:
        SeedRefused: something is named twice or is not there, or a payload does not fit its schema.
    """
    known: set[tuple[bytes, bytes]] = set()
    for organisation_plan in seed.plans():
        registry = await asyncio.to_thread(_registry, organisation_plan)
        for plan in organisation_plan.definitions:
            for schema in (plan.schema, *(other for _, other in plan.other_versions)) if strict else ():
                unenforced = await schemas.why_not_enforced(schema)
                if unenforced:
                    raise SeedRefused(
                        f"{plan.place}/schema",
                        f"expected a schema that can be enforced, got one where {unenforced}",
                    )
        for number, action in enumerate(organisation_plan.actions):
            if number % _AT_A_TIME == _AT_A_TIME - 1:
                await asyncio.sleep(0)
            schema, payload = _asked(registry, action), action.payload
            if schema is not EMPTY_OBJECT and (schema.text, payload) not in known:
                known.add((schema.text, payload))
                try:
                    await schemas.check(schema, Json(payload, json.loads(payload)))
                except ArklowError as error:
                    raise refused(action.place, error) from None


def _asked(registry: Registry, action: ActionPlan | ExportedAction) -> Json:
    """The schema that an action's payload has to fit; an export's was looked at when it was accepted."""
    name = action.variant if isinstance(action, ExportedAction) else action.name
    try:
        if not isinstance(action, ExportedAction):
            definition: Definition = registry.resolve(name)
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


def _registry(organisation_plan: OrganisationPlan) -> Registry:
    """The definitions and destinations of a organisation_seed, put one after the other as over the API."""
    registry = Registry()
    for destination in organisation_plan.destinations:
        registry = registry.with_destination(destination.destination(None, str, 0))
    if len(registry.destinations) > MOST_DESTINATIONS:
        raise SeedRefused(
            f"{organisation_plan.place}/destinations",
            f"expected {MOST_DESTINATIONS} destinations that an organisation keeps at most, got "
            f"{len(registry.destinations)} with those of the template",
        )
    for plan in organisation_plan.definitions:
        current = 1 if plan.version is None else plan.version
        try:
            for number, schema in (*plan.other_versions, (current, plan.schema)):
                registry, _ = registry.put(plan.variant, schema, alias=plan.alias, version=number, new_id=str)
            registry = registry.with_links(plan.variant, plan.labels or (), plan.default, str)
        except ArklowError as error:
            raise refused(plan.place, error) from None
    names = (
        (
            (organisation_plan.ids.destinations, registry.destinations, "destinations"),
            (organisation_plan.ids.definitions, registry.by_variant, "definitions"),
        )
        if organisation_plan.ids
        else ()
    )
    for given, there, member in names:
        for name in given:
            if name not in there:
                where = abridged_pointer(
                    f"{organisation_plan.ids.place if organisation_plan.ids else ''}/{member}", [name]
                )
                raise SeedRefused(where, f"expected one of the {member} above, got {quoted(name)}")
    return registry
