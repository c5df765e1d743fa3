"""What the judge says of forty mutants and ten conforming variants, stored and compared.

Each server is judged several times by the same code when it is recorded. All that was said of it is stored, so that
another run says the same if it says what one of them said.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from tests.corpus.deployments import CHOICES, Server, drawn, judged, served

STORED: Final = Path(__file__).parent / "verdicts.json"
FLAGS: Final = ("--profile", "gate", "--seed", "7", "--max-requests", "1000", "--name-prefix", "corpus")
"""A gate is bounded by its requests and not by time, so a slow machine sends no others."""
MUTANTS, VARIANTS = 40, 10
_AT_A_TIME: Final = 2
DECISIVE: Final = ("exit code", "violations", "warnings")
"""The parts of an outcome that make a verdict; the others are told of, and not decisive."""

Outcome = dict[str, Any]


def outcome(server: Server) -> Outcome:
    """What one run of the judge says of one server."""
    with served(server) as url:
        code, report = judged(server, url, FLAGS)
    return {
        "exit code": code,
        "violations": _findings(report.get("violations", ())),
        "warnings": _findings(report.get("warnings", ())),
        "ids": sorted(one["id"] for kind in ("violations", "warnings") for one in report.get(kind, ())),
        "choices": report.get(CHOICES, {}),
        "not verified": sorted(one["rule"] for one in report.get("not_verified", ())),
        "requests": report.get("requests"),
    }


def _findings(found: Sequence[dict[str, Any]]) -> list[str]:
    return sorted(f"{one['rule']} {one['operation']}".strip() for one in found)


def outcomes(servers: Sequence[Server], tell: Callable[[str], None]) -> Iterator[tuple[Server, Outcome]]:
    """Judge servers, two at a time, in their order."""
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        for server, found in zip(servers, pool.map(outcome, servers), strict=True):
            tell(f"{server}: {told(found)}")
            yield server, found


def told(found: Outcome) -> str:
    """An outcome in one line."""
    warnings = [f"({one})" for one in found["warnings"]]
    return f"exit code {found['exit code']}  {'  '.join([*found['violations'], *warnings])}"


def record(path: Path, rounds: int, tell: Callable[[str], None]) -> int:
    """Judge every server in each round, and add to what is stored."""
    stored: dict[str, Any] = {"flags": FLAGS, "servers": []}
    if path.exists():
        stored = json.loads(path.read_text("utf-8"))
    known = {Server(one["kind"], one["name"]): one for one in stored["servers"]}
    for server in drawn(MUTANTS, VARIANTS):
        if server not in known:
            known[server] = {"kind": server.kind, "name": server.name, "runs": 0, "seen": {}}
            stored["servers"].append(known[server])
    for number in range(rounds):
        tell(f"round {number + 1} of {rounds}")
        for server, found in outcomes(list(known), tell):
            entry = known[server]
            entry["runs"] += 1
            for part, value in found.items():
                seen = entry["seen"].setdefault(part, [])
                if value not in seen:
                    seen.append(value)
            entry["unstable"] = [part for part, seen in entry["seen"].items() if len(seen) > 1]
            path.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return 0


def compare(path: Path, names: Sequence[str], tell: Callable[[str], None]) -> int:
    """Judge every stored server again; 1 when a verdict is another one."""
    stored = json.loads(path.read_text("utf-8"))
    entries = {Server(one["kind"], one["name"]): one for one in stored["servers"]}
    wanted = [server for server in entries if not names or server.name in names]
    differing = aside = 0
    for server, found in outcomes(wanted, lambda _: None):
        seen = entries[server]["seen"]
        other = [part for part, value in found.items() if value not in seen[part]]
        decisive = [part for part in other if part in DECISIVE]
        differing += bool(decisive)
        aside += bool(other and not decisive)
        word = "differs" if decisive else "same, but for details" if other else "same"
        tell(f"{word:22} {server}: {told(found)}")
        for part in other:
            tell(f"  {part}: expected {' or '.join(map(str, seen[part]))}")
            tell(f"  {' ' * len(part)}  got      {found[part]}")
    tell(f"{len(wanted)} servers: {differing} verdicts differ, {aside} in details alone")
    return 1 if differing else 0
