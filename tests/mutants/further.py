"""Further mutants: for each rule that no mutant of the catalogue breaks, and for rules that need a second example.

Where the rule is a warning, the mutation may be a lawful choice that a judge should remark on.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

from flask import Response, request
from werkzeug.exceptions import HTTPException

from .catalogue.state import S35
from .conforming_server import (
    Action,
    ConformingServer,
    Definition,
    Operation,
    Refused,
    RequestedDefinition,
    Work,
    bad_request,
    crash,
)
from .mutant import Group, mutant
from .mutations import Remembers

BY_RULE = Group("by rule")


@mutant(BY_RULE, "violation", caught_by="AUTH-1")
class RefusesItsOwnKeyHeader(ConformingServer):
    """modack knows Authorization alone [S-mod, B001]"""

    def authenticate(self, operation: Operation) -> str:
        if operation == "modack" and "x-arklow-auth" in request.headers:
            raise self.unauthorized()
        return super().authenticate(operation)


@mutant(BY_RULE, "violation", caught_by="AUTH-6")
class ServesEveryOrganisation(ConformingServer):
    """a good key opens every organisation's path [Q10]"""

    def check_org(self, org: str, org_id: str) -> None:
        """Let every path pass."""


@mutant(BY_RULE, "warning", caught_by="AUTH-8", www_authenticate=False)
class NamesNoScheme(ConformingServer):
    """a 401 has no WWW-Authenticate [RFC 9110 11.6.1]"""


@mutant(BY_RULE, "violation", caught_by="PAGE-2")
class RefusesWith422(ConformingServer):
    """ingress answers a bad request with a status that its page does not list [S-ing]"""

    def status_of(self, operation: Operation, refused: Refused) -> int:
        return 422 if refused.status == 400 else refused.status


@mutant(BY_RULE, "violation", caught_by="PAGE-3")
class Creates(ConformingServer):
    """PUT answers 201 [S-def]"""

    def render(self, operation: Operation, status: int, body: Any) -> Response:
        return super().render(operation, 201 if operation == "put" and status == 200 else status, body)


@mutant(BY_RULE, "violation", caught_by="PAGE-6")
class DatesItsDefinitions(ConformingServer):
    """deleted_at is a date without a time [S-def]"""

    def render(self, operation: Operation, status: int, body: Any) -> Response:
        if operation == "put" and body["data"]:
            body["data"]["deleted_at"] = "2026-01-01"
        return super().render(operation, status, body)


@mutant(BY_RULE, "warning", caught_by="PAGE-13")
class RefusesWithAPage(ConformingServer):
    """PUT refuses with HTML"""

    def refuse(self, operation: Operation, refused: Refused) -> Response:
        return Response("<h1>No</h1>", 400) if operation == "put" else super().refuse(operation, refused)


@mutant(BY_RULE, "warning", caught_by="PAGE-15")
class RefusesInPlainText(ConformingServer):
    """ingress refuses in plain text with a status that its page does not list"""

    def refuse(self, operation: Operation, refused: Refused) -> Response:
        if operation == "ingress" and refused.status == 400:
            return Response("no", 422, content_type="text/plain")
        return super().refuse(operation, refused)


@mutant(BY_RULE, "violation", caught_by="DEF-2")
class BeginsWithZero(ConformingServer):
    """the first version of a definition is 0 [B054]"""

    def define(self, org: str, requested: RequestedDefinition) -> Definition:
        return super().define(org, replace(requested, version=requested.version or 0))


@mutant(BY_RULE, "violation", caught_by="DEF-12")
class SharesOneId(ConformingServer):
    """all definitions have the id of the first one [S-def, S-ing]"""

    def define(self, org: str, requested: RequestedDefinition) -> Definition:
        made = super().define(org, requested)
        made.id = self.__dict__.setdefault("first", made.id)
        return made


@mutant(BY_RULE, "violation", caught_by="ING-7")
class SharesIdsBetweenOrganisations(Remembers):
    """an id is made of the variant and its count, so that another organisation's later action takes it [B023, B133]"""

    def accept(self, definition: Definition, version: int, posted_as: str, work: Work) -> Action:
        action = super().accept(definition, version, posted_as, work)
        place = definition.org_id, definition.variant
        count = self.seen[place] = self.seen.get(place, 0) + 1
        del self.actions[action.id]
        action.id = str(int(sha256(f"{definition.variant} {count}".encode()).hexdigest()[:15], 16) + 10**18)
        self.actions[action.id] = action
        return action


@mutant(BY_RULE, "violation", caught_by="LEASE-6", ids="small")
class NamesOthersActionsAConflict(ConformingServer):
    """modack answers 409, not 404, for the action of another organisation [B133]"""

    def find(self, org: str, action_id: str) -> Action:
        if action_id in self.actions and self.actions[action_id].definition.org_id != org:
            raise Refused(409, "FOREIGN_ACTION", "the action is another organisation's")
        return super().find(org, action_id)


@mutant(BY_RULE, "violation", caught_by="LEASE-6", ids="small")
class NamesUnknownIdsABadRequest(ConformingServer):
    """modack answers 400, not 404, for an id that was never issued [B133]"""

    def find(self, org: str, action_id: str) -> Action:
        if action_id not in self.actions:
            raise bad_request("no action has this id")
        return super().find(org, action_id)


class _FailsOnSome(ConformingServer):
    """Some bodies are answered with 500, and what has more of the same is refused."""

    def amount(self, raw: bytes) -> int:
        """How much of it a body has."""
        raise NotImplementedError

    fails: range
    """Amounts that are answered with 500; what is beyond is refused."""

    def read_body(self, operation: Operation) -> Any:
        amount = self.amount(request.get_data())
        if amount in self.fails:
            crash()
        if amount >= self.fails.stop:
            raise self.unreadable("TOO_MUCH")
        return super().read_body(operation)


@mutant(BY_RULE, "violation", caught_by="PAGE-8")
class FailsOnSomeDepths(_FailsOnSome):
    """500 on objects of 250 to 399 levels, 400 from there on [RFC 8259 9 lets a parser refuse them]"""

    fails = range(250, 400)

    def amount(self, raw: bytes) -> int:
        return raw.count(b"{")


@mutant(BY_RULE, "violation", caught_by="PAGE-8")
class FailsOnFewLevels(_FailsOnSome):
    """500 on lists of 35 to 59 levels, 400 from there on [RFC 8259 9 lets a parser refuse them]"""

    fails = range(35, 60)

    def amount(self, raw: bytes) -> int:
        return raw.count(b"[")


@mutant(BY_RULE, "violation", caught_by="PAGE-8")
class FailsOnSomeSizes(_FailsOnSome):
    """500 on bodies of 16 to 32 KiB, 400 from there on [Q28]"""

    fails = range(16 << 10, 32 << 10)

    def amount(self, raw: bytes) -> int:
        return len(raw)


@mutant(BY_RULE, "warning", caught_by="HTTP-10")
class FailsWithoutAVariant(ConformingServer):
    """500 on a path with an empty segment, which no route takes [RFC 9110 15.6.1]"""

    def unrouted(self, error: HTTPException) -> Response:
        if "//" in request.path or request.path.endswith("/"):
            return self.refuse("none", Refused(500, "INTERNAL_ERROR", "a mistake of the server"))
        return super().unrouted(error)


@mutant(BY_RULE, "warning", caught_by="HTTP-6")
class SearchesLong(ConformingServer):
    """more than a second for an answer to an unknown id"""

    def find(self, org: str, action_id: str) -> Action:
        if action_id not in self.actions:
            self.clock.wait(1.2)
        return super().find(org, action_id)


@mutant(BY_RULE, "warning", caught_by="JSON-9")
class NamesErrorsTwice(ConformingServer):
    """a refusal has two members errors [RFC 8259 4]"""

    def render(self, operation: Operation, status: int, body: Any) -> Response:
        answer = super().render(operation, status, body)
        if status == 400:
            answer.set_data(answer.get_data().replace(b"{", b'{"errors": null, ', 1))
        return answer


@mutant(BY_RULE, "violation", caught_by="LEASE-8")
class EndsTheLease(ConformingServer):
    """a lease is over as soon as it is granted [B125]"""

    def extend(self, action: Action, seconds: float) -> None:
        action.deadline = self.now()


@mutant(BY_RULE, "warning", caught_by="LEASE-7", stale=404)
class HidesStaleAttempts(ConformingServer):
    """an attempt that is not the current one is 404 [Q2]"""


@mutant(BY_RULE, "warning", caught_by="DEF-7", alias="steal")
class StealsAliases(ConformingServer):
    """an alias goes to the definition that asked last [C5]"""


@mutant(BY_RULE, "warning", caught_by="ING-1", alias_first=False)
class PrefersVariants(ConformingServer):
    """a variant outranks an alias of the same name [C5]"""


@mutant(BY_RULE, "warning", caught_by="ING-12", ids="long")
class FindsActionsLate(S35):
    """new action with an id of 25 digits invisible for 200 ms (404)"""


@mutant(BY_RULE, "warning", caught_by="ING-14", a_va="as-asked")
class EchoesTheAlias(ConformingServer):
    """a_va echoes the alias under which work was posted"""


@mutant(BY_RULE, "warning", caught_by="PAGE-10", body="raw-without-payload")
class TakesBodiesAsPayload(ConformingServer):
    """a body without payload is the payload [C1]"""


FURTHER = BY_RULE.mutants
"""Keyed by id."""

__all__ = ["FURTHER"]
