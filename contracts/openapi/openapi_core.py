"""The door to openapi-core, an independent validator: the cross-check on answers.

It stays apart from `schemas`, so that a run without cross-check does not pay for its import.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from jsonschema import FormatChecker
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from openapi_core.validation.schemas.factories import SchemaValidatorsFactory
from openapi_schema_validator import OAS31Validator

from ..core.exchange import Exchange, media_type
from .document import Document, with_only_server


@dataclass(slots=True)
class _Request:
    """A request with the members that openapi-core reads."""

    host_url: str
    path: str
    method: str
    body: bytes | None
    content_type: str
    parameters: RequestParameters


@dataclass(frozen=True, slots=True)
class _Response:
    """An answer with the members that openapi-core reads."""

    status_code: int
    content_type: str
    headers: dict[str, str]
    data: bytes


class OpenAPICoreValidator:
    """openapi-core over the document that the run judges by, with the target as its only server."""

    def __init__(self, document: Document) -> None:
        config = Config(
            schema_validators_factory=SchemaValidatorsFactory(
                OAS31Validator, format_checker=FormatChecker([])
            ),
            spec_validator_cls=None,
        )
        self._openapi = OpenAPI.from_dict(with_only_server(document.content, "http://target"), config=config)

    def why_refused(self, exchange: Exchange, path: str) -> str | None:
        """Say how the answer breaks its page for openapi-core; None when it does not. `path` is the request's below the base URL."""
        request = _Request("http://target", path, exchange.method.lower(), None, "", RequestParameters())
        response = _Response(
            exchange.status,
            media_type(exchange.answer_header("content-type")),
            dict(exchange.answer_headers),
            exchange.answer,
        )
        try:
            self._openapi.validate_response(request, response)
        except OpenAPIError as error:
            return _reason(error)
        except Exception as error:
            return f"fails: {error!r}"
        return None


_LONGEST = 300
"""Characters of a reason: openapi-core quotes whole answers."""


def _reason(error: Exception) -> str:
    inner: list[Any] = [*getattr(error.__cause__ or error, "schema_errors", [])]
    reason = "; ".join(str(one.message) for one in inner)
    with suppress(ValueError):  # its message may decode the answer once more
        reason = reason or str(error.__cause__ or error)
    return reason[:_LONGEST] or type(error.__cause__ or error).__name__


__all__ = ["OpenAPICoreValidator"]
