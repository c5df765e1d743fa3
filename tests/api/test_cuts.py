"""What the log and the journal say of answers that were cut off, and of clients that did not wait for theirs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.running_mock import JSON
from tests.still_mock import StillMock

REQUEST = (
    b"POST /v1/ingress/v HTTP/1.1\r\nhost: mock\r\nx-arklow-auth: org-42\r\ncontent-type: application/json\r\n"
    b'content-length: 13\r\n\r\n{"payload":1}'
)


@pytest.fixture
def mock() -> Iterator[StillMock]:
    """A mock without a log yet."""
    with StillMock(auto_define=True) as made:
        made.lines.clear()
        yield made


def _plan(mock: StillMock, **fault: Any) -> None:
    assert mock.command("POST", "/organisations/42/faults", {"times": 1} | fault).status == 200
    mock.lines.clear()


def _said(mock: StillMock) -> list[str]:
    """The lines of requests to the API, without their durations."""
    return [" ".join(line.split()) for line in mock.lines if " admin " not in line]


def _sent(mock: StillMock) -> tuple[bytes, str]:
    """What comes back to one request before the end of its connection, and how that ends."""
    with mock.connect() as connection:
        connection.sendall(REQUEST)
        found = b""
        try:
            while piece := connection.recv(65_536):
                found += piece
        except ConnectionResetError:
            pass
        return found, connection.ended


@pytest.mark.parametrize(
    ("cut", "ended", "line"),
    [
        ("close", "close", "--- createIngressVariantAction org 42 0.0 ms fault 1 cut: close"),
        ("reset", "reset", "--- createIngressVariantAction org 42 0.0 ms fault 1 cut: reset"),
    ],
)
def test_a_connection_that_was_cut_has_no_status(mock: StillMock, cut: str, ended: str, line: str) -> None:
    """The line says how it was cut; the journal has the request without an answer."""
    _plan(mock, cut=cut)

    assert _sent(mock) == (b"", ended)
    assert _said(mock) == [line]
    [entry] = mock.command("GET", "/organisations/42/journal?kind=request").data["entries"]
    assert (entry["status"], entry["fault"]) == (0, "1")


def test_an_answer_that_was_cut_in_its_middle_has_its_status(mock: StillMock) -> None:
    """Half of its body has left."""
    _plan(mock, cut="half")
    found, ended = _sent(mock)
    head, _, body = found.partition(b"\r\n\r\n")

    assert (head.split()[1], ended) == (b"500", "close")
    length = int(next(line for line in head.split(b"\r\n") if line.startswith(b"content-length")).split()[1])
    assert len(body) == length // 2
    assert _said(mock) == ["500 createIngressVariantAction org 42 0.0 ms fault 1 cut: half"]


def test_a_client_that_leaves_during_a_delay_has_no_answer(mock: StillMock) -> None:
    """The line says so as soon as it has left; a server error of the mock it is not."""
    _plan(mock, delay=50)
    with mock.connect() as connection:
        connection.sendall(REQUEST)
        mock.wait(7)
        assert _said(mock) == []
        connection.leave()
    mock.line_with("the client closed")

    [line] = _said(mock)
    assert line.endswith("ms fault 1 the client closed the connection before its answer was due")
    assert line.startswith("--- createIngressVariantAction org 42 7000.0 ms ")


def test_a_client_that_leaves_inside_its_body_is_told_apart(mock: StillMock) -> None:
    """It was refused nothing."""
    with mock.connect() as connection:
        connection.sendall(REQUEST[:-3])
        mock.wait(1)
        connection.leave()
    mock.line_with("the client closed")

    [line] = _said(mock)
    assert line == (
        "--- createIngressVariantAction org 42 1000.0 ms the client closed the connection before its body was complete"
    )


def test_a_line_is_printable_and_of_a_bounded_length(mock: StillMock) -> None:
    """Whatever a client sends."""
    mock.call("GET", "/caf%C3%A9%0A" + "x" * 5_000, headers=JSON)

    [line] = mock.lines
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 700
    assert line.startswith("404 GET /caf\\xe9%0Axxx")
