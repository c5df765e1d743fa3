"""The judge as a pytest plugin: `pytest -p contracts.pytest_plugin --arklow-url …` has one test for each rule."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
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
from .core.findings import Finding
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
    "--arklow-max-time": ("--max-time", "seconds the run may take"),
    "--arklow-seed": ("--seed", "repeat the requests of another run"),
    "--arklow-report-dir": ("--report-dir", "write report.html, report.json and junit.xml there"),
    "--arklow-only": ("--only", "code of a rule to listen to; may be repeated"),
    "--arklow-document": ("--document", "another OpenAPI 3.1 document to judge by"),
    "--arklow-spec-dir": ("--spec-dir", "a directory of pages to judge by"),
}
"""Option of pytest → the flag of `arklow-contracts check` that it stands for, and its help."""

PORTS: Final = pytest.StashKey[Ports]()
"""Time and wire of the run, where another plugin has put them into the stash of the configuration."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flags of `arklow-contracts check`, each with `--arklow-` before its name."""
    group = parser.getgroup("arklow", "judge a deployment of Arklow")
    for option, (flag, text) in _FLAGS.items():
        group.addoption(option, action="append" if flag == "--only" else "store", help=text)
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
        try:
            self._options = cli.parser().parse_args(argv)
            self.plan = plan_of(self._options, os.environ)
            load(self.plan.document)
        except (Usage, Unreadable) as error:
            raise pytest.UsageError(str(error)) from None
        self._ports = config.stash.get(PORTS, Ports())
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


_RUN = pytest.StashKey[DeferredRun]()


class RuleBroken(Exception):
    """The deployment breaks a rule; `records` has each finding as a report has it."""

    def __init__(self, findings: list[Finding], run: RunFinished) -> None:
        self.records = [printable_data(finding_data(finding, run)) for finding in findings]
        super().__init__(self.records[0]["title"])


class RuleItem(pytest.Item):
    """One rule as a test of pytest."""

    def runtest(self) -> None:
        """Fail when the rule is broken, skip when it was not verified."""
        run = self.config.stash[_RUN].run
        found = [one for one in (*run.violations, *run.warnings) if one.rule == self.name]
        if found and (RULES[self.name].severity is Severity.VIOLATION or run.strict):
            raise RuleBroken(found, run)
        if self.name in run.not_verified:
            pytest.skip(redacted_line(run.not_verified[self.name], run.secrets))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The findings of the rule, without a traceback of the judge."""
        if not isinstance(excinfo.value, RuleBroken):
            return super().repr_failure(excinfo, style)
        rule = RULES[self.name]
        lines = [f"{rule.title} ({rule.source})"]
        for one in excinfo.value.records:
            lines += [
                "",
                f"{one['operation']}: {one['title']}",
                f"  expected  {one['expected']}",
                f"  actual    {one['actual']}",
                *(f"  {line}" for line in one["curl"].splitlines()),
            ]
        return "\n".join(lines)

    def reportinfo(self) -> tuple[Path, None, str]:
        """The path, no line, and the rule with its sentence: a triple, as pytest asks for."""
        return self.path, None, f"{self.name} {RULES[self.name].title}"


def pytest_configure(config: pytest.Config) -> None:
    """Read the options before tests are collected, so that a wrong option is reported at once."""
    if config.getoption("--arklow-url") or config.getoption("--arklow-target"):
        config.stash[_RUN] = DeferredRun(config)


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
