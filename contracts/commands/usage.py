"""The error of a command line that cannot be carried out."""

from __future__ import annotations


class Usage(Exception):
    """What was asked for makes no sense; the text says what would."""


__all__ = ["Usage"]
