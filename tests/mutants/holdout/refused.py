"""Mutants of the holdout that refuse good requests."""

from __future__ import annotations

import re
from typing import Any

from flask import request

from ..conforming_server import (
    INT32,
    ConformingServer,
    Definition,
    Operation,
    Refused,
    RequestedDefinition,
    Work,
    bad_request,
    depth,
)
from ..mutant import Group, mutant

REFUSED = Group("validation")


@mutant(REFUSED, "violation", caught_by="PAGE-11", body="envelope")
class H066(ConformingServer):
    """metadata that is no object is refused [S-ing, B029]"""

    def read_work(self, body: Any) -> Work:
        if isinstance(body, dict) and not isinstance(body.get("metadata", {}), dict):
            raise bad_request("metadata is not an object")
        return super().read_work(body)


@mutant(REFUSED, "violation", caught_by="PAGE-11", body="envelope")
class H067(ConformingServer):
    """a tag with an empty value is refused [S-ing, B030]"""

    def tags_of(self, body: dict[str, Any]) -> dict[str, str]:
        tags = super().tags_of(body)
        if "" in tags.values():
            raise bad_request("a tag is empty")
        return tags


@mutant(REFUSED, "violation", caught_by="PAGE-11", body="envelope")
class H068(ConformingServer):
    """a tag whose name is not made of ASCII letters, digits, dots and lines is refused [S-ing, B030]"""

    def tags_of(self, body: dict[str, Any]) -> dict[str, str]:
        tags = super().tags_of(body)
        if not all(re.fullmatch("[A-Za-z0-9._-]*", name) for name in tags):
            raise bad_request("the name of a tag is not allowed")
        return tags


@mutant(REFUSED, "violation", caught_by="PAGE-11", body="envelope")
class H069(ConformingServer):
    """payloads that count as false in scripts are refused: false, 0, "", [] and {} [S-ing, B029]"""

    def payload_of(self, body: dict[str, Any]) -> Any:
        payload = super().payload_of(body)
        if payload is not None and not payload:
            raise bad_request("payload is missing")
        return payload


@mutant(REFUSED, "violation", caught_by="READ-1", body="envelope")
class H070(ConformingServer):
    """the version 2147483647 is refused, the current one too [S-ing, B036]"""

    def version_of(self, body: dict[str, Any]) -> int | None:
        if (version := super().version_of(body)) == INT32:
            raise bad_request("version is not an int32")
        return version


@mutant(
    REFUSED,
    "violation",
    caught_by="PAGE-16",
    missed="PAGE-16 warns of it and does not accuse, as at every edge of a page",
)
class H071(ConformingServer):
    """modack refuses ids of more than 30 digits as broken [S-mod: any digits]"""

    def id_of(self, body: dict[str, Any]) -> str:
        if len(action_id := super().id_of(body)) > 30:
            raise bad_request("action_record_id is too long")
        return action_id


@mutant(REFUSED, "violation", caught_by="PAGE-11")
class H072(ConformingServer):
    """modack refuses the attempt 2147483647 as broken [S-mod, B124]"""

    def attempt_of(self, body: dict[str, Any]) -> int:
        if (attempt := super().attempt_of(body)) == INT32:
            raise bad_request("attempt is not an int32")
        return attempt


@mutant(
    REFUSED,
    "violation",
    caught_by="PAGE-16",
    missed="PAGE-16 warns of it and does not accuse, as at every edge of a page",
    delivery="at-once",
)
class H073(ConformingServer):
    """modack refuses a mod_ack of more than five minutes as broken [S-mod, B124]"""

    def seconds_of(self, body: dict[str, Any]) -> int:
        if (seconds := super().seconds_of(body)) > 300:
            raise bad_request("mod_ack is more than five minutes")
        return seconds


@mutant(
    REFUSED,
    "violation",
    caught_by="PAGE-16",
    missed="PAGE-16 warns of it and does not accuse, as at every edge of a page",
)
class H074(ConformingServer):
    """PUT refuses the schema true [S-def, B051]"""

    def schema_of(self, body: dict[str, Any]) -> Any:
        if (schema := super().schema_of(body)) is True:
            raise bad_request("schema is not an object")
        return schema


@mutant(REFUSED, "warning", caught_by="DEF-1")
class H075(ConformingServer):
    """PUT of a variant that is there is refused [Q5: the page says only "create"]"""

    def update(self, definition: Definition, requested: RequestedDefinition) -> None:
        raise Refused(409, "DEFINED_VARIANT", "the variant is there already")


@mutant(REFUSED, "violation", caught_by="PAGE-11")
class H076(ConformingServer):
    """a content type in other case is refused: Application/JSON [RFC 9110 8.3.1]"""

    def check_content_type(self, operation: Operation) -> None:
        super().check_content_type(operation)
        if not request.headers["Content-Type"].startswith("application/json"):
            raise bad_request("the body must be application/json")


@mutant(REFUSED, "violation", caught_by="PAGE-11")
class H077(ConformingServer):
    """blanks and lines before a JSON body are refused [RFC 8259 2]"""

    def decode(self, raw: bytes) -> str:
        if (text := super().decode(raw))[0] in " \t\r\n":
            raise self.unreadable("MALFORMED_JSON")
        return text


@mutant(REFUSED, "violation", caught_by="PAGE-11")
class H078(ConformingServer):
    """names of members that are written with escapes are refused [RFC 8259 8.3]"""

    def decode(self, raw: bytes) -> str:
        text = super().decode(raw)
        if re.search(r'\\u[0-9a-fA-F]{4}[^"]*"\s*:', text):
            raise bad_request("the name of a member is not known")
        return text


@mutant(REFUSED, "warning", caught_by="PAGE-16")
class H079(ConformingServer):
    """bodies of more than 20 levels are refused [RFC 8259 9 lets a parser limit the depth]"""

    def read_body(self, operation: Operation) -> Any:
        if depth(body := super().read_body(operation)) > 20:
            raise self.unreadable("TOO_DEEP")
        return body


@mutant(REFUSED, "warning", caught_by="PAGE-16")
class H080(ConformingServer):
    """bodies of more than 100,000 bytes are refused [Q28: no limit is named]"""

    def decode(self, raw: bytes) -> str:
        if len(raw) > 100_000:
            raise bad_request("the body is too large")
        return super().decode(raw)


class _RefusesVariants(ConformingServer):
    """Some variants are refused, on ingress and on PUT."""

    def refuses(self, variant: str) -> bool:
        """Whether a variant is one of them."""
        raise NotImplementedError

    def check_variant(self, variant: str) -> None:
        if self.refuses(variant):
            raise bad_request("the variant is not allowed")

    def read_definition(self, body: Any) -> RequestedDefinition:
        requested = super().read_definition(body)
        self.check_variant(requested.variant)
        return requested

    def resolve(self, org: str, variant: str) -> Definition:
        self.check_variant(variant)
        return super().resolve(org, variant)


@mutant(REFUSED, "violation", caught_by=("PAGE-11", "PAGE-16"))
class H081(_RefusesVariants):
    """variants of more than 64 characters are refused [S-ing, S-def]"""

    def refuses(self, variant: str) -> bool:
        return len(variant) > 64


@mutant(REFUSED, "violation", caught_by="PAGE-11")
class H082(_RefusesVariants):
    """variants with a blank are refused [S-ing, S-def]"""

    def refuses(self, variant: str) -> bool:
        return " " in variant


@mutant(REFUSED, "violation", caught_by="PAGE-11")
class H083(_RefusesVariants):
    """variants with a dot are refused [S-ing, S-def, B057]"""

    def refuses(self, variant: str) -> bool:
        return "." in variant
