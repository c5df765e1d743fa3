"""The command line `judge`: exit codes, messages, no secret, and no archive that makes it fail."""

from __future__ import annotations

import copy
import json
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
from tests.contracts.archives import answered, archive, judged, pairs, work
from tests.contracts.sockets import contacted


def test_exit_codes_and_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit codes and reports are those of `check`; nothing is contacted."""
    (tmp_path / "good.har").write_bytes(archive(work()))
    (tmp_path / "bad.har").write_bytes(archive(answered(work(), b"{}")))
    (tmp_path / "none.har").write_bytes(archive())
    good, bad, none = (str(tmp_path / f"{name}.har") for name in ("good", "bad", "none"))

    with contacted() as hosts:
        assert main(["judge", good]) == 0
        assert main(["judge", good, bad, "--report-dir", str(tmp_path / "out"), "--verbose"]) == 1
        assert main(["judge", none]) == 3
    assert hosts == []
    out = capsys.readouterr().out
    assert f"(entry 1 of {bad}, 2026-" in out or f"(entry 1 of {bad}, 1970-" in out
    assert "INCONCLUSIVE  No exchange with an operation" in out
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


def test_no_secret_of_the_archive_is_in_the_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Keys, cookies and passwords of requests and answers are replaced, whole or in part, even where an answer repeats them."""
    values = (
        "s3cret-key-of-no-target",
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


# Odd archives

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
    assert "\n".join(line.plain for line in summary_lines(run, verbose=True))


def test_reports_of_a_spoilt_archive_can_be_written(tmp_path: Path) -> None:
    """Characters that XML or UTF-8 do not have make no report fail."""
    odd = answered(work(), b'{"data": "\\u0000 \\uffff <b>"}')
    odd["request"]["url"] += "?x=\ud800\x00"
    run = judged(archive(odd))
    for report in (html, junit):
        report.write(run, tmp_path)

    assert run.exit_code == 1
    assert len(list(tmp_path.iterdir())) == 2
