"""Documents with more than the three operations: stubs, ids, the order of paths, and what is ignored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mock_server.api.document import BadDocument, Document
from mock_server.app import CannotServe
from mock_server.settings import PUBLISHED
from tests.api.asgi import World

OPEN: dict[str, Any] = {"security": []}


def _document(tmp_path: Path, paths: dict[str, Any], **components: Any) -> Path:
    document = yaml.safe_load(PUBLISHED.read_text())
    document["paths"] |= paths
    document["components"]["schemas"] |= components
    file = tmp_path / "more.yaml"
    file.write_text(yaml.safe_dump(document))
    return file


def _answers(schema: Any, **operation: Any) -> dict[str, Any]:
    return (
        OPEN
        | {"responses": {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}}}
        | operation
    )


@pytest.mark.parametrize(
    ("schema", "answer"),
    [
        ({"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "pattern": "^[0-9]{3}$"}}}, None),
        ({"$ref": "#/components/schemas/Tree"}, {"children": []}),
        ({"allOf": [{"type": "object", "required": ["a"], "properties": {"a": {"const": 1}}}, {"type": "object", "required": ["b"], "properties": {"b": {"enum": ["x"]}}}]}, {"a": 1, "b": "x"}),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, None),
        ({"type": ["string", "null"], "format": "date-time"}, "2026-01-01T00:00:00Z"),
        ({"type": "array", "minItems": 2, "items": {"type": "integer", "minimum": 5}}, [5, 5]),
        ({"type": "string", "examples": ["hello"]}, "hello"),
    ],
    ids=str,
)  # fmt: skip
def test_an_operation_without_a_handler_is_a_valid_marked_stub(
    tmp_path: Path, schema: Any, answer: Any
) -> None:
    """The answer fits the document, is marked as a stub, and is the same every time."""
    tree = {
        "type": "object",
        "required": ["children"],
        "properties": {"children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}},
    }
    world = World(document=_document(tmp_path, {"/v1/new": {"get": _answers(schema)}}, Tree=tree))

    replies = [world.call("GET", "/v1/new") for _ in range(2)]

    assert replies[0].status == 200
    assert replies[0].headers["x-arklow-mock-stub"] == "1"
    assert replies[0].body == replies[1].body
    if answer is not None:
        assert replies[0].json == answer
    assert world.app.coverage.stubs == {"get /v1/new"}
    assert not world.app.coverage.complete


def test_a_stub_that_cannot_be_made_stops_the_start(tmp_path: Path) -> None:
    """A stub never answers against the document."""
    file = _document(
        tmp_path, {"/v1/new": {"get": _answers({"type": "integer", "multipleOf": 7, "minimum": 1})}}
    )

    with pytest.raises(CannotServe, match="GET /v1/new: no valid answer was found"):
        World(document=file)


def test_operations_without_an_id_keep_their_own_security(tmp_path: Path) -> None:
    """Stock Connexion answers one of them by the handler of the other, without its security."""
    secured = {key: value for key, value in _answers({"const": "secured"}).items() if key != "security"}
    world = World(
        document=_document(
            tmp_path, {"/v1/a": {"get": _answers({"const": "open"})}, "/v1/b": {"get": secured}}
        )
    )

    assert world.call("GET", "/v1/a", key="").json == "open"
    assert world.call("GET", "/v1/b", key="").status == 401
    assert world.call("GET", "/v1/b").json == "secured"


def test_concrete_paths_come_before_templated_ones(tmp_path: Path) -> None:
    """Whatever their order in the document is (OpenAPI, Paths Object)."""
    paths: dict[str, Any] = {}
    for path in ("/v1/x/{id}", "/v1/x/defs", "/v1/x/{id}:verb", "/v1/{any}/defs"):
        parameters = [
            {"name": n, "in": "path", "required": True, "schema": {"type": "string"}}
            for n in ("id", "any")
            if f"{{{n}}}" in path
        ]
        paths[path] = {"get": _answers({"const": path}, parameters=parameters)}
    world = World(document=_document(tmp_path, paths))

    served = {
        sent: world.call("GET", sent).json for sent in ("/v1/x/defs", "/v1/x/7", "/v1/x/7:verb", "/v1/y/defs")
    }

    assert served == {
        "/v1/x/defs": "/v1/x/defs",
        "/v1/x/7": "/v1/x/{id}",
        "/v1/x/7:verb": "/v1/x/{id}:verb",
        "/v1/y/defs": "/v1/{any}/defs",
    }


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?take=5", 200),
        ("?take=0", 400),
        ("?take=x", 400),
        ("", 400),
        ("?take=5&flag=true", 200),
        ("?take=5&flag=1", 400),
    ],
)
def test_declared_query_parameters_are_checked(tmp_path: Path, query: str, status: int) -> None:
    """Their text is taken as the type that the schema asks for."""
    parameters = [
        {
            "name": "take",
            "in": "query",
            "required": True,
            "schema": {"type": ["integer", "null"], "minimum": 1},
        },
        {"name": "flag", "in": "query", "schema": {"type": "boolean"}},
    ]
    world = World(
        document=_document(tmp_path, {"/v1/new": {"get": _answers({"const": 1}, parameters=parameters)}})
    )

    assert world.call("GET", "/v1/new" + query).status == status


@pytest.mark.parametrize(
    ("schema", "line"),
    [
        ({"type": "string", "format": "int128"}, "format 'int128' at #/paths/~1v1~1new/get/responses/200/content/application~1json/schema/format"),
        ({"type": "string", "nullable": True}, "keyword 'nullable' at #/paths/~1v1~1new/get/responses/200/content/application~1json/schema/nullable"),
        ({"type": "string", "x-ours": True, "description": "fine"}, None),
    ],
)  # fmt: skip
def test_what_would_be_ignored_is_named_with_its_place(tmp_path: Path, schema: Any, line: str | None) -> None:
    """The mock drops no part of a document in silence."""
    coverage = World(document=_document(tmp_path, {"/v1/new": {"get": _answers(schema)}})).app.coverage

    assert coverage.ignored == ((line,) if line else ())


def test_parameters_and_bodies_that_are_not_read_are_named(tmp_path: Path) -> None:
    """Headers, cookies, other media types and other security schemes."""
    operation = _answers(
        {"const": 1},
        parameters=[{"name": "x-h", "in": "header", "schema": {"type": "string"}}],
        requestBody={"content": {"text/csv": {"schema": {"type": "string"}}}},
    )

    ignored = World(document=_document(tmp_path, {"/v1/new": {"post": operation}})).app.coverage.ignored

    assert ignored == (
        "header parameter 'x-h' at #/paths/~1v1~1new/post/parameters/0 (not checked)",
        "request media type text/csv of POST /v1/new (only application/json is read)",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths: {}\n", "expected an OpenAPI 3.1 document"),
        ("openapi: 3.1.0\ninfo: {title: t}\npaths: {}\n", "at #/info: .version. is a required property$"),
        ("openapi: [\n", "line 2: expected YAML, got what is none"),
        ("- 1\n", "expected an OpenAPI 3.1 document"),
        (
            "openapi: 3.1.0\ninfo: {title: t, version: 2020-01-01}\npaths: {/a: {$ref: 'http://elsewhere.invalid/a'}}\n",
            "within the document alone, got http://elsewhere",
        ),
        (
            "openapi: 3.1.0\ninfo: {title: t, version: '1'}\nsecurity: [{unknown: []}]\npaths: {/a: {get: {responses: {200: {description: ok}}}}}\n",
            "security schemes of the document, got unknown",
        ),
    ],
)
def test_a_bad_document_stops_the_start_and_says_where(tmp_path: Path, text: str, message: str) -> None:
    """The message has the file, the place and the rule."""
    file = tmp_path / "bad.yaml"
    file.write_text(text)

    with pytest.raises(BadDocument, match=message):
        World(document=file)


def test_a_scheme_that_cannot_be_checked_is_never_satisfied_and_named(tmp_path: Path) -> None:
    """An unknown scheme lets no request in."""
    document = yaml.safe_load(PUBLISHED.read_text())
    document["components"]["securitySchemes"]["bearer"] = {"type": "http", "scheme": "bearer"}
    document["paths"]["/v1/new"] = {"get": _answers({"const": 1}, security=[{"bearer": []}])}
    file = tmp_path / "bearer.yaml"
    file.write_text(yaml.safe_dump(document))
    world = World(document=file)

    assert world.call("GET", "/v1/new").status == 401
    assert world.app.coverage.ignored == (
        "security scheme 'bearer' (never satisfied: only apiKey in a header is checked)",
    )


def test_an_answer_without_content_has_none(tmp_path: Path) -> None:
    """A 204 has no length and no body; a 200 without a declared body has length 0."""
    for status, length in (("204", None), ("200", "0")):
        operation = OPEN | {"responses": {status: {"description": "done"}}}
        reply = World(document=_document(tmp_path, {"/v1/new": {"delete": operation}})).call(
            "DELETE", "/v1/new"
        )

        assert (reply.status, reply.body, reply.headers.get("content-length")) == (int(status), b"", length)


def test_an_optional_body_may_be_left_out(tmp_path: Path) -> None:
    """It is checked when it is there."""
    body = {"content": {"application/json": {"schema": {"type": "integer"}}}}
    world = World(
        document=_document(tmp_path, {"/v1/new": {"post": _answers({"const": 1}, requestBody=body)}})
    )

    assert world.call("POST", "/v1/new").status == 200
    assert world.call("POST", "/v1/new", 1).status == 200
    assert world.call("POST", "/v1/new", "x").status == 400


def test_yaml_is_read_as_the_json_it_stands_for(tmp_path: Path) -> None:
    """Status codes without quotes, and dates, are common in documents."""
    file = tmp_path / "plain.yaml"
    file.write_text(
        "openapi: 3.1.0\ninfo: {title: t, version: 2020-01-01}\npaths: {/a: {get: {responses: {200: {description: ok}}}}}\n"
    )
    world = World(document=file)

    assert world.call("GET", "/a").status == 200
    assert world.call("GET", "/openapi.json").json["info"]["version"] == "2020-01-01"


def test_an_organisation_that_is_declared_as_a_number_is_still_the_keys(tmp_path: Path) -> None:
    """The key decides, whatever type the document gives the parameter."""
    parameters = [{"name": "org_id", "in": "path", "required": True, "schema": {"type": "integer"}}]
    operation = _answers({"const": 1}, parameters=parameters)
    del operation["security"]
    world = World(document=_document(tmp_path, {"/v1/orgs/{org_id}/new": {"get": operation}}))

    statuses = [world.call("GET", f"/v1/orgs/{org}/new").status for org in ("42", "43", "x")]

    assert statuses == [200, 403, 400]


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ({"404": 1, "4XX": 2, "default": 3}, 1),
        ({"4XX": 2, "default": 3, "5XX": 4}, 2),
        ({"default": 3, "5XX": 4, "400": 5}, 3),
        ({"5XX": 4, "400": 5}, None),
    ],
    ids=str,
)
def test_an_answer_is_declared_by_its_status_or_its_class_or_for_all(
    tmp_path: Path, declared: dict[str, int], found: int | None
) -> None:
    """In this order; an answer that is not declared is told apart from one without JSON."""
    responses = {
        status: {"description": "d", "content": {"application/json": {"schema": {"const": number}}}}
        for status, number in declared.items()
    }
    path = _document(tmp_path, {"/v1/new": {"get": OPEN | {"operationId": "new", "responses": responses}}})
    [operation] = [one for one in Document(path).operations if one.id == "new"]

    if found is None:
        with pytest.raises(KeyError):
            operation.response(404)
    else:
        validator = operation.response(404)
        assert validator is not None
        assert [number for number in range(1, 6) if validator.is_valid(number)] == [found]
