"""Every input that a client can send gets a documented answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.replies import Reply, read_reply
from tests.running_mock import JSON, KEY, PUT, Mock, RunningMock, mock
from tests.still_mock import StillMock

INGRESS = "/v1/ingress/refusals"
MODACK = "/v1/modack"
DEEP = b"[" * 501 + b"]" * 501
INT32, INT64 = 2**31 - 1, 2**63 - 1


@pytest.fixture(scope="module")
def still() -> Iterator[StillMock]:
    """A mock that is spoken to in bytes, whose time passes only while a client waits."""
    with StillMock() as served:
        define(served)
        yield served


def define(target: Mock) -> None:
    """Put the definitions that the cases count on."""
    target.put("refusals")
    target.put("owner", alias=["taken"])
    target.put("strict", schema={"type": "object", "required": ["order_id"]})


class Case(NamedTuple):
    """One refusal: what is sent, and the status, code and place of its answer."""

    name: str
    method: str
    path: str
    body: bytes | str | dict[str, object]
    status: int
    code: str
    place: str
    headers: dict[str, str] = {**KEY, **JSON}  # noqa: RUF012 never changed


def both(name: str, payload: bytes, code: str, place: str = "body/payload") -> list[Case]:
    """Make two cases of the same defect: inside the payload of an ingress call, and inside the schema of a PUT."""
    schema = place.replace("payload", "schema")
    return [
        Case(f"{name}, ingress", "POST", INGRESS, b'{"payload":' + payload + b"}", 400, code, place),
        Case(f"{name}, PUT", "PUT", PUT, b'{"variant":"x","schema":' + payload + b"}", 400, code, schema),
    ]


def modack(name: str, place: str, **changed: object) -> Case:
    """Make the case of a modack whose body breaks the document in one member."""
    body = {"action_record_id": "1", "attempt": 0, "mod_ack": 1} | changed
    body = {member: value for member, value in body.items() if value != "absent"}
    return Case(name, "POST", MODACK, body, 400, "INVALID_BODY", place)


CASES = [
    # texts that parsers take in different ways
    *both("a member name twice", b'{"a":1,"a":2}', "DUPLICATE_KEY"),
    *both("a member name twice, deep inside", b'[0,{"a":[{"b":1,"b":1}]}]', "DUPLICATE_KEY", "body/payload/1/a/0"),
    *both("NaN", b"[NaN]", "NOT_A_NUMBER", "body/payload/0"),
    *both("Infinity", b"Infinity", "NOT_A_NUMBER"),
    *both("-Infinity", b"-Infinity", "NOT_A_NUMBER"),
    *both("a lone high surrogate", rb'"\ud800"', "LONE_SURROGATE"),
    *both("a lone low surrogate in a name", rb'{"\udc00":1}', "LONE_SURROGATE"),
    *both("Latin-1", b'"caf\xe9"', "NOT_UTF8", "body"),
    *both("501 levels", DEEP, "TOO_DEEP", "body"),
    *both("100,000 levels", b"[" * 100_000, "TOO_DEEP", "body"),
    *both("an integer of 4,301 digits", b"1" * 4301, "NUMBER_TOO_LONG"),
    *both("a number beyond doubles", b"1e400", "NUMBER_OUT_OF_RANGE"),
    *both("garbage behind", b"1} x", "MALFORMED_JSON", "body"),
    *both("a trailing comma", b"[1,]", "MALFORMED_JSON", "body"),
    *both("a comment", b"/* 1 */ 1", "MALFORMED_JSON", "body"),
    *both("a raw line feed in a string", b'"\n"', "MALFORMED_JSON", "body"),
    Case("a byte order mark", "POST", INGRESS, b'\xef\xbb\xbf{"payload":1}', 400, "NOT_UTF8", "body"),
    Case("UTF-16", "POST", INGRESS, '{"payload":1}'.encode("utf-16"), 400, "NOT_UTF8", "body"),
    Case("UTF-16 without a mark", "POST", INGRESS, '{"payload":1}'.encode("utf-16-le"), 400, "MALFORMED_JSON", "body"),
    Case("UTF-32", "PUT", PUT, '{"variant":"x","schema":1}'.encode("utf-32"), 400, "NOT_UTF8", "body"),
    Case("an empty body", "POST", INGRESS, b"", 400, "EMPTY_BODY", "body"),
    Case("an empty body, PUT", "PUT", PUT, b"", 400, "EMPTY_BODY", "body"),
    Case("blanks alone", "POST", MODACK, b" \n", 400, "EMPTY_BODY", "body"),
    # media types
    Case("no media type", "POST", INGRESS, b'{"payload":1}', 400, "UNSUPPORTED_MEDIA_TYPE", "header Content-Type", KEY),
    Case("no media type, PUT", "PUT", PUT, b"{}", 415, "UNSUPPORTED_MEDIA_TYPE", "header Content-Type", KEY),
    *[
        Case(f"{wrong or 'empty'}, {method}", method, path, b"{}", status, "UNSUPPORTED_MEDIA_TYPE", "header Content-Type", KEY | {"content-type": wrong})
        for wrong in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx", "application/xml", "")
        for method, path, status in (("POST", INGRESS, 400), ("POST", MODACK, 400), ("PUT", PUT, 415))
    ],
    Case("gzip", "POST", INGRESS, b"{}", 400, "UNSUPPORTED_MEDIA_TYPE", "header Content-Encoding", KEY | JSON | {"content-encoding": "gzip"}),
    # ingress against the document
    Case("a body that is no object", "POST", INGRESS, b"[1]", 400, "INVALID_BODY", "body"),
    Case("no payload", "POST", INGRESS, {"tags": {}}, 400, "INVALID_BODY", "body"),
    Case("version 0", "POST", INGRESS, {"payload": 1, "version": 0}, 400, "INVALID_BODY", "body/version"),
    Case("version -1", "POST", INGRESS, {"payload": 1, "version": -1}, 400, "INVALID_BODY", "body/version"),
    Case("version over int32", "POST", INGRESS, {"payload": 1, "version": INT32 + 1}, 400, "INVALID_BODY", "body/version"),
    Case("version 1.5", "POST", INGRESS, {"payload": 1, "version": 1.5}, 400, "INVALID_BODY", "body/version"),
    Case("version as a string", "POST", INGRESS, {"payload": 1, "version": "1"}, 400, "INVALID_BODY", "body/version"),
    Case("version true", "POST", INGRESS, {"payload": 1, "version": True}, 400, "INVALID_BODY", "body/version"),
    Case("version null", "POST", INGRESS, {"payload": 1, "version": None}, 400, "INVALID_BODY", "body/version"),
    Case("a tag that is no string", "POST", INGRESS, {"payload": 1, "tags": {"n": 1}}, 400, "INVALID_BODY", "body/tags/n"),
    Case("tags as a list", "POST", INGRESS, {"payload": 1, "tags": ["a"]}, 400, "INVALID_BODY", "body/tags"),
    Case("tags null", "POST", INGRESS, {"payload": 1, "tags": None}, 400, "INVALID_BODY", "body/tags"),
    Case("an unknown variant", "POST", "/v1/ingress/unknown", {"payload": 1}, 400, "UNKNOWN_VARIANT", "path variant"),
    Case("a payload against its schema", "POST", "/v1/ingress/strict", {"payload": {}}, 400, "PAYLOAD_REJECTED", "body/payload"),
    Case("a variant that is not UTF-8", "POST", "/v1/ingress/%ff", {"payload": 1}, 400, "INVALID_PARAMETER", "path"),
    Case("a tag that is not UTF-8", "POST", INGRESS + "?tag.a=%ff", {"payload": 1}, 400, "INVALID_PARAMETER", "query"),
    # modack against the document
    modack("an id that is a number", "body/action_record_id", action_record_id=1),
    modack("an id with letters", "body/action_record_id", action_record_id="a1"),
    modack("an id with a line feed behind", "body/action_record_id", action_record_id="1\n"),
    modack("an id in full-width digits", "body/action_record_id", action_record_id="\uff11"),
    modack("an empty id", "body/action_record_id", action_record_id=""),
    modack("no id", "body", action_record_id="absent"),
    modack("attempt -1", "body/attempt", attempt=-1),
    modack("attempt over int32", "body/attempt", attempt=INT32 + 1),
    modack("attempt 0.5", "body/attempt", attempt=0.5),
    modack("attempt as a string", "body/attempt", attempt="0"),
    modack("no attempt", "body", attempt="absent"),
    modack("mod_ack 0", "body/mod_ack", mod_ack=0),
    modack("mod_ack over int64", "body/mod_ack", mod_ack=INT64 + 1),
    modack("mod_ack over int64, as a float", "body/mod_ack", mod_ack=1e19),
    modack("no mod_ack", "body", mod_ack="absent"),
    Case("an unknown id", "POST", MODACK, {"action_record_id": "9", "attempt": 0, "mod_ack": 1}, 404, "UNKNOWN_ACTION", "body/action_record_id"),
    Case("an id of 4,000 digits", "POST", MODACK, {"action_record_id": "9" * 4000, "attempt": 0, "mod_ack": 1}, 404, "UNKNOWN_ACTION", "body/action_record_id"),
    # PUT against the document and the world
    Case("no schema", "PUT", PUT, {"variant": "x"}, 400, "INVALID_BODY", "body"),
    Case("no variant", "PUT", PUT, {"schema": {}}, 400, "INVALID_BODY", "body"),
    Case("alias as a string", "PUT", PUT, {"variant": "x", "schema": {}, "alias": "a"}, 400, "INVALID_BODY", "body/alias"),
    Case("an alias that is no string", "PUT", PUT, {"variant": "x", "schema": {}, "alias": [1]}, 400, "INVALID_BODY", "body/alias/0"),
    Case("version as a string", "PUT", PUT, {"variant": "x", "schema": {}, "version": "1"}, 400, "INVALID_BODY", "body/version"),
    Case("a negative version", "PUT", PUT, {"variant": "x", "schema": {}, "version": -3}, 409, "NEGATIVE_VERSION", "body/version"),
    Case("a version of 4,300 digits", "PUT", PUT, b'{"variant":"x","schema":{},"version":' + b"9" * 4300 + b"}", 409, "VERSION_TOO_LONG", "body/version"),
    Case("another definition's alias", "PUT", PUT, {"variant": "x", "schema": {}, "alias": ["b", "taken"]}, 409, "ALIAS_TAKEN", "body/alias/1"),
    Case("an organisation in letters", "PUT", "/v1/orgs/abc/actions/definitions", {}, 400, "INVALID_PARAMETER", "path org_id"),
    Case("another organisation", "PUT", "/v1/orgs/43/actions/definitions", {}, 403, "FORBIDDEN_ORGANISATION", "path org_id"),
    # routes and methods
    Case("an unknown path", "GET", "/nope", b"", 404, "NOT_FOUND", "path"),
    Case("no variant at all", "POST", "/v1/ingress/", {"payload": 1}, 400, "INVALID_BODY", "body"),
    Case("a variant of two segments", "POST", "/v1/ingress/a/b", {"payload": 1}, 404, "NOT_FOUND", "path"),
    Case("a line feed behind a path", "POST", "/v1/modack%0A", {}, 404, "NOT_FOUND", "path"),
    *[
        Case(f"{method} {path}", method, path, b"", 405, "METHOD_NOT_ALLOWED", "method")
        for method, path in (("GET", INGRESS), ("DELETE", MODACK), ("PATCH", PUT), ("POST", PUT), ("PUT", MODACK), ("TRACE", MODACK), ("POST", "/openapi.json"))
    ],
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_refusal_is_answered_as_written_and_changes_nothing(still: StillMock, case: Case) -> None:
    """Status, code and place are those of the table, and later calls find everything as it was."""
    assert_refused(still, case)


@pytest.mark.slow
def test_every_refusal_is_answered_so_over_sockets() -> None:
    """By a mock in a process of its own."""
    with mock() as running:
        define(running)
        for case in CASES:
            assert_refused(running, case)


def assert_refused(target: Mock, case: Case) -> None:
    """Assert that a mock answers as the table says, and is afterwards as it was."""
    before = _world(target)
    body = case.body if isinstance(case.body, bytes) else json.dumps(case.body).encode()

    reply = target.call(case.method, case.path, body, headers=case.headers)

    assert (reply.status, reply.error["code"]) == (case.status, case.code)
    assert reply.error["message"].startswith(case.place + ":"), reply.error["message"]
    assert len(reply.error["message"]) < 600
    assert reply.headers["access-control-allow-origin"] == "*"
    assert _follows(before, _world(target))


def _world(target: Mock) -> tuple[dict[str, object], int]:
    """Return what later calls can see: a definition, and how many ids were given."""
    definition = target.put("refusals").json["data"]
    return definition, int(target.accept("refusals").json["data"]["a_id"][:10])


def _follows(before: tuple[dict[str, object], int], after: tuple[dict[str, object], int]) -> bool:
    return after == (before[0], before[1] + 1)


AUTH = [
    ("no key", {}),
    ("an empty key", {"x-arklow-auth": ""}),
    ("another key", {"x-arklow-auth": "wrong"}),
    ("another case", {"x-arklow-auth": "ORG-42"}),
    ("a letter more", {"x-arklow-auth": "org-42x"}),
    ("a dot more", {"x-arklow-auth": "org-42."}),
    ("seven characters behind", {"x-arklow-auth": "org-42-abcdefg"}),
    ("nine characters behind", {"x-arklow-auth": "org-42-abcdefghi"}),
    ("capitals behind", {"x-arklow-auth": "org-42-ABCDEFGH"}),
    ("a blank inside", {"x-arklow-auth": "org- 42"}),
    ("twice", {"x-arklow-auth": "org-42, org-42"}),
    ("the word Bearer", {"authorization": "Bearer org-42"}),
    ("Basic", {"authorization": "Basic b3JnLTQyOg=="}),
    ("bytes that are no text", {"x-arklow-auth": "\xff\xfe"}),
    ("a cookie", {"cookie": "x-arklow-auth=org-42"}),
]


@pytest.mark.parametrize(("method", "path"), [("POST", INGRESS), ("POST", MODACK), ("PUT", PUT)])
@pytest.mark.parametrize(("name", "headers"), AUTH, ids=[name for name, _ in AUTH])
def test_a_key_is_taken_whole_or_not_at_all(
    still: StillMock, method: str, path: str, name: str, headers: dict[str, str]
) -> None:
    """B005: a missing or wrong key answers 401 with the envelope, and names the expected scheme."""
    reply = still.call(method, path + "?x-arklow-auth=org-42", {"payload": 1}, headers=JSON | headers)

    assert (reply.status, reply.error["code"]) == (401, "UNAUTHORIZED")
    assert reply.headers["www-authenticate"] == "ApiKey"
    assert "org-42" not in reply.error["message"]


def test_the_control_plane_takes_no_authorization_header(still: StillMock) -> None:
    """B004: PUT lists x-arklow-auth alone."""
    reply = still.call("PUT", PUT, {"variant": "x", "schema": {}}, headers=JSON | {"authorization": "org-42"})

    assert reply.status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"x-arklow-auth": "org-42"},
        {"X-Arklow-Auth": "org-42"},
        {"x-arklow-auth": " \t org-42 \t"},
        {"x-arklow-auth": "org-42-abcd0123"},
        {"authorization": "org-42"},
        {"x-arklow-auth": "wrong", "authorization": "org-42"},
        {"x-arklow-auth": "org-42", "authorization": "wrong"},
    ],
    ids=str,
)
def test_every_way_to_send_a_good_key_works(still: StillMock, headers: dict[str, str]) -> None:
    """B001 to B003: header case does not matter, outer blanks are trimmed, either header is enough."""
    reply = still.call("POST", INGRESS, {"payload": 1}, headers=JSON | headers)

    assert reply.status == 200


ACCEPTED = [
    ("NUL", b'{"payload":"\\u0000"}'),
    ("a pair of surrogates", rb'{"payload":"\ud83d\ude00"}'),
    ("500 levels", b'{"payload":' + b"[" * 499 + b"]" * 499 + b"}"),
    ("4,300 digits", b'{"payload":' + b"7" * 4300 + b"}"),
    ("version 1.0", b'{"payload":1,"version":1.0}'),
    ("unknown members", b'{"payload":1,"surprise":[1],"__proto__":{},"":0}'),
    ("blanks around", b' \r\n\t{"payload" : 1 } \n'),
    ("null", b'{"payload":null,"metadata":null}'),
    ("no tags", b'{"payload":1,"tags":{}}'),
    ("a hundred tags", json.dumps({"payload": 1, "tags": {str(n): "x" for n in range(100)}}).encode()),
    ("many brackets in a string", json.dumps({"payload": "[" * 5000}).encode()),
]


@pytest.mark.parametrize(("name", "body"), ACCEPTED, ids=[name for name, _ in ACCEPTED])
def test_what_json_allows_is_accepted(still: StillMock, name: str, body: bytes) -> None:
    """The parser is strict about defects, and takes what is merely rare."""
    reply = still.call("POST", INGRESS, body)

    assert reply.status == 200
    assert reply.json["data"]["a_ve"] == "1"


@pytest.mark.parametrize(
    "media_type", ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=latin-1"]
)
def test_parameters_of_the_media_type_do_not_matter(still: StillMock, media_type: str) -> None:
    """RFC 8259 §11 defines no charset parameter: it has no effect."""
    assert (
        still.call("POST", INGRESS, {"payload": 1}, headers=KEY | {"content-type": media_type}).status == 200
    )


@pytest.mark.parametrize(
    "variant",
    ["a/b", "%", "a b", "é😀", "..", ".", "?", "#", "a\nb", "a\x00b", "{variant}", "\n", "a;b=c", "%2F"],
)
def test_any_segment_that_is_not_empty_is_a_variant(still: StillMock, variant: str) -> None:
    """S-ing asks for one character at least; `%2F` stays inside its segment."""
    from urllib.parse import quote

    still.put(variant)

    reply = still.call("POST", "/v1/ingress/" + quote(variant, safe=""), {"payload": 1})

    assert (reply.status, reply.json["data"]["a_va"]) == (200, variant)


def test_a_chunked_body_is_read_whole(still: StillMock) -> None:
    """RFC 9112 §7.1: a body needs no Content-Length."""
    head = f"POST {INGRESS} HTTP/1.1\r\nhost: mock\r\nx-arklow-auth: org-42\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"

    reply = still.raw(head.encode() + b'a\r\n{"payload"\r\n', then=b"3\r\n:1}\r\n0\r\n\r\n")

    assert reply.status == 200


@pytest.mark.parametrize("path", ["/v1/modack", PUT, INGRESS, "/openapi.json"])
def test_options_names_the_methods_and_opens_the_way_for_browsers(still: StillMock, path: str) -> None:
    """A preflight is allowed what it asks for."""
    asked = {
        "origin": "http://localhost:5173",
        "access-control-request-method": "POST",
        "access-control-request-headers": "x-arklow-auth,content-type",
    }
    allow = {"/v1/modack": "POST", PUT: "PUT", INGRESS: "POST", "/openapi.json": "GET"}[path] + ", OPTIONS"

    reply = still.call("OPTIONS", path, headers=asked)

    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["allow"] == reply.headers["access-control-allow-methods"] == allow
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["access-control-allow-headers"] == "x-arklow-auth,content-type"


@pytest.mark.parametrize("path", ["/v1/modack", PUT, "/openapi.json"])
def test_head_is_405_with_allow_and_no_body(still: StillMock, path: str) -> None:
    """No operation documents HEAD."""
    reply = still.raw(f"HEAD {path} HTTP/1.1\r\nhost: mock\r\n\r\n".encode())

    assert (reply.status, reply.body) == (405, b"")
    assert reply.headers["allow"].endswith("OPTIONS")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"POST /v1/modack HTTP/9.9\r\n\r\n",
        b"POST /v1/modack HTTP/1.1\r\nhost: mock\r\ncontent-length: abc\r\n\r\n",
        b"POST /v1/modack HTTP/1.1\r\nhost: mock\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/modack HTTP/1.1\r\nhost: mock\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
        b"POST /v1/modack HTTP/1.1\r\nhost: mock\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=lambda data: repr(data[:60]),
)
def test_what_is_not_http_gets_the_parsers_plain_400(still: StillMock, request_bytes: bytes) -> None:
    """The HTTP parser refuses it before there is a request to answer."""
    reply = still.raw(request_bytes)

    assert (reply.status, reply.body) == (400, b"Invalid HTTP request received.")
    assert reply.closed


def _limited(reply: Reply, status: int) -> None:
    assert (reply.status, reply.error["code"]) == (status, "BODY_TOO_LARGE")
    assert "1048576" in reply.error["message"]


def test_a_body_over_the_limit_is_refused_announced_or_not() -> None:
    """413 on PUT, 400 on ingress; the connection stays open, so that the client can read the answer."""
    large = json.dumps({"variant": "x", "payload": "x" * (1 << 20), "schema": {}}).encode()
    with StillMock(max_body=1 << 20) as limited:
        _limited(limited.call("PUT", PUT, large), 413)
        _limited(limited.call("POST", INGRESS, large), 400)
        for method, path, status in (("PUT", PUT, 413), ("POST", INGRESS, 400)):
            head = f"{method} {path} HTTP/1.1\r\nhost: m\r\nx-arklow-auth: org-42\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
            chunk = b"%x\r\n%s\r\n" % (len(large), large)
            _limited(limited.raw(head.encode() + chunk, then=b"0\r\n\r\n"), status)


@pytest.mark.parametrize(("method", "path"), [("POST", INGRESS), ("PUT", PUT)])
def test_a_body_that_never_ends_is_408_and_closed(still: StillMock, method: str, path: str) -> None:
    """The announced length is longer than the body; after ten seconds the mock stops waiting."""
    before = still.loop.time()
    reply = still.raw(_unfinished(method, path))

    assert (reply.status, reply.error["code"]) == (408, "BODY_INCOMPLETE")
    assert reply.headers["connection"] == "close"
    assert reply.closed
    assert still.loop.time() - before == pytest.approx(10)


def _unfinished(method: str, path: str) -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nhost: m\r\nx-arklow-auth: org-42\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n"
    return head.encode() + b'{"payload"'


@pytest.mark.slow
def test_a_body_that_never_ends_is_closed_on_a_socket_too(served: RunningMock) -> None:
    """Within the minute that a client of the tests waits."""
    reply = served.raw(_unfinished("POST", INGRESS))

    assert (reply.status, reply.error["code"], reply.closed) == (408, "BODY_INCOMPLETE", True)


def test_a_refused_request_leaves_the_connection_usable(still: StillMock) -> None:
    """Also when the body was not read before the refusal."""
    refused = b"POST /v1/modack HTTP/1.1\r\nhost: m\r\ncontent-length: 5\r\n\r\nhello"
    with still.connect() as connection:
        for _ in range(2):
            connection.sendall(refused)
            assert read_reply(connection).status == 401


def test_a_client_that_disconnects_inside_a_body_is_logged(still: StillMock) -> None:
    """Other clients are answered as before."""
    with still.connect() as connection:
        connection.sendall(_unfinished("POST", "/v1/modack"))

    assert still.put("refusals").status == 200
    assert still.line_with("the client closed the connection").startswith("--- ")
