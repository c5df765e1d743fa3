"""How an answer is read is one piece of code: decoded alike everywhere, and what cannot be read accuses of nothing."""

from __future__ import annotations

import gzip
import socket
import threading
import zlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import pytest

from contracts import RunFinished
from contracts.core.codings import Undecodable, decoded
from contracts.core.exchange import Exchange
from contracts.core.ledger import Ledger
from contracts.oracle.judge import Judge
from contracts.phases.requests import INGRESS, MODACK, PUT
from contracts.transport.interference import Interference, UnreadAnswer
from contracts.transport.wire import Request
from tests.clocks import VirtualClock
from tests.contracts.changed import answer_of, with_length
from tests.contracts.recorder import lines, recording
from tests.contracts.runs import check_context, client, exchange, judged_in_process, rules
from tests.mutants import ConformingServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def zipped(text: bytes) -> bytes:
    """Compress a text in the same way each time: the names of cases must not depend on the time."""
    return gzip.compress(text, mtime=0)


TEXT = b'{"data":null,"errors":[]}'
SMALL = 1 << 20
"""Bytes that are taken for many in tests of the bound."""
WAYS = ["send", "volley"]
Encode = Callable[[bytes], bytes]


def raw(text: bytes) -> bytes:
    """Deflate without its frame."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(text) + packer.flush()


# Content codings


@pytest.mark.parametrize(
    ("names", "encode"),
    [
        ("", bytes),
        ("identity", bytes),
        ("gzip", gzip.compress),
        ("X-GZip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw),
        (" deflate , gzip,, identity ", lambda text: zipped(zlib.compress(text))),
        ("gzip, gzip", lambda text: zipped(zipped(text))),
        ("gzip", lambda text: zipped(text[:5]) + zipped(b"") + zipped(text[5:])),
    ],
    ids=["none", "identity", "gzip", "x-gzip", "zlib", "raw", "nested", "twice", "members"],
)
def test_gzip_and_deflate_are_undone_in_the_reverse_order(names: str, encode: Encode) -> None:
    """With and without the frame of zlib, in any case, also in several members."""
    assert decoded(encode(TEXT), names, SMALL) == TEXT
    assert decoded(b"", names, SMALL) == b""


@pytest.mark.parametrize(
    ("names", "body", "why"),
    [
        ("br", TEXT, "does not read: br"),
        ("gzip, zstd", TEXT, "does not read: zstd"),
        ("\x1b[31m::error::s3cret", TEXT, "does not read: one without a known name"),
        (",".join(["gzip"] * 6), zipped(TEXT), "does not read: gzip"),
        ("gzip", TEXT, "is not in the content coding that it names: gzip"),
        ("gzip", zipped(TEXT)[:-1], "names: gzip"),
        ("gzip", zipped(TEXT) + b"more", "names: gzip"),
        ("gzip", zipped(b"") * 200, "names: gzip"),
        ("deflate", zlib.compress(TEXT)[:-1], "names: deflate"),
        ("deflate", raw(TEXT) + b"more", "names: deflate"),
        ("gzip", zipped(bytes(SMALL + 1)), "an answer of more than 1 MiB"),
        ("gzip, gzip", zipped(zipped(bytes(64 * SMALL))), "an answer of more than 1 MiB"),
        ("deflate", raw(bytes(SMALL + 1)), "an answer of more than 1 MiB"),
    ],
)
def test_what_is_not_decoded_has_a_reason_of_few_words(names: str, body: bytes, why: str) -> None:
    """No text of the target stands in it, and no more than the bound is ever held."""
    with pytest.raises(Undecodable, match=f"^an answer .*{why}$|^{why}$") as refused:
        decoded(body, names, SMALL)
    assert "s3cret" not in str(refused.value)


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Return the bytes of an answer."""
    head = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


def received(way: str, url: str, request: Request | None = None) -> Exchange | None:
    """Send one request and return its exchange; None where it met interference."""
    made = client(url)
    request = request or Request("POST", "/v1/modack", (), b"{}")
    try:
        return made.send(request) if way == "send" else made.volley([request])[0]
    except UnreadAnswer as unread:
        return unread.exchange
    except Interference:
        return None
    finally:
        made.close()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "asked", [(), (("Accept-Encoding", "gzip, br"),)], ids=["by default", "by the request"]
)
def test_no_coding_is_asked_for_unless_the_request_asks_for_one(
    way: str, asked: tuple[tuple[str, str], ...]
) -> None:
    """RFC 9110 §12.5.3: without the header a server may take any."""
    with recording() as recorder:
        received(way, recorder.url, Request("POST", "/v1/modack", asked, b"{}"))

    head = [line for line in lines(recorder.got[0]) if line.lower().startswith(b"accept-encoding")]
    assert head == [b"Accept-Encoding: gzip, br" if asked else b"Accept-Encoding: identity"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (("Content-Encoding: gzip",), zipped(TEXT)),
        (("Content-Encoding: deflate", "Content-Encoding: x-gzip"), zipped(zlib.compress(TEXT))),
        (("content-encoding: deflate",), raw(TEXT)),
    ],
    ids=["gzip", "two lines", "raw deflate"],
)
def test_an_answer_is_decoded_alike_alone_and_among_many(
    way: str, headers: tuple[str, ...], body: bytes
) -> None:
    """Although it was not asked for."""
    with recording(answer(body, *headers)) as recorder:
        got = received(way, recorder.url)

    assert got is not None
    assert (got.answer, got.unread, got.status) == (TEXT, "", 200)


@pytest.mark.parametrize("way", WAYS)
def test_an_answer_that_cannot_be_decoded_is_interference_and_keeps_its_head(way: str) -> None:
    """Its status and its headers can be judged; what may have been made counts as made."""
    with recording(answer(b"\x8b\x02", "Content-Encoding: br", status="404 No")) as recorder:
        got = received(way, recorder.url)

    assert got is not None
    assert (got.status, got.answer, got.answer_header("content-encoding")) == (404, b"", "br")
    assert got.unread == "an answer in a content coding that the judge does not read: br"


# What an unread answer is held against


@pytest.mark.parametrize("operation", [INGRESS, MODACK, PUT])
@pytest.mark.parametrize("status", [200, 201, 204, 302, 400, 401, 403, 404, 406, 409, 418, 422])
def test_an_unread_answer_accuses_of_nothing_by_its_body(operation: str, status: int) -> None:
    """Whatever status and media type it has."""
    judge = Judge(check_context(), Ledger())
    judge.context.learned.note_routed(*judge.context.document.operations)
    for media in ("application/json", "text/html", None):
        judge.lose_track_of(unread(operation, status, media=media, www_authenticate="ApiKey"))

    assert judge.ledger.all() == []
    assert not {"JSON-7", "PAGE-4", "PAGE-5"} & judge.ledger.tested.keys()


@pytest.mark.parametrize(("status", "rule"), [(500, "PAGE-8"), (501, "PAGE-8"), (401, "AUTH-8")])
def test_an_unread_answer_is_judged_by_its_status_and_its_headers(status: int, rule: str) -> None:
    """A server error is one in any coding."""
    judge = Judge(check_context(), Ledger())
    judge.lose_track_of(unread(MODACK, status))

    assert rules(judge.ledger.all()) == [rule]


def unread(operation: str, status: int, media: str | None = "application/json", **headers: Any) -> Exchange:
    """Return an exchange whose answer could not be read."""
    got = exchange(operation, status, media=media, **headers)
    return Exchange(
        **{**vars(got), "unread": "an answer in a content coding that the judge does not read: br"}
    )


class Encoding:
    """Encodes answers of a conforming server: all of them, or one in so many."""

    def __init__(self, clock: VirtualClock, coding: str, encode: Encode, one_in: int = 1) -> None:
        self._app = ConformingServer(clock=clock)
        self._coding, self._encode, self._one_in, self._count = coding, encode, one_in, 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self._count += 1
        if self._count % self._one_in:
            return self._app(environ, start_response)
        status, head, body = answer_of(self._app, environ)
        if body:
            body = self._encode(body)
            head.append(("Content-Encoding", self._coding))
        start_response(status, with_length(head, body))
        return [body]


def encoded(coding: str, encode: Encode, one_in: int = 1) -> RunFinished:
    """Judge a conforming server whose answers are encoded."""
    return judged_in_process(lambda clock: Encoding(clock, coding, encode, one_in), latency=0.02)


@pytest.mark.parametrize(("coding", "encode"), [("gzip", gzip.compress), ("deflate", raw)])
def test_a_server_that_always_compresses_conforms(coding: str, encode: Encode) -> None:
    """As the same one that does not."""
    run = encoded(coding, encode)

    assert ([*run.violations, *run.warnings], run.exit_code, run.interference) == ([], 0, {})


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip"])
def test_a_server_whose_answers_cannot_be_read_is_inconclusive(coding: str) -> None:
    """The reason names the coding; gzip that is none is no better."""
    run = encoded(coding, lambda body: b"\x8b" + body)

    assert ([*run.violations, *run.warnings], run.exit_code) == ([], 3)
    assert coding in (run.inconclusive or "")
    assert "no answer could be read" in (run.inconclusive or "")


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_one_answer_in_forty_that_cannot_be_read_leads_to_no_finding(coding: str) -> None:
    """It is counted as interference."""
    run = encoded(coding, lambda body: b"\x8b" + body, 40)

    assert ([*run.violations, *run.warnings], run.exit_code) == ([], 0)
    assert sum(count for kind, count in run.interference.items() if coding in kind) > 5


# Heads and framing


OK_BODY = b"{}"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("sent", "headers"),
    [
        (answer(OK_BODY, *(f"X-{number}: {number}" for number in range(900))), 902),
        (answer(OK_BODY, f"X-Long: {'a' * 200_000}"), 3),
        (answer(OK_BODY, "X-Folded: one", "  two", "\tthree"), 3),
        (answer(OK_BODY, "X-Blank : 1", "X-None:", "X-Bare: a\rb"), 5),
        (b"HTTP/1.1 200\r\nContent-Type: application/json\r\nContent-Length: 2, 2\r\n\r\n{}", 2),
        (b"HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: 2\n\n{}", 2),
    ],
    ids=["900 lines", "a long line", "folded", "odd names", "length twice", "bare line ends"],
)
def test_a_head_that_other_programs_read_is_read(way: str, sent: bytes, headers: int) -> None:
    """No header is lost, whatever stands before it."""
    with recording(sent) as recorder:
        got = received(way, recorder.url)

    assert got is not None
    assert (got.status, got.answer, len(got.answer_headers)) == (200, OK_BODY, headers)
    assert got.answer_header("content-type") == "application/json"
    assert all("\n" not in value for _, value in got.answer_headers)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
NOT_HTTP = "an answer that is not HTTP"
ODD: dict[str, tuple[bytes, str]] = {
    "1,001 lines": (answer(b"", *["X: 1"] * 1_001), "an answer with more than 1,000 header lines"),
    "a head of a megabyte": (
        answer(b"", *[f"X: {'a' * 70_000}"] * 15),
        "an answer whose head is longer than 1 MiB",
    ),
    "another protocol": (b"HTTP/2 200 OK\r\n\r\n", NOT_HTTP),
    "a status of two digits": (b"HTTP/1.1 20 OK\r\n\r\n", NOT_HTTP),
    "a status of four digits": (b"HTTP/1.1 2000 OK\r\n\r\n", NOT_HTTP),
    "a status in words": (b"HTTP/1.1 OK\r\n\r\n", NOT_HTTP),
    "a status line of another": (b"ICY 200 OK\r\n\r\n", NOT_HTTP),
    "no head": (b"hello\r\n", NOT_HTTP),
    "a line without a colon": (answer(b"{}", "no colon"), NOT_HTTP),
    "two lengths": (answer(b"{}", "Content-Length: 3"), NOT_HTTP),
    "no number for a length": (b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}", NOT_HTTP),
    "an unknown transfer coding": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "an answer in a transfer coding that was not asked for",
    ),
    "no number for a chunk": (CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n", NOT_HTTP),
    "a negative chunk": (CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n", NOT_HTTP),
    "a chunk that is longer than it says": (CHUNKED + b'1\r\n{"a":1}\r\n0\r\n\r\n', NOT_HTTP),
}
"""What no reader has to take → its bytes, and the kind of interference."""


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("way", WAYS)
def test_an_answer_that_is_not_understood_is_interference_with_a_true_reason(way: str, odd: str) -> None:
    """Not one that was never given: it is an answer that began."""
    sent, why = ODD[odd]

    def give(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(sent)

    with recording(give) as recorder:
        made = client(recorder.url)
        if way == "send":
            with pytest.raises(Interference, match=f"^{why}$"):
                made.send(Request("GET", "/v1/modack"))
        else:
            assert made.volley([Request("GET", "/v1/modack")]) == [None]
        made.close()

    assert made.interference == {why: 1}


@pytest.mark.parametrize("way", WAYS)
def test_what_follows_an_answer_is_not_taken_for_the_next_one(way: str) -> None:
    """Whether it comes with the answer or after it."""
    with recording(answer(OK_BODY) + b"garbage\r\n\r\n") as recorder:
        made = client(recorder.url)
        request = Request("GET", "/v1/modack")
        got = [made.send(request) if way == "send" else made.volley([request])[0] for _ in range(3)]
        made.close()

    assert [one and one.answer for one in got] == [OK_BODY] * 3
    assert made.interference == {}


def test_an_operation_whose_answers_have_many_lines_conforms() -> None:
    """A hundred and fifty of them are read as any others."""

    def app(clock: VirtualClock) -> WSGIApplication:
        world = ConformingServer(clock=clock)

        def many(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            more = [(f"X-{number}", "1") for number in range(150)]
            return world(environ, lambda status, head, *rest: start_response(status, [*head, *more], *rest))

        return many

    run = judged_in_process(app, latency=0.02)

    assert ([*run.violations, *run.warnings], run.exit_code, run.interference) == ([], 0, {})
