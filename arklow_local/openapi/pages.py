"""The vendor's pages as one document: joined, and with OpenAPI overlays laid over it.

A *place* is the way to a part of a document, as names in order; `pointer` writes it down (RFC 6901). What stands or falls
as a whole is a *unit*: an operation, a component, or a member of anything else.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import yaml

Document = dict[str, Any]
Place = tuple[str, ...]

WHOLE: Final = ("openapi.yaml", "openapi.yml", "openapi.json")
"""Names of a file that is the whole document."""
DESCRIBING: Final = frozenset({"info", "tags", "servers", "externalDocs"})
"""Members that say nothing of an operation: of pages that differ in them the first one counts."""

_FENCE: Final = re.compile(
    r"^(?P<fence>`{3,}|~{3,})[ \t]*(?:yaml|yml|json)\b[^\n]*\n(?P<block>.*?)^(?P=fence)[ \t]*$",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
_METHODS: Final = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})


class BadPages(Exception):
    """Pages or overlays that cannot be used; the message says what is wrong, where, and what would pass."""


@dataclass(frozen=True, slots=True)
class Page:
    """The OpenAPI document of one page."""

    name: str
    content: Document
    text: str = ""
    """The YAML or JSON that it was read from."""
    first_line: int = 1
    """The line of the page in which the text begins."""

    def where(self, place: Place) -> str:
        """The page with the line of a place in it, if that can be told."""
        line = _line(self.text, place)
        return self.name if line is None else f"{self.name} line {self.first_line + line}"


@dataclass(frozen=True, slots=True)
class Overlay:
    """An OpenAPI Overlay 1.0."""

    name: str
    actions: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Laid:
    """A document with overlays over it."""

    content: Document
    unmatched: tuple[tuple[str, str], ...] = ()
    """Overlay and target of each action that matches nothing."""
    left_out: tuple[str, ...] = ()
    """What of overlays that give way was left out, each as a sentence without its full stop."""


@dataclass(frozen=True, slots=True)
class Pages:
    """A directory of pages, and of the overlays of whoever keeps it."""

    name: str
    """The directory, and the names of its overlays."""
    joined: Document
    """The pages, nothing added."""
    overlays: tuple[Overlay, ...]

    def published(self, ours: Path) -> Document:
        """The pages with the overlays of the directory: what is judged by. `ours` is our own folder `spec`.

        Raises:
            BadPages: an overlay matches nothing, or what comes of it does not hold together.
        """
        if not self.overlays:
            return _whole(self.joined, self.name)
        laid = applied(self.joined, self.overlays)
        if laid.unmatched:  # what is meant for a part that our overlays add is for the mock
            self.promised(ours)
        return _whole(laid.content, self.name)

    def promised(self, ours: Path) -> Laid:
        """The same with our overlays below those of the directory, as far as the pages leave room: what is served.

        Raises:
            BadPages: as `published`.
        """
        today = read(ours / "upstream").joined
        below = spared(self.joined, read_overlays(ours / "overlays"), today)
        laid = applied(below.content, self.overlays)
        for overlay, target in laid.unmatched:
            raise BadPages(f"{overlay}: target {target} matches nothing: expected one that the pages have")
        return Laid(_whole(laid.content, self.name), left_out=below.left_out)


def read(directory: Path) -> Pages:
    """A directory of pages (`*.txt`, `*.md`) or of one whole document, with `overlays/*.overlay.yaml`.

    Raises:
        BadPages: it cannot be read, its pages disagree, or something in it is not what it should be.
    """
    try:
        files = sorted(file for file in directory.iterdir() if not file.name.startswith("."))
    except OSError as error:
        raise BadPages(f"{directory}: {error.strerror}: expected a directory of pages") from None
    pages = [file for file in files if file.suffix in (".txt", ".md")]
    whole = [file for file in files if file.name in WHOLE]
    if len(whole) > 1 or (whole and pages):
        names = ", ".join(file.name for file in [*whole, *pages][:3])
        raise BadPages(
            f"{directory}: expected either pages or one whole document, got {names}{'…' * (len(pages) > 2)}"
        )
    if not whole and not pages:
        raise BadPages(
            f"{directory}: expected pages (*.txt, *.md), or one whole document ({', '.join(WHOLE)}), got neither"
        )
    overlays = read_overlays(directory / "overlays") if (directory / "overlays").exists() else ()
    name = " + ".join([f"{directory.resolve().name}/", *(overlay.name for overlay in overlays)])
    joined = whole_document(whole[0]).content if whole else join([page(file) for file in pages])
    return Pages(name, joined, overlays)


def page(file: Path) -> Page:
    """A page as it is published: an OpenAPI document between fences.

    Raises:
        BadPages: there is none, or not one alone.
    """
    text = _text(file)
    blocks = list(_FENCE.finditer(text + "\n"))
    if len(blocks) != 1:
        raise BadPages(f"{file.name}: expected one fenced yaml or json block, found {len(blocks)}")
    block = blocks[0]
    return _openapi(file.name, block["block"], 1 + text.count("\n", 0, block.start("block")))


def whole_document(file: Path) -> Page:
    """A file that is an OpenAPI document.

    Raises:
        BadPages: it is none.
    """
    return _openapi(file.name, _text(file), 1)


def join(pages: Sequence[Page], *, describing: Collection[str] = DESCRIBING) -> Document:
    """One document out of several: maps are united, everything else must be equal, but for what describes.

    Raises:
        BadPages: two pages say different things; both places are named.
    """
    joined: Document = {}
    origin: dict[Place, Page] = {}

    def merge(into: Document, other: Document, page: Page, place: Place) -> None:
        for key, value in other.items():
            here = (*place, key)
            if key not in into:
                into[key] = copy.deepcopy(value)
                origin[here] = page
            elif isinstance(value, dict) and isinstance(into[key], dict) and is_above_units(here):
                merge(into[key], value, page, here)
            elif into[key] != value and key not in (describing if not place else ()):
                first = next(origin[here[:n]] for n in range(len(here), 0, -1) if here[:n] in origin)
                at = _first_difference(into[key], value, here)
                raise BadPages(
                    f"{pointer(at)} differs between {first.where(at)} and {page.where(at)}: "
                    "expected pages that say the same of it"
                )

    for one in pages:
        merge(joined, one.content, one, ())
    return joined


def read_overlays(directory: Path) -> tuple[Overlay, ...]:
    """The overlays of a directory, in the order of their names.

    Raises:
        BadPages: one is none, or a file has a name that no overlay has.
    """
    try:
        files = sorted(file for file in directory.iterdir() if file.suffix in (".yaml", ".yml", ".json"))
    except OSError as error:
        raise BadPages(f"{directory}: {error.strerror}: expected a directory of overlays") from None
    return tuple(map(_overlay, files))


def _overlay(file: Path) -> Overlay:
    if not file.name.endswith(".overlay.yaml"):
        raise BadPages(f"{file.name}: expected overlays to be called *.overlay.yaml")
    content = _value(file.name, _text(file), 1)
    if not isinstance(content, dict) or not str(content.get("overlay", "")).startswith("1."):
        raise BadPages(f"{file.name}: expected an OpenAPI Overlay 1.0 (members overlay, info and actions)")
    actions = content.get("actions")
    if not isinstance(actions, list) or not actions:
        raise BadPages(f"{file.name}: expected a list of actions that is not empty")
    for number, action in enumerate(actions):
        if not (
            isinstance(action, dict)
            and isinstance(action.get("target"), str)
            and ("update" in action or action.get("remove") is True)
        ):
            raise BadPages(
                f"{file.name}: expected action {number + 1} to have a target, and an update or remove: true"
            )
        _path(file.name, action["target"])
    return Overlay(file.name, tuple(actions))


def applied(document: Document, overlays: Iterable[Overlay]) -> Laid:
    """A document with overlays over it, action after action (OpenAPI Overlay 1.0, §4.4).

    Raises:
        BadPages: the root was to be removed.
    """
    result, unmatched = copy.deepcopy(document), []
    for overlay in overlays:
        for action in overlay.actions:
            path = _path(overlay.name, action["target"])
            found = _found(overlay.name, path, result)
            if not found:
                unmatched.append((overlay.name, action["target"]))
            elif action.get("remove") is True:
                if found[0].context is None:
                    raise BadPages(f"{overlay.name}: expected a target within the document to remove, got $")
                path.filter(lambda _: True, result)
            else:
                for match in found:
                    _update(result, match, action["update"])
    return Laid(result, tuple(unmatched))


def spared(document: Document, overlays: Iterable[Overlay], today: Document) -> Laid:
    """A document with overlays that give way to it: a unit that it has, or that no longer fits it, is left out.

    Components that an overlay refers to and the document has no more are those of `today`, for which it was written.
    """
    result, left_out = copy.deepcopy(document), []
    added: list[tuple[str, Place]] = []
    for overlay in overlays:
        for action in overlay.actions:
            found = _found(overlay.name, _path(overlay.name, action["target"]), result)
            if not found:
                left_out.append(f"{overlay.name}: target {action['target']} matches nothing")
            for match in found:
                for unit, value in _units(action.get("update"), _place(match)):
                    if _has(result, unit):
                        left_out.append(f"{overlay.name}: the pages have {pointer(unit)} themselves")
                    elif isinstance(_at(result, unit[:-1], make=True), dict):
                        _at(result, unit[:-1])[unit[-1]] = copy.deepcopy(value)
                        added.append((overlay.name, unit))
    for name, unit in added:
        for place in map(place_of, references(_at(result, unit))):
            known = _at(today, place)
            if place[0] == "components" and known is not None and _at(result, place) is None:
                _at(result, place[:-1], make=True)[place[-1]] = copy.deepcopy(known)
                added.append((name, place))
    fitting = list(added)
    while unfit := next(((name, unit, why) for name, unit in fitting if (why := _unfit(result, unit))), None):
        name, unit, why = unfit
        fitting.remove((name, unit))
        del _at(result, unit[:-1])[unit[-1]]
        left_out.append(f"{name}: {pointer(unit)} {why}")
    for path in {unit[1] for _, unit in added if unit[0] == "paths"} - document.get("paths", {}).keys():
        if not result["paths"][path].keys() & _METHODS:  # nothing is left that it would be the path of
            del result["paths"][path]
    return Laid(result, left_out=tuple(left_out))


def canonical(document: Mapping[str, Any]) -> bytes:
    """A document as text that only its content decides."""
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical text, in hexadecimal digits."""
    return hashlib.sha256(canonical(document)).hexdigest()


def written(document: Document) -> str:
    """A document as YAML without anchors, in the order of its source."""
    return yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, _data: object) -> bool:
        return True


def pointer(place: Place) -> str:
    """A place as a JSON pointer in a URI fragment, as references have it, but for percent signs."""
    return "#" + "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in place)


def place_of(reference: str) -> Place:
    """The place that a local reference such as `#/components/schemas/A` leads to."""
    return tuple(unquote(step).replace("~1", "/").replace("~0", "~") for step in reference[1:].split("/")[1:])


def references(node: Any) -> Iterator[str]:
    """Every `$ref` in a part of a document."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Path, method and content of each operation."""
    paths = document.get("paths")
    for path, item in (paths if isinstance(paths, dict) else {}).items():
        for method, operation in (item if isinstance(item, dict) else {}).items():
            if method in _METHODS and isinstance(operation, dict):
                yield path, method, operation


def _whole(document: Document, name: str) -> Document:
    """The document, if everything that it refers to is in it."""
    for reference in references(document):
        if not reference.startswith("#"):
            raise BadPages(f"{name}: expected references within the document alone, got {reference}")
        if reference.startswith("#/") and not _leads(document, reference):
            raise BadPages(
                f"{name}: expected {reference} to be there, as something refers to it; no page has it"
            )
    return document


def _openapi(name: str, text: str, first_line: int) -> Page:
    content = _value(name, text, first_line)
    version = content.get("openapi") if isinstance(content, dict) else None
    if not re.match(r"3\.1(\.|$)", str(version)):
        got = "no member 'openapi'" if version is None else f"openapi: {version}"
        raise BadPages(f"{name}: expected an OpenAPI 3.1 document, got {got}")
    for member in ("paths", "components"):
        if not isinstance(content.get(member, {}), dict):
            raise BadPages(f"{name}: expected {member} to be an object, got {type(content[member]).__name__}")
    return Page(name, content, text, first_line)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except OSError as error:
        raise BadPages(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BadPages(f"{file}: expected UTF-8, got another byte at {error.start}") from None


def _value(name: str, text: str, first_line: int) -> Any:
    try:
        return _as_json(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))  # noqa: S506 - both are safe
    except yaml.MarkedYAMLError as error:
        line = first_line + (error.problem_mark.line if error.problem_mark else 0)
        raise BadPages(f"{name} line {line}: expected YAML or JSON: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadPages(f"{name}: expected YAML or JSON: {' '.join(str(error).split())[:160]}") from None


def _as_json(node: Any) -> Any:
    """YAML as the JSON it stands for: names are strings, and so are dates."""
    if isinstance(node, dict):
        return {_as_json(str(name)): _as_json(value) for name, value in node.items()}
    if isinstance(node, list):
        return [_as_json(item) for item in node]
    if isinstance(node, str):
        node.encode()  # which half a surrogate pair cannot be
    if isinstance(node, date):
        return node.isoformat()
    if not isinstance(node, str | int | float | None) or (
        isinstance(node, float) and not math.isfinite(node)
    ):
        raise ValueError(f"{str(node)[:60]!r} is no value of JSON")
    return node


def _line(text: str, place: Place) -> int | None:
    """The line of a place in a YAML text, counted from 0; of what is above it when it is not there."""
    node, line = yaml.compose(text, Loader=yaml.SafeLoader) if text else None, None
    for step in place:
        if isinstance(node, yaml.SequenceNode):
            node = node.value[int(step)] if step.isdecimal() and int(step) < len(node.value) else None
            line = node.start_mark.line if node else line
            continue
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        key, node = next(((key, value) for key, value in pairs if key.value == step), (None, None))
        line = key.start_mark.line if key else line
    return line


def _first_difference(one: Any, other: Any, place: Place) -> Place:
    """The deepest place at which both have something, and something else."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        key = next(key for key in one if one[key] != other[key])
        return _first_difference(one[key], other[key], (*place, key))
    return place


def is_above_units(place: Place) -> bool:
    """Whether what is at a place is a map of units, or of such maps."""
    return len(place) < 3 and place[0] in ("paths", "components")


def _units(value: Any, place: Place) -> Iterator[tuple[Place, Any]]:
    """The units of what is to be laid over a place."""
    for key, member in value.items() if isinstance(value, dict) else ():
        here = (*place, key)
        if isinstance(member, dict) and is_above_units(here):
            yield from _units(member, here)
        else:
            yield here, member


def _has(document: Document, unit: Place) -> bool:
    """Whether a document has a unit, under whatever names of parameters in its path."""
    if unit[0] != "paths" or len(unit) < 2:
        return _at(document, unit) is not None
    same = [path for path in document.get("paths", {}) if _nameless(path) == _nameless(unit[1])]
    # a path with other names of parameters is the same path, so nothing may be added beside it
    return any(path != unit[1] or _at(document, unit) is not None for path in same)


def _nameless(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def _unfit(document: Document, unit: Place) -> str | None:
    """Why a unit that was added no longer fits the document; None when it does."""
    value = _at(document, unit)
    for reference in references(value):
        if not _leads(document, reference):
            return f"refers to {reference}, which the pages have no more"
    named: dict[str, list[Place]] = {}
    for path, method, operation in operations(document):
        if "operationId" in operation:
            named.setdefault(str(operation["operationId"]), []).append(("paths", path, method))
    for name in _linked(value):
        if name not in named:
            return f"leads to {name}, which the pages have no more"
    if (
        isinstance(value, dict)
        and len(named.get(str(value.get("operationId")), [unit])) > 1
        and len(unit) == 3
    ):
        return f"has the operationId {value['operationId']}, which another operation has"
    return None


def _linked(node: Any) -> Iterator[str]:
    """The ids of the operations that links in a part of a document lead to."""
    if isinstance(node, dict):
        if "operationId" in node and "responses" not in node:
            yield str(node["operationId"])
        for value in node.values():
            yield from _linked(value)


def _leads(document: Document, reference: str) -> bool:
    return _at(document, place_of(reference)) is not None


def _at(document: Any, place: Place, *, make: bool = False) -> Any:
    """What is at a place; None where nothing is. Maps on the way are made if that is asked for."""
    node = document
    for step in place:
        if isinstance(node, dict):
            node = node.setdefault(step, {}) if make else node.get(step)
        elif isinstance(node, list) and step.isdecimal() and int(step) < len(node):
            node = node[int(step)]
        else:
            return None
    return node


def _path(name: str, target: str) -> Any:
    """A JSONPath, ready to be used."""
    from jsonpath_ng.exceptions import JSONPathError  # a third of a second, which nobody else has to wait for
    from jsonpath_ng.ext.parser import parse

    try:
        return parse(target)
    except (JSONPathError, ValueError, AttributeError) as error:
        said = " ".join(str(error).split())[:120]
        raise BadPages(f"{name}: expected a JSONPath as target, got {target[:80]!r}: {said}") from None


def _found(name: str, path: Any, document: Document) -> list[Any]:
    """The matches of a JSONPath."""
    try:
        return list(path.find(document))
    except (AttributeError, LookupError, TypeError, ValueError, re.error) as error:
        raise BadPages(f"{name}: target {path} cannot be looked for: {error}") from None


def _place(match: Any) -> Place:
    """Where a match of a JSONPath is."""
    steps: list[str] = []
    while match.context is not None:
        steps.insert(0, str(getattr(match.path, "fields", getattr(match.path, "indices", ("",)))[0]))
        match = match.context
    return tuple(steps)


def _update(document: Document, match: Any, update: Any) -> None:
    """What an update makes of one match: objects are merged, lists get longer, other values are replaced."""
    if isinstance(match.value, dict) and isinstance(update, dict):
        _merge(match.value, update)
    elif isinstance(match.value, list):
        match.value.extend(copy.deepcopy(update if isinstance(update, list) else [update]))
    elif match.context is not None:
        match.full_path.update(document, copy.deepcopy(update))


def _merge(into: Document, update: Mapping[str, Any]) -> None:
    for key, value in update.items():
        there = into.get(key)
        if isinstance(there, dict) and isinstance(value, dict):
            _merge(there, value)
        elif isinstance(there, list) and isinstance(value, list):
            there.extend(copy.deepcopy(value))
        else:
            into[key] = copy.deepcopy(value)


__all__ = [
    "DESCRIBING",
    "BadPages",
    "Document",
    "Laid",
    "Overlay",
    "Page",
    "Pages",
    "Place",
    "applied",
    "canonical",
    "digest",
    "is_above_units",
    "join",
    "operations",
    "page",
    "place_of",
    "pointer",
    "read",
    "read_overlays",
    "references",
    "spared",
    "written",
]
