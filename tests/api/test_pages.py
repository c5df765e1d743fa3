"""What is served beside the operations."""

from __future__ import annotations

import json

import yaml

from mock_server.settings import OVERLAID, PUBLISHED
from tests.api.asgi import World


def test_the_document_is_served_raw_in_both_forms() -> None:
    """References stay references, servers stay as published."""
    world = World()

    assert world.call("GET", "/openapi.yaml").body == OVERLAID.read_bytes()
    assert world.call("GET", "/openapi.json").json == yaml.safe_load(OVERLAID.read_bytes())
    assert World(document=PUBLISHED).call("GET", "/openapi.yaml").body == PUBLISHED.read_bytes()


def test_the_api_page_calls_this_mock_and_loads_nothing_from_elsewhere() -> None:
    """C18: the page's own document names no production server."""
    world = World()
    page = world.call("GET", "/")

    local = world.call("GET", "/docs/openapi.json")

    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    assert b"http" not in page.body.replace(b"<!doctype html>", b"")
    assert b"api.arklow.io" not in local.body.replace(b"https://api.arklow.io/swagger/ui", b"")
    assert local.json["servers"] == [{"url": "/", "description": "This mock"}]
    assert local.json["components"] == json.loads(world.call("GET", "/openapi.json").body)["components"]


def test_the_pages_files_are_there() -> None:
    """Swagger UI 5 renders 3.1."""
    world = World()

    assert len(world.call("GET", "/docs/swagger-ui-bundle.js").body) > 1_000_000
    assert world.call("GET", "/docs/swagger-ui.css").headers["content-type"] == "text/css"
