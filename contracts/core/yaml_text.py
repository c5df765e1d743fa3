"""The door to YAML: text in and out."""

from __future__ import annotations

from typing import Any

import yaml


def read_yaml(text: bytes | str) -> Any:
    """The value of a YAML or JSON text.

    Raises:
        ValueError: it is neither; its words are one line.
    """
    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(" ".join(str(error).split())[:160]) from None


def write_yaml(value: Any) -> str:
    """A value as YAML, members in their order."""
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
    return text


__all__ = ["read_yaml", "write_yaml"]
