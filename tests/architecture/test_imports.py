"""The import law: which package may import which, for every file; planted breaches show that it works."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LAW: dict[str, set[str]] = {
    "arklow_local": set(),
    "arklow_local.commands": set(),
    "arklow_local.formats": set(),
    "arklow_local.openapi": {"formats"},
    "arklow_local.process": set(),
    "arklow_local.testing": {"process"},
    "arklow_local.pytest_fixture": {"process", "testing"},
    "mock_server": {"settings", "app"},
    "mock_server.__main__": {"cli"},
    "mock_server.domain": set(),
    "mock_server.fast_json": {"arklow_local.formats"},
    "mock_server.timestamps": set(),
    "mock_server.schemas": {"fast_json", "arklow_local.formats"},
    "mock_server.settings": {"domain"},
    "mock_server.adapters": {"domain"},
    "mock_server.storage": {"domain"},
    "mock_server.services": {"domain", "schemas", "timestamps", "arklow_local.formats"},
    "mock_server.presenters": {"domain", "services", "seeds", "timestamps"},
    "mock_server.api": {
        *("presenters", "services", "domain", "fast_json", "schemas", "settings"),
        *("arklow_local.formats", "arklow_local.openapi"),
    },
    "mock_server.seeds": {
        *("services", "domain", "fast_json", "schemas", "timestamps", "settings", "arklow_local.formats"),
    },
    "mock_server.admin": {
        *("api", "presenters", "seeds", "services", "domain"),
        *("schemas", "timestamps", "settings", "arklow_local.formats"),
    },
    "mock_server.app": {"api", "seeds", "services", "storage", "domain", "adapters", "settings"},
    "mock_server.cli": {
        *("admin", "app", "api", "adapters", "domain", "seeds", "settings"),
        "arklow_local.formats",
    },
    "contracts": {"core", "run"},
    "contracts.__main__": {"cli"},
    "contracts.core": {"arklow_local.formats"},
    "contracts.generation": set(),
    "contracts.model": {"core"},
    "contracts.openapi": {"core", "arklow_local.formats", "arklow_local.openapi"},
    "contracts.transport": {"core"},
    "contracts.reports": {"core", "arklow_local.formats"},
    "contracts.checks": {"core", "openapi", "arklow_local.formats"},
    "contracts.oracle": {"core", "model", "checks"},
    "contracts.recordings": {"core", "openapi", "checks", "arklow_local.formats"},
    "contracts.reproduction": {"core", "model", "openapi", "transport", "checks", "oracle"},
    "contracts.phases": {
        *("core", "generation", "model", "openapi", "transport", "checks", "oracle"),
        "arklow_local.formats",
    },
    "contracts.run": {
        *("core", "model", "openapi", "transport", "checks", "oracle", "reproduction", "phases"),
        "arklow_local.formats",
    },
    "contracts.commands": {
        *("core", "model", "openapi", "transport", "recordings", "reproduction", "phases", "run", "reports"),
        *("arklow_local.formats", "arklow_local.openapi"),
    },
    "contracts.cli": {"commands", "arklow_local.formats"},
    "contracts.pytest_plugin": {"cli", "commands", "core", "openapi", "reports"},
}
"""Package → the packages that it may import: those beside it by their short names, those of `arklow_local` by their full
names. A package may always import itself. A new package needs a new row."""

DOORS = {
    "aiohttp": {"mock_server.adapters.webhook_client"},
    "certifi": {"contracts.transport.connections"},
    "connexion": {"mock_server.api.connexion_app"},
    "flask": {"mock_server.admin.application"},
    "gzip": {
        *("contracts.generation.corpus.headers", "contracts.generation.corpus.sizes"),
        "contracts.phases.random_walks",
        "contracts.commands.archive_files",
    },
    "http": {
        *("contracts.transport.answers", "contracts.transport.http_transport", "contracts.transport.volley"),
        *("contracts.transport.connections", "contracts.transport.interference"),
        *("arklow_local.testing", "contracts.reports.generated_test_runtime", "mock_server.admin.har"),
        "mock_server.seeds.export_client",
    },
    "hypothesis": {"contracts.phases.random_walks", "contracts.generation.strategies"},
    "jinja2": {"contracts.reports.html"},
    "jsonschema": {"contracts.openapi.openapi_core"},
    "jsonpath_ng": {"arklow_local.openapi.overlays"},
    "jsonschema_rs": {"contracts.openapi.schemas", "contracts.openapi.well_formed", "mock_server.schemas"},
    "junitparser": {"contracts.reports.junit"},
    "openapi_core": {"contracts.openapi.openapi_core"},
    "openapi_schema_validator": {"contracts.openapi.openapi_core"},
    "pebble": {"mock_server.adapters.process_pool"},
    "pytest": {
        *("arklow_local.pytest_fixture", "contracts.pytest_plugin"),
        "contracts.reports.generated_test_runtime",
    },
    "requests": {"contracts.phases.schemathesis_run", "contracts.phases.schemathesis_transport"},
    "rich": {"contracts.reports.console", "contracts.reports.details", "contracts.reports.screen"},
    "schemathesis": {
        "contracts.phases.schemathesis_run",
        "contracts.phases.schemathesis_hooks",
        "contracts.phases.schemathesis_transport",
    },
    "selectors": {"contracts.transport.volley", "mock_server.admin.plane", "mock_server.admin.server"},
    "socket": {
        *(
            "arklow_local.testing",
            "contracts.transport.connections",
            "contracts.reports.generated_test_runtime",
        ),
        *("mock_server.admin.plane", "mock_server.admin.server", "mock_server.cli.banner"),
        *("mock_server.adapters.webhook_client", "mock_server.adapters.http_server"),
    },
    "ssl": {
        *("contracts.transport.connections", "contracts.transport.interference", "contracts.transport.tls"),
        "contracts.reports.generated_test_runtime",
    },
    "tomllib": {"contracts.commands.targets_file"},
    "urllib3": {
        "contracts.phases.schemathesis_transport",
        *("contracts.transport.answers", "contracts.transport.clock", "contracts.transport.connections"),
        *("contracts.transport.http_transport", "contracts.transport.interference"),
    },
    "uvicorn": {"mock_server.adapters.http_server"},
    "werkzeug": {"mock_server.admin.application", "mock_server.admin.server"},
    "yaml": {
        *("arklow_local.formats.yaml_reader", "arklow_local.formats.yaml_writer"),
    },
}
"""Library, or part of the standard library that reaches the network → the only modules that may import it."""

PURE = {
    *("__future__", "base64", "collections", "dataclasses", "difflib", "enum", "fractions"),
    *("hashlib", "itertools", "json", "re", "typing", "urllib"),
}
"""All that pure modules may import of the standard library; they import no other library."""

VALUES = (
    *("mock_server.domain", "contracts.model", "contracts.core.rules", "contracts.core.findings"),
    *("contracts.core.events", "arklow_local.formats.strict_json", "contracts.core.target"),
    *("arklow_local.formats.excerpts", "arklow_local.formats.json_values"),
    "contracts.generation.invalid_bodies",
    "contracts.generation.invalid_values",
    "contracts.generation.validity",
    "contracts.generation.examples",
)
"""Packages and modules of pure values and rules: no I/O, time, chance or library."""


def breaches(module: str, source: str) -> list[str]:
    """What the source of a module imports against the law."""
    found = []
    for imported in _imports(module, source):
        program, package = module.split(".")[0], _package(module)
        if imported.split(".")[0] in {"arklow_local", "mock_server", "contracts", "tests", "benchmarks"}:
            target = _package(imported)
            own = target in (program, package) or target.removeprefix(f"{program}.") in LAW[package]
            shared = target.startswith("arklow_local.") and target in LAW[package]
            if not (shared or (imported.startswith(program) and own)):
                found.append(f"{module} imports {imported}")
            elif not shared and imported in _absolute(source):
                found.append(f"{module} imports {imported} by a name that it does not have in a wheel")
        else:
            engine = imported.split(".")[0]
            if module not in DOORS.get(engine, {module}):
                found.append(f"{module} imports {imported}: only {DOORS[engine]} may")
            if f"{module}.".startswith(tuple(f"{one}." for one in VALUES)) and engine not in PURE:
                found.append(f"{module} imports {imported}: {package} knows no I/O, time, chance or library")
    return found


def _absolute(source: str) -> set[str]:
    """What a source imports by its full name."""
    nodes = list(ast.walk(ast.parse(source)))
    named = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    return named | {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}


def _package(module: str) -> str:
    return ".".join(module.removesuffix(".__init__").split(".")[:2])


def _imports(module: str, source: str, *, at_run_time: bool = False) -> Iterator[str]:
    """Every module that a source imports: anywhere in it, relative ones resolved, type-only ones too.

    With `at_run_time` only imports that run when the module is loaded.
    """
    tree = ast.parse(source)
    for node in tree.body if at_run_time else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = module.split(".")[: -node.level]
                base = ".".join([*above, *([base] if base else [])])
            known = LAW.keys() | NAMES
            names = {f"{base}.{alias.name}" for alias in node.names} & known
            yield from names or {base}
        elif (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", getattr(node.func, "id", "")) in ("import_module", "__import__")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield str(node.args[0].value)


def cycles(graph: dict[str, set[str]]) -> list[str]:
    """Every cycle that a walk from below finds, as `a → b → a`; each node is walked once."""
    found: list[str] = []
    done: set[str] = set()

    def walk(node: str, path: tuple[str, ...]) -> None:
        if node in path:
            found.append(" → ".join([*path[path.index(node) :], node]))
        elif node not in done:
            for other in sorted(graph.get(node, ())):
                walk(other, (*path, node))
            done.add(node)

    for node in sorted(graph):
        walk(node, ())
    return found


def _full(name: str, row: set[str]) -> set[str]:
    """The packages of a row by their full names."""
    program = name.split(".")[0]
    return {other if "." in other else f"{program}.{other}" for other in row}


def modules() -> dict[str, str]:
    """Module → source, for all that a wheel has."""
    found = {}
    packages = ("arklow_local", "contracts", "mock_server")
    for file in sorted(file for package in packages for file in (ROOT / package).rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1]) + ".__init__" if parts[-1] == "__init__" else ".".join(parts)
        found[name] = file.read_text("utf-8")
    return found


NAMES = {module.removesuffix(".__init__") for module in modules()}
"""Every module by its name."""


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_what_its_package_may_import(module: str) -> None:
    """`LAW` has a row for every package, and no file is outside of them."""
    assert breaches(module, modules()[module]) == []


@pytest.mark.parametrize(
    ("module", "planted"),
    [
        ("mock_server.domain.actions", "import time"),
        ("mock_server.domain.actions", "from datetime import datetime"),
        ("mock_server.domain.actions", "import orjson"),
        ("mock_server.domain.actions", "import subprocess"),
        ("mock_server.domain.actions", "from ..services import ingress"),
        ("mock_server.domain.actions", "from ..adapters import clocks"),
        ("mock_server.domain.actions", "from ..adapters.clocks import SystemClock"),
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
        ("mock_server.presenters.records", "from ..api.envelope import data"),
        ("mock_server.admin.commands", "import flask"),
        ("mock_server.admin.plane", "def f():\n    from werkzeug.serving import make_server"),
        ("mock_server.admin.commands", "from ..storage.memory import MemoryStore"),
        ("mock_server.services.administration", "from ..admin.loop_bridge import LoopBridge"),
        ("mock_server.app", "from tests.running_mock import mock"),
        ("mock_server.adapters.clocks", "from ..app import create_app"),
        ("mock_server.adapters.clocks", "from arklow_local import commands"),
        ("mock_server.adapters.clocks", "from arklow_local.contracts import model"),
        ("arklow_local.commands", "from mock_server.cli.main import main"),
        ("arklow_local.testing", "import pytest"),
        ("arklow_local.process", "from .testing import Arklow"),
        ("arklow_local.pytest_fixture", "from .mock_server.settings import Settings"),
        ("arklow_local.commands", "importlib.import_module('contracts.cli')"),
        ("arklow_local.openapi.pages", "from mock_server.api import document"),
        ("mock_server.cli.main", "import mock_server.settings"),
        ("contracts.model.world", "import time"),
        ("contracts.model.ingress", "import time"),
        ("contracts.model.linearizability", "import time"),
        ("contracts.model.world", "from ..phases.sequence import Stage"),
        ("contracts.model.signals", "from ..oracle.judge import Judge"),
        ("contracts.model.interpretations", "from ..transport.client import Client"),
        ("contracts.core.findings", "from ..model.world import Model"),
        ("contracts.core.rules", "from pathlib import Path"),
        ("arklow_local.formats.strict_json", "import orjson"),
        ("contracts.core.target", "from ..openapi.document import Document"),
        ("contracts.openapi.schemas", "from ..checks.context import CheckContext"),
        ("contracts.generation.invalid_bodies", "from random import Random"),
        ("contracts.generation.corpus.catalogue", "from ...core.exchange import media_type"),
        ("contracts.checks.access", "from ..phases.sequence import Stage"),
        ("contracts.checks.access", "import openapi_core"),
        ("contracts.oracle.judge", "from contracts.model.world import Model"),
        ("contracts.oracle.judge", "from ..transport.client import Client"),
        ("contracts.oracle.judge", "def f():\n    from ..phases.sequence import Stage"),
        ("contracts.transport.connections", "from ..oracle.judge import Judge"),
        ("contracts.recordings.har", "from ..transport.client import Client"),
        ("contracts.recordings.har", "import urllib3"),
        ("contracts.recordings.recorded_traffic", "from ..reproduction.replay import Replay"),
        ("contracts.reproduction.replay", "from ..phases.sequence import Stage"),
        ("contracts.reproduction.replay", "import urllib3"),
        ("contracts.reproduction.rerun", "from ..run.engine import Run"),
        ("contracts.phases.sequence", "from ..reproduction.replay import Replay"),
        ("contracts.phases.schemathesis_hooks", "import requests"),
        ("contracts.phases.scenarios.races", "from http.client import HTTPConnection"),
        ("contracts.phases.scenarios.leases", "from ...run.engine import Run"),
        ("contracts.phases.random_walks", "importlib.import_module('mock_server.api')"),
        ("contracts.run.scheduler", "import hypothesis"),
        ("contracts.run.scheduler", "from ..commands.check import run"),
        ("contracts.run.engine", "import requests"),
        ("contracts.run.engine", "import socket"),
        ("contracts.run.engine", "import schemathesis"),
        ("contracts.run.engine", "def f():\n    from mock_server.domain import states"),
        ("contracts.run.engine", "from ..reports.console import Console"),
        ("contracts.reports.console", "from ..run.engine import Run"),
        ("contracts.reports.generated_tests", "from http.client import HTTPConnection"),
        ("contracts.reports.comparison", "from ..reproduction.replay import Replay"),
        ("contracts.commands.rule_sources", "from ..oracle.judge import Judge"),
        ("contracts.commands.targets_file", "import ssl"),
    ],
)
def test_a_planted_breach_is_caught(module: str, planted: str) -> None:
    """The law sees clocks in the domain, libraries outside their doors, and hidden, relative and type-only imports."""
    assert len(breaches(module, planted)) >= 1


def test_each_row_of_the_judge_lists_only_packages_that_are_imported() -> None:
    """An unused permission is a hole in the law."""
    used: dict[str, set[str]] = {package: set() for package in LAW if package.split(".")[0] == "contracts"}
    for module, source in modules().items():
        if _package(module) in used:
            known = {_package(imported) for imported in _imports(module, source)} & LAW.keys()
            used[_package(module)] |= {
                package.removeprefix("contracts.") for package in known - {_package(module), "contracts"}
            }

    assert {package: LAW[package] for package in used} == used


def test_each_door_lists_only_modules_that_use_it() -> None:
    """A module that no longer imports a library loses its permission."""
    through: dict[str, set[str]] = {engine: set() for engine in DOORS}
    for module, source in modules().items():
        for engine in {imported.split(".")[0] for imported in _imports(module, source)} & DOORS.keys():
            through[engine].add(module)

    assert through == DOORS


def test_no_package_needs_itself_through_another() -> None:
    """The rows have no cycle, so each program can be read from the bottom up."""
    assert cycles({name: {*_full(name, LAW[name])} for name in LAW}) == []


def test_no_module_needs_itself_through_another() -> None:
    """Within a package too, imports that run when a module is loaded go one way."""
    sources = modules()
    graph = {
        module.removesuffix(".__init__"): {
            imported
            for imported in _imports(module, source, at_run_time=True)
            if imported != module.removesuffix(".__init__")
        }
        for module, source in sources.items()
    }
    packages = {module.removesuffix(".__init__") for module in sources if module.endswith(".__init__")}

    assert cycles({module: targets - packages for module, targets in graph.items()}) == []


def test_a_planted_cycle_is_found() -> None:
    """Directly, and through another module."""
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == ["a → b → c → a"]


def test_few_tests_know_both_packages() -> None:
    """The two programs meet over HTTP and in `spec/`."""
    both = []
    for file in sorted((ROOT / "tests").rglob("*.py")):
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        known = {imported.split(".")[0] for imported in _imports(module, file.read_text("utf-8"))}
        served = "tests.running_mock" in set(_imports(module, file.read_text("utf-8")))
        if "contracts" in known and ("mock_server" in known or served):
            both.append(file.parent.name)
        if file.parent.name == "mutants":
            assert not known & {"contracts", "mock_server"}, file
    assert set(both) <= {"architecture", "twins", "end_to_end"}
