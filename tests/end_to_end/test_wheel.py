"""What a wheel installs in a user's project, in environments of its own."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from contracts.cli import parser as judge_parser
from mock_server.cli.flags import parser as mock_parser
from tests.once import once
from tests.processes import started

ROOT = Path(__file__).parents[2]
SYSTEM = [
    folder for folder in os.environ["PATH"].split(os.pathsep) if not (Path(folder) / "arklow-mock").exists()
]
"""Folders of commands, but for that of this clone."""
EXTRAS = {"arklow-mock": "mock", "arklow-contracts": "judge"}
"""Command → the extra that it needs."""


@dataclass(frozen=True)
class Environment:
    """A fresh virtual environment."""

    path: Path

    @property
    def scripts(self) -> Path:
        """The folder of its commands."""
        return self.path / ("Scripts" if os.name == "nt" else "bin")

    def run(
        self, command: str, *arguments: str, cwd: Path, path: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one of its commands without the paths of this process; `path` is a further folder of commands."""
        folders = [self.scripts, path, *SYSTEM] if path else [self.scripts, *SYSTEM]
        variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return subprocess.run(
            [self.scripts / command, *arguments],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=600,
            env={**variables, "PATH": os.pathsep.join(map(str, folders))},
        )

    def distributions(self) -> set[str]:
        """Names of the distributions in it."""
        return {file.name.partition("-")[0] for file in self.path.rglob("*.dist-info")}


def pip(*arguments: str | Path) -> None:
    """Run pip; it prints what goes wrong."""
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", *arguments], check=True, cwd=ROOT
    )


def environment(path: Path, *locks: str, wheel: Path) -> Environment:
    """Make an environment of what lock files pin, and the wheel."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", path], check=True)
    made = Environment(path)
    python = made.scripts / "python"
    for lock in locks:
        pip("--python", python, "install", "--no-deps", "--require-hashes", "-r", lock)
    pip("--python", python, "install", "--no-deps" if locks else "--no-index", wheel)
    return made


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this clone."""

    def build(folder: Path) -> None:
        pip("wheel", "--no-deps", "--no-build-isolation", "-w", folder, ".")

    (file,) = once(tmp_path_factory, "wheel", build).glob("*.whl")
    return file


def stage(name: str) -> list[list[str]]:
    """Lines of the Dockerfile about one of its images, as [instruction, rest]."""
    _, *stages = (ROOT / "Dockerfile").read_text("utf-8").split("FROM ")
    text = next(one for one in stages if one.startswith(f"python:3.13-slim AS {name}\n"))
    return [line.split(" ", 1) for line in text.splitlines()[1:] if line]


@pytest.fixture(scope="session")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that are sent to build an image."""
    names = [line.removeprefix("**/") for line in (ROOT / ".dockerignore").read_text("utf-8").split()]

    def copy(folder: Path) -> None:
        shutil.copytree(ROOT, folder / "arklow", ignore=shutil.ignore_patterns(*names))

    return once(tmp_path_factory, "context", copy) / "arklow"


def image(name: str, context: Path, path: Path) -> Environment:
    """Make an environment by the commands of an image."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", path], check=True)
    made = Environment(path)
    pip = f"{sys.executable} -m pip --python {made.scripts / 'python'} --disable-pip-version-check -q"
    for instruction, rest in stage(name):
        if instruction == "RUN" and rest.startswith("pip "):
            subprocess.run(f"{pip} {rest.removeprefix('pip ')}", shell=True, check=True, cwd=context)
    return made


@pytest.fixture(scope="session")
def mock_environment(context: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the mock."""
    folder = once(tmp_path_factory, "mock", lambda folder: image("mock", context, folder / "environment"))
    return Environment(folder / "environment")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A user's project, which has packages of the same names as our folders."""
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


@pytest.mark.slow
def test_a_wheel_takes_one_name(wheel: Path) -> None:
    """Names as general as `contracts` or `spec` are left to the project."""
    with zipfile.ZipFile(wheel) as files:
        top = {name.partition("/")[0] for name in files.namelist()}
        names = files.namelist()

    assert {name for name in top if not name.endswith(".dist-info")} == {"arklow_local"}
    assert "arklow_local/spec/arklow.openapi.yaml" in names
    assert wheel.name.endswith("-py3-none-any.whl")


@pytest.mark.slow
def test_a_wheel_without_extras_brings_no_dependency_and_says_what_is_missing(
    wheel: Path, project: Path, tmp_path: Path
) -> None:
    """Each command names the extra that it needs."""
    bare = environment(tmp_path / "bare", wheel=wheel)

    assert bare.distributions() == {"arklow_local"}
    for command, extra in EXTRAS.items():
        ran = bare.run(command, cwd=project)
        assert ran.returncode == 2
        assert f"`pip install '{wheel.name}[{extra}]'` has it" in ran.stderr


@pytest.mark.slow
def test_an_installed_wheel_passes_the_tests_of_the_clone(wheel: Path, tmp_path: Path) -> None:
    """A few quick ones; `make test-wheel` runs all."""
    pip("install", "--no-deps", "--target", tmp_path / "installed", wheel)
    quick = (
        "domain",
        "storage",
        "contracts/test_model.py",
        "contracts/test_checks.py",
        "contracts/test_reports.py",
    )
    ran = subprocess.run(
        [Path(sys.executable).parent / "pytest", "-p", "tests.installed", *(f"tests/{one}" for one in quick)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "PYTHONPATH": f"{tmp_path / 'installed'}{os.pathsep}{ROOT}"},
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr


def pinned(locks: Iterable[str], names: Iterable[str], to: Path) -> Path:
    """Write a lock file of some distributions alone."""
    text = "\n".join((ROOT / lock).read_text() for lock in locks)
    blocks = [re.search(rf"^{name}==(?:.*\\\n)+.*\n", text, re.MULTILINE) for name in names]
    to.write_text("".join(block[0] for block in blocks if block))
    return to


@pytest.mark.slow
def test_the_fixture_needs_pytest_alone_and_finds_a_mock_in_another_environment(
    wheel: Path, mock_environment: Environment, project: Path, tmp_path: Path
) -> None:
    """By an option, the ini file or PATH, whichever way pytest is started, beside packages with the names of our folders.

    The command of a wheel without the extra cannot start, and is passed over.
    """
    names = ("pytest", "pytest-xdist", "execnet", "iniconfig", "packaging", "pluggy", "pygments")
    lock = pinned(["requirements-dev.lock"], names, tmp_path / "pytest.lock")
    testing = environment(tmp_path / "testing", str(lock), wheel=wheel)
    mock = mock_environment.scripts / "arklow-mock"
    (project / "test_orders.py").write_text(
        "from arklow_local.testing import Arklow\n\n\n"
        "def test_an_order(arklow: Arklow):\n"
        "    records = arklow.call('GET', f'/v1/orgs/{arklow.org}/actions/records')\n"
        "    assert records.status == 200\n"
    )
    (project / "pytest.ini").write_text("[pytest]\npythonpath = .\nfilterwarnings = error\n")

    assert testing.distributions() == {"arklow_local", "pytest_xdist", *names} - {"pytest-xdist"}
    none = testing.run("pytest", cwd=project)
    assert none.returncode == 1
    assert "uv tool install 'arklow_local-0.1.0-py3-none-any.whl[mock]'" in none.stdout
    for command in (("pytest",), ("python", "-m", "pytest"), ("pytest", "-n", "2")):
        ran = testing.run(*command, "--arklow-mock", str(mock), cwd=project)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "2 passed" in ran.stdout
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "arklow-mock").symlink_to(mock)
    on_path = testing.run("pytest", cwd=project, path=tmp_path / "tools")
    assert on_path.returncode == 0, on_path.stdout + on_path.stderr
    (project / "pytest.ini").write_text(f"[pytest]\npythonpath = .\narklow_mock = {mock} --seed 7\n")
    by_ini = testing.run("pytest", cwd=project)
    assert by_ini.returncode == 0, by_ini.stdout + by_ini.stderr


def test_images_and_services_start_commands_and_flags_that_exist() -> None:
    """Those of the Dockerfile and of the compose file."""
    parsers = {"arklow-mock": mock_parser(), "arklow-contracts": judge_parser()}
    services = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]
    for service in services.values():
        said = {
            name: rest for name, rest in stage(service["build"]["target"]) if name in ("ENTRYPOINT", "CMD")
        }
        [command] = json.loads(said["ENTRYPOINT"])
        flags = json.loads(said["CMD"])
        for words in [service["command"], *([flags] if flags != ["--help"] else [])]:
            assert vars(parsers[command].parse_args(words)), words


@pytest.mark.slow
def test_the_judge_needs_no_package_of_the_mock_and_the_mock_none_of_the_judge(
    context: Path, mock_environment: Environment, project: Path, tmp_path: Path
) -> None:
    """Each extra in an environment of its own: the mock serves, the judge judges it, in a project with packages like ours."""
    judge_environment = image("judge", context, tmp_path / "judge")

    assert not mock_environment.distributions() & {"schemathesis", "hypothesis", "pytest"}
    assert not judge_environment.distributions() & {"connexion", "flask", "uvicorn"}
    mock = (mock_environment.scripts / "arklow-mock", "--port", "0", "--ingress-port", "0", "--no-admin")
    with started(mock, cwd=project, stderr=subprocess.DEVNULL) as serving:
        assert serving.stdout is not None
        lines = itertools.takewhile(lambda line: not line.startswith("Ready"), serving.stdout)
        url = re.findall(r"http://localhost:\d+", "".join(lines))[0]
        judged = judge_environment.run(
            *("arklow-contracts", "check", "--base-url", url, "--api-key", "dev-key", "--org", "1"),
            *("--only", "JSON-5", "--max-time", "20"),
            cwd=project,
        )
        nodes = judge_environment.run(
            *("pytest", "-p", "arklow_local.contracts.pytest_plugin"),
            *("--arklow-url", url, "--arklow-api-key", "dev-key", "--arklow-only", "JSON-5"),
            *("--arklow-max-time", "20"),
            cwd=project,
        )

    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert nodes.returncode == 0, nodes.stdout + nodes.stderr
    for command in (("pytest",), ("python", "-m", "pytest")):
        ran = judge_environment.run(*command, cwd=project)
        assert ran.returncode == 0, ran.stdout + ran.stderr
