"""Seed files: bytes → plans that cannot fail, or a refusal that says what is wrong and on which line.

`at` is the JSON pointer of what is read, without its first slash.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from arklow_local.formats.excerpts import abridged_pointer
from arklow_local.formats.json_values import digest

from ..domain.action_plans import ActionPlan, ExportedAction
from ..domain.definitions import quoted
from ..domain.destinations import Kind, check
from ..domain.errors import ArklowError
from ..domain.json_text import EMPTY_OBJECT, Json
from ..domain.leases import LIFETIME
from ..domain.ports import Schemas
from ..domain.seeds import (
    ClockPlan,
    DefinitionPlan,
    DestinationPlan,
    OrganisationPlan,
    SeedPlan,
    SeedRefused,
    refused,
)
from ..fast_json import dump
from ..schemas import DocumentSchemas, Validator, breach
from ..settings import SEED
from ..timestamps import BEGIN
from . import scripts
from .exported_plans import exported_action, exported_ids
from .plan_checks import check_plan
from .planned_actions import action_plan, moment_of
from .yaml_source import Source, read

_KEY: Final = re.compile(r"[!-~](?:[ -~]{0,198}[!-~])?")
"""An API key: what a header can carry, without blanks around it."""
_ORGANISATION: Final = re.compile(r"[0-9]{1,19}")


class LoadedSeed(NamedTuple):
    """A seed file that can be used: its source, which has the lines, and its plan."""

    source: Source
    plan: SeedPlan


async def load(
    data: bytes, name: str, *, schemas: Schemas, keys: Mapping[str, str], strict: bool
) -> LoadedSeed:
    """Read a seed file, which messages call `name`, in another thread, and check its plan.

    Args:
        data: the file's content.
        name: the file's name.
        schemas: applies the schemas of definitions.
        keys: API key → organisation, of keys that belong to one already.
        strict: whether all schemas have to be enforceable.

    Raises:
        BadSeed: it cannot be used, whatever organisations in use are.
    """
    source = await asyncio.to_thread(read, data, name)
    try:
        plan = await asyncio.to_thread(_seed_plan, source.value, keys)
        await check_plan(plan, schemas, strict=strict)
    except SeedRefused as error:
        raise source.bad(error) from None
    return LoadedSeed(source, plan)


@cache
def _validator() -> Validator:
    return DocumentSchemas(json.loads(SEED.read_bytes())).at("")


def _seed_plan(value: Any, keys: Mapping[str, str]) -> SeedPlan:
    _refuse_bad_names(value)
    wrong = breach(_validator(), value)
    if wrong:
        raise SeedRefused(abridged_pointer("", wrong.path)[1:], wrong.text)
    listed = {key: _organisation_id(given) for key, given in value.get("keys", {}).items()}
    for key, organisation in listed.items():
        if keys.get(key, organisation) != organisation:
            raise SeedRefused(
                abridged_pointer("", ["keys", key])[1:],
                f"expected organisation {keys[key]}, which the key was given to at the start, got {organisation}",
            )
    template = _organisation_plan(value.get("template", {}), "template")
    if template.ids is not None:
        raise SeedRefused("template/ids", "expected ids in an organisation alone, got some in the template")
    organisations = {
        org_id: _organisation_plan(given, f"organisations/{org_id}").merged_over(template)
        for org_id, given in value.get("organisations", {}).items()
    }
    _refuse_shared_suffix(organisations)
    source = {name: value[name] for name in ("keys", "template") if name in value}
    return SeedPlan(listed, template, organisations, source)


def _refuse_bad_names(value: Any) -> None:
    """Check that keys and organisations are well named: a refusal by the JSON Schema would not say what is expected."""
    if not isinstance(value, dict):
        return
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


def _refuse_shared_suffix(organisations: Mapping[str, OrganisationPlan]) -> None:
    taken: dict[str, str] = {}
    for org_id, plan in organisations.items():
        if plan.ids is not None:
            suffix = plan.ids.sequences.segments[0].suffix
            if taken.setdefault(suffix, org_id) != org_id:
                raise SeedRefused(
                    f"{plan.ids.place}/lines/0/suffix",
                    f"expected what no other organisation's ids end with, got {suffix}, as of {taken[suffix]}",
                )


def _organisation_id(given: str | float) -> str:
    return given if isinstance(given, str) else str(int(given))


def _organisation_plan(given: Mapping[str, Any], at: str) -> OrganisationPlan:
    seed, worker = given.get("seed"), given.get("worker", {})
    asked = scripts.from_json(worker)
    ids = exported_ids(given["ids"], f"{at}/ids") if "ids" in given else None
    for member, name in (("destinations", "label"), ("definitions", "variant")):
        _refuse_doubled(given.get(member, ()), name, f"{at}/{member}")
    actions: list[ActionPlan | ExportedAction] = []
    for number, action in enumerate(given.get("actions", ())):
        where = f"{at}/actions/{number}"
        if "id" in action:
            actions.append(exported_action(action, where, ids, actions))
        else:
            actions.append(action_plan(action, where))
    return OrganisationPlan(
        seed=None if seed is None else int(seed),
        clock=_clock(given["clock"], f"{at}/clock") if "clock" in given else None,
        default=asked.default if "default" in worker else None,
        scripts=asked.variants,
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


def _refuse_doubled(given: Sequence[Mapping[str, Any]], name: str, at: str) -> None:
    seen = set()
    for number, named in enumerate(given):
        if named[name] in seen:
            raise SeedRefused(
                f"{at}/{number}/{name}",
                f"expected each {name} once, got {quoted(named[name])} again",
            )
        seen.add(named[name])


def _clock(given: Mapping[str, Any], at: str) -> ClockPlan:
    mode, ahead = given["mode"], given.get("ahead_ms")
    for member, modes in (("now", ("running", "frozen")), ("ahead_ms", ("running",))):
        if member in given and (mode not in modes or (member == "now" and "ahead_ms" in given)):
            raise SeedRefused(
                f"{at}/{member}",
                f"expected no {member} beside mode {mode}"
                f"{' and ahead_ms' if mode in modes else ''}, got {given[member]!r}",
            )
    now = moment_of(given, "now", at) if "now" in given else None
    if now is not None and now < BEGIN + LIFETIME:
        raise SeedRefused(f"{at}/now", f"expected a time from 2000-01-02 on, got {given['now']!r}")
    return ClockPlan(
        mode == "frozen",
        now,
        int(ahead) if ahead is not None else 0 if mode == "real" else None,
        at,
    )


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
    others = tuple((int(other["version"]), _json(other["schema"])) for other in given.get("versions", ()))
    numbers = [number for number, _ in others]
    for position, number in enumerate(numbers):
        if number == current or number in numbers[:position]:
            raise SeedRefused(
                f"{at}/versions/{position}/version", f"expected each version once, got {number} again"
            )
    return DefinitionPlan(
        given["variant"],
        _json(given.get("schema", {})),
        None if version is None else current,
        None if alias is None else tuple(alias),
        others,
        None if labels is None else tuple(labels),
        default,
        at,
    )
