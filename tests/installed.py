"""`pytest -p tests.installed`: the tests import what a wheel has installed, under the names of a clone.

A wheel has `contracts` and `mock_server` inside `arklow_local`. With the wheel's folder in PYTHONPATH every module of either
name is the one in there; `make test-wheel` does that.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import arklow_local

PACKAGES = frozenset({"contracts", "mock_server"})


class Installed(MetaPathFinder, Loader):
    """Finds a module of a clone in the wheel."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The wheel's module, for the two packages alone."""
        return ModuleSpec(name, self) if name.partition(".")[0] in PACKAGES else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module itself, so that there are no two of it."""
        module = import_module(f"arklow_local.{spec.name}")
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """It has run already; it keeps its own name."""
        assert module.__spec__ is not None
        module.__spec__ = module.__spec__.loader_state


assert arklow_local.__path__ == [arklow_local.__path__[0]], "arklow_local is that of a clone, and no wheel"
sys.meta_path.insert(0, Installed())
