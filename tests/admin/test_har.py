"""The journal as an HTTP Archive, and what else it keeps of a request. Each archive is checked against the document."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from mock_server import __version__
from mock_server.admin import har
from mock_server.domain.journal import ExchangeEntry
from tests.admin.desk import NOON, Desk

SECRETS = {
    "x-arklow-auth": "org-42-abcd1234",
    "authorization": "Basic secret",
    "cookie": "session=secret",
    "proxy-authorization": "Basic secret",
}


def _log(desk: Desk, query: str = "") -> Any:
    answer = desk.admin("GET", f"42/journal.har{query}")
    assert answer.status == 200, answer.body
    return json.loads(answer.body)["log"]


def _entry(**changed: Any) -> Any:
    """Return the archive's only entry, of a request that is like another but for some members."""
    add_exchange = ExchangeEntry(7, 0, "POST", "/v1/ingress/v", b"", b"", 0, 200, b"{}", 2)._replace(
        **changed
    )
    [entry] = har.archive([add_exchange])["log"]["entries"]
    return entry


def test_a_request_is_an_entry_with_all_that_har_asks_for(desk: Desk) -> None:
    """HAR 1.2: request and answer, the organisation's time, the machine's milliseconds."""
    desk.freeze()
    desk.call("POST", "/v1/ingress/v?tag.a=%C3%A9&tag.b=", {"payload": 1}, headers={"host": "mock:3125"})

    log = _log(desk)

    assert (log["version"], log["creator"]) == ("1.2", {"name": "arklow-mock", "version": __version__})
    [entry] = log["entries"]
    took = entry.pop("time")
    assert entry.pop("timings") == {"send": 0, "wait": took, "receive": 0}
    assert 0 < took < 10_000
    answer = entry["response"]["content"].pop("text")
    assert json.loads(answer)["data"]["queue_s"] == "queued"
    assert entry == {
        "startedDateTime": NOON,
        "request": {
            "method": "POST",
            "url": "http://mock:3125/v1/ingress/v?tag.a=%C3%A9&tag.b=",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": [
                {"name": "x-arklow-auth", "value": "***"},
                {"name": "content-type", "value": "application/json"},
                {"name": "host", "value": "mock:3125"},
            ],
            "queryString": [{"name": "tag.a", "value": "é"}, {"name": "tag.b", "value": ""}],
            "postData": {"mimeType": "application/json", "text": '{"payload": 1}'},
            "headersSize": -1,
            "bodySize": 14,
        },
        "response": {
            "status": 200,
            "statusText": "OK",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": [
                {"name": "access-control-allow-origin", "value": "*"},
                {"name": "content-type", "value": "application/json"},
                {"name": "content-length", "value": str(len(answer))},
            ],
            "content": {"size": len(answer), "mimeType": "application/json"},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": len(answer),
        },
        "cache": {},
        "_number": 5,
    }


def test_it_is_a_file_without_an_envelope(desk: Desk) -> None:
    """The file has a name; an organisation that was never used has an empty archive."""
    answer = desk.admin("GET", "43/journal.har")

    assert json.loads(answer.body)["log"]["entries"] == []
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == 'attachment; filename="arklow-43.har"'


def test_requests_alone_are_exchanges_and_they_are_read_in_parts(desk: Desk) -> None:
    """All that are kept, unless a part is asked for; an archive has no place for transitions and commands."""
    desk.freeze()
    for _ in range(30):
        desk.accept()

    def numbers(query: str) -> list[int]:
        return [entry["_number"] for entry in _log(desk, query)["entries"]]

    every = numbers("")
    assert len(every) == 30
    assert numbers("?limit=2") == every[:2]
    assert numbers(f"?after={every[3]}&limit=3") == every[4:7]
    assert numbers(f"?after={every[-1]}") == []
    for wrong in ("?limit=0", "?limit=x", "?after=-1"):
        assert desk.admin("GET", f"42/journal.har{wrong}").refusal == (400, "INVALID_PARAMETER")


def test_no_secret_leaves_the_journal(desk: Desk) -> None:
    """Neither in the archive nor in the journal as JSON."""
    desk.call("GET", "/v1/orgs/42/actions/records", headers=SECRETS | {"x-other": "seen"})

    texts = [desk.admin("GET", f"42/journal{path}").body for path in (".har", "")]

    for text in texts:
        assert b"secret" not in text
        assert b"abcd1234" not in text
        assert text.count(b'"***"') == 4
        assert b'"seen"' in text


def test_the_journal_shows_headers_and_the_answers(desk: Desk) -> None:
    """Names that came twice have a list. The journal has no durations, so that the same calls give the same entries."""
    desk.admin("POST", "42/faults", {"times": 1, "status": 429})
    desk.call("GET", "/v1/orgs/42/actions/records", headers={"x-other": "1"})

    [entry] = desk.admin("GET", "42/journal?kind=request").data["entries"]

    assert entry["headers"] == {"x-arklow-auth": "***", "content-type": "application/json", "x-other": "1"}
    assert entry["answer_headers"]["retry-after"] == "1"
    assert entry["answer_headers"]["x-arklow-mock-fault"] == entry["fault"] == "1"


def test_a_body_that_is_not_kept_whole_says_so_with_its_real_size(desk: Desk) -> None:
    """A character that is cut through is left out."""
    body = ('{"payload":"' + "é" * 2_000 + '"}').encode()
    desk.put("v", schema={"description": "x" * 2_000})
    desk.call("POST", "/v1/ingress/v", body + b" ")

    put, post = _log(desk)["entries"]

    assert post["request"]["bodySize"] == len(body) + 1
    assert post["request"]["postData"] == {
        "mimeType": "application/json",
        "text": '{"payload":"' + "é" * 506,
        "comment": f"the first 1024 of {len(body) + 1} bytes",
    }
    content = put["response"]["content"]
    assert content["size"] == put["response"]["bodySize"] > 2_000
    assert content["comment"] == f"the first 1024 of {content['size']} bytes"
    assert len(content["text"]) == 1_024


@pytest.mark.parametrize(
    ("body", "status"), [({"status": 204}, 204), ({"status": 299}, 299), ({"cut": "close"}, 500)]
)
def test_an_answer_with_an_injected_fault_is_marked(desk: Desk, body: dict[str, Any], status: int) -> None:
    """By a member of ours; an unknown status has no phrase."""
    desk.admin("POST", "42/faults", body)
    desk.call("POST", "/v1/ingress/v", {"payload": 1})

    [entry] = _log(desk)["entries"]

    assert (entry["_fault"], entry["response"]["status"]) == ("1", status)
    assert (
        entry["response"]["statusText"] == {204: "No Content", 299: "", 500: "Internal Server Error"}[status]
    )


def test_a_request_without_an_answer_is_an_entry_too() -> None:
    """Its status is 0, as browsers have it."""
    entry = _entry(status=0, answer=b"", answer_length=0, fault="3")

    assert entry["response"]["status"] == 0
    assert entry["response"]["content"] == {"size": 0, "mimeType": "", "text": ""}
    assert "postData" not in entry["request"]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/ingress/v", b""),
        ("/v1/ingress/größe und mehr", b"tag.a=1"),
        ("/v1/ingress/a%2Fb%25", b"tag.a=%ff"),
        ('/v1/ingress/<"{}|\\^`#?>', b"%"),
        ("/v1/ingress/v", b"tag.a=\xe9 "),
    ],
)
def test_every_url_is_absolute_and_in_ascii(path: str, query: bytes) -> None:
    """Without a `Host` header the host is localhost."""
    request = _entry(path=path, query=query)["request"]

    parts = urlsplit(request["url"])
    assert (parts.scheme, parts.netloc) == ("http", "localhost")
    assert request["url"].isascii()
    assert not set(' <>"{}|\\^`') & set(request["url"])
    assert bool(parts.query) == bool(query)
    assert [pair["name"] for pair in request["queryString"]] == [n for n, _ in parse_qsl(parts.query, True)]


def test_bytes_that_are_no_text_are_encoded() -> None:
    """Of an answer as base64, of a request with escapes, as HAR has no other way."""
    entry = _entry(body=b"\xff{", body_length=2, answer=b"\xff", answer_length=1)

    assert entry["request"]["postData"]["text"] == "\\xff{"
    assert base64.b64decode(entry["response"]["content"]["text"]) == b"\xff"
    assert entry["response"]["content"]["encoding"] == "base64"
