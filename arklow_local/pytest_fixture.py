"""The fixture `arklow` of pytest: an organisation of its own for each test, on one mock for the whole run.

Needs pytest and the standard library alone: the mock is a command, in this environment or in another.
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

if TYPE_CHECKING:
    from .testing import Arklow, Connections

_SHOWN: Final = 20
"""Entries of the journal that the report of a failed test has."""


class Offer:
    """Tells the workers of pytest-xdist where the mock is, by a connection on this machine; the first to ask has it started."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._key = os.urandom(16)
        self._listener = Listener(("127.0.0.1", 0), backlog=128, authkey=self._key)
        threading.Thread(target=self._serve, name="arklow", daemon=True).start()

    @property
    def terms(self) -> dict[str, Any]:
        """What a worker needs to ask; of plain values."""
        host, port = self._listener.address
        return {"host": host, "port": port, "key": self._key.hex()}

    def close(self) -> None:
        """Tell nobody any more."""
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                with self._listener.accept() as worker:
                    worker.send_bytes(json.dumps(self._told()).encode())
            except (EOFError, ConnectionError, AuthenticationError):  # killed while it asked, or a stranger
                continue
            except OSError:  # closed
                return

    def _told(self) -> dict[str, Any]:
        try:
            mock = self._process.mock()
        except CannotStart as error:
            return {"failed": str(error)}
        return {"mock": {name: getattr(mock, name) for name in Mock.__dataclass_fields__}}


class Asked:
    """A worker of pytest-xdist: the mock is the controller's."""

    def __init__(self, terms: dict[str, Any]) -> None:
        self._terms = terms

    def mock(self) -> Mock:
        """Where it answers, asked of the controller."""
        terms = self._terms
        try:
            with Client((terms["host"], terms["port"]), authkey=bytes.fromhex(terms["key"])) as controller:
                told = json.loads(controller.recv_bytes())
        except (EOFError, OSError) as error:
            raise CannotStart(
                f"expected the controller of pytest-xdist on this machine, got none ({error})"
            ) from None
        if "failed" in told:
            raise CannotStart(told["failed"])
        return Mock(**told["mock"])


_PROCESS: Final = pytest.StashKey[Process]()
_OFFER: Final = pytest.StashKey[Offer]()
_WIRES: Final = pytest.StashKey["Connections"]()
_ARKLOW: Final = pytest.StashKey["Arklow"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which command is the mock."""
    group = parser.getgroup("arklow-mock", "Arklow in tests")
    text = f"command that starts the mock of the fixture arklow, flags included (default {COMMAND})"
    group.addoption("--arklow-mock", metavar="COMMAND", help=text)
    parser.addini("arklow_mock", text)


def pytest_configure(config: pytest.Config) -> None:
    """Be ready to start a mock, unless this is a worker of pytest-xdist."""
    if hasattr(config, "workerinput"):
        return
    command = config.getoption("--arklow-mock") or os.environ.get("ARKLOW_MOCK")
    process = Process(command or config.getini("arklow_mock") or COMMAND, config.rootpath)
    config.stash[_PROCESS] = process
    config.add_cleanup(process.stop)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist whom to ask."""
    config = node.config
    if _OFFER not in config.stash:
        config.stash[_OFFER] = Offer(config.stash[_PROCESS])
        config.add_cleanup(config.stash[_OFFER].close)
    everyone = config.getoption("dist", "no") == "each"  # then a test runs in all of them
    node.workerinput["arklow"] = config.stash[_OFFER].terms | {"salt": node.gateway.id if everyone else ""}


def _connected(config: pytest.Config) -> Connections:
    """The connections of this process, made when they are first needed; kept beside the fixtures, as plugins that run a test
    again may take down even those of the session first."""
    from .testing import Connections

    if _WIRES not in config.stash:
        worker = getattr(config, "workerinput", None)
        source = config.stash[_PROCESS] if worker is None else Asked(worker["arklow"])
        try:
            connections = config.stash[_WIRES] = Connections(source.mock())
        except CannotStart as error:
            pytest.fail(f"arklow: {error}", pytrace=False)
        config.add_cleanup(connections.close)
    return config.stash[_WIRES]


@pytest.fixture(scope="session")
def arklow_mock(pytestconfig: pytest.Config) -> Mock:
    """The mock of this run: its addresses, and the token of its admin plane."""
    return _connected(pytestconfig).mock


@pytest.fixture
def arklow(request: pytest.FixtureRequest) -> Iterator[Arklow]:
    """An organisation of this test alone, on a real stateful mock: `url`, `ingress_url`, `org`, `key`, `headers`, `clock`,
    `journal`, `worker(…)`, `reset()`, `call(…)`, `admin(…)`. The same test has the same one in each run, so with a clock
    that stands ids are the same too."""
    connections = _connected(request.config)
    worker = getattr(request.config, "workerinput", {"arklow": {"salt": ""}})
    own = connections.organisation(organisation(request.node.nodeid, worker["arklow"]["salt"]))
    request.node.stash[_ARKLOW] = own
    yield own
    del request.node.stash[_ARKLOW]
    connections.leave(own)


def organisation(node: str, salt: str = "") -> str:
    """The number of a test's organisation: 15 digits made of its node id, exact in JSON everywhere."""
    digest = hashlib.sha256(f"{salt}\n{node}".encode()).digest()
    return str(10**14 + int.from_bytes(digest[:16], "big") % (9 * 10**14))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Put the end of the journal beside what failed."""
    outcome: Any = yield
    report: pytest.TestReport = outcome.get_result()
    own = item.stash.get(_ARKLOW, None)
    if own is not None and report.failed:
        report.sections.append((f"Arklow, organisation {own.org}", _journal(own)))


def _journal(own: Arklow) -> str:
    from .testing import shown

    try:
        return "\n".join(map(shown, own.journal.last(_SHOWN)))
    except Exception as error:
        return f"its journal cannot be read: {error!r}"
