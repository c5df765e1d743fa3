"""From flags to a plan: safe defaults, and errors of usage that say what would pass."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from contracts import Plan
from contracts.cli import main, parser
from contracts.commands.dry_run import described
from contracts.commands.plan_options import plan_of
from contracts.commands.usage import Usage

BASE = ["--api-key", "env:KEY", "--org", "1"]
ENVIRONMENT = {"KEY": "good-key-one"}


def planned(url: str, *more: str) -> Plan:
    """The plan of these flags."""
    return plan_of(parser().parse_args(["check", "--base-url", url, *BASE, *more]), ENVIRONMENT)


def test_a_local_target_has_no_limits() -> None:
    """The run is as fast as the target answers, and makes fresh names."""
    plan = planned("http://localhost:3123")

    assert (plan.limits.rate, plan.limits.requests, plan.limits.writes) == (math.inf, None, None)
    assert (plan.name_prefix, plan.intrusive, plan.steady, plan.night) == ("", True, False, False)


def test_elsewhere_a_run_is_careful() -> None:
    """A rate, a budget of writes, a name prefix, and nothing intrusive."""
    plan = planned("https://staging.example")

    assert (plan.limits.rate, plan.limits.writes, plan.intrusive) == (10.0, 2_000, False)
    assert plan.name_prefix


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost", "http://127.9.9.9"]
)
def test_this_machine_has_several_names(url: str) -> None:
    """And no other has."""
    assert planned(url).target.is_local
    assert not planned("http://127.0.0.1.example").target.is_local


@pytest.mark.parametrize(
    "url",
    ["https://api.arklow.io", "https://ARKLOW.IO", "https://ingress.arklow.io./x", "http://api.arklow.io:1"],
)
def test_production_needs_a_flag_of_its_own(url: str) -> None:
    """By whichever of its names."""
    with pytest.raises(Usage, match="is a production host"):
        planned(url)
    with pytest.raises(Usage, match="is a production host"):
        planned("http://localhost", "--ingress-url", url)

    assert planned(url, "--production").limits.rate == 10.0
    assert planned("https://notarklow.io").limits.rate == 10.0


def test_a_gate_is_measured_by_its_requests() -> None:
    """Its seed is always the same."""
    plan, again = (
        planned("http://localhost", "--profile", "gate"),
        planned("http://localhost", "--profile", "gate"),
    )

    assert plan == again
    assert (plan.seed, plan.steady, plan.limits.requests) == (0, True, 1_000)
    assert plan.name_prefix


def test_a_night_lasts_until_the_morning() -> None:
    """It lasts a day at most."""
    plan = planned("http://localhost", "--profile", "night", "--until", "06:00")

    assert 0 < plan.max_time <= 86_400
    assert plan.night


@pytest.mark.parametrize(("text", "rate"), [("5", 5.0), ("5/s", 5.0), ("60/m", 1.0), ("0.5", 0.5)])
def test_a_rate_is_by_the_second_or_by_the_minute(text: str, rate: float) -> None:
    """`5`, `5/s` and `60/m` are rates."""
    assert planned("http://localhost", "--rate", text).limits.rate == rate


def test_a_variant_is_declared_with_a_payload(tmp_path: Path) -> None:
    """The payload is JSON in a file."""
    (tmp_path / "payload.json").write_text('{"order_id": "8471"}')

    plan = planned("http://localhost", "--variant", f"orders.created={tmp_path}/payload.json")

    assert plan.declared == {"orders.created": {"order_id": "8471"}}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--until", "06:00"], "--until and --resume are for --profile night"),
        (["--profile", "night", "--resume"], "--resume needs the --report-dir"),
        (["--profile", "night", "--until", "25:00"], "a time of day such as 06:00"),
        (["--rate", "0"], "a rate is a number such as 10"),
        (["--rate", "5/h"], "a rate is a number such as 10"),
        (["--name-prefix", "Job 2"], "a name prefix is a name such as ci-2"),
        (["--max-requests", "0"], "1 or more"),
        (["--rate", "often"], "a rate is a number such as 10 or 10/s, or 60/m"),
        (["--max-requests", "1.5"], "invalid int value: '1.5'"),
        (["--max-time", "nan"], "from 1 to 1000000 seconds"),
        (["--min-verified", "101"], "from 0 to 100 percent"),
        (["--variant", "orders.created"], "expected NAME=FILE"),
        (["--variant", "a=/nowhere.json"], "No such file"),
        (["--baseline", "/nowhere.yaml"], "No such file"),
        (["--expect-interpretations", "/nowhere.yaml"], "No such file"),
    ],
)
def test_flags_that_cannot_be_used_are_refused(
    more: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says what would pass."""
    monkeypatch.setenv("KEY", "good-key-one")

    assert main(["check", "--base-url", "http://localhost:1", *BASE, *more]) == 2

    [line] = capsys.readouterr().err.splitlines()
    assert said in line


def entry(**members: str | None) -> str:
    """Return an entry of a baseline in YAML, with other members than usual; None leaves one out."""
    usual = {
        "id": "PAGE-5-3f9a1c22",
        "finding": "it breaks",
        "owner": "me",
        "reason": "x",
        "expires": "2026-12-31",
    }
    return f"{{{', '.join(f'{name}: {value}' for name, value in {**usual, **members}.items() if value)}}}"


def baseline(*listed: str) -> str:
    """Return a baseline in YAML."""
    return f"{{schema_version: 2, findings: [{', '.join(listed)}]}}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1", "expected an object with schema_version and findings"),
        ("- {id: PAGE-5-3f9a1c, owner: me, reason: known, expires: 2026-12-31}", "is of schema version 1"),
        ("{schema_version: 3, findings: []}", "schema_version must be 2, and is 3"),
        ("{schema_version: 2, findings: 7}", "findings: expected a list of entries"),
        (baseline("1"), "entry 1: expected an object"),
        (baseline(entry(expires=None)), "entry 1: 'expires' must be a day"),
        (baseline(entry(expires="soon")), "'expires' must be a day"),
        (baseline(entry(id="PAGE-5-3f9a1c")), "is not the id of a finding"),
        (baseline(entry(id="PAGE-5-xxxxxxxx")), "is not the id of a finding"),
        (baseline(entry(owner="''")), "'owner' must be a text"),
        (baseline(entry(finding=None)), "'finding' must be a text"),
        (baseline(entry(more="1")), "unknown member 'more'"),
        (baseline(entry(), entry()), "stands there twice"),
        ("[", "--baseline"),
    ],
)
def test_an_entry_of_a_baseline_has_an_owner_a_reason_and_a_last_day(
    text: str, said: str, tmp_path: Path
) -> None:
    """A file with any other entry is refused."""
    file = tmp_path / "baseline.yaml"
    file.write_text(text)

    with pytest.raises(Usage, match=said):
        planned("http://localhost", "--baseline", str(file))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "expected an object with a member 'interpretations'"),
        ("interpretations: {no such question: yes}", "there is no question 'no such question'"),
        ("interpretations: {unknown variant: 5}", "interpretations/unknown variant: expected a text"),
    ],
)
def test_expected_interpretations_have_the_form_of_a_run(text: str, said: str, tmp_path: Path) -> None:
    """A file with another form is refused."""
    file = tmp_path / "interpretations.yaml"
    file.write_text(text)

    with pytest.raises(Usage, match=said):
        planned("http://localhost", "--expect-interpretations", str(file))


def test_a_dry_run_describes_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It contacts no host, as the name does not exist, and shows no key."""
    monkeypatch.setenv("KEY", "good-key-one")

    assert main(["check", "--base-url", "https://staging.invalid", *BASE, "--dry-run"]) == 0

    said = capsys.readouterr().out
    assert "contact nothing but staging.invalid" in said
    assert "$KEY for organisation 1" in said
    assert "10 requests a second" in said
    assert "good-key-one" not in said


@pytest.mark.parametrize(
    ("more", "lines"),
    [
        (
            ["--ingress-url", "https://ingress.invalid", "--intrusive", "--max-requests", "1200"],
            [
                "Would judge https://staging.invalid, and contact nothing but staging.invalid, ingress.invalid:",
                "  ingress   https://ingress.invalid",
                "  how long  25 s at most, 10 requests a second at most",
                "  budget    1,200 requests",
                "  budget    2,000 definitions and actions that are made",
                "  intrusive large and deep bodies, requests at the same moment",
                "  short and random sequences, then generated requests, as long as time and budgets last",
            ],
        ),
        (
            ["--profile", "night", "--max-time", "7200", "--name-prefix", "ci", "--rate", "5"],
            [
                "  names     definitions are called contract.ci.…, as in other runs with this name prefix",
                "  tags      actions carry contract-run=<run>",
                "  how long  2.0 h at most, 5 requests a second at most",
                "  intrusive large and deep bodies, requests at the same moment: none, as --intrusive is not given",
                "  random sequences and generated requests in turns, as long as time and budgets last",
            ],
        ),
    ],
)
def test_a_dry_run_says_all_that_a_run_would_do(more: list[str], lines: list[str]) -> None:
    """Line by line; nothing else is sent or made."""
    said = list(described(planned("https://staging.invalid", *more)))

    assert [line for line in lines if line not in said] == []
    assert not any(line.startswith("  ingress") for line in described(planned("https://staging.invalid")))


def test_a_dry_run_of_this_machine_has_no_limits() -> None:
    """Its names are new ones in each run."""
    said = list(described(planned("http://localhost:1")))

    assert "  how long  25 s at most, as fast as it answers" in said
    assert "  names     definitions are called contract.<random>.…, new ones in each run" in said
    assert not any(line.startswith(("  budget", "  tags   ")) for line in said)
