"""What the judge knows by heart, stored and compared: its rules, its questions, its scenarios, and the corpus of requests.

python -m tests.corpus.tables record
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from contracts.core.rules import RULES
from contracts.generation.corpus.catalogue import large_probes, probes
from contracts.generation.corpus.probe import Probe
from contracts.model.interpretations import QUESTIONS
from contracts.phases.requests import INGRESS, MODACK, PUT
from contracts.phases.scenarios import SCENARIOS

GOOD: Final[dict[str, dict[str, Any]]] = {
    INGRESS: {"payload": {"order_id": "8471"}, "version": 1},
    MODACK: {"action_record_id": "3625117063004160000", "attempt": 0, "mod_ack": 300},
    PUT: {"variant": "order.created", "schema": {"type": "object"}},
    "POST /v1/ack": {"attempt": 0},
}
"""Operation → a body that the requests of the corpus depart from; the last one is an operation of another document."""
STORED: Final = Path(__file__).parent / "tables.txt.xz"
_LONG: Final = 600
"""Characters of a member from which its digest stands for it."""


@cache
def tables() -> list[str]:
    """Return a line for each member of each rule, question, scenario and request."""
    return list(_lines())


def stored() -> list[str]:
    """Return the lines that were recorded."""
    return lzma.decompress(STORED.read_bytes()).decode().splitlines()


def record() -> None:
    """Store the lines as they are now."""
    text = "\n".join(tables()) + "\n"
    STORED.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


def _lines() -> Iterator[str]:
    for code, rule in RULES.items():
        yield from _members(f"rule {code}", rule)
    for question in QUESTIONS.values():
        yield from _members(f"question {question.name}", question)
    for scenario in SCENARIOS:
        yield f"scenario {scenario.title}: {sorted(scenario.rules)}"
    for label, good in GOOD.items():
        for made in (probes, large_probes):
            for probe in made(label, good):
                yield from _members(f"{label} {probe.title}", _comparable(probe))


def _members(name: str, value: Any) -> Iterator[str]:
    """A line for each member of a dataclass that says more than nothing; a digest stands for a long one."""
    for field in fields(value):
        member = getattr(value, field.name)
        if member not in (None, False, "", (), frozenset()):
            said = ascii(sorted(map(str, member)) if isinstance(member, frozenset) else member)
            if len(said) > _LONG:
                said = f"{said[:40]}… {len(said)} characters, sha256 {sha256(said.encode()).hexdigest()}"
            yield f"{name} | {field.name}: {said}"


def _comparable(probe: Probe) -> Probe:
    """A request without what compression makes of its body, as that differs between versions of zlib."""
    body = probe.body or b""
    codings = [value for name, value in probe.headers if name == "content-encoding"]
    if body.startswith(b"\x1f\x8b") or (codings == ["deflate"] and not body.startswith(b"{")):
        return replace(probe, body=b"compressed")
    return probe


if __name__ == "__main__":
    record()
