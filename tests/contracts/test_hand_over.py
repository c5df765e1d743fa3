"""A finding can be handed over: its example makes all that it needs, and a replay tells the fault from its absence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from contracts.core.exchange import Exchange
from contracts.reports import generated_test_runtime as runtime
from tests.clocks import VirtualClock
from tests.contracts.changed import CHANGES, COMPRESSED, Changed
from tests.contracts.commands import Make, ports_to, ran
from tests.contracts.exchanges import put, work
from tests.contracts.inner_pytest import pytested
from tests.contracts.recorder import EARLY, OK, recording
from tests.contracts.test_provenance import having_learned, needed, times
from tests.hand_over.trial import KEYS, TARGET, HandOver, tried
from tests.mutants import HOLDOUT, MUTANTS, ConformingServer
from tests.serving import serving


def conforming(clock: VirtualClock) -> ConformingServer:
    """Make a server that breaks nothing."""
    return ConformingServer(clock=clock)


def checked(make: Make, out: Path, *flags: str) -> dict[str, Any]:
    """Check a server, and return the report."""
    ran(
        "check",
        *TARGET,
        "--seed",
        "1",
        "--max-time",
        "10",
        *flags,
        "--report-dir",
        out,
        ports=ports_to(make),
        **KEYS,
    )
    report: dict[str, Any] = json.loads((out / "report.json").read_text("utf-8"))
    return report


def replayed(name: str, out: Path, make: Make) -> int:
    """Replay a finding of a report against a server, and return the exit code."""
    return ran("replay", name, "--report", out, *TARGET, ports=ports_to(make), **KEYS).code


@pytest.mark.parametrize("what", CHANGES)
def test_an_example_makes_what_it_names_whatever_the_answers_look_like(what: str, tmp_path: Path) -> None:
    """A PUT, then the work: shown again each time, on the live fault alone (J2, J3)."""
    rule, change = CHANGES[what]

    def changed(clock: VirtualClock) -> Changed:
        return Changed(ConformingServer(clock=clock), change)

    report = checked(changed, tmp_path)
    found = [one for one in report["violations"] if one["rule"] == rule and "/ingress/" in one["operation"]]
    [served] = [one for one in found if one["script"][-1]["status"] == 200]

    assert [one["method"] for one in served["script"]] == ["PUT", "POST"]
    assert served["reproduced"] == {"shown": 3, "tried": 3}
    for one in found:
        assert replayed(one["id"], tmp_path, changed) == 1
        assert replayed(one["id"], tmp_path, conforming) == 0


HANDED_OVER = [
    *(("S07", "prefix"), ("S15", "prefix"), ("S32", "prefix"), ("S37", "prefix")),
    *(("V22", "prefix"), ("V46", "prefix")),
    *(("S05", "check"), ("S23", "check"), ("S33", "check"), ("V43", "check")),
    *(("A02", "gate"), ("S20", "gate")),
]
"""Mutants whose findings were lost on the way, and the way in which the judge was run."""


def handed_over(name: str, mode: str, *, by_hand: bool) -> list[HandOver]:
    """Judge a mutant and hand its findings over; returns those that count."""
    row = tried((MUTANTS | HOLDOUT)[name], mode, by_hand=by_hand)
    assert row.exit_code == 1
    return [one for one in row.findings if one.severity == "violation"]


@pytest.mark.parametrize(("name", "mode"), HANDED_OVER)
def test_a_replay_tells_the_live_fault_the_healed_server_and_a_dead_one(name: str, mode: str) -> None:
    """By the exit codes 1, 0 and 3; the example is short (J1, J4, J6)."""
    found = handed_over(name, mode, by_hand=False)

    assert {one.replays for one in found} == {(1, 0, 3)}
    assert max(one.requests for one in found) <= 6


@pytest.mark.slow
@pytest.mark.parametrize(("name", "mode"), HANDED_OVER)
def test_the_generated_test_and_the_pasted_lines_tell_them_too(name: str, mode: str) -> None:
    """The test fails on the live fault and passes healed; what the lines print differs."""
    found = handed_over(name, mode, by_hand=True)

    assert [(one.id, one.test, one.curl) for one in found if not one.holds] == []


def test_a_definition_that_is_used_all_the_time_keeps_its_maker(tmp_path: Path) -> None:
    """Names are forgotten by the time of their last use, and not by their age (J4)."""
    first = put()
    others: list[Exchange] = []
    for number in range(6):
        others += [renamed(put(), f"other{number}"), work(str(900 + number))]

    assert needed(having_learned(first, *others, most_names=6), work("999"))[:1] == times(first)


def test_a_definition_with_thousands_of_aliases_pushes_no_other_one_out() -> None:
    """What gave a name is kept of variants and of aliases apart (J4)."""
    first, answer = put(), {"variant": "many", "schema": {}, "alias": [f"a{number}" for number in range(50)]}
    many = replace(renamed(put(), "many"), answer=json.dumps(answer).encode())

    assert needed(having_learned(first, many, most_names=6), work("999"))[:1] == times(first)


def renamed(exchange: Exchange, variant: str) -> Exchange:
    """Return a PUT of another variant."""
    return replace(
        exchange,
        body=(exchange.body or b"").replace(b'"v"', f'"{variant}"'.encode()),
        answer=exchange.answer.replace(b'"v"', f'"{variant}"'.encode()),
    )


@pytest.mark.parametrize("answer", [EARLY + OK, EARLY + EARLY + OK], ids=["one", "two"])
def test_a_generated_test_passes_over_interim_answers(answer: bytes) -> None:
    """As the judge does (J7)."""
    with recording(answer) as recorder:
        status, _, body = runtime.exchange(
            urlsplit(recorder.url), "GET", b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", None
        )

    assert (status, body) == (200, b"{}")


@pytest.mark.slow
def test_a_generated_test_reads_compressed_answers_as_the_judge_does(tmp_path: Path) -> None:
    """It fails on a broken server that compresses unasked, and passes on a healthy one that does (J7)."""
    report = checked(lambda clock: Changed(MUTANTS["R12"](clock=clock), COMPRESSED), tmp_path)
    [finding] = report["violations"]
    file = tmp_path / "tests" / f"test_{finding['id'].lower().replace('-', '_')}.py"
    codes = []
    for server in (MUTANTS["R12"](), ConformingServer()):
        with serving(Changed(server, COMPRESSED)) as url:
            codes.append(pytested(tmp_path, file, environment={**KEYS, "ARKLOW_BASE_URL": url}).code)

    assert codes == [1, 0]
