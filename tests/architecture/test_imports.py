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
    "arklow_local.openapi.pages": set(),
    "arklow_local.process": set(),
    "arklow_local.testing": {"process"},
    "arklow_local.pytest_fixture": {"process", "testing"},
    "mock_server": {"settings", "app"},
    "mock_server.__main__": {"cli"},
    "mock_server.settings": {"domain"},
    "mock_server.seeds.interpretations_file": {"seeds", "domain", "strict_json"},
    "mock_server.timestamps": set(),
    "mock_server.adapters.clocks": set(),
    "mock_server.adapters.parent_process": set(),
    "mock_server.adapters.webhook_client": {"domain"},
    "mock_server.adapters.ids": set(),
    "mock_server.strict_json": set(),
    "mock_server.schemas": {"strict_json"},
    "mock_server.adapters.process_pool": set(),
    "mock_server.adapters.http_server": set(),
    "mock_server.domain": {"domain"},
    "mock_server.storage": {"storage", "domain"},
    "mock_server.services": {"services", "domain", "schemas", "strict_json", "timestamps", "workbench"},
    "mock_server.api": {
        *("api", "services", "domain", "schemas", "strict_json", "timestamps", "workbench", "settings"),
        "arklow_local.openapi.pages",
    },
    "mock_server.seeds": {"seeds", "services", "domain", "schemas", "strict_json", "timestamps", "settings"},
    "mock_server.admin": {
        *("admin", "api", "seeds", "services", "domain", "schemas", "strict_json", "timestamps", "settings"),
    },
    "mock_server.app": {
        *("api", "seeds", "services", "storage", "domain"),
        *("clocks", "courier", "ids", "workbench", "settings"),
    },
    "mock_server.cli.main": {
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
    "contracts.core.rules": set(),
    "contracts.model.interpretations": set(),
    "contracts.core.target": set(),
    "contracts.commands.targets_file": set(),
    "contracts.transport.connections": {"target"},
    "contracts.model.linearizability": set(),
    "contracts.generation.invalid_bodies": set(),
    "contracts.generation.corpus.catalogue": set(),
    "contracts.core.strict_json": set(),
    "contracts.core.baseline": set(),
    "contracts.core.yaml_text": set(),
    "contracts.core.serialization": {"exchange", "failures", "target"},
    "contracts.openapi.diff": {"arklow_local.openapi.pages", "rules"},
    "contracts.openapi.document": {"arklow_local.openapi.pages", "yaml_text"},
    "contracts.generation.strategies": set(),
    "contracts.model.world": {"readings"},
    "contracts.model.definitions": {"model"},
    "contracts.model.ingress": {"model"},
    "contracts.model.signals": {"model"},
    "contracts.openapi.schemas": {"strict_json"},
    "contracts.core.exchange": {"strict_json", "target"},
    "contracts.core.findings": {"exchange", "rules"},
    "contracts.core.events": {"baseline", "failures", "target"},
    "contracts.commands.rule_sources": {"document", "readings", "rules"},
    "contracts.checks.context": {"document", "exchange", "schemas", "strict_json", "target"},
    "contracts.openapi.openapi_core": {"document", "exchange"},
    "contracts.transport.throttle": set(),
    "contracts.transport.client": {"exchange", "pace", "target", "wires"},
    "contracts.checks": {"checks", "document", "exchange", "failures", "knowledge", "schemas", "strict_json"},
    "contracts.oracle.provenance": {"checks", "exchange", "knowledge"},
    "contracts.oracle.judge": {
        *("checks", "definitions", "document", "exchange", "failures", "knowledge", "leases", "model"),
        *("origins", "strict_json", "work"),
    },
    "contracts.reproduction.replay": {"client", "exchange", "failures", "judge", "model"},
    "contracts.recordings.har": {"exchange"},
    "contracts.recordings.recorded_traffic": {
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
    "contracts.reproduction.rerun": {
        *("client", "document", "exchange", "failures", "judge", "kept", "knowledge", "readings", "replay"),
        *("schemas", "target"),
    },
    "contracts.phases.sequence": {"client", "exchange", "failures", "judge", "model", "negatives", "probes"},
    "contracts.phases.scenarios": {
        *("scenarios", "client", "exchange", "linear", "model", "negatives", "probes", "stage"),
    },
    "contracts.phases.random_walks": {"stage", "strategies"},
    "contracts.phases.schemathesis_hooks": {"client", "exchange", "judge", "rules"},
    "contracts.phases.schemathesis_run": {"document", "hooks", "pace"},
    "contracts.reproduction.confirm": {"client", "exchange", "failures", "judge", "replay"},
    "contracts.run.plan": {"baseline", "document", "events", "pace", "target"},
    "contracts.run.preflight": {"client", "exchange", "judge", "model", "plan", "stage"},
    "contracts.run.scheduler": {
        *("client", "contact", "document", "events", "exchange", "failures", "fuzzing", "hooks", "judge"),
        *("machine", "plan", "proof", "replay", "rules", "scenarios", "stage"),
    },
    "contracts.run.outcome": {
        *("baseline", "client", "events", "judge", "model", "opinions", "plan", "rules", "stage"),
    },
    "contracts.run.engine": {
        *("client", "conclusion", "contact", "document", "events", "failures", "judge", "knowledge"),
        *("opinions", "plan", "playing", "schemas", "strict_json"),
    },
    "contracts.checks.cross_check": {"conformance", "document", "exchange", "knowledge"},
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
        *("arklow_local.openapi.pages", "moved", "yaml_text"),
    },
    "contracts.cli": {"commands", "engine"},
    "contracts.pytest_plugin": {
        *("cli", "commands", "document", "events", "exchange", "failures", "reports", "rules"),
    },
}
"""Room → the rooms of the same package it may import, and those of `arklow_local` by their full names. A new room is a
new row."""

SHARED = {"arklow_local.openapi.pages"}
"""Rooms that both packages may know, and that know neither."""

DOORS = {
    "aiohttp": {"mock_server.adapters.webhook_client"},
    "certifi": {"contracts.transport.connections"},
    "connexion": {"mock_server.api.connexion_app"},
    "flask": {"mock_server.admin.application"},
    "gzip": {"contracts.generation.corpus.catalogue"},
    "http": {
        *(
            "arklow_local.testing",
            "contracts.transport.client",
            "contracts.reports.generated_test_runtime",
            "contracts.transport.connections",
        ),
        *("mock_server.admin.har", "mock_server.seeds.export_client"),
    },
    "hypothesis": {"contracts.phases.random_walks", "contracts.generation.strategies"},
    "jinja2": {"contracts.reports.html"},
    "jsonschema": {"contracts.openapi.openapi_core"},
    "jsonpath_ng": {"arklow_local.openapi.pages"},
    "jsonschema_rs": {"contracts.openapi.schemas", "mock_server.schemas"},
    "junitparser": {"contracts.reports.junit"},
    "openapi_core": {"contracts.openapi.openapi_core"},
    "openapi_schema_validator": {"contracts.openapi.openapi_core"},
    "pebble": {"mock_server.adapters.process_pool"},
    "pytest": {
        "arklow_local.pytest_fixture",
        "contracts.pytest_plugin",
        "contracts.reports.generated_test_runtime",
    },
    "requests": {"contracts.phases.schemathesis_run"},
    "rich": {"contracts.reports.console"},
    "schemathesis": {"contracts.phases.schemathesis_run", "contracts.phases.schemathesis_hooks"},
    "selectors": {"contracts.transport.client", "mock_server.admin.plane", "mock_server.admin.server"},
    "socket": {
        "arklow_local.testing",
        *("mock_server.admin.plane", "mock_server.admin.server"),
        *("mock_server.cli.main", "mock_server.adapters.webhook_client", "mock_server.adapters.http_server"),
    },
    "ssl": {
        "contracts.transport.client",
        "contracts.reports.generated_test_runtime",
        "contracts.transport.connections",
    },
    "tomllib": {"contracts.commands.targets_file"},
    "urllib3": {"contracts.transport.client", "contracts.transport.connections"},
    "uvicorn": {"mock_server.adapters.http_server"},
    "werkzeug": {"mock_server.admin.application", "mock_server.admin.server"},
    "yaml": {
        "arklow_local.openapi.pages",
        "contracts.core.yaml_text",
        "mock_server.api.document",
        "mock_server.seeds.yaml_source",
    },
}
"""Engine, or part of the standard library that reaches the wire → the only modules that may import it."""

PURE = {
    *("__future__", "base64", "collections", "dataclasses", "difflib", "enum", "fractions"),
    *("hashlib", "itertools", "json", "re", "typing", "urllib"),
}
"""All that the rooms of values may know of the standard library; of other libraries they know none."""

VALUES = {
    *(
        "mock_server.domain",
        "contracts.core.rules",
        "contracts.model.interpretations",
        "contracts.model.world",
        "contracts.model.linearizability",
    ),
    *("contracts.model.definitions", "contracts.model.ingress", "contracts.model.signals"),
    *(
        "contracts.generation.invalid_bodies",
        "contracts.core.findings",
        "contracts.core.events",
        "contracts.core.strict_json",
    ),
    "contracts.core.target",
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
        ("mock_server.api.handlers", "importlib.import_module('contracts.model.world')"),
        ("mock_server.admin.commands", "import flask"),
        ("mock_server.admin.plane", "def f():\n    from werkzeug.serving import make_server"),
        ("mock_server.admin.commands", "from ..storage.memory import MemoryStore"),
        ("mock_server.services.administration", "from ..admin.bridge import Bridge"),
        ("mock_server.app", "from tests.served import mock"),
        ("mock_server.adapters.clocks", "from .app import create_app"),
        ("mock_server.adapters.clocks", "from arklow_local import commands"),
        ("mock_server.adapters.clocks", "from arklow_local.contracts import model"),
        ("arklow_local.commands", "from mock_server.cli import main"),
        ("arklow_local.testing", "import pytest"),
        ("arklow_local.process", "from .testing import Arklow"),
        ("arklow_local.pytest_fixture", "from .mock_server.settings import Settings"),
        ("arklow_local.commands", "importlib.import_module('contracts.cli')"),
        ("contracts.model.world", "import time"),
        ("contracts.oracle.judge", "from contracts.model import Model"),
        ("mock_server.cli.main", "import mock_server.settings"),
        ("contracts.model.world", "from .stage import Stage"),
        ("contracts.model.world", "from .rules import RULES"),
        ("contracts.model.world", "from .leases import signal"),
        ("contracts.model.signals", "from .definitions import put"),
        ("contracts.model.ingress", "import time"),
        ("contracts.model.interpretations", "from .rules import RULES"),
        ("contracts.model.interpretations", "from .model import Model"),
        ("contracts.model.linearizability", "import time"),
        ("contracts.model.linearizability", "from .model import Model"),
        ("contracts.generation.invalid_bodies", "from random import Random"),
        ("contracts.core.strict_json", "import orjson"),
        ("contracts.core.rules", "from pathlib import Path"),
        ("contracts.oracle.judge", "from .client import Client"),
        ("contracts.oracle.judge", "def f():\n    from .stage import Stage"),
        ("contracts.reproduction.replay", "from .stage import Stage"),
        ("contracts.reproduction.replay", "import urllib3"),
        ("contracts.transport.connections", "from .client import Client"),
        ("contracts.commands.targets_file", "import ssl"),
        ("contracts.phases.sequence", "from .replay import Replay"),
        ("contracts.phases.sequence", "from .scenarios import SCENARIOS"),
        ("contracts.generation.corpus.catalogue", "from .exchange import media"),
        ("contracts.commands.rule_sources", "from .engine import Run"),
        ("contracts.phases.schemathesis_hooks", "import requests"),
        ("contracts.run.preflight", "from .playing import Playing"),
        ("contracts.run.scheduler", "from .engine import Run"),
        ("contracts.run.scheduler", "import hypothesis"),
        ("contracts.run.outcome", "from .playing import Playing"),
        ("contracts.run.engine", "import requests"),
        ("contracts.run.engine", "import socket"),
        ("contracts.recordings.har", "from .client import Client"),
        ("contracts.recordings.har", "import urllib3"),
        ("contracts.recordings.recorded_traffic", "from .replay import Replay"),
        ("contracts.reproduction.rerun", "from .engine import Run"),
        ("contracts.phases.scenarios.races", "from http.client import HTTPConnection"),
        ("contracts.run.engine", "import schemathesis"),
        ("contracts.run.engine", "def f():\n    from mock_server.domain import states"),
        ("contracts.phases.scenarios.leases", "from ..engine import Run"),
        ("contracts.phases.scenarios.work", "from ..judge import Judge"),
        ("contracts.reports.console", "from ..engine import Run"),
        ("contracts.reports.generated_tests", "from http.client import HTTPConnection"),
        ("contracts.reports.comparison", "from ..replay import Replay"),
        ("contracts.checks.access", "from ..stage import Stage"),
        ("contracts.checks.access", "import openapi_core"),
        ("contracts.phases.random_walks", "importlib.import_module('mock_server.api')"),
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
