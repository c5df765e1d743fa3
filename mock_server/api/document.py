"""The OpenAPI document that is served: loaded and checked once, its operations listed, its schemas compiled."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from arklow_local.formats import yaml_reader
from arklow_local.formats.excerpts import one_line
from arklow_local.formats.files import read_bytes
from arklow_local.openapi import document_text, pages, pointers

from ..schemas import DocumentSchemas, Validator
from ..settings import SPEC

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
JSON: Final = "application/json"
_LONGEST_CHAIN: Final = 50
"""References that may lead from one to the next; a longer chain is used_ids for a circle."""


class BadDocument(Exception):
    """The file is no OpenAPI 3.1 document that can be served; the message says what is wrong and where."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter of a path or query."""

    name: str
    location: str
    """`path` or `query`."""
    required: bool
    kinds: frozenset[str]
    """The JSON types that its text may stand for."""
    validator: Validator


@dataclass(frozen=True, slots=True)
class Body:
    """One declared JSON request body."""

    required: bool
    pointer: str
    """Where its schema is in the document (RFC 6901)."""
    validator: Validator
    members: frozenset[str]
    """Names of the members that the schema declares."""
    opaque: frozenset[str]
    """Names of those members that may hold any JSON value."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path, as the document describes it."""

    id: str
    """Its `operationId`, or method and path where that is missing or not unique."""
    method: str
    """In lower case."""
    path: str
    """The template."""
    is_ingress: bool
    """Whether it has the tag `ingress`, by which the statuses of its refusals are chosen."""
    security: tuple[Mapping[str, Any], ...]
    parameters: tuple[Parameter, ...]
    body: Body | None
    responses: Mapping[str, Validator | None]
    """`200`, `4XX` or `default` → the validator of that answer's JSON, None where no JSON is declared."""

    def response(self, status: int) -> Validator | None:
        """Return the validator for an answer of this HTTP status, None where no JSON is declared.

        Raises:
            KeyError: the document declares no such answer.
        """
        for key in (str(status), f"{status // 100}XX", "default"):
            if key in self.responses:
                return self.responses[key]
        raise KeyError(status)


class Document:
    """One loaded document: a file as it is, or a directory of pages with our overlays."""

    name: str
    text: bytes
    """As it is served: the file, or what pages and overlays make."""
    digest: str
    """The SHA-256 of the text or, for a directory, of what it says; in hexadecimal digits."""
    raw: dict[str, Any]
    left_out: tuple[str, ...]
    """A line for each part of our overlays that the pages have no place for."""

    def __init__(self, path: Path) -> None:
        """Load the document.

        Raises:
            BadDocument: the file is unreadable, no OpenAPI 3.1, or breaks the meta-schema.
        """
        self.path = path
        self.left_out = ()
        if path.is_dir():
            self._join(path)
        else:
            self._load(path)
        self.schemas = DocumentSchemas(self.raw)

    def _join(self, directory: Path) -> None:
        try:
            found = pages.read(directory)
            overlaid = found.document_to_serve(SPEC)
        except document_text.BadPages as error:
            raise BadDocument(str(error)) from None
        self.name, self.raw, self.left_out = found.name, overlaid.content, overlaid.left_out
        self.text = document_text.to_yaml(self.raw).encode()
        self.digest = document_text.digest(self.raw)
        _check(directory, self.raw)

    def _load(self, path: Path) -> None:
        self.name = path.name
        try:
            self.text = read_bytes(path)
            source = yaml_reader.read(self.text, str(path), dialect=yaml_reader.Dialect.DOCUMENT)
        except OSError as error:
            raise BadDocument(f"{path}: {error}") from None
        except yaml_reader.YamlRefused as error:
            raise BadDocument(str(error)) from None
        self.raw = source.value
        if not isinstance(self.raw, dict) or not str(self.raw.get("openapi", "")).startswith("3.1."):
            raise BadDocument(f"{path}: expected an OpenAPI 3.1 document")
        for reference in pointers.references(self.raw):
            if not reference.startswith("#"):
                raise BadDocument(f"{path}: expected references within the document alone, got {reference}")
        self.digest = hashlib.sha256(self.text).hexdigest()
        if not _known_good(path, self.digest):
            _check(path, self.raw)

    @cached_property
    def json(self) -> bytes:
        """The document as JSON."""
        return json.dumps(self.raw, ensure_ascii=False, separators=(",", ":")).encode()

    @property
    def security_schemes(self) -> Mapping[str, Any]:
        """Name → security scheme."""
        schemes: Mapping[str, Any] = self.raw.get("components", {}).get("securitySchemes", {})
        return schemes

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """All operations, each with an id of its own; those of concrete paths come before templated ones."""
        found = []
        used_ids: set[str] = set()
        for path in sorted(self.raw.get("paths", {}), key=_specific_first):
            for method in METHODS:
                if method in self.raw["paths"][path]:
                    operation = self._operation(path, method, used_ids)
                    used_ids.add(operation.id)
                    found.append(operation)
        return tuple(found)

    def _operation(self, path: str, method: str, used_ids: set[str]) -> Operation:
        item = self.raw["paths"][path]
        node = item[method]
        base = f"/paths/{step(path)}"
        name = node.get("operationId")
        if not name or name in used_ids:
            name = f"{method} {path}"
        pointers = [f"{base}/{method}/parameters/{n}" for n in range(len(node.get("parameters", [])))]
        pointers += [f"{base}/parameters/{n}" for n in range(len(item.get("parameters", [])))]
        parameters: dict[tuple[str, str], Parameter] = {}
        for pointer in pointers:
            parameter = self._parameter(pointer)
            if parameter is not None:
                parameters.setdefault((parameter.location, parameter.name), parameter)
        return Operation(
            id=name,
            method=method,
            path=path,
            is_ingress="ingress" in node.get("tags", []),
            security=self._requirement(node),
            parameters=tuple(parameters.values()),
            body=self._body(f"{base}/{method}/requestBody") if "requestBody" in node else None,
            responses={
                str(status): self._json_validator(f"{base}/{method}/responses/{status}")
                for status in node.get("responses", {})
            },
        )

    def _requirement(self, node: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
        requirement = tuple(node.get("security", self.raw.get("security", [])))
        unknown = {name for alternative in requirement for name in alternative} - self.security_schemes.keys()
        if unknown:
            raise BadDocument(f"expected security schemes of the document, got {', '.join(sorted(unknown))}")
        return requirement

    def _parameter(self, pointer: str) -> Parameter | None:
        pointer, node = self.follow(pointer)
        if node["in"] not in ("path", "query") or "schema" not in node:
            return None
        schema = self.follow(f"{pointer}/schema")[1]
        kinds = schema.get("type", "string") if isinstance(schema, dict) else "string"
        return Parameter(
            name=node["name"],
            location=node["in"],
            required=node.get("required", False),
            kinds=frozenset([kinds] if isinstance(kinds, str) else kinds),
            validator=self.schemas.at(f"{pointer}/schema"),
        )

    def _body(self, pointer: str) -> Body | None:
        pointer, node = self.follow(pointer)
        if "schema" not in node.get("content", {}).get(JSON, {}):
            return None
        pointer = f"{pointer}/content/{step(JSON)}/schema"
        schema = self.follow(pointer)[1]
        members = schema.get("properties", {}) if isinstance(schema, dict) else {}
        return Body(
            required=node.get("required", False),
            pointer=pointer,
            validator=self.schemas.at(pointer),
            members=frozenset(members),
            opaque=frozenset(name for name, member in members.items() if member in ({}, True)),
        )

    def _json_validator(self, pointer: str) -> Validator | None:
        pointer, node = self.follow(pointer)
        if "schema" not in node.get("content", {}).get(JSON, {}):
            return None
        return self.schemas.at(f"{pointer}/content/{step(JSON)}/schema")

    def response_schema(self, operation: Operation, status: str) -> Any:
        """Return the JSON schema of one answer, None where no JSON is declared; `status` is a key of `responses`."""
        base = f"/paths/{step(operation.path)}/{operation.method}/responses/{status}"
        return self.follow(base)[1].get("content", {}).get(JSON, {}).get("schema")

    def follow(self, pointer: str) -> tuple[str, Any]:
        """Follow references from a JSON pointer to a node that is none.

        Returns:
            A pair: the pointer to that node, and the node.

        Raises:
            BadDocument: nothing is there, or the references lead in a circle.
        """
        for _ in range(_LONGEST_CHAIN):
            node: Any = self.raw
            for part in pointer.split("/")[1:]:
                part = part.replace("~1", "/").replace("~0", "~")
                try:
                    node = node[int(part)] if isinstance(node, list) else node[part]
                except (KeyError, IndexError, ValueError, TypeError):
                    raise BadDocument(f"nothing at #{pointer}") from None
            if not (
                isinstance(node, dict) and isinstance(node.get("$ref"), str) and node["$ref"].startswith("#/")
            ):
                return pointer, node
            pointer = node["$ref"][1:]
        raise BadDocument(f"references go round at #{pointer}")


def _specific_first(path: str) -> list[tuple[bool, int, str]]:
    """The sort key of a path: concrete segments before templated ones and longer literals first, as OpenAPI asks.

    A longer path comes before a path that it begins with: the router tries one after the other, and
    `/v1/ingress/{variant}` has most requests.
    """
    return [("{" in s, -len(re.sub(r"\{[^}]*\}", "", s)), s) for s in path.split("/")] + [(True, 1, "")]


def step(name: str) -> str:
    """Return a name as one step of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _known_good(path: Path, digest: str) -> bool:
    """Whether `SHA256SUMS` beside the file has the digest: then the file was checked when it was built."""
    sums = path.parent / "SHA256SUMS"
    return sums.is_file() and digest in sums.read_text("utf-8").split()


def _check(path: Path, raw: dict[str, Any]) -> None:
    from openapi_spec_validator import OpenAPIV31SpecValidator

    try:
        error = next(OpenAPIV31SpecValidator(raw).iter_errors(), None)
    except Exception as failure:  # of the validator, which meets a document of others
        said = f"{type(failure).__name__}: {one_line(str(failure))}"
        raise BadDocument(
            f"{path}: expected an OpenAPI 3.1 document, got one that cannot be checked ({said})"
        ) from None
    if error is not None:
        place = "/".join(map(step, map(str, error.absolute_path)))
        first, _, _ = error.message.partition("\n")
        raise BadDocument(f"{path}: at #/{place}: {one_line(first, 300)}")
