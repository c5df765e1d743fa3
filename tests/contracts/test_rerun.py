"""Findings of a report are played again, against the deployment that the command line names."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from contracts import RunFinished
from contracts.commands.ports import Ports
from contracts.core.serialization import exchange_data
from contracts.phases.requests import MODACK
from contracts.reports import json_report
from contracts.reproduction.rerun import EarlierReport
from contracts.transport.interference import Interference
from tests.clocks import VirtualClock
from tests.contracts.commands import URL, Make, Ran, ports_to, ran
from tests.contracts.ports import ScriptedTransport
from tests.contracts.runs import KEYS, exchange, judged_in_process
from tests.mutants import MUTANTS, Choices, ConformingServer
from tests.mutants.conforming_server import DEFAULT_CHOICES
from tests.serving import serving

OTHERS = {"another-key-of-7": "7", "one-more-key-of-8": "8"}

REPLAYED = ("S01", "S09", "S15", "A03", "A12", "B20", "B27", "R04", "V05", "V24")
"""Mutants whose findings need different things: keys, crashes, bytes, chunks, answers, bodies, sequences, interpretations."""


def replay(directory: Path, target: Make | Ports, *ids: str, **flags: str) -> Ran:
    """Carry out the command, with keys of organisations that the report does not know."""
    given = {
        "base-url": URL,
        "report": str(directory),
        "api-key": "env:MINE",
        "org": "7",
        "second-api-key": "env:YOURS",
        "second-org": "8",
        "times": "2",
        **{name.replace("_", "-"): value for name, value in flags.items() if name != "MINE"},
    }
    words = [word for name, value in given.items() if value for word in (f"--{name}", value)]
    keys = dict(zip(("MINE", "YOURS"), OTHERS, strict=True)) | {n: k for n, k in flags.items() if n == "MINE"}
    ports = target if isinstance(target, Ports) else ports_to(target)
    return ran("replay", *ids, *words, ports=ports, **keys)


def unreachable() -> Ports:
    """Return ports behind which nothing answers."""
    return Ports(VirtualClock(), ScriptedTransport(lambda _: Interference("connection refused")))


def mutant(fault: str, choices: Choices = DEFAULT_CHOICES) -> Make:
    """Return what makes a mutant that knows the other keys."""
    return lambda clock: MUTANTS[fault](choices, OTHERS, clock)


def conforming(clock: VirtualClock) -> ConformingServer:
    """Make a server that breaks no rule and knows the other keys."""
    return ConformingServer(Choices(), OTHERS, clock)


@cache
def judged(fault: str, rule: str) -> RunFinished:
    """Judge a mutant by one rule."""
    return judged_in_process(lambda clock: MUTANTS[fault](clock=clock), rule)


def reported(directory: Path, fault: str, rule: str) -> list[str]:
    """Write the report of a mutant, and return the ids of its findings."""
    run = judged(fault, rule)
    json_report.write(run, directory)
    return [one.id for one in (*run.violations, *run.warnings)]


@pytest.mark.parametrize("fault", REPLAYED)
def test_a_finding_shows_again_where_it_is_and_nowhere_else(fault: str, tmp_path: Path) -> None:
    """The exit code is 1 on a fresh mutant with other keys and organisations, and 0 on a conforming server; no key is in the output."""
    rule = MUTANTS[fault].caught_by[0]
    [name, *_] = reported(tmp_path, fault, rule)

    shown, gone = replay(tmp_path, mutant(fault), name), replay(tmp_path, conforming, name)

    assert (shown.code, gone.code) == (1, 0)
    assert shown.out.startswith(f"{name} shows again: 2 of 2\n")
    assert f"breaks {rule}" in shown.out
    assert "\n  traceparent  00-" in shown.out
    assert gone.out == f"{name} does not show: 0 of 2\n"
    for key in (*OTHERS, *(one.key for one in KEYS)):
        assert key not in f"{shown}{gone}"


def test_a_report_can_be_replayed_with_the_keys_that_made_it(tmp_path: Path) -> None:
    """As a report is replayed on the day after."""
    names = reported(tmp_path, "S01", "LEASE-6")
    again = replay(
        tmp_path,
        lambda clock: MUTANTS["S01"](clock=clock),
        *names,
        org="1",
        second_api_key="",
        second_org="",
        MINE=KEYS[0].key,
    )

    assert again.code == 1


@pytest.mark.parametrize(
    ("below", "org", "why"), [("", "9", "is answered with 403"), ("/nowhere", "7", "is answered with 404")]
)
def test_a_finding_that_another_application_answers_proves_nothing(
    below: str, org: str, why: str, tmp_path: Path
) -> None:
    """The key is refused, or another application answers: 3, with the reason."""
    [name] = reported(tmp_path, "V24", "PAGE-9")
    again = replay(tmp_path, mutant("V24", Choices(html_404=True)), name, org=org, base_url=URL + below)

    assert (again.code, why in again.out) == (3, True)


def test_a_finding_that_no_server_answers_proves_nothing(tmp_path: Path) -> None:
    """The line says why it could not be tried, and the connections are closed."""
    [name] = reported(tmp_path, "V24", "PAGE-9")
    ports = unreachable()
    again = replay(tmp_path, ports, name)

    assert (again.code, again.out) == (3, f"{name} could not be tried: connection refused\n")
    assert isinstance(ports.transport, ScriptedTransport)
    assert ports.transport.closed


@pytest.mark.parametrize(
    "members", [{"together": 1}, {"staged": True}], ids=["concurrent", "a whole sequence"]
)
def test_what_its_requests_alone_do_not_show_is_looked_for_by_a_run_for_its_rule(
    members: dict[str, Any], tmp_path: Path
) -> None:
    """On the live mutant it shows again, on the healed server it does not, and on a dead one that cannot be told."""
    [name] = reported(tmp_path, "R04", "PAGE-5")
    file = tmp_path / "report.json"
    report = json.loads(file.read_text("utf-8"))
    [one] = report["violations"]
    file.write_text(json.dumps({**report, "violations": [{**one, **members}]}), "utf-8")

    live, mended, dead = (
        replay(tmp_path, target, name) for target in (mutant("R04"), conforming, unreachable())
    )

    assert (live.code, f"{name} shows again: 1 of 1" in live.out) == (1, True)
    assert (mended.code, mended.out) == (0, f"{name} does not show: 0 of 1\n")
    assert (dead.code, "could not be tried" in dead.out, "connection refused" in dead.out) == (3, True, True)


def test_a_finding_of_a_second_key_needs_a_second_key(tmp_path: Path) -> None:
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

    again = replay(tmp_path, unreachable(), name, second_api_key="", second_org="")

    assert again.code == 3
    assert "it takes another key: give --second-api-key and --second-org" in again.out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not a report.json of arklow-contracts"),
        ("[]", "is not a report.json of arklow-contracts"),
        ('{"schema_version": 2, "violations": [], "warnings": []}', "it has no 'document'"),
        ('{"violations": [], "warnings": []}', "is a report of schema version 1, and this release reads 2"),
        ('{"schema_version": 2, "violations": [{"id": 1}], "warnings": []}', "it has no 'rule'"),
        (
            '{"schema_version": 2, "violations": [{"id": 1, "rule": "NEW-\\u001b1"}], "warnings": []}',
            "it has a finding of 'NEW-\\x1b1', which is no rule of this release",
        ),
        ("[" * 100_000, "nested too deeply"),
        (
            '{"schema_version": 2, "violations": [], "warnings": [], "document": {"sha256": "0"}}',
            "there is no finding X-1-000000 in the report; there are none",
        ),
    ],
)
def test_a_file_that_is_no_report_is_refused_in_one_line(text: str, said: str, tmp_path: Path) -> None:
    """So is a finding that the report does not have; those that it has are listed."""
    (tmp_path / "report.json").write_text(text)

    again = replay(tmp_path, unreachable(), "X-1-000000")

    assert said in again.errors
    assert (again.code, again.out, len(again.errors.splitlines())) == (2, "", 1)


def test_a_missing_file_and_another_document_are_refused(tmp_path: Path) -> None:
    """With the same exit code, 2."""
    assert replay(tmp_path / "no.json", unreachable(), "X-1-000000").code == 2
    [name] = reported(tmp_path, "S01", "LEASE-6")
    (tmp_path / "d.yaml").write_text(
        "openapi: 3.1.0\ninfo: {title: t, version: v}\npaths: {/a: {get: {responses: {200: {description: d}}}}}"
    )
    again = replay(tmp_path, unreachable(), name, document=str(tmp_path / "d.yaml"))

    assert (again.code, "made by another document than d.yaml" in again.errors) == (2, True)


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
def test_an_edited_report_is_refused_in_one_line(spoilt: dict[str, Any], tmp_path: Path) -> None:
    """Nothing of it is sent."""
    [name] = reported(tmp_path, "S01", "LEASE-6")
    file = tmp_path / "report.json"
    report = json.loads(file.read_text("utf-8"))
    report["violations"][0]["script"][0] |= spoilt
    file.write_text(json.dumps(report), "utf-8")

    ports = unreachable()
    again = replay(tmp_path, ports, name)

    assert (again.code, len(again.errors.splitlines())) == (2, 1)
    assert isinstance(ports.transport, ScriptedTransport)
    assert ports.transport.sent == []


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
            assert replay(tmp_path, Ports(), name, base_url=here).code in (0, 3)


def test_the_prefix_of_a_run_is_read_from_its_report_or_from_names() -> None:
    """The names are asked only where the report does not say it."""
    one = exchange(MODACK, 200, body=b'{"variant":"contract.0a1b2c3d.r5.v1"}')
    base: dict[str, Any] = {"violations": [], "warnings": []}

    assert EarlierReport(base | {"prefix": "contract.x."}).prefix([one]) == "contract.x."
    assert EarlierReport(base).prefix([one]) == "contract.0a1b2c3d."
    assert EarlierReport(base).prefix([replace(one, body=None)]) == ""


def test_recorded_traffic_does_not_put_a_definition_of_a_product_again(tmp_path: Path) -> None:
    """Only names of a run are made fresh; those of recorded traffic belong to a product."""
    [name] = reported(tmp_path, "R04", "PAGE-5")
    file = tmp_path / "report.json"
    report = json.loads(file.read_text("utf-8"))
    text = json.dumps({**report, "prefix": ""}).replace(report["prefix"], "orders-")
    file.write_text(text, "utf-8")

    again = replay(tmp_path, mutant("R04"), name)

    assert again.code == 3
    assert "it was recorded, and would put a definition again" in again.out
