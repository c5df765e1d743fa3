"""Why TLS fails is told in OpenSSL's words, with the flag or the URL that helps; over sockets, also through proxies."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest

from contracts.core.target import ConnectionOptions, Target
from contracts.transport.client import Client
from contracts.transport.interference import Interference
from contracts.transport.tls import SPEAKS_TLS
from contracts.transport.wire import Request
from tests.contracts.authority import AUTHORITY, NAME
from tests.contracts.gateways import placed, pumping
from tests.contracts.recorder import recording
from tests.contracts.runs import KEYS
from tests.mutants import ConformingServer
from tests.serving import serving

TRUSTING = ConnectionOptions(ca=AUTHORITY.ca)
PLAIN = Request("GET", "/v1/ack")


def old() -> ssl.SSLContext:
    """Return the context of a server that speaks no version of TLS after 1.1."""
    context = AUTHORITY.serving()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it is what the test is about
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    return context


def mutual(most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    """Return the context of a server that asks for a client certificate, in TLS up to a version."""
    context = AUTHORITY.serving(mutual=True)
    context.maximum_version = most
    return context


@contextmanager
def behind(context: ssl.SSLContext | None, proxy: str, way: ConnectionOptions) -> Iterator[Client]:
    """Yield a client of a server with this context, which is reached by a proxy of that scheme, if it names one."""
    with ExitStack() as stack:
        url = stack.enter_context(serving(ConformingServer()))
        url = stack.enter_context(pumping(url, context)).url.replace("http:", "https:")
        if proxy:
            by = stack.enter_context(pumping(None, AUTHORITY.serving() if proxy == "https" else None))
            way = replace(way, proxy=by.url)
        client = Client(Target(url, url, *KEYS, connection=way), lambda *_: (None, None))
        stack.callback(client.close)
        yield client


CAUSES: dict[str, tuple[ssl.SSLContext | None, ConnectionOptions, str, str]] = {
    "unknown authority": (
        AUTHORITY.serving(),
        ConnectionOptions(),
        "self-signed certificate in certificate chain",
        "--ca FILE",
    ),
    "wrong name": (
        AUTHORITY.serving(certificate="other"),
        TRUSTING,
        "certificate is not valid for",
        "--resolve",
    ),
    "expired": (
        AUTHORITY.serving(certificate="expired"),
        TRUSTING,
        "certificate has expired",
        "clock of this machine",
    ),
    "client certificate": (mutual(), TRUSTING, "certificate required", "--client-certificate FILE"),
    "client certificate, TLS 1.2": (
        mutual(ssl.TLSVersion.TLSv1_2),
        TRUSTING,
        "handshake failure",
        "--client-certificate FILE",
    ),
    "old version": (old(), TRUSTING, "(protocol version|unsupported protocol)", "TLS 1.2 and newer"),
    "no TLS": (
        None,
        TRUSTING,
        "(wrong version number|packet length too long)",
        "a URL that begins with http",
    ),
}
"""Cause → the server's context, how it is reached, OpenSSL's words, and what helps."""


@pytest.mark.parametrize("proxy", ["", "http", "https"])
@pytest.mark.parametrize("cause", CAUSES)
def test_the_reason_and_what_helps_stand_in_the_message(cause: str, proxy: str) -> None:
    """Of a single request; a proxy between changes nothing, as the other end of TLS is the target."""
    context, way, reason, helps = CAUSES[cause]
    if proxy == "https" and way.ca is None:
        pytest.skip("the proxy is not trusted either")
    with behind(context, proxy, way) as client:
        with pytest.raises(Interference, match=f"^TLS failed: .*{reason}.*{helps}") as met:
            client.send(PLAIN)

        assert "\n" not in str(met.value)
        assert client.interference == {str(met.value): 1}


@pytest.mark.parametrize("cause", [one for one in CAUSES if "client" not in one])
def test_many_requests_at_the_same_moment_meet_the_same(cause: str) -> None:
    """A certificate that a client lacks may show only when an answer is read."""
    context, way, reason, helps = CAUSES[cause]
    with (
        behind(context, "", way) as client,
        pytest.raises(Interference, match=f"^TLS failed: .*{reason}.*{helps}"),
    ):
        client.volley([PLAIN])


@pytest.mark.parametrize(
    ("scheme", "ca", "said"),
    [
        ("https", None, "self-signed certificate in certificate chain .*--ca FILE"),
        ("http", AUTHORITY.ca, ".*a --proxy URL that begins with http"),
    ],
    ids=["not trusted", "no TLS"],
)
@pytest.mark.parametrize("way", ["send", "volley"])
def test_a_failure_at_the_proxy_is_told_apart_from_one_at_the_target(
    way: str, scheme: str, ca: str | None, said: str
) -> None:
    """It is the proxy whose authority, or whose URL, is to be given."""
    with placed(ConformingServer(), tls=True, proxy="https") as there, serving(ConformingServer()) as other:
        assert there.proxy is not None
        by = there.proxy.url if scheme == "https" else other.replace("http:", "https:")
        there.way = replace(there.way, ca=ca, proxy=by)
        client = there.client()
        with pytest.raises(Interference, match=f"^TLS to the proxy failed: {said}"):
            client.send(PLAIN) if way == "send" else client.volley([PLAIN])
        client.close()


@pytest.mark.parametrize(
    "context", [AUTHORITY.serving(), mutual(ssl.TLSVersion.TLSv1_2)], ids=["TLS", "on both sides"]
)
def test_a_port_of_tls_that_is_asked_without_is_named(context: ssl.SSLContext) -> None:
    """Although such a server closes the connection without a word."""
    with serving(ConformingServer()) as behind_it, pumping(behind_it, context) as front:
        url = front.url.replace("https:", "http:")
        client = Client(Target(url, url, *KEYS), lambda *_: (None, None))
        with pytest.raises(Interference, match=f"^{SPEAKS_TLS}$"):
            client.send(PLAIN)
        client.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 70\r\n\r\n"
        + b"<p>The plain HTTP request was sent to HTTPS port</p>".ljust(70),
        b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
    ],
    ids=["an alert", "nginx", "Go"],
)
def test_what_servers_of_tls_say_to_a_request_without_it_is_understood(answer: bytes) -> None:
    """It is not an answer of the application."""
    with recording(lambda connection, _: connection.sendall(answer)) as recorder:
        client = Client(Target(recorder.url, recorder.url, *KEYS), lambda *_: (None, None))
        with pytest.raises(Interference, match=f"^{SPEAKS_TLS}$"):
            client.send(PLAIN)
        client.close()


def test_a_connection_that_is_cut_off_for_no_reason_of_tls_is_just_that() -> None:
    """The server is looked at once, and without a request."""
    with recording(lambda *_: None) as recorder:
        client = Client(Target(recorder.url, recorder.url, *KEYS), lambda *_: (None, None))
        for _ in range(3):
            with pytest.raises(Interference, match="connection cut off"):
                client.send(PLAIN)
        client.close()

    assert len([one for one in recorder.got if one.startswith(b"GET ")]) == 3


def test_the_name_of_the_authority_server_is_what_it_says() -> None:
    """The certificates of these tests are for this name and this machine."""
    with placed(ConformingServer(), tls=True, proxy="http") as there:
        assert NAME in there.url
        client = there.client()
        assert client.send(PLAIN).status == 404
        client.close()
