"""Mutants of the holdout that accept broken requests."""

from __future__ import annotations

import json
import re
from typing import Any

from flask import request

from ..conforming_server import INT64, ConformingServer, Operation, RequestedDefinition, Work, integer_of
from ..mutant import Group, mutant

ACCEPTED = Group("validation")


class _Coerces(ConformingServer):
    """One member of a body is coerced: some wrong values of it count as right ones."""

    member: str

    def coerced(self, value: Any) -> Any:
        """The value that counts."""
        raise NotImplementedError

    def coerced_body(self, body: Any) -> Any:
        if isinstance(body, dict) and self.member in body:
            return body | {self.member: self.coerced(body[self.member])}
        return body


class _CoercesInModack(_Coerces):
    def read_extension(self, body: Any) -> Any:
        return super().read_extension(self.coerced_body(body))


class _CoercesInPut(_Coerces):
    def read_definition(self, body: Any) -> RequestedDefinition:
        return super().read_definition(self.coerced_body(body))


class _CoercesInIngress(_Coerces):
    def read_work(self, body: Any) -> Work:
        return super().read_work(self.coerced_body(body))


@mutant(ACCEPTED, "violation", caught_by="PAGE-9", delivery="at-once")
class H041(_CoercesInModack):
    """modack accepts a live id as a number [S-mod, B124]"""

    member = "action_record_id"

    def coerced(self, value: Any) -> Any:
        return value if isinstance(value, str) or integer_of(value) is None else str(integer_of(value))


@mutant(ACCEPTED, "violation", caught_by="PAGE-9", delivery="at-once")
class H042(_CoercesInModack):
    """modack accepts a live id between blanks [S-mod, B124]"""

    member = "action_record_id"

    def coerced(self, value: Any) -> Any:
        return value.strip(" ") if isinstance(value, str) else value


@mutant(ACCEPTED, "warning", caught_by="LEASE-9", delivery="at-once")
class H043(_CoercesInModack):
    """modack ignores zeros before a live id [B010: ids are strings, nothing says how they compare]"""

    member = "action_record_id"

    def coerced(self, value: Any) -> Any:
        return (value.lstrip("0") or "0") if isinstance(value, str) and value.isdecimal() else value


@mutant(ACCEPTED, "violation", caught_by="PAGE-9", delivery="at-once")
class H044(_CoercesInModack):
    """modack accepts the attempt as a string [S-mod, B124]"""

    member = "attempt"

    def coerced(self, value: Any) -> Any:
        return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value) else value


@mutant(ACCEPTED, "violation", caught_by=("PAGE-9", "PAGE-12"), delivery="at-once")
class H045(_CoercesInModack):
    """modack accepts the attempt false as 0 [S-mod, B124]"""

    member = "attempt"

    def coerced(self, value: Any) -> Any:
        return int(value) if isinstance(value, bool) else value


@mutant(ACCEPTED, "violation", caught_by="PAGE-9", delivery="at-once")
class H046(_CoercesInModack):
    """modack cuts a fraction off the attempt [S-mod, B124]"""

    member = "attempt"

    def coerced(self, value: Any) -> Any:
        return int(value) if isinstance(value, float) else value


@mutant(ACCEPTED, "violation", caught_by="PAGE-9", delivery="at-once")
class H047(_CoercesInModack):
    """modack takes the attempt -1 for 0 [S-mod, B124]"""

    member = "attempt"

    def coerced(self, value: Any) -> Any:
        return 0 if integer_of(value) == -1 else value


@mutant(ACCEPTED, "violation", caught_by="PAGE-9", delivery="at-once")
class H048(_CoercesInModack):
    """modack accepts mod_ack as a string [S-mod, B124]"""

    member = "mod_ack"

    def coerced(self, value: Any) -> Any:
        return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value) else value


@mutant(ACCEPTED, "violation", caught_by="PAGE-9", delivery="at-once")
class H049(_CoercesInModack):
    """modack rounds a fraction of mod_ack up [S-mod, B124]"""

    member = "mod_ack"

    def coerced(self, value: Any) -> Any:
        return int(value) + 1 if isinstance(value, float) and integer_of(value) is None else value


@mutant(ACCEPTED, "violation", caught_by="PAGE-9", delivery="at-once")
class H050(ConformingServer):
    """modack accepts mod_ack 0 [S-mod, B124]"""

    def seconds_of(self, body: dict[str, Any]) -> int:
        return 0 if integer_of(body.get("mod_ack")) == 0 else super().seconds_of(body)


@mutant(ACCEPTED, "violation", caught_by="PAGE-9", delivery="at-once")
class H051(_CoercesInModack):
    """modack accepts a mod_ack beyond int64 [S-mod, B124]"""

    member = "mod_ack"

    def coerced(self, value: Any) -> Any:
        return min(value, INT64) if isinstance(value, int) else value


@mutant(ACCEPTED, "violation", caught_by="PAGE-9", delivery="at-once")
class H052(ConformingServer):
    """modack accepts a list with the object in it [S-mod]"""

    def read_extension(self, body: Any) -> Any:
        return super().read_extension(body[0] if isinstance(body, list) and len(body) == 1 else body)


@mutant(ACCEPTED, "warning", caught_by="JSON-5", delivery="at-once")
class H053(ConformingServer):
    """modack accepts its members as a form [S-mod names JSON alone; Q27]"""

    def read_body(self, operation: Operation) -> Any:
        if operation != "modack" or request.mimetype != "application/x-www-form-urlencoded":
            return super().read_body(operation)
        form: dict[str, Any] = request.form.to_dict()
        numbers = {name for name in ("attempt", "mod_ack") if re.fullmatch("[0-9]{1,18}", form.get(name, ""))}
        return form | {name: int(form[name]) for name in numbers}


@mutant(ACCEPTED, "violation", caught_by="PAGE-9", body="envelope")
class H054(_CoercesInIngress):
    """ingress accepts numbers as values of tags [S-ing, B030]"""

    member = "tags"

    def coerced(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {
            name: json.dumps(item) if integer_of(item) is not None else item for name, item in value.items()
        }


@mutant(ACCEPTED, "violation", caught_by="PAGE-9", body="envelope")
class H055(_CoercesInIngress):
    """ingress leaves out tags whose value is null [S-ing, B030]"""

    member = "tags"

    def coerced(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: item for name, item in value.items() if item is not None}


@mutant(ACCEPTED, "violation", caught_by="PAGE-9", body="envelope")
class H056(_CoercesInIngress):
    """ingress accepts tags as a string "a=b" [S-ing, B030]"""

    member = "tags"

    def coerced(self, value: Any) -> Any:
        return dict([value.split("=", 1)]) if isinstance(value, str) and "=" in value else value


@mutant(ACCEPTED, "violation", caught_by="PAGE-9", body="envelope")
class H057(_CoercesInIngress):
    """ingress accepts a version in a list, [1] [S-ing, B031]"""

    member = "version"

    def coerced(self, value: Any) -> Any:
        return value[0] if isinstance(value, list) and len(value) == 1 else value


@mutant(ACCEPTED, "warning", caught_by="JSON-8")
class H058(ConformingServer):
    """a comma before the end of an object is accepted [RFC 8259 9 lets a parser accept more]"""

    def load(self, text: str) -> Any:
        try:
            return super().load(text)
        except json.JSONDecodeError:
            return super().load(re.sub(r",\s*}\s*$", "}", text))


@mutant(ACCEPTED, "warning", caught_by="JSON-5")
class H059(ConformingServer):
    """ingress reads JSON in bodies labelled text/plain [S-ing names JSON alone; Q27]"""

    def check_content_type(self, operation: Operation) -> None:
        if operation != "ingress" or request.mimetype != "text/plain":
            super().check_content_type(operation)


@mutant(ACCEPTED, "violation", caught_by="PAGE-9")
class H060(_CoercesInPut):
    """PUT accepts a number as variant [S-def, B050]"""

    member = "variant"

    def coerced(self, value: Any) -> Any:
        return str(value) if integer_of(value) is not None else value


@mutant(ACCEPTED, "violation", caught_by="PAGE-9")
class H061(_CoercesInPut):
    """PUT accepts version true [S-def]"""

    member = "version"

    def coerced(self, value: Any) -> Any:
        return int(value) if isinstance(value, bool) else value


@mutant(ACCEPTED, "violation", caught_by="PAGE-9")
class H062(_CoercesInPut):
    """PUT cuts a fraction off the version [S-def]"""

    member = "version"

    def coerced(self, value: Any) -> Any:
        return int(value) if isinstance(value, float) else value


@mutant(ACCEPTED, "violation", caught_by="PAGE-9")
class H063(_CoercesInPut):
    """PUT accepts alias null [S-def, B052]"""

    member = "alias"

    def coerced(self, value: Any) -> Any:
        return [] if value is None else value


@mutant(ACCEPTED, "violation", caught_by="PAGE-9")
class H064(_CoercesInPut):
    """PUT accepts an object as alias and takes its names [S-def, B052]"""

    member = "alias"

    def coerced(self, value: Any) -> Any:
        return list(value) if isinstance(value, dict) else value


@mutant(ACCEPTED, "violation", caught_by="PAGE-9")
class H065(ConformingServer):
    """PUT takes the digits that an org_id begins with for all of it [S-def, B011]"""

    def check_org(self, org: str, org_id: str) -> None:
        digits = re.match("[0-9]+", org_id)
        super().check_org(org, digits[0] if digits else org_id)
