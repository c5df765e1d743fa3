"""`pytest -p tests.installed`: make the tests import what a wheel has installed, by the names that a clone has.

A wheel has `contracts` and `mock_server` inside `arklow_local`. With the wheel's folder in PYTHONPATH, each module of either
package is the one of the wheel; `make test-wheel` runs all tests so.
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
    """Finds in the wheel a module that is imported by its name in a clone."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the wheel's module, for the two packages alone."""
        return ModuleSpec(name, self) if name.partition(".")[0] in PACKAGES else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Give the wheel's module itself, as two copies of a module would have different classes."""
        module = import_module(f"arklow_local.{spec.name}")
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Restore the name of the module, which has run already."""
        assert module.__spec__ is not None
        module.__spec__ = module.__spec__.loader_state


assert arklow_local.__path__ == [arklow_local.__path__[0]], "arklow_local is that of a clone, and no wheel"
sys.meta_path.insert(0, Installed())
