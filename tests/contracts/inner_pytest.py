"""Pytest inside of a test, in the same process: with the plugins that are given, and no other installed ones."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from tests.contracts.commands import Ran


def pytested(
    directory: Path, *arguments: str | Path, plugins: Sequence[object] = (), environment: Mapping[str, str]
) -> Ran:
    """Run pytest in a directory and return its exit code and output; `environment` is added to that of the tests."""
    fixed = (
        "-s",
        "-c",
        os.devnull,
        "--rootdir",
        directory,
        "-p",
        "no:cacheprovider",
        "-p",
        "no:faulthandler",
    )
    out, errors = io.StringIO(), io.StringIO()
    with _environment(environment), _modules(directory), redirect_stdout(out), redirect_stderr(errors):
        code = pytest.main([*map(str, (*fixed, *arguments))], plugins=list(plugins))
    return Ran(int(code), out.getvalue(), errors.getvalue())


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Change the environment as far as pytest is concerned, and restore it."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(("PYTEST", "ARKLOW")):
            del os.environ[name]
    os.environ.update(variables, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _modules(directory: Path) -> Iterator[None]:
    """Work in a directory, and forget the modules that are imported from there."""
    before, path = Path.cwd(), list(sys.path)
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(before)
        sys.path[:] = path
        for name, module in list(sys.modules.items()):
            if (getattr(module, "__file__", None) or "").startswith(str(directory)):
                del sys.modules[name]


__all__ = ["pytested"]
