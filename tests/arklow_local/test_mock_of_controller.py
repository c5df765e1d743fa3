"""With pytest-xdist the controller starts the mock and tells its workers where it is, over a connection on this machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client
from typing import Any

import pytest

from arklow_local.process import CannotStart, Mock
from arklow_local.pytest_fixture import MockOfController, MockServedToWorkers, organisation_of
from tests.waiting import PATIENCE

MOCK = Mock(7, "http://a:1", "http://a:2", "http://a:3", "t0ken", "http://a:1/openapi.json")


class _Process:
    """The controller's process of a mock."""

    def __init__(self) -> None:
        self.failure = ""
        self.asked = 0

    def mock(self) -> Mock:
        self.asked += 1
        if self.failure:
            raise CannotStart(self.failure)
        return MOCK


@pytest.fixture
def process() -> _Process:
    """A mock that starts."""
    return _Process()


@pytest.fixture
def served(process: _Process) -> Iterator[MockServedToWorkers]:
    """The controller's end."""
    given: Any = process
    made = MockServedToWorkers(given)
    yield made
    made.close()


def test_each_worker_is_told_of_the_mock(served: MockServedToWorkers, process: _Process) -> None:
    """The first that asks has it started."""
    assert process.asked == 0
    assert [MockOfController(served.address).mock() for _ in range(3)] == [MOCK] * 3
    assert served.address.keys() == {"host", "port", "key"}
    assert served.address["host"] == "127.0.0.1"


def test_a_worker_is_told_why_there_is_no_mock(served: MockServedToWorkers, process: _Process) -> None:
    """In the words of the controller."""
    process.failure = "expected a command"
    with pytest.raises(CannotStart, match="expected a command"):
        MockOfController(served.address).mock()


def test_who_has_not_the_key_is_told_nothing_and_disturbs_no_worker(served: MockServedToWorkers) -> None:
    """Nor does a worker that is killed while it asks."""
    address = (served.address["host"], served.address["port"])
    with pytest.raises(AuthenticationError):
        Client(address, authkey=b"another")
    socket.create_connection(address, PATIENCE).close()

    assert MockOfController(served.address).mock() == MOCK


def test_a_controller_that_has_gone_is_a_failure_of_one_sentence(served: MockServedToWorkers) -> None:
    """The worker says what it expected."""
    address = served.address | {"port": _free_port()}
    with pytest.raises(CannotStart) as refused:
        MockOfController(address).mock()

    assert str(refused.value).startswith(
        "expected the controller of pytest-xdist on this machine, got none ("
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_an_organisation_depends_on_the_salt() -> None:
    """Of a worker, where each runs all tests."""
    assert organisation_of("a", "gw0") != organisation_of("a", "gw1")
    assert organisation_of("a", "") == organisation_of("a")
