"""The plugin that holds fast tests to their lane, in pytest inside of a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.inner_pytest import pytested
from tests.lanes import Lanes

HEAD = "import multiprocessing, os, subprocess, sys, time\nimport pytest\n"
STARTS = {
    "a command": "subprocess.run([sys.executable, '-c', ''])",
    "the shell": "os.system('true')",
    "a pool of workers": "multiprocessing.get_context('spawn').Process(target=time.sleep, args=(30,), daemon=True).start()",
}


@pytest.mark.parametrize("start", [STARTS["a command"], STARTS["the shell"]], ids=["a command", "the shell"])
def test_a_fast_test_that_starts_a_process_fails(tmp_path: Path, start: str) -> None:
    """Before the process is there."""
    (tmp_path / "test_it.py").write_text(f"{HEAD}def test_it():\n    {start}\n")
    ran = pytested(tmp_path, plugins=[Lanes()], environment={})

    assert ran.code == 1
    assert "ProcessStarted" in ran.out


def test_a_fast_test_that_starts_none_passes(tmp_path: Path) -> None:
    """Nothing else is heard."""
    (tmp_path / "test_it.py").write_text(f"{HEAD}def test_it():\n    assert os.getpid() and sys.executable\n")

    assert pytested(tmp_path, plugins=[Lanes()], environment={}).code == 0


@pytest.mark.slow
def test_a_fast_test_that_leaves_a_worker_behind_fails(tmp_path: Path) -> None:
    """Children of multiprocessing are seen when the test has ended."""
    end = "    for child in multiprocessing.active_children():\n        child.kill()\n"
    (tmp_path / "test_it.py").write_text(
        f"{HEAD}@pytest.fixture(autouse=True)\ndef _end():\n    yield\n{end}"
        f"def test_it():\n    {STARTS['a pool of workers']}\n"
    )
    ran = pytested(tmp_path, plugins=[Lanes()], environment={})

    assert ran.code == 1
    assert "starts a child of multiprocessing: mark it slow" in ran.out


@pytest.mark.slow
@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_a_slow_test_may_start_processes(tmp_path: Path, start: str) -> None:
    """Of each kind."""
    end = "    for child in multiprocessing.active_children():\n        child.kill()\n"
    (tmp_path / "conftest.py").write_text(
        "def pytest_configure(config):\n    config.addinivalue_line('markers', 'slow: takes long')\n"
    )
    (tmp_path / "test_it.py").write_text(f"{HEAD}@pytest.mark.slow\ndef test_it():\n    {start}\n{end}")

    assert pytested(tmp_path, plugins=[Lanes()], environment={}).code == 0
