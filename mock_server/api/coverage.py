"""How much of a document the mock serves, and what it reads without acting on it, each with its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from .document import JSON, METHODS, Document, Operation, step
from .handlers import PUBLISHED
from .security import is_checkable

# the keywords of JSON Schema 2020-12 and OpenAPI 3.1, by what becomes of them here
_CHECKED: Final = frozenset(
    "type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern "
    "maxItems minItems uniqueItems maxContains minContains maxProperties minProperties required allOf anyOf "
    "oneOf not if then else dependentRequired dependentSchemas prefixItems items contains properties "
    "patternProperties additionalProperties propertyNames unevaluatedItems unevaluatedProperties $ref "
    "$dynamicRef $anchor $dynamicAnchor $defs $id $schema format".split()
)
_ANNOTATIONS: Final = frozenset(
    "title description default deprecated readOnly writeOnly examples example externalDocs $comment "
    "contentEncoding contentMediaType contentSchema xml".split()
)
_FORMATS: Final = frozenset(
    "int32 int64 date date-time time duration email idn-email hostname idn-hostname ipv4 ipv6 uri "
    "uri-reference iri iri-reference uri-template uuid json-pointer relative-json-pointer regex".split()
)
_SUBSCHEMA: Final = frozenset(
    "not if then else items contains propertyNames additionalProperties unevaluatedItems "
    "unevaluatedProperties contentSchema".split()
)
_SUBSCHEMA_LIST: Final = frozenset("allOf anyOf oneOf prefixItems".split())
_SUBSCHEMA_MAP: Final = frozenset("properties patternProperties dependentSchemas $defs".split())


class Coverage(NamedTuple):
    """How much of one document the mock serves."""

    document: str
    """The document's name."""
    digest: str
    """The document's SHA-256, in hexadecimal digits."""
    operations: tuple[Operation, ...]
    stubs: frozenset[str]
    """Ids of the operations that a stub answers."""
    unused: tuple[str, ...]
    """Ids of published operations that have a handler here and are missing from the document."""
    ignored: tuple[str, ...]
    """A line for each keyword, format, parameter, media type and security scheme that is not acted on."""
    left_out: tuple[str, ...] = ()
    """A line for each part of our overlays that the document has no place for."""

    @property
    def complete(self) -> bool:
        """Whether `--strict-document` accepts the document."""
        return not (self.stubs or self.unused or self.ignored)


def coverage_of(document: Document, stubs: frozenset[str]) -> Coverage:
    """Compare a document with what the mock can do; `stubs` are the ids of operations without a handler."""
    return Coverage(
        document=document.name,
        digest=document.digest,
        operations=document.operations,
        stubs=stubs,
        unused=tuple(sorted(PUBLISHED - {operation.id for operation in document.operations})),
        ignored=tuple(_ignored(document)),
        left_out=document.left_out,
    )


def _ignored(document: Document) -> Iterator[str]:
    yield from _schemes(document)
    yield from _operations(document)
    yield from _schemas(document.raw, "#")


def _schemes(document: Document) -> Iterator[str]:
    for name, scheme in document.security_schemes.items():
        if not is_checkable(scheme):
            yield f"security scheme {name!r} (never satisfied: only apiKey in a header is checked)"


def _operations(document: Document) -> Iterator[str]:
    for path, item in document.raw.get("paths", {}).items():
        if "$ref" in item:
            yield f"operations behind the reference at #/paths/{step(path)}/$ref"
        for method in METHODS:
            node = item.get(method, {})
            base = f"/paths/{step(path)}/{method}"
            pointers = [f"{base}/parameters/{n}" for n in range(len(node.get("parameters", [])))]
            if node:
                pointers += [
                    f"/paths/{step(path)}/parameters/{n}" for n in range(len(item.get("parameters", [])))
                ]
            for pointer in pointers:
                place, parameter = document.follow(pointer)
                if parameter["in"] in ("header", "cookie"):
                    yield f"{parameter['in']} parameter {parameter['name']!r} at #{place} (not checked)"
                elif "content" in parameter or parameter.get("style", "form") not in ("form", "simple"):
                    yield f"serialisation of parameter {parameter['name']!r} at #{place}"
            body = document.follow(f"{base}/requestBody")[1] if "requestBody" in node else {}
            for media_type in body.get("content", {}):
                if media_type != JSON:
                    yield f"request media type {media_type} of {method.upper()} {path} (only {JSON} is read)"


def _schemas(node: Any, place: str) -> Iterator[str]:
    """Lines for all schemas below a node."""
    if isinstance(node, list):
        for n, item in enumerate(node):
            yield from _schemas(item, f"{place}/{n}")
    elif isinstance(node, dict):
        for key, value in node.items():
            here = f"{place}/{step(str(key))}"
            if key == "schema" and isinstance(value, dict | bool):
                yield from _keywords(value, here)
            elif place == "#/components" and key == "schemas":
                for name, schema in value.items():
                    yield from _keywords(schema, f"{here}/{step(name)}")
            elif key not in ("example", "examples"):
                yield from _schemas(value, here)


def _keywords(schema: Any, place: str) -> Iterator[str]:
    if not isinstance(schema, dict):
        return
    for keyword, value in schema.items():
        here = f"{place}/{step(keyword)}"
        if keyword == "format" and value not in _FORMATS:
            yield f"format {value!r} at {here}"
        elif keyword not in _CHECKED | _ANNOTATIONS and not keyword.startswith("x-"):
            yield f"keyword {keyword!r} at {here}"
        if keyword in _SUBSCHEMA:
            yield from _keywords(value, here)
        elif keyword in _SUBSCHEMA_LIST:
            for n, item in enumerate(value):
                yield from _keywords(item, f"{here}/{n}")
        elif keyword in _SUBSCHEMA_MAP:
            for name, item in value.items():
                yield from _keywords(item, f"{here}/{step(name)}")
