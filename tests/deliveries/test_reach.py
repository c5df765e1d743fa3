"""No delivery leaves this machine, unless its host was allowed."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mock_server.adapters.webhook_client import WebhookClient, loopback_socket
from tests.admin.desk import Desk
from tests.deliveries.receiver import Receiver, advance, answer, deliveries, linked

_audited: list[tuple[str, Any]] = []
_auditing = [False]


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _auditing[0] and event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        _audited.append((event, arguments[1] if event != "socket.getaddrinfo" else arguments[0]))


sys.addaudithook(_audit)


@contextmanager
def _network_use() -> Iterator[list[tuple[str, Any]]]:
    """(event, address) of every connection and name look-up of this process while the block runs."""
    _audited.clear()
    _auditing[0] = True
    try:
        yield _audited
    finally:
        _auditing[0] = False


ELSEWHERE = [
    "http://example.com/",
    "https://93.184.216.34/",
    "http://10.0.0.1:8080/",
    "http://0.0.0.0:9/",
    "http://[::]:9/",
    "http://134744072/",  # 8.8.8.8 as one number
    "http://0x08080808/",
    "http://010.010.010.010/",
    "http://2130706433/",  # 127.0.0.1 as one number: a name that is not looked up
    "http://127.1/",
    "http://[2001:db8::1]/",
    "http://[::ffff:8.8.8.8]/",
    "http://[::ffff:0808:0808]/",
    "http://[64:ff9b::808:808]/",
    "http://[fe80::1%25lo]/",
    "http://localhost@example.com/",
    "http://127.0.0.1:80@example.com/",
    "http://example.com\\@localhost/",
    "http://example.com#@localhost/",
    "http://localhost.example.com/",
    "http://127.0.0.1.example.com/",
    "http://xn--localhost-abc.example/",
    "http://notlocalhost/",
    "http://metadata.google.internal/",
    "http://169.254.169.254/latest/meta-data/",
]


@pytest.mark.parametrize("url", ELSEWHERE)
def test_no_other_machine_is_called_or_even_looked_up(desk: Desk, url: str) -> None:
    """No spelling of a URL helps; the admin plane and the journal say why, and which flag would allow it."""
    desk.freeze()
    desk.put("v")
    with _network_use() as used:
        made = desk.admin("PUT", "42/destinations", {"label": "d", "type": "webhook", "config": {"url": url}})
        if made.status != 200:
            assert made.status in (400, 409)
            return
        assert "--deliver-to" in made.data["not_called"]
        desk.admin("PUT", "42/links", {"variant": "v", "destinations": ["d"]})
        action = desk.accept()["a_id"]
        advance(desk)

    assert used == []
    assert desk.state(action) == ("retrying", 0)
    [entry] = deliveries(desk)
    assert entry["outcome"] == "unanswered"
    assert entry["note"].startswith("not sent: ")


@pytest.mark.parametrize("host", ["api.arklow.io", "arklow.io", "INGRESS.Arklow.IO.", "arklowdocs.io"])
def test_arklows_own_domains_are_refused_as_targets(desk: Desk, host: str) -> None:
    """They are refused even when the host was allowed (B109)."""
    with Desk(deliver_to=frozenset({host.lower(), host.lower().rstrip(".")})) as generous:
        for one in (desk, generous):
            body = {"label": "d", "type": "webhook", "config": {"url": f"https://{host}/hook"}}
            refused = one.admin("PUT", "42/destinations", body)
            assert refused.refusal == (409, "DESTINATION_REFUSED")
            assert b"Arklow's own" in refused.body


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "hooks.localhost", "[::ffff:127.0.0.1]"])
def test_this_machine_is_called_by_any_of_its_names(desk: Desk, host: str) -> None:
    """These are loopback addresses, `localhost` and names that end with it (RFC 6761)."""
    with Receiver() as receiver:
        linked(desk, f"http://{host}:{receiver.port}/hook")
        desk.accept()
        with _network_use() as used:
            advance(desk)
        assert len(receiver.got) == 1
        assert all(
            host in ("127.0.0.1", "::1", "::ffff:127.0.0.1")
            for event, (host, *_) in used
            if "connect" in event
        )


@pytest.mark.parametrize(
    "where", ["http://example.com/", "//example.com/", "http://134744072/", "/elsewhere"]
)
def test_a_redirect_is_not_followed(desk: Desk, where: str) -> None:
    """Its target makes no difference (Q30)."""
    with Receiver([answer(307, location=where)]) as receiver:
        linked(desk, receiver.url)
        action = desk.accept()["a_id"]
        with _network_use() as used:
            advance(desk)
        assert {target for event, target in used if event == "socket.connect"} <= {
            ("127.0.0.1", receiver.port)
        }
        assert len(receiver.got) == 1
        assert desk.state(action) == ("retrying", 0)


def test_an_allowed_host_is_called() -> None:
    """It is called by the name under which it was allowed, and by no other."""
    with Receiver() as receiver, Desk(deliver_to=frozenset({"0.0.0.0"})) as desk:
        made = linked(desk, f"http://0.0.0.0:{receiver.port}/hook")
        assert made["not_called"] is None
        desk.accept()
        advance(desk)
        assert len(receiver.got) == 1

        made = linked(desk, f"http://[::]:{receiver.port}/hook")
        assert "--deliver-to ::" in made["not_called"]


@pytest.mark.parametrize("address", ["8.8.8.8", "::ffff:8.8.8.8", "2001:db8::1", "fe80::1%1", "0.0.0.0"])
def test_a_local_name_with_the_address_of_another_machine_is_not_called(address: str) -> None:
    """The address is checked when the connection is made, so a name server cannot change it in between."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(OSError, match="no address of this machine"):
        loopback_socket((family, socket.SOCK_STREAM, 6, "", (address, 80)))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://localhost/",
        "http:///path",
        "localhost:80/x",
        "http://localhost:99999/",
        "file:///etc/passwd",
        "http://user:password@localhost/",
    ],
)
def test_a_url_that_cannot_be_called_is_refused(desk: Desk, url: str) -> None:
    """It is refused when it is configured, before an action fails."""
    refused = desk.admin("PUT", "42/destinations", {"label": "d", "type": "webhook", "config": {"url": url}})
    assert refused.status in (400, 409)
    assert b'"body/config/url: expected' in refused.body
    assert b"password@" not in refused.body


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Length": "5"},
        {"transfer-encoding": "chunked"},
        {"X A": "1"},
        {"": "1"},
        {"X": "a\r\nY: b"},
        {"X": "\u20ac"},
    ],
)
def test_a_header_that_no_call_can_have_is_refused(desk: Desk, headers: dict[str, str]) -> None:
    """So are such headers of a credential."""
    for body in (
        {"config": {"url": "http://localhost/", "headers": headers}},
        {"config": {"url": "http://localhost/"}, "credential": {"headers": headers}},
    ):
        refused = desk.admin("PUT", "42/destinations", {"label": "d", "type": "webhook"} | body)
        assert refused.refusal == (409, "DESTINATION_REFUSED")


@pytest.mark.parametrize(
    "credential",
    [
        {"headers": {"authorization": "sk-live-1é"}},
        {"headers": {"authorization": 5150}},
        {"header": {"authorization": "sk-live-1"}},
        "sk-live-1",
    ],
)
def test_a_refused_credential_is_not_shown(desk: Desk, credential: Any) -> None:
    """Its values are neither in the answer nor in the log (B202)."""
    body = {"label": "d", "type": "webhook", "config": {"url": "http://localhost/"}, "credential": credential}
    for given in (body, {"credential": credential}):
        refused = desk.admin("PUT", "42/destinations", given)
        assert refused.status in (400, 409)
        for text in (refused.body.decode(), *desk.log):
            assert "sk-live" not in text
            assert "5150" not in text


@pytest.mark.parametrize(
    ("flag", "url"),
    [
        ("Hooks.Example.", "http://hooks.example/"),
        ("xn--mnchen-3ya.example", "http://münchen.example/"),
        ("FE80:0:0:0::1", "http://[fe80::1]/"),
        ("10.0.0.5", "http://10.0.0.5:8080/x"),
    ],
)
def test_a_host_is_allowed_in_any_of_its_spellings(flag: str, url: str) -> None:
    """The flag is parsed like the host of a URL."""
    assert WebhookClient(frozenset({flag})).why_not_called(url) == ""
