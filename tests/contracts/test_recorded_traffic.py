"""Recorded traffic: what it shows is reported, and what it has lost breaks no rule."""

from __future__ import annotations

import copy
import json
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from contracts import RunFinished
from contracts.cli import main
from contracts.recordings.har import NotAnArchive, read_archive
from contracts.reports import html, junit
from contracts.reports.console import summary_lines
from contracts.reports.json_report import SCHEMA, report_data
from tests.contracts.archives import (
    archive,
    entry,
    judged,
    pairs,
    recorded,
    text,
)
from tests.contracts.runs import KEYS, exchange, titles_by_rule
from tests.mutants import MUTANTS, Choices, ConformingServer
from tests.serving import serving

INGRESS, MODACK = "POST /v1/ingress/{variant}", "POST /v1/modack"
PUT = "PUT /v1/orgs/{org_id}/actions/definitions"
TAKEN = b'{"data":{"a_id":"30","a_def_id":"10","queue_s":"queued","a_va":"order.created","a_ve":"1"}}'
DEFINED = (
    b'{"data":{"id":"10","org_id":"1","variant":"v","version":1,"alias":[],"schema":{},"deleted_at":null,'
    b'"destinations":[]},"errors":null}'
)
PAYLOAD = b'{"payload":{"order_id":"8471"}}'
LEASE = b'{"action_record_id":"30","attempt":0,"mod_ack":300}'
SECRET = "s3cret-key-of-no-target"

Entry = dict[str, Any]


def work(**members: Any) -> Entry:
    """Make work that is accepted, as a proxy records it; the answer announces its length."""
    made = exchange(INGRESS, 200, TAKEN, body=PAYLOAD, **members)
    one = entry(made)
    one["response"]["headers"].append({"name": "Content-Length", "value": str(len(TAKEN))})
    return one


def defined(answer: bytes = DEFINED, body: bytes = b'{"variant":"v","schema":{}}', **members: Any) -> Entry:
    """Make a definition that is put, as a proxy records it."""
    return answered(entry(exchange(PUT, 200, answer, body=body, **members)), answer)


def changed(one: Entry, *path: str, to: Any = None) -> Entry:
    """Replace a member of an entry; None removes it."""
    one = copy.deepcopy(one)
    inner = one
    for name in path[:-1]:
        inner = inner[name]
    if to is None:
        inner.pop(path[-1], None)
    else:
        inner[path[-1]] = to
    return one


def without(one: Entry, side: str, *names: str) -> Entry:
    """Remove headers from the request or the response of an entry."""
    kept = [header for header in one[side]["headers"] if header["name"].lower() not in names]
    return changed(one, side, "headers", to=kept)


def answered(one: Entry, content: bytes, status: int = 200) -> Entry:
    """Replace the answer of an entry; the length that it announces is right."""
    one = without(one, "response", "content-length")
    one["response"]["headers"].append({"name": "content-length", "value": str(len(content))})
    one["response"]["content"] |= {"size": len(content), "text": ""} | text(content)
    return changed(one, "response", "status", to=status)


# Mutants

SHOWN_BY_A_RECORDING = "A08 A14 A15 B13 B14 B34 R03 R04 R07 R11 R13 R15 R17 R21 R22 R25 R30 R40 R41 R43 R45 R50 V14 V24 V25".split()
"""Mutants whose recording has to name the rule that a run names."""


@pytest.mark.parametrize("id", SHOWN_BY_A_RECORDING)
def test_the_recording_of_a_run_breaks_the_rule_that_the_run_found_broken(id: str) -> None:
    """It is broken at the same operation; the judge is recording the good key."""
    mutant = MUTANTS[id]
    rule = mutant.caught_by[0]
    with serving(mutant()) as url:
        run, seen = recorded(url, rule)

    recording = judged(archive(*map(entry, seen)), KEYS[0])

    assert rule in titles_by_rule(run)
    assert rule in titles_by_rule(recording)
    operations = {one.operation for one in (*run.violations, *run.warnings)}
    assert {
        one.operation for one in (*recording.violations, *recording.warnings) if one.rule == rule
    } & operations


@pytest.mark.parametrize("choices", [Choices(), Choices(extra_members=True, html_404=True, body="raw")])
def test_the_recording_of_a_conforming_run_breaks_nothing(choices: Choices) -> None:
    """Neither with the key nor without it, nor with half of the entries, nor as browsers and proxies write it.

    It may warn of what the run warned of, as a body that is taken raw (C1).
    """
    with serving(ConformingServer(choices)) as url:
        run, seen = recorded(url, seconds=2)
    entries = [entry(one) for one in seen[:1_500]]
    few = entries[::5]

    for recording in (
        judged(archive(*entries), KEYS[0]),
        judged(archive(*entries[::2])),
        judged(archive(*(without(one, "request", "x-arklow-auth") for one in few)), KEYS[0]),
        judged(archive(*map(chrome, few)), KEYS[0]),
        judged(archive(*map(mitmproxy, few)), KEYS[0]),
        judged(archive(*map(firefox, few)), KEYS[0]),
    ):
        assert recording.violations == ()
        assert titles_by_rule(recording).keys() <= titles_by_rule(run).keys()
        assert recording.exit_code == 0
        assert recording.requests > 100


# As browsers and proxies write entries


def chrome(one: Entry) -> Entry:
    """HTTP/2; `Authorization`, cookies and lengths are left out."""
    one = without(one, "request", "authorization", "cookie", "content-length", "host")
    one = without(one, "response", "set-cookie", "content-length")
    one["request"]["headers"] = [
        {"name": ":authority", "value": "recorded"},
        {"name": ":method", "value": one["request"]["method"]},
        *one["request"]["headers"],
        *pairs([("origin", "https://app"), ("user-agent", "Mozilla/5.0"), ("sec-fetch-mode", "cors")]),
    ]
    one["request"]["httpVersion"] = "h2"
    content = one["response"]["content"]
    content["mimeType"] = content["mimeType"] or "x-unknown"
    return one | {"_resourceType": "fetch", "_priority": "High", "_initiator": {"type": "script"}}


def firefox(one: Entry) -> Entry:
    """Answers are cut, and their sizes are those of the whole."""
    content = one["response"]["content"]
    if isinstance(content.get("text"), str):
        content |= {"text": content["text"][:20], "comment": "Response body is truncated"}
    return changed(one, "request", "headersSize", to=300)


def mitmproxy(one: Entry) -> Entry:
    """`content.size` is that of the compressed body; a request without a body has `params` and an empty text."""
    size = one["response"]["content"]["size"]
    one["response"]["content"] |= {"size": size // 2, "compression": size - size // 2}
    one["request"].setdefault("postData", {"mimeType": "", "text": ""})["params"] = []
    return one


REFUSED = b'{"data":null,"errors":[{"code":"UNAUTHORIZED","message":"no key"}]}'

LOST: dict[str, list[Entry]] = {
    "a key that no entry has": [without(work(), "request", "x-arklow-auth")],
    "a key that may have stood in the other header": [
        work(),
        without(work(), "request", "x-arklow-auth", "authorization"),
    ],
    "a key that is redacted": [
        changed(
            work(),
            "request",
            "headers",
            to=pairs(
                [
                    ("host", "h"),
                    ("x-arklow-auth", "***"),
                    ("authorization", "REDACTED"),
                    ("content-type", "application/json"),
                ]
            ),
        )
    ],
    "no headers at all": [
        work(),
        changed(changed(work(), "request", "headers", to=[]), "response", "headers", to=[]),
    ],
    "the body of a request": [changed(work(), "request", "postData")],
    "a body as parameters": [
        changed(work(), "request", "postData", to={"mimeType": "application/json", "params": [{"name": "a"}]})
    ],
    "half a body": [
        changed(work(), "request", "postData", to={"mimeType": "application/json", "text": '{"payload":{"or'})
    ],
    "half a body of no known length": [
        changed(
            changed(
                without(work(), "request", "content-length"),
                *("request", "postData"),
                to={"mimeType": "application/json", "text": '{"payload":{"or'},
            ),
            *("request", "bodySize"),
            to=-1,
        )
    ],
    "the text of an answer": [changed(work(), "response", "content", "text")],
    "an empty text of an answer": [changed(work(), "response", "content", "text", to="")],
    "half an answer": [changed(work(), "response", "content", "text", to='{"data":{"a_id"')],
    "half an answer of no known length": [
        changed(
            changed(without(work(), "response", "content-length"), "response", "content", "size", to=-1),
            *("response", "content", "text"),
            to='{"data":{"a_id"',
        )
    ],
    "an answer that is redacted": [answered(work(), TAKEN.replace(b'"30"', b'"***"'))],
    "an answer that was sniffed": [
        changed(
            without(work(), "response", "content-type"), "response", "content", "mimeType", to="text/plain"
        )
    ],
    "the body of a definition's answer, which says that it was refused (B009)": [
        changed(defined(b'{"data":null,"errors":[]}', b'{"variant":"v"}'), "response", "content", "text")
    ],
    "headers that a page does not see": [
        changed(
            answered(work(), REFUSED, 401),
            *("request", "headers"),
            to=pairs(
                [
                    ("host", "h"),
                    ("origin", "https://app"),
                    ("x-arklow-auth", "k"),
                    ("content-type", "application/json"),
                ]
            ),
        )
    ],
    "an organisation that is redacted": [defined(url="/v1/orgs/[redacted]/actions/definitions")],
    "a redirect to another host": [
        changed(work(), "response", to={"status": 302, "headers": pairs([("location", "https://login/x")])})
    ],
    "base64 that is none": [
        changed(work(), "response", "content", to={"size": 9, "encoding": "base64", "text": "???"})
    ],
}
"""What was lost → conforming traffic of which it was lost."""


@pytest.mark.parametrize("lost", LOST)
def test_what_was_lost_breaks_no_rule(lost: str) -> None:
    """Whether the judge is told the good key or not."""
    for credential in (KEYS[0], None):
        run = judged(archive(*LOST[lost]), credential)

        assert titles_by_rule(run) == {}
        assert run.exit_code in (0, 3)


NOT_JUDGED: dict[str, Callable[[Entry], Entry]] = {
    "no answer": lambda one: one | {"response": {"status": 0, "headers": [], "content": {}}},
    "no response": lambda one: one | {"response": None},
    "not modified": lambda one: answered(one, b"", 304),
    "a cache": lambda one: one | {"_fromCache": "disk"},
    "Firefox' cache": lambda one: one | {"cache": {"afterRequest": None}},
    "Safari's cache": lambda one: changed(one, "response", "_fetchType", to="Memory Cache"),
    "a service worker": lambda one: changed(one, "response", "_fetchedViaServiceWorker", to=True),
    "a test's own answer": lambda one: one | {"_wasFulfilled": True},
    "fault that was asked for": lambda one: one | {"_fault": "t1"},
    "a webhook": lambda one: one | {"_delivery": {"attempt": 0}},
    "a gateway": lambda one: answered(one, b"<h1>Bad Gateway", 502),
    "a limit": lambda one: answered(one, b"slow down", 429),
    "an upgrade to TLS": lambda one: changed(
        answered(one, b"", 307), "response", "statusText", to="Internal Redirect"
    ),
    "another path": lambda one: changed(one, "request", "url", to="http://target/assets/v1.js"),
    "no URL": lambda one: changed(one, "request", "url", to="data:,x"),
    "a broken URL": lambda one: changed(one, "request", "url", to="http://[/v1/modack"),
    "a preflight": lambda one: changed(
        changed(one, "request", "method", to="OPTIONS"),
        *("request", "headers"),
        to=pairs([("host", "h"), ("access-control-request-method", "POST")]),
    ),
}


@pytest.mark.parametrize("name", NOT_JUDGED)
def test_what_no_server_has_answered_is_not_judged(name: str) -> None:
    """It is counted, and proves nothing."""
    run = judged(archive(NOT_JUDGED[name](answered(work(), b'{"data":{}}'))))

    assert (titles_by_rule(run), run.exit_code, run.requests) == ({}, 3, 0)
    assert sum(run.interference.values()) == 1
    assert "No exchange with an operation of arklow.openapi.yaml could be judged: 1 entry" in str(
        run.inconclusive
    )


# Findings


def test_a_finding_names_its_entry_and_how_many_there_are() -> None:
    """It names the number and the time of the first, in UTC whatever zone the archive uses."""
    broken = answered(work(), TAKEN.replace(b'"30"', b"30"))
    late = broken | {"startedDateTime": "2026-01-01T02:00:00.5+02:00"}

    run = judged(archive(work(), late, changed(late, "startedDateTime", to="2026-01-01T05:00:00Z")))

    assert run.exit_code == 1
    assert titles_by_rule(run)["PAGE-5"].endswith("(entry 2 of a.har, 2026-01-01T00:00:00.500Z and 1 more)")
    assert [one.rule for one in run.violations] == ["PAGE-5"]
    [found] = report_data(run)["violations"]
    assert (found["at"], found["script"][0]["path"]) == (
        "2026-01-01T00:00:00.500Z",
        "/v1/ingress/order.created",
    )


def test_a_missing_key_counts_only_where_the_archive_keeps_keys() -> None:
    """It has to keep every header in which a key may stand."""
    served = defined(key=None)
    other = entry(exchange(PUT, 403, b'{"data":null,"errors":[]}', body=b'{"variant":"v","schema":{}}'))

    assert "AUTH-4" not in titles_by_rule(judged(archive(served)))
    assert "AUTH-4" in titles_by_rule(judged(archive(other, served)))


def test_a_refused_key_counts_only_where_it_was_served_before_and_after() -> None:
    """Otherwise it may have been created later, or revoked."""
    refused = answered(work(), REFUSED, 401)
    refused["response"]["headers"].append({"name": "www-authenticate", "value": "Key"})
    shown = pairs([("host", "h"), ("x-arklow-auth", KEYS[0].key), ("authorization", KEYS[0].key)])
    both = [
        changed(one, "request", "headers", to=[*shown, *pairs([("content-type", "application/json")])])
        for one in (work(), refused, work())
    ]

    assert titles_by_rule(judged(archive(*both[:2]), KEYS[0])) == {}
    assert "AUTH-10" in titles_by_rule(judged(archive(*both), KEYS[0]))


def test_each_base_url_is_judged_by_itself() -> None:
    """That an operation exists at one host says nothing of another host."""
    elsewhere = changed(
        answered(work(), b"<h1>Not Found</h1>", 404), "request", "url", to="https://b/v1/ingress/v"
    )
    elsewhere = changed(elsewhere, "response", "content", "mimeType", to="text/html")
    elsewhere = changed(elsewhere, "response", "headers", to=pairs([("content-type", "text/html")]))
    here = changed(elsewhere, "request", "url", to="http://target/v1/ingress/v")

    assert titles_by_rule(judged(archive(work(), elsewhere))) == {}
    assert titles_by_rule(judged(archive(work(), here))) != {}
    assert judged(archive(work(), here), bases=["https://b"]).exit_code == 3
    assert judged(archive(work()), bases=["http://target:80"]).exit_code == 0


def test_no_secret_of_the_archive_is_in_the_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Keys, cookies and passwords of requests and answers are replaced, whole or in part, even where an answer repeats them."""
    values = (
        SECRET,
        "c00kie-of-one",
        "set-c00kie-of-all",
        "basic-passw0rd",
        "query-passw0rd",
        "user-passw0rd",
    )
    repeated = json.dumps({"data": None, "errors": " ".join(values)}).encode()
    one = answered(work(), repeated, 400)
    one["request"]["headers"] += pairs(
        [
            ("x-arklow-auth", values[0]),
            ("cookie", f"a=1; sid={values[1]}"),
            ("authorization", f"Bearer {values[3]}"),
        ]
    )
    one["response"]["headers"] += pairs(
        [("set-cookie", f"sid={values[2]}; Path=/; HttpOnly"), ("set-cookie", "b=c")]
    )
    one["request"]["url"] = f"http://me:{values[5]}@target/v1/ingress/v?api_key={values[4]}"
    (tmp_path / "a.har").write_bytes(archive(one))

    code = main(["judge", str(tmp_path / "a.har"), "--report-dir", str(tmp_path / "out")])

    output = capsys.readouterr().out + "".join(file.read_text() for file in (tmp_path / "out").iterdir())
    assert code == 1
    assert "$KEY_1" in output
    for value in (*values, "good-key-one", "b=c"):
        assert value not in output, value


def test_an_answer_that_shows_a_served_key_breaks_a_rule() -> None:
    """The judge need not be told the key."""
    leak = answered(work(), TAKEN.replace(b'"queued"', b'"queued good-key-one"'))

    assert "SAFE-1" in titles_by_rule(judged(archive(work(), leak)))
    assert "SAFE-1" in titles_by_rule(judged(archive(work(), leak), KEYS[0]))


def test_an_answer_with_a_negative_version_breaks_nothing() -> None:
    """Its definition may have been put before the recording began (C16)."""
    assert titles_by_rule(judged(archive(answered(work(), TAKEN.replace(b'"1"', b'"-1"'))))) == {}


# The command


def test_exit_codes_and_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit codes and reports are those of `check`; nothing is contacted."""

    def blow_up(*_: Any) -> None:
        raise AssertionError("contacted")

    monkeypatch.setattr(socket, "getaddrinfo", blow_up)
    monkeypatch.setattr(socket.socket, "connect", blow_up)
    (tmp_path / "good.har").write_bytes(archive(work()))
    (tmp_path / "bad.har").write_bytes(archive(answered(work(), b"{}")))
    (tmp_path / "none.har").write_bytes(archive())
    good, bad, none = (str(tmp_path / f"{name}.har") for name in ("good", "bad", "none"))

    assert main(["judge", good]) == 0
    assert main(["judge", good, bad, "--report-dir", str(tmp_path / "out")]) == 1
    assert main(["judge", none]) == 3
    out = capsys.readouterr().out
    assert f"(entry 1 of {bad}, 2026-" in out or f"(entry 1 of {bad}, 1970-" in out
    assert "Inconclusive: No exchange with an operation" in out
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(report)
    assert {one.name for one in (tmp_path / "out").iterdir()} == {
        *("report.html", "report.json", "report.sarif", "junit.xml"),
    }


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"", "is not JSON: expecting value in line 1"),
        (b"<html>", "is not JSON"),
        (b"\xff\xfe\xfd", "is not JSON: byte"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"log":{"entries":[' + b"9" * 5_000 + b"]}}", "a number that is too long"),
        (b"[]", "the text is an array, expected an object"),
        (b"{}", "log is missing, expected an object"),
        (b'{"log":7}', "log is 7, expected an object"),
        (b'{"log":{"entries":{}}}', "log/entries is an object, expected an array"),
        (b'{"log":{"entries":[{}, null]}}', "log/entries/0/request is missing"),
        (b'{"log":{"entries":[{"request":{"method":"GET","url":7}}]}}', "log/entries/0/request/url is 7"),
        (
            archive(work(), work() | {"response": []}),
            "log/entries/1/response is an array, expected an object",
        ),
    ],
)
def test_a_file_that_is_no_archive_is_refused_in_one_line(
    data: bytes, place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line says which file, where in it, what was expected, and what is there."""
    (tmp_path / "x.har").write_bytes(data)

    assert main(["judge", str(tmp_path / "x.har")]) == 2
    said = capsys.readouterr()
    assert (said.out, len(said.err.splitlines())) == ("", 1)
    assert "x.har" in said.err
    assert place in said.err


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (["missing.har"], "missing.har: No such file"),
        (["."], ".: Is a directory"),
        (["x.har", "--api-key", "k"], "--api-key and --org belong together"),
        (["x.har", "--ingress-url", "http://h"], "of no use without --base-url"),
        (["x.har", "--base-url", "h"], "is not a URL"),
        (["x.har", "--document", "missing.yaml"], "missing.yaml: No such file"),
    ],
)
def test_flags_that_make_no_sense_are_refused(
    flags: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says why; the exit code is 2."""
    assert main(["judge", *flags]) == 2
    assert text in capsys.readouterr().err


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["\ud800", "http://["]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside of a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for name, member in inner for place in places(member, (*at, name)))]


WHOLE = json.loads(archive(work(), answered(work(), b"{}")))


@given(st.lists(st.tuples(st.sampled_from(places(WHOLE)), JSON), min_size=1, max_size=3))
def test_an_archive_with_any_values_is_judged_or_refused(
    spoilt: list[tuple[tuple[Any, ...], Any]],
) -> None:
    """No value of any member makes the judge fail."""
    value = copy.deepcopy(WHOLE)
    for place, other in spoilt:
        inner = value
        try:
            for step in place[:-1]:
                inner = inner[step]
            inner[place[-1]] = other
        except (LookupError, TypeError):
            value = other if not place else value
    with suppress(NotAnArchive):
        assert_reports_can_be_written(judged(json.dumps(value).encode()))


@given(JSON)
def test_other_json_is_refused_in_one_line(value: Any) -> None:
    """It is no archive, whatever it is."""
    with pytest.raises(NotAnArchive) as caught:
        read_archive(json.dumps(value).encode(), "x.har")
    assert len(str(caught.value).splitlines()) == 1


def assert_reports_can_be_written(run: RunFinished) -> None:
    """Write every report."""
    data = json.loads(json.dumps(report_data(run)))
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(data)
    assert "\n".join(line.plain for line in summary_lines(run))


def test_reports_of_a_spoilt_archive_can_be_written(tmp_path: Path) -> None:
    """Characters that XML or UTF-8 do not have make no report fail."""
    odd = answered(work(), b'{"data": "\\u0000 \\uffff <b>"}')
    odd["request"]["url"] += "?x=\ud800\x00"
    run = judged(archive(odd))
    for report in (html, junit):
        report.write(run, tmp_path)

    assert run.exit_code == 1
    assert len(list(tmp_path.iterdir())) == 2
