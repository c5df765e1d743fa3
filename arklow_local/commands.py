"""What the commands `arklow-mock` and `arklow-contracts` start; says which extra is missing when one is."""

from __future__ import annotations

import sys
from importlib import import_module

from . import WHEEL


def mock() -> int:
    """`arklow-mock`; returns its exit code."""
    return _started("mock_server.cli.main", "arklow-mock", "mock")


def judge() -> int:
    """`arklow-contracts`; returns its exit code."""
    return _started("contracts.cli", "arklow-contracts", "judge")


def _started(module: str, command: str, extra: str) -> int:
    try:
        code: int = import_module(f"arklow_local.{module}").main()
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("arklow_local"):
            raise
        print(
            f"{command}: {error.name} is not installed; `pip install '{WHEEL}[{extra}]'` has it",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:  # before the program could say what it makes of it
        return 130
    return code


__all__ = ["judge", "mock"]
