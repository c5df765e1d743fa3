"""Scripts that repeat exchanges: their lines, and what a real shell makes of them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
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


# The lines of a script


URL = "http://h/v1/modack"
WORK = sent("POST", "http://h/v1/ingress/v", b"{}", answer=b'{"data":{"a_id":"123"}}')


def line(exchange: Exchange, **secrets: str) -> str:
    """Return the line of one exchange; each secret is shown as the expression that is given for it."""
    return Script(secrets).render([exchange])


@pytest.mark.parametrize(
    ("body", "last"),
    [
        (b'{"payload":1}', """ --data-binary '{"payload":1}'"""),
        (b"""{"it's":"$HOME `id` !"}""", """ --data-binary '{"it'"'"'s":"$HOME `id` !"}'"""),
        ('{"ü":"😀"}'.encode(), """ --data-binary '{"ü":"😀"}'"""),
        (b"", " --data-binary ''"),
    ],
)
def test_a_line_has_its_body_as_one_word(body: bytes, last: str) -> None:
    """Quotes and variables of the shell stay what they are."""
    assert line(sent("POST", f"{URL}?a=%ff", body, ("content-type", "text/plain"))) == (
        f"curl -sS --globoff -i 'http://h/v1/modack?a=%ff' -H 'content-type: text/plain'{last}"
    )


@pytest.mark.parametrize(
    ("body", "octets"),
    [(b'{"a":"\xff\x00\n"}', "173\\042\\141\\042\\072\\042\\377\\000\\012"), (b"@/etc", "100\\057")],
)
def test_a_body_that_no_argument_can_have_is_sent_as_octets(body: bytes, octets: str) -> None:
    """Other encodings, NUL, ends of lines, and what curl would take for the name of a file."""
    rendered = line(sent("POST", URL, body, ("content-type", "text/plain")))

    assert rendered.startswith(f"printf '\\{octets}")
    assert rendered.endswith(
        "' | curl -sS --globoff -i http://h/v1/modack -H 'content-type: text/plain' --data-binary @-"
    )


@pytest.mark.parametrize(
    ("exchange", "expected"),
    [
        (sent("GET", URL, None), "curl -sS --globoff -i http://h/v1/modack"),
        (sent("HEAD", URL, None), "curl -sS --globoff -i http://h/v1/modack -I"),
        (sent("POST", URL, None), "curl -sS --globoff -i http://h/v1/modack -X POST"),
        (
            sent("PUT", URL, b"{}"),
            "curl -sS --globoff -i http://h/v1/modack -X PUT -H 'content-type:' --data-binary '{}'",
        ),
        (sent("od d", URL, None), "curl -sS --globoff -i http://h/v1/modack -X 'od d'"),
        (
            sent(
                "GET", URL, None, ("x-empty", ""), ("User-Agent", "a"), ("accept", "*/*"), ("Accept", "a/b")
            ),
            "curl -sS --globoff -i http://h/v1/modack -H 'x-empty;' -H 'Accept: a/b'",
        ),
        (
            replace(sent("POST", URL, b"{}", ("content-type", "a/b")), chunks=(1, 1)),
            (
                "curl -sS --globoff -i http://h/v1/modack -H 'content-type: a/b' -H 'transfer-encoding: chunked' "
                "--data-binary '{}'"
            ),
        ),
    ],
)
def test_a_line_sends_no_other_request(exchange: Exchange, expected: str) -> None:
    """No method, no media type and no header that curl adds by itself."""
    assert line(exchange) == expected


@pytest.mark.slow
def test_characters_that_cannot_be_printed_stand_as_escapes_of_bash() -> None:
    """They have no effect on a terminal, and are sent as they are; a line is one line."""
    text = "a\x1b[31m\r\n'\\\x9b\u202eé"
    shown = line(sent("GET", f"{URL}?{text}", None, ("x-b", text)))

    assert shown.isprintable()
    for word, expected in zip(
        re.findall(r"\$'(?:[^'\\]|\\.)*'", shown), (f"{URL}?{text}", f"x-b: {text}"), strict=True
    ):
        printed = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, check=True)
        assert printed.stdout.decode() == expected


def test_a_key_is_a_variable_in_every_part_of_a_line() -> None:
    """A report can be passed on, and its scripts still run; a short key is one only where it is the whole value."""
    secrets = {"s3cret-key": "$MY_KEY", "k": "$SHORT"}
    request = sent(
        "POST", f"{URL}?a=s3cret-key", b'{"k":"s3cret-key"}', ("x-arklow-auth", "k"), ("x-b", "Bk")
    )

    assert Script(secrets).render([request]) == (
        "curl -sS --globoff -i 'http://h/v1/modack?a='\"$MY_KEY\" -H 'x-arklow-auth: '\"$SHORT\" -H 'x-b: Bk' "
        """-H 'content-type:' --data-binary '{"k":"'"$MY_KEY"'"}'"""
    )


def test_an_id_that_the_target_made_is_a_variable_in_later_lines() -> None:
    """Also as full-width digits; a longer number that has its digits is another one."""
    lease = sent("POST", URL, b'{"action_record_id":"123","mod_ack":12345}')
    wide = sent("POST", URL, b'{"action_record_id":"\\uff11\\uff12\\uff13"}')

    first, second, third = Script({}).render([WORK, lease, wide]).splitlines()

    assert first.startswith("ID1=$(curl -sS --globoff http://h/v1/ingress/v ")
    assert first.endswith("""| sed -n 's/.*"a_id": *"\\([0-9]*\\)".*/\\1/p')""")
    assert """'{"action_record_id":"'"$ID1"'","mod_ack":12345}'""" in second
    assert """"$(printf %s "$ID1" | tr 0-9 ABCDEFGHIJ | sed 's/A/\\\\uff10/g;""" in third
    assert "ID1" not in Script({}).render([WORK, sent("POST", URL, b"{}")])


def test_pauses_of_an_example_are_slept() -> None:
    """Shorter ones are the time that sending takes."""
    one, two, three = (replace(sent("GET", URL, None), waited=waited) for waited in (0.0, 0.2, 1.9))

    assert Script({}).render([one, two, three]).splitlines() == [
        *("curl -sS --globoff http://h/v1/modack", "curl -sS --globoff http://h/v1/modack"),
        *("sleep 1.7", "curl -sS --globoff -i http://h/v1/modack"),
    ]


def test_what_takes_many_requests_is_a_loop_or_a_volley() -> None:
    """Statuses are counted; calls of the same moment are waited for."""
    one = sent("GET", URL, None)

    put = sent("PUT", URL, None)
    loop = (
        "for round in $(seq 30); do curl -sS --globoff http://h/v1/modack; "
        "curl -sS --globoff -o /dev/null -w '%{http_code}\\n' http://h/v1/modack; done | sort | uniq -c"
    )

    assert Script({}).render([put, one, one], times=30).splitlines() == [
        "curl -sS --globoff http://h/v1/modack -X PUT",
        loop,
    ]
    assert Script({}).render([WORK, one, one], together=2).splitlines()[2:] == [
        "  curl --parallel --parallel-immediate -sS --globoff -w ' %{http_code}\\n' http://h/v1/modack http://h/v1/modack",
        "done",
    ]


def test_a_key_is_redacted_inside_of_other_text() -> None:
    """Answers may echo it."""
    assert redact("no such key: s3cret-key!", {"s3cret-key": "$K"}) == "no such key: $K!"


# By a real shell


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_missing_content_type_stays_missing(echo: tuple[str, Got]) -> None:
    """By default curl adds one of its own."""
    url, got = echo

    subprocess.run(
        ["sh", "-c", Script({}).render([sent("PUT", url, b"{}")])], check=True, capture_output=True
    )

    assert "content-type" not in got[0][2]


@pytest.mark.slow
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


@pytest.mark.slow
def test_an_id_that_the_target_made_is_captured(echo: tuple[str, Got]) -> None:
    """Another run gets another id, which the script then uses."""
    url, got = echo
    work = sent("POST", f"{url}/v1/ingress/v", b"{}", answer=b'{"data":{"a_id":"123"}}')
    lease = sent("POST", f"{url}/v1/modack", b'{"action_record_id":"123","attempt":0,"mod_ack":123456}')

    subprocess.run(["sh", "-c", Script({}).render([work, lease])], check=True, capture_output=True)

    assert got[1][3] == b'{"action_record_id":"4711","attempt":0,"mod_ack":123456}'
