"""The judge as a pytest plugin: `pytest -p contracts.pytest_plugin --arklow-url …` has one test for each rule."""

from __future__ import annotations

import json
import os
import shlex
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from . import cli
from .commands.check import judge, write_reports
from .commands.plan_options import plan_of
from .commands.ports import Ports
from .commands.usage import Usage
from .core.events import RunFinished
from .core.exchange import redacted_line
from .core.rules import RULES, Severity
from .openapi.document import Unreadable, load
from .reports.json_report import finding_data
from .reports.printable import printable_data

_FLAGS: Final = {
    "--arklow-target": ("--target", "a target of targets.toml to judge"),
    "--arklow-targets": ("--targets", "another file of targets"),
    "--arklow-url": ("--base-url", "base URL of the deployment to judge"),
    "--arklow-ingress-url": ("--ingress-url", "where ingress is, if elsewhere"),
    "--arklow-api-key": ("--api-key", "a key, env:NAME or file:PATH (default env:ARKLOW_API_KEY)"),
    "--arklow-org": ("--org", "the organisation of that key (default 1)"),
    "--arklow-second-api-key": ("--second-api-key", "a key of another organisation, in the same way"),
    "--arklow-second-org": ("--second-org", "the other organisation"),
    "--arklow-profile": ("--profile", "check or gate"),
    "--arklow-max-time": ("--max-time", "seconds the run may take"),
    "--arklow-max-requests": ("--max-requests", "requests that the run may send"),
    "--arklow-wait-for": ("--wait-for", "seconds to wait for a first answer"),
    "--arklow-timeout": ("--timeout", "seconds that one answer may take"),
    "--arklow-settle": ("--settle", "seconds until the whole deployment knows what was made"),
    "--arklow-wait": ("--wait", "seconds to wait for leases to run out"),
    "--arklow-rate": ("--rate", "requests a second (default off loopback: 10)"),
    "--arklow-name-prefix": ("--name-prefix", "begin the names of definitions with contract.NAME"),
    "--arklow-baseline": ("--baseline", "known findings to excuse"),
    "--arklow-expect-interpretations": (
        "--expect-interpretations",
        "the interpretations.yaml to compare with",
    ),
    "--arklow-min-verified": ("--min-verified", "percent of the rules that must be verified"),
    "--arklow-max-interference": ("--max-interference", "percent of the requests that may be lost"),
    "--arklow-ca": ("--ca", "trust these PEM certificates"),
    "--arklow-proxy": ("--proxy", "use this HTTP proxy"),
    "--arklow-header": ("--header", "NAME=VALUE to send with every request; may be repeated"),
    "--arklow-variant": ("--variant", "NAME=FILE, a variant that exists; may be repeated"),
    "--arklow-seed": ("--seed", "repeat the requests of another run"),
    "--arklow-report-dir": ("--report-dir", "write report.html, report.json and junit.xml there"),
    "--arklow-only": ("--only", "code of a rule to listen to; may be repeated"),
    "--arklow-document": ("--document", "another OpenAPI 3.1 document to judge by"),
    "--arklow-spec-dir": ("--spec-dir", "a directory of pages to judge by"),
}
"""Option of pytest → the flag of `arklow-contracts check` that it stands for, and its help."""

_REPEATED: Final = frozenset({"--only", "--header", "--variant"})
"""Flags that may be given more than once."""

PORTS: Final = pytest.StashKey[Ports]()
"""Time and wire of the run, where another plugin has put them into the stash of the configuration."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flags of `arklow-contracts check`, each with `--arklow-` before its name."""
    group = parser.getgroup("arklow", "judge a deployment of Arklow")
    for option, (flag, text) in _FLAGS.items():
        group.addoption(option, action="append" if flag in _REPEATED else "store", help=text)
    group.addoption(
        "--arklow-args", help="further flags of `arklow-contracts check`, as one text", default=""
    )
    group.addoption("--arklow-strict", action="store_true", help="warnings count as violations")


class DeferredRun:
    """A run of the judge that begins when the first test of a rule needs it, and is kept for the others."""

    def __init__(self, config: pytest.Config) -> None:
        argv = ["check"]
        named = config.getoption("--arklow-target")
        defaults = {} if named else {"--arklow-api-key": "env:ARKLOW_API_KEY", "--arklow-org": "1"}
        for option, (flag, _) in _FLAGS.items():
            given = config.getoption(option) or defaults.get(option)
            values = given if isinstance(given, list) else [given] if given else []
            argv += [f"{flag}={value}" for value in values]
        if config.getoption("--arklow-strict"):
            argv.append("--strict")
        argv += shlex.split(config.getoption("--arklow-args"))
        try:
            self._options = cli.parser().parse_args(argv)
            self.plan = plan_of(self._options, os.environ)
            load(self.plan.document)
        except (Usage, Unreadable) as error:
            raise pytest.UsageError(str(error)) from None
        self._ports = config.stash.get(PORTS, Ports())
        self._shared: str | None = getattr(config, "workerinput", {}).get(_SHARED)
        """What the run has shown, as the controller of pytest-xdist has handed it to this worker."""
        self._run: RunFinished | None = None
        self._failed: str | None = None

    @property
    def finished(self) -> bool:
        """Whether the run has ended with a result."""
        return self._run is not None

    @property
    def run(self) -> RunFinished:
        """The result of the run; the first call judges the deployment."""
        if self._failed is not None:
            pytest.skip(self._failed)
        if self._run is None:
            self._failed = "the judge was stopped before its run ended"
            self._run = judge(self.plan, ports=self._ports)
            self._failed = None
            if self._options.report_dir is not None:
                problem = write_reports(self._run, self._options.report_dir)
                if problem is not None:
                    warnings.warn(pytest.PytestWarning(f"Reports were not written: {problem}"), stacklevel=2)
        return self._run

    @property
    def verdicts(self) -> Verdicts:
        """What the run says of each rule; in a worker of pytest-xdist, what its controller was told."""
        if self._shared is not None:
            return Verdicts(**json.loads(self._shared))
        return verdicts_of(self.run)


_RUN = pytest.StashKey[DeferredRun]()
_SHARED: Final = "arklow"
"""The name under which the controller of pytest-xdist hands the verdicts to its workers."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What a run says of each rule, as texts that can be handed to another process."""

    broken: dict[str, str]
    """Code of a rule that fails the tests → its findings."""
    skipped: dict[str, str]
    """Code of a rule that was not verified → why."""


def verdicts_of(run: RunFinished) -> Verdicts:
    """Return the verdicts of a run."""
    broken: dict[str, str] = {}
    skipped: dict[str, str] = {}
    for code, rule in RULES.items():
        found = [one for one in (*run.violations, *run.warnings) if one.rule == code]
        if found and (rule.severity is Severity.VIOLATION or run.strict):
            broken[code] = _described(code, [printable_data(finding_data(one, run)) for one in found])
        elif not found and code not in run.tested:
            why = run.not_verified.get(code) or _NOT_ASKED
            skipped[code] = redacted_line(why, run.secrets)
    return Verdicts(broken, skipped)


_NOT_ASKED: Final = "it was not asked for; READ-2 compares with --arklow-expect-interpretations"
"""Why a rule was not verified that the run did not want to verify."""


def _described(code: str, records: list[dict[str, Any]]) -> str:
    rule = RULES[code]
    lines = [f"{rule.title} ({rule.source})"]
    for one in records:
        lines += [
            "",
            f"{one['operation']}: {one['title']}",
            f"  expected  {one['expected']}",
            f"  actual    {one['actual']}",
            *(f"  {line}" for line in one["curl"].splitlines()),
        ]
    return "\n".join(lines)


class RuleBroken(Exception):
    """The deployment breaks a rule; the text has each finding."""


class RuleItem(pytest.Item):
    """One rule as a test of pytest."""

    def runtest(self) -> None:
        """Fail when the rule is broken, skip when it was not verified."""
        verdicts = self.config.stash[_RUN].verdicts
        if self.name in verdicts.broken:
            raise RuleBroken(verdicts.broken[self.name])
        if self.name in verdicts.skipped:
            pytest.skip(verdicts.skipped[self.name])

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The findings of the rule, without a traceback of the judge."""
        if isinstance(excinfo.value, RuleBroken):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """The path, no line, and the rule with its sentence: a triple, as pytest asks for."""
        return self.path, None, f"{self.name} {RULES[self.name].title}"


def pytest_configure(config: pytest.Config) -> None:
    """Read the options before tests are collected, so that a wrong option is reported at once."""
    if config.getoption("--arklow-url") or config.getoption("--arklow-target"):
        config.stash[_RUN] = DeferredRun(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Judge the deployment once, in the controller of pytest-xdist, and hand the verdicts to each worker."""
    deferred = node.config.stash.get(_RUN, None)
    if deferred is not None:
        node.workerinput[_SHARED] = json.dumps(asdict(deferred.verdicts))


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Collect the rules alone, unless the command line names a path."""
    alone = config.args_source is not pytest.Config.ArgsSource.ARGS
    return True if _RUN in config.stash and alone else None


def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add a test for each rule that the options ask for."""
    if _RUN in config.stash:
        only = config.stash[_RUN].plan.only
        rules = [
            RuleItem.from_parent(session, name=rule, nodeid=f"arklow::{rule}")
            for rule in RULES
            if not only or rule in only
        ]
        items += rules
        report = pytest.CollectReport("arklow", "passed", None, list(rules))
        config.hook.pytest_collectreport(report=report)  # so that pytest counts them


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Name the deployment, the seed and the time limit in the header."""
    if _RUN not in config.stash:
        return []
    plan = config.stash[_RUN].plan
    return [f"arklow: {plan.target.base_url}, seed {plan.seed}, up to {plan.max_time:.0f} s"]


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Exit with 3 when the run was inconclusive: a run that verified too little must not be green."""
    deferred = session.config.stash.get(_RUN, None)
    if deferred is not None and deferred.finished and session.exitstatus == 0 and deferred.run.exit_code == 3:
        session.exitstatus = 3
    yield


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print warnings, interpretations, and why the run was inconclusive."""
    deferred = config.stash.get(_RUN, None)
    if deferred is None or not deferred.finished:
        return
    run = deferred.run
    terminalreporter.section("arklow")
    for finding in () if run.strict else run.warnings:
        one = printable_data(finding_data(finding, run))
        terminalreporter.line(f"warning {one['rule']} {one['operation']}: {one['title']}")
    for question, answer in run.interpretations.items():
        terminalreporter.line(f"interpretation {question}: {redacted_line(answer, run.secrets)}")
    if run.inconclusive:
        terminalreporter.line(f"inconclusive: {redacted_line(run.inconclusive, run.secrets)}", yellow=True)
