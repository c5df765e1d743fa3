"""How the conforming server reads a request: who sent it, for which organisation, and its body as strict JSON."""

from __future__ import annotations

import json
import math
from typing import Any

from flask import request

from .answers import Answers
from .choices import Operation
from .json_values import depth
from .values import CONTROL_PLANE, DEEPEST, DIGITS, Refused, bad_request


class Requests(Answers):
    """How a request is authenticated and its body read."""

    def credentials(self, operation: Operation) -> list[str]:
        """The keys that the request offers, in the headers that this operation reads."""
        names = ["x-arklow-auth"] if operation in CONTROL_PLANE else ["x-arklow-auth", "authorization"]
        return [request.headers[name].strip(" \t") for name in names if name in request.headers]

    def org_of(self, key: str) -> str | None:
        """The organisation of a key, None for a key that is none."""
        return self.keys.get(key)

    def authenticate(self, operation: Operation) -> str:
        """Return the organisation of the first good key; one good key beside a bad one is enough.

        Raises:
            Refused: 401, no key is good.
        """
        for key in self.credentials(operation):
            if (org := self.org_of(key)) is not None:
                return org
        raise self.unauthorized()

    def unauthorized(self) -> Refused:
        return Refused(401, "UNAUTHORIZED", "a valid key is needed")

    def check_org(self, org: str, org_id: str) -> None:
        """Refuse a path that is not of the key's own organisation `org`."""
        if not DIGITS.fullmatch(org_id):
            raise bad_request("org_id is not made of digits")
        if org != org_id:
            raise Refused(
                self.choices.foreign_org, "FOREIGN_ORGANISATION", "the key is not of this organisation"
            )

    def read_body(self, operation: Operation) -> Any:
        self.check_content_type(operation)
        return self.parse(self.decode(request.get_data(cache=False)))

    def check_content_type(self, operation: Operation) -> None:
        if request.mimetype != "application/json":
            status = 415 if operation == "put" else 400
            raise Refused(status, "UNSUPPORTED_MEDIA_TYPE", "the body must be application/json")

    def unreadable(self, code: str) -> Refused:
        return Refused(400, code, "the body cannot be read as JSON")

    def decode(self, raw: bytes) -> str:
        """Decode a body as UTF-8 without a byte order mark (RFC 8259 8.1)."""
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            raise self.unreadable("NOT_UTF8") from None
        if text.startswith("\ufeff"):
            raise self.unreadable("NOT_UTF8")
        if not text.strip(" \t\r\n"):
            raise self.unreadable("EMPTY_BODY")
        return text

    def parse(self, text: str) -> Any:
        """Parse JSON strictly: no lone surrogates, no repeated members, no more than `DEEPEST` levels."""
        try:
            value = self.load(text)
            if "\\ud" in text.lower():
                json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise self.unreadable("LONE_SURROGATE") from None
        except RecursionError:
            raise self.unreadable("TOO_DEEP") from None
        except ValueError:
            raise self.unreadable("MALFORMED_JSON") from None
        if text.count("[") + text.count("{") > DEEPEST and depth(value) > DEEPEST:
            raise self.unreadable("TOO_DEEP")
        return value

    def load(self, text: str) -> Any:
        return json.loads(
            text,
            object_pairs_hook=self.members,
            parse_constant=self.constant,
            parse_float=self.fraction,
        )

    def members(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Make an object of its members; a name that comes twice is refused."""
        found = dict(pairs)
        if len(found) < len(pairs):
            raise self.unreadable("DUPLICATE_KEY")
        return found

    def constant(self, literal: str) -> Any:
        """Refuse `NaN` and `Infinity`, which Python's parser takes."""
        raise self.unreadable("NOT_A_NUMBER")

    def fraction(self, literal: str) -> float:
        """Read a number with a fraction or an exponent; one beyond a double is refused."""
        if math.isinf(value := float(literal)):
            raise self.unreadable("NUMBER_OUT_OF_RANGE")
        return value

    def check_members(self, body: dict[str, Any], named: set[str]) -> None:
        """Refuse members that the document does not name, where the choices say so."""
        if self.choices.extra_request_members == "refused" and not body.keys() <= named:
            raise bad_request("the body has a member that is not known")


__all__ = ["Requests"]
