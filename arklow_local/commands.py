"""The entry points of the commands `arklow-mock` and `arklow-contracts`.

A wheel installs both commands whatever extras were asked for; each says which extra is missing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from . import WHEEL


def mock(load: Callable[[str], Any] = import_module) -> int:
    """Run `arklow-mock`, whose module is loaded by its full name; returns its exit code."""
    return _run(load, "mock_server.cli.main", "arklow-mock", "mock")


def judge(load: Callable[[str], Any] = import_module) -> int:
    """Run `arklow-contracts`, whose module is loaded by its full name; returns its exit code."""
    return _run(load, "contracts.cli", "arklow-contracts", "judge")


def _run(load: Callable[[str], Any], module: str, command: str, extra: str) -> int:
    try:
        code: int = load(f"arklow_local.{module}").main()
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("arklow_local"):
            raise
        print(
            f"{command}: {error.name} is not installed; `pip install '{WHEEL}[{extra}]'` has it",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:  # during the imports, before the program handles it
        return 130
    return code


__all__ = ["judge", "mock"]
