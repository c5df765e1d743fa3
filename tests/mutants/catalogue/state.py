"""Mutants that forget, confuse or change what they have accepted."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Response, request

from ..conforming_server import (
    TERMINAL,
    Action,
    ConformingServer,
    Definition,
    Operation,
    Refused,
    RequestedDefinition,
    Work,
    canonical,
    crash,
)
from ..mutant import Group, mutant
from ..mutations import AltersActionData, AltersDefinitionData, Raced

STATE = Group("state")


@mutant(STATE, "violation", caught_by="LEASE-6")
class S01(ConformingServer):
    """modack on an unknown id gives 200"""

    def do_modack(self) -> Any:
        try:
            return super().do_modack()
        except Refused as refused:
            if refused.status != 404:
                raise
            return self.modack_answer()


@mutant(STATE, "violation", caught_by="LEASE-3", delivery="at-once")
class S04(ConformingServer):
    """stale attempt accepted"""

    def reject_attempt(self, stale: bool) -> None:
        if not stale:
            super().reject_attempt(stale)


@mutant(STATE, "violation", caught_by="LEASE-3", delivery="at-once")
class S05(ConformingServer):
    """future attempt accepted"""

    def reject_attempt(self, stale: bool) -> None:
        if stale:
            super().reject_attempt(stale)


@mutant(STATE, "warning", caught_by="LEASE-7", delivery="at-once")
class S06(ConformingServer):
    """stale attempt gives 404 instead of 409"""

    def reject_attempt(self, stale: bool) -> None:
        if stale:
            raise Refused(404, "STALE_ATTEMPT", "the attempt is not the current one")
        super().reject_attempt(stale)


@mutant(STATE, "violation", caught_by="LIFE-9", operations="all", delivery="at-once")
class S07(ConformingServer):
    """modack on a settled action accepted (double settle)"""

    def check_unfinished(self, action: Action) -> None:
        if request.endpoint != "modack":
            super().check_unfinished(action)

    def check_attempt(self, action: Action, attempt: int) -> None:
        if action.status not in TERMINAL:
            super().check_attempt(action, attempt)


@mutant(STATE, "none", upsert="keep")
class S08(ConformingServer):
    """changed PUT does not bump the version"""


@mutant(STATE, "warning", caught_by="DEF-3", upsert="bump")
class S09(ConformingServer):
    """changed PUT bumps the version twice"""

    def bumped(self, version: int) -> int:
        return version + 2


@mutant(STATE, "warning", caught_by="DEF-7", alias="steal")
class S11(ConformingServer):
    """alias already owned by another definition is stolen silently"""


@mutant(STATE, "warning", caught_by="ING-1", alias_first=False)
class S13(ConformingServer):
    """variant name wins over alias (docs say alias wins)"""


@mutant(STATE, "violation", caught_by="ING-3", upsert="bump")
class S15(ConformingServer):
    """ingress reports a stale a_ve after a PUT (cache)"""

    def choose_version(self, definition: Definition, sent: int | None) -> int:
        cache: dict[tuple[str, str], int] = self.__dict__.setdefault("cache", {})
        if sent is not None:
            return super().choose_version(definition, sent)
        return cache.setdefault((definition.org_id, definition.variant), definition.version)


@mutant(STATE, "warning", caught_by="ING-14", a_va="as-asked")
class S16(ConformingServer):
    """a_va echoes the alias, not the canonical variant"""


@mutant(STATE, "violation", caught_by="ING-7")
class S20(Raced):
    """duplicate a_ids under concurrency"""

    def new_id(self) -> str:
        found = self.last_id or int(super().new_id())
        self.pause()
        self.last_id = found + 1
        return str(self.last_id)


@mutant(STATE, "violation", caught_by="LEASE-8", delivery="at-once")
class S23(ConformingServer):
    """mod_ack read as milliseconds"""

    def extend(self, action: Action, seconds: float) -> None:
        super().extend(action, seconds / 1000)


@mutant(STATE, "none", extend_from="deadline", delivery="at-once")
class S24(ConformingServer):
    """mod_ack added to the old deadline, not to now"""


@mutant(STATE, "violation", caught_by="ING-7")
class S28(ConformingServer):
    """identical payloads are deduplicated (same a_id)"""

    def accept(self, definition: Definition, version: int, posted_as: str, work: Work) -> Action:
        seen: dict[str, Action] = self.__dict__.setdefault("seen", {})
        key = json.dumps([definition.id, canonical(work.payload)], sort_keys=True)
        if key not in seen:
            seen[key] = super().accept(definition, version, posted_as, work)
        return seen[key]


@mutant(STATE, "violation", caught_by="ING-9")
class S29(AltersActionData):
    """a_def_id equals a_id (mixed up)"""

    def altered(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"a_def_id": data["a_id"]}


@mutant(STATE, "violation", caught_by="DEF-11")
class S32(ConformingServer):
    """a 401 PUT is stored anyway"""

    def do_put(self, org_id: str) -> Any:
        try:
            return super().do_put(org_id)
        except Refused as refused:
            if refused.status == 401:
                with contextlib.suppress(Refused):
                    self.store(org_id, self.read_definition(self.read_body("put")))
            raise


@mutant(STATE, "violation", caught_by="PAGE-8")
class S33(ConformingServer):
    """every 50th request gives 500"""

    def handle(self, operation: Operation, step: Callable[[], Any]) -> Response:
        with self.lock:
            count = self.__dict__["count"] = self.__dict__.get("count", 0) + 1
        return super().handle(operation, crash if count % 50 == 0 else step)


@mutant(STATE, "warning", caught_by="ING-12")
class S35(ConformingServer):
    """new action invisible for 200 ms (404)"""

    def find(self, org: str, action_id: str) -> Action:
        action = super().find(org, action_id)
        if self.now() < action.accepted + 0.2:
            raise Refused(404, "UNKNOWN_ACTION", "no action has this id")
        return action


@mutant(STATE, "violation", caught_by="ING-11")
class S36(ConformingServer):
    """actions evicted after 20 newer ones"""

    def accept(self, definition: Definition, version: int, posted_as: str, work: Work) -> Action:
        action = super().accept(definition, version, posted_as, work)
        for old in list(self.actions)[:-20]:
            del self.actions[old]
        return action


@mutant(STATE, "violation", caught_by=("ING-3", "DEF-10"))
class S37(ConformingServer):
    """PUT answers with the previous version of the definition"""

    def store(self, org: str, requested: RequestedDefinition) -> Definition:
        before = self.definitions.get((org, requested.variant))
        before = before and replace(before)
        after = super().store(org, requested)
        return before or after


@mutant(STATE, "violation", caught_by="DEF-10")
class S39(AltersDefinitionData):
    """PUT answers with another org's org_id"""

    def altered(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"org_id": data["org_id"] + "9"}


@mutant(STATE, "violation", caught_by=("LEASE-8", "LEASE-3"), delivery="at-once")
class S41(ConformingServer):
    """each modack bumps the attempt counter"""

    def extend(self, action: Action, seconds: float) -> None:
        super().extend(action, seconds)
        action.attempt += 1


@mutant(
    STATE,
    "violation",
    caught_by="LEASE-8",
    missed="a whole run catches it; a run that listens to LEASE-8 alone does not",
    delivery="at-once",
)
class S42(ConformingServer):
    """modack extends the wrong action"""

    def extend(self, action: Action, seconds: float) -> None:
        others = [other for other in self.actions.values() if other is not action]
        super().extend(others[-1] if others else action, seconds)


@mutant(STATE, "violation", caught_by=("ING-11", "DEF-3"))
class S43(ConformingServer):
    """all state is lost after any 4xx"""

    def render(self, operation: Operation, status: int, body: Any) -> Response:
        if 400 <= status < 500:
            with self.lock:
                self.definitions.clear()
                self.actions.clear()
        return super().render(operation, status, body)
