"""Texts of a target, a recording or a report of others have no effect on what displays them, in any output."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arklow_local.formats.excerpts import excerpt, inert, inert_json, inert_lines, one_line
from contracts import RunFinished
from contracts.core.baseline import BaselineEntry
from contracts.core.events import CrossChecked
from contracts.core.exchange import Exchange
from contracts.phases.requests import MODACK
from tests.contracts.archives import TAKEN, answered, archive, changed, judged, pairs, work
from tests.contracts.changed import answer_of, with_length
from tests.contracts.commands import ports_to, ran
from tests.contracts.outputs import outputs
from tests.contracts.runs import KEYS, URL, judged_in_process
from tests.contracts.test_reports import finding, finished
from tests.mutants import ConformingServer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOSTILE: Final = (
    "::error file=a::b",
    "\n::stop-commands::x",
    "\r\n ::set-output name=a::b",
    "##[error]x",
    "##vso[task.complete result=Succeeded]",
    "##teamcity[buildStatus status='SUCCESS']",
    "\x1b[2J\x1b]0;title\x07",
    "section_start:1:a\r\x1b[0K",
    "\x85\x9b31m\x7f\x00\x08",
    "\u202eevil\u2066\u200b\ufeff",
    "a\u2028::error::b\u2029",
    "[red]x[/red][link=http://evil]y[/]",
    "</pre><script>alert(1)</script>",
    "]]><x/>",
    "| a | `b` <img src=x> |\n# c",
    "\n- item\n\n## heading\n",
    "\udcff\ud800",
    "'; touch /tmp/owned; echo '",
    '"""\nraise SystemExit(9)\n"""',
)
"""What terminals, build servers, markup and shells would carry out."""
WRITABLE: Final = tuple(text for text in HOSTILE if not re.search("[\ud800-\udfff]", text))
"""Those that UTF-8 can hold."""
_COMMAND = re.compile(r"##\w*\[")


def assert_inert(text: str, where: str, commands: int = 0) -> None:
    """Assert that a text has no control character but the ends of its lines, and no command but `commands` of ours."""
    found = 0
    for line in text.split("\n"):
        assert line.lstrip("\t").isprintable(), (where, line)
        assert _COMMAND.search(line) is None, (where, line)
        found += line.lstrip().startswith("::")
    assert found == commands, where


@given(st.text() | st.sampled_from(HOSTILE))
def test_an_inert_text_is_printable_and_no_command(text: str) -> None:
    """What is printable already is left as it is; twice is as once."""
    for shown in (inert(text), one_line(text, 10_000), f"got {excerpt(text, 10_000)}"):
        assert_inert(shown, "inert")
        assert "\n" not in shown
        assert inert(shown) == shown
    assert_inert(inert_lines(text), "lines")
    if text.isprintable() and "##" not in text and not text.lstrip().startswith("::"):
        assert inert(text) == text


@given(st.recursive(st.text() | st.sampled_from(HOSTILE), lambda inner: st.lists(inner), max_leaves=5))
def test_inert_json_has_the_same_value(value: Any) -> None:
    """Escapes of JSON stand for what must not be displayed."""
    written = inert_json(json.dumps(value, indent=2, ensure_ascii=False))

    assert json.loads(written) == value
    assert_inert(written, "JSON")


def hostile_run(text: str) -> RunFinished:
    """Return a run in which a text stands wherever a target, a document or a baseline can put it."""
    sent = (("x-arklow-auth", "k"), ("content-type", text), (f"x{text}", text))
    got = (("content-type", text), ("x-request-id", text), (text, text))
    shown = Exchange(
        *("POST", f"http://target/v1/modack{text}?{text}", sent, text.encode("utf-8", "replace"), 500, got),
        text.encode("utf-8", "replace"),
        operation=MODACK,
        trace=text,
    )
    place = text.encode("utf-8", "replace").decode()  # the place in a text that was parsed
    one = finding("PAGE-5", exchanges=(shown,), place=place)
    one = replace(one, title=f"{text} is wrong", expected=text, actual=text)
    baseline = BaselineEntry(one.id, text, text, text, date(2100, 1, 1), "expired")
    return finished(
        violations=(one,),
        warnings=(replace(one, rule="AUTH-8"),),
        interpretations={"alias": text},
        not_verified={"LEASE-8": text},
        interference={text: 2},
        cross_check=CrossChecked(5, 10, (text,)),
        document=f"a{text}.yaml",
        inconclusive=text,
        baseline=(baseline,),
    )


LEFT_TO_ITS_OWN_TESTS = {"curl"}
"""Lines for a shell, which hold the bytes of a request; what displays them escapes them."""


@pytest.mark.parametrize("text", HOSTILE)
def test_no_output_has_an_effect(text: str, tmp_path: Path) -> None:
    """Neither on terminals nor on build servers, nor as markup."""
    found = outputs(hostile_run(text), tmp_path)

    for name, output in found.items():
        if name in LEFT_TO_ITS_OWN_TESTS or name.endswith("read"):
            continue
        ours = sum(line.startswith(("::error ", "::warning ", "::notice ")) for line in output.split("\n"))
        assert_inert(output, name, commands=ours if name == "annotations" else 0)
        if name == "annotations":
            assert ours == 4
    assert "<script>alert" not in found["report.html"]
    assert "<img" not in found["job summary"]
    assert "<img" not in found["comparison"]


@given(text=st.text(max_size=40))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_at_all_has_an_effect(text: str, tmp_path: Path) -> None:
    """Whatever characters it has."""
    found = outputs(hostile_run(text), tmp_path)
    assert "PAGE-5" in found["screen"]
    for name, output in found.items():
        if name not in LEFT_TO_ITS_OWN_TESTS and not name.endswith("read") and name != "annotations":
            assert_inert(output, name)


def test_a_request_id_is_an_id_or_none() -> None:
    """Visible ASCII of bounded length; a folded line with a command is none, and the next header is asked."""

    def named(*values: str) -> str | None:
        headers = tuple(zip(("x-request-id", "x-amzn-trace-id"), values, strict=False))
        return Exchange("GET", "http://t", (), None, 200, headers, b"").request_id

    assert named("8f14-e45f") == "8f14-e45f"
    assert named("Root=1-67891233-abcdef012345678912345678;Sampled=1") is not None
    assert named("a" * 201, "Root=1") == "Root=1"
    for text in (*HOSTILE, "", "é", "a b", "::x", "a\n ::error::b"):
        assert named(text) is None or not text.startswith(("a", ":"))
        assert_inert(named(text) or "", "request id")


class HostileServer:
    """Puts a text into headers and bodies of its answers, and breaks a rule."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer as the application does, but for that."""
        status, head, body = answer_of(self.app, environ)
        if body.startswith(b"{") and environ["PATH_INFO"].startswith("/v1/ingress/"):
            value = json.loads(body)
            if isinstance(value.get("data"), dict):
                value["data"]["queue_s"] = [*WRITABLE]
                value["data"]["a_va"] = {one: one for one in WRITABLE}
            body = json.dumps(value, ensure_ascii=True).encode()
            folded = "::error file=a::b ##[error]c \x1b[31m\x9b\x85"
            head += [("X-Request-Id", folded), ("X-Odd", folded)]
        start_response(status, with_length(head, body))
        return [body]


def test_a_hostile_target_has_no_effect(tmp_path: Path) -> None:
    """Nor when it is replayed, and compared."""

    def make(clock: Any) -> WSGIApplication:
        return HostileServer(ConformingServer(clock=clock))

    run = judged_in_process(make, "PAGE-5")
    assert {one.rule for one in run.violations} == {"PAGE-5"}
    for name, output in outputs(run, tmp_path / "all").items():
        if name != "annotations" and not name.endswith("read"):
            assert_inert(output, name)

    flags = (*("--api-key", KEYS[0].key, "--org", "1", "--base-url", URL), "--seed", "7")
    check = ran(*("check", *flags, "--only", "PAGE-5", "--report-dir", tmp_path), ports=ports_to(make))
    ids = [one["id"] for one in json.loads((tmp_path / "report.json").read_text("utf-8"))["violations"]]
    again = ran("replay", *ids, "--report", tmp_path, *flags[:-2], ports=ports_to(make))
    page = ran("compare", tmp_path, tmp_path)
    assert (check.code, again.code, page.code) == (1, 1, 0)
    for one in (check, again, page):
        assert_inert(one.out, "screen")
        assert_inert(one.errors, "errors")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_recording_has_no_effect(text: str, tmp_path: Path) -> None:
    """In its URLs, headers, bodies and members."""
    broken = answered(work(), TAKEN.replace(b'"queued"', json.dumps([text]).encode()))
    broken["request"]["url"] += f"?{text}={text}"
    broken["request"]["headers"] += pairs([("accept", text), ("traceparent", text), ("x-a", text)])
    broken["response"]["headers"] += pairs([("x-request-id", text), ("allow", text), ("server", text)])
    odd = changed(broken, "request", "url", to=f"http://target{text}/v1/ingress/{text}")
    typed = changed(broken, "response", "content", "mimeType", to=text)
    foreign = changed(broken, "request", "headers", to=pairs([("host", "x")]))
    foreign = changed(foreign, "request", "url", to=f"https://tracker{text[:3]}.example/v1/ingress/e")
    run = judged(archive(broken, odd, typed, foreign))

    assert run.exit_code == (1 if text in WRITABLE else 0)
    for name, output in outputs(run, tmp_path).items():
        if name != "annotations" and not name.endswith("read"):
            assert_inert(output, name)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_report_has_no_effect_when_it_is_compared(text: str, tmp_path: Path) -> None:
    """In names, sentences and dates; an id that is none is refused."""
    outputs(finished(), tmp_path / "a")
    report = json.loads((tmp_path / "a" / "report.json").read_text("utf-8"))
    report |= {"target": text, "inconclusive": text}
    report["violations"][0] |= {"sentence": text}
    report["interpretations"] = {text: text}
    report["document"] = {"name": text, "sha256": text}
    for name in ("b", "c"):
        (tmp_path / name).mkdir()
    (tmp_path / "b" / "report.json").write_text(json.dumps(report), "utf-8")

    page = ran("compare", tmp_path / "a", tmp_path / "b")

    assert page.code == 0
    assert_inert(page.out + page.errors, "compare")
    assert "<script>" not in page.out
    first = report["violations"][0]
    for other in ({"started": text}, {"verdict": text}, {"violations": [first | {"id": text}]}):
        (tmp_path / "c" / "report.json").write_text(json.dumps(report | other), "utf-8")
        refused = ran("compare", tmp_path / "a", tmp_path / "c")
        assert refused.code == 2
        assert_inert(refused.errors, "errors")
