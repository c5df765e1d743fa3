"""What is served beside the operations: the document, and a page to read and try it, without the internet."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from .document import METHODS, Document
from .envelope import Headers, send_file
from .exchange import EXCHANGE

ROUTES: Final = (
    ("get", "/"),
    ("get", "/openapi.json"),
    ("get", "/openapi.yaml"),
    ("get", "/docs/openapi.json"),
    ("get", "/docs/swagger-ui.css"),
    ("get", "/docs/swagger-ui-bundle.js"),
)
"""(method, path) of each page."""
_ASSETS: Final = {
    "/docs/swagger-ui.css": ("css/swagger-ui.css", b"text/css"),
    "/docs/swagger-ui-bundle.js": ("js/swagger-ui-bundle.js", b"text/javascript"),
}
"""Path → the file in Swagger UI's folder, and its media type."""
_PAGE: Final = b"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Arklow, served by the mock</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script>
SwaggerUIBundle({url: "/docs/openapi.json", dom_id: "#ui", validatorUrl: null, persistAuthorization: true,
  deepLinking: true, tryItOutEnabled: true, defaultModelsExpandDepth: -1})
</script>
</html>
"""
_CONTENT_POLICY: Final = (
    (
        b"content-security-policy",
        b"default-src 'self' 'unsafe-inline' data:",
    ),
)
"""Keeps the page from loading anything of other hosts; Swagger UI needs inline styles and images in `data:`."""


class Pages:
    """Answers the paths of `ROUTES`; no other path is found."""

    def __init__(self, document: Document) -> None:
        self._document = document

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        path = scope["path"]
        if (scope["method"].lower(), path) not in ROUTES:
            raise HTTPException(404)
        headers: Headers = ()
        if path == "/":
            content, media_type, headers = _PAGE, b"text/html; charset=utf-8", _CONTENT_POLICY
        elif path == "/openapi.json":
            content, media_type = self._document.json, b"application/json"
        elif path == "/openapi.yaml":
            content, media_type = self._document.text, b"application/yaml"
        elif path == "/docs/openapi.json":
            content, media_type = self._for_the_page, b"application/json"
        else:
            name, media_type = _ASSETS[path]
            content = (_swagger_ui() / name).read_bytes()
        await send_file(send, scope[EXCHANGE], content, media_type, headers)

    @cached_property
    def _for_the_page(self) -> bytes:
        """The document as the page has it.

        Its `servers` are this mock alone, as "Execute" must not call production (C18). Tags that no operation has are
        left out.
        """
        raw = self._document.raw
        used = {tag for item in raw.get("paths", {}).values() for tag in _tags(item)}
        page = raw | {
            "servers": [{"url": "/", "description": "This mock"}],
            "tags": [tag for tag in raw.get("tags", []) if tag.get("name") in used],
            "paths": {path: _without_servers(item) for path, item in raw.get("paths", {}).items()},
        }
        return json.dumps(page).encode()


def _tags(item: dict[str, Any]) -> set[str]:
    return {tag for method in METHODS for tag in item.get(method, {}).get("tags", [])}


def _without_servers(item: dict[str, Any]) -> dict[str, Any]:
    """A path item without `servers`, its own and those of its operations."""
    return {
        key: {k: v for k, v in value.items() if k != "servers"} if key in METHODS else value
        for key, value in item.items()
        if key != "servers"
    }


def _swagger_ui() -> Path:
    """The folder of Swagger UI's files in a package, of whose code nothing is used."""
    from importlib.metadata import distribution  # costs a start 15 ms

    found = distribution("flask-openapi3-swagger")
    return Path(str(found.locate_file("flask_openapi3_swagger/templates/swagger")))
