"""The OpenAPI document: what it promises about each operation, and which operation a request is for."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from arklow_local.formats import yaml_reader
from arklow_local.openapi import document_text, pages, pointers

SPEC = Path(__file__).parents[2] / "spec"
PUBLISHED = SPEC / "arklow.openapi.yaml"
"""The published pages, nothing added: what is judged."""
LINKED = SPEC / "arklow.overlaid.openapi.yaml"
"""The same with our overlays, whose links make longer requests; nobody is judged by it, nor asked for an
operation that is not published."""

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class Unreadable(Exception):
    """The file is not an OpenAPI 3.1 document that can be judged by; the text says why."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    label: str
    """Such as `POST /v1/modack`."""
    method: str
    path: str
    keys: tuple[str, ...]
    """Header names of which each alone may carry the key, in lower case."""
    request: str | None
    """JSON pointer of the schema of its JSON body."""
    answers: Mapping[str, str | None]
    """Documented status → JSON pointer of the schema of its JSON answer, if it has one."""

    def documents(self, status: int) -> bool:
        """Whether the page lists a status, by itself, by its class or by default."""
        return self._listed(status) is not None

    def answer(self, status: int) -> str | None:
        """The JSON pointer of the schema of an answer's body, if it has one."""
        listed = self._listed(status)
        return None if listed is None else self.answers[listed]

    def _listed(self, status: int) -> str | None:
        candidates = (str(status), f"{status // 100}XX", f"{status // 100}xx", "default")
        return next((one for one in candidates if one in self.answers), None)

    @property
    def control_plane(self) -> bool:
        """Whether the operation belongs to `/v1/orgs`, whose refusals are not documented."""
        return self.path.startswith("/v1/orgs/")


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it is in its file or its pages, and its operations."""

    name: str
    digest: str
    """SHA-256 of the file, or of the canonical text of joined pages."""
    content: Mapping[str, Any]
    operations: Mapping[str, Operation]
    """Label → operation."""

    @property
    def keys(self) -> set[str]:
        """Header names in which some operation reads a key, in lower case."""
        return {name for operation in self.operations.values() for name in operation.keys}

    def at(self, pointer: str) -> Mapping[str, Any]:
        """The schema at a JSON pointer or a reference within the document, what it refers to if it refers on."""
        return cast("Mapping[str, Any]", _followed(self.content, {"$ref": f"#{pointer.lstrip('#')}"}, "")[0])

    def parameters(self, operation: Operation) -> list[Mapping[str, Any]]:
        """The parameters of an operation and of its path, what they refer to if they refer on."""
        item = self.content["paths"][operation.path]
        listed = [*item[operation.method.lower()].get("parameters", ()), *item.get("parameters", ())]
        return [_followed(self.content, one, "")[0] for one in listed]

    def methods(self, path: str) -> set[str]:
        """The methods that a path template has."""
        return {operation.method for operation in self.operations.values() if operation.path == path}

    def locate(self, method: str, url: str, bases: Collection[str]) -> tuple[str | None, str | None]:
        """The operation and the path template of a URL below one of these base URLs; None for what it has not."""
        parts = urlsplit(url)
        for base in sorted(bases, key=len, reverse=True):
            prefix = urlsplit(base)
            if parts.netloc == prefix.netloc and parts.path.startswith(f"{prefix.path}/"):
                path = self.path_of(target_of(url, base))
                label = f"{method} {path}"
                if path is not None:
                    return (label if label in self.operations else None), path
        return None, None

    def path_of(self, target: str) -> str | None:
        """The path template that a request's path fits, literal segments before parameters."""
        segments = target.strip("/").split("/")
        fitting = [
            path
            for path in {operation.path: None for operation in self.operations.values()}
            if _fits(path.strip("/").split("/"), segments)
        ]
        return min(fitting, key=lambda path: path.count("{"), default=None)


def _fits(template: list[str], segments: list[str]) -> bool:
    return len(template) == len(segments) and all(
        segment != "" if part.startswith("{") else unquote(segment) == part
        for part, segment in zip(template, segments, strict=True)
    )


def load(file: Path) -> Document:
    """Read a document: of a file, or of a directory of pages with the overlays in it.

    Raises:
        Unreadable: there is no such file, or it is not an OpenAPI 3.1 document.
    """
    if file.is_dir():
        try:
            found = pages.read(file)
            content = found.document_to_judge(SPEC)
        except document_text.BadPages as error:
            raise Unreadable(str(error)) from None
        return _made(content, found.name, document_text.digest(content))
    try:
        text = file.read_bytes()
    except OSError as error:
        raise Unreadable(f"{file}: {error.strerror}") from None
    try:
        content = yaml_reader.read(text, str(file), dialect=yaml_reader.Dialect.YAML_1_1).value
    except yaml_reader.YamlRefused as error:
        if error.problem:
            raise Unreadable(f"{error.where} is neither YAML nor JSON: {error.problem}") from None
        raise Unreadable(str(error)) from None
    if not isinstance(content, dict) or not str(content.get("openapi", "")).startswith("3.1"):
        raise Unreadable(
            f"{file} is not an OpenAPI 3.1 document: it has no member 'openapi' that begins with 3.1"
        )
    for reference in pointers.references(content):
        if not reference.startswith("#"):
            raise Unreadable(f"{file} refers to {reference!r}: references must stay inside the document")
    return _made(content, file.name, hashlib.sha256(text).hexdigest(), file)


def linked_of(file: Path) -> Mapping[str, Any] | None:
    """What `load` reads with our overlays over it, whose links make longer requests; None for another file."""
    if file.is_dir():
        return pages.read(file).document_to_serve(SPEC).content
    return load(LINKED).content if file == PUBLISHED and LINKED.exists() else None


def _made(content: dict[str, Any], name: str, digest: str, place: Path | None = None) -> Document:
    try:
        operations = {operation.label: operation for operation in _operations(content)}
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise Unreadable(f"{place or name} is not a well-formed OpenAPI document: {error!r}") from None
    if not operations:
        raise Unreadable(f"{place or name} has no operation")
    return Document(name, digest, content, operations)


def local(content: Mapping[str, Any], url: str) -> dict[str, Any]:
    """The document with the target as its only server: what it says of hosts is never followed."""
    copied = dict(content)
    copied["servers"] = [{"url": url}]
    copied["paths"] = {
        path: {
            name: {k: v for k, v in entry.items() if k != "servers"} if name in _METHODS else entry
            for name, entry in item.items()
            if name != "servers"
        }
        for path, item in content["paths"].items()
    }
    return copied


def _operations(content: Mapping[str, Any]) -> Iterator[Operation]:
    schemes = content.get("components", {}).get("securitySchemes", {})
    for path, item in content.get("paths", {}).items():
        for method in _METHODS:
            if method not in item:
                continue
            entry = item[method]
            at = f"/paths/{_escaped(path)}/{method}"
            alternatives = entry.get("security", content.get("security", []))
            keys = tuple(
                schemes[next(iter(one))]["name"].lower()
                for one in alternatives
                if len(one) == 1 and schemes.get(next(iter(one)), {}).get("in") == "header"
            )
            if {} in alternatives:  # open to everybody
                keys = ()
            request = None
            if "requestBody" in entry:
                body, where = _followed(content, entry["requestBody"], f"{at}/requestBody")
                request = _json_schema(body, where)
            answers = {}
            for status, answer in entry.get("responses", {}).items():
                answer, where = _followed(content, answer, f"{at}/responses/{status}")
                answers[str(status)] = _json_schema(answer, where)
            yield Operation(f"{method.upper()} {path}", method.upper(), path, keys, request, answers)


def _followed(content: Mapping[str, Any], node: Any, where: str) -> tuple[Any, str]:
    """What a possible `$ref` leads to within the document, and its pointer."""
    for _ in range(20):
        if "$ref" not in node:
            return node, where
        where = node["$ref"].removeprefix("#")
        node = content
        for step in where.split("/")[1:]:
            node = node[step.replace("~1", "/").replace("~0", "~")]
    raise ValueError(f"references that never end at {where}")


def _json_schema(node: Mapping[str, Any], where: str) -> str | None:
    media = node.get("content", {}).get("application/json")
    return f"{where}/content/application~1json/schema" if media and "schema" in media else None


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def target_of(url: str, base: str) -> str:
    """The path of a URL below a base URL."""
    return urlsplit(url).path.removeprefix(urlsplit(base).path.rstrip("/"))


__all__ = [
    "LINKED",
    "PUBLISHED",
    "SPEC",
    "Document",
    "Operation",
    "Unreadable",
    "linked_of",
    "load",
    "local",
    "target_of",
]
