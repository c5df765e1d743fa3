"""Recorded traffic: what it shows is reported, with its entry, and a conforming recording breaks nothing."""

from __future__ import annotations

import pytest

from contracts.reports.json_report import report_data
from contracts.transport.throttle import Limits
from tests.contracts.archives import (
    PUT,
    REFUSED,
    TAKEN,
    answered,
    archive,
    changed,
    chrome,
    defined,
    entry,
    firefox,
    judged,
    mitmproxy,
    pairs,
    recorded,
    without,
    work,
)
from tests.contracts.runs import KEYS, exchange, titles_by_rule
from tests.mutants import MUTANTS, Choices, ConformingServer

# Mutants

SHOWN_BY_A_RECORDING = "A08 A14 A15 B13 B14 B34 R03 R04 R07 R11 R13 R15 R17 R21 R22 R25 R30 R40 R41 R43 R45 R50 V14 V24 V25".split()
"""Mutants whose recording has to name the rule that a run names."""


@pytest.mark.parametrize("id", SHOWN_BY_A_RECORDING)
def test_the_recording_of_a_run_breaks_the_rule_that_the_run_found_broken(id: str) -> None:
    """It is broken at the same operation; the judge is recording the good key."""
    mutant = MUTANTS[id]
    rule = mutant.caught_by[0]
    run, seen = recorded(lambda clock: mutant(clock=clock), rule)

    recording = judged(archive(*map(entry, seen)), KEYS[0])

    assert rule in titles_by_rule(run)
    assert rule in titles_by_rule(recording)
    operations = {one.operation for one in (*run.violations, *run.warnings)}
    assert {
        one.operation for one in (*recording.violations, *recording.warnings) if one.rule == rule
    } & operations


@pytest.mark.parametrize("requests", [500, pytest.param(1_500, marks=pytest.mark.slow)])
@pytest.mark.parametrize("choices", [Choices(), Choices(extra_members=True, html_404=True, body="raw")])
def test_the_recording_of_a_conforming_run_breaks_nothing(choices: Choices, requests: int) -> None:
    """Neither with the key nor without it, nor with half of the entries, nor as browsers and proxies write it.

    It may warn of what the run warned of, as a body that is taken raw (C1).
    """
    run, seen = recorded(
        lambda clock: ConformingServer(choices, clock=clock), limits=Limits(requests=requests)
    )
    entries = [entry(one) for one in seen]
    few = entries[::4]

    for recording in (
        judged(archive(*entries), KEYS[0]),
        judged(archive(*entries[::2])),
        judged(archive(*(without(one, "request", "x-arklow-auth") for one in few)), KEYS[0]),
        judged(archive(*map(chrome, few)), KEYS[0]),
        judged(archive(*map(mitmproxy, few)), KEYS[0]),
    ):
        assert recording.violations == ()
        assert titles_by_rule(recording).keys() <= titles_by_rule(run).keys()
        assert recording.exit_code == 0
        assert recording.requests > 100
    cut = judged(archive(*map(firefox, few)), KEYS[0])
    assert (cut.violations, cut.exit_code) == ((), 3)
    assert str(cut.inconclusive).startswith("Nothing was judged: the archive has kept the body of no answer")


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


def test_an_answer_that_shows_a_served_key_breaks_a_rule() -> None:
    """The judge need not be told the key."""
    leak = answered(work(), TAKEN.replace(b'"queued"', b'"queued good-key-one"'))

    assert "SAFE-1" in titles_by_rule(judged(archive(work(), leak)))
    assert "SAFE-1" in titles_by_rule(judged(archive(work(), leak), KEYS[0]))


def test_an_answer_with_a_negative_version_breaks_nothing() -> None:
    """Its definition may have been put before the recording began (C16)."""
    assert titles_by_rule(judged(archive(answered(work(), TAKEN.replace(b'"1"', b'"-1"'))))) == {}
