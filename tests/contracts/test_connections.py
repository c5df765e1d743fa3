"""How a deployment is reached: headers, a private authority, a client certificate, a proxy; over sockets."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from contracts.core.target import ConnectionOptions, ExtraHeader, Target
from contracts.transport.client import Client
from contracts.transport.connections import Connections, NoWay
from contracts.transport.interference import Interference
from contracts.transport.wire import Request
from tests.contracts.authority import AUTHORITY, NAME
from tests.contracts.gateways import HEADER, SECRET, placed
from tests.contracts.recorder import recording
from tests.contracts.runs import KEYS
from tests.mutants import ConformingServer

WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "TLS of a private authority": {"tls": True},
    "TLS on both sides": {"tls": True, "mutual": True},
    "a proxy": {"proxy": "http"},
    "TLS in a proxy": {"tls": True, "mutual": True, "proxy": "http"},
    "a proxy with TLS": {"proxy": "https"},
    "TLS in a proxy with TLS": {"tls": True, "mutual": True, "proxy": "https"},
}
WITHOUT_ITS_ID = Request("POST", "/v1/modack", (("content-type", "application/json"),), b"{}")


@pytest.mark.parametrize("way", WAYS)
def test_requests_arrive_one_by_one_and_at_the_same_moment(way: str) -> None:
    """With the header; an unusual path is sent as it is written, and the judge sees no header that it did not ask for."""
    with placed(ConformingServer(), **WAYS[way]) as there:
        client = there.client()
        sent = client.send(Request("GET", "/v1/%69ngress/a%2fb?a=%zz"))
        answers = client.volley([WITHOUT_ITS_ID] * 4)
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
        ("TLS of a private authority", {"ca": None}, "TLS failed: self-signed .* --ca FILE\\)"),
        ("TLS on both sides", {"certificate": None, "key": None}, "TLS failed: .* --client-key FILE\\)"),
        ("a proxy", {"proxy": "http://127.0.0.1:9"}, "the proxy cannot be reached"),
        ("TLS in a proxy", {"proxy": "http://127.0.0.1:9"}, "the proxy cannot be reached"),
        ("TLS in a proxy", {"proxy": None}, "cannot connect"),
    ],
)
def test_each_part_of_a_connection_is_needed(way: str, without: dict[str, str | None], why: str) -> None:
    """Without it no answer arrives, and the interference has a name."""
    with placed(ConformingServer(), **WAYS[way]) as there:
        there.way = replace(there.way, **without)  # type: ignore[arg-type]
        client = there.client()
        with pytest.raises(Interference, match=f"^(?:{why})$"):
            client.send(Request("GET", "/v1/ack"))
        with pytest.raises(Interference) if "client-key" not in why else ExitStack():
            client.volley([Request("POST", "/v1/ack")])
        client.close()

    assert there.gate.passed == 0
    assert all(re.fullmatch(f"{why}|connection cut off", one) for one in client.interference)


def test_a_proxy_that_refuses_is_interference() -> None:
    """Its status is reported as interference, and leads to no finding."""
    with recording(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n") as proxy:
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
        ({"ca": "server.key"}, "server.key: expected certificates in PEM"),
        ({"certificate": "client.pem"}, "client.pem: expected a PEM certificate and its key, not encrypted"),
        ({"certificate": "client.pem", "key": "server.key"}, "client.pem with .*server.key: expected a PEM"),
        ({"certificate": "client.pem", "key": "locked.key"}, "not encrypted"),
    ],
)
def test_files_that_cannot_be_used_are_named(files: dict[str, str], said: str) -> None:
    """The judge asks for no password."""
    way = ConnectionOptions(**{name: str(AUTHORITY.directory / file) for name, file in files.items()})  # type: ignore[arg-type]

    with pytest.raises(NoWay, match=said):
        _ = Connections(way).trust


def test_only_the_files_of_an_authority_are_trusted_not_those_of_the_machine() -> None:
    """A target that names one has no other; it is the same for each connection."""
    connections = Connections(ConnectionOptions(ca=AUTHORITY.ca))

    assert len(connections.trust.get_ca_certs()) == 1
    assert connections.trust is connections.trust
