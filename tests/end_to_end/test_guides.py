"""The commands of the guides, run as written; only the ports are others, and this tree is what is installed."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from contracts.cli import parser
from tests.running_mock import RunningMock

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
SCRIPTS = Path(sys.executable).parent
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`([\w.-]+\.(?:yaml|toml))`[^`]*\Z")
"""The file name that stands last before a block."""


def script(guide: str) -> str:
    """A shell script of all that a reader would type and write into files, in the order of the page."""
    text = (GUIDES / guide).read_text("utf-8")
    lines = ["set -euo pipefail"]
    for block in BLOCK.finditer(text):
        language, body = block.groups()
        own = re.match(r"# ([\w.-]+)\n", body)
        named = NAMED.search(text[: block.start()])
        if language == "sh":
            lines += [line for line in body.splitlines() if not re.search(r"pip install|-m venv", line)]
        elif language in ("yaml", "toml") and (own or named):
            name = (own or named or block)[1]
            lines += [f"cat > {name} <<'END'", body.rstrip("\n"), "END"]
    return "\n".join(lines) + "\n"


def carried_out(lines: str, home: Path, ports: dict[str, int]) -> subprocess.CompletedProcess[str]:
    """Run a script in an empty home with the commands of this tree, on other ports."""
    (home / ".arklow").mkdir(parents=True)
    (home / ".arklow" / "bin").symlink_to(SCRIPTS)
    for usual, port in ports.items():
        lines = lines.replace(usual, str(port))
    return subprocess.run(
        ["bash", "-c", lines],
        cwd=home,
        env={"PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}", "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=600,
    )


def free_ports(count: int) -> list[int]:
    """Ports that are free at this moment."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(one.getsockname()[1]) for one in sockets]


@pytest.mark.slow
def test_a_frontend_teams_day(tmp_path: Path) -> None:
    """From the first answer to a retry that succeeds; each `grep` finds what the guide says."""
    usual = ("3123", "3125", "3124", "3133", "3135", "3134")
    ports = dict(zip(usual, free_ports(len(usual)), strict=True))
    lines = script("frontend-day.md").replace(
        "arklow-mock &", "arklow-mock --port 3123 --ingress-port 3125 --admin-port 3124 &"
    )
    waiting = (
        r"\1\ncurl -so /dev/null --retry 50 --retry-connrefused --retry-delay 1 localhost:\2/openapi.json"
    )
    lines = re.sub(r"^(.*--port (\d+) .*&)$", waiting, lines, flags=re.MULTILINE)

    ran = carried_out(f"trap 'kill $(jobs -p)' EXIT\n{lines}", tmp_path / "home", ports)

    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.slow
def test_a_gate_on_your_own_machine(served: RunningMock, tmp_path: Path) -> None:
    """A dry run, a gate, and a gate that expects the interpretations of the one before."""
    ports = {"3123": served.port, "3125": served.ingress_port}

    ran = carried_out(script("ci-gate.md"), tmp_path / "home", ports)

    assert ran.returncode == 0, ran.stdout + ran.stderr


def commands(guide: str) -> list[list[str]]:
    """Every command of the judge in a guide, those in pipeline files included, as lists of arguments."""
    text = (GUIDES / guide).read_text("utf-8").replace("\\\n", " ")
    found = re.findall(r"^(?:\s*- (?:run: )?)?(arklow-contracts .*)$", text, re.MULTILINE)
    return [shlex.split(re.sub(r"\$[A-Z_]+", "1", line))[1:] for line in found]


@pytest.mark.parametrize("guide", sorted(guide.name for guide in GUIDES.glob("*.md")))
def test_every_command_of_a_guide_can_be_parsed(
    guide: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its flags exist."""
    (tmp_path / "pages").symlink_to(GUIDES.parents[1] / "spec" / "upstream")
    monkeypatch.chdir(tmp_path)
    for words in commands(guide):
        assert parser().parse_args(words).command == words[0]


def test_pipelines_are_yaml_and_call_the_judge() -> None:
    """Both pass on the reports that the guide names."""
    text = (GUIDES / "ci-gate.md").read_text("utf-8")
    github, gitlab = (yaml.safe_load(body) for language, body in BLOCK.findall(text) if "# ." in body[:3])
    steps = [step.get("run", "") for step in github["jobs"]["contract"]["steps"]]

    assert any(step.startswith("arklow-contracts check") for step in steps)
    assert any(step.startswith("arklow-contracts check") for step in gitlab["contract"]["script"])
    assert gitlab["contract"]["artifacts"]["reports"]["junit"] == "out/junit.xml"
