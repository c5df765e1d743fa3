"""Mutants that fail on bodies, headers and methods of unusual kinds."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, request

from ..conforming_server import ConformingServer, Operation, Refused, Work, crash, integer_of
from ..mutant import Group, mutant
from ..mutations import CrashesOnBody, names_in

ROBUSTNESS = Group("robustness")


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class B01(CrashesOnBody):
    """500 on a non-BMP character"""

    def crashes_on(self, body: Any) -> bool:
        return max(json.dumps(body, ensure_ascii=False)) > "\uffff"


@mutant(ROBUSTNESS, "warning", caught_by="HTTP-6")
class B09(ConformingServer):
    """1.5 s answer for array payloads"""

    def read_work(self, body: Any) -> Work:
        work = super().read_work(body)
        if isinstance(work.payload, list):
            self.clock.wait(1.5)
        return work


@mutant(ROBUSTNESS, "violation", caught_by="HTTP-1")
class B13(ConformingServer):
    """405 without Allow"""

    def wrong_method(self, allowed: list[str]) -> Response:
        response = super().wrong_method(allowed)
        del response.headers["Allow"]
        return response


@mutant(ROBUSTNESS, "warning", caught_by="HTTP-5")
class B14(ConformingServer):
    """undeclared methods give 200"""

    def wrong_method(self, allowed: list[str]) -> Response:
        return self.render("none", 200, {"data": None, "errors": None})


@mutant(ROBUSTNESS, "none")
class B15(ConformingServer):
    """undeclared methods give 404, not 405"""

    def wrong_method(self, allowed: list[str]) -> Response:
        return self.refuse("none", Refused(404, "NOT_FOUND", "nothing is here"))


class _CrashesUnreadable(ConformingServer):
    """One kind of unreadable body is answered with 500."""

    code: str
    """The error code that the conforming server has for that kind."""

    def unreadable(self, code: str) -> Refused:
        if code == self.code:
            crash()
        return super().unreadable(code)


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class B19(_CrashesUnreadable):
    """500 on duplicate JSON keys"""

    code = "DUPLICATE_KEY"


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class B20(_CrashesUnreadable):
    """500 on invalid UTF-8"""

    code = "NOT_UTF8"


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class B21(_CrashesUnreadable):
    """500 on an empty body with JSON content type"""

    code = "EMPTY_BODY"


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class B22(CrashesOnBody):
    """500 on __proto__ / constructor keys"""

    def crashes_on(self, body: Any) -> bool:
        return bool(names_in(body) & {"__proto__", "constructor"})


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class B23(ConformingServer):
    """500 on non-ASCII header bytes"""

    def authenticate(self, operation: Operation) -> str:
        if not all(value.isascii() for value in request.headers.values()):
            crash()
        return super().authenticate(operation)


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8", body="envelope")
class B24(ConformingServer):
    """500 when tags has more than 10 keys"""

    def tags_of(self, body: dict[str, Any]) -> dict[str, str]:
        tags = super().tags_of(body)
        if len(tags) > 10:
            crash()
        return tags


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class B25(ConformingServer):
    """500 on a charset parameter"""

    def check_content_type(self, operation: Operation) -> None:
        if "charset" in request.mimetype_params:
            crash()
        super().check_content_type(operation)


@mutant(ROBUSTNESS, "warning", caught_by="HTTP-7")
class B26(ConformingServer):
    """connection dropped for bodies over 64 KB"""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if int(environ.get("CONTENT_LENGTH") or 0) > 65_536:
            raise ConnectionResetError
        return super().__call__(environ, start_response)


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class B27(ConformingServer):
    """500 on chunked transfer encoding"""

    def read_body(self, operation: Operation) -> Any:
        if "Transfer-Encoding" in request.headers:
            crash()
        return super().read_body(operation)


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class B28(ConformingServer):
    """500 on version 1.0 (a valid integer)"""

    def version_of(self, body: dict[str, Any]) -> int | None:
        if isinstance(body.get("version"), float) and integer_of(body["version"]) is not None:
            crash()
        return super().version_of(body)

    def definition_version_of(self, body: dict[str, Any]) -> int | None:
        if isinstance(body.get("version"), float) and integer_of(body["version"]) is not None:
            crash()
        return super().definition_version_of(body)


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class B29(ConformingServer):
    """500 on an empty-string key in the payload"""

    def read_work(self, body: Any) -> Work:
        work = super().read_work(body)
        if "" in names_in(work.payload):
            crash()
        return work


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class B30(ConformingServer):
    """500 on mod_ack near int64 max"""

    def seconds_of(self, body: dict[str, Any]) -> int:
        seconds = super().seconds_of(body)
        if seconds > 2**62:
            crash()
        return seconds


@mutant(ROBUSTNESS, "violation", caught_by="PAGE-8")
class B32(ConformingServer):
    """500 on ids longer than 19 digits"""

    def id_of(self, body: dict[str, Any]) -> str:
        action_id = super().id_of(body)
        if len(action_id) > 19:
            crash()
        return action_id


@mutant(ROBUSTNESS, "warning", caught_by="HTTP-8")
class B34(ConformingServer):
    """OPTIONS Allow header lists the wrong methods"""

    def options(self, allowed: list[str]) -> Response:
        return super().options(["DELETE", "GET"])


@mutant(ROBUSTNESS, "none")
class B35(ConformingServer):
    """OPTIONS gives 405"""

    def options(self, allowed: list[str]) -> Response:
        return self.wrong_method(allowed)
