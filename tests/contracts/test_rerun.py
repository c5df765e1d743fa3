"""Findings of a report are played again, against the deployment that the command line names."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts.cli import main
from contracts.core.serialization import exchange_data
from contracts.phases.requests import MODACK
from contracts.reports import json_report
from contracts.reproduction.rerun import EarlierReport
from tests.contracts.runs import KEYS, exchange, judged
from tests.mutants import MUTANTS, Choices, ConformingServer
from tests.serving import serving

OTHERS = {"another-key-of-7": "7", "one-more-key-of-8": "8"}

REPLAYED = ("S01", "S09", "S15", "A03", "A12", "B20", "B27", "R04", "V05", "V24")
"""Mutants whose findings need different things: keys, crashes, bytes, chunks, answers, bodies, sequences, interpretations."""


def replay(directory: Path, url: str, *ids: str, **flags: str) -> int:
    """Run the command, with keys of organisations that the report does not know, and return its exit code."""
    given = {
        "base-url": url,
        "report": str(directory),
        "api-key": "env:MINE",
        "org": "7",
        "second-api-key": "env:YOURS",
        "second-org": "8",
        "times": "2",
        **{name.replace("_", "-"): value for name, value in flags.items()},
    }
    words = [word for name, value in given.items() if value for word in (f"--{name}", value)]
    return main(["replay", *ids, *words])


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, key in zip(("MINE", "YOURS"), OTHERS, strict=True):
        monkeypatch.setenv(name, key)


def reported(directory: Path, fault: str, *only: str) -> list[str]:
    """Judge a mutant, write the report, and return the ids of its findings."""
    with serving(MUTANTS[fault]()) as url:
        run = judged(url, *only)
    json_report.write(run, directory)
    return [one.id for one in (*run.violations, *run.warnings)]


@pytest.mark.parametrize("fault", REPLAYED)
def test_a_finding_shows_again_where_it_is_and_nowhere_else(
    fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 1 on a fresh mutant with other keys and organisations, and 0 on a conforming server; no key is in the output."""
    rule = MUTANTS[fault].caught_by[0]
    [name, *_] = reported(tmp_path, fault, rule)

    with serving(MUTANTS[fault](keys=OTHERS)) as url:
        assert replay(tmp_path, url, name) == 1
    shown = capsys.readouterr()
    with serving(ConformingServer(Choices(), OTHERS)) as url:
        assert replay(tmp_path, url, name) == 0
    gone = capsys.readouterr()

    assert shown.out.startswith(f"{name} shows again: 2 of 2\n")
    assert f"breaks {rule}" in shown.out
    assert "\n  traceparent  00-" in shown.out
    assert gone.out == f"{name} does not show: 0 of 2\n"
    for key in (*OTHERS, *(one.key for one in KEYS)):
        assert key not in f"{shown}{gone}"


def test_a_report_can_be_replayed_with_the_keys_that_made_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a report is replayed on the day after."""
    monkeypatch.setenv("MINE", KEYS[0].key)
    names = reported(tmp_path, "S01", "LEASE-6")
    with serving(MUTANTS["S01"]()) as url:
        assert replay(tmp_path, url, *names, org="1", second_api_key="", second_org="") == 1


@pytest.mark.parametrize(
    ("url", "org", "why"),
    [
        ("http://127.0.0.1:9", "7", "could not be tried: connection refused"),
        ("", "9", "is answered with 403"),
        ("/nowhere", "7", "is answered with 404"),
    ],
)
def test_a_finding_that_could_not_be_tried_proves_nothing(
    url: str, org: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No server answers, the key is refused, or another application answers: 3, with the reason."""
    [name] = reported(tmp_path, "V24", "PAGE-9")
    with serving(MUTANTS["V24"](Choices(html_404=True), OTHERS)) as here:
        code = replay(tmp_path, url if url.startswith("http") else here + url, name, org=org)

    assert code == 3
    assert why in capsys.readouterr().out


def test_a_finding_that_a_replay_cannot_show_is_named_and_nothing_is_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Races, and what only a whole sequence shows: the output points to a run for the rule."""
    [name] = reported(tmp_path, "R04", "PAGE-5")
    file = tmp_path / "report.json"
    report = json.loads(file.read_text("utf-8"))
    for members in ({"together": True}, {"staged": True}, {"rule": "HTTP-7"}):
        [one] = report["violations"]
        spoilt = {**report, "violations": [{**one, **members}]}
        file.write_text(json.dumps(spoilt), "utf-8")

        assert replay(tmp_path, "http://127.0.0.1:9", name) == 3
        assert f"try: check --only {members.get('rule', 'PAGE-5')}" in capsys.readouterr().out


def test_a_finding_of_a_second_key_needs_a_second_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No other organisation is used in its place."""
    shown = replace(
        exchange(MODACK, 200, b'{"data":{"status":"ok"}}', body=b"{}"),
        headers=(("x-arklow-auth", KEYS[1].key),),
    )
    [name] = reported(tmp_path, "S01", "LEASE-6")
    file = tmp_path / "report.json"
    report = json.loads(file.read_text("utf-8"))
    secrets = {one.key: f"${one.name}" for one in KEYS}
    report["violations"][0]["script"] = [exchange_data(shown, secrets, ["http://target"])]
    file.write_text(json.dumps(report), "utf-8")

    assert replay(tmp_path, "http://127.0.0.1:9", name, second_api_key="", second_org="") == 3
    assert "it takes another key: give --second-api-key and --second-org" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not a report.json of arklow-contracts"),
        ("[]", "is not a report.json of arklow-contracts"),
        ('{"violations": [], "warnings": []}', "it has no 'document'"),
        ('{"violations": [{"id": 1}], "warnings": []}', "it has no 'script'"),
        ("[" * 100_000, "nested too deeply"),
        (
            '{"violations": [], "warnings": [], "document": {"sha256": "0"}}',
            "there is no finding X-1-000000 in the report; there are none",
        ),
    ],
)
def test_a_file_that_is_no_report_is_refused_in_one_line(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """So is a finding that the report does not have; those that it has are listed."""
    (tmp_path / "report.json").write_text(text)

    assert replay(tmp_path, "http://127.0.0.1:9", "X-1-000000") == 2
    told = capsys.readouterr()
    assert said in told.err
    assert (told.out, len(told.err.splitlines())) == ("", 1)


def test_a_missing_file_and_another_document_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the same exit code, 2."""
    assert replay(tmp_path / "no.json", "http://127.0.0.1:9", "X-1-000000") == 2
    [name] = reported(tmp_path, "S01", "LEASE-6")
    (tmp_path / "d.yaml").write_text("openapi: 3.1.0\npaths: {/a: {get: {responses: {}}}}")
    assert replay(tmp_path, "http://127.0.0.1:9", name, document=str(tmp_path / "d.yaml")) == 2
    assert "made by another document than d.yaml" in capsys.readouterr().err


@pytest.mark.parametrize(
    "spoilt",
    [
        {"headers": 7},
        {"headers": [["a"]]},
        {"body": {"octets": "?"}},
        {"status": "x"},
        {"path": 7},
        {"chunks": [{}]},
    ],
)
def test_an_edited_report_is_refused_in_one_line(
    spoilt: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing of it is sent."""
    [name] = reported(tmp_path, "S01", "LEASE-6")
    file = tmp_path / "report.json"
    report = json.loads(file.read_text("utf-8"))
    report["violations"][0]["script"][0] |= spoilt
    file.write_text(json.dumps(report), "utf-8")

    assert replay(tmp_path, "http://127.0.0.1:9", name) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_only_the_target_is_contacted_whatever_the_report_says(tmp_path: Path) -> None:
    """Neither the target of the report nor a path that looks like a host is."""
    [name] = reported(tmp_path, "S01", "LEASE-6")
    file = tmp_path / "report.json"
    report = json.loads(file.read_text("utf-8"))
    with (
        serving(MUTANTS["S01"](keys=OTHERS)) as elsewhere,
        serving(ConformingServer(Choices(), OTHERS)) as here,
    ):
        report |= {"target": elsewhere, "ingress": elsewhere}
        for path in ("/v1/modack", f"@{elsewhere[7:]}/v1/modack", f"{elsewhere}/v1/modack"):
            report["violations"][0]["script"][0]["path"] = path
            file.write_text(json.dumps(report), "utf-8")
            assert replay(tmp_path, here, name) in (0, 3)


def test_the_prefix_of_a_run_is_read_from_its_report_or_from_names() -> None:
    """The names are asked only where the report does not say it."""
    one = exchange(MODACK, 200, body=b'{"variant":"contract.0a1b2c3d.r5.v1"}')
    base: dict[str, Any] = {"violations": [], "warnings": []}

    assert EarlierReport(base | {"prefix": "contract.x."}).prefix([one]) == "contract.x."
    assert EarlierReport(base).prefix([one]) == "contract.0a1b2c3d."
    assert EarlierReport(base).prefix([replace(one, body=None)]) == ""


def test_recorded_traffic_does_not_put_a_definition_of_a_product_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only names of a run are made fresh; those of recorded traffic belong to a product."""
    [name] = reported(tmp_path, "R04", "PAGE-5")
    file = tmp_path / "report.json"
    report = json.loads(file.read_text("utf-8"))
    text = json.dumps({**report, "prefix": ""}).replace(report["prefix"], "orders-")
    file.write_text(text, "utf-8")

    with serving(MUTANTS["R04"](keys=OTHERS)) as url:
        assert replay(tmp_path, url, name) == 3
    assert "it was recorded, and would put a definition again" in capsys.readouterr().out
