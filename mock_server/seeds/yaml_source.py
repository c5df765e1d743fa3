"""The one door to YAML for seed files: text → JSON value with the line of each member, and back.

Read is what JSON has (YAML 1.2's core schema without its other ways to write a number): a plain `yes`, `2026-01-01` or
`12:30` is a string, and a number that readers of YAML read in different ways is refused. Written is block style in the
order of the value, the same for the same value.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import yaml

from ..domain.seeds import SeedRefused
from ..strict_json import MAX_DIGITS, excerpt, place

MAX_BYTES: Final = 64 << 20
MAX_DEPTH: Final = 520
"""Levels: what a body may have, and where a payload stands."""
MAX_VALUES: Final = 4_000_000
"""Values and members in a file, those that an alias repeats counted each time."""

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_ALMOST: Final = re.compile(
    r"[-+]?(?:[0-9][0-9_]*(\.[0-9_]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_WORDS: Final = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}
_CORE: Final = "tag:yaml.org,2002:"


class Node(NamedTuple):
    """A value with the line where it stands, and the same of what it holds."""

    value: Any
    line: int
    below: dict[str, Node] | list[Node] | None
    size: int
    depth: int


class BadSeed(Exception):
    """The file cannot be used; the message says where, what was expected and what came."""


class Source:
    """A seed file that was read."""

    def __init__(self, name: str, root: Node) -> None:
        self._name = name
        self._root = root
        self.value = root.value

    def line(self, steps: Sequence[str]) -> int:
        """The line of what is reached by these steps, or of the last one there is."""
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

    def bad(self, refused: SeedRefused) -> BadSeed:
        """The refusal with the line of its place, a JSON pointer without its first slash."""
        steps = [step.replace("~1", "/").replace("~0", "~") for step in refused.place.split("/") if step]
        where = f", {refused.place}" if refused.place else ""
        return BadSeed(f"{self._name} line {self.line(steps)}{where}: {refused.text}")


def read(data: bytes, name: str) -> Source:
    """The value that a file spells.

    Raises:
        BadSeed: it is too large, not UTF-8, not one YAML document, or nothing that JSON could hold.
    """
    if len(data) > MAX_BYTES:
        raise BadSeed(f"{name}: expected at most {MAX_BYTES} bytes, got more")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadSeed(
            f"{name} line {line}: expected UTF-8, got byte 0x{data[error.start]:02x} at offset {error.start}"
        ) from None
    try:
        return Source(name, _Builder(name).root(yaml.parse(text, Loader=_LOADER)))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
        raise BadSeed(f"{name}{where}: expected YAML, got what is none ({excerpt(problem, 120)})") from None


class _Open:
    """A list or an object that is being read."""

    __slots__ = ("anchor", "key", "known", "line", "names", "nodes")

    def __init__(self, line: int, anchor: str | None, names: list[tuple[str, int]] | None) -> None:
        self.line = line
        self.anchor = anchor
        self.names = names
        """Of an object, its members so far with their lines; None for a list."""
        self.known: set[str] = set()
        self.nodes: list[Node] = []
        self.key = names is not None
        """Whether a member's name comes next."""


class _Builder:
    """Puts the events of the parser together, without recursion."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._stack: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}
        self._values = 0

    def root(self, events: Iterator[Any]) -> Node:
        """The one value of a text."""
        found: Node | None = None
        documents = 0
        for event in events:
            node: Node | None = None
            line = event.start_mark.line + 1
            if isinstance(event, yaml.ScalarEvent):
                if self._stack and self._stack[-1].key:
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
                    raise self._bad(line, "expected one document, got another")
                continue
            else:
                continue
            if self._stack:
                self._stack[-1].nodes.append(node)
                self._stack[-1].key = self._stack[-1].names is not None
            else:
                found = node
        return Node({}, 1, {}, 1, 1) if found is None or found.value is None else found

    def _begin(self, event: Any, line: int) -> None:
        if self._stack and self._stack[-1].key:
            raise self._bad(line, "expected the name of a member, got a list or an object")
        if len(self._stack) >= MAX_DEPTH:
            raise self._bad(line, f"expected at most {MAX_DEPTH} levels of nesting, got more")
        mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", _CORE + ("map" if mapping else "seq")):
            raise self._bad(line, f"expected what JSON can hold, got the tag {excerpt(event.tag)}")
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
            members = {
                name: below._replace(line=line)
                for (name, line), below in zip(done.names, done.nodes, strict=True)
            }
            value = {name: below.value for name, below in members.items()}
            node = Node(value, done.line, members, size, depth)
        if size > MAX_VALUES:
            raise self._bad(done.line, f"expected at most {MAX_VALUES} values, got more")
        if done.anchor:
            self._anchors[done.anchor] = node
        return node

    def _alias(self, event: Any, line: int) -> Node:
        if self._stack and self._stack[-1].key:
            raise self._bad(line, "expected the name of a member, got an alias")
        node = self._anchors.get(event.anchor)
        if node is None:
            raise self._bad(
                line, f"expected an anchor that stands before and is complete, got *{excerpt(event.anchor)}"
            )
        if len(self._stack) + node.depth > MAX_DEPTH:
            raise self._bad(line, f"expected at most {MAX_DEPTH} levels of nesting, got more")
        self._values += node.size
        if self._values > MAX_VALUES:
            raise self._bad(line, f"expected at most {MAX_VALUES} values, got more")
        return node._replace(line=line)

    def _name_member(self, event: Any, line: int) -> None:
        name = event.value
        top = self._stack[-1]
        assert top.names is not None
        if event.implicit[0] and name == "<<":
            raise self._bad(line, "expected the name of a member, got <<: merge keys are no part of YAML 1.2")
        if event.tag not in (None, "!", _CORE + "str"):
            raise self._bad(line, f"expected the name of a member, got the tag {excerpt(event.tag)}")
        if name in top.known:
            raise self._bad(line, f"expected each member once, got {excerpt(name, 60)!r} twice")
        top.known.add(name)
        top.names.append((name, line))
        top.key = False

    def _scalar(self, event: Any, line: int) -> Any:
        text: str = event.value
        kind = (event.tag or "").removeprefix(_CORE)
        if kind not in ("", "!", "str", "int", "float", "bool", "null"):
            raise self._bad(line, f"expected what JSON can hold, got the tag {excerpt(event.tag)}")
        if kind in ("!", "str") or (not kind and not event.implicit[0]):
            return text
        if text in _WORDS:
            return _WORDS[text]
        number = _NUMBER.fullmatch(text)
        if number:
            return self._number(text, line, whole=not (number[1] or number[2]))
        if kind or _ALMOST.fullmatch(text):
            raise self._bad(
                line, f"expected a number as JSON writes it, or quotes around it, got {excerpt(text)}"
            )
        return text

    def _number(self, text: str, line: int, *, whole: bool) -> Any:
        if whole and len(text) > MAX_DIGITS:
            raise self._bad(line, f"expected at most {MAX_DIGITS} digits, got {len(text)}")
        number = int(text) if whole else float(text)
        if number in (float("inf"), float("-inf")):
            raise self._bad(line, f"expected a number within a double's range, got {excerpt(text)}")
        return number

    def _bad(self, line: int, text: str) -> BadSeed:
        steps = [
            str(len(level.nodes)) if level.names is None else level.names[-1][0]
            for level in self._stack
            if level.names is None or level.names
        ]
        where = f", {place('', steps)[1:]}" if steps else ""
        return BadSeed(f"{self._name} line {line}{where}: {text}")


_WIDTH: Final = 150
"""Characters of a line, where it can be broken."""
_PLAIN: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_./+@-]*(?: [A-Za-z0-9_./+@-]+)*")
"""Texts that every reader takes for texts without quotes, but for these words."""
_RESERVED: Final = frozenset("true false null yes no on off y n".split())


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    def ignore_aliases(self, data: object) -> bool:
        """Write everything where it stands."""
        return True

    def represent_sequence(self, *arguments: Any, **named: Any) -> Any:
        """On one line, if it holds scalars alone and is short."""
        node = super().represent_sequence(*arguments, **named)
        node.flow_style = _is_short(node.value)
        return node

    def represent_mapping(self, *arguments: Any, **named: Any) -> Any:
        """As a sequence."""
        node = super().represent_mapping(*arguments, **named)
        node.flow_style = _is_short([part for member in node.value for part in member])
        return node


def _is_short(nodes: Sequence[Any]) -> bool:
    scalars = all(isinstance(node, yaml.ScalarNode) and node.style != "|" for node in nodes)
    return scalars and sum([len(node.value) + 2 for node in nodes]) < _WIDTH


def _text(dumper: Any, text: str) -> Any:
    plain = _PLAIN.fullmatch(text) and text.lower() not in _RESERVED
    style = None if plain else "|" if "\n" in text else '"'
    return dumper.represent_scalar(f"{_CORE}str", text, style=style)


_Dumper.add_representer(str, _text)


def write(value: Any, *, heading: str = "") -> str:
    """An object as YAML, which `read` reads back."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 10 * MAX_DEPTH))  # the dumper takes three frames a level
    try:
        text: str = yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=_WIDTH)
    finally:
        sys.setrecursionlimit(limit)
    return f"{heading}\n{text}" if heading else text
