"""Scripts that repeat exchanges: run through a real shell, against a server that says what it got."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from contracts.core.curl import Script
from contracts.core.exchange import Exchange, redact
from tests.serving import HEADERS, serving

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Got = list[tuple[str, str, dict[str, str], bytes]]


@pytest.fixture
def echo() -> Iterator[tuple[str, Got]]:
    """URL of a server that issues the id 4711, and what it got: method, target, headers by name, and body."""
    got: Got = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        headers = {name.lower(): value for name, value in environ[HEADERS]}
        body = environ["wsgi.input"].read()
        got.append((environ["REQUEST_METHOD"], environ["REQUEST_URI"], headers, body))
        answer = b'{"data":{"a_id": "4711"}}'
        start_response("200 OK", [("Content-Length", str(len(answer)))])
        return [answer]

    with serving(app) as url:
        yield url, got


def sent(
    method: str, url: str, body: bytes | None, *headers: tuple[str, str], answer: bytes = b""
) -> Exchange:
    """Make an exchange of which only the request matters."""
    return Exchange(method, url, headers, body, 200, (), answer)


@pytest.mark.parametrize(
    "body",
    [
        b'{"payload":1}',
        b'{"it\'s":"\\"$HOME\\" `id` !"}',
        '{"ü":"😀"}'.encode(),
        b'{"a":"\xff\x00\n"}',
        b"@/etc/hostname",
        b"",
    ],
)
def test_a_curl_line_sends_the_same_bytes(echo: tuple[str, Got], body: bytes) -> None:
    """Quotes, variables, other encodings and what curl would take for a file name arrive unchanged."""
    url, got = echo
    line = Script({}).render(
        [sent("POST", f"{url}/v1/modack?a=%ff", body, ("content-type", "application/json"))]
    )

    subprocess.run(["sh", "-c", line], check=True, capture_output=True)

    method, path, headers, came = got[0]
    assert (method, path, headers["content-type"], came) == (
        "POST",
        "/v1/modack?a=%ff",
        "application/json",
        body,
    )


def test_a_missing_content_type_stays_missing(echo: tuple[str, Got]) -> None:
    """By default curl adds one of its own."""
    url, got = echo

    subprocess.run(
        ["sh", "-c", Script({}).render([sent("PUT", url, b"{}")])], check=True, capture_output=True
    )

    assert "content-type" not in got[0][2]


def test_a_key_stands_as_a_variable(echo: tuple[str, Got]) -> None:
    """A report can be passed on, and its scripts still run."""
    url, got = echo
    script = Script({"s3cret-key": "$MY_KEY"}).render(
        [sent("GET", f"{url}/?key=s3cret-key", None, ("x-arklow-auth", "s3cret-key"))]
    )

    subprocess.run(
        ["sh", "-c", script],
        check=True,
        env={"MY_KEY": "other", "PATH": "/usr/bin:/bin"},
        capture_output=True,
    )

    assert "s3cret" not in script
    assert (got[0][1], got[0][2]["x-arklow-auth"]) == ("/?key=other", "other")


def test_an_id_that_the_target_made_is_captured(echo: tuple[str, Got]) -> None:
    """Another run gets another id, which the script then uses."""
    url, got = echo
    work = sent("POST", f"{url}/v1/ingress/v", b"{}", answer=b'{"data":{"a_id":"123"}}')
    lease = sent("POST", f"{url}/v1/modack", b'{"action_record_id":"123","attempt":0,"mod_ack":123456}')

    subprocess.run(["sh", "-c", Script({}).render([work, lease])], check=True, capture_output=True)

    assert got[1][3] == b'{"action_record_id":"4711","attempt":0,"mod_ack":123456}'


def test_a_key_is_redacted_inside_of_other_text() -> None:
    """Answers may echo it."""
    assert redact("no such key: s3cret-key!", {"s3cret-key": "$K"}) == "no such key: $K!"
