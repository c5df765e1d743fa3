"""The random order of the tests: the command that runs them in the same order again."""

from __future__ import annotations

import shlex

import pytest


def command(config: pytest.Config) -> str | None:
    """Return the command that runs the same tests in the order of this run, in one process; None without random order."""
    seed = config.getoption("randomly_seed", None)
    if seed is None:
        return None
    lane = config.getoption("markexpr")
    chosen = config.args if config.args_source is pytest.Config.ArgsSource.ARGS else []
    words = ["pytest", "-n0", *(["-m", lane] if lane else []), f"--randomly-seed={seed}", *chosen]
    return shlex.join(words)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print that command."""
    if (again := command(config)) is not None:
        terminalreporter.write_line(f"The same order again: {again}")


__all__ = ["command", "pytest_terminal_summary"]
