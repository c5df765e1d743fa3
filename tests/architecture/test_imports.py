"""The import law: who may know whom, held over every file, and shown to catch planted breaches."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

ROOMS: dict[str, set[str]] = {
    "arklow_local": set(),
    "arklow_local.commands": set(),
    "arklow_local.pages": set(),
    "arklow_local.process": set(),
    "arklow_local.testing": {"process"},
    "arklow_local.pytest_fixture": {"process", "testing"},
    "mock_server": {"settings", "app"},
    "mock_server.__main__": {"cli"},
    "mock_server.settings": {"domain"},
    "mock_server.readings": {"seeds", "domain", "strict_json"},
    "mock_server.timestamps": set(),
    "mock_server.clocks": set(),
    "mock_server.companion": set(),
    "mock_server.courier": {"domain"},
    "mock_server.ids": set(),
    "mock_server.strict_json": set(),
    "mock_server.schemas": {"strict_json"},
    "mock_server.workbench": set(),
    "mock_server.serving": set(),
    "mock_server.domain": {"domain"},
    "mock_server.storage": {"storage", "domain"},
    "mock_server.services": {"services", "domain", "schemas", "strict_json", "timestamps", "workbench"},
    "mock_server.api": {
        *("api", "services", "domain", "schemas", "strict_json", "timestamps", "workbench", "settings"),
        "arklow_local.pages",
    },
    "mock_server.seeds": {"seeds", "services", "domain", "schemas", "strict_json", "timestamps", "settings"},
    "mock_server.admin": {
        *("admin", "api", "seeds", "services", "domain", "schemas", "strict_json", "timestamps", "settings"),
    },
    "mock_server.app": {
        *("api", "seeds", "services", "storage", "domain"),
        *("clocks", "courier", "ids", "workbench", "settings"),
    },
    "mock_server.cli": {
        "admin",
        "app",
        "api",
        "companion",
        "domain",
        "readings",
        "seeds",
        "serving",
        "settings",
    },
    "contracts": {"engine", "events", "failures", "rules", "target"},
    "contracts.__main__": {"cli"},
    "contracts.rules": set(),
    "contracts.readings": set(),
    "contracts.target": set(),
    "contracts.named": set(),
    "contracts.wires": {"target"},
    "contracts.linear": set(),
    "contracts.negatives": set(),
    "contracts.probes": set(),
    "contracts.strict_json": set(),
    "contracts.baseline": set(),
    "contracts.yaml_text": set(),
    "contracts.kept": {"exchange", "failures", "target"},
    "contracts.moved": {"arklow_local.pages", "rules"},
    "contracts.document": {"arklow_local.pages", "yaml_text"},
    "contracts.strategies": set(),
    "contracts.model": {"readings"},
    "contracts.definitions": {"model"},
    "contracts.work": {"model"},
    "contracts.leases": {"model"},
    "contracts.schemas": {"strict_json"},
    "contracts.exchange": {"strict_json", "target"},
    "contracts.failures": {"exchange", "rules"},
    "contracts.events": {"baseline", "failures", "target"},
    "contracts.explain": {"document", "readings", "rules"},
    "contracts.knowledge": {"document", "exchange", "schemas", "strict_json", "target"},
    "contracts.conformance": {"document", "exchange"},
    "contracts.pace": set(),
    "contracts.client": {"exchange", "pace", "target", "wires"},
    "contracts.checks": {"checks", "document", "exchange", "failures", "knowledge", "schemas", "strict_json"},
    "contracts.origins": {"checks", "exchange", "knowledge"},
    "contracts.judge": {
        *("checks", "definitions", "document", "exchange", "failures", "knowledge", "leases", "model"),
        *("origins", "strict_json", "work"),
    },
    "contracts.replay": {"client", "exchange", "failures", "judge", "model"},
    "contracts.har": {"exchange"},
    "contracts.recorded": {
        *(
            "checks",
            "document",
            "events",
            "exchange",
            "failures",
            "har",
            "knowledge",
            "rules",
            "schemas",
            "target",
        ),
    },
    "contracts.again": {
        *("client", "document", "exchange", "failures", "judge", "kept", "knowledge", "readings", "replay"),
        *("schemas", "target"),
    },
    "contracts.stage": {"client", "exchange", "failures", "judge", "model", "negatives", "probes"},
    "contracts.scenarios": {
        *("scenarios", "client", "exchange", "linear", "model", "negatives", "probes", "stage"),
    },
    "contracts.machine": {"stage", "strategies"},
    "contracts.hooks": {"client", "exchange", "judge", "rules"},
    "contracts.fuzzing": {"document", "hooks", "pace"},
    "contracts.proof": {"client", "exchange", "failures", "judge", "replay"},
    "contracts.plan": {"baseline", "document", "events", "pace", "target"},
    "contracts.contact": {"client", "exchange", "judge", "model", "plan", "stage"},
    "contracts.playing": {
        *("client", "contact", "document", "events", "exchange", "failures", "fuzzing", "hooks", "judge"),
        *("machine", "plan", "proof", "replay", "rules", "scenarios", "stage"),
    },
    "contracts.conclusion": {
        *("baseline", "client", "events", "judge", "model", "opinions", "plan", "rules", "stage"),
    },
    "contracts.engine": {
        *("client", "conclusion", "contact", "document", "events", "failures", "judge", "knowledge"),
        *("opinions", "plan", "playing", "schemas", "strict_json"),
    },
    "contracts.opinions": {"conformance", "document", "exchange", "knowledge"},
    "contracts.reports": {
        *("reports", "events", "exchange", "failures", "kept", "rules", "yaml_text"),
    },
    "contracts.commands": {
        *(
            "commands",
            "again",
            "baseline",
            "document",
            "engine",
            "events",
            "exchange",
            "explain",
            "har",
            "kept",
            "pace",
        ),
        *("named", "readings", "recorded", "reports", "rules", "scenarios", "stage", "target", "wires"),
        *("arklow_local.pages", "moved", "yaml_text"),
    },
    "contracts.cli": {"commands", "engine"},
    "contracts.pytest_plugin": {
        *("cli", "commands", "document", "events", "exchange", "failures", "reports", "rules"),
    },
}
"""Room → the rooms of the same package it may import, and those of `arklow_local` by their full names. A new room is a
new row."""

SHARED = {"arklow_local.pages"}
"""Rooms that both packages may know, and that know neither."""

DOORS = {
    "aiohttp": {"mock_server.courier"},
    "certifi": {"contracts.wires"},
    "connexion": {"mock_server.api.contract"},
    "flask": {"mock_server.admin.application"},
    "gzip": {"contracts.probes"},
    "http": {
        *("arklow_local.testing", "contracts.client", "contracts.reports.standalone", "contracts.wires"),
        *("mock_server.admin.har", "mock_server.seeds.exporting"),
    },
    "hypothesis": {"contracts.machine", "contracts.strategies"},
    "jinja2": {"contracts.reports.html"},
    "jsonschema": {"contracts.conformance"},
    "jsonpath_ng": {"arklow_local.pages"},
    "jsonschema_rs": {"contracts.schemas", "mock_server.schemas"},
    "junitparser": {"contracts.reports.junit"},
    "openapi_core": {"contracts.conformance"},
    "openapi_schema_validator": {"contracts.conformance"},
    "pebble": {"mock_server.workbench"},
    "pytest": {"arklow_local.pytest_fixture", "contracts.pytest_plugin", "contracts.reports.standalone"},
    "requests": {"contracts.fuzzing"},
    "rich": {"contracts.reports.console"},
    "schemathesis": {"contracts.fuzzing", "contracts.hooks"},
    "selectors": {"contracts.client", "mock_server.admin.plane", "mock_server.admin.server"},
    "socket": {
        "arklow_local.testing",
        *("mock_server.admin.plane", "mock_server.admin.server"),
        *("mock_server.cli", "mock_server.courier", "mock_server.serving"),
    },
    "ssl": {"contracts.client", "contracts.reports.standalone", "contracts.wires"},
    "tomllib": {"contracts.named"},
    "urllib3": {"contracts.client", "contracts.wires"},
    "uvicorn": {"mock_server.serving"},
    "werkzeug": {"mock_server.admin.application", "mock_server.admin.server"},
    "yaml": {
        "arklow_local.pages",
        "contracts.yaml_text",
        "mock_server.api.document",
        "mock_server.seeds.text",
    },
}
"""Engine, or part of the standard library that reaches the wire → the only modules that may import it."""

PURE = {
    *("__future__", "base64", "collections", "dataclasses", "difflib", "enum", "fractions"),
    *("hashlib", "itertools", "json", "re", "typing", "urllib"),
}
"""All that the rooms of values may know of the standard library; of other libraries they know none."""

VALUES = {
    *("mock_server.domain", "contracts.rules", "contracts.readings", "contracts.model", "contracts.linear"),
    *("contracts.definitions", "contracts.work", "contracts.leases"),
    *("contracts.negatives", "contracts.failures", "contracts.events", "contracts.strict_json"),
    "contracts.target",
}
"""Rooms of pure values and rules."""


def breaches(module: str, source: str) -> list[str]:
    """What the source of a module imports against the law."""
    found = []
    for imported in _imports(module, source):
        package, room = module.split(".")[0], _room(module)
        if imported.split(".")[0] in {"arklow_local", "mock_server", "contracts", "tests", "benchmarks"}:
            target = _room(imported)
            own = target in (package, room) or target.removeprefix(f"{package}.") in ROOMS[room]
            shared = target.startswith("arklow_local.") and target in ROOMS[room]
            if not (shared or (imported.startswith(package) and own)):
                found.append(f"{module} imports {imported}")
            elif not shared and imported in _absolute(source):
                found.append(f"{module} imports {imported} by a name that it does not have in a wheel")
        else:
            engine = imported.split(".")[0]
            if module not in DOORS.get(engine, {module}):
                found.append(f"{module} imports {imported}: only {DOORS[engine]} may")
            if room in VALUES and engine not in PURE:
                found.append(f"{module} imports {imported}: {room} knows no I/O, time, chance or library")
    return found


def _absolute(source: str) -> set[str]:
    """What a source imports by its full name."""
    nodes = list(ast.walk(ast.parse(source)))
    named = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    return named | {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}


def _room(module: str) -> str:
    return ".".join(module.removesuffix(".__init__").split(".")[:2])


def _imports(module: str, source: str) -> Iterator[str]:
    """Every module a source imports: anywhere in it, relative ones resolved, type-only ones too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = module.split(".")[: -node.level]
                base = ".".join([*above, *([base] if base else [])])
            rooms = {room for room in ROOMS if room.startswith(base + ".")}
            names = {f"{base}.{alias.name}" for alias in node.names}
            yield from (names & rooms) or {base}
        elif (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", getattr(node.func, "id", "")) in ("import_module", "__import__")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield str(node.args[0].value)


def modules() -> dict[str, str]:
    """Module → source, for all that a wheel has."""
    found = {}
    packages = ("arklow_local", "contracts", "mock_server")
    for file in sorted(file for package in packages for file in (ROOT / package).rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1]) + ".__init__" if parts[-1] == "__init__" else ".".join(parts)
        found[name] = file.read_text("utf-8")
    return found


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_what_its_room_may_know(module: str) -> None:
    """The table above is the architecture; no file is outside it."""
    assert breaches(module, modules()[module]) == []


@pytest.mark.parametrize(
    ("module", "planted"),
    [
        ("mock_server.domain.actions", "import time"),
        ("mock_server.domain.actions", "from datetime import datetime"),
        ("mock_server.domain.actions", "import orjson"),
        ("mock_server.domain.actions", "import subprocess"),
        ("mock_server.domain.actions", "from ..services import ingress"),
        ("mock_server.domain.actions", "from .. import clocks"),
        ("mock_server.domain.actions", "from ..clocks import SystemClock"),
        ("mock_server.services.ingress", "from ..storage.memory import MemoryStore"),
        ("mock_server.services.ingress", "def f():\n    from ..api.errors import Refused"),
        ("mock_server.services.ingress", "import jsonschema_rs"),
        ("mock_server.storage.memory", "from ..services.ingress import Ingress"),
        ("mock_server.api.handlers", "import connexion"),
        ("mock_server.api.handlers", "from connexion.spec import Specification"),
        ("mock_server.api.handlers", "from ..storage import memory"),
        ("mock_server.api.handlers", "def f():\n    import contracts.model"),
        ("mock_server.api.handlers", "if TYPE_CHECKING:\n    from contracts import model"),
        ("mock_server.api.handlers", "importlib.import_module('contracts.model')"),
        ("mock_server.admin.commands", "import flask"),
        ("mock_server.admin.plane", "def f():\n    from werkzeug.serving import make_server"),
        ("mock_server.admin.commands", "from ..storage.memory import MemoryStore"),
        ("mock_server.services.steering", "from ..admin.bridge import Bridge"),
        ("mock_server.app", "from tests.served import mock"),
        ("mock_server.clocks", "from .app import create_app"),
        ("mock_server.clocks", "from arklow_local import commands"),
        ("mock_server.clocks", "from arklow_local.contracts import model"),
        ("arklow_local.commands", "from mock_server.cli import main"),
        ("arklow_local.testing", "import pytest"),
        ("arklow_local.process", "from .testing import Arklow"),
        ("arklow_local.pytest_fixture", "from .mock_server.settings import Settings"),
        ("arklow_local.commands", "importlib.import_module('contracts.cli')"),
        ("contracts.model", "import time"),
        ("contracts.judge", "from contracts.model import Model"),
        ("mock_server.cli", "import mock_server.settings"),
        ("contracts.model", "from .stage import Stage"),
        ("contracts.model", "from .rules import RULES"),
        ("contracts.model", "from .leases import signal"),
        ("contracts.leases", "from .definitions import put"),
        ("contracts.work", "import time"),
        ("contracts.readings", "from .rules import RULES"),
        ("contracts.readings", "from .model import Model"),
        ("contracts.linear", "import time"),
        ("contracts.linear", "from .model import Model"),
        ("contracts.negatives", "from random import Random"),
        ("contracts.strict_json", "import orjson"),
        ("contracts.rules", "from pathlib import Path"),
        ("contracts.judge", "from .client import Client"),
        ("contracts.judge", "def f():\n    from .stage import Stage"),
        ("contracts.replay", "from .stage import Stage"),
        ("contracts.replay", "import urllib3"),
        ("contracts.wires", "from .client import Client"),
        ("contracts.named", "import ssl"),
        ("contracts.stage", "from .replay import Replay"),
        ("contracts.stage", "from .scenarios import SCENARIOS"),
        ("contracts.probes", "from .exchange import media"),
        ("contracts.explain", "from .engine import Run"),
        ("contracts.hooks", "import requests"),
        ("contracts.contact", "from .playing import Playing"),
        ("contracts.playing", "from .engine import Run"),
        ("contracts.playing", "import hypothesis"),
        ("contracts.conclusion", "from .playing import Playing"),
        ("contracts.engine", "import requests"),
        ("contracts.engine", "import socket"),
        ("contracts.har", "from .client import Client"),
        ("contracts.har", "import urllib3"),
        ("contracts.recorded", "from .replay import Replay"),
        ("contracts.again", "from .engine import Run"),
        ("contracts.scenarios.races", "from http.client import HTTPConnection"),
        ("contracts.engine", "import schemathesis"),
        ("contracts.engine", "def f():\n    from mock_server.domain import states"),
        ("contracts.scenarios.leases", "from ..engine import Run"),
        ("contracts.scenarios.work", "from ..judge import Judge"),
        ("contracts.reports.console", "from ..engine import Run"),
        ("contracts.reports.script", "from http.client import HTTPConnection"),
        ("contracts.reports.comparison", "from ..replay import Replay"),
        ("contracts.checks.access", "from ..stage import Stage"),
        ("contracts.checks.access", "import openapi_core"),
        ("contracts.machine", "importlib.import_module('mock_server.api')"),
    ],
)
def test_a_planted_breach_is_caught(module: str, planted: str) -> None:
    """The law sees clocks in the domain, engines past their door, hidden, relative and type-only imports."""
    assert len(breaches(module, planted)) >= 1


def test_a_row_of_the_judge_has_no_room_that_nobody_there_imports() -> None:
    """A right that nobody uses is a hole in the law."""
    used: dict[str, set[str]] = {room: set() for room in ROOMS if room.split(".")[0] == "contracts"}
    for module, source in modules().items():
        if _room(module) in used:
            known = {_room(imported) for imported in _imports(module, source)} & ROOMS.keys()
            used[_room(module)] |= {room.removeprefix("contracts.") for room in known}

    assert {room: ROOMS[room] for room in used} == used


def test_a_door_is_used_by_whom_it_was_made_for() -> None:
    """Nobody keeps a key to a library that he has given up."""
    through: dict[str, set[str]] = {engine: set() for engine in DOORS}
    for module, source in modules().items():
        for engine in {imported.split(".")[0] for imported in _imports(module, source)} & DOORS.keys():
            through[engine].add(module)

    assert through == DOORS


def test_no_room_needs_itself_through_another() -> None:
    """The rows have no cycle, so each package can be read from the bottom up."""

    def below(package: str, room: str, path: tuple[str, ...]) -> None:
        assert room not in path, f"cycle: {' → '.join([*path, room])}"
        for other in ROOMS[f"{package}.{room}"] - {room, *SHARED}:
            below(package, other, (*path, room))

    for name in ROOMS:
        package, _, room = name.partition(".")
        if room:
            below(package, room, ())


def test_few_tests_know_both_packages() -> None:
    """The two programs meet over HTTP and in `spec/`."""
    both = []
    for file in sorted((ROOT / "tests").rglob("*.py")):
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        known = {imported.split(".")[0] for imported in _imports(module, file.read_text("utf-8"))}
        served = "tests.served" in set(_imports(module, file.read_text("utf-8")))
        if "contracts" in known and ("mock_server" in known or served):
            both.append(file.parent.name)
        if file.parent.name == "liars":
            assert not known & {"contracts", "mock_server"}, file
    assert set(both) <= {"architecture", "twins", "end_to_end"}
