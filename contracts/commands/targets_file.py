"""Reads `targets.toml`: deployments by name, as a team commits them.

No secret stands in the file. It says where each secret is: in a variable (`env:NAME`) or in another file (`file:PATH`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

FILE: Final = "targets.toml"
_DEFAULTS, _TARGETS = "defaults", "targets"


class BadTargets(ValueError):
    """The file does not describe targets, or lacks the one that was named; the message says where, and what would pass."""


@dataclass(frozen=True, slots=True)
class NamedTarget:
    """One target of a file, with the defaults that the file has for all of them."""

    name: str
    file: str
    members: Mapping[str, Any]
    """Member → value; paths are relative to the working directory, not to the file."""
    tables: Mapping[str, str]
    """Member, or `headers.NAME` → the table that it stands in."""

    def where(self, member: str) -> str:
        """The place of a member, such as `targets.toml: [targets.staging] org`."""
        table, _, name = member.partition(".")
        inner = f"{self.tables[member]}.{table}" if name else self.tables[member]
        return f"{self.file}: [{inner}] {name or table}"


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of values that a member may have."""

    expected: str
    """What would pass, for messages."""
    fits: Callable[[Any], bool]
    secret: bool = False
    """Whether a wrong value may be a secret, so that messages must not show it."""
    path: bool = False
    """Whether the value is a path, which is relative to the file."""


def _text(value: Any) -> bool:
    return isinstance(value, str) and value.strip() == value != "" and value.isprintable()


def _url(value: Any) -> bool:
    return _text(value) and re.match("https?://[^@]+$", value) is not None


def _proxy(value: Any) -> bool:
    return _url(value) or _reference(value)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _reference(value: Any) -> bool:
    return _text(value) and _REFERENCE.fullmatch(value) is not None


def _header(value: Any) -> bool:
    return _reference(value) or (_text(value) and not re.match("env:|file:", value))


_REFERENCE: Final = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:\S(?:.*\S)?")
"""Where a secret is: in a variable, or in a file."""

_KEY = _Kind(
    "env:NAME, the variable that has the key, or file:PATH; a key does not stand in this file",
    _reference,
    secret=True,
)
_URL = _Kind("a URL such as https://staging.example, without user and password", _url, secret=True)
_FILE = _Kind("the path of a file", _text, path=True)
_SWITCH = _Kind("true or false", lambda value: isinstance(value, bool))
_WHOLE = _Kind("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool))
_SECONDS = _Kind("a number of seconds", _number)
_PERCENT = _Kind("a number of percent", _number)
_ORG = _Kind("the number of an organisation, such as 42", lambda value: _text(value) or _WHOLE.fits(value))

MEMBERS: Final[Mapping[str, _Kind]] = {
    "base_url": _URL,
    "ingress_url": _URL,
    "org": _ORG,
    "api_key": _KEY,
    "second_org": _ORG,
    "second_api_key": _KEY,
    "headers": _Kind("a text, env:NAME or file:PATH", _header, secret=True),
    "ca": _FILE,
    "client_certificate": _FILE,
    "client_key": _FILE,
    "proxy": _Kind(
        "a URL such as http://proxy:3128 without user and password, or env:NAME or file:PATH for one with them",
        _proxy,
        secret=True,
    ),
    "resolve": _Kind("a list of texts such as 'staging.example:443:10.0.0.7'", _texts),
    "production": _SWITCH,
    "profile": _Kind("check, gate or night", _text),
    "max_time": _SECONDS,
    "wait_for": _SECONDS,
    "timeout": _SECONDS,
    "settle": _SECONDS,
    "max_requests": _WHOLE,
    "max_writes": _WHOLE,
    "rate": _Kind(
        "requests a second, or a text such as '60/m'", lambda value: _number(value) or _text(value)
    ),
    "name_prefix": _Kind("a name such as ci-2", _text),
    "intrusive": _SWITCH,
    "variants": _Kind("the path of a JSON payload", _text, path=True),
    "min_verified": _PERCENT,
    "max_interference": _PERCENT,
    "baseline": _FILE,
    "expect_interpretations": _FILE,
    "document": _FILE,
    "spec_dir": _Kind("the path of a directory of pages", _text, path=True),
}
"""Member of a target → its kind; for members that are tables, the kind of each entry."""
_TABLES: Final = frozenset({"headers", "variants"})
DOCUMENTS: Final = frozenset({"document", "spec_dir"})
"""Members that say which document counts; a table has one of them at most."""
_NO_DEFAULTS: Final = frozenset({"production"})
"""Members that `[defaults]` may not have: each target says them itself."""


@dataclass(frozen=True, slots=True)
class Targets:
    """The targets of a file, and the defaults for all of them."""

    file: str
    defaults: Mapping[str, Any]
    targets: Mapping[str, Mapping[str, Any]]

    def find(self, name: str) -> NamedTarget:
        """Find a target by its name, and complete it by the defaults.

        Raises:
            BadTargets: the file has no target of that name.
        """
        if name not in self.targets:
            there = ", ".join(self.targets) or "none"
            hint = _suggestion(name, self.targets)
            raise BadTargets(f"{self.file} has no target {name!r}; there are: {there}{hint}")
        members: dict[str, Any] = {}
        tables: dict[str, str] = {}
        for table, given in ((_DEFAULTS, self.defaults), (f"{_TARGETS}.{name}", self.targets[name])):
            for member, value in given.items():
                tables[member] = table
                for other in DOCUMENTS - {member} if member in DOCUMENTS else ():
                    members.pop(other, None)
                if member in _TABLES:
                    same = str.lower if member == "headers" else str
                    ours = {same(key) for key in value}
                    defaults = {k: v for k, v in members.get(member, {}).items() if same(k) not in ours}
                    members[member] = defaults | dict(value)
                    tables |= {f"{member}.{key}": table for key in value}
                else:
                    members[member] = value
        return NamedTarget(name, self.file, members, tables)


def read(text: bytes, file: Path) -> Targets:
    """Read the targets in the text of a file. `file` is its path, for the paths in it and for messages.

    Raises:
        BadTargets: the text does not describe targets.
    """
    try:
        data = tomllib.loads(text.decode("utf-8"))
    except UnicodeDecodeError:
        raise BadTargets(f"{file} is not TOML, which is UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadTargets(f"{file} is not TOML: {error}") from None
    for name in data:
        if name not in (_DEFAULTS, _TARGETS):
            hint = _suggestion(name, (_DEFAULTS, _TARGETS)) or f"; a target is [{_TARGETS}.{name}]"
            raise BadTargets(f"{file}: there is no table [{name}]{hint}")
    targets = data.get(_TARGETS, {})
    if not isinstance(targets, dict):
        raise BadTargets(f"{file}: [{_TARGETS}]: expected a table for each target, such as [targets.staging]")
    return Targets(
        str(file),
        _table(file, _DEFAULTS, data.get(_DEFAULTS, {})),
        {name: _table(file, f"{_TARGETS}.{name}", table) for name, table in targets.items()},
    )


def _table(file: Path, table: str, given: Any) -> dict[str, Any]:
    """Check the members of a table, and return them.

    Raises:
        BadTargets: a member is unknown, or has a wrong value.
    """
    if not isinstance(given, dict):
        raise BadTargets(f"{file}: [{table}]: expected a table such as [targets.staging]")
    for name in given:
        if name not in MEMBERS:
            hint = _suggestion(name, MEMBERS) or f"; there are: {', '.join(MEMBERS)}"
            raise BadTargets(f"{file}: [{table}]: there is no member {name!r}{hint}")
        if table == _DEFAULTS and name in _NO_DEFAULTS:
            raise BadTargets(f"{file}: [{table}] {name}: only the table of one target says that")
    if given.keys() >= DOCUMENTS:
        raise BadTargets(f"{file}: [{table}]: expected either document or spec_dir, got both")
    return {name: _value(file, table, name, value) for name, value in given.items()}


def _value(file: Path, table: str, name: str, value: Any) -> Any:
    kind = MEMBERS[name]
    if name not in _TABLES:
        return _checked(file, f"[{table}] {name}", kind, value)
    if not isinstance(value, dict):
        raise BadTargets(f"{file}: [{table}] {name}: expected a table, for each name {kind.expected}")
    return {key: _checked(file, f"[{table}.{name}] {key}", kind, each) for key, each in value.items()}


def _checked(file: Path, where: str, kind: _Kind, value: Any) -> Any:
    if not kind.fits(value):
        got = "" if kind.secret else f", got {value!r}"
        raise BadTargets(f"{file}: {where}: expected {kind.expected}{got}")
    if kind.path:
        return str(file.parent / value)
    if isinstance(value, str) and value.startswith("file:"):
        return f"file:{file.parent / value.removeprefix('file:')}"
    return value


def _suggestion(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


__all__ = ["FILE", "MEMBERS", "BadTargets", "NamedTarget", "Targets", "read"]
