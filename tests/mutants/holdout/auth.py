"""Mutants of the holdout that let in requests without a good key, or turn away those with one."""

from __future__ import annotations

import base64
import contextlib
from typing import Any

from flask import request

from tests.serving import HEADERS

from ..conforming_server import CONTROL_PLANE, Action, ConformingServer, Definition, Operation, Refused
from ..mutant import Group, mutant

AUTH = Group("auth")


class _AsksForNoKey(ConformingServer):
    """One operation needs no key: without a good one the caller is the first organisation."""

    operation: Operation

    def authenticate(self, operation: Operation) -> str:
        try:
            return super().authenticate(operation)
        except Refused:
            if operation != self.operation:
                raise
            return next(iter(self.keys.values()))


@mutant(AUTH, "violation", caught_by="AUTH-4")
class H084(_AsksForNoKey):
    """ingress has no auth at all [S-ing, B005]"""

    operation = "ingress"


@mutant(AUTH, "violation", caught_by="AUTH-4")
class H085(_AsksForNoKey):
    """modack has no auth at all [S-mod, B005]"""

    operation = "modack"


@mutant(AUTH, "violation", caught_by="LEASE-6", delivery="at-once")
class H086(ConformingServer):
    """modack extends the action of another organisation [B133]"""

    def find(self, org: str, action_id: str) -> Action:
        if request.endpoint == "modack" and action_id in self.actions:
            return self.actions[action_id]
        return super().find(org, action_id)


@mutant(AUTH, "violation", caught_by="AUTH-6")
class H087(ConformingServer):
    """PUT writes on the path of another organisation [Q10: 403 or 404, refused in any case]"""

    def do_put(self, org_id: str) -> Any:
        self.authenticate("put")
        self.check_org(org_id, org_id)
        requested = self.read_definition(self.read_body("put"))
        with self.exclusive():
            return self.put_answer(self.store(org_id, requested))


@mutant(AUTH, "violation", caught_by="ORG-1")
class H088(ConformingServer):
    """ingress reaches the definition of another organisation when there is no own one [B133, Q6]"""

    def undefined(self, org: str, variant: str) -> Definition:
        others = [one for one in self.definitions.values() if one.variant == variant]
        return others[0] if others else super().undefined(org, variant)


@mutant(AUTH, "violation", caught_by="AUTH-1")
class H089(ConformingServer):
    """a good key in Authorization is refused on ingress [S-ing, B002]"""

    def credentials(self, operation: Operation) -> list[str]:
        return super().credentials("put" if operation == "ingress" else operation)


@mutant(AUTH, "none")
class H090(ConformingServer):
    """the word Bearer may stand before the key in Authorization [B003, Q26: unknown]"""

    def credentials(self, operation: Operation) -> list[str]:
        known = super().credentials(operation)
        if operation in CONTROL_PLANE:
            return known
        return [*known, request.headers.get("Authorization", "").removeprefix("Bearer ")]


@mutant(AUTH, "violation", caught_by="AUTH-4")
class H091(ConformingServer):
    """a key in a cookie is accepted [B001, B005]"""

    def credentials(self, operation: Operation) -> list[str]:
        return [*super().credentials(operation), *request.cookies.values()]


@mutant(AUTH, "violation", caught_by="AUTH-4")
class H092(ConformingServer):
    """a key in x-api-key is accepted [B001, B005]"""

    def credentials(self, operation: Operation) -> list[str]:
        return [*super().credentials(operation), request.headers.get("x-api-key", "")]


@mutant(AUTH, "violation", caught_by="AUTH-4")
class H093(ConformingServer):
    """a key as the user of Basic in Authorization is accepted [B003, B005]"""

    def credentials(self, operation: Operation) -> list[str]:
        known = super().credentials(operation)
        if operation in CONTROL_PLANE:
            return known
        return [*known, self.user_of(request.headers.get("Authorization", ""))]

    def user_of(self, sent: str) -> str:
        with contextlib.suppress(ValueError):
            return base64.b64decode(sent.removeprefix("Basic ")).decode().partition(":")[0]
        return ""


@mutant(AUTH, "violation", caught_by="AUTH-4")
class H094(ConformingServer):
    """every text that begins with a good key is accepted [B005]"""

    def org_of(self, key: str) -> str | None:
        return next((org for good, org in self.keys.items() if key.startswith(good)), None)


@mutant(AUTH, "warning", caught_by="AUTH-10")
class H095(ConformingServer):
    """a good x-arklow-auth is refused when Authorization is bad [S-ing, S-mod, B002]"""

    def authenticate(self, operation: Operation) -> str:
        if not all(self.org_of(key) for key in self.credentials(operation)):
            raise self.unauthorized()
        return super().authenticate(operation)


@mutant(AUTH, "violation", caught_by="PAGE-2")
class H096(ConformingServer):
    """a wrong key on ingress and modack is the undocumented 403 [S-ing, S-mod, B005]"""

    def authenticate(self, operation: Operation) -> str:
        try:
            return super().authenticate(operation)
        except Refused:
            if operation == "put" or not self.credentials(operation):
                raise
            raise Refused(403, "FORBIDDEN", "the key is not good") from None


@mutant(AUTH, "warning", caught_by="AUTH-9")
class H097(ConformingServer):
    """modack looks for the action before the key (404 for anonymous) [no page tells the order]"""

    def authenticate(self, operation: Operation) -> str:
        if operation == "modack" and self.names_nothing(request.get_data(cache=True)):
            raise Refused(404, "UNKNOWN_ACTION", "no action has this id")
        return super().authenticate(operation)

    def names_nothing(self, raw: bytes) -> bool:
        with contextlib.suppress(Refused):
            body = self.parse(self.decode(raw))
            return isinstance(body, dict) and self.id_of(body) not in self.actions
        return False


@mutant(AUTH, "violation", caught_by="AUTH-1")
class H098(ConformingServer):
    """the name of the header must be written in small letters [B001, RFC 9110 5.1]"""

    def credentials(self, operation: Operation) -> list[str]:
        sent = {name for name, _ in request.environ[HEADERS]}
        known = super().credentials(operation)
        unseen = "x-arklow-auth" in request.headers and "x-arklow-auth" not in sent
        return known[1:] if unseen else known
