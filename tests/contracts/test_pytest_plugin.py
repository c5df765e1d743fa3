"""The judge as a plugin of pytest: a test for each rule, and what the run means for pytest's verdict."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from contracts import pytest_plugin
from contracts.commands.ports import Ports
from contracts.core.rules import RULES
from contracts.transport.interference import Interference
from tests.clocks import VirtualClock
from tests.contracts.commands import URL, Make, Ran, ports_to
from tests.contracts.inner_pytest import pytested
from tests.contracts.ports import ScriptedTransport
from tests.mutants import MUTANTS, ConformingServer

SECRET = "s3cret-key-of-one"


@dataclass
class GivenPorts:
    """A plugin that says which time and wire the run has."""

    ports: Ports

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[pytest_plugin.PORTS] = self.ports


def judging(directory: Path, ports: Ports, *arguments: str, **environment: str) -> Ran:
    """Run pytest with the judge as a plugin."""
    plugins = (pytest_plugin, GivenPorts(ports))
    known = {"ARKLOW_API_KEY": SECRET} | environment
    return pytested(directory, *arguments, "--color=no", plugins=plugins, environment=known)


def at(ports: Ports, directory: Path, *arguments: str) -> Ran:
    """Let pytest judge the target at `URL`."""
    return judging(directory, ports, "--arklow-url", URL, *arguments)


def mutant(id: str) -> Make:
    """Return what makes a mutant that knows the key."""
    return lambda clock: MUTANTS[id](keys={SECRET: "1"}, clock=clock)


def unreachable() -> Ports:
    """Return ports behind which nothing answers."""
    return Ports(VirtualClock(), ScriptedTransport(lambda _: Interference("connection refused")))


def test_pytest_has_one_test_for_each_rule(tmp_path: Path) -> None:
    """The test of a broken rule fails, that of a rule that was not verified is skipped, the others pass."""
    (tmp_path / "test_mine.py").write_text("def test_mine():\n    raise AssertionError\n")
    ran = at(ports_to(mutant("R04")), tmp_path, "--arklow-max-time", "1", "--arklow-seed", "4", "-rA")

    outcomes = {
        line.split()[1]: line.split()[0]
        for line in ran.lines
        if line.startswith(("PASSED arklow::", "FAILED arklow::"))
    }
    assert ran.code == 1, ran.out
    assert f"arklow: {URL}, seed 4, up to 1 s" in ran.lines
    assert outcomes["arklow::PAGE-5"] == "FAILED"
    assert outcomes["arklow::PAGE-8"] == "PASSED"
    assert outcomes.keys() < {f"arklow::{rule}" for rule in RULES}
    assert "SKIPPED [" in ran.out
    assert "expected  data/a_id: a string that matches ^[0-9]+$" in ran.out
    assert 'x-arklow-auth: \'"$ARKLOW_API_KEY"' in ran.out
    assert f"{len(RULES)} items" in ran.out
    assert "interpretation unknown variant: " in ran.out
    assert "test_mine" not in ran.out
    assert SECRET not in ran.out


def test_a_path_on_the_command_line_is_collected_beside_the_rules(tmp_path: Path) -> None:
    """A user asks for it then."""
    (tmp_path / "test_mine.py").write_text("def test_mine():\n    assert True\n")
    ran = at(ports_to(mutant("R04")), tmp_path, "--arklow-only", "PAGE-5", "-v", "test_mine.py")

    assert "2 items" in ran.out
    assert "test_mine.py::test_mine PASSED" in ran.out


def test_a_warning_fails_no_test_unless_it_is_strict(tmp_path: Path) -> None:
    """It is printed at the end; a strict run counts it."""
    only = ("--arklow-only", "AUTH-9")
    lax = at(ports_to(mutant("A14")), tmp_path, *only)
    strict = at(ports_to(mutant("A14")), tmp_path, *only, "--arklow-strict")

    assert (lax.code, "warning AUTH-9 " in lax.out, "1 passed" in lax.out) == (0, True, True)
    assert (strict.code, "warning AUTH-9 " in strict.out, "1 failed" in strict.out) == (1, False, True)


def test_pytest_is_not_green_when_a_run_is_inconclusive(tmp_path: Path) -> None:
    """All tests are skipped then, which pytest alone calls a success."""
    ran = at(unreachable(), tmp_path)

    assert ran.code == 3
    assert f"{len(RULES)} skipped" in ran.out
    assert (
        f"inconclusive: {URL} could not be reached within 12 s (--wait-for): connection refused." in ran.out
    )


def test_reports_are_written_where_that_is_asked_for(tmp_path: Path) -> None:
    """As by the command."""
    at(ports_to(mutant("R04")), tmp_path, *("--arklow-only", "PAGE-5", "--arklow-report-dir", "out"))

    assert json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))["verdict"] == "violations"


def test_pytest_judges_a_target_of_a_file(tmp_path: Path) -> None:
    """It is given by its name; a missing one is an error before any test."""
    (tmp_path / "targets.toml").write_text(
        f'[targets.a]\nbase_url = "{URL}"\norg = 7\napi_key = "env:ARKLOW_API_KEY"'
    )
    ports = ports_to(lambda clock: MUTANTS["R30"](keys={SECRET: "7"}, clock=clock))
    ran = judging(tmp_path, ports, "--arklow-target", "a", "--arklow-only", "PAGE-5")
    wrong = judging(tmp_path, ports, "--arklow-target", "b")

    assert (ran.code, "1 failed" in ran.out) == (1, True), ran.out
    assert (wrong.code, "has no target 'b'" in wrong.errors) == (4, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--arklow-only", "PAGE-99"], "there is no rule 'PAGE-99'"),
        (["--arklow-document", "missing.yaml"], "missing.yaml: No such file"),
        (["--arklow-max-time", "0"], "from 1 to 1000000 seconds"),
    ],
)
def test_a_wrong_option_is_an_error_before_any_test(arguments: list[str], said: str, tmp_path: Path) -> None:
    """Nothing is sent."""
    ports = unreachable()
    ran = at(ports, tmp_path, *arguments)

    assert (ran.code, said in ran.errors) == (4, True)
    assert isinstance(ports.transport, ScriptedTransport)
    assert ports.transport.sent == []


def test_without_its_options_the_plugin_does_nothing(tmp_path: Path) -> None:
    """Other tests run as ever."""
    (tmp_path / "test_mine.py").write_text("def test_mine():\n    assert True\n")
    ran = judging(tmp_path, unreachable())

    assert (ran.code, "1 passed" in ran.out, "arklow" in ran.out) == (0, True, False)


def test_a_judge_that_was_stopped_skips_the_tests_that_are_left(tmp_path: Path) -> None:
    """They say why, and none of them begins another run."""

    class Broken(VirtualClock):
        def now(self) -> float:
            raise RuntimeError("the clock is broken")

    only = ("--arklow-only", "PAGE-5", "--arklow-only", "PAGE-8")
    ran = judging(tmp_path, Ports(Broken()), "--arklow-url", URL, *only, "-rs")

    assert (ran.code, "1 failed, 1 skipped" in ran.out) == (1, True), ran.out
    assert "the judge was stopped before its run ended" in ran.out


def test_a_conforming_deployment_passes(tmp_path: Path) -> None:
    """The run is made once for all tests."""
    ports = ports_to(lambda clock: ConformingServer(keys={SECRET: "1"}, clock=clock))
    ran = at(
        ports, tmp_path, *("--arklow-only", "PAGE-5", "--arklow-only", "PAGE-8", "--arklow-max-time", "1")
    )

    assert (ran.code, "2 passed" in ran.out) == (0, True), ran.out


def test_pytest_takes_the_flags_of_the_command(tmp_path: Path) -> None:
    """Those that have an option of their own, and all others as one text."""
    (tmp_path / "baseline.yaml").write_text("{schema_version: 2, findings: []}")
    given = ("--arklow-name-prefix", "ci-1", "--arklow-profile", "gate", "--arklow-baseline", "baseline.yaml")
    ran = at(
        unreachable(),
        tmp_path,
        *given,
        "--arklow-wait-for",
        "3",
        "--arklow-args",
        "--timeout 2 --max-writes 9",
    )

    assert ran.code == 3, ran.out + ran.errors
    assert "could not be reached within 3 s (--wait-for)" in ran.out
    assert "seed 0, up to 1800 s" in ran.out


class Node:
    """A worker as the controller of pytest-xdist sees it before it begins."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.workerinput: dict[str, str] = {}


def test_workers_are_handed_the_verdicts_of_one_run(tmp_path: Path) -> None:
    """The controller judges before its workers begin; none of them sends a request."""
    nodes: list[Node] = []

    class Controller:
        @pytest.hookimpl(trylast=True)
        def pytest_sessionstart(self, session: pytest.Session) -> None:
            nodes.extend(Node(session.config) for _ in range(4))
            for node in nodes:
                pytest_plugin.pytest_configure_node(node)

    class Worker:
        @pytest.hookimpl(tryfirst=True)
        def pytest_configure(self, config: pytest.Config) -> None:
            config.workerinput = nodes[0].workerinput  # type: ignore[attr-defined]

    environment = {"ARKLOW_API_KEY": SECRET}
    arguments = ("--arklow-url", URL, "--arklow-only", "PAGE-5", "--arklow-only", "PAGE-8", "--color=no")
    controller = GivenPorts(ports_to(mutant("R04")))
    pytested(tmp_path, *arguments, plugins=(pytest_plugin, controller, Controller()), environment=environment)
    away = unreachable()
    worker = pytested(
        tmp_path, *arguments, plugins=(pytest_plugin, GivenPorts(away), Worker()), environment=environment
    )

    assert len({node.workerinput["arklow"] for node in nodes}) == 1
    assert (worker.code, "1 failed" in worker.out) == (1, True), worker.out
    assert "expected  data/a_id: a string that matches ^[0-9]+$" in worker.out
    assert isinstance(away.transport, ScriptedTransport)
    assert away.transport.sent == []
    assert SECRET not in worker.out
