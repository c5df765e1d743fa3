"""YAML read within bounds: text → the JSON value that it stands for, with the line of each member.

Two dialects share one builder and its bounds in size, depth and aliases:

- `Dialect.CORE` is for files of our own making: seeds, interpretations, baselines. It takes YAML 1.2's core schema without its
  other ways to write a number. A plain `yes`, `2026-01-01` or `12:30` is a string. What readers of YAML read in different
  ways is refused: `012`, `0x1F`, `.inf`, a member that stands twice, merge keys (`<<`).
- `Dialect.DOCUMENT` is for OpenAPI documents and overlays, which others write. It takes YAML 1.2's core schema whole, as OpenAPI
  3.1 recommends: `010` is 10, `0x1F` is 31, and a plain `yes`, `12:30` or `2026-01-01` is a string, so that no member means
  another thing than it says. What tools accept beyond that passes too: merge keys are merged, and of members that stand twice
  the last one counts. Names of members are as they are spelled: `200` and `on` are "200" and "on".
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from typing import Any, Final, NamedTuple

import yaml

from .excerpts import abridged_pointer, excerpt
from .files import MAX_MIB
from .strict_json import MAX_DIGITS

MAX_BYTES: Final = MAX_MIB << 20
"""Bytes of a text: those that a file may have."""
MAX_DEPTH: Final = 520
"""Levels: those that a body may have, and 20 above it for where a payload stands in a seed file."""
MAX_VALUES: Final = 4_000_000
"""Values and members in a file, those that an alias repeats counted each time: about a gigabyte of memory."""


class Dialect(Enum):
    """How plain scalars, doubled members and merge keys are read; the docstring of the module says what each dialect takes."""

    CORE = auto()
    DOCUMENT = auto()


class YamlRefused(ValueError):
    """The text cannot be used; the message says where, what was expected and what came."""

    def __init__(self, where: str, text: str, problem: str = "") -> None:
        super().__init__(f"{where}: {text}")
        self.where = where
        """Name of the text, with line and place as far as they are known."""
        self.problem = problem
        """What the parser says of a text that is no YAML; empty when it is YAML."""


class Node(NamedTuple):
    """A value with the line where it stands, and the same of what it holds."""

    value: Any
    line: int
    below: dict[str, Node] | list[Node] | None
    size: int
    """Values in it, itself included."""
    depth: int
    """Levels of it; 1 for a scalar."""


class Source:
    """A text that was read: its value, and the line of each member."""

    def __init__(self, name: str, root: Node) -> None:
        self.name = name
        self.value = root.value
        self._root = root

    def line(self, steps: Sequence[str]) -> int:
        """Find the line, counted from 1, of what is reached by these steps, or of the last that there is."""
        node = self._root
        for step in steps:
            found: Node | None = None
            if isinstance(node.below, dict):
                found = node.below.get(step)
            elif isinstance(node.below, list) and step.isdecimal() and int(step) < len(node.below):
                found = node.below[int(step)]
            if found is None:
                break
            node = found
        return node.line

    def where(self, place: str) -> str:
        """Say where `place` is, a JSON pointer without its first slash: name of the text, line and place, for a message."""
        steps = [step.replace("~1", "/").replace("~0", "~") for step in place.split("/") if step]
        return f"{self.name} line {self.line(steps)}{f', {place}' if place else ''}"


def read(data: bytes | str, name: str, *, dialect: Dialect = Dialect.CORE, first_line: int = 1) -> Source:
    """Read the value that a text spells; messages call it `name` and count its lines from `first_line`.

    An empty text is null.

    Raises:
        YamlRefused: it is too large, not UTF-8, not one YAML document, or has what JSON cannot hold.
    """
    if len(data) > MAX_BYTES:
        raise YamlRefused(name, f"expected at most {MAX_BYTES} bytes, got more")
    text = data if isinstance(data, str) else _decoded(data, name, dialect)
    builder = (_Builder if dialect is Dialect.CORE else _DocumentBuilder)(name, first_line)
    try:
        return Source(name, builder.root(yaml.parse(text, Loader=_LOADER)))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        where = f"{name} line {mark.line + first_line}" if mark else name
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
        problem = excerpt(problem, 120)
        raise YamlRefused(where, f"expected YAML, got what is none ({problem})", problem) from None


def _decoded(data: bytes, name: str, dialect: Dialect) -> str:
    if dialect is Dialect.DOCUMENT and data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        got = f"byte 0x{data[error.start]:02x} at offset {error.start}"
        raise YamlRefused(f"{name} line {line}", f"expected UTF-8, got {got}") from None


_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CORE: Final = "tag:yaml.org,2002:"


class _Open:
    """A list or an object that is being read."""

    __slots__ = ("anchor", "known", "line", "name_is_next", "names", "nodes")

    def __init__(self, line: int, anchor: str | None, names: list[tuple[str, int]] | None) -> None:
        self.line = line
        self.anchor = anchor
        self.names = names
        """Of an object, its members so far with their lines; None for a list."""
        self.known: set[str] = set()
        self.nodes: list[Node] = []
        self.name_is_next = names is not None


class _Builder:
    """Puts the events of the parser together, without recursion; takes `Dialect.CORE`."""

    def __init__(self, name: str, first_line: int) -> None:
        self._name = name
        self._first_line = first_line
        self._stack: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}
        """What each anchor stands for; None while that is being read."""
        self._aliased_values = 0

    def root(self, events: Iterator[Any]) -> Node:
        """Build the one value of a text."""
        found = Node(None, 1, None, 1, 1)
        documents = 0
        for event in events:
            line = event.start_mark.line + self._first_line
            if isinstance(event, yaml.ScalarEvent):
                if self._stack and self._stack[-1].name_is_next:
                    self._name_member(event, line)
                    continue
                node = Node(self._scalar(event, line), line, None, 1, 1)
                if event.anchor:
                    self._anchors[event.anchor] = node
            elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                self._begin(event, line)
                continue
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                node = self._end()
            elif isinstance(event, yaml.AliasEvent):
                node = self._alias(event, line)
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._refusal(line, "expected one document, got another")
                continue
            else:
                continue
            if self._stack:
                self._stack[-1].nodes.append(node)
                self._stack[-1].name_is_next = self._stack[-1].names is not None
            else:
                found = node
        return found

    def _begin(self, event: Any, line: int) -> None:
        if self._stack and self._stack[-1].name_is_next:
            raise self._refusal(line, "expected the name of a member, got a list or an object")
        if len(self._stack) >= MAX_DEPTH:
            raise self._refusal(line, f"expected at most {MAX_DEPTH} levels of nesting, got more")
        mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", _CORE + ("map" if mapping else "seq")):
            raise self._refusal(line, f"expected what JSON can hold, got the tag {excerpt(event.tag)}")
        if event.anchor:
            self._anchors[event.anchor] = None
        self._stack.append(_Open(line, event.anchor, [] if mapping else None))

    def _end(self) -> Node:
        done = self._stack.pop()
        size = 1 + sum([node.size for node in done.nodes])
        depth = 1 + max([node.depth for node in done.nodes], default=0)
        node: Node
        if done.names is None:
            node = Node([below.value for below in done.nodes], done.line, done.nodes, size, depth)
        else:
            members = self._members(done.names, done.nodes)
            value = {name: below.value for name, below in members.items()}
            node = Node(value, done.line, members, size, depth)
        if size > MAX_VALUES:
            raise self._refusal(done.line, f"expected at most {MAX_VALUES} values, got more")
        if done.anchor:
            self._anchors[done.anchor] = node
        return node

    def _members(self, names: list[tuple[str, int]], nodes: list[Node]) -> dict[str, Node]:
        return {name: below._replace(line=line) for (name, line), below in zip(names, nodes, strict=True)}

    def _alias(self, event: Any, line: int) -> Node:
        if self._stack and self._stack[-1].name_is_next:
            raise self._refusal(line, "expected the name of a member, got an alias")
        node = self._anchors.get(event.anchor)
        if node is None:
            raise self._refusal(
                line, f"expected an anchor that stands before and is complete, got *{excerpt(event.anchor)}"
            )
        if len(self._stack) + node.depth > MAX_DEPTH:
            raise self._refusal(line, f"expected at most {MAX_DEPTH} levels of nesting, got more")
        self._aliased_values += node.size
        if self._aliased_values > MAX_VALUES:
            raise self._refusal(line, f"expected at most {MAX_VALUES} values, got more")
        return node._replace(line=line)

    def _name_member(self, event: Any, line: int) -> None:
        name = event.value
        top = self._stack[-1]
        assert top.names is not None
        if event.implicit[0] and name == "<<":
            name = self._merge_key(line)
        if event.tag not in (None, "!", _CORE + "str"):
            raise self._refusal(line, f"expected the name of a member, got the tag {excerpt(event.tag)}")
        if name in top.known:
            self._doubled(name, line)
        top.known.add(name)
        top.names.append((name, line))
        top.name_is_next = False

    def _merge_key(self, line: int) -> str:
        raise self._refusal(line, "expected the name of a member, got <<: merge keys are no part of YAML 1.2")

    def _doubled(self, name: str, line: int) -> None:
        raise self._refusal(line, f"expected each member once, got {excerpt(name, 60)!r} twice")

    def _scalar(self, event: Any, line: int) -> Any:
        text: str = event.value
        kind = (event.tag or "").removeprefix(_CORE)
        if kind not in ("", "!", "str", "int", "float", "bool", "null"):
            raise self._refusal(line, f"expected what JSON can hold, got the tag {excerpt(event.tag)}")
        if kind in ("!", "str") or (not kind and not event.implicit[0]):
            return text
        if text in _WORDS:
            return _WORDS[text]
        number = _NUMBER.fullmatch(text)
        if number:
            return self._number(text, line, whole=not (number[1] or number[2]))
        if kind or _ALMOST_NUMBER.fullmatch(text):
            raise self._refusal(
                line, f"expected a number as JSON writes it, or quotes around it, got {excerpt(text)}"
            )
        return text

    def _number(self, text: str, line: int, *, whole: bool) -> float:
        if whole and len(text) > MAX_DIGITS:
            raise self._refusal(line, f"expected at most {MAX_DIGITS} digits, got {len(text)}")
        number = int(text) if whole else float(text)
        if number in (float("inf"), float("-inf")):
            raise self._refusal(line, f"expected a number within a double's range, got {excerpt(text)}")
        return number

    def _refusal(self, line: int, text: str) -> YamlRefused:
        steps = [
            str(len(level.nodes)) if level.names is None else level.names[-1][0]
            for level in self._stack
            if level.names is None or level.names
        ]
        place = f", {abridged_pointer('', steps)[1:]}" if steps else ""
        return YamlRefused(f"{self._name} line {line}{place}", text)


_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_ALMOST_NUMBER: Final = re.compile(
    r"[-+]?(?:[0-9][0-9_]*(\.[0-9_]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
"""What some reader of YAML takes for a number, and another for another number or a text."""
_WORDS: Final = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}


# Documents of others


class _MergeKey(str):
    """A plain `<<`, which is not the name of a member."""

    __slots__ = ()


class _DocumentBuilder(_Builder):
    """Takes `Dialect.DOCUMENT`."""

    def _merge_key(self, line: int) -> str:
        return _MergeKey("<<")

    def _doubled(self, name: str, line: int) -> None:
        """Let the last one count."""

    def _members(self, names: list[tuple[str, int]], nodes: list[Node]) -> dict[str, Node]:
        """Let own members win over merged ones, and of several merged objects the first one."""
        merged: dict[str, Node] = {}
        own: dict[str, Node] = {}
        for (name, line), below in zip(names, nodes, strict=True):
            if isinstance(name, _MergeKey):
                for one in reversed(below.below if isinstance(below.below, list) else [below]):
                    merged |= self._merged(one, line)
            else:
                own[name] = below._replace(line=line)
        return merged | own

    def _merged(self, node: Node, line: int) -> dict[str, Node]:
        if not isinstance(node.below, dict):
            raise self._refusal(line, "expected an object or a list of objects after <<, got another value")
        return {name: below._replace(value=_copied(below.value)) for name, below in node.below.items()}

    def _alias(self, event: Any, line: int) -> Node:
        """Give each place a value of its own, as overlays change documents in place."""
        node = super()._alias(event, line)
        return node._replace(value=_copied(node.value))

    def _scalar(self, event: Any, line: int) -> Any:
        text: str = event.value
        kind = (event.tag or "").removeprefix(_CORE)
        if kind in ("!", "str", "timestamp") or (not kind and not event.implicit[0]):
            return text
        if kind not in _KINDS:
            raise self._refusal(line, f"expected what JSON can hold, got the tag {excerpt(event.tag)}")
        value = self._plain(text, line)
        if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, _KINDS[kind]) or (kind == "int" and isinstance(value, bool)):
            raise self._refusal(line, f"expected a value of the type {kind}, got {excerpt(text)}")
        return value

    def _plain(self, text: str, line: int) -> Any:
        """Return what a plain scalar is in YAML 1.2's core schema."""
        if text in _WORDS:
            return _WORDS[text]
        if decimal := _CORE_NUMBER.fullmatch(text):
            return self._number(text, line, whole=not any(decimal.groups()))
        if based := _BASED.fullmatch(text):
            digits, base = (based[1], 8) if based[1] else (based[2], 16)
            if len(digits) > MAX_DIGITS:
                raise self._refusal(line, f"expected at most {MAX_DIGITS} digits, got {len(digits)}")
            return int(digits, base)
        if _NO_JSON.fullmatch(text):
            raise self._refusal(line, f"expected a value of JSON, got {excerpt(text)}")
        return text


_KINDS: Final[dict[str, type | tuple[type, ...]]] = {
    "": object,
    "int": int,
    "float": float,
    "bool": bool,
    "null": type(None),
}
"""Tag of a scalar, without the part that all of YAML's own have → the types that its value may have."""
_CORE_NUMBER: Final = re.compile(r"[-+]?(?:(\.[0-9]+)|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BASED: Final = re.compile(r"0o([0-7]+)|0x([0-9a-fA-F]+)")
_NO_JSON: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


def _copied(value: Any) -> Any:
    """Copy lists and objects without recursion, as they may be deeper than Python's stack."""
    if not isinstance(value, dict | list):
        return value
    root = value.copy()
    pending: list[Any] = [root]
    while pending:
        container = pending.pop()
        for key, below in container.items() if isinstance(container, dict) else enumerate(container):
            if isinstance(below, dict | list):
                container[key] = below.copy()
                pending.append(container[key])
    return root


__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_VALUES", "Dialect", "Source", "YamlRefused", "read"]
