"""Mutants of the holdout that fail on bodies, headers and methods of unusual kinds."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import Any

from flask import Response, request
from werkzeug.exceptions import HTTPException

from tests.serving import HEADERS

from ..conforming_server import Action, ConformingServer, Operation, Refused, Work, crash
from ..mutant import Group, mutant
from ..mutations import CrashesOnBody, Remembers, integers_in, names_in

ROBUSTNESS = Group("robustness")


class _CrashesOnText(ConformingServer):
    """Some texts are answered with 500 before they are parsed."""

    def crashes_on(self, text: str) -> bool:
        """Whether a text is one of them."""
        raise NotImplementedError

    def decode(self, raw: bytes) -> str:
        with contextlib.suppress(UnicodeDecodeError):
            if self.crashes_on(raw.decode()):
                crash()
        return super().decode(raw)


class _CrashesOnHead(ConformingServer):
    """Some request lines and headers are answered with 500, to callers with a good key."""

    def crashes_on(self) -> bool:
        """Whether the current request has one of them."""
        raise NotImplementedError

    def authenticate(self, operation: Operation) -> str:
        org = super().authenticate(operation)
        if self.crashes_on():
            crash()
        return org


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8", body="envelope")
class H139(ConformingServer):
    """500 on a tag whose name has a dot [S-ing: a good request is served]"""

    def tags_of(self, body: dict[str, Any]) -> dict[str, str]:
        tags = super().tags_of(body)
        if any("." in name for name in tags):
            crash()
        return tags


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class H140(_CrashesOnHead):
    """500 on a query that the page does not declare [S-ing, S-mod: a good request is served]"""

    def crashes_on(self) -> bool:
        return bool(request.query_string)


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class H141(_CrashesOnHead):
    """500 on a header that comes twice [S-ing, S-mod: a good request is served; RFC 9110 5.3]"""

    def crashes_on(self) -> bool:
        names = [name.lower() for name, _ in request.environ[HEADERS]]
        return len(set(names)) < len(names)


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class H142(_CrashesOnHead):
    """500 on an Accept header that does not name JSON [S-ing, S-mod: a good request is served]"""

    def crashes_on(self) -> bool:
        return not request.accept_mimetypes.accept_json and "Accept" in request.headers


@mutant(ROBUSTNESS, "none")
class H143(ConformingServer):
    """406 on an Accept header that does not name JSON, before anything is done [RFC 9110 15.5.7]"""

    def authenticate(self, operation: Operation) -> str:
        org = super().authenticate(operation)
        if "Accept" in request.headers and not request.accept_mimetypes.accept_json:
            raise Refused(406, "NOT_ACCEPTABLE", "answers are JSON")
        return org


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class H144(_CrashesOnHead):
    """500 on a path with a percent-encoded character [S-ing: any string, RFC 3986 2.1]"""

    def crashes_on(self) -> bool:
        return "%" in request.environ["REQUEST_URI"].partition("?")[0]


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class H145(_CrashesOnText):
    """500 on a number with an exponent [RFC 8259 6]"""

    def crashes_on(self, text: str) -> bool:
        return (
            re.search(r"[\[:,\s]-?[0-9.]+[eE][+-]?[0-9]{1,2}\b", re.sub(r'"[^"]*"', '""', text)) is not None
        )


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class H146(CrashesOnBody):
    """500 on an integer beyond 64 bits in the payload [S-ing, B029]"""

    def crashes_on(self, body: Any) -> bool:
        payload = body.get("payload") if isinstance(body, dict) else body
        return any(abs(number) >= 2**64 for number in integers_in(payload))


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class H147(CrashesOnBody):
    """500 on the body null [S-ing, S-mod: a bad request is 400]"""

    def crashes_on(self, body: Any) -> bool:
        return body is None


@mutant(ROBUSTNESS, "warning", caught_by="PAGE-8")
class H148(ConformingServer):
    """500 on methods that no RFC defines [RFC 9110 9.1: should be 501 or 405]"""

    def wrong_method(self, allowed: list[str]) -> Response:
        known = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT"}
        if request.method in known:
            return super().wrong_method(allowed)
        return self.refuse("none", Refused(500, "INTERNAL_ERROR", "a mistake of the server"))


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class H149(_CrashesOnText):
    """500 on an escaped NUL in a string [RFC 8259 7]"""

    def crashes_on(self, text: str) -> bool:
        return r"\u0000" in text


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class H150(_CrashesOnHead):
    """500 on a variant of more than 255 characters in the path [S-ing: any string]"""

    def crashes_on(self) -> bool:
        return len(request.path.removeprefix("/v1/ingress/")) > 255


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class H151(ConformingServer):
    """500 on a number beyond a double, 1e400 [S-ing: served or 400]"""

    def fraction(self, literal: str) -> float:
        try:
            return super().fraction(literal)
        except Refused:
            crash()


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class H152(_CrashesOnText):
    """500 on a thousand levels of lists [RFC 8259 9, S-ing: served or 400]"""

    def crashes_on(self, text: str) -> bool:
        return "[" * 900 in text


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class H153(ConformingServer):
    """500 on half of a surrogate pair in a string [RFC 8259 8.2, S-ing: served or 400]"""

    def unreadable(self, code: str) -> Refused:
        if code == "LONE_SURROGATE":
            crash()
        return super().unreadable(code)


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8", enforce_schema=True)
class H154(ConformingServer):
    """500 for work whose definition's schema has a $ref [S-ing: served or 400]"""

    def check_payload(self, payload: Any, schema: Any) -> None:
        if "$ref" in names_in(schema):
            crash()
        super().check_payload(payload, schema)


@mutant(ROBUSTNESS, "violation", caught_by="HTTP-9")
class H155(ConformingServer):
    """the connection is closed without an answer to an unknown id [S-mod, B133: 404]"""

    def find(self, org: str, action_id: str) -> Action:
        try:
            return super().find(org, action_id)
        except Refused:
            request.environ["tests.hang_up"] = True
            raise

    def __call__(self, environ: Any, start_response: Any) -> Any:
        answer = super().__call__(environ, start_response)
        if environ.get("tests.hang_up"):
            raise ConnectionResetError
        return answer


@mutant(ROBUSTNESS, "warning", caught_by="HTTP-6")
class H156(ConformingServer):
    """20 s for an answer to a string as payload [policy: latency]"""

    def read_work(self, body: Any) -> Work:
        work = super().read_work(body)
        if isinstance(work.payload, str):
            self.clock.wait(20.0)
        return work


@mutant(ROBUSTNESS, "warning", missed="slow answers open the circuit breaker, and the run is inconclusive")
class H157(Remembers):
    """answers get slower with each request, by 4 ms [policy: latency]"""

    def handle(self, operation: Operation, step: Callable[[], Any]) -> Response:
        self.clock.wait(min(0.004 * self.counted(), 2))
        return super().handle(operation, step)


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class H158(ConformingServer):
    """500 on an empty alias among others [S-def: any string]"""

    def alias_of(self, body: dict[str, Any]) -> list[str] | None:
        if "" in ((alias := super().alias_of(body)) or []):
            crash()
        return alias


@mutant(ROBUSTNESS, "warning", caught_by="PAGE-8")
class H159(ConformingServer):
    """500 on a slash behind a path [Q29: open, served or not found]"""

    def unrouted(self, error: HTTPException) -> Response:
        if request.path.endswith("/"):
            return self.refuse("none", Refused(500, "INTERNAL_ERROR", "a mistake of the server"))
        return super().unrouted(error)


@mutant(ROBUSTNESS, "warning", caught_by="PAGE-8")
class H160(ConformingServer):
    """500 on HEAD [RFC 9110 9.1: should be 405 or 501]"""

    def wrong_method(self, allowed: list[str]) -> Response:
        if request.method == "HEAD":
            return self.refuse("none", Refused(500, "INTERNAL_ERROR", "a mistake of the server"))
        return super().wrong_method(allowed)
