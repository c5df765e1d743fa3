"""Mutants that let in requests without a good key, or turn away those with one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request

from ..conforming_server import CONTROL_PLANE, ConformingServer, Operation, Refused, crash
from ..mutant import Group, mutant

AUTH = Group("auth")


class _AcceptsMoreKeys(ConformingServer):
    """Some wrong keys count as the first organisation's."""

    def accepts(self, key: str) -> bool:
        """Whether a wrong key is one of them."""
        raise NotImplementedError

    def org_of(self, key: str) -> str | None:
        return super().org_of(key) or (next(iter(self.keys.values())) if self.accepts(key) else None)


@mutant(AUTH, "violation", caught_by="AUTH-4")
class A02(_AcceptsMoreKeys):
    """empty key is accepted"""

    def accepts(self, key: str) -> bool:
        return not key


@mutant(AUTH, "violation", caught_by="AUTH-4")
class A03(_AcceptsMoreKeys):
    """any wrong key gives 200"""

    def accepts(self, key: str) -> bool:
        return bool(key)


@mutant(AUTH, "violation", caught_by="AUTH-4")
class A07(ConformingServer):
    """any value in Authorization is accepted"""

    def authenticate(self, operation: Operation) -> str:
        if operation not in CONTROL_PLANE and request.headers.get("Authorization"):
            return next(iter(self.keys.values()))
        return super().authenticate(operation)


@mutant(AUTH, "warning", caught_by="AUTH-3")
class A08(ConformingServer):
    """PUT also accepts Authorization (not declared there)"""

    def credentials(self, operation: Operation) -> list[str]:
        return super().credentials("ingress")


@mutant(AUTH, "violation", caught_by="AUTH-4")
class A12(_AcceptsMoreKeys):
    """key prefix / case-insensitive match accepted"""

    def accepts(self, key: str) -> bool:
        return bool(key) and any(good.lower().startswith(key.lower()) for good in self.keys)


@mutant(AUTH, "violation", caught_by="AUTH-4")
class A13(ConformingServer):
    """key with trailing space or dot accepted"""

    def org_of(self, key: str) -> str | None:
        return super().org_of(key.rstrip(" ."))


@mutant(AUTH, "warning", caught_by="AUTH-9")
class A14(ConformingServer):
    """body is validated before auth (400 for anonymous)"""

    def authenticate(self, operation: Operation) -> str:
        readers: dict[Operation, Callable[[Any], object]] = {
            "put": self.read_definition,
            "ingress": self.read_work,
            "modack": self.read_extension,
        }
        if operation in readers:
            readers[operation](self.read_body(operation))
        return super().authenticate(operation)

    def read_body(self, operation: Operation) -> Any:
        request.get_data(cache=True)
        return super().read_body(operation)


@mutant(AUTH, "violation", caught_by="AUTH-4")
class A15(ConformingServer):
    """PUT has no auth at all"""

    def authenticate(self, operation: Operation) -> str:
        org_id: str = (request.view_args or {}).get("org_id", "")
        return org_id if operation == "put" else super().authenticate(operation)


@mutant(AUTH, "violation", caught_by="PAGE-8")
class A16(ConformingServer):
    """bad x-arklow-auth plus good Authorization gives 500"""

    def authenticate(self, operation: Operation) -> str:
        known = [self.org_of(key) is not None for key in self.credentials(operation)]
        if "x-arklow-auth" in request.headers and known == [False, True]:
            crash()
        return super().authenticate(operation)


@mutant(AUTH, "violation", caught_by="AUTH-4")
class A17(ConformingServer):
    """key accepted from the query string"""

    def credentials(self, operation: Operation) -> list[str]:
        return [*super().credentials(operation), *request.args.values()]


@mutant(AUTH, "warning", caught_by="SAFE-1")
class A19(ConformingServer):
    """401 message echoes the key and hints a valid one"""

    def authenticate(self, operation: Operation) -> str:
        try:
            return super().authenticate(operation)
        except Refused:
            sent, good = ", ".join(self.credentials(operation)), next(iter(self.keys))
            raise Refused(401, "UNAUTHORIZED", f"{sent!r} is no key, did you mean {good!r}?") from None
