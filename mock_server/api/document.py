"""The OpenAPI document: loaded, operations listed, schemas compiled once, silent spots named."""

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
from arklow_local.openapi import document_text, pages, pointers

from ..schemas import DocumentSchemas, Validator
from ..settings import SPEC

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
JSON: Final = "application/json"


class BadDocument(Exception):
    """The file is not an OpenAPI 3.1 document; the message says what is wrong and where."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter; `kinds` are the JSON types its text may be read as."""

    name: str
    location: str
    required: bool
    kinds: frozenset[str]
    validator: Validator


@dataclass(frozen=True, slots=True)
class Body:
    """One declared JSON request body: its declared `members`, and the `opaque` ones that may hold any JSON."""

    required: bool
    pointer: str
    validator: Validator
    members: frozenset[str]
    opaque: frozenset[str]


@dataclass(frozen=True, slots=True)
class Operation:
    """What the document says of one method on one path."""

    id: str
    method: str
    path: str
    ingress: bool
    security: tuple[Mapping[str, Any], ...]
    parameters: tuple[Parameter, ...]
    body: Body | None
    responses: Mapping[str, Validator | None]
    """Status, `4XX` or `default` → the validator of its JSON, None where no JSON is declared."""

    def response(self, status: int) -> Validator | None:
        """The validator for an answer of this status.

        Raises:
            KeyError: the document has no such answer.
        """
        for key in (str(status), f"{status // 100}XX", "default"):
            if key in self.responses:
                return self.responses[key]
        raise KeyError(status)


class Document:
    """One loaded document: of a file, or of a directory of pages, with our overlays.

    Raises:
        BadDocument: unreadable, not OpenAPI 3.1, or against the meta-schema.
    """

    name: str
    text: bytes
    digest: str
    raw: dict[str, Any]

    def __init__(self, path: Path) -> None:
        self.path = path
        self.left_out: tuple[str, ...] = ()
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
            self.text = path.read_bytes()
            source = yaml_reader.read(self.text, str(path), dialect=yaml_reader.Dialect.YAML_1_1)
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
        """Name → scheme."""
        schemes: Mapping[str, Any] = self.raw.get("components", {}).get("securitySchemes", {})
        return schemes

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """All operations, concrete paths before templated ones; every id is unique."""
        found = []
        taken: set[str] = set()
        for path in sorted(self.raw.get("paths", {}), key=_specific_first):
            for method in METHODS:
                if method in self.raw["paths"][path]:
                    operation = self._operation(path, method, taken)
                    taken.add(operation.id)
                    found.append(operation)
        return tuple(found)

    def _operation(self, path: str, method: str, taken: set[str]) -> Operation:
        item = self.raw["paths"][path]
        node = item[method]
        base = f"/paths/{step(path)}"
        name = node.get("operationId")
        if not name or name in taken:
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
            ingress="ingress" in node.get("tags", []),
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
        """The JSON schema of one answer, references of the answer itself followed; None without one."""
        base = f"/paths/{step(operation.path)}/{operation.method}/responses/{status}"
        return self.follow(base)[1].get("content", {}).get(JSON, {}).get("schema")

    def follow(self, pointer: str) -> tuple[str, Any]:
        """The node at a JSON pointer, and where it really is when it was a local reference.

        Raises:
            BadDocument: nothing is there.
        """
        for _ in range(50):
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
    """Concrete segments before templated ones, longer literals first: the order the specification asks for. A
    path comes before its beginnings, as a router that tries one after the other finds work sooner then."""
    return [("{" in s, -len(re.sub(r"\{[^}]*\}", "", s)), s) for s in path.split("/")] + [(True, 1, "")]


def step(name: str) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _known_good(path: Path, digest: str) -> bool:
    """Whether the digest stands in `SHA256SUMS` beside the file: then it was checked when it was built."""
    sums = path.parent / "SHA256SUMS"
    return sums.is_file() and digest in sums.read_text("utf-8").split()


def _check(path: Path, raw: dict[str, Any]) -> None:
    from openapi_spec_validator import OpenAPIV31SpecValidator

    for error in OpenAPIV31SpecValidator(raw).iter_errors():
        place = "/".join(map(step, map(str, error.absolute_path)))
        raise BadDocument(f"{path}: at #/{place}: {error.message.splitlines()[0][:300]}")
