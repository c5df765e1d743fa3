"""The error of a command line that cannot be carried out."""

from __future__ import annotations


class Usage(Exception):
    """The command line cannot be carried out; the message says why, and what would pass."""


__all__ = ["Usage"]
