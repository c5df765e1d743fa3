"""Addresses that are given, proxies that ask for a password, and the admin plane: all of the target is reached in one way."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from contracts.cli import parser
from contracts.commands.dry_run import described
from contracts.commands.plan_options import plan_of
from contracts.commands.usage import Usage
from contracts.core.target import Admin, ConnectionOptions, ExtraHeader, ProxyLogin, Resolution, Target
from contracts.transport.client import Client
from contracts.transport.interference import Interference
from contracts.transport.wire import Request
from tests.clocks import VirtualClock
from tests.contracts.authority import AUTHORITY, NAME
from tests.contracts.gateways import HEADER, placed, pumping
from tests.contracts.ports import ScriptedTransport, accepted
from tests.contracts.recorder import lines, recording
from tests.contracts.runs import KEYS
from tests.contracts.sockets import contacted
from tests.contracts.targets import ENVIRONMENT, HIDDEN, PLAIN, planned, refusal
from tests.mutants import ConformingServer

ASK = Request("GET", "/v1/ack")
WAYS = ["send", "volley"]
PASSWORD = "p%ss: w@rd/é"
LOGIN = ProxyLogin("jenkins", PASSWORD)
FLAGS = ["--base-url", "http://staging.example:81", "--api-key", "env:KEY", "--org", "1"]


def connected(target: Target, way: str, clock: VirtualClock | None = None) -> int | None:
    """Send one request and return the status of its answer."""
    client = Client(target, lambda *_: (None, None), clock=clock)
    try:
        if way == "send":
            return client.send(ASK).status
        [one] = client.volley([ASK])
        return one.status if one else None
    finally:
        client.close()


# Addresses


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_a_host_is_where_it_is_said_to_be_and_keeps_its_name(way: str, tls: bool) -> None:
    """The name is looked up nowhere; `Host`, and what TLS asks for and checks, stay those of the URL."""
    with ExitStack() as stack:
        recorder = stack.enter_context(recording())
        url = recorder.url
        if tls:
            url = stack.enter_context(pumping(url, AUTHORITY.serving())).url
        port = urlsplit(url).port or 0
        named = f"{'https' if tls else 'http'}://{NAME}:{port}"
        options = ConnectionOptions(
            ca=AUTHORITY.ca if tls else None, resolve=(Resolution(NAME, port, "127.0.0.1"),)
        )
        hosts = stack.enter_context(contacted())
        status = connected(Target(named, named, *KEYS, connection=options), way)

    assert status == 200
    assert f"Host: {NAME}:{port}".encode() in lines(recorder.got[0])
    assert set(hosts) == {"127.0.0.1"}


@pytest.mark.parametrize("way", WAYS)
def test_an_address_holds_for_its_port_alone(way: str) -> None:
    """Another port of the same host is looked up."""
    with recording() as recorder:
        port = urlsplit(recorder.url).port or 0
        named = f"http://{NAME}:{port}"
        options = ConnectionOptions(resolve=(Resolution(NAME, port + 1, "127.0.0.1"),))
        with pytest.raises(Interference, match="cannot connect"):
            connected(Target(named, named, *KEYS, connection=options), way)

    assert recorder.got == []


@pytest.mark.parametrize("way", WAYS)
def test_an_address_of_version_6_is_connected_to(way: str) -> None:
    """Where this machine has it."""
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        named = f"http://{NAME}:{port}"
        options = ConnectionOptions(resolve=(Resolution(NAME, port, "::1"),))
        with contacted() as hosts, pytest.raises(Interference, match=r"connection refused|cannot connect"):
            connected(Target(named, named, *KEYS, connection=options), way)

    assert set(hosts) == {"::1"}


@pytest.mark.parametrize(
    ("given", "host", "port", "address"),
    [
        ("Staging.Example:81:10.0.0.7", "staging.example", 81, "10.0.0.7"),
        ("staging.example:81:[::1]", "staging.example", 81, "::1"),
        ("staging.example:81:2001:db8:0:0::7", "staging.example", 81, "2001:db8::7"),
        ("[::1]:81:127.0.0.1", "::1", 81, "127.0.0.1"),
    ],
)
def test_an_address_is_given_as_curl_takes_it(given: str, host: str, port: int, address: str) -> None:
    """An IPv6 address in brackets or without; it is shown in the form that curl takes."""
    flags = [
        "--base-url",
        f"http://{f'[{host}]' if ':' in host else host}:{port}",
        *FLAGS[2:],
        "--resolve",
        given,
    ]
    plan = plan_of(parser().parse_args(["check", *flags]), ENVIRONMENT)

    assert plan.target.connection.resolve == (Resolution(host, port, address),)
    bracketed = f"[{address}]" if ":" in address else address
    assert any(line.endswith(f":{port}:{bracketed}") for line in described(plan))


@pytest.mark.parametrize(
    "given",
    [
        "",
        "a",
        "a:81",
        "a:81:",
        "a:81:b",
        "a:0:10.0.0.7",
        "a:65536:10.0.0.7",
        "a:x:10.0.0.7",
        ":81:10.0.0.7",
        "a:81:1.2.3",
    ],
)
def test_what_is_no_address_is_refused(given: str) -> None:
    """The message shows what would pass."""
    with pytest.raises(Usage, match=r"HOST:PORT:ADDRESS, such as staging.example:443:10.0.0.7"):
        parser().parse_args(["check", *FLAGS, "--resolve", given])


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (["--resolve", "other.example:81:10.0.0.7"], "no URL has the host other.example and the port 81"),
        (
            ["--resolve", "staging.example:443:10.0.0.7"],
            "no URL has the host staging.example and the port 443",
        ),
        (
            ["--proxy", "http://proxy.example", "--resolve", "staging.example:81:10.0.0.7"],
            "the proxy looks that name up",
        ),
    ],
)
def test_an_address_that_is_used_for_nothing_is_refused(flags: list[str], why: str) -> None:
    """A run with it would go elsewhere than its user thinks."""
    with pytest.raises(Usage, match=f"--resolve .* is of no use, as {why}"):
        plan_of(parser().parse_args(["check", *FLAGS, *flags]), ENVIRONMENT)


def test_addresses_stand_in_a_targets_file_and_flags_win(here: Path) -> None:
    """Host by host."""
    text = (
        PLAIN
        + 'ingress_url = "https://in.example"\nresolve = ["staging.example:443:10.0.0.7", "in.example:443:[::2]"]'
    )
    given = planned(text, "--resolve", "staging.example:443:127.0.0.1").target.connection.resolve

    assert sorted(map(str, given)) == ["in.example:443:[::2]", "staging.example:443:127.0.0.1"]
    assert "targets.toml: [targets.a] resolve" in refusal(
        PLAIN + 'resolve = ["staging.example:443:no address"]'
    )
    assert "a list of texts" in refusal(PLAIN + 'resolve = "staging.example:443:10.0.0.7"')


def test_a_target_is_local_where_its_addresses_are() -> None:
    """By the address and not by the name, so that limits fit the machine that is asked."""
    named = Target("http://staging.example", "http://staging.example", *KEYS)
    here_too = ConnectionOptions(resolve=(Resolution("staging.example", 80, "127.0.0.1"),))
    away = ConnectionOptions(resolve=(Resolution("localhost", 80, "10.0.0.7"),))

    assert (named.is_local, replace(named, connection=here_too).is_local) == (False, True)
    assert not Target("http://localhost", "http://localhost", *KEYS, connection=away).is_local
    assert (
        replace(named, base_url="https://api.arklow.io", connection=here_too).production_host
        == "api.arklow.io"
    )


# Proxies with a password


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("tls", "scheme"), [(False, "http"), (True, "http"), (True, "https")])
def test_a_proxy_is_given_user_and_password(way: str, tls: bool, scheme: str) -> None:
    """For requests that it forwards, and for tunnels; without them its refusal is its own, and not an answer."""
    with placed(ConformingServer(), tls=tls, proxy=scheme) as there:
        assert there.proxy is not None
        there.proxy.login = base64.b64encode(f"jenkins:{PASSWORD}".encode()).decode()
        target = Target(there.url, there.url, *KEYS, connection=there.way)
        assert _refused(target, way) == "the proxy answers 407"
        with_login = replace(target, connection=replace(there.way, proxy_login=LOGIN))

        assert connected(with_login, way) == 404
        assert there.gate.passed == 1


def _refused(target: Target, way: str) -> str:
    """Return the kind of interference that a request meets, up to what helps, which is named."""
    client = Client(target, lambda *_: (None, None))
    with suppress(Interference):
        assert (client.send(ASK) if way == "send" else client.volley([ASK])) == [None]
    client.close()
    [kind] = client.interference
    assert "--proxy http://USER:PASSWORD@HOST:PORT" in kind
    return kind.partition(" (")[0]


def test_a_407_of_a_target_without_a_proxy_is_its_answer() -> None:
    """It is judged as any other."""
    with recording(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n") as recorder:
        assert connected(Target(recorder.url, recorder.url, *KEYS), "send") == 407


@pytest.mark.parametrize("how", ["as it is", "env:", "file:"])
def test_a_password_of_a_proxy_is_read_and_shown_nowhere(
    how: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Percent-encoded in the URL, which may be in a variable or in a file."""
    url = f"http://jenkins:{quote(PASSWORD, safe='')}@proxy.example:3128"
    (here / "proxy.txt").write_text(f"{url}\n")
    given = {"as it is": url, "env:": "env:PROXY", "file:": "file:proxy.txt"}[how]
    environment = {**ENVIRONMENT, "PROXY": url}
    target = plan_of(parser().parse_args(["check", *FLAGS, "--proxy", given]), environment).target
    plan = plan_of(parser().parse_args(["check", *FLAGS, "--proxy", given]), environment)

    assert (target.connection.proxy, target.connection.proxy_login) == ("http://proxy.example:3128", LOGIN)
    printed = "\n".join(described(plan)) + repr(plan)
    assert PASSWORD not in printed
    assert quote(PASSWORD, safe="") not in printed
    assert "http://proxy.example:3128, for the user jenkins with $ARKLOW_PROXY_PASSWORD" in printed
    assert target.secrets[PASSWORD] == "$ARKLOW_PROXY_PASSWORD"
    assert target.secrets[LOGIN.basic.removeprefix("Basic ")].startswith("$(printf %s 'jenkins:'\"$ARKLOW")


@pytest.mark.parametrize(
    "login",
    [
        f"jenkins:@{HIDDEN}",
        f"{HIDDEN}@proxy.example",
        f":{HIDDEN}@proxy.example",
        f"a%3Ab:{HIDDEN}@proxy.example",
        f"a:{HIDDEN}%0d%0ax@proxy.example",
    ],
)
def test_a_user_that_cannot_be_sent_is_refused(login: str) -> None:
    """The message has no part of it."""
    with pytest.raises(Usage, match=r"--proxy") as refused:
        plan_of(parser().parse_args(["check", *FLAGS, "--proxy", f"http://{login}"]), ENVIRONMENT)

    assert HIDDEN not in str(refused.value) or login.startswith("jenkins:@")


def test_a_targets_file_names_the_place_of_a_proxy_with_a_password(here: Path) -> None:
    """And does not have it itself."""
    (here / "proxy.txt").write_text("http://u:s3cret@proxy.example:3128")
    way = planned(PLAIN + 'proxy = "file:proxy.txt"').target.connection

    assert (way.proxy, way.proxy_login) == ("http://proxy.example:3128", ProxyLogin("u", "s3cret"))
    assert "without user and password" in refusal(PLAIN + f'proxy = "http://u:{HIDDEN}@proxy.example"')


# The admin plane


MOVED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n" + b'{"data":{}}'
"""What says that a clock was moved."""


@contextmanager
def admin_plane(*, tls: bool = False) -> Iterator[tuple[str, list[bytes]]]:
    """Serve what takes every move of a clock; yield its URL and the requests that came."""
    with ExitStack() as stack:
        recorder = stack.enter_context(recording(MOVED))
        url = recorder.url
        if tls:
            url = stack.enter_context(pumping(url, AUTHORITY.serving())).url
        yield url, recorder.got


def moved(base: str, admin: str, way: ConnectionOptions) -> None:
    """Move the clock of a target with an admin plane."""
    target = Target(base, base, *KEYS, admin=Admin(admin, "t0ken"), connection=way)
    client = Client(
        target,
        lambda *_: (None, None),
        clock=VirtualClock(),
        transport=ScriptedTransport(lambda _: accepted()),
    )
    client.wait(60)
    assert client.now() == 60


@pytest.mark.parametrize("base", ["http://127.0.0.1:9", "http://elsewhere.example"])
def test_headers_go_to_the_admin_plane_on_a_host_of_the_target_alone(base: str) -> None:
    """On another host they would be shown to other eyes than they are for; the token always goes."""
    with admin_plane() as (url, got):
        moved(base, url, ConnectionOptions((HEADER, ExtraHeader("x-more", "1", "MORE"))))

    names = [line.partition(b":")[0].lower() for line in lines(got[0])]
    assert (b"x-gate" in names, b"x-more" in names) == ("127.0.0.1" in base, "127.0.0.1" in base)
    assert b"Authorization: Bearer t0ken" in lines(got[0])


def test_the_admin_plane_is_reached_over_tls_of_a_private_authority() -> None:
    """Without it the reason is told."""
    with admin_plane(tls=True) as (url, got):
        with pytest.raises(Interference, match=r"^the admin plane: TLS failed: .*--ca FILE"):
            moved(url, url, ConnectionOptions())
        moved(url, url, ConnectionOptions(ca=AUTHORITY.ca))

    assert len(got) == 1


def test_the_admin_plane_is_where_it_is_said_to_be() -> None:
    """By the same addresses."""
    with admin_plane() as (url, got):
        port = urlsplit(url).port or 0
        moved(
            f"http://{NAME}",
            f"http://{NAME}:{port}/admin",
            ConnectionOptions(resolve=(Resolution(NAME, port, "127.0.0.1"),)),
        )

    assert lines(got[0])[0] == b"POST /admin/organisations/1/clock/advance HTTP/1.1"
    assert f"Host: {NAME}:{port}".encode() in lines(got[0])


@pytest.mark.parametrize("tls", [False, True], ids=["forwarded", "tunnelled"])
def test_the_admin_plane_is_reached_through_the_proxy(tls: bool) -> None:
    """With its user, whose password the admin plane does not see in a tunnel."""
    with admin_plane(tls=tls) as (url, got), pumping(None) as proxy:
        proxy.login = LOGIN.basic.removeprefix("Basic ")
        named = url.replace("127.0.0.1", NAME)
        moved(named, named, ConnectionOptions(ca=AUTHORITY.ca, proxy=proxy.url, proxy_login=LOGIN))

    assert len(got) == 1
    assert proxy.asked[0].startswith("CONNECT " if tls else "POST http://")
    assert (b"Proxy-Authorization" in got[0]) is not tls
