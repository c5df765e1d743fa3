"""Mutants of the holdout that forget, confuse or change what they have accepted."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

from flask import request

from ..conforming_server import (
    Action,
    ConformingServer,
    Definition,
    Operation,
    Page,
    Refused,
    RequestedDefinition,
    Terms,
    Work,
)
from ..mutant import Group, mutant
from ..mutations import Remembers, without

STATE = Group("state")


@mutant(STATE, "violation", caught_by="READ-1")
class H099(Remembers):
    """the aliases of a definition lead nowhere after it was updated, though answers show them [B038]"""

    def update(self, definition: Definition, requested: RequestedDefinition) -> None:
        super().update(definition, requested)
        self.seen[definition.org_id, definition.variant] = True

    def resolve(self, org: str, variant: str) -> Definition:
        found = super().resolve(org, variant)
        lost = variant != found.variant and (org, found.variant) in self.seen
        return self.undefined(org, variant) if lost else found


@mutant(STATE, "violation", caught_by="ING-9")
class H100(Remembers):
    """an alias that was taken away still leads to its definition [S-def, B038]"""

    def update(self, definition: Definition, requested: RequestedDefinition) -> None:
        self.seen |= {(definition.org_id, name): definition for name in definition.alias}
        super().update(definition, requested)

    def undefined(self, org: str, variant: str) -> Definition:
        found: Definition | None = self.seen.get((org, variant))
        return found or super().undefined(org, variant)


@mutant(STATE, "violation", caught_by="READ-1")
class H101(ConformingServer):
    """the alias of another organisation's definition leads to it [B133, B038]"""

    def undefined(self, org: str, variant: str) -> Definition:
        others = [one for one in self.definitions.values() if variant in one.alias]
        return others[0] if others else super().undefined(org, variant)


@mutant(STATE, "violation", caught_by="READ-1")
class H102(ConformingServer):
    """PUT with an empty list of aliases leaves the aliases as they are [S-def]"""

    def update(self, definition: Definition, requested: RequestedDefinition) -> None:
        super().update(definition, requested if requested.alias else replace(requested, alias=None))


@mutant(STATE, "violation", caught_by="DEF-11")
class H103(ConformingServer):
    """PUT refused for its version or alias is stored without them [page: a bad request is refused]"""

    def do_put(self, org_id: str) -> Any:
        try:
            return super().do_put(org_id)
        except Refused as refused:
            if refused.status == 400:
                self.store_the_rest(org_id)
            raise

    def read_body(self, operation: Operation) -> Any:
        request.get_data(cache=True)
        return super().read_body(operation)

    def store_the_rest(self, org_id: str) -> None:
        with contextlib.suppress(Refused), self.lock:
            body = self.read_body("put")
            if isinstance(body, dict):
                self.store(org_id, self.read_definition(without(without(body, "version"), "alias")))


@mutant(STATE, "violation", caught_by="ING-3", upsert="bump")
class H104(ConformingServer):
    """PUT changes the definition of the same variant in every organisation [B133]"""

    def store(self, org: str, requested: RequestedDefinition) -> Definition:
        for other in list(self.definitions.values()):
            if other.variant == requested.variant and other.org_id != org:
                self.update(other, requested)
        return super().store(org, requested)


@mutant(STATE, "violation", caught_by="ING-3", upsert="bump")
class H105(ConformingServer):
    """ingress answers the version before the current one [B035]"""

    def choose_version(self, definition: Definition, sent: int | None) -> int:
        version = super().choose_version(definition, sent)
        before = [one for one in definition.versions if one < version]
        return max(before, default=version) if sent is None else version


@mutant(STATE, "violation", caught_by="ING-3", body="envelope", upsert="bump")
class H106(ConformingServer):
    """ingress answers the first version when the current one is asserted [B036]"""

    def choose_version(self, definition: Definition, sent: int | None) -> int:
        version = super().choose_version(definition, sent)
        return min(definition.versions) if sent == definition.version else version


@mutant(STATE, "violation", caught_by="PAGE-11", body="envelope")
class H107(ConformingServer):
    """ingress refuses the current version when it is asserted [B036]"""

    def choose_version(self, definition: Definition, sent: int | None) -> int:
        if sent is not None and sent == definition.version:
            raise Refused(400, "UNKNOWN_VERSION", "the definition has no such version")
        return super().choose_version(definition, sent)


@mutant(STATE, "violation", caught_by="ING-3", body="envelope")
class H108(ConformingServer):
    """ingress answers with a version that the definition does not have, as asked [B022, B037]"""

    def choose_version(self, definition: Definition, sent: int | None) -> int:
        if sent is not None:
            definition.versions.setdefault(sent, definition.schema)
        return super().choose_version(definition, sent)


@mutant(STATE, "violation", caught_by="DEF-2")
class H109(ConformingServer):
    """new definitions are numbered through: the second one begins with version 2 [B054]"""

    def define(self, org: str, requested: RequestedDefinition) -> Definition:
        own = sum(one.org_id == org for one in self.definitions.values())
        sent = own + 1 if requested.version is None else requested.version
        return super().define(org, replace(requested, version=sent))


@mutant(STATE, "violation", caught_by="DEF-2")
class H110(ConformingServer):
    """a new definition has version 0 [B054]"""

    def define(self, org: str, requested: RequestedDefinition) -> Definition:
        return super().define(org, replace(requested, version=requested.version or 0))


@mutant(STATE, "warning", caught_by="ING-15")
class H111(ConformingServer):
    """a variant is found in any case of its letters [S-ing: any string; nothing says how they compare]"""

    def undefined(self, org: str, variant: str) -> Definition:
        for one in self.definitions.values():
            if one.org_id == org and one.variant.lower() == variant.lower():
                return one
        return super().undefined(org, variant)


@mutant(STATE, "violation", caught_by="DEF-10")
class H112(ConformingServer):
    """PUT trims the variant [S-def: any string]"""

    def read_definition(self, body: Any) -> RequestedDefinition:
        requested = super().read_definition(body)
        return replace(requested, variant=requested.variant.strip())


@mutant(STATE, "violation", caught_by="DEF-10")
class H113(ConformingServer):
    """PUT loses the descriptions in a schema [S-def]"""

    def schema_of(self, body: dict[str, Any]) -> Any:
        schema = super().schema_of(body)
        return without(schema, "description") if isinstance(schema, dict) else schema


@mutant(STATE, "violation", caught_by="ING-7")
class H114(Remembers):
    """ids of actions are used again after twenty [B023, B077]"""

    def accept(self, definition: Definition, version: int, posted_as: str, work: Work) -> Action:
        action = super().accept(definition, version, posted_as, work)
        used = self.seen.setdefault(self.counted() % 20, action.id)
        self.actions[used] = self.actions.pop(action.id)
        action.id = used
        return action


@mutant(
    STATE,
    "violation",
    missed="the judge draws no conclusion across organisations from ids of fewer than 12 digits",
)
class H115(Remembers):
    """each organisation counts its actions from 1000, and the later one takes the id [B010, B133]"""

    def accept(self, definition: Definition, version: int, posted_as: str, work: Work) -> Action:
        action = super().accept(definition, version, posted_as, work)
        number = self.seen[definition.org_id] = self.seen.get(definition.org_id, 999) + 1
        del self.actions[action.id]
        action.id = str(number)
        self.actions[action.id] = action
        return action


@mutant(STATE, "violation", caught_by="ING-11")
class H116(Remembers):
    """every seventh action is answered and not kept [B021, custody of accepted work]"""

    def accept(self, definition: Definition, version: int, posted_as: str, work: Work) -> Action:
        action = super().accept(definition, version, posted_as, work)
        if self.counted() % 7 == 0:
            del self.actions[action.id]
        return action


@mutant(STATE, "violation", caught_by="ING-7")
class H117(Remembers):
    """an Idempotency-Key makes the second post answer with the first action [B024]"""

    def accept(self, definition: Definition, version: int, posted_as: str, work: Work) -> Action:
        key = (definition.org_id, request.headers.get("Idempotency-Key"))
        if key[1] is None:
            return super().accept(definition, version, posted_as, work)
        if key not in self.seen:
            self.seen[key] = super().accept(definition, version, posted_as, work)
        found: Action = self.seen[key]
        return found


@mutant(STATE, "violation", caught_by="ING-10")
class H118(Remembers):
    """queue_s is "running" from the second action of a definition on [B021]"""

    def action_data(self, action: Action) -> dict[str, Any]:
        data = super().action_data(action)
        again = self.seen.setdefault(data["a_def_id"], action.id) != action.id
        return data | {"queue_s": "running"} if again else data


@mutant(STATE, "violation", caught_by="ING-9")
class H119(ConformingServer):
    """a_def_id is the organisation's first definition [S-ing: a_def_id is the action's definition]"""

    def action_data(self, action: Action) -> dict[str, Any]:
        org = action.definition.org_id
        first = next(one for one in self.definitions.values() if one.org_id == org)
        return super().action_data(action) | {"a_def_id": first.id}


@mutant(
    STATE,
    "warning",
    caught_by="READ-1",
    missed="the run names the suspicion; no replay shows it, as the server counts on",
    unknown_variant="refuse",
)
class H120(Remembers):
    """unknown variants are refused at first and defined from the fourth on [Q6: each interpretation alone is lawful]"""

    def undefined(self, org: str, variant: str) -> Definition:
        if self.counted() > 3:
            return self.define(org, RequestedDefinition(variant, {}, None, None))
        return super().undefined(org, variant)


@mutant(STATE, "violation", caught_by="LEASE-8", delivery="at-once")
class H121(ConformingServer):
    """modack ends the lease instead of extending it [B125]"""

    def extend(self, action: Action, seconds: float) -> None:
        action.deadline = self.now()


@mutant(STATE, "violation", caught_by="LEASE-8", delivery="at-once")
class H122(ConformingServer):
    """modack settles the action [B125]"""

    def extend(self, action: Action, seconds: float) -> None:
        super().extend(action, seconds)
        self.succeed(action)


@mutant(
    STATE,
    "violation",
    missed="a lease may be longer than asked for, so one that goes on breaks nothing",
    delivery="at-once",
    extend_from="now",
)
class H123(ConformingServer):
    """a lease that was extended never ends [B101, B125]"""

    def extend(self, action: Action, seconds: float) -> None:
        action.deadline = action.ends


@mutant(STATE, "violation", caught_by="LEASE-8", delivery="at-once", extend_from="now")
class H124(ConformingServer):
    """mod_ack is kept in 32 bits: 4294967296 seconds are none [S-mod, B125]"""

    def extend(self, action: Action, seconds: float) -> None:
        super().extend(action, seconds % 2**32)


@mutant(STATE, "violation", caught_by="LEASE-8", delivery="at-once", extend_from="now")
class H125(ConformingServer):
    """mod_ack counts from when the action was accepted [B125, Q8: not before now + n]"""

    def extend(self, action: Action, seconds: float) -> None:
        action.deadline = min(action.accepted + seconds, action.ends)


@mutant(
    STATE,
    "violation",
    missed="to a client it looks as if the first lease went on, and a lease may be longer than asked for",
    delivery="at-once",
)
class H126(ConformingServer):
    """every delivery has attempt 0 [B077, B101]"""

    def deliver(self, action: Action, when: float) -> None:
        super().deliver(action, when)
        action.attempt = 0


@mutant(STATE, "violation", caught_by="LEASE-3", delivery="at-once")
class H127(ConformingServer):
    """attempts alternate between 0 and 1 [B077]"""

    def deliver(self, action: Action, when: float) -> None:
        super().deliver(action, when)
        action.attempt %= 2


@mutant(
    STATE,
    "violation",
    missed="the judge asks whether the next attempt is current, and not whether the one after it is",
    delivery="at-once",
)
class H128(ConformingServer):
    """an expired lease skips an attempt: 2 follows 0 [B101]"""

    def deliver(self, action: Action, when: float) -> None:
        again = action.started is not None
        super().deliver(action, when)
        action.attempt += again


@mutant(STATE, "violation", caught_by="LEASE-6")
class H129(Remembers):
    """after five unknown ids all of them are accepted by modack [B133]"""

    def do_modack(self) -> Any:
        try:
            return super().do_modack()
        except Refused as refused:
            if refused.status != 404 or self.counted() <= 5:
                raise
            return self.modack_answer()


@mutant(STATE, "violation", caught_by="ING-11", delivery="at-once")
class H130(Remembers):
    """an action is forgotten after its third modack [B125, B133]"""

    def extend(self, action: Action, seconds: float) -> None:
        super().extend(action, seconds)
        self.seen[action.id] = self.seen.get(action.id, 0) + 1
        if self.seen[action.id] == 3:
            del self.actions[action.id]


@mutant(STATE, "violation", missed="the judge reads no records: they are not published", operations="all")
class H131(ConformingServer):
    """the record shows the whole body as input, not its payload [B026, B078]"""

    def read_work(self, body: Any) -> Work:
        work = super().read_work(body)
        enveloped = self.choices.body != "raw" and isinstance(body, dict) and "payload" in body
        return replace(work, payload=body) if enveloped else work


@mutant(
    STATE,
    "violation",
    missed="the judge reads no records: they are not published",
    operations="all",
    body="envelope",
)
class H132(ConformingServer):
    """a tag in the body wins over the same tag in the query [B032]"""

    def read_work(self, body: Any) -> Work:
        work = super().read_work(body)
        return replace(work, tags=work.tags | self.tags_of(body))


@mutant(STATE, "violation", caught_by="LIFE-9", operations="all", delivery="at-once")
class H133(ConformingServer):
    """an ack is answered and the work is delivered again [B127]"""

    def succeed(self, action: Action) -> None:
        if request.endpoint != "ack":
            super().succeed(action)


@mutant(STATE, "violation", caught_by="LIFE-9", operations="all", delivery="at-once")
class H134(ConformingServer):
    """a nack with retry false is tried again [B130]"""

    def reject(self, action: Action) -> None:
        self.schedule_retry(action, Terms())


@mutant(STATE, "violation", caught_by="LIFE-11", operations="all", delivery="at-once")
class H135(ConformingServer):
    """deferred work is delivered again when its lease ends [B141, B142]"""

    def pass_deadline(self, action: Action, when: float) -> None:
        if action.status == "deferred" and when < action.ends:
            action.status = "held"
        super().pass_deadline(action, when)


@mutant(STATE, "violation", caught_by="LIFE-13", operations="all", delivery="at-once")
class H136(ConformingServer):
    """a nack of deferred work is accepted and fails it [B143]"""

    def give_back(self, action: Action, terms: Terms) -> None:
        if action.status == "deferred":
            self.reject(action)
        else:
            super().give_back(action, terms)


@mutant(STATE, "violation", caught_by="LIFE-7", operations="all", delivery="at-once")
class H137(ConformingServer):
    """a nack pays no heed to retry_at [B129]"""

    def schedule_retry(self, action: Action, terms: Terms) -> None:
        super().schedule_retry(action, replace(terms, retry_at=None))


@mutant(STATE, "warning", missed="the judge reads no records: they are not published", operations="all")
class H138(ConformingServer):
    """the count of a list of records is that of its page [B015: inferred for records]"""

    def records_answer(self, found: list[Action], page: Page) -> Any:
        answer = super().records_answer(found, page)
        answer["data"]["count"] = len(answer["data"]["items"])
        return answer
