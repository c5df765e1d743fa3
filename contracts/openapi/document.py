"""The OpenAPI document: loaded, what it says of each operation, and which operation a request is for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from arklow_local.formats import yaml_reader
from arklow_local.formats.files import read_bytes
from arklow_local.openapi import document_text, pages, pointers

from .well_formed import why_ill_formed

SPEC = Path(__file__).parents[2] / "spec"
PUBLISHED = SPEC / "arklow.openapi.yaml"
"""The published pages, nothing added: the document by which targets are judged."""
LINKED = SPEC / "arklow.overlaid.openapi.yaml"
"""The same with our overlays. Its links lead to longer sequences of requests; no target is judged by it, nor asked for an
operation that is not published."""

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class Unreadable(Exception):
    """The file is not an OpenAPI 3.1 document by which a target can be judged; the message says why."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    label: str
    """Such as `POST /v1/modack`."""
    method: str
    path: str
    key_headers: tuple[str, ...]
    """Names of the headers of which each alone may carry the key, in lower case."""
    request_schema: str | None
    """JSON pointer of the schema of its JSON body; None without one."""
    answer_schemas: Mapping[str, str | None]
    """Listed status → JSON pointer of the schema of its JSON answer; None without one."""

    def lists_status(self, status: int) -> bool:
        """Tell whether the page lists a status, by itself, by its class or by default."""
        return self._listed(status) is not None

    def answer_schema(self, status: int) -> str | None:
        """Find the JSON pointer of the schema of the answer with this status; None without one."""
        listed = self._listed(status)
        return None if listed is None else self.answer_schemas[listed]

    def _listed(self, status: int) -> str | None:
        candidates = (str(status), f"{status // 100}XX", f"{status // 100}xx", "default")
        return next((one for one in candidates if one in self.answer_schemas), None)

    @property
    def control_plane(self) -> bool:
        """Tell whether the operation belongs to `/v1/orgs`, whose refusals are not documented."""
        return self.path.startswith("/v1/orgs/")


@dataclass(frozen=True, slots=True)
class Document:
    """A document as its file or its pages have it, and its operations."""

    name: str
    digest: str
    """SHA-256 of the file, or of the canonical text of joined pages."""
    content: Mapping[str, Any]
    operations: Mapping[str, Operation]
    """Label → operation."""

    @property
    def key_headers(self) -> set[str]:
        """The names of the headers in which some operation reads a key, in lower case."""
        return {name for operation in self.operations.values() for name in operation.key_headers}

    def resolve(self, pointer: str) -> Mapping[str, Any]:
        """Find the object at a JSON pointer or reference within the document; where that is a reference, follow it.

        The result is keyed by the names of its members.
        """
        found, _ = _followed(self.content, {"$ref": f"#{pointer.lstrip('#')}"}, "")
        return found if isinstance(found, Mapping) else {}  # true and false are schemas too

    def parameters(self, operation: Operation) -> list[Mapping[str, Any]]:
        """List the parameters of an operation and of its path, references followed; each keyed by member name."""
        item = self.content["paths"][operation.path]
        listed = [*item[operation.method.lower()].get("parameters", ()), *item.get("parameters", ())]
        return [_followed(self.content, one, "")[0] for one in listed]

    def methods(self, path: str) -> set[str]:
        """List the methods that a path template has."""
        return {operation.method for operation in self.operations.values() if operation.path == path}

    def locate(self, method: str, url: str, bases: Collection[str]) -> tuple[str | None, str | None]:
        """Find what a URL below one of these base URLs is for.

        Returns:
            (label of the operation, path template), each None when the document has none.
        """
        parts = urlsplit(url)
        for base in sorted(bases, key=len, reverse=True):
            prefix = urlsplit(base)
            if parts.netloc == prefix.netloc and parts.path.startswith(f"{prefix.path}/"):
                path = self.path_of(path_below(url, base))
                label = f"{method} {path}"
                if path is not None:
                    return (label if label in self.operations else None), path
        return None, None

    def path_of(self, path: str) -> str | None:
        """Find the path template that a request's path fits, one with literal segments before one with parameters."""
        segments = path.strip("/").split("/")
        fitting = [
            template
            for template in {operation.path: None for operation in self.operations.values()}
            if _fits(template.strip("/").split("/"), segments)
        ]
        return min(fitting, key=lambda template: template.count("{"), default=None)

    def known_part_of(self, path: str) -> str:
        """Return a path that fits no template in a form that is the same in each run, whatever names it has.

        It is what some template begins with as well, the rest as `…`: `/v1/ingress/a/b` is `/v1/ingress/…`. One plain word
        or an empty segment at the end stay: `/v1/ingress/` and `/v1/ack` are themselves.
        """
        segments = path.split("/")[1:]
        literals = (
            list(takewhile(lambda part: not part.startswith("{"), operation.path.strip("/").split("/")))
            for operation in self.operations.values()
        )
        count = max((_equal_segments(parts, segments) for parts in literals), default=0)
        rest = segments[count:]
        plain = len(rest) == 1 and _PLAIN_WORD.fullmatch(rest[0]) is not None
        return "/" + "/".join([*segments[:count], *(rest if plain else ["…"] if rest else [])])


_PLAIN_WORD = re.compile(r"[a-z]{0,20}")
"""A segment that is no name of a run: those have dots or hyphens."""


def _equal_segments(parts: list[str], segments: list[str]) -> int:
    """Count the segments with which both begin alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(parts, segments, strict=False)))


def _fits(template: list[str], segments: list[str]) -> bool:
    return len(template) == len(segments) and all(
        segment != "" if part.startswith("{") else unquote(segment) == part
        for part, segment in zip(template, segments, strict=True)
    )


def load(file: Path) -> Document:
    """Load a document: of a file, or of a directory of pages with the overlays in it.

    Raises:
        Unreadable: there is no such file, or it is not an OpenAPI 3.1 document.
    """
    if file.is_dir():
        try:
            found = pages.read(file)
            content = found.document_to_judge(SPEC)
        except document_text.BadPages as error:
            raise Unreadable(str(error)) from None
        return _document(content, found.name, document_text.digest(content))
    try:
        text = read_bytes(file)
    except OSError as error:
        raise Unreadable(f"{file}: {error.strerror}") from None
    try:
        content = yaml_reader.read(text, str(file), dialect=yaml_reader.Dialect.DOCUMENT).value
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
    return _document(content, file.name, hashlib.sha256(text).hexdigest(), file)


def load_with_links(file: Path) -> Mapping[str, Any] | None:
    """Load a document with our overlays applied, whose links lead to longer sequences, keyed by its members; None for a file
    of another vendor."""
    if file.is_dir():
        return pages.read(file).document_to_serve(SPEC).content
    return load(LINKED).content if file == PUBLISHED and LINKED.exists() else None


def _document(content: dict[str, Any], name: str, digest: str, place: Path | None = None) -> Document:
    if (why := why_ill_formed(content)) is not None:
        raise Unreadable(f"{place or name} is not a well-formed OpenAPI document: {why}")
    try:
        operations = {operation.label: operation for operation in _operations(content)}
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise Unreadable(f"{place or name} is not a well-formed OpenAPI document: {error!r}") from None
    if not operations:
        raise Unreadable(f"{place or name} has no operation")
    return Document(name, digest, content, operations)


def with_only_server(content: Mapping[str, Any], url: str) -> dict[str, Any]:
    """Copy the content of a document with `url` as its only server, keyed by its members: no tool then contacts the hosts that
    the document names."""
    copied = dict(content)
    copied["servers"] = [{"url": url}]
    copied["paths"] = {
        path: {
            name: {k: v for k, v in entry.items() if k != "servers"} if name in _METHODS else entry
            for name, entry in item.items()
            if name != "servers"
        }
        for path, item in content["paths"].items()
        if path.startswith("/")  # others are extensions
    }
    return copied


def _operations(content: Mapping[str, Any]) -> Iterator[Operation]:
    schemes = content.get("components", {}).get("securitySchemes", {})
    for path, item in content.get("paths", {}).items():
        for method in _METHODS if path.startswith("/") else ():  # others are extensions
            if method not in item:
                continue
            entry = item[method]
            at = f"/paths/{_escaped(path)}/{method}"
            alternatives = entry.get("security", content.get("security", []))
            key_headers = tuple(
                schemes[next(iter(one))]["name"].lower()
                for one in alternatives
                if len(one) == 1 and schemes.get(next(iter(one)), {}).get("in") == "header"
            )
            if {} in alternatives:  # open to every client
                key_headers = ()
            request = None
            if "requestBody" in entry:
                body, where = _followed(content, entry["requestBody"], f"{at}/requestBody")
                request = _json_schema(body, where)
            answers = {}
            for status, answer in entry.get("responses", {}).items():
                answer, where = _followed(content, answer, f"{at}/responses/{status}")
                answers[str(status)] = _json_schema(answer, where)
            yield Operation(f"{method.upper()} {path}", method.upper(), path, key_headers, request, answers)


_MOST_REFERENCES = 20
"""References to references in a row; more are a circle."""


def _followed(content: Mapping[str, Any], node: Any, where: str) -> tuple[Any, str]:
    """Follow a node that may be a `$ref` within the document.

    Returns:
        (the node that it leads to, its JSON pointer).
    """
    for _ in range(_MOST_REFERENCES):
        if not isinstance(node, Mapping) or "$ref" not in node:
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


def path_below(url: str, base: str) -> str:
    """Cut the path of a base URL off the path of a URL."""
    return urlsplit(url).path.removeprefix(urlsplit(base).path.rstrip("/"))


__all__ = [
    "LINKED",
    "PUBLISHED",
    "SPEC",
    "Document",
    "Operation",
    "Unreadable",
    "load",
    "load_with_links",
    "path_below",
    "with_only_server",
]
