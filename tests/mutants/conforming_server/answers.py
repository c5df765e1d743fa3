"""How the conforming server answers: envelopes, statuses, and what meets a request that no route takes."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from typing import Any

from flask import Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from .choices import Operation
from .json_values import reordered
from .state import State
from .values import CONTROL_PLANE, Refused


class Answers(State):
    """How the outcome of a step becomes an HTTP answer."""

    def handle(self, operation: Operation, step: Callable[[], Any]) -> Response:
        """Answer with what the step returns, or with the refusal that it raises."""
        try:
            return self.render(operation, 200, self.with_extra_members(step()))
        except Refused as refused:
            return self.refuse(operation, refused)

    def refuse(self, operation: Operation, refused: Refused) -> Response:
        return self.render(
            operation, self.status_of(operation, refused), self.with_extra_members(self.envelope(refused))
        )

    def status_of(self, operation: Operation, refused: Refused) -> int:
        """The status that a refusal has on the wire (`Choices.control_refusals`)."""
        if operation not in CONTROL_PLANE or refused.status >= 500:
            return refused.status
        if self.choices.control_refusals == "200-null":
            return 200
        return 422 if self.choices.control_refusals == "422" and refused.status == 400 else refused.status

    def envelope(self, refused: Refused) -> Any:
        code, message = refused.code, refused.message
        if self.choices.error_texts == "german":
            code = f"fehler.{code.lower()}"
            message = "Die Anfrage wurde abgelehnt; die Kennung sagt, weshalb (größte Länge: 80)."
        return {"data": None, "errors": [{"code": code, "message": message}]}

    def with_extra_members(self, body: Any) -> Any:
        """Add members that the document does not name, where the choices say so."""
        if self.choices.extra_members:
            body["meta"] = {"node": "a1"}
            for part in (body["data"], *(body.get("errors") or [])):
                if part is not None:
                    part["note"] = ["more", 1]
        return body

    def dump(self, body: Any) -> bytes:
        if self.choices.key_order:
            return json.dumps(reordered(body), indent=2, allow_nan=False).encode()
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()

    def render(self, operation: Operation, status: int, body: Any) -> Response:
        response = Response(self.dump(body), status, content_type="application/json")
        if status == 401 and self.choices.www_authenticate:
            response.headers["WWW-Authenticate"] = "ApiKey"
        if self.choices.chunked_answers:
            response.headers["Transfer-Encoding"] = "chunked"
        return response

    def unrouted(self, error: HTTPException) -> Response:
        """Answer a request that no route takes: 404, 405, or the methods for OPTIONS."""
        if isinstance(error, MethodNotAllowed):
            allowed = sorted(error.valid_methods or [])
            return self.options(allowed) if request.method == "OPTIONS" else self.wrong_method(allowed)
        if self.choices.html_404:
            return Response("<!doctype html><title>Not found</title><h1>Not found</h1>", 404)
        return self.refuse("none", Refused(404, "NOT_FOUND", "nothing is here"))

    def options(self, allowed: list[str]) -> Response:
        response = Response(status=204, headers={"Allow": ", ".join([*allowed, "OPTIONS"])})
        del response.headers["Content-Type"]
        return response

    def wrong_method(self, allowed: list[str]) -> Response:
        response = self.refuse("none", Refused(405, "METHOD_NOT_ALLOWED", "the path has no such method"))
        response.headers["Allow"] = ", ".join([*allowed, "OPTIONS"])
        return response

    def internal_error(self, error: Exception) -> Response:
        """Answer a defect of this server with 500 and a traceback on standard error."""
        traceback.print_exception(error, file=sys.stderr)
        return self.refuse("none", Refused(500, "INTERNAL_ERROR", "a mistake of the server"))


__all__ = ["Answers"]
