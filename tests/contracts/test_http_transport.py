"""What goes over a socket, byte for byte, and how an answer is read, to a request alone and to many at the same moment."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from contracts.transport.client import AGENT, Client
from contracts.transport.interference import LARGEST, Interference
from contracts.transport.wire import Request
from tests.contracts.recorder import EARLY, OK, Answering, lines, recording
from tests.contracts.runs import client
from tests.waiting import PATIENCE

KEY = ("x-arklow-auth", "good-key-one")
SHORT = 0.1
"""Seconds for an answer that never comes to its end: no test counts them, as they pass in any case."""

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


# Connections


@pytest.mark.parametrize("way", WAYS)
def test_a_connection_that_the_target_keeps_is_used_again(connect: Connect, way: str) -> None:
    """One request after another goes over it."""
    request, accepted = Request("GET", "/v1/modack"), set[int]()

    def answer(connection: socket.socket, over: threading.Event) -> None:
        accepted.add(connection.getpeername()[1])
        while connection.send(OK) and connection.recv(65_536):
            pass

    with recording(answer) as recorder:
        made = connect(recorder.url)
        for _ in range(3):
            made.send(request) if way == "send" else made.volley([request])

    assert (len(accepted), made.drops) == (1, 0)


def test_a_kept_connection_that_the_target_closes_is_a_drop(connect: Connect) -> None:
    """The next request goes over a new one; a connection that was announced as closing is none."""

    def close_without_a_word(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(OK)

    with recording(close_without_a_word) as recorder:
        made = connect(recorder.url)
        for _ in range(3):
            made.send(Request("GET", "/v1/modack"))
            assert recorder.closed.acquire(timeout=PATIENCE)
    with recording(OK.replace(b"\r\n\r\n{}", b"\r\nConnection: close\r\n\r\n{}")) as recorder:
        other = connect(recorder.url)
        for _ in range(3):
            other.send(Request("GET", "/v1/modack"))

    assert (made.drops, other.drops) == (2, 0)


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


def test_a_call_of_a_volley_that_is_cut_off_costs_no_other(connect: Connect) -> None:
    """None stands for it, and its connection is opened again for the next volley."""
    broken: list[int] = []

    def close_the_third(connection: socket.socket, over: threading.Event) -> None:
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


# Answers


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

    def part(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(CHUNKED[:length])

    with recording(part) as recorder, pytest.raises(Interference):
        connect(recorder.url).send(Request("GET", "/v1/modack"))


def cut_off(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(OK[:-1])


def cut_off_in_its_head(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(OK[: OK.index(b"Content-Length")])


def too_long(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (LARGEST + 1))
    connection.sendall(b" " * (LARGEST + 1))


def no_http(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"no HTTP at all\r\n\r\n")


def without_end(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b" " * 65_536)


def nothing(connection: socket.socket, over: threading.Event) -> None:
    over.wait(PATIENCE)


def repeating(first: bytes, piece: bytes) -> Answering:
    """Answer with `first` and then, until the test is over, with the same piece again and again."""

    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(first)
        while not over.wait(SHORT / 5):
            connection.sendall(piece)

    return answer


UNUSABLE: dict[str, tuple[Answering, str]] = {
    "cut off": (cut_off, "connection cut off"),
    "cut off in its head": (cut_off_in_its_head, "connection cut off"),
    "no HTTP": (no_http, "an answer that is not HTTP"),
    "silence": (nothing, "no answer in time"),
    "a head in drops": (repeating(b"HTTP/1.1 200 OK\r\nX-A: ", b"a"), "no answer in time"),
    "interim answers and no final one": (repeating(EARLY, EARLY), "no answer in time"),
    "a body in drops": (
        repeating(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b" "),
        "no answer in time",
    ),
    "without end": (without_end, "an answer of more than 8 MiB"),
    "too long": (too_long, "an answer of more than 8 MiB"),
}
"""What is wrong with an answer → how the server gives it, and the kind of interference that it is."""


@pytest.mark.parametrize("wrong", UNUSABLE)
@pytest.mark.parametrize("way", WAYS)
def test_an_answer_that_cannot_be_used_is_interference(connect: Connect, way: str, wrong: str) -> None:
    """The client stops reading while the server still holds the connection, and names the reason."""
    answer, why = UNUSABLE[wrong]
    timeout = SHORT if why == "no answer in time" else PATIENCE
    with recording(answer) as recorder:
        made = connect(recorder.url)
        if way == "send":
            with pytest.raises(Interference, match=f"^{why}$"):
                made.send(Request("GET", "/v1/modack"), timeout=timeout)
        else:
            assert made.volley([Request("GET", "/v1/modack")], timeout=timeout) == [None]

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
