"""The runtime of generated tests: what it sends, and what it says is wrong with answers."""

from __future__ import annotations

import json
import threading
from typing import Any
from urllib.parse import urlsplit

import pytest

from contracts.reports import generated_test_runtime as runtime
from contracts.reports.generated_test_runtime import Answer

ENVELOPE = {"data": None, "errors": [{"code": "NO", "message": "no"}]}


def answer(
    status: int = 200,
    value: Any = None,
    *,
    method: str = "POST",
    path: str = "/v1/ingress/contract.0a1b2c3d.v",
    sent: Any = None,
    raw: bytes | None = None,
    seconds: float = 0.0,
    **headers: str,
) -> Answer:
    """Make an answer: JSON, unless it is given `raw`; header names have `_` for `-`."""
    named = [(name.replace("_", "-"), text) for name, text in headers.items()]
    body = json.dumps(value).encode() if raw is None else raw
    return Answer(
        method, path, b"" if sent is None else json.dumps(sent).encode(), status, named, body, seconds
    )


def defined(variant: str = "v", version: Any = 1, number: str = "7", sent: Any = None, **data: Any) -> Answer:
    """Make an answer to a PUT of a definition."""
    stored = {"id": number, "variant": variant, "version": version, "alias": [], "org_id": "1", **data}
    body = {"variant": variant, "schema": {}} if sent is None else sent
    path = "/v1/orgs/1/actions/definitions"
    return answer(200, {"data": stored, "errors": None}, method="PUT", path=path, sent=body)


def accepted(
    name: str = "v",
    version: str = "1",
    number: str = "7",
    action: str = "900",
    asked: Any = None,
    **data: Any,
) -> Answer:
    """Make an answer to work that was accepted."""
    made = {"a_id": action, "a_def_id": number, "a_va": name, "a_ve": version, **data}
    return answer(200, {"data": made}, path=f"/v1/ingress/{name}", sent={"payload": 1, **(asked or {})})


EMPTY = answer(200, {"data": None, "errors": []}, path="/v1/orgs/1/actions/definitions")
"""A refusal of the control plane under the status 200."""

WRONG: dict[str, tuple[str, str]] = {
    "a refusal was expected, and it is served": (
        runtime.served(answer(201, {})),
        "expected a refusal; got 201",
    ),
    "it is refused": (runtime.served(answer(400)), ""),
    "it is refused under 200": (runtime.served(EMPTY), ""),
    "200 was expected, and it is refused": (runtime.refused(answer(404)), "expected 200; got 404"),
    "200 was expected, and it is refused under 200": (runtime.refused(EMPTY), "expected 200; got 200"),
    "200 without data is served elsewhere": (runtime.refused(answer(200, {"data": None})), ""),
    "one of the statuses": (runtime.has_status(answer(422), [400, 422], "409"), "expected 409; got 422"),
    "none of the statuses": (runtime.has_status(answer(409), [400, 422], "409"), ""),
    "one fails": (runtime.fails([answer(200), answer(500)]), "got 500"),
    "none fails": (runtime.fails([answer(200), answer(499)]), ""),
    "a header is missing": (runtime.lacks(answer(401), 401, "www-authenticate"), "a header www-authenticate"),
    "a header is there": (runtime.lacks(answer(401, WWW_Authenticate="k"), 401, "www-authenticate"), ""),
    "a header is missing under another status": (runtime.lacks(answer(403), 401, "www-authenticate"), ""),
    "Allow lacks a method": (
        runtime.not_allowed(answer(200, allow="OPTIONS, GET"), ["POST", "OPTIONS"]),
        "Allow with POST, OPTIONS, not OPTIONS, GET",
    ),
    "Allow has each method": (runtime.not_allowed(answer(200, allow="POST,OPTIONS"), ["POST"]), ""),
    "OPTIONS is refused": (runtime.not_allowed(answer(405, allow="GET"), ["POST"]), ""),
    "there is no Allow": (runtime.not_allowed(answer(204), ["POST"]), ""),
    "another media type": (
        runtime.not_announced(answer(400, content_type="text/html"), 400),
        "not text/html",
    ),
    "no media type": (runtime.not_announced(answer(400), 400), "not None"),
    "the media type of JSON": (
        runtime.not_announced(answer(400, Content_Type="Application/JSON; charset=utf-8"), 400),
        "",
    ),
    "another media type under a like status": (runtime.not_announced(answer(404), 400), ""),
    "another media type under another class": (
        runtime.not_announced(answer(200), 400),
        "this proves nothing",
    ),
    "half a text": (runtime.not_json(answer(200, raw=b"{"), 200), "a JSON text in UTF-8"),
    "NaN": (runtime.not_json(answer(200, raw=b'{"a":NaN}'), 200), "NaN is not a JSON number"),
    "another encoding": (runtime.not_json(answer(200, raw=b'"\xff"'), 200), "a JSON text in UTF-8"),
    "a byte order mark": (runtime.not_json(answer(200, raw=b"\xef\xbb\xbf{}"), 200), "a JSON text in UTF-8"),
    "JSON": (runtime.not_json(answer(200, {"a": 1}), 200), ""),
    "half a text under a like status": (runtime.not_json(answer(201, raw=b"{"), 200), ""),
    "half a text under another class": (runtime.not_json(answer(500, raw=b"{"), 200), "this proves nothing"),
    "a name twice": (
        runtime.repeats_a_name(answer(200, raw=b'{"a":{"b":1,"b":2}}')),
        "each member name once",
    ),
    "a name in two objects": (runtime.repeats_a_name(answer(200, raw=b'{"a":{"a":1}}')), ""),
    "a member of another type": (
        runtime.breaks(answer(200, {"data": [{"a": 1}]}), 200, "data/0/a", "of type string"),
        "data/0/a of type string",
    ),
    "a member of its type": (
        runtime.breaks(answer(200, {"data": {"a": "1"}}), 200, "data/a", "of type string"),
        "",
    ),
    "the body of another type": (
        runtime.breaks(answer(200, [1]), 200, "", "of type object"),
        "the body of type",
    ),
    "a member that has to be there": (
        runtime.breaks(answer(200, {"data": {}}), 200, "data/a", "present"),
        "data/a present",
    ),
    "a member that need not be there": (runtime.breaks(answer(200, {}), 200, "data/a", "of type string"), ""),
    "an item that is not there": (
        runtime.breaks(answer(200, {"data": []}), 200, "data/0/a", "of type string"),
        "",
    ),
    "a member of a text": (runtime.breaks(answer(200, {"data": "x"}), 200, "data/a", "of type string"), ""),
    "a member under a like status": (runtime.breaks(answer(201, {"a": 1}), 200, "a", "of type string"), ""),
    "a member under another class": (
        runtime.breaks(answer(404, {"a": 1}), 200, "a", "of type string"),
        "this proves nothing",
    ),
    "a refusal without an envelope": (
        runtime.no_envelope(answer(400, {"error": 1})),
        "an object with data and",
    ),
    "a refusal in its envelope": (runtime.no_envelope(answer(400, ENVELOPE)), ""),
    "a success without an envelope": (runtime.no_envelope(answer(200, {})), ""),
    "no error in a refusal": (runtime.no_error(answer(400, {"errors": []})), "at least one error"),
    "an error in a refusal": (runtime.no_error(answer(400, ENVELOPE)), ""),
    "no error in a success": (runtime.no_error(answer(200, {"errors": []})), ""),
    "a trace": (runtime.shows_a_trace(answer(500, "Traceback (most recent call last)")), "no stack trace"),
    "a trace of Java": (runtime.shows_a_trace(answer(400, "at a.b.C.d(File.java:17)")), "no stack trace"),
    "a trace of Go": (runtime.shows_a_trace(answer(500, "goroutine 1 [running]:")), "no stack trace"),
    "a trace in a success": (runtime.shows_a_trace(answer(200, "Traceback (most recent call last)")), ""),
    "no trace": (runtime.shows_a_trace(answer(500, ENVELOPE)), ""),
    "a slow answer": (runtime.slow(answer(200, seconds=1.26)), "an answer within a second, not 1.3"),
    "a quick answer": (runtime.slow(answer(200, seconds=0.9)), ""),
    "another value": (runtime.differs(accepted(queue_s="done"), "queue_s", "queued"), "queue_s: 'queued'"),
    "the value": (runtime.differs(accepted(queue_s="queued"), "queue_s", "queued"), ""),
    "true is not 1": (runtime.differs(defined(version=True), "version", 1), "version: 1"),
    "a refusal has no value": (runtime.differs(answer(400), "version", 1), "version: 1"),
    "an id twice": (runtime.repeats_an_id([accepted(), accepted()]), "2 actions were accepted under 1 ids"),
    "two ids": (runtime.repeats_an_id([accepted(), accepted(action="901"), answer(400)]), ""),
}
"""What is the case → what a function says of it, and a part of what it has to say."""


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_an_answer_is_said_in_a_sentence(case: str) -> None:
    """The sentence is empty where nothing is."""
    said, expected = WRONG[case]

    assert expected in said if expected else said == ""


PUT_WITH = {"variant": "v", "schema": {"a": 1}, "alias": ["k"]}


@pytest.mark.parametrize(
    ("answers", "member", "said"),
    [
        ([defined(sent=PUT_WITH, schema={"a": 1.0})], "schema", ""),
        ([defined(sent=PUT_WITH, schema={"a": True})], "schema", "schema: {'a': 1}, not {'a': True}"),
        ([defined(sent=PUT_WITH, variant="w")], "variant", "variant: 'v', not 'w'"),
        ([defined(org_id="1")], "org_id", ""),
        ([defined(org_id="2")], "org_id", "org_id: '1', not '2'"),
        ([defined(sent=PUT_WITH, alias=["k"])], "alias", ""),
        ([defined(sent=PUT_WITH, alias=["k", "v"])], "alias", ""),
        ([defined(sent=PUT_WITH, alias=[])], "alias", "alias: ['k'], not []"),
        ([defined(sent=PUT_WITH, alias=["k", "x"])], "alias", "not ['k', 'x']"),
        ([defined(alias=["x"]), defined(sent=PUT_WITH, alias=["k", "x"])], "alias", ""),
        ([defined("w", alias=["k"]), defined(sent=PUT_WITH, alias=[])], "alias", ""),
        ([defined(sent=PUT_WITH, alias=None)], "alias", "not None"),
    ],
)
def test_an_answer_to_a_put_has_what_was_put(answers: list[Answer], member: str, said: str) -> None:
    """An alias that another definition had may be left out, and one that this definition had before may stay."""
    found = runtime.not_as_put(answers, member)

    assert said in found if said else found == ""


@pytest.mark.parametrize(
    ("versions", "said"),
    [
        ((1, 1), ""),
        ((1, 2), ""),
        ((1, 3), "1 or one more, not 3"),
        ((2, 1), "2 or one more, not 1"),
        ((1, "2"), "a definition with its version"),
        ((None, 2), "a definition with its version"),
    ],
)
def test_an_update_moves_a_version_by_one_at_most(versions: tuple[Any, Any], said: str) -> None:
    """Of the same variant."""
    first, last = versions
    found = runtime.skips_versions([defined(version=first), defined("w", 9), defined(version=last)])

    assert said in found if said else found == ""


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([defined(version=2), accepted(version="2")], ""),
        ([defined(version=1), defined(version=2), accepted(version="1")], "a_ve: 2, not 1"),
        ([defined(version=1), defined(version=2), accepted(version="1", asked={"version": 1})], ""),
        ([defined(version=1), accepted(version="9", asked={"version": 9})], "a_ve: 1, not 9"),
        ([defined(version=3, alias=["k"]), accepted("k", version="3")], ""),
        ([defined(version=3, alias=["k"]), accepted("k", version="1")], "a_ve: 3, not 1"),
        ([accepted()], "the action and its version"),
        ([defined(), answer(400, ENVELOPE, path="/v1/ingress/v")], "the action and its version"),
    ],
)
def test_work_uses_the_current_version(answers: list[Answer], said: str) -> None:
    """Or the one that it names, if that was stored."""
    found = runtime.another_version(answers)

    assert said in found if said else found == ""


@pytest.mark.parametrize(
    ("answers", "member", "said"),
    [
        ([defined(), accepted()], "a_def_id", ""),
        ([defined(), defined("w", number="8"), accepted(number="8")], "a_def_id", "a_def_id of 'v', not '8'"),
        ([defined(), accepted(number="9")], "a_def_id", "a_def_id of 'v', not '9'"),
        ([defined("w"), accepted("x", number="7")], "a_def_id", "a_def_id of 'x', not '7'"),
        ([defined("w"), accepted("x", number="99")], "a_def_id", ""),
        ([defined("w"), answer(400, path="/v1/ingress/x")], "a_def_id", ""),
        ([defined(), answer(400, path="/v1/ingress/v")], "a_def_id", "the action"),
        ([defined(), accepted(a_va="w")], "a_va", "a_va: 'v', not 'w'"),
        ([defined(), accepted(a_va="v")], "a_va", ""),
    ],
)
def test_work_reaches_the_definition_of_its_variant(answers: list[Answer], member: str, said: str) -> None:
    """And no other one."""
    found = runtime.another_definition(answers, member)

    assert said in found if said else found == ""


def test_work_under_an_alias_names_the_variant_of_its_definition() -> None:
    """The name in its path is the alias."""
    assert "the variant of the definition" in runtime.under_its_alias([accepted("k", a_va="k")])
    assert runtime.under_its_alias([accepted("k", a_va="v")]) == ""


WORDS = {"$KEY": "s3cret/key", "$OTHER": "other-key"}


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (answer(400, "no s3cret/key"), "no key, and not $KEY"),
        (answer(400, "no s3cret%2Fkey"), "no key, and not $KEY"),
        (answer(400, raw=b'"no s3cret\\/key"'), "no key, and not $KEY"),
        (answer(400, raw=b'"no \\u0073\\u0033cret/key"'), "no key, and not $KEY"),
        (answer(400, "no", x_key="other-key"), "no key, and not $OTHER"),
        (answer(400, "no s3cret"), ""),
        (answer(400, "no s3cret/key", path="/v1/s3cret%2Fkey"), ""),
        (answer(400, "no s3cret/key", sent={"a": "s3cret/key"}), ""),
    ],
)
def test_an_answer_shows_no_key(shown: Answer, said: str) -> None:
    """In no encoding, unless its request had the key."""
    found = runtime.shows_a_key([answer(), shown], WORDS)

    assert said in found if said else found == ""


def test_a_failure_names_the_request_as_the_server_does() -> None:
    """And no query; a long answer is cut short, and one that never came has no status."""
    failed = answer(400, "x" * 900, path="/v1/modack?a=b", X_Request_Id="r-1")

    said = runtime.failure(failed, "200")

    assert said.startswith('POST /v1/modack: expected 200; got 400 "xxx')
    assert said.endswith("x (request id r-1)")
    assert len(said) < 400
    assert "got no answer" in runtime.failure(answer(0, raw=b""), "200")


def put(version: int, number: str) -> Answer:
    """Return the answer to a PUT: a definition of this version and id."""
    data = {"id": number, "variant": "contract.0a1b2c3d.r4.v", "version": version}
    return Answer("PUT", "/", b"", 200, [], json.dumps({"data": data}).encode())


def test_answers_are_compared_without_their_names_and_ids() -> None:
    """Versions are compared as they are; those of concurrent calls count from the lowest one."""
    was = runtime.story([put(4, "77"), put(4, "77")], together=True)

    assert runtime.same_as_before([put(2, "9"), put(2, "9")], was, together=True)
    assert not runtime.same_as_before([put(2, "9"), put(3, "9")], was, together=True)
    assert not runtime.same_as_before([put(2, "9"), put(2, "8")], was, together=True)
    assert not runtime.same_as_before([put(2, "9"), put(2, "9")], runtime.story([put(4, "77"), put(4, "77")]))


@pytest.mark.parametrize(
    ("text", "renamed"),
    [
        ("contract.0a1b2c3d.r4.v1", "contract.fresh000.v1"),
        ("contract.ci.v1", "contract.fresh000.v1"),
        ('"action_record_id": "1234567"', '"action_record_id": "7654321"'),
        ("action_record_id=001234567&attempt=0", "action_record_id=007654321&attempt=0"),
        ("12345678 and 0x1234567", "12345678 and 0x7654321"),
        (r"\uff11\uff12\uff13\uff14\uff15\uff16\uff17", r"\uff17\uff16\uff15\uff14\uff13\uff12\uff11"),
        ("Bearer $KEY", "Bearer s3cret"),
        ("$KEYRING", "$KEYRING"),
    ],
)
def test_fresh_names_ids_and_keys_stand_in_requests(text: str, renamed: str) -> None:
    """Nothing else in them is changed."""
    assert (
        runtime.with_fresh_names(text, {"$KEY": "s3cret"}, "contract.fresh000.", {"1234567": "7654321"})
        == renamed
    )


@pytest.mark.parametrize(
    ("value", "expected", "kept"),
    [
        ("1", "of type string", True),
        (1, "of type string or null", False),
        (None, "of type string or null", True),
        (True, "of type integer", False),
        (2.0, "of type integer", True),
        ("12", "a string that matches ^[0-9]+$", True),
        ("v1", "a string that matches ^[0-9]+$", False),
        ("ok", 'one of "ok"', True),
        ("OK", 'one of "ok"', False),
        (0, "at least 1", False),
        (3, "at most 3", True),
        ("", "of at least 1 characters", False),
        ({"more": 1}, "without 'more'", False),
        ({"other": 1}, "without 'more'", True),
        ("2026-01-01T00:00:00Z", "of format date-time", True),
        ("2026-13-01T00:00:00Z", "of format date-time", False),
        ("2026-01-01", "of format date-time", False),
        ("http://a/b", "of format uri", True),
        ("not a uri", "of format uri", False),
        (1, "what the keyword not asks for", True),
    ],
)
def test_a_member_is_checked_by_the_words_of_the_report(value: Any, expected: str, kept: bool) -> None:
    """An expectation in other words passes."""
    assert runtime.fits(value, expected) is kept


# Requests


def sent_bytes(one: dict[str, Any], headers: list[tuple[str, str]], content: bytes | None) -> list[bytes]:
    """Return the lines of a request on the wire, and its content last."""
    path = "/v1/modack?a=b"
    text = runtime.request_bytes(urlsplit("http://h:81/below"), one, path, headers, content)
    head, _, body = text.partition(b"\r\n\r\n")
    return [*head.split(b"\r\n"), body]


def test_a_request_stands_on_the_wire_as_it_was() -> None:
    """With what every client sends, unless it has that itself."""
    plain = sent_bytes({"method": "POST"}, [("x-a", "1"), ("X-A", "2"), ("accept", "text/html")], b"{}")

    assert plain[:2] == [b"POST /below/v1/modack?a=b HTTP/1.1", b"Host: h:81"]
    assert [line for line in plain if line.lower().startswith((b"x-a", b"accept"))] == [
        *(b"x-a: 1", b"X-A: 2", b"accept: text/html", b"Accept-Encoding: identity"),
    ]
    assert {b"User-Agent: arklow-contracts", b"Connection: close", b"Content-Length: 2"} <= set(plain)
    assert plain[-1] == b"{}"
    assert len([line for line in plain if line.startswith(b"traceparent: 00-")]) == 1


@pytest.mark.parametrize(
    ("one", "content", "line", "body"),
    [
        (
            {"method": "POST", "chunks": [1, 2]},
            b"{    }",
            b"Transfer-Encoding: chunked",
            b"1\r\n{\r\n2\r\n  \r\n3\r\n  }\r\n0\r\n\r\n",
        ),
        (
            {"method": "POST", "chunks": [6]},
            b"{    }",
            b"Transfer-Encoding: chunked",
            b"6\r\n{    }\r\n0\r\n\r\n",
        ),
        ({"method": "PUT"}, None, b"Content-Length: 0", b""),
        ({"method": "DELETE"}, b"", b"Content-Length: 0", b""),
    ],
)
def test_a_body_is_framed_as_it_was(
    one: dict[str, Any], content: bytes | None, line: bytes, body: bytes
) -> None:
    """By its length, or in chunks of the same sizes."""
    lines = sent_bytes(one, [], content)

    assert line in lines
    assert lines[-1] == body


@pytest.mark.parametrize(
    ("one", "headers"), [({"method": "GET"}, []), ({"method": "POST"}, [("Transfer-Encoding", "x")])]
)
def test_no_length_is_announced_where_there_is_none(
    one: dict[str, Any], headers: list[tuple[str, str]]
) -> None:
    """Of a GET without a body, or where the request frames its body by another header."""
    assert b"content-length" not in b" ".join(sent_bytes(one, headers, None)).lower()


def test_headers_beyond_latin_1_are_sent_as_utf_8() -> None:
    """No encoding is a reason to send nothing."""
    assert "x-a: 😀".encode() in sent_bytes({"method": "POST"}, [("x-a", "😀")], b"{}")


def test_calls_are_made_together_and_some_after_others() -> None:
    """Answers come in the order of the calls."""
    together, order = threading.Barrier(2), list[str]()

    def call(name: str, gate: threading.Barrier | None) -> Any:
        def made() -> Answer:
            if gate is not None:
                gate.wait(60)
            order.append(name)
            return answer(200, name)

        return made

    answers = runtime.call_together(
        [(call("one", together), []), (call("two", together), []), (call("last", None), [0, 1])]
    )

    assert [json.loads(one.body) for one in answers] == ["one", "two", "last"]
    assert order[-1] == "last"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": [1, None]}, {"a": [1.0, None]}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ([1, 2], [1], False),
        (True, 1, False),
        (0, False, False),
        ("1", 1, False),
    ],
)
def test_values_are_compared_as_json(one: Any, other: Any, same: bool) -> None:
    """1 is 1.0, and true is not 1."""
    assert runtime.equal(one, other) is same


def test_what_has_no_value_is_empty() -> None:
    """A body that is no JSON, a request without one, and data that is no object."""
    broken = answer(200, raw=b"{")

    assert (runtime.json_of(broken), runtime.json_of_sent(broken), runtime.data_of(broken)) == (None, {}, {})
    assert runtime.data_of(answer(200, {"data": [1]})) == {}
    assert runtime.versions_of(accepted(version="3")) == ["3"]
    assert (runtime.variant_of(defined("w")), runtime.variant_of(accepted())) == ("w", "")
    assert runtime.aliases_of(defined(alias=["a", 3])) == ["a", "3"]
    assert runtime.header_of(answer(200, X_A="1"), "x-a") == "1"
    assert runtime.header_of(answer(200), "x-a") is None
