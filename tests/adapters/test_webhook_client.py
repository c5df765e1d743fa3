"""One call of a webhook: what is sent, what is read of the answer, and why there is none."""

from __future__ import annotations

import asyncio
import socket

import pytest

from mock_server.adapters.webhook_client import MAX_BODY, WebhookClient
from mock_server.domain.ports import NoAnswer
from mock_server.domain.webhook_answers import Reply
from tests.deliveries.test_bad_receivers import hang, raw

DATE = b"date: Tue, 01 Jan 2030 12:00:00 GMT\r\n"


def _post(
    url: str, *headers: tuple[str, str], body: bytes = b"{}", limit: float = 50.0, times: int = 1
) -> list[Reply]:
    """Call a webhook so many times, and return its answers."""

    async def run() -> list[Reply]:
        client = WebhookClient(limit=limit)
        await client.prepare()
        try:
            return [await client.post(url, headers, body) for _ in range(times)]
        finally:
            await client.close()

    return asyncio.run(run())


def _answered(answer: bytes) -> Reply:
    """The reply that an answer of these bytes is."""
    with raw(lambda connection: connection.sendall(answer)) as url:
        [reply] = _post(url)
    return reply


def test_an_answer_has_its_status_its_headers_and_its_body() -> None:
    """Names in small letters; the same name twice is two headers, and nothing is unpacked."""
    reply = _answered(
        b"HTTP/1.1 418 Short\r\nX-A: 1\r\nx-a: \xe9\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nno"
    )

    assert (reply.status, reply.body, reply.whole, reply.retry_after) == (418, b"no", True, None)
    assert reply.headers == (
        *(("x-a", "1"), ("x-a", "\xe9")),
        *(("content-encoding", "gzip"), ("content-length", "2")),
    )


@pytest.mark.parametrize(("size", "whole"), [(MAX_BODY - 1, True), (MAX_BODY, True), (MAX_BODY + 1, False)])
def test_as_much_is_read_of_a_body_as_a_signal_may_need(size: int, whole: bool) -> None:
    """Of a longer one the beginning."""
    head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size
    reply = _answered(head + b"x" * size)

    assert (len(reply.body), reply.whole) == (min(size, MAX_BODY), whole)


@pytest.mark.parametrize(
    ("headers", "milliseconds"),
    [
        (b"retry-after: 7\r\n", 7_000),
        (b"Retry-After:  0 \r\n", 0),
        (b"retry-after: 9999999999\r\n", 86_400_000),
        (b"retry-after: 99999999999\r\n", None),
        (b"retry-after: -1\r\n", None),
        (b"retry-after: 1.5\r\n", None),
        (b"retry-after: soon\r\n", None),
        (DATE + b"retry-after: Tue, 01 Jan 2030 12:00:30 GMT\r\n", 30_000),
        (DATE + b"retry-after: Tue, 01 Jan 2030 13:00:00 +0100\r\n", 0),
        (DATE + b"retry-after: Tue, 01 Jan 2030 11:00:00 GMT\r\n", 0),
        (DATE + b"retry-after: Tue, 08 Jan 2030 12:00:00 GMT\r\n", 86_400_000),
        (b"date: soon\r\nretry-after: Tue, 01 Jan 2030 12:00:30 GMT\r\n", None),
        (b"retry-after: Fri, 01 Jan 2100 12:00:30 GMT\r\n", 86_400_000),
        (DATE + b"retry-after: Tue, 01 Jan 2030 12:00:00\r\n", None),
        (b"", None),
    ],
)
def test_retry_after_is_a_number_of_seconds_or_a_date_since_the_answers_own(
    headers: bytes, milliseconds: int | None
) -> None:
    """A day at most, and not below zero; what is neither is none (Q31)."""
    reply = _answered(b"HTTP/1.1 429 Busy\r\n" + headers + b"content-length: 0\r\n\r\n")

    assert reply.retry_after == milliseconds


def test_each_call_has_a_connection_of_its_own_and_nothing_of_the_one_before() -> None:
    """Neither a cookie nor a header that was not asked for."""
    heads: list[bytes] = []
    answer = b"HTTP/1.1 200 OK\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\r\n"

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        async def run() -> None:
            client = WebhookClient()
            for _ in range(2):
                headers = [("X-A", "1"), ("x-a", "2"), ("content-type", "application/json")]
                call = asyncio.create_task(client.post(f"http://127.0.0.1:{port}/hook?q=%41", headers, b"{}"))
                connection, _ = await asyncio.to_thread(listener.accept)
                with connection:
                    heads.append(await asyncio.to_thread(_whole, connection))
                    connection.sendall(answer)
                    await call
            await client.close()

        asyncio.run(run())

    for head in heads:
        line, *fields = head.partition(b"\r\n\r\n")[0].split(b"\r\n")
        assert line.startswith(b"POST /hook?q=")
        names = sorted(field.partition(b":")[0].lower() for field in fields)
        assert names == [
            b"connection",
            b"content-length",
            b"content-type",
            b"host",
            b"user-agent",
            b"x-a",
            b"x-a",
        ]
        assert {b"X-A: 1", b"x-a: 2", b"User-Agent: arklow-mock"} <= set(fields)
        assert head.endswith(b"\r\n\r\n{}")
    assert len(heads) == 2


def _whole(connection: socket.socket) -> bytes:
    """The bytes of a request whose body is `{}`."""
    found = b""
    while not found.endswith(b"\r\n\r\n{}"):
        found += connection.recv(65_536)
    return found


def test_a_receiver_that_takes_too_long_gives_no_answer() -> None:
    """The reason has the limit."""
    with raw(hang) as url, pytest.raises(NoAnswer, match=r"^no whole answer within 0\.05 s$"):
        _post(url, limit=0.05)


def test_a_broken_answer_is_none() -> None:
    """The reason is that of the client, without the objects that it holds."""
    with (
        raw(lambda connection: connection.sendall(b"SSH-2.0\r\n")) as url,
        pytest.raises(NoAnswer, match=r"^no usable answer: .") as failed,
    ):
        _post(url)

    assert failed.value.__context__ is None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1/", ""),
        ("http://[::1]/", ""),
        ("http://localhost./", ""),
        ("http://A.LOCALHOST/", ""),
        ("http://hooks.example/", "expected a host of this machine, got 'hooks.example'; allow it with --deliver-to hooks.example"),
        ("http://api.arklow.io/", "expected a host that is not Arklow's own, got 'api.arklow.io' (B109)"),
        ("http://[/", "expected a host of this machine, got ''; allow it with --deliver-to "),
    ],
)  # fmt: skip
def test_a_url_may_be_called_or_the_reason_why_not_is_told(url: str, reason: str) -> None:
    """With the flag that would allow it."""
    client = WebhookClient()

    assert client.why_not_called(url) == reason
    if reason:
        with pytest.raises(NoAnswer) as refused:
            asyncio.run(client.post(url, [], b""))
        assert str(refused.value) == f"not sent: {reason}"
