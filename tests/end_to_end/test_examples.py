"""The examples run as they are written, in a copy, with the mock of this clone on PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.processes import free_port
from tests.processes import environment, mock_command

EXAMPLES = Path(__file__).parents[2] / "examples"


def require(*commands: str) -> None:
    """Skip the test where a command is not installed; fail it in CI, where `.ci/run` installs all."""
    missing = [name for name in commands if shutil.which(name) is None]
    if missing and os.environ.get("CI"):
        pytest.fail(f"expected {', '.join(commands)} on PATH, got no {', '.join(missing)}")
    if missing:
        pytest.skip(f"needs {', '.join(missing)} on PATH")


def copied(name: str, to: Path) -> Path:
    """Copy an example without what its tools have made, beside a folder with the command `arklow-mock`."""
    (to / "bin").mkdir()
    mock_command(to / "bin" / "arklow-mock")
    made = shutil.ignore_patterns("node_modules", "test-results", "arklow.ts", "__pycache__")
    return Path(shutil.copytree(EXAMPLES / name, to / name, ignore=made))


def run(command: Sequence[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in an example's folder; both outputs are in `stdout`."""
    path = f"{folder.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(PATH=path, NO_COLOR="1", **variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )


@pytest.mark.slow
def test_the_example_for_pytest_passes(tmp_path: Path) -> None:
    """The plugin is loaded as the entry point of the wheel loads it."""
    folder = copied("pytest", tmp_path)
    plugin = ("--disable-plugin-autoload", "-p", "arklow_local.pytest_fixture", "-p", "no:cacheprovider")
    mock = ("--arklow-mock", str(tmp_path / "bin" / "arklow-mock"))
    ran = run([sys.executable, "-m", "pytest", *plugin, *mock, "."], folder)

    assert ran.returncode == 0, ran.stdout
    assert "1 passed" in ran.stdout


@pytest.mark.slow
def test_the_example_for_playwright_passes(tmp_path: Path) -> None:
    """In the browser of the system."""
    require("node", "npm", "chromium")
    folder, port = copied("playwright", tmp_path), free_port()
    installed = run(["npm", "ci"], folder)
    assert installed.returncode == 0, installed.stdout
    chromium = shutil.which("chromium") or ""
    ran = run(["npx", "playwright", "test"], folder, CI="true", ARKLOW_PORT=str(port), CHROMIUM=chromium)

    assert ran.returncode == 0, ran.stdout
    assert "1 passed" in ran.stdout


@pytest.mark.slow
def test_the_example_for_vitest_passes_and_its_client_is_that_of_the_document(tmp_path: Path) -> None:
    """The compiler refuses a path that the document has not."""
    require("node", "npm")
    folder = copied("vitest", tmp_path)
    installed = run(["npm", "ci"], folder)
    assert installed.returncode == 0, installed.stdout
    ran = run(["npm", "test"], folder)
    assert ran.returncode == 0, ran.stdout
    assert "1 passed" in ran.stdout

    test = folder / "orders.test.ts"
    test.write_text(test.read_text().replace("/v1/ingress/{variant}", "/v1/ingress/{name}"))
    wrong = run(["npm", "run", "posttest"], folder)

    assert wrong.returncode != 0
    assert "/v1/ingress/{name}" in wrong.stdout


@pytest.mark.parametrize("name", ["playwright", "vitest"])
def test_a_lock_has_no_address_of_a_registry(name: str) -> None:
    """Each user has a registry of their own; the digests are the same everywhere."""
    lock = (EXAMPLES / name / "package-lock.json").read_text()

    assert '"resolved"' not in lock
    assert lock.count('"integrity"') >= 3
