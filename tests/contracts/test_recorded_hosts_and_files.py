"""Which hosts of an archive are judged, how its files are read, and how the work grows with its length."""

from __future__ import annotations

import gzip
import io
import json
import secrets
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from contracts.commands.archive_files import entries_of
from contracts.commands.usage import Usage
from contracts.core.exchange import Exchange
from contracts.recordings.har import read_archive
from contracts.recordings.masking import recogniser_for
from contracts.recordings.recorded_traffic import RecordingJudge
from contracts.reports.console import Terminal
from tests.contracts.archives import (
    DOCUMENT,
    REFUSED,
    TAKEN,
    answered,
    archive,
    changed,
    defined,
    judged,
    pairs,
    without,
    work,
)
from tests.contracts.commands import ran
from tests.contracts.runs import titles_by_rule

BROKEN = TAKEN.replace(b'"queued"', b"7")

# Hosts


def at(one: dict[str, Any], host: str) -> dict[str, Any]:
    """Move an entry to another host, without the header that only Arklow reads."""
    path = one["request"]["url"].split("/", 3)[3]
    moved = changed(without(one, "request", "x-arklow-auth"), "request", "url", to=f"https://{host}/{path}")
    moved["request"]["headers"] += pairs([("authorization", "Bearer of-another-service")])
    return moved


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"{}", 200),
        (b'{"ok":true}', 202),
        (b'{"data":[],"errors":[{"message":"no"}]}', 400),
        (b"oops", 500),
    ],
)
def test_a_host_without_a_sign_of_arklow_is_named_and_left_out(answer: bytes, status: int) -> None:
    """Trackers and shops have a `/v1/ingress/…` too: nothing that they answer breaks a page of Arklow."""
    tracker = at(answered(work(), answer, status), "tracker.example")

    run = judged(archive(work(), tracker, tracker))
    alone = judged(archive(tracker))

    assert (run.exit_code, run.violations, run.warnings) == (0, (), ())
    [left_out] = [what for what, count in run.interference.items() if count == 2]
    assert "https://tracker.example, which shows no sign of Arklow (name it with --base-url" in left_out
    assert alone.exit_code == 3
    assert "tracker.example" in str(alone.inconclusive)


@pytest.mark.parametrize(
    "sign",
    [
        at(answered(work(), REFUSED, 401), "h"),
        at(work(), "h"),
        at(defined(), "h"),
        at(answered(defined(), b'{"data":null,"errors":[]}'), "h"),
        changed(work(), "request", "url", to="https://h/v1/ingress/v"),
    ],
)
def test_a_host_with_a_sign_of_arklow_is_judged(sign: dict[str, Any]) -> None:
    """The envelope, the id of accepted work, or the header for keys, in one of its entries."""
    broken = at(answered(work(), BROKEN.replace(b'"a_id"', b'"id"')), "h")

    assert titles_by_rule(judged(archive(broken))) == {}
    assert "PAGE-5" in titles_by_rule(judged(archive(broken, sign)))
    assert "PAGE-5" in titles_by_rule(judged(archive(broken), bases=["https://h"]))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("post", "POST"),
        ("Post", "POST"),
        ("put", "PUT"),
        ("delete", "DELETE"),
        ("patch", "patch"),
        ("trace", "trace"),
    ],
)
def test_a_method_is_read_as_fetch_sends_it(written: str, read: str) -> None:
    """https://fetch.spec.whatwg.org/#concept-method-normalize."""
    broken = changed(answered(work(), BROKEN), "request", "method", to=written)
    [one] = read_archive(archive(broken), "a.har")

    assert one.exchange.method == read
    found = titles_by_rule(judged(archive(work(), broken)))
    assert ("PAGE-5" in found) == (read == "POST")
    assert ("HTTP-5" in found) == (read != "POST")


# What is shown


def test_what_no_rule_looks_at_is_masked_and_what_it_looks_at_is_shown() -> None:
    """Values of headers, of the query and of payloads; structure and documented members stay."""
    one = answered(work(), BROKEN)
    one["request"]["url"] += "?sig=s1gnature-abc&X-Amz-Signature=0123abcd&flag&page=2"
    one["request"]["headers"] += pairs(
        [("cf-access-jwt-assertion", "eyJhbGciOi"), ("cookie", "a=c00kie-abc")]
    )
    one["response"]["headers"] += pairs(
        [("x-amzn-oidc-data", "0idc-data"), ("x-request-id", "r-1"), ("retry-after", "3")]
    )
    body = json.dumps({"payload": {"user": "me", "password": "passw0rd", "pin": 4711}, "version": 3}).encode()
    one["request"]["postData"]["text"] = body.decode()
    one["request"]["bodySize"] = len(body)
    one = without(one, "request", "content-length")

    [found] = judged(archive(one)).violations
    shown: Exchange = found.exchanges[-1]

    assert shown.url == "http://target/v1/ingress/order.created?sig=***&X-Amz-Signature=***&***&page=***"
    assert dict(shown.headers)["cf-access-jwt-assertion"] == "***"
    assert dict(shown.headers)["cookie"] == "***"
    assert dict(shown.headers)["content-type"] == "application/json"
    assert (dict(shown.answer_headers)["x-amzn-oidc-data"], shown.request_id) == ("***", "r-1")
    assert dict(shown.answer_headers)["retry-after"] == "3"
    assert json.loads(shown.body or b"") == {"payload": "<object of 3 members>", "version": 3}
    assert json.loads(shown.answer)["data"] == json.loads(BROKEN)["data"] | {"queue_s": "<number>"}
    assert (found.actual, "data/queue_s" in found.title) == ("7", True)


def test_names_that_a_client_chose_are_masked_in_the_words_of_a_finding() -> None:
    """Of tags and payloads; in requests and in answers."""
    body = json.dumps({"payload": {"p1n": "4711-4711"}, "tags": {"me@example.org": 7}}).encode()
    one = defined(json.dumps({"data": {"tags": {"you@example.org": 1}}}).encode(), body=body)
    [read] = read_archive(archive(one), "a.har")

    words = "`tags/me@example.org` is 7, not 4711-4711, tags/you@example.org"

    assert recogniser_for(read, {}).mask(words) == "`tags/***` is 7, not ***, tags/***"


# Files


def beside(name: str, content: bytes = BROKEN) -> dict[str, Any]:
    """Return an entry whose answer lies in a file, as Playwright writes it."""
    one = answered(work(), content)
    del one["response"]["content"]["text"]
    return changed(one, "response", "content", "_file", to=name)


def zipped(**files: bytes) -> bytes:
    """Return a zip; `__` stands for a point in the names."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as outer:
        for name, content in files.items():
            outer.writestr(name.replace("__", "."), content)
    return out.getvalue()


FILES = {
    "a.har": archive(answered(work(), BROKEN)),
    "a.har.gz": gzip.compress(archive(answered(work(), BROKEN))),
    "a.zip": zipped(har__har=archive(beside("f1.json")), f1__json=BROKEN),
    "b.zip": zipped(**{"traces/net__har": archive(beside("body.bin")), "traces/body__bin": BROKEN}),
    "c.har": archive(beside("f1.json")),
    "d.har": archive(beside("resources/f1.json")),
}


@pytest.mark.parametrize("name", FILES)
def test_an_archive_is_read_with_the_bodies_beside_it(name: str, tmp_path: Path) -> None:
    """Compressed or not; a body is found in the zip, or in the folder of the archive."""
    (tmp_path / name).write_bytes(FILES[name])
    if name[0] in "cd":
        (tmp_path / "resources").mkdir()
        (tmp_path / ("f1.json" if name[0] == "c" else "resources/f1.json")).write_bytes(BROKEN)

    judge = ran("judge", tmp_path / name)

    assert judge.code == 1, judge.errors
    assert "`data/queue_s` of a 200 breaks its schema" in judge.out


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (gzip.compress(archive(work()))[:-9], "it is cut, or its compression is broken"),
        (b"\x1f\x8b" + b"x" * 50, "its gzip is broken"),
        (b"PK\x03\x04" + b"x" * 50, "its zip is broken"),
        (zipped(a__txt=b""), "has no file that ends in .har"),
        (zipped(a__har=b"[]"), "a.zip/a.har is not an HTTP Archive: the text is an array"),
        *(
            (archive(beside(name)), "expected the name of a file beside the archive")
            for name in (
                "/etc/passwd",
                "../x",
                "a/../../x",
                "..",
                "C:\\x",
                "a\0b",
                "~/x",
                "",
                "a//b",
                "file:///x",
            )
        ),
        (
            zipped(a__har=archive(beside("../f1")), f1=BROKEN),
            "expected the name of a file beside the archive",
        ),
        (archive(beside("link")), "leads out of its folder"),
    ],
)
def test_an_archive_that_is_broken_or_leads_elsewhere_is_refused(
    data: bytes, why: str, tmp_path: Path
) -> None:
    """In one line; nothing outside of its folder is read."""
    (tmp_path / "secret").write_bytes(BROKEN)
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "a.zip").write_bytes(data)

    judge = ran("judge", folder / "a.zip")

    assert (judge.code, len(judge.errors.splitlines())) == (2, 1)
    assert why in judge.errors


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(bytes(2 << 20)),
        zipped(a__har=bytes(2 << 20)),
        zipped(a__har=archive(beside("f1"), beside("f2")), f1=bytes(600 << 10), f2=bytes(600 << 10)),
    ],
)
def test_a_compressed_archive_is_read_within_a_bound(data: bytes, tmp_path: Path) -> None:
    """What it says of its size is not believed: reading ends at the bound, which all of its files share."""
    (tmp_path / "a").write_bytes(data)

    with pytest.raises(Usage, match="is larger than 1 MiB"):
        entries_of(tmp_path / "a", largest=1)


def test_a_body_that_is_not_there_is_lost(tmp_path: Path) -> None:
    """And an archive without any answer proves nothing."""
    (tmp_path / "a.har").write_bytes(archive(*[beside("gone.json", TAKEN)] * 3))

    judge = ran("judge", tmp_path / "a.har")

    assert judge.code == 3
    assert (
        "Nothing was judged: the archive has kept the body of no answer, or hidden it, in 3 exchanges"
        in judge.out
    )


def test_a_recording_has_a_baseline_and_a_least_share_of_rules(tmp_path: Path) -> None:
    """As a run has them."""
    (tmp_path / "a.har").write_bytes(archive(answered(work(), BROKEN)))
    (tmp_path / "good.har").write_bytes(archive(work()))
    ran("judge", tmp_path / "a.har", "--report-dir", tmp_path / "out")
    [found] = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))["violations"]
    (tmp_path / "known.yaml").write_text(
        f"schema_version: 2\nfindings:\n- id: {found['id']}\n  finding: it breaks\n  owner: me\n  reason: known\n"
        "  expires: 2999-01-01\n",
        "utf-8",
    )

    assert ran("judge", tmp_path / "a.har").code == 1
    assert ran("judge", tmp_path / "a.har", "--baseline", tmp_path / "known.yaml").code == 0
    few = ran("judge", tmp_path / "good.har", "--min-verified", "60")
    assert few.code == 3
    assert "Too little was verified" in few.out


# Length


def rotating(count: int) -> list[dict[str, Any]]:
    """Return entries with one systematic defect, each with new cookies and a new token."""
    found = []
    for _ in range(count):
        one = answered(work(), BROKEN)
        one["request"]["headers"] += pairs(
            [("cookie", f"sid={secrets.token_hex(16)}"), ("x-jwt", secrets.token_hex(80))]
        )
        one["response"]["headers"] += pairs([("set-cookie", f"sid={secrets.token_hex(16)}; Path=/")])
        found.append(one)
    return found


def operations(count: int) -> int:
    """Count the calls of functions that judging so many entries takes."""
    data, calls = archive(*rotating(count)), Counter[str]()

    def note(_frame: object, event: str, _argument: object) -> None:
        calls[event] += 1

    sys.setprofile(note)
    try:
        run = judged(data)
    finally:
        sys.setprofile(None)
    assert titles_by_rule(run)["PAGE-5"].endswith(f"and {count - 1} more)")
    return calls["call"] + calls["c_call"]


def test_the_work_grows_with_the_number_of_entries_and_not_faster() -> None:
    """Secrets of one entry are not looked for in all others."""
    few, many = operations(40), operations(80)

    assert many / few < 2.2


def test_progress_is_a_moving_line_on_a_terminal_and_nothing_elsewhere() -> None:
    """It says how far the judge has come."""
    told: list[tuple[int, int]] = []
    entries = read_archive(archive(*[work()] * 250), "a.har")
    RecordingJudge(DOCUMENT).judge([entries], lambda judged, count: told.append((judged, count)))
    out, plain = io.StringIO(), io.StringIO()
    for file, is_terminal in ((out, True), (plain, False)):
        terminal = Terminal(Console(file=file, force_terminal=is_terminal, width=80), {})
        terminal.show_work("judged 100 of 250 exchanges")
        terminal.show_work("judged 200 of 250 exchanges")
        terminal.close()

    assert told == [(100, 250), (200, 250)]
    assert "of 250 exchanges" in out.getvalue()
    assert plain.getvalue() == ""
