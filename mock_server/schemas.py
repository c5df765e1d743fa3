"""The one door to jsonschema-rs: compiles schemas, says where a value breaks one, and estimates what a check may cost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from jsonschema_rs import Draft202012Validator, RegexOptions, Registry, ValidationError, ValidationErrorKind

from arklow_local.formats.excerpts import abridged_pointer, excerpt

from . import fast_json

Validator = Draft202012Validator

HEAVY: Final = 10**9
"""The weight of a schema whose cost has no plain bound: recursion, remote references, unevaluated members."""

_BOUNDS: Final = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
"""`format` of an integer → its least and its largest value."""
_PATTERNS: Final = RegexOptions(size_limit=1 << 20, dfa_size_limit=1 << 20)
"""Patterns that run in linear time, in one MiB each; jsonschema-rs refuses others."""
_LARGE_CLASS: Final = re.compile(r"\\[pPwWdDsS]|\(\?[a-z]*i")
"""What stands for thousands of characters in a pattern, and costs far more than its length."""
_LARGE_CLASS_FACTOR: Final = 50
"""How much heavier a pattern with such a class is."""
_MASKED_MEMBER: Final = "credential"
"""The member whose value no message may show."""
_REPETITION: Final = re.compile(r"\{(\d+)?,?(\d+)?\}")
_LONGEST_CHAIN: Final = 50
"""References that may lead from one to the next; a longer chain weighs as much as recursion."""


class Unusable(Exception):
    """A value is no JSON Schema that can be enforced; the text says why."""


class Compiled(NamedTuple):
    """A definition's schema, ready to check payloads."""

    validator: Validator
    linear: bool
    """Whether all its patterns run in linear time, as those without look-around and back references do."""


def without_annotations(schema: Any) -> Any:
    """Return a copy of a schema without annotations (JSON Schema, validation §9).

    It is made without recursion, as a schema may be deeper than Python's stack.
    """
    root = [schema]
    pending: list[tuple[Any, Any, bool]] = [(root, 0, False)]
    """A container that was copied, a key of it whose value was not, and whether that value's keys are chosen names."""
    while pending:
        container, key, has_chosen_names = pending.pop()
        value = container[key]
        if isinstance(value, list):
            container[key] = copy = list(value)
            pending += [(copy, position, False) for position in range(len(copy))]
        elif isinstance(value, dict):
            container[key] = members = {
                name: member
                for name, member in value.items()
                if has_chosen_names or not (name in _ANNOTATIONS or name.startswith("x-"))
            }
            pending += [
                (members, name, not has_chosen_names and name in _NAMING)
                for name in members
                if has_chosen_names or name not in ("const", "enum")
            ]
    return root[0]


_NAMING: Final = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})
"""Keywords whose members have names that the author of the schema chooses."""
_ANNOTATIONS: Final = frozenset(
    {"$comment", "default", "deprecated", "description", "examples", "readOnly", "title", "writeOnly"}
)


def compile_schema(schema: Any) -> Compiled:
    """Compile a definition's schema, which has to be an object and a valid 2020-12 schema. Fetches nothing.

    Raises:
        Unusable: the schema is something else.
    """
    if not isinstance(schema, dict):
        raise Unusable("it is not a JSON object")
    try:
        try:
            return Compiled(Validator(schema, offline=True, pattern_options=_PATTERNS), linear=True)
        except ValidationError as error:
            if not isinstance(error.kind, ValidationErrorKind.Format):
                raise
            return Compiled(Validator(schema, offline=True), linear=False)
    except ValidationError as error:
        at, message = abridged_pointer("schema", error.instance_path), error.message
    except ValueError as error:
        at, message = "schema", str(error)
    raise Unusable(f"it is not a valid 2020-12 schema ({at}: {excerpt(message, 120)})")


class DocumentSchemas:
    """The schemas of one OpenAPI 3.1 document, to be compiled by their place in it.

    `format` is enforced, that of an integer as bounds.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._registry = Registry([("urn:document", _with_bounds(document))])

    def at(self, pointer: str) -> Validator:
        """Compile the schema at a JSON pointer such as `/components/schemas/Order`."""
        fragment = pointer.replace("%", "%25").replace("{", "%7B").replace("}", "%7D").replace(" ", "%20")
        return Validator(
            {"$ref": f"urn:document#{fragment}"}, registry=self._registry, validate_formats=True, offline=True
        )


def _with_bounds(node: Any) -> Any:
    """A copy in which an integer's `format` also stands as `allOf: [{minimum, maximum}]`."""
    if isinstance(node, list):
        return [_with_bounds(item) for item in node]
    if not isinstance(node, dict):
        return node
    copied = {key: _with_bounds(value) for key, value in node.items()}
    if node.get("type") == "integer" and node.get("format") in _BOUNDS:
        low, high = _BOUNDS[node["format"]]
        copied["allOf"] = [*copied.get("allOf", []), {"minimum": low, "maximum": high}]
    return copied


class Breach(NamedTuple):
    """The first place where a value breaks its schema."""

    path: tuple[str | int, ...]
    """Names and indices that lead from the value to the place."""
    text: str
    """What was expected there, and what came."""


def breach(validator: Validator, value: Any) -> Breach | None:
    """Return the first place where `value` breaks the schema, None when it fits."""
    if validator.is_valid(value):
        return None
    try:
        validator.validate(value)
    except ValidationError as error:
        path, text = tuple(error.instance_path), fast_json.dump(error.instance)
        is_secret = _MASKED_MEMBER in path or b'"%s"' % _MASKED_MEMBER.encode() in text
        got = f"a value with a {_MASKED_MEMBER}" if is_secret else excerpt(text.decode("utf-8"), 60)
        return Breach(path, f"expected {_expected(error)}, got {got}")
    except ValueError as error:
        reason = excerpt(str(error))
        return Breach((), f"expected what its schema asks for; where it is not so cannot be shown ({reason})")
    raise AssertionError("a value is invalid and valid at once")


def mismatch(validator: Validator, value: Any, root: str) -> str | None:
    """Return a line that says where `value` breaks the schema, what was expected and what came; None when it fits.

    `root` is the name of the value itself, such as `body` or `body/payload`.
    """
    found = breach(validator, value)
    return None if found is None else f"{abridged_pointer(root, found.path)}: {found.text}"


def _expected(error: ValidationError) -> str:
    kinds = ValidationErrorKind
    match error.kind:
        case kinds.Type(types=types):
            return " or ".join(types)
        case kinds.Required(property=name):
            return f"a member {excerpt(name, 60)!r}"
        case kinds.Minimum(limit=limit):
            return f"a number from {limit}"
        case kinds.Maximum(limit=limit):
            return f"a number up to {limit}"
        case kinds.MinLength(limit=limit):
            return f"at least {limit} characters"
        case kinds.AdditionalProperties(unexpected=names):
            return f"no member {excerpt(names[0], 60)!r}"
        case kinds.MinItems(limit=limit) | kinds.MinProperties(limit=limit):
            return f"at least {limit} of them"
        case kinds.MaxItems(limit=limit) | kinds.MaxProperties(limit=limit):
            return f"at most {limit} of them"
        case kinds.Format(format=name):
            return f"a {name}"
        case kinds.Pattern(pattern=pattern):
            return f"a string that matches {excerpt(pattern, 60)}"
        case kinds.Enum(options=options):
            return "one of " + excerpt(", ".join(fast_json.dump(o).decode("utf-8") for o in options), 160)
        case _:
            return (
                f"what the keyword {error.kind.name} asks for at {abridged_pointer('#', error.schema_path)}"
            )


def weight(schema: Any) -> int:
    """Return the number of schema nodes that one node of a payload can meet at most, `HEAVY` when that has no plain bound.

    A reference counts each time it is reached, a pattern as its length times its counted repetitions. Times the length of
    the payload this bounds the work of a check.
    """
    measured: dict[str, int] = {}

    def of(node: Any, above: tuple[str, ...]) -> int:
        if isinstance(node, dict):
            total = 1
            for keyword, value in node.items():
                if keyword == "$ref":
                    total += target(value, above)
                elif keyword in (
                    "$dynamicRef",
                    "$recursiveRef",
                    "$id",
                    "unevaluatedItems",
                    "unevaluatedProperties",
                ):
                    return HEAVY
                elif keyword == "pattern" and isinstance(value, str):
                    total += _pattern_weight(value)
                elif keyword == "patternProperties" and isinstance(value, dict):
                    total += sum(map(_pattern_weight, value)) + of(value, above)
                else:
                    total += of(value, above)
                if total >= HEAVY:
                    return HEAVY
            return total
        if isinstance(node, list):
            return min(HEAVY, 1 + sum(of(item, above) for item in node))
        return 1

    def target(reference: Any, above: tuple[str, ...]) -> int:
        if not isinstance(reference, str) or reference in above or len(above) > _LONGEST_CHAIN:
            return HEAVY
        if reference not in measured:
            found = _resolve(schema, reference)
            measured[reference] = HEAVY if found is None else of(found, (*above, reference))
        return measured[reference]

    try:
        return of(schema, ())
    except RecursionError:
        return HEAVY


def _resolve(root: Any, reference: str) -> Any:
    """The node at a `#/…` pointer, None where there is none."""
    if not reference.startswith("#/") or "%" in reference:
        return None
    node = root
    for step in reference[2:].split("/"):
        step = step.replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict):
            node = node.get(step)
        elif isinstance(node, list) and step.isdecimal() and int(step) < len(node):
            node = node[int(step)]
        else:
            return None
    return node


def _pattern_weight(pattern: str) -> int:
    total = (len(pattern) + 1) * (_LARGE_CLASS_FACTOR if _LARGE_CLASS.search(pattern) else 1)
    for low, high in _REPETITION.findall(pattern):
        total *= int((high or low or "1")[:6]) + 1
        if total > HEAVY:
            return HEAVY
    return total


__all__ = [
    "HEAVY",
    "Breach",
    "DocumentSchemas",
    "Unusable",
    "Validator",
    "breach",
    "compile_schema",
    "mismatch",
    "weight",
    "without_annotations",
]
