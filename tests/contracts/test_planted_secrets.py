"""Secrets that an answer or a recording shows in whatever encoding are in no output, and what broke can still be read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from contracts import RunFinished
from contracts.core.target import ConnectionOptions, Credential, ExtraHeader
from tests.clocks import VirtualClock
from tests.contracts.archives import TAKEN, answered, archive, changed, judged, pairs, work
from tests.contracts.changed import answer_of, with_length
from tests.contracts.commands import ports_to, ran
from tests.contracts.encodings import ENCODINGS, shows
from tests.contracts.outputs import outputs
from tests.contracts.runs import KEYS, URL, judged_in_process, target
from tests.mutants import ConformingServer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

SECRET = "ak_live/4eC3+9HqLyjWDarjtT1zdp7dc"
"""A secret with what URLs, HTML, shells and Base64 treat in their own ways."""


class Echoing:
    """A server that says 7 where a text belongs, and tells what a secret of the request is, encoded."""

    def __init__(self, app: WSGIApplication, encoding: str) -> None:
        self.app = app
        self.encoding = encoding

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer as the application does, but for that."""
        status, head, body = answer_of(self.app, environ)
        if body.startswith(b"{") and environ["PATH_INFO"].startswith("/v1/ingress/"):
            value = json.loads(body)
            told = ENCODINGS[self.encoding](environ.get("HTTP_X_GATE", ""))
            value["echo"] = f"no such gate: {told}!"
            if isinstance(value.get("data"), dict) and "queue_s" in value["data"]:
                value["data"]["queue_s"] = 7
            body = json.dumps(value, ensure_ascii=self.encoding.startswith("J")).encode()
        start_response(status, with_length(head, body))
        return [body]


def assert_masked(run: RunFinished, directory: Path, secret: str, rule: str, *facts: str) -> dict[str, str]:
    """Assert that no output shows a secret, and that each shows the rule, the place and the value that differs."""
    found = outputs(run, directory)
    for name, text in found.items():
        assert not shows(text, secret), name
    generated = any(name.startswith("test_") for name in found)
    for name, text in found.items():
        if name.startswith(("interpretations", "test_")) or name in ("curl", "report.html"):
            continue
        plain = text.replace("\\_", "_").replace("\\`", "`").replace('\\"', '"')
        assert rule in text, name
        if name in ("comparison", "job summary", "annotations"):  # which have the sentence alone
            assert facts[0] in plain, name
        else:
            assert all(fact in plain for fact in facts), name
    assert generated == bool(run.run_id)
    return found


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_a_live_answer_echoes_is_in_no_output(encoding: str, tmp_path: Path) -> None:
    """The value of an extra header: a secret as a key is."""
    gate = ConnectionOptions((ExtraHeader("x-gate", SECRET, "GATE"),))
    run = judged_in_process(
        lambda clock: Echoing(ConformingServer(clock=clock), encoding),
        "PAGE-5",
        target=replace(target(URL), connection=gate),
    )

    found = assert_masked(run, tmp_path, SECRET, "PAGE-5", "data/queue_s", "7")

    assert "$GATE" in found["report.json"]
    assert "7" in report_of(found)["violations"][0]["actual"]


@pytest.mark.parametrize(
    "encoding", ["in a URL, twice", "Base64 of a user and it", "HTML in digits", "a hex dump"]
)
def test_a_replay_shows_no_secret(encoding: str, tmp_path: Path) -> None:
    """Neither when the answer shows it again, nor in its words."""

    def make(clock: VirtualClock) -> WSGIApplication:
        return Echoing(ConformingServer(clock=clock), encoding)

    flags = (*("--api-key", KEYS[0].key, "--org", "1", "--base-url", URL), "--header", "x-gate=env:GATE")
    check = ran(
        *("check", *flags, "--only", "PAGE-5", "--report-dir", tmp_path, "--seed", "7"),
        ports=ports_to(make),
        GATE=SECRET,
    )
    [found] = json.loads((tmp_path / "report.json").read_text("utf-8"))["violations"]
    again = ran("replay", found["id"], "--report", tmp_path, *flags, ports=ports_to(make), GATE=SECRET)

    assert (check.code, again.code) == (1, 1)
    assert "data/queue_s" in again.out
    assert not shows(check.out + check.errors + again.out + again.errors, SECRET)


def report_of(found: dict[str, str]) -> dict[str, Any]:
    """Return the data of a report."""
    data = json.loads(found["report.json"])
    assert isinstance(data, dict)
    return data


BROKEN = TAKEN.replace(b'"queued"', b"7")
PLACES = (
    "a header",
    "the query",
    "the body of the request",
    "the body of the answer",
    "a header of the answer",
)


def planted(place: str, text: str) -> dict[str, Any]:
    """Return an entry whose answer breaks a rule, with a text in a place that no rule looks at."""
    flat = text.replace("\n", " ").replace("\r", "").replace("\0", "")
    one = answered(work(), BROKEN)
    match place:
        case "a header":
            one["request"]["headers"] += pairs([("cf-access-jwt-assertion", flat)])
        case "the query":
            one["request"]["url"] += f"?sig={flat}&X-Amz-Signature={flat}"
        case "the body of the request":
            body = json.dumps({"payload": {"user": "me", "password": text}, "tags": {"token": text}})
            one["request"]["postData"]["text"] = body
            one["request"]["bodySize"] = len(body.encode())
            headers = [each for each in one["request"]["headers"] if each["name"] != "content-length"]
            one = changed(one, "request", "headers", to=headers)
        case "the body of the answer":
            value = json.loads(BROKEN) | {"hint": f"for {text}", text[:40]: text}
            one = answered(one, json.dumps(value).encode())
        case _:
            one["response"]["headers"] += pairs([("x-amzn-oidc-data", flat), ("set-cookie", f"a={flat}")])
    return one


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_a_recording_holds_is_in_no_output(place: str, encoding: str, tmp_path: Path) -> None:
    """The judge knows neither the secret nor the name under which it stands."""
    text = ENCODINGS[encoding](SECRET)
    other = planted(place, text)

    run = judged(archive(work(), other))

    assert run.exit_code == 1
    assert_masked(run, tmp_path, SECRET, "PAGE-5", "data/queue_s", "7")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_key_that_a_recorded_answer_echoes_is_in_no_output(encoding: str, tmp_path: Path) -> None:
    """It is found, and named by its variable; also where the value that differs holds it."""
    told = json.dumps(f"no {ENCODINGS[encoding](SECRET)} here")
    leak = answered(work(key=SECRET), TAKEN.replace(b'"30"', told.encode()))

    run = judged(archive(work(key=SECRET), leak), Credential(SECRET, "1", "ARKLOW_API_KEY"))

    found = assert_masked(run, tmp_path, SECRET, "PAGE-5", "data/a_id")
    assert {one.rule for one in (*run.violations, *run.warnings)} == {"PAGE-5", "SAFE-1"}
    assert "$ARKLOW_API_KEY" in found["screen"]
