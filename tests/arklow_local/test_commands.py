"""The two commands that a wheel installs: they start the programs, and say which extra is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import arklow_local
from arklow_local import WHEEL, commands

Load = Callable[[str], Any]
COMMANDS = {
    "arklow-mock": (commands.mock, "arklow_local.mock_server.cli.main", "mock"),
    "arklow-contracts": (commands.judge, "arklow_local.contracts.cli", "judge"),
}
"""Name → the entry point, the module of its program, and the extra that it needs."""


def _fails(error: BaseException) -> Load:
    def load(_: str) -> Any:
        raise error

    return load


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_starts_its_program_and_ends_with_its_exit_code(name: str) -> None:
    """Which is there under the name that it has in a wheel, in a clone too."""
    command, module, _ = COMMANDS[name]
    loaded: list[str] = []

    def load(wanted: str) -> Any:
        loaded.append(wanted)
        return SimpleNamespace(main=lambda: 7)

    assert command(load) == 7
    assert loaded == [module]
    file = Path(*module.split(".")[1:]).with_suffix(".py")
    assert [1 for folder in arklow_local.__path__ if Path(folder, file).is_file()] == [1]


@pytest.mark.parametrize("name", COMMANDS)
def test_an_extra_that_is_missing_is_named(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With what installs it; the exit code is that of a wrong flag."""
    command, _, extra = COMMANDS[name]

    assert command(_fails(ModuleNotFoundError("No module named 'uvicorn'", name="uvicorn"))) == 2
    assert capsys.readouterr().err == (
        f"{name}: uvicorn is not installed; `pip install '{WHEEL}[{extra}]'` has it\n"
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_a_part_of_ours_that_is_missing_is_a_defect(name: str) -> None:
    """No extra would help."""
    command, module, _ = COMMANDS[name]
    with pytest.raises(ModuleNotFoundError, match="ours"):
        command(_fails(ModuleNotFoundError("ours", name=module)))


@pytest.mark.parametrize("name", COMMANDS)
def test_ctrl_c_during_the_imports_is_no_traceback(name: str) -> None:
    """The exit code is that of a program which the signal ended."""
    assert COMMANDS[name][0](_fails(KeyboardInterrupt())) == 130
