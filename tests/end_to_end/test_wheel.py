"""What a wheel installs in somebody else's project, in environments of its own."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = {"arklow-mock": "mock", "arklow-contracts": "judge"}


@dataclass(frozen=True)
class Environment:
    """A fresh virtual environment."""

    path: Path

    @property
    def scripts(self) -> Path:
        """Where its commands are."""
        return self.path / ("Scripts" if os.name == "nt" else "bin")

    def run(self, command: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run one of its commands, with nothing of this process's paths."""
        variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return subprocess.run(
            [self.scripts / command, *arguments],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=60,
            env={**variables, "PATH": f"{self.scripts}{os.pathsep}{variables['PATH']}"},
        )

    def has(self) -> set[str]:
        """Names of the distributions in it."""
        return {file.name.partition("-")[0] for file in self.path.rglob("*.dist-info")}


def pip(*arguments: str | Path) -> None:
    """Run pip, which prints what went wrong."""
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", *arguments], check=True, cwd=ROOT
    )


def environment(path: Path, *locks: str, wheel: Path) -> Environment:
    """What a lock file pins, and the wheel."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", path], check=True)
    made = Environment(path)
    python = made.scripts / "python"
    for lock in locks:
        pip("--python", python, "install", "--no-deps", "--require-hashes", "-r", lock)
    pip("--python", python, "install", "--no-deps" if locks else "--no-index", wheel)
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this clone."""
    built = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "-w", built, ".")
    (file,) = built.glob("*.whl")
    return file


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Somebody's project, which has packages of the same names as our folders."""
    folder = tmp_path / "shop"
    for package in ("contracts", "mock_server"):
        (folder / package).mkdir(parents=True)
        (folder / package / "__init__.py").write_text("OURS = True\n")
    (folder / "test_shop.py").write_text(
        "import contracts\nimport mock_server\n\n\n"
        "def test_these_are_ours():\n    assert contracts.OURS and mock_server.OURS\n"
    )
    (folder / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    return folder


def test_a_wheel_takes_one_name(wheel: Path) -> None:
    """Names as general as `contracts` or `spec` stay whose they are."""
    with zipfile.ZipFile(wheel) as files:
        top = {name.partition("/")[0] for name in files.namelist()}
        names = files.namelist()

    assert {name for name in top if not name.endswith(".dist-info")} == {"arklow_local"}
    assert "arklow_local/spec/arklow.openapi.yaml" in names
    assert wheel.name.endswith("-py3-none-any.whl")


def test_a_wheel_alone_brings_nothing_and_says_what_is_missing(
    wheel: Path, project: Path, tmp_path: Path
) -> None:
    """Each command names the extra that it needs."""
    bare = environment(tmp_path / "bare", wheel=wheel)

    assert bare.has() == {"arklow_local"}
    for command, extra in COMMANDS.items():
        ran = bare.run(command, cwd=project)
        assert ran.returncode == 2
        assert f"`pip install 'arklow-local[{extra}]'` has it" in ran.stderr


def test_judging_needs_nothing_of_mocking_and_the_other_way_round(
    wheel: Path, project: Path, tmp_path: Path
) -> None:
    """Each extra in an environment of its own: the one serves, the other judges it, in a project with packages like ours."""
    mocking = environment(tmp_path / "mocking", "requirements.lock", wheel=wheel)
    judging = environment(tmp_path / "judging", "requirements-judge.lock", wheel=wheel)

    assert not mocking.has() & {"schemathesis", "hypothesis", "pytest"}
    assert not judging.has() & {"connexion", "flask", "uvicorn"}
    started = [str(mocking.scripts / "arklow-mock"), "--port", "0", "--ingress-port", "0", "--no-admin"]
    with subprocess.Popen(started, cwd=project, stdout=subprocess.PIPE, text=True) as serving:
        try:
            assert serving.stdout is not None
            lines = itertools.takewhile(lambda line: not line.startswith("Ready"), serving.stdout)
            url = re.findall(r"http://localhost:\d+", "".join(lines))[0]
            key = ("--api-key", "dev-key", "--org", "1")
            judged = judging.run(
                "arklow-contracts", "check", "--base-url", url, *key, "--only", "JSON-5", cwd=project
            )
            nodes = judging.run(
                *("pytest", "-p", "arklow_local.contracts.pytest_plugin"),
                *("--arklow-url", url, "--arklow-api-key", "dev-key", "--arklow-only", "JSON-5"),
                cwd=project,
            )
        finally:
            serving.terminate()

    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert nodes.returncode == 0, nodes.stdout + nodes.stderr
    for command in (("pytest",), ("python", "-m", "pytest")):
        ran = judging.run(*command, cwd=project)
        assert ran.returncode == 0, ran.stdout + ran.stderr
