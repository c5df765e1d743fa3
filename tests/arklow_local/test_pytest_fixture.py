"""The fixture `arklow` in pytest inside of a test, on the mock that all tests of this process share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from arklow_local import pytest_fixture
from arklow_local.process import CannotStart, Mock
from arklow_local.pytest_fixture import PROCESS
from tests.arklow_local.inner_tests import JOURNALLED
from tests.arklow_local.test_testing import known
from tests.contracts.commands import Ran
from tests.contracts.inner_pytest import pytested
from tests.running_mock import RunningMock


@dataclass
class Found:
    """Stands for the process of a mock: there is one already, or none can be started."""

    running: Mock | None
    asked: int = 0

    def mock(self) -> Mock:
        """Say where it answers."""
        self.asked += 1
        if self.running is None:
            raise CannotStart("expected the command of a mock, got none")
        return self.running

    def stop(self) -> None:
        """Leave it to the tests."""


class Plugin:
    """Gives a process to the fixture."""

    def __init__(self, process: Found) -> None:
        self._process: Any = process

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Put it where the fixture looks for one."""
        config.stash[PROCESS] = self._process


def run(folder: Path, tests: str, process: Found, *flags: str) -> Ran:
    """Run these tests with the fixture."""
    (folder / "test_shop.py").write_text(tests)
    plugins = [Plugin(process), pytest_fixture]
    return pytested(folder, *flags, "test_shop.py", plugins=plugins, environment={"COLUMNS": "120"})


MANY = """
from datetime import datetime, timedelta, timezone
import pytest

SEEN = []

@pytest.mark.parametrize("n", range(12))
def test_no_other_test_is_here(arklow, arklow_mock, n):
    at = datetime(2030, 1, 1, tzinfo=timezone.utc) + timedelta(days=n)
    assert arklow.journal.entries() == []
    arklow.clock.freeze(at)
    path = f"/v1/orgs/{arklow.org}/actions"
    assert arklow.call("PUT", f"{path}/definitions", {"variant": "v", "schema": {}}).data["version"] == 1
    ids = [arklow.call("POST", "/v1/ingress/v", {"payload": n}).data["a_id"] for _ in range(n % 4 + 1)]
    assert sorted(one["id"] for one in arklow.call("GET", f"{path}/records?limit=50").data["items"]) == ids
    assert arklow.clock.now == at
    assert arklow.url == arklow_mock.base_url
    SEEN.append(arklow.org)

def test_each_had_an_organisation_of_its_own():
    assert len(set(SEEN)) == len(SEEN) == 12
"""


def test_each_test_has_an_organisation_in_which_no_other_test_does_anything(
    served: RunningMock, tmp_path: Path
) -> None:
    """All of them on one mock, which is asked for once."""
    process = Found(known(served))
    ran = run(tmp_path, MANY, process)

    assert (ran.code, process.asked) == (0, 1), ran.out
    assert "13 passed" in ran.out


def test_a_test_has_the_same_organisation_in_the_next_run(served: RunningMock, tmp_path: Path) -> None:
    """So that ids are the same too, where the clock is frozen."""
    tests = "def test_it(arklow):\n    print('ORG', arklow.org)\n"
    orgs = []
    for _ in range(2):
        ran = run(tmp_path, tests, Found(known(served)))
        assert ran.code == 0, ran.out
        orgs += re.findall(r"ORG (\d+)", ran.out)

    assert len(orgs) == 2
    assert len(set(orgs)) == 1


def test_the_report_of_a_failed_test_has_the_end_of_its_journal(served: RunningMock, tmp_path: Path) -> None:
    """A test that fails in its set-up too; a test that passes has none."""
    ran = run(
        tmp_path,
        JOURNALLED,
        Found(known(served)),
        "-rA",
    )

    assert ran.code == 1
    assert ran.out.count(" Arklow, organisation ") == 2
    assert "request    POST /v1/ingress/order.first" in ran.out
    assert "/v1/ingress/order.n29" in ran.out
    assert "/v1/ingress/order.n10 " in ran.out
    assert "/v1/ingress/order.n9 " not in ran.out
    assert "request    POST /v1/ingress/order.passed" not in ran.out


def test_without_the_fixture_no_mock_is_asked_for(tmp_path: Path) -> None:
    """The plugin may be installed where no test uses it."""
    process = Found(None)

    assert run(tmp_path, "def test_it():\n    pass\n", process).code == 0
    assert process.asked == 0


def test_without_a_mock_each_test_is_an_error_that_says_why(tmp_path: Path) -> None:
    """None is skipped, and no traceback of the plugin is shown."""
    ran = run(tmp_path, "def test_one(arklow):\n    pass\ndef test_two(arklow):\n    pass\n", Found(None))

    assert ran.code == 1
    assert "2 errors" in ran.out
    assert "arklow: expected the command of a mock, got none" in ran.out
    assert "Traceback" not in ran.out
    assert "pytest_fixture.py" not in ran.out
