"""The document that is judged by: its operations, its references, and which path a URL fits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contracts.openapi.document import (
    LINKED,
    PUBLISHED,
    Document,
    Unreadable,
    load,
    load_with_links,
    with_only_server,
)
from tests import vendor

OK = {"200": {"description": "a"}}


def document(directory: Path, **members: Any) -> Document:
    """Load a document with these members."""
    file = directory / "d.json"
    file.write_text(json.dumps({"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": OK}}}} | members))
    return load(file)


def test_an_operation_knows_its_schemas_and_its_keys(tmp_path: Path) -> None:
    """References to bodies and answers are followed; without a key of its own it takes those of the document."""
    schema = {"content": {"application/json": {"schema": {"type": "object"}}}}
    found = document(
        tmp_path,
        security=[{"key": []}, {"more": []}, {"both": [], "key": []}],
        paths={
            "/a/{b}": {
                "parameters": [{"name": "b", "in": "path"}],
                "put": {
                    "requestBody": {"$ref": "#/components/requestBodies/B"},
                    "responses": {"200": {"$ref": "#/components/responses/R"}, 404: {"description": "no"}},
                    "parameters": [{"$ref": "#/components/parameters/P"}],
                },
                "post": {
                    "security": [{}, {"key": []}],
                    "responses": {"200": {"content": {"text/plain": {}}}},
                },
            }
        },
        components={
            "requestBodies": {"B": {"$ref": "#/components/requestBodies/C-D"}, "C-D": schema},
            "responses": {"R": schema},
            "parameters": {"P": {"name": "p", "in": "query"}},
            "securitySchemes": {
                "key": {"in": "header", "name": "X-Key"},
                "more": {"in": "query", "name": "q"},
                "both": {"in": "header", "name": "X-Both"},
            },
        },
    )
    put, post = found.operations["PUT /a/{b}"], found.operations["POST /a/{b}"]

    assert (put.key_headers, post.key_headers, found.key_headers) == (("x-key",), (), {"x-key"})
    assert put.request_schema == "/components/requestBodies/C-D/content/application~1json/schema"
    assert put.answer_schema(200) == "/components/responses/R/content/application~1json/schema"
    assert (put.answer_schema(404), post.answer_schema(200), post.request_schema) == (None, None, None)
    assert [one["name"] for one in found.parameters(put)] == ["p", "b"]
    assert found.resolve(f"#{put.request_schema}") == {"type": "object"}
    assert found.methods("/a/{b}") == {"PUT", "POST"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "d.yaml:1.*is neither YAML nor JSON|d.yaml"),
        ("- 1", "is not an OpenAPI 3.1 document"),
        ("openapi: 3.0.3", "is not an OpenAPI 3.1 document"),
        ("openapi: 3.1.0\npaths: {}", "has no operation"),
        ("openapi: 3.1.0\npaths: []", "is not a well-formed OpenAPI document"),
        ("openapi: 3.1.0\npaths: {/a: {get: {responses: {200: {$ref: 'x.yaml'}}}}}", "refers to 'x.yaml'"),
        (
            "openapi: 3.1.0\npaths: {/a: {get: {responses: {200: {$ref: '#/paths/~1a/get/responses/200'}}}}}",
            "is not a well-formed OpenAPI document: .*references that never end",
        ),
        (
            "openapi: 3.1.0\npaths: {/a: {get: {responses: {200: {$ref: '#/nowhere'}}}}}",
            "is not a well-formed OpenAPI document",
        ),
    ],
)
def test_a_document_that_cannot_be_read_is_named_with_the_reason(
    text: str, said: str, tmp_path: Path
) -> None:
    """Nothing beside it is opened."""
    (tmp_path / "d.yaml").write_text(text)

    with pytest.raises(Unreadable, match=said):
        load(tmp_path / "d.yaml")
    with pytest.raises(Unreadable, match="No such file"):
        load(tmp_path / "none.yaml")


def test_a_directory_of_pages_is_a_document_too(tmp_path: Path) -> None:
    """The same one as the published document, where its pages are; a directory without pages is none."""
    found, published = load(vendor.pages(tmp_path / "pages")), load(PUBLISHED)

    assert found.operations.keys() == published.operations.keys()
    assert found.content["components"]["schemas"].keys() == published.content["components"]["schemas"].keys()
    (tmp_path / "empty").mkdir()
    with pytest.raises(Unreadable):
        load(tmp_path / "empty")


def test_only_our_own_document_and_pages_have_our_links(tmp_path: Path) -> None:
    """They lead from what one operation answers to what another one takes."""
    other = tmp_path / "d.json"
    other.write_text(json.dumps({"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": OK}}}}))
    ours, theirs = load_with_links(PUBLISHED), load_with_links(vendor.pages(tmp_path / "pages"))

    assert ours == load(LINKED).content
    assert load_with_links(other) is None
    assert theirs is not None
    post = theirs["paths"]["/v1/ingress/{variant}"]["post"]
    assert post["responses"]["200"]["links"]


BASES = {"http://h", "http://h/below", "https://other:81"}


@pytest.mark.parametrize(
    ("method", "url", "expected"),
    [
        ("POST", "http://h/v1/modack", ("POST /v1/modack", "/v1/modack")),
        ("POST", "http://h/v1/modack?a=b", ("POST /v1/modack", "/v1/modack")),
        ("GET", "http://h/v1/modack", (None, "/v1/modack")),
        ("POST", "http://h/below/v1/modack", ("POST /v1/modack", "/v1/modack")),
        (
            "POST",
            "https://other:81/v1/ingress/a%2Fb",
            ("POST /v1/ingress/{variant}", "/v1/ingress/{variant}"),
        ),
        ("POST", "http://h/v1/%6dodack", ("POST /v1/modack", "/v1/modack")),
        ("POST", "http://other/v1/modack", (None, None)),
        ("POST", "http://h/v1/ingress/", (None, None)),
        ("POST", "http://h/v1/ingress/a/b", (None, None)),
        ("POST", "http://h/v1", (None, None)),
    ],
)
def test_a_url_is_found_below_each_base(
    method: str, url: str, expected: tuple[str | None, str | None]
) -> None:
    """Escapes of letters are the letters; a parameter is one segment that is not empty."""
    assert load(PUBLISHED).locate(method, url, BASES) == expected


def test_a_path_of_literals_comes_before_one_of_parameters(tmp_path: Path) -> None:
    """As OpenAPI says."""
    entry = {"get": {"responses": OK}}
    found = document(tmp_path, paths={"/{a}/{b}": entry, "/x/{b}": entry, "/x/y": entry})

    assert [found.path_of(path) for path in ("/x/y", "/x/z", "/w/y", "/w")] == [
        "/x/y",
        "/x/{b}",
        "/{a}/{b}",
        None,
    ]


def test_no_tool_is_told_of_another_server() -> None:
    """Neither of the document nor of a path or an operation; the original stays as it is."""
    servers = [{"url": "https://api.arklow.io"}]
    entry = {"servers": servers, "responses": OK}
    content: dict[str, Any] = {
        "servers": servers,
        "paths": {"/a": {"servers": servers, "get": entry, "summary": "s"}},
    }

    copied = with_only_server(content, "http://h")

    assert copied["servers"] == [{"url": "http://h"}]
    assert copied["paths"] == {"/a": {"get": {"responses": OK}, "summary": "s"}}
    assert content["paths"]["/a"]["get"] == entry


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("/v1/ingress/", "/v1/ingress/"),
        ("/v1/ingress", "/v1/ingress"),
        ("/v1/ingress/contract.a.b/c", "/v1/ingress/…"),
        ("/v1/ack", "/v1/ack"),
        ("/v1//modack", "/v1/…"),
        ("/v2/modack", "/…"),
        ("/v1/modack/contract.a", "/v1/modack/…"),
        ("/", "/"),
    ],
)
def test_a_path_that_fits_no_template_is_named_by_what_is_the_same_in_each_run(path: str, known: str) -> None:
    """So that its finding has the same id tomorrow."""
    assert load(PUBLISHED).path_of(path) is None
    assert load(PUBLISHED).known_part_of(path) == known
