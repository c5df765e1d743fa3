"""The door to openapi-core: a second, independent opinion on an answer."""

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

from ..core.exchange import Exchange, media
from .document import Document, local


@dataclass(slots=True)
class _Request:
    host_url: str
    path: str
    method: str
    body: bytes | None
    content_type: str
    parameters: RequestParameters


@dataclass(frozen=True, slots=True)
class _Response:
    status_code: int
    content_type: str
    headers: dict[str, str]
    data: bytes


class OpenAPICore:
    """openapi-core over the same document, with the target as its only server."""

    def __init__(self, document: Document) -> None:
        config = Config(
            schema_validators_factory=SchemaValidatorsFactory(
                OAS31Validator, format_checker=FormatChecker([])
            ),
            spec_validator_cls=None,
        )
        self._openapi = OpenAPI.from_dict(local(document.content, "http://target"), config=config)

    def refuses(self, exchange: Exchange, target: str) -> str | None:
        """Why openapi-core says that the answer breaks its page; None when it does not.

        `target` is the request's path below the base URL.
        """
        request = _Request("http://target", target, exchange.method.lower(), None, "", RequestParameters())
        response = _Response(
            exchange.status,
            media(exchange.got("content-type")),
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


def _reason(error: Exception) -> str:
    inner: list[Any] = [*getattr(error.__cause__ or error, "schema_errors", [])]
    said = "; ".join(str(one.message) for one in inner)
    with suppress(ValueError):  # its own words may decode the answer once more
        said = said or str(error.__cause__ or error)
    return said[:300] or type(error.__cause__ or error).__name__


__all__ = ["OpenAPICore"]
