"""The fixture `arklow` of pytest: an organisation of its own for each test, on one mock for the whole run.

It needs pytest and the standard library alone: the mock is a command, in this environment or in another. With pytest-xdist
the controller starts the mock, and workers ask it where the mock is.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener
from typing import TYPE_CHECKING, Any, Final

import pytest

from .process import (
    COMMAND,
    CannotStart,
    Mock,
    Process,
)

if TYPE_CHECKING:  # testing is imported when the first test uses the fixture
    from .testing import Arklow, Connections

_ENTRIES_SHOWN: Final = 20
"""Entries of the journal in the report of a failed test: the last screen of what happened."""


class MockServedToWorkers:
    """Tells the workers of pytest-xdist where the mock is, over a connection on this machine.

    The first worker that asks has the mock started.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self._key = os.urandom(16)
        self._listener = Listener(("127.0.0.1", 0), backlog=128, authkey=self._key)
        threading.Thread(target=self._serve, name="arklow", daemon=True).start()

    @property
    def address(self) -> dict[str, Any]:
        """What a worker needs to ask: `host`, `port` and `key`, each keyed by its name."""
        host, port = self._listener.address
        return {"host": host, "port": port, "key": self._key.hex()}

    def close(self) -> None:
        """Stop answering."""
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                with self._listener.accept() as worker:
                    worker.send_bytes(json.dumps(self._reply()).encode())
            except (EOFError, ConnectionError, AuthenticationError):  # a worker was killed, or it was none
                continue
            except OSError:  # closed
                return

    def _reply(self) -> dict[str, Any]:
        try:
            mock = self._process.mock()
        except CannotStart as error:
            return {"failed": str(error)}
        return {"mock": {name: getattr(mock, name) for name in Mock.__dataclass_fields__}}


class MockOfController:
    """The mock of the controller, for a worker of pytest-xdist."""

    def __init__(self, address: dict[str, Any]) -> None:
        self._address = address

    def mock(self) -> Mock:
        """Ask the controller where the mock answers.

        Raises:
            CannotStart: the mock does not start, or the controller does not answer.
        """
        address = self._address
        try:
            with Client(
                (address["host"], address["port"]), authkey=bytes.fromhex(address["key"])
            ) as controller:
                reply = json.loads(controller.recv_bytes())
        except (EOFError, OSError) as error:
            raise CannotStart(
                f"expected the controller of pytest-xdist on this machine, got none ({error})"
            ) from None
        if "failed" in reply:
            raise CannotStart(reply["failed"])
        return Mock(**reply["mock"])


PROCESS: Final = pytest.StashKey[Process]()
"""Key of the mock's process in the stash of the controller's configuration; who puts another one there has it used."""
_SERVED: Final = pytest.StashKey[MockServedToWorkers]()
_CONNECTIONS: Final = pytest.StashKey["Connections"]()
_ARKLOW: Final = pytest.StashKey["Arklow"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option and the ini value that name the mock's command."""
    group = parser.getgroup("arklow-mock", "Arklow in tests")
    text = f"command that starts the mock of the fixture arklow, flags included (default {COMMAND})"
    group.addoption("--arklow-mock", metavar="COMMAND", help=text)
    parser.addini("arklow_mock", text)


def pytest_configure(config: pytest.Config) -> None:
    """Prepare the mock's process, unless this is a worker of pytest-xdist; it starts on first use."""
    if hasattr(config, "workerinput") or PROCESS in config.stash:
        return
    command = config.getoption("--arklow-mock") or os.environ.get("ARKLOW_MOCK")
    process = Process(command or config.getini("arklow_mock") or COMMAND, config.rootpath)
    config.stash[PROCESS] = process
    config.add_cleanup(process.stop)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist how to ask for the mock."""
    config = node.config
    if _SERVED not in config.stash:
        config.stash[_SERVED] = MockServedToWorkers(config.stash[PROCESS])
        config.add_cleanup(config.stash[_SERVED].close)
    # with `--dist each` a test runs in every worker at once, so each needs an organisation of its own
    salt = node.gateway.id if config.getoption("dist", "no") == "each" else ""
    node.workerinput["arklow"] = config.stash[_SERVED].address | {"salt": salt}


def _connections(config: pytest.Config) -> Connections:
    """Give the connections of this process, made on first use.

    They are kept beside the fixtures, as plugins that run a test again may take down even those of the session first.
    """
    from .testing import Connections

    if _CONNECTIONS not in config.stash:
        worker = getattr(config, "workerinput", None)
        source = config.stash[PROCESS] if worker is None else MockOfController(worker["arklow"])
        try:
            connections = config.stash[_CONNECTIONS] = Connections(source.mock())
        except CannotStart as error:
            pytest.fail(f"arklow: {error}", pytrace=False)
        config.add_cleanup(connections.close)
    return config.stash[_CONNECTIONS]


@pytest.fixture(scope="session")
def arklow_mock(pytestconfig: pytest.Config) -> Mock:
    """The mock of this run: its addresses, and the token of its admin plane."""
    return _connections(pytestconfig).mock


@pytest.fixture
def arklow(request: pytest.FixtureRequest) -> Iterator[Arklow]:
    """An organisation of this test alone, on a real stateful mock: `url`, `ingress_url`, `org`, `key`, `headers`, `clock`,
    `journal`, `worker(…)`, `reset()`, `call(…)`, `admin(…)`.

    A test has the same organisation in each run, so with a frozen clock its ids are the same too.
    """
    connections = _connections(request.config)
    worker = getattr(request.config, "workerinput", {"arklow": {"salt": ""}})
    own = connections.organisation(organisation_of(request.node.nodeid, worker["arklow"]["salt"]))
    request.node.stash[_ARKLOW] = own
    yield own
    del request.node.stash[_ARKLOW]
    connections.leave(own)


def organisation_of(node_id: str, salt: str = "") -> str:
    """Make the number of a test's organisation from its node id: 15 digits, which JSON readers keep exactly."""
    digest = hashlib.sha256(f"{salt}\n{node_id}".encode()).digest()
    return str(10**14 + int.from_bytes(digest[:16], "big") % (9 * 10**14))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Add the end of the journal to the report of a test that failed."""
    outcome: Any = yield
    report: pytest.TestReport = outcome.get_result()
    own = item.stash.get(_ARKLOW, None)
    if own is not None and report.failed:
        report.sections.append((f"Arklow, organisation {own.org}", _end_of_journal(own)))


def _end_of_journal(own: Arklow) -> str:
    from .testing import describe_entry

    try:
        return "\n".join(map(describe_entry, own.journal.last(_ENTRIES_SHOWN)))
    except Exception as error:
        return f"its journal cannot be read: {error!r}"
