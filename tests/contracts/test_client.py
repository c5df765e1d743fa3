"""What goes over the wire, byte for byte, and what comes back as interference."""

from __future__ import annotations

import math
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pytest

from contracts.core.target import Admin
from contracts.phases.requests import INGRESS, MODACK, PUT
from contracts.transport.client import AGENT, Client
from contracts.transport.interference import LARGEST, Interference
from contracts.transport.throttle import Allowance, TimeUp
from contracts.transport.wire import Request
from tests.contracts.runs import client

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\nContent-Length: 7\r\n\r\n"
KEY = ("x-arklow-auth", "good-key-one")


@dataclass
class Recorder:
    """A server that records the bytes it gets, and gives every request the same answer."""

    answer: bytes | Callable[[socket.socket], None] = OK
    crowd: int = 1
    """Requests that have to have arrived before any is answered."""
    got: list[bytes] = field(default_factory=list)
    url: str = ""

    def __post_init__(self) -> None:
        self._together = threading.Barrier(self.crowd)

    def serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=self.hear, args=[connection], daemon=True).start()

    def hear(self, connection: socket.socket) -> None:
        with suppress(OSError, threading.BrokenBarrierError), connection:
            while request := read_request(connection):
                self.got.append(request)
                self._together.wait(5)
                if callable(self.answer):
                    self.answer(connection)
                    return
                connection.sendall(self.answer)


def read_request(connection: socket.socket) -> bytes:
    """Read the bytes of one request, framed by length or by chunks."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65_536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    while (length and len(body) < int(length[1])) or (
        b"chunked" in head.lower() and not body.endswith(b"0\r\n\r\n")
    ):
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


@contextmanager
def recording(answer: bytes | Callable[[socket.socket], None] = OK, crowd: int = 1) -> Iterator[Recorder]:
    """Serve a recorder."""
    recorder = Recorder(answer, crowd)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        recorder.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        threading.Thread(target=recorder.serve, args=[listener], daemon=True).start()
        yield recorder


Connect = Callable[[str], Client]
"""Makes a client of the target at a URL."""


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes clients, and closes them."""
    made: list[Client] = []

    def open_client(url: str) -> Client:
        made.append(client(url))
        return made[-1]

    yield open_client
    for one in made:
        one.close()


def lines(request: bytes) -> list[bytes]:
    """Return the lines of a request's head."""
    return request.partition(b"\r\n\r\n")[0].split(b"\r\n")


def sent(request: Request) -> bytes:
    """Send a request and return it as it went over the wire."""
    with recording() as recorder:
        made = client(recorder.url)
        made.send(request)
        made.close()
    return recorder.got[0]


WAYS = ["send", "volley"]


@pytest.mark.parametrize("way", WAYS)
def test_a_request_is_sent_as_it_is_given(connect: Connect, way: str) -> None:
    """Names keep their case, equal names stay two, bytes beyond ASCII stay as they are, nothing is escaped."""
    headers = (
        ("X-Arklow-AUTH", "good-key-one"),
        ("content-type", "application/json"),
        ("x-two", "one"),
        ("x-two", "two"),
        ("X-Bytes", "caf\xe9 \xff"),
    )
    request = Request(
        "PATCH", "/v1/ingress/a%2fb//..;c?tag.x=%zz&a b".replace(" ", "%20"), headers, b'{"a":\xff}'
    )
    with recording() as recorder:
        made = connect(recorder.url)
        if way == "send":
            made.send(request)
        else:
            made.volley([request])

    head = lines(recorder.got[0])
    assert head[0] == b"PATCH /v1/ingress/a%2fb//..;c?tag.x=%zz&a%20b HTTP/1.1"
    assert [line for line in head if line.lower().startswith(b"x-")] == [
        b"X-Arklow-AUTH: good-key-one",
        b"x-two: one",
        b"x-two: two",
        b"X-Bytes: caf\xe9 \xff",
    ]
    assert recorder.got[0].endswith(b'\r\n\r\n{"a":\xff}')


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_added_but_what_every_request_has(connect: Connect, way: str) -> None:
    """Host, length, user agent and accepted types; no second media type, no encoding, no other key."""
    with recording() as recorder:
        made = connect(recorder.url)
        request = Request("POST", "/v1/modack", (KEY,), b"{}")
        if way == "send":
            made.send(request)
        else:
            made.volley([request])

    named = {line.partition(b":")[0].lower(): line.partition(b": ")[2] for line in lines(recorder.got[0])[1:]}
    assert named.pop(b"accept-encoding", b"identity") == b"identity"
    assert named.pop(b"traceparent") == f"00-{made.trace}-{made.requests:016x}-01".encode()
    assert named == {
        b"host": recorder.url.removeprefix("http://").encode(),
        b"user-agent": AGENT.encode(),
        b"accept": b"*/*",
        b"content-length": b"2",
        b"x-arklow-auth": b"good-key-one",
    }


def test_a_header_that_a_request_has_is_not_added_again() -> None:
    """An agent and an accept of its own replace those of the judge."""
    head = lines(sent(Request("GET", "/v1/modack", (("USER-AGENT", "me"), ("Accept", "text/html")))))

    assert [line for line in head if re.match(rb"(?i)user-agent|accept:", line)] == [
        b"USER-AGENT: me",
        b"Accept: text/html",
    ]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PROPFIND", "get", "ARKLOW"])
def test_any_method_is_sent(connect: Connect, method: str) -> None:
    """Unknown methods, and methods in lower case."""
    with recording(OK.replace(b"\r\n\r\n{}", b"\r\n\r\n") if method == "HEAD" else OK) as recorder:
        connect(recorder.url).send(Request(method, "/v1/modack"))

    assert lines(recorder.got[0])[0].startswith(f"{method} /v1/modack ".encode())


@pytest.mark.parametrize(
    ("sizes", "pieces"), [((1, 2), [1, 2, 7]), ((4, 4, 4), [4, 4, 2]), ((10,), [10]), ((3, 0, 3), [3, 3, 4])]
)
def test_a_chunked_body_goes_in_the_pieces_that_are_asked_for(
    sizes: tuple[int, ...], pieces: list[int]
) -> None:
    """The rest is a last piece, and no length is announced."""
    request = sent(Request("POST", "/v1/modack", (KEY,), b"0123456789", sizes))

    head, _, body = request.partition(b"\r\n\r\n")
    assert b"content-length" not in head.lower()
    assert [int(size, 16) for size in re.findall(rb"(?:^|\r\n)([0-9a-fA-F]+)\r\n(?=[0-9])", body)] == pieces
    assert body.endswith(b"\r\n0\r\n\r\n")


def test_no_body_is_not_an_empty_body() -> None:
    """A length of 0 is announced for an empty one alone."""
    assert b"content-length: 0" in sent(Request("POST", "/v1/modack", body=b"")).lower()
    assert b"content-length" not in sent(Request("GET", "/v1/modack")).lower()


def test_an_exchange_has_what_was_sent_and_what_was_answered(connect: Connect) -> None:
    """And the operation of its path and method."""
    answer = b"HTTP/1.1 409 No\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 4\r\n\r\nnull"
    with recording(answer) as recorder:
        exchange = connect(recorder.url).send(Request("POST", "/v1/modack?a=b", (KEY,), b"{}", (1,)), 1.5)

    assert (exchange.method, exchange.url, exchange.headers, exchange.body) == (
        "POST",
        f"{recorder.url}/v1/modack?a=b",
        (KEY,),
        b"{}",
    )
    assert (exchange.status, exchange.answer, exchange.operation) == (409, b"null", MODACK)
    assert (exchange.waited, exchange.chunks) == (1.5, (1,))
    assert exchange.call <= exchange.back
    assert "1" in str(exchange.answer_header("x-a"))


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("PUT", "/v1/orgs/1/actions/definitions", PUT),
        ("POST", "/v1/ingress/a%2Fb", INGRESS),
        ("GET", "/v1/ingress/a", None),
        ("POST", "/v1/elsewhere", None),
    ],
)
def test_an_exchange_knows_its_operation(
    connect: Connect, method: str, path: str, operation: str | None
) -> None:
    """By its path and method."""
    with recording() as recorder:
        exchange = connect(recorder.url).send(Request(method, path))

    assert exchange.operation == operation


def test_a_volley_is_under_way_all_at_once(connect: Connect) -> None:
    """The server answers only when it has all requests; answers come in the order of the requests."""
    requests = [Request("POST", f"/v1/ingress/v{number}", (KEY,), b"{}") for number in range(8)]
    with recording(crowd=8) as recorder:
        made = connect(recorder.url)
        answers = [made.volley(requests) for _ in range(2)][1]

    assert [exchange.url.rpartition("/")[2] for exchange in answers if exchange] == [
        f"v{n}" for n in range(8)
    ]
    assert max(one.call for one in answers if one) <= min(one.back for one in answers if one)
    assert made.requests == 16


@pytest.mark.parametrize("status", [429, 502, 503, 504, 520, 530])
def test_a_status_of_gateways_and_limits_is_interference(connect: Connect, status: int) -> None:
    """It is interference, whatever server gave it; each is counted."""
    with recording(OK.replace(b"200 OK", f"{status} Away".encode())) as recorder:
        made = connect(recorder.url)
        with pytest.raises(Interference, match=str(status)):
            made.send(Request("GET", "/v1/modack"))
        assert made.volley([Request("GET", "/v1/modack")] * 2) == [None, None]

    tries = 3 if status == 429 else 1  # what a rate limit refuses is sent again
    assert made.interference == {str(status): tries + 2}


def cut_off(connection: socket.socket) -> None:
    connection.sendall(OK[:-1])


def cut_off_in_its_head(connection: socket.socket) -> None:
    connection.sendall(OK[: OK.index(b"Content-Length")])


def too_long(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (LARGEST + 1))
    connection.sendall(b" " * (LARGEST + 1))


def silence(connection: socket.socket) -> None:
    time.sleep(2)


def no_http(connection: socket.socket) -> None:
    connection.sendall(b"no HTTP at all\r\n\r\n")


def without_end(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b" " * 65_536)


def head_in_drops(connection: socket.socket) -> None:
    for byte in OK:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def no_final_one(connection: socket.socket) -> None:
    while True:
        connection.sendall(EARLY)
        time.sleep(0.05)


def drops(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    with suppress(OSError):
        while True:
            connection.sendall(b" ")
            time.sleep(0.05)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (cut_off, "connection cut off"),
        (cut_off_in_its_head, "connection cut off"),
        (no_http, "connection cut off"),
        (silence, "no answer in time"),
        (head_in_drops, "no answer in time"),
        (no_final_one, "no answer in time"),
        (drops, "no answer in time"),
        (without_end, "an answer of more than 8 MiB"),
        (too_long, "an answer of more than 8 MiB"),
    ],
)
@pytest.mark.parametrize("way", WAYS)
def test_an_answer_that_cannot_be_used_is_interference(
    connect: Connect, way: str, answer: Callable[[socket.socket], None], why: str
) -> None:
    """The client stops reading, names the reason, and sends the next request."""
    with recording(answer) as recorder:
        made = connect(recorder.url)
        timeout = 0.3 if why == "no answer in time" else 10.0
        began = time.monotonic()
        if way == "send":
            with pytest.raises(Interference, match=f"^{why}$"):
                made.send(Request("GET", "/v1/modack"), timeout=timeout)
        else:
            assert made.volley([Request("GET", "/v1/modack")], timeout=timeout) == [None]

    assert time.monotonic() - began < 2
    assert made.interference == {why: 1}


def test_a_target_that_does_not_listen_is_interference(connect: Connect) -> None:
    """For one request and for many."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    made = connect(url)

    with pytest.raises(Interference, match="connection refused"):
        made.send(Request("GET", "/v1/modack"))
    with pytest.raises(Interference, match="connection refused"):
        made.volley([Request("GET", "/v1/modack")])


def test_a_call_of_a_volley_that_is_cut_off_costs_no_other(connect: Connect) -> None:
    """None stands for it, and its connection is opened again for the next volley."""
    broken: list[int] = []

    def close_the_third(connection: socket.socket) -> None:
        broken.append(1)
        if len(broken) != 3:
            connection.sendall(OK)

    with recording(close_the_third) as recorder:
        made = connect(recorder.url)
        first = made.volley([Request("GET", "/v1/modack")] * 4)
        second = made.volley([Request("GET", "/v1/modack")] * 4)

    assert sum(one is None for one in first) == 1
    assert made.interference["connection cut off"] >= 1
    assert len(second) == 4


def test_no_redirect_is_followed(connect: Connect) -> None:
    """It is an answer like any other."""
    moved = b"HTTP/1.1 307 Moved\r\nLocation: /v1/modack\r\nContent-Length: 0\r\n\r\n"
    with recording(moved) as recorder:
        exchange = connect(recorder.url).send(Request("POST", "/v1/modack", (KEY,), b"{}"))

    assert (exchange.status, len(recorder.got)) == (307, 1)


def test_no_proxy_and_no_password_file_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment names."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert b"authorization" not in sent(Request("GET", "/v1/modack")).lower()


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_sent_after_the_end_of_the_run(connect: Connect, way: str) -> None:
    """No request reaches the target, and none is counted."""
    with recording() as recorder:
        made = connect(recorder.url)
        made.throttle.allow(Allowance(deadline=0.0))
        with pytest.raises(TimeUp):
            made.send(Request("GET", "/v1/modack")) if way == "send" else made.volley([Request("GET", "/")])

    assert (recorder.got, made.requests) == ([], 0)


def test_an_answer_is_waited_for_no_longer_than_the_run_goes_on(connect: Connect) -> None:
    """However long the caller would wait."""
    with recording(silence) as recorder:
        made = connect(recorder.url)
        made.throttle.allow(Allowance(deadline=time.monotonic() + 0.3))
        with pytest.raises(TimeUp):
            made.send(Request("GET", "/v1/modack"), timeout=math.inf)


def test_a_wait_beyond_the_end_of_the_run_is_refused(connect: Connect) -> None:
    """At once, and not when the time is up."""
    made = connect("http://target")
    made.throttle.allow(Allowance(deadline=time.monotonic() + 5))
    made.wait(0.01)

    began = time.monotonic()
    with pytest.raises(TimeUp):
        made.wait(6)

    assert time.monotonic() - began < 1


def with_admin_plane(url: str) -> Client:
    """A client whose target has an admin plane, which is the server itself."""
    return client(url, admin=Admin(url, "token"))


def test_a_wait_moves_the_clock_of_a_target_with_an_admin_plane() -> None:
    """The client's clock goes with it, and no time passes."""
    with recording() as recorder:
        made = with_admin_plane(recorder.url)
        before = made.now()
        made.wait(3_600)

    head, _, body = recorder.got[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /organisations/1/clock/advance HTTP/1.1")
    assert b"Authorization: Bearer token" in head
    assert body == b'{"seconds": 3600}'
    assert made.now() - before >= 3_600


def test_an_admin_plane_that_does_not_move_its_clock_is_interference() -> None:
    """The client's clock stays where it was."""
    with recording(OK.replace(b"200 OK", b"404 No")) as recorder:
        made = with_admin_plane(recorder.url)
        with pytest.raises(Interference, match="the admin plane answers 404"):
            made.wait(3_600)

    assert made.now() == pytest.approx(time.monotonic(), abs=60)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n1;x=y\r\n \r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (OK, b"{}"),
        (CHUNKED, b"{} "),
        (b"HTTP/1.1 204 No\r\n\r\n", b""),
        (b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 100 Go on\r\n\r\n" + OK, b"{}"),
        (EARLY + b"HTTP/1.1 102 At it\r\n\r\n" + EARLY + OK, b"{}"),
    ],
    ids=["length", "chunks", "204", "nothing", "after a 100", "after a 103 and others"],
)
@pytest.mark.parametrize("way", WAYS)
def test_an_answer_is_read_to_its_end_and_no_further(
    connect: Connect, way: str, answer: bytes, body: bytes
) -> None:
    """However it is framed; the next answer on the connection begins where it should."""
    with recording(answer) as recorder:
        made = connect(recorder.url)
        request = Request("POST", "/v1/modack", (KEY,), b"{}")
        exchanges = [made.send(request) if way == "send" else made.volley([request])[0] for _ in range(3)]

    assert [exchange.answer for exchange in exchanges if exchange] == [body] * 3


@pytest.mark.parametrize("length", range(CHUNKED.index(b"2\r\n"), CHUNKED.index(b"0\r\n\r\n")))
def test_a_chunked_answer_that_ends_early_is_interference(connect: Connect, length: int) -> None:
    """Wherever it is cut off."""

    def part(connection: socket.socket) -> None:
        connection.sendall(CHUNKED[:length])

    with recording(part) as recorder, pytest.raises(Interference):
        connect(recorder.url).send(Request("GET", "/v1/modack"))
