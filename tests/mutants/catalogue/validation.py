"""Mutants that accept broken requests or refuse good ones."""

from __future__ import annotations

import json
import re
from typing import Any

from flask import request

from ..conforming_server import (
    INT32,
    ConformingServer,
    Definition,
    Operation,
    RequestedDefinition,
    Work,
    bad_request,
    integer_of,
)
from ..mutant import Group, mutant

VALIDATION = Group("validation")


@mutant(VALIDATION, "warning", caught_by="PAGE-10", body="envelope")
class V01(ConformingServer):
    """ingress accepts a body without payload"""

    def payload_of(self, body: dict[str, Any]) -> Any:
        return body.get("payload")


class _IgnoresVersions(ConformingServer):
    """Ingress ignores some wrong versions, as if none had been sent."""

    def ignores(self, version: Any) -> bool:
        """Whether a wrong version is one of them."""
        raise NotImplementedError

    def version_of(self, body: dict[str, Any]) -> int | None:
        if "version" in body and self.ignores(body["version"]):
            return None
        return super().version_of(body)


@mutant(VALIDATION, "warning", caught_by="PAGE-10", body="envelope")
class V02(_IgnoresVersions):
    """ingress accepts version 0"""

    def ignores(self, version: Any) -> bool:
        return integer_of(version) == 0


@mutant(VALIDATION, "warning", caught_by="PAGE-10", body="envelope")
class V03(_IgnoresVersions):
    """ingress accepts negative versions"""

    def ignores(self, version: Any) -> bool:
        return (integer_of(version) or 0) < 0


@mutant(VALIDATION, "warning", caught_by="PAGE-10", body="envelope")
class V04(_IgnoresVersions):
    """ingress accepts version 2^31 (over int32)"""

    def ignores(self, version: Any) -> bool:
        return (integer_of(version) or 0) > INT32


@mutant(VALIDATION, "violation", caught_by="PAGE-9", body="envelope")
class V05(ConformingServer):
    """ingress accepts version "1" (string coerced)"""

    def version_of(self, body: dict[str, Any]) -> int | None:
        version = body.get("version")
        if isinstance(version, str) and re.fullmatch("[0-9]{1,9}", version):
            body = body | {"version": int(version)}
        return super().version_of(body)


@mutant(VALIDATION, "warning", caught_by="PAGE-10", body="envelope")
class V06(ConformingServer):
    """ingress accepts version 1.5 (truncated)"""

    def version_of(self, body: dict[str, Any]) -> int | None:
        if isinstance(body.get("version"), float):
            body = body | {"version": int(body["version"])}
        return super().version_of(body)


@mutant(VALIDATION, "violation", caught_by="PAGE-9", body="envelope")
class V07(_IgnoresVersions):
    """ingress accepts version true"""

    def ignores(self, version: Any) -> bool:
        return version is True


@mutant(VALIDATION, "violation", caught_by="PAGE-9", body="envelope")
class V08(_IgnoresVersions):
    """ingress accepts version null"""

    def ignores(self, version: Any) -> bool:
        return version is None


@mutant(VALIDATION, "violation", caught_by="PAGE-9", body="envelope")
class V10(ConformingServer):
    """ingress accepts tags as an array"""

    def tags_of(self, body: dict[str, Any]) -> dict[str, str]:
        return {} if isinstance(body.get("tags"), list) else super().tags_of(body)


@mutant(VALIDATION, "violation", caught_by="PAGE-9", body="envelope")
class V11(ConformingServer):
    """ingress accepts tags null"""

    def tags_of(self, body: dict[str, Any]) -> dict[str, str]:
        return {} if body.get("tags") is None else super().tags_of(body)


@mutant(VALIDATION, "violation", caught_by="PAGE-9", delivery="at-once")
class V13(ConformingServer):
    """modack accepts missing attempt"""

    def attempt_of(self, body: dict[str, Any]) -> int:
        return super().attempt_of({"attempt": 0} | body)


@mutant(VALIDATION, "violation", caught_by="PAGE-9", delivery="at-once")
class V14(ConformingServer):
    """modack accepts missing mod_ack"""

    def seconds_of(self, body: dict[str, Any]) -> int:
        return super().seconds_of({"mod_ack": 60} | body)


@mutant(VALIDATION, "violation", caught_by=("PAGE-9", "PAGE-12"), delivery="at-once")
class V18(ConformingServer):
    """modack accepts negative mod_ack"""

    def seconds_of(self, body: dict[str, Any]) -> int:
        seconds = integer_of(body.get("mod_ack"))
        return seconds if seconds is not None and seconds < 0 else super().seconds_of(body)


@mutant(VALIDATION, "violation", caught_by="PAGE-9", delivery="at-once")
class V21(ConformingServer):
    """modack accepts id + trailing newline ($ regex slip)"""

    def id_of(self, body: dict[str, Any]) -> str:
        value = body.get("action_record_id")
        if isinstance(value, str) and re.match("^[0-9]+$", value):
            return value.removesuffix("\n")
        return super().id_of(body)


@mutant(VALIDATION, "violation", caught_by="PAGE-9", delivery="at-once")
class V22(ConformingServer):
    """modack accepts full-width Unicode digits"""

    def id_of(self, body: dict[str, Any]) -> str:
        value = body.get("action_record_id")
        if isinstance(value, str) and value.isdecimal():
            value = "".join(str(int(digit)) for digit in value)
        return super().id_of(body | {"action_record_id": value})


@mutant(VALIDATION, "violation", caught_by="PAGE-9")
class V24(ConformingServer):
    """PUT accepts missing schema"""

    def schema_of(self, body: dict[str, Any]) -> Any:
        return body.get("schema", {})


@mutant(VALIDATION, "violation", caught_by="PAGE-9")
class V25(ConformingServer):
    """PUT accepts alias as a string"""

    def alias_of(self, body: dict[str, Any]) -> list[str] | None:
        if isinstance(body.get("alias"), str):
            return [body["alias"]]
        return super().alias_of(body)


@mutant(VALIDATION, "violation", caught_by="PAGE-9")
class V26(ConformingServer):
    """PUT accepts non-string alias items"""

    def alias_of(self, body: dict[str, Any]) -> list[str] | None:
        if isinstance(body.get("alias"), list):
            return [item if isinstance(item, str) else json.dumps(item) for item in body["alias"]]
        return super().alias_of(body)


@mutant(VALIDATION, "violation", caught_by="PAGE-9")
class V27(ConformingServer):
    """PUT accepts version as a string"""

    def definition_version_of(self, body: dict[str, Any]) -> int | None:
        version = body.get("version")
        if isinstance(version, str):
            body = body | {"version": int(version) if re.fullmatch("[0-9]{1,9}", version) else 1}
        return super().definition_version_of(body)


@mutant(VALIDATION, "warning", caught_by="JSON-8")
class V34(ConformingServer):
    """NaN/Infinity literals accepted"""

    def constant(self, literal: str) -> Any:
        return None


@mutant(VALIDATION, "warning", caught_by="JSON-8")
class V35(ConformingServer):
    """trailing garbage after the JSON document accepted"""

    def load(self, text: str) -> Any:
        try:
            return super().load(text)
        except json.JSONDecodeError as error:
            if error.msg != "Extra data":
                raise
            return super().load(text[: error.pos])


@mutant(VALIDATION, "violation", caught_by="PAGE-9")
class V37(ConformingServer):
    """empty body accepted"""

    def decode(self, raw: bytes) -> str:
        if not raw and request.endpoint == "ingress":
            return '{"payload": null}'
        return super().decode(raw)


@mutant(VALIDATION, "none")
class V40(ConformingServer):
    """missing Content-Type accepted"""

    def check_content_type(self, operation: Operation) -> None:
        if request.headers.get("Content-Type"):
            super().check_content_type(operation)


@mutant(VALIDATION, "violation", caught_by="PAGE-11")
class V41(ConformingServer):
    """valid payload: null rejected"""

    def read_work(self, body: Any) -> Work:
        work = super().read_work(body)
        if work.payload is None:
            raise bad_request("payload is missing")
        return work


@mutant(VALIDATION, "violation", caught_by="PAGE-11")
class V43(ConformingServer):
    """valid attempt 0 rejected with 400"""

    def attempt_of(self, body: dict[str, Any]) -> int:
        if not (attempt := super().attempt_of(body)):
            raise bad_request("attempt is missing")
        return attempt


@mutant(VALIDATION, "violation", caught_by="PAGE-11")
class V45(ConformingServer):
    """non-ASCII variant rejected"""

    def read_definition(self, body: Any) -> RequestedDefinition:
        requested = super().read_definition(body)
        if not requested.variant.isascii():
            raise bad_request("variant is not ASCII")
        return requested

    def resolve(self, org: str, variant: str) -> Definition:
        if not variant.isascii():
            raise bad_request("variant is not ASCII")
        return super().resolve(org, variant)


@mutant(VALIDATION, "violation", caught_by="PAGE-11", body="envelope")
class V46(ConformingServer):
    """empty tags object rejected"""

    def tags_of(self, body: dict[str, Any]) -> dict[str, str]:
        if not (tags := super().tags_of(body)) and "tags" in body:
            raise bad_request("tags is empty")
        return tags


@mutant(VALIDATION, "warning", caught_by="PAGE-12")
class V49(ConformingServer):
    """modack skips the id pattern (bad ids give 404, not 400)"""

    def id_of(self, body: dict[str, Any]) -> str:
        value = body.get("action_record_id")
        return value if isinstance(value, str) else super().id_of(body)


@mutant(VALIDATION, "violation", caught_by="PAGE-9", delivery="at-once")
class V50(ConformingServer):
    """modack accepts attempt over int32"""

    def attempt_of(self, body: dict[str, Any]) -> int:
        attempt = integer_of(body.get("attempt"))
        return super().attempt_of(body | {"attempt": 0} if (attempt or 0) > INT32 else body)
