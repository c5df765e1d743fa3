"""Plans that the text of a `targets.toml` makes, and how one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts import Plan
from contracts.cli import parser
from contracts.commands.plan_options import plan_of
from contracts.commands.usage import Usage

HIDDEN = "s3cret-that-is-hidden"
"""A secret that no message may show."""
ENVIRONMENT = {"KEY": "good-key-one", "OTHER": "good-key-two", "GATE": "open sesame", "HIDDEN": HIDDEN}
PLAIN = """
[targets.a]
base_url = "https://staging.example"
org = 1
api_key = "env:KEY"
"""
"""The shortest file that names a target."""


def planned(text: str, *flags: str, name: str = "a") -> Plan:
    """Return the plan for a target of a `targets.toml` in the working directory with this text, and for flags."""
    Path("targets.toml").write_text(text)
    return plan_of(parser().parse_args(["check", "--target", name, *flags]), ENVIRONMENT)


def refusal(text: str, *flags: str, name: str = "a") -> str:
    """Return the message of the refusal, which shows no secret and is one line."""
    with pytest.raises(Usage) as refused:
        planned(text, *flags, name=name)
    said = str(refused.value)
    assert HIDDEN not in said
    assert len(said.splitlines()) == 1
    return said


__all__ = ["ENVIRONMENT", "HIDDEN", "PLAIN", "planned", "refusal"]
