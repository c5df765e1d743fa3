"""Pages that changed: the mock serves them and the judge judges by them, without new code."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from arklow_local.openapi import document_text, pages
from contracts import Credential, Plan, Run, RunFinished, Target
from contracts.openapi.document import Unreadable, load
from contracts.transport.throttle import Limits
from mock_server.api.document import BadDocument, Document
from tests import vendor
from tests.clocks import VirtualClock
from tests.contracts.asgi import KEYS, LATENCY, URL, judged_on, ports_to
from tests.contracts.commands import ran
from tests.contracts.runs import judged_in_process
from tests.mutants import ConformingServer
from tests.running_mock import Mock, mock, mock_here, ran_here
from tests.serving import serving
from tests.still_mock import StillMock

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

INGRESS, MODACK, PUT = (
    "POST /v1/ingress/{variant}",
    "POST /v1/modack",
    "PUT /v1/orgs/{org_id}/actions/definitions",
)
YESTERDAYS = Credential("good-key-one", "1", "A"), Credential("good-key-two", "2", "B")
REQUESTS = 1_500
"""Requests of a run over sockets, which bound it, and not time: so it is the same on a busy machine."""

FINDINGS = {
    "an operation is added": set(),
    "an operation of the guides is added": set(),
    "an operation of the control plane is added": set(),
    "a value is added to an enum": set(),
    "a member of a request is made required": {("PAGE-9", INGRESS)},
    "a member of an answer is made required": {("PAGE-5", INGRESS)},
    "an operation is removed": set(),
    "an overlay of the user's own asks for a member": {("PAGE-5", MODACK)},
}
"""What happened to the pages → findings on yesterday's server, which conforms to today's pages; the mock has none."""

PAGES = {
    **vendor.CHANGES,
    "an operation of the guides is added": vendor.ack_added,
    "an operation of the control plane is added": vendor.lanes_added,
    "an overlay of the user's own asks for a member": vendor.overlay_added,
}
LANES = "POST /v1/orgs/{org_id}/lanes/{lane}"
ADDED = {
    "an operation is added": "POST /v1/peek",
    "an operation of the guides is added": "POST /v1/ack",
    "an operation of the control plane is added": LANES,
}


def findings(run: RunFinished) -> set[tuple[str, str]]:
    return {(finding.rule, finding.operation) for finding in (*run.violations, *run.warnings)}


def assert_judged(change: str, directory: Path, yesterday: RunFinished, today: RunFinished) -> None:
    """Assert that both runs are conclusive, find what they should, and reached every operation of the new pages."""
    assert (findings(yesterday), yesterday.inconclusive) == (FINDINGS[change], None)
    assert (findings(today), today.inconclusive) == (set(), None)
    assert today.served.keys() == load(directory).operations.keys()
    assert {label for label, times in today.served.items() if not times} <= {LANES}  # which answers 201
    assert today.not_offered == ()
    assert {run.cross_check.differences for run in (yesterday, today)} == {()}
    if change in ADDED:
        assert yesterday.not_offered.count(ADDED[change]) == 1
    if change == "an operation is removed":
        for run in (yesterday, today):
            assert run.not_verified["LEASE-3"] == "the document has no POST /v1/modack"


@pytest.mark.parametrize("change", FINDINGS)
def test_yesterdays_server_breaks_the_new_pages_and_the_mock_does_not(change: str, tmp_path: Path) -> None:
    """Both runs are conclusive, and every operation of the new pages is verified; those that no sequence is for come last."""
    directory = PAGES[change](tmp_path / "pages")
    plan: dict[str, Any] = {"document": directory, "seed": 1, "max_time": 90 if change in ADDED else 60}
    yesterday = judged_in_process(lambda clock: ConformingServer(clock=clock), latency=LATENCY, **plan)
    with StillMock(document=directory) as still:
        today = judged_on(still, **plan)

    assert_judged(change, directory, yesterday, today)


@pytest.mark.slow
@pytest.mark.parametrize("change", ["an operation is added", "an operation is removed"])
def test_both_are_judged_so_over_sockets(change: str, tmp_path: Path) -> None:
    """The mock as a process, which is given the directory on its command line."""
    directory = PAGES[change](tmp_path / "pages")

    def judged(url: str, first: Credential, second: Credential) -> RunFinished:
        limits, target = Limits(requests=REQUESTS), Target(url, url, first, second)
        plan = Plan(target, document=directory, seed=1, max_time=600, limits=limits, steady=True)
        return Run(plan).judge()

    with serving(ConformingServer()) as url:
        yesterday = judged(url, *YESTERDAYS)
    with mock("--spec-dir", str(directory), "--no-admin") as running:
        today = judged(f"http://127.0.0.1:{running.port}", *KEYS)

    assert_judged(change, directory, yesterday, today)


def test_what_a_new_page_forbids_is_found(tmp_path: Path) -> None:
    """Its schemas, its requests and its keys, of an operation for which no code was written."""

    def careless(clock: VirtualClock) -> WSGIApplication:
        strict = ConformingServer(clock=clock)

        def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            if environ["PATH_INFO"] != "/v1/peek":
                return strict(environ, start_response)
            body = b'{"data": {"status": "unsure"}}'
            start_response(
                "200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
            )
            return [body]

        return answer

    document = vendor.operation_added(tmp_path / "pages")
    run = judged_in_process(careless, "AUTH-4", "PAGE-5", "PAGE-9", document=document, max_time=25.0)

    assert findings(run) == {
        ("AUTH-4", "POST /v1/peek"),
        ("PAGE-5", "POST /v1/peek"),
        ("PAGE-9", "POST /v1/peek"),
    }


def accepted(running: Mock) -> str:
    running.put("v")
    return str(running.accept("v", region="eu").json["data"]["a_id"])


def test_a_fourth_page_is_a_marked_stub(tmp_path: Path) -> None:
    """It is checked like any other operation."""
    with StillMock(document=vendor.operation_added(tmp_path / "pages")) as running:
        good = running.call("POST", "/v1/peek", {"action_record_id": "1"})
        bad = running.call("POST", "/v1/peek", {"action_record_id": "x"})

    assert (good.status, good.json, good.headers["x-arklow-mock-stub"]) == (
        200,
        {"data": {"status": "queued"}},
        "1",
    )
    assert (bad.status, bad.error["code"]) == (400, "INVALID_BODY")
    assert any("/v1/peek" in line and "stub" in line for line in running.lines)


def test_a_required_member_of_a_request_is_checked_and_one_of_an_answer_is_made_up_and_marked(
    tmp_path: Path,
) -> None:
    """The rest of the answer is the handler's."""
    with StillMock(document=vendor.request_member_required(tmp_path / "asked")) as running:
        running.put("v")
        assert running.accept("v").error["message"].startswith("body: expected a member 'region'")
        assert running.accept("v", region="eu").status == 200
    with StillMock(document=vendor.answer_member_required(tmp_path / "promised")) as running:
        running.put("v")
        answer = running.accept("v")

    assert answer.headers["x-arklow-mock-stub"] == "data/region"
    assert answer.json["data"].keys() == {"a_id", "a_def_id", "queue_s", "a_va", "a_ve", "region"}
    assert answer.json["data"]["a_va"] == "v"
    assert answer.json["data"]["region"] == "eu"


def test_a_removed_operation_is_not_served_and_the_others_are(tmp_path: Path) -> None:
    """One line at the start says which part of our overlays was left out."""
    with StillMock(document=vendor.operation_removed(tmp_path / "pages")) as running:
        action = accepted(running)
        gone = running.modack(action)
        acked = running.call("POST", "/v1/ack", {"action_record_id": action, "attempt": 0})

    assert (gone.status, gone.error["code"], acked.status) == (404, "NOT_FOUND", 200)
    assert "  handler without an operation: modAckIngressAction" in running.lines
    [line] = [line for line in running.lines if "left out of our overlays" in line]
    assert "leads to modAckIngressAction" in line


def test_an_overlay_of_the_user_is_applied_over_the_pages_and_our_overlays(tmp_path: Path) -> None:
    """A status that no handler knows is the status of no action."""
    directory = vendor.overlay_added(tmp_path / "pages")
    (directory / "overlays" / "more.overlay.yaml").write_text(
        "overlay: 1.0.0\ninfo: {title: t, version: '1'}\nactions:\n"
        "- target: $.paths['/v1/orgs/{org_id}/actions/records'].get.parameters[?(@.name=='status')].schema.items.enum\n"
        "  update: paused\n"
    )
    with StillMock(document=directory) as running:
        answer = running.modack(accepted(running))
        listed = [
            running.call("GET", f"/v1/orgs/42/actions/records?status={status}").json["data"]
            for status in ("paused", "ack_wait")
        ]

    assert (answer.json, answer.headers["x-arklow-mock-stub"]) == (
        {"data": {"status": "ok", "until": "later"}},
        "data/until",
    )
    assert [one["count"] for one in listed] == [0, 1]
    assert running.lines[0].startswith(
        "arklow-mock serves pages/ + more.overlay.yaml + staging.overlay.yaml  sha256-"
    )
    assert load(directory).name == "pages/ + more.overlay.yaml + staging.overlay.yaml"


def test_the_digest_stands_at_the_start_in_every_answer_and_in_every_report(tmp_path: Path) -> None:
    """The mock's is that of the overlaid document, the judge's that of the document it judges by; refusals have it too."""
    directory = vendor.value_added(tmp_path / "pages")
    served = f"sha256-{Document(directory).digest[:12]}"
    judged_by = load(directory).digest
    with mock_here("--spec-dir", str(directory), "--no-admin") as running:
        answers = [
            running.put(),
            running.call("GET", "/nowhere"),
            running.call("OPTIONS", "/v1/modack"),
            running.call("GET", "/openapi.json"),
            running.raw(b"no HTTP\r\n\r\n"),
        ]
    out = tmp_path / "out"
    with StillMock(document=directory) as still:
        flags = (*("--api-key", "org-42", "--org", "42", "--only", "JSON-5"), "--report-dir", out)
        judged = ran(
            *("check", "--spec-dir", directory, "--base-url", URL, *flags),
            ports=ports_to(still),
            GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"),
        )

    assert running.lines[0] == f"arklow-mock serves pages/  {served}"
    assert [answer.headers.get("x-arklow-mock-document") for answer in answers] == [served] * 5
    assert judged.code == 0, judged.errors
    assert judged_by[:12] in judged.out
    for report in ("report.json", "report.html", "junit.xml", "report.sarif", "../summary.md"):
        assert judged_by[:12] in (out / report).read_text("utf-8"), report


def test_without_the_flag_the_built_in_documents_are_served_and_judged_by() -> None:
    """Their digests are those of the files; today's pages are the same document."""
    listed = (vendor.UPSTREAM.parent / "SHA256SUMS").read_text().split()
    with mock_here("--no-admin") as running:
        served = running.put().headers["x-arklow-mock-document"]

    assert served == f"sha256-{listed[2][:12]}"
    published = vendor.UPSTREAM.parent / "arklow.openapi.yaml"
    assert load(published).digest == listed[0]
    assert load(published).content == load(vendor.UPSTREAM).content
    assert json.loads(Document(vendor.UPSTREAM).json) == json.loads(
        Document(vendor.UPSTREAM.parent / "arklow.overlaid.openapi.yaml").json
    )


def write(name: str, text: str | bytes) -> Callable[[Path], object]:
    """Give a function that makes a directory of today's pages and this file."""

    def make(directory: Path) -> None:
        file = vendor.pages(directory) / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())

    return make


def alone(name: str, text: str) -> Callable[[Path], object]:
    """Give a function that makes a directory of this file alone."""

    def make(directory: Path) -> None:
        directory.mkdir()
        (directory / name).write_text(text)

    return make


def fenced(text: str) -> str:
    return f"# A page\n\n```yaml\n{text}\n```\n"


OVERLAY = "overlays/a.overlay.yaml"
ERRORS: list[tuple[Callable[[Path], object], str]] = [
    (lambda directory: vendor.edited(directory, vendor.MODACK, "$ref: '#/components/schemas/IngressApiError'", "type: object"),
     r"#/components/schemas/IngressErrorResponse/properties/errors/items differs between 000_\w+\.txt line 136 and 001_\w+\.txt line 123: expected pages that say the same of it"),
    (write("003.txt", fenced("openapi: 3.1.0\npaths:\n  /v1/modack:\n    post:\n      responses: {}")),
     r"#/paths/~1v1~1modack/post differs between 001_\w+\.txt line 44 and 003\.txt line 7: expected"),
    (write("003.txt", "no block"), r"003\.txt: expected one fenced yaml or json block, found 0"),
    (write("003.md", fenced("a: 1") + fenced("b: 2")), r"003\.md: expected one fenced yaml or json block, found 2"),
    (write("003.txt", fenced("openapi: 3.1.0\n  paths: [")), r"003\.txt line 5: expected YAML or JSON: "),
    (write("003.txt", fenced("a: &a [*a]")), r"003\.txt line 4, a/0: expected an anchor that stands before and is complete, got \*a"),
    (write("003.txt", fenced("openapi: 3.1.0\na: !!binary aaaa")), r"003\.txt line 5, a: expected what JSON can hold, got the tag tag:yaml\.org,2002:binary"),
    (write("003.txt", fenced('openapi: 3.1.0\na: "\\ud800"')), r"003\.txt line 5: expected YAML or JSON: "),
    (write("003.txt", b"\xff"), r"003\.txt: expected UTF-8, got another byte at 0"),
    (write("003.txt", fenced("openapi: 3.0.3")), r"003\.txt: expected an OpenAPI 3\.1 document, got openapi: 3\.0\.3"),
    (write("003.txt", fenced("- 1")), r"003\.txt: expected an OpenAPI 3\.1 document, got no member 'openapi'"),
    (write("003.txt", fenced("openapi: 3.1.0\npaths: []")), r"003\.txt: expected paths to be an object, got list"),
    (write("003.txt", fenced("openapi: 3.1.0\ncomponents: {schemas: {A: {$ref: '#/components/schemas/B'}}}")),
     r"pages/: expected #/components/schemas/B to be there, as something refers to it; no page has it"),
    (write("003.txt", fenced("openapi: 3.1.0\ncomponents: {schemas: {A: {$ref: 'http://127.0.0.1:9/B'}}}")),
     r"pages/: expected references within the document alone, got http://127\.0\.0\.1:9/B"),
    (write("openapi.yaml", "openapi: 3.1.0"), r"pages: expected either pages or one whole document, got openapi\.yaml, 000_"),
    (alone("README.rst", ""), r"pages: expected pages \(\*\.txt, \*\.md\), or one whole document \(openapi\.yaml, openapi\.yml, openapi\.json\), got neither"),
    (alone("openapi.json", "{"), r"openapi\.json line \d: expected YAML or JSON: "),
    (write(OVERLAY, "openapi: 3.1.0"), r"a\.overlay\.yaml: expected an OpenAPI Overlay 1\.0 \(members overlay, info and actions\)"),
    (write(OVERLAY, "overlay: 1.0.0"), r"a\.overlay\.yaml: expected a list of actions that is not empty"),
    (write(OVERLAY, "overlay: 1.0.0\nactions: [{target: $.paths}]"), r"a\.overlay\.yaml: expected action 1 to have a target, and an update or remove: true"),
    (write(OVERLAY, "overlay: 1.0.0\nactions: [{target: '$.[', update: {}}]"), r"a\.overlay\.yaml: expected a JSONPath as target, got '\$\.\['"),
    (write(OVERLAY, "overlay: 1.0.0\nactions: [{target: $, remove: true}]"), r"a\.overlay\.yaml: expected a target within the document to remove, got \$"),
    (write(OVERLAY, "overlay: 1.0.0\nactions: [{target: $.nothing, update: {}}]"), r"a\.overlay\.yaml: target \$\.nothing matches nothing: expected one that the pages have"),
    (write("overlays/a.yaml", ""), r"a\.yaml: expected overlays to be called \*\.overlay\.yaml"),
    (write("overlays", b""), r"overlays: Not a directory: expected a directory of overlays"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "said"), ERRORS, ids=[said[:40] for _, said in ERRORS])
def test_an_error_says_what_is_wrong_where_and_what_would_pass(
    make: Callable[[Path], object], said: str, tmp_path: Path
) -> None:
    """Both programs, in one line and in the same words."""
    make(tmp_path / "pages")

    with pytest.raises(BadDocument, match=said) as served:
        Document(tmp_path / "pages")
    with pytest.raises(Unreadable, match=said) as judged:
        load(tmp_path / "pages")
    assert str(served.value) == str(judged.value)
    assert "\n" not in str(served.value)


CHECK = ("check", "--base-url", "http://h", "--api-key", "k", "--org", "1")
FREE = ("--port", "0", "--ingress-port", "0", "--no-admin")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--spec-dir", "bad"), "003.txt: expected one fenced yaml or json block, found 0"),
        (("--spec-dir", "empty"), "empty: expected pages (*.txt, *.md), or one whole document"),
        (("--spec-dir", "none"), "--document takes a file"),
        (("--spec-dir", "bad/003.txt"), "--document takes a file"),
        (
            ("--document", "bad"),
            "bad: Is a directory: expected a file; --spec-dir takes a directory of pages",
        ),
        (("--document", "bad/003.txt", "--spec-dir", "bad"), "not allowed with argument --document"),
    ],
)
def test_both_programs_exit_with_2(
    flags: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a traceback."""
    write("003.txt", "no block")(tmp_path / "bad")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)

    mocked = ran_here("serve", *FREE, *flags)
    judged = ran(*CHECK, *flags)

    for code, output, errors in (
        (mocked.returncode, mocked.stdout, mocked.stderr),
        (judged.code, judged.out, judged.errors),
    ):
        assert (code, output) == (2, "")
        assert said in errors.splitlines()[-1]
        assert "Traceback" not in errors


def test_one_whole_document_is_a_directory_of_pages_too(tmp_path: Path) -> None:
    """In YAML or JSON, and with overlays."""
    joined = pages.read(vendor.UPSTREAM).joined
    for name, text in (("openapi.yml", document_text.to_yaml(joined)), ("openapi.json", json.dumps(joined))):
        directory = tmp_path / name.partition(".")[2]
        directory.mkdir()
        (directory / name).write_text(text)
        (directory / "overlays").mkdir()
        (directory / "overlays" / "staging.overlay.yaml").write_text(vendor.OVERLAY)
        content = load(directory).content
        assert content["components"]["schemas"]["IngressSignalResponse"]["properties"]["data"][
            "required"
        ] == ["status", "until"]
