"""Draw serve.svg and check.svg from real runs: `python docs/images/make.py`, from the repository's root."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CHECK = "arklow-contracts check --base-url http://localhost:3123 --api-key env:ARKLOW_API_KEY --org 1 --max-time 12"
STYLES = {
    r"\S+ [45]\d\d ": "red",
    "VIOLATION|FAILED": "bold red",
    "  (ID1=|curl)": "cyan",
    "  expected|  actual|  rule": "bold",
}
"""How a line begins → how it is drawn."""
REFUSED = """curl -s localhost:3125/v1/ingress/order.created -H 'x-arklow-auth: org-42' \\
  -H 'content-type: application/json' -d '{"payload":{"id":"8471"}}'"""


def main() -> None:
    """Draw both."""
    draw(serve(), "make run", "arklow-mock", "serve.svg")
    draw(check(), CHECK, "arklow-contracts", "check.svg")


def serve() -> str:
    """Serve on the default ports, run the calls of the reference and one that is refused; returns what was printed."""
    page = (ROOT / "docs" / "reference" / "mock.md").read_text("utf-8")
    calls = re.findall(r"```sh\n(curl.*?)```", page, re.DOTALL)[0]
    command = Path(sys.executable).parent / "arklow-mock"
    with subprocess.Popen([command], stdout=subprocess.PIPE, text=True) as mock:
        time.sleep(2)
        subprocess.run(["bash", "-euc", f"{calls}\n{REFUSED}"], check=True, stdout=subprocess.DEVNULL)
        time.sleep(1)
        mock.terminate()
        assert mock.stdout is not None
        return re.sub(r"Bearer \S+", "Bearer Kx3…", mock.stdout.read())


def check() -> str:
    """Judge a deployment that lets a future attempt extend a lease; returns what was printed."""
    mutant = [sys.executable, "-m", "tests.mutants", "--mutant", "S05", "--port", "3123"]
    with subprocess.Popen(mutant, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        server.stdout.readline()
        command = shlex.split(f"{Path(sys.executable).parent}/{CHECK}")
        environment = {**os.environ, "ARKLOW_API_KEY": "good-key-one"}
        ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        server.terminate()
    assert ran.returncode == 1, ran.stdout
    return ran.stdout


def draw(printed: str, command: str, title: str, name: str) -> None:
    """A terminal with a command and what it printed."""
    console = Console(record=True, width=124, file=Path("/dev/null").open("w"))  # noqa: SIM115
    console.print(f"$ {command}", highlight=False)
    for line in printed.splitlines():
        style = next((style for pattern, style in STYLES.items() if re.match(pattern, line)), "")
        console.print(line, style=style, highlight=False, markup=False)
    svg = console.export_svg(title=title, theme=MONOKAI)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL).replace("Fira Code", "ui-monospace")
    (HERE / name).write_text(re.sub(r"<!--.*?-->\s*", "", svg))


if __name__ == "__main__":
    main()
