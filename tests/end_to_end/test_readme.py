"""The README's blocks, run in their order in a fresh clone, as a newcomer types them; only the ports are others."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.end_to_end.test_guides import free_ports
from tests.processes import environment
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def clone(folder: Path) -> Path:
    """Copy what a clone of this tree would have into a folder; returns it."""
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout.split(b"\0")
    for name in filter(None, names):
        source, target = ROOT / os.fsdecode(name), folder / os.fsdecode(name)
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    return folder


@contextmanager
def started(script: str, home: Path, variables: dict[str, str]) -> Iterator[list[str]]:
    """A shell that runs a script until the block ends; the lines that it has printed when it says that it is ready."""
    process = subprocess.Popen(
        ["bash", "-euc", script],
        cwd=home,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    lines: list[str] = []
    reader = threading.Thread(target=process.stdout.read, daemon=True)  # a full pipe would stop the mock
    try:
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith("Ready."):
                break
        reader.start()
        yield lines
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=PATIENCE)
        reader.join()
        process.stdout.close()


def run(script: str, home: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A script that ends by itself."""
    return subprocess.run(
        ["bash", "-euc", script], cwd=home, env=variables, capture_output=True, text=True, timeout=1_200
    )


@pytest.mark.slow
@pytest.mark.timeout(1_800)  # two installations, and a run of the judge
def test_the_readme_does_what_it_says(tmp_path: Path) -> None:
    """The mock starts, work is accepted as shown, the mock conforms, and the example test passes."""
    home = clone(tmp_path / "arklow")
    (serve, call, check), (example,) = (
        [body for language, body in BLOCK.findall(README) if language == wanted]
        for wanted in ("sh", "python")
    )
    control, ingress = free_ports(2)
    ports = f"--port {control} --ingress-port {ingress} --admin-port 0"
    serve = serve.replace('ARGS="', f'ARGS="{ports} ')
    call = call.replace("localhost:3125", f"localhost:{ingress}")
    variables = {
        name: text
        for name, text in environment().items()
        if name not in ("PYTHONPATH", "MAKEFLAGS", "MAKELEVEL")
    }

    with started(serve, home, variables) as printed:
        assert printed, "nothing was printed"
        assert printed[-1].startswith("Ready."), "\n".join(printed)
        called = run(call, home, variables)
        checked = run(check, home, {**variables, "BASE_URL": f"http://localhost:{control}"})
    (home / "test_orders.py").write_text(example)
    tested = run(".venv/bin/pytest -q test_orders.py", home, variables)

    assert called.stdout.splitlines() == re.findall(r"^# → (.*)$", call, re.MULTILINE)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert tested.returncode == 0, tested.stdout + tested.stderr
