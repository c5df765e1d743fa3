"""A local stand-in for Arklow: the published OpenAPI document, served over a stateful world in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .settings import Settings

if TYPE_CHECKING:
    from .app import create_app

__version__ = "0.1.0"

__all__ = ["Settings", "__version__", "create_app"]


def __getattr__(name: str) -> Any:
    """Import `create_app` on first use, so that `arklow-mock --help` need not load Connexion."""
    if name == "create_app":
        from .app import create_app

        return create_app
    raise AttributeError(name)
