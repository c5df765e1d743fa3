"""How a deployment is reached: headers, a private authority, a client certificate, a proxy; for everything that is sent."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from contracts.core.curl import Script
from contracts.core.target import ConnectionOptions, ExtraHeader, Target
from contracts.openapi.document import LINKED, load
from contracts.phases.api import Api
from contracts.phases.schemathesis_hooks import Aim
from contracts.phases.schemathesis_run import generate
from contracts.transport.client import Client
from contracts.transport.connections import Connections, NoWay
from contracts.transport.interference import Interference
from contracts.transport.wire import Request
from tests.contracts.gateways import (
    NAME,
    Authority,
    Gate,
    Pump,
    authority,
    forms_in,
    pumping,
)
from tests.contracts.runs import KEYS, api_at
from tests.contracts.test_client import recording
from tests.mutants import MUTANTS, ConformingServer
from tests.mutants.conforming_server import Choices
from tests.serving import serving

SECRET = 'gate ${HOME} "&/+ s3cret'
"""A value with characters that shells, JSON, URLs and Schemathesis would change."""
HEADER = ExtraHeader("x-gate", SECRET, "GATE")
COMMAND = Path(sys.executable).parent / "arklow-contracts"


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Make a private authority."""
    return authority(tmp_path_factory.mktemp("authority"))


@dataclass
class Place:
    """A deployment, what is on the way to it, and how it is reached."""

    url: str
    way: ConnectionOptions
    gate: Gate
    front: Pump | None = None
    proxy: Pump | None = None

    def sequence(self) -> Api:
        api = api_at(self.url)
        api.client.close()
        target = Target(self.url, self.url, *KEYS, connection=self.way)
        kind = type(api.client)
        client = kind(target, lambda method, url: load(LINKED).locate(method, url, {self.url}))
        return Api(client, api.judge, api.random, "contract.test.")


Open = Callable[..., Place]


@pytest.fixture
def place(trusted: Authority) -> Iterator[Open]:
    """Serve deployments behind a gate; `tls`, `mutual`: with TLS in front; `proxy`: reached by a proxy of that scheme only."""
    with ExitStack() as stack:

        def opened(
            *, tls: bool = False, mutual: bool = False, proxy: str = "", app: ConformingServer | None = None
        ) -> Place:
            gate = Gate(app or ConformingServer(Choices(operations="all")), HEADER.name, HEADER.value)
            url, way = stack.enter_context(serving(gate)), ConnectionOptions((HEADER,))
            front = by = None
            if tls:
                front = stack.enter_context(pumping(url, trusted.serving(mutual=mutual)))
                url, way = front.url, replace(way, ca=trusted.ca)
            if mutual:
                way = replace(way, certificate=trusted.certificate, key=trusted.key)
            if proxy:
                by = stack.enter_context(pumping(None, trusted.serving() if proxy == "https" else None))
                url, way = url.replace("127.0.0.1", NAME), replace(way, proxy=by.url, ca=trusted.ca)
            return Place(url, way, gate, front, by)

        yield opened


WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "TLS of a private authority": {"tls": True},
    "TLS on both sides": {"tls": True, "mutual": True},
    "a proxy": {"proxy": "http"},
    "TLS in a proxy": {"tls": True, "mutual": True, "proxy": "http"},
    "a proxy with TLS": {"proxy": "https"},
    "TLS in a proxy with TLS": {"tls": True, "mutual": True, "proxy": "https"},
}


@pytest.mark.parametrize("way", WAYS)
def test_requests_arrive_one_by_one_and_at_the_same_moment(way: str, place: Open) -> None:
    """With the header; an unusual path is sent as it is written."""
    there = place(**WAYS[way])
    api = there.sequence()
    client = api.client

    sent = client.send(Request("GET", "/v1/%69ngress/a%2fb?a=%zz"))
    answers = client.volley([Request("POST", "/v1/ack", (("content-type", "application/json"),), b"{}")] * 4)
    client.close()

    assert (sent.status, [one and one.status for one in answers]) == (404, [401] * 4)
    assert (there.gate.passed, there.gate.refused, client.interference) == (5, [], {})
    assert HEADER.name not in dict(sent.headers)
    if there.proxy is not None:
        assert there.proxy.connections == 5
        assert all(NAME in line for line in there.proxy.asked)
        forwarded = not there.front
        assert any(line.startswith("POST http://") for line in there.proxy.asked) == forwarded
        assert any(line.startswith("CONNECT ") for line in there.proxy.asked) != forwarded


@pytest.mark.parametrize("way", ["plain", "TLS in a proxy", "a proxy", "TLS in a proxy with TLS"])
def test_generated_requests_arrive_too(way: str, place: Open) -> None:
    """Those too by which Schemathesis explores; the judge sees them without the header."""
    there = place(**WAYS[way])
    api = there.sequence()
    headers: list[str] = []
    api.judge.listen(lambda exchange: headers.extend(name.lower() for name, _ in exchange.headers))
    aim = Aim(api.client, api.judge, api.names.prefix)

    def is_over() -> bool:
        return there.gate.passed > 40

    generate(load(LINKED).content, aim, 7, lambda _: None, is_over, lambda _: is_over)

    assert there.gate.passed > 40
    assert (there.gate.refused, api.client.interference) == ([], {})
    assert "x-arklow-auth" in headers
    assert HEADER.name not in headers


def test_headers_of_the_target_do_not_replace_those_of_a_request() -> None:
    """Both are sent, as they are given; the name of the judge is left out."""
    with recording() as recorder:
        options = ConnectionOptions((HEADER, ExtraHeader("User-Agent", "gateway/1", "AGENT")))
        target = Target(recorder.url, recorder.url, *KEYS, connection=options)
        client = Client(target, lambda *_: (None, None))
        client.send(Request("GET", "/v1/ack", (("X-Gate", "mine"),)))
        client.close()

    head = recorder.got[0].decode().split("\r\n")
    assert [line for line in head if re.match("(?i)x-gate|user-agent", line)] == [
        "X-Gate: mine",
        f"X-Gate: {SECRET}",
        "User-Agent: gateway/1",
    ]


@pytest.mark.parametrize(
    ("way", "without", "why"),
    [
        ("TLS of a private authority", {"ca": None}, "TLS failed"),
        ("TLS on both sides", {"certificate": None, "key": None}, "TLS failed|connection cut off"),
        ("a proxy", {"proxy": "http://127.0.0.1:9"}, "the proxy cannot be reached"),
        ("TLS in a proxy", {"proxy": "http://127.0.0.1:9"}, "the proxy cannot be reached"),
        ("TLS in a proxy", {"proxy": None}, "cannot connect"),
    ],
)
def test_each_part_of_a_connection_is_needed(
    way: str, without: dict[str, str | None], why: str, place: Open
) -> None:
    """Without it no answer arrives, and the interference has a name."""
    there = place(**WAYS[way])
    there.way = replace(there.way, **without)  # type: ignore[arg-type]
    client = there.sequence().client

    with pytest.raises(Interference, match=f"^(?:{why})$"):
        client.send(Request("GET", "/v1/ack"))
    with pytest.raises(Interference) if "cut" not in why else ExitStack():
        client.volley([Request("POST", "/v1/ack")])
    client.close()

    assert there.gate.passed == 0
    assert all(re.fullmatch(why, one) for one in client.interference)


def test_a_proxy_that_refuses_is_interference() -> None:
    """Its status is reported as interference, and leads to no finding."""
    with recording(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n") as proxy:
        api = api_at(f"https://{NAME}")
        api.client.close()
        target = Target(
            f"https://{NAME}", f"https://{NAME}", *KEYS, connection=ConnectionOptions(proxy=proxy.url)
        )
        client = Client(target, lambda *_: (None, None))
        with pytest.raises(Interference, match="the proxy answers 407"):
            client.send(Request("GET", "/v1/ack"))
        with pytest.raises(Interference, match="the proxy answers 407"):
            client.volley([Request("GET", "/v1/ack")])
        client.close()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"ca": "missing.pem"}, "missing.pem: No such file or directory"),
        ({"ca": "ca.key"}, "ca.key: expected certificates in PEM"),
        ({"certificate": "client.pem"}, "client.pem: expected a PEM certificate and its key, not encrypted"),
        ({"certificate": "client.pem", "key": "server.key"}, "client.pem with .*server.key: expected a PEM"),
        ({"certificate": "client.pem", "key": "locked.key"}, "not encrypted"),
    ],
)
def test_files_that_cannot_be_used_are_named(files: dict[str, str], said: str, trusted: Authority) -> None:
    """The judge asks for no password."""
    way = ConnectionOptions(**{name: str(trusted.directory / file) for name, file in files.items()})  # type: ignore[arg-type]

    with pytest.raises(NoWay, match=said):
        _ = Connections(way).trust


def test_curl_lines_say_how_the_deployment_is_reached(trusted: Authority) -> None:
    """With the header as a shell variable."""
    api = api_at("https://staging.example")
    exchange = api.client.unanswered(Request("GET", "/v1/ack"))

    line = Script(
        {}, ConnectionOptions((HEADER,), "our ca.pem", "me.pem", "me.key", "http://proxy:3128")
    ).render([exchange])

    assert line == (
        "curl -si https://staging.example/v1/ack --cacert 'our ca.pem' --cert me.pem --key me.key "
        "--proxy http://proxy:3128 -H 'x-gate: '\"$GATE\""
    )


@pytest.fixture
def staging(place: Open, trusted: Authority, tmp_path: Path) -> Place:
    """Serve a mutant behind all of it, and write the targets file that names it."""
    mutant = MUTANTS["R30"](keys={"good-key-one": "1"})
    there = place(tls=True, mutual=True, proxy="http", app=mutant)
    assert there.proxy is not None
    (tmp_path / "key").write_text("good-key-one\n")
    (tmp_path / "targets.toml").write_text(
        f"""
        [defaults]
        org = 1
        rate = 1000
        [targets.staging]
        base_url = "{there.url}"
        api_key = "file:key"
        ca = "{trusted.ca}"
        client_certificate = "{trusted.certificate}"
        client_key = "{trusted.key}"
        proxy = "{there.proxy.url}"
        headers = {{x-gate = "env:GATE"}}
        name_prefix = "here"
        intrusive = true
        """
    )
    return there


SPY = '''
"""A resolver that writes down every name it is asked for."""
import socket

real = socket.getaddrinfo


def getaddrinfo(host, port, *more, **others):
    with open({asked!r}, "a") as file:
        print(host, file=file)
    return real(host, port, *more, **others)


socket.getaddrinfo = getaddrinfo
'''


def test_a_whole_run_its_curl_lines_its_tests_and_its_replays_go_the_same_way(
    staging: Place, tmp_path: Path
) -> None:
    """The header goes with every request, only the proxy is looked up, and nothing that is left behind has a secret."""
    spied = tmp_path / "spied"
    spied.mkdir()
    (spied / "sitecustomize.py").write_text(SPY.format(asked=str(spied / "asked")))
    environment = {
        **os.environ,
        "GATE": SECRET,
        "HOME": "/nowhere",  # which Schemathesis would read into the header
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join([str(spied), os.environ.get("PYTHONPATH", "")]),
    }

    def ran(*words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        everything = {**environment, **more}
        return subprocess.run(
            [str(word) for word in words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            env=everything,
        )

    check = ran(COMMAND, "check", "--target", "staging", "--max-time", "12", "--report-dir", "out")
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    [finding, *_] = [one for one in report["violations"] if one["rule"] == "PAGE-5"]
    passed = staging.gate.passed

    replay = ran(COMMAND, "replay", finding["id"], "--target", "staging")
    [file] = (tmp_path / "out" / "tests").glob("test_page_5_*.py")
    pytested = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs", file)
    curl = ran("sh", "-c", finding["curl"], ARKLOW_API_KEY="good-key-one")
    test = ran(*pytested, ARKLOW_API_KEY="good-key-one")
    refused = ran(*pytested, ARKLOW_API_KEY="good-key-one", GATE="")
    unset = ran("env", "-u", "GATE", *pytested, ARKLOW_API_KEY="good-key-one")

    assert (check.returncode, report["interference"]) == (1, {}), check.stderr + check.stdout
    assert passed > 300
    assert f"{finding['id']} shows again: 3 of 3" in replay.stdout, replay.stdout + replay.stderr
    assert '"version"' in curl.stdout, curl.stderr
    assert (test.returncode, "data/version" in test.stdout) == (1, True), test.stdout
    assert (refused.returncode, "403" in refused.stdout) == (1, True), refused.stdout
    assert (unset.returncode, "not attempted: set GATE" in unset.stdout) == (0, True), unset.stdout
    assert len(staging.gate.refused) == 1  # by the test without a value alone
    assert set((spied / "asked").read_text().split()) == {"127.0.0.1"}
    left = [one.read_text("utf-8") for one in (tmp_path / "out").rglob("*.*")]
    everything = "".join([*left, *(one.stdout + one.stderr for one in (check, replay, test, refused))])
    assert (forms_in(SECRET, everything), "s3cret" in everything) == ([], False)
    assert forms_in("good-key-one", everything) == []
    assert "$GATE" in everything
