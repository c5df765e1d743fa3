"""Several runs on one page: every cell is right, in whatever order findings come and go."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import cli
from contracts.reports.comparison import (
    KINDS,
    Sighting,
    histories,
    kind_of,
    new_violations,
    page,
)

ID = {
    "LEASE-3": "LEASE-3-e3b0c4",
    "ING-3": "ING-3-83c400",
    "PAGE-5": "PAGE-5-f37fb4",
    "PAGE-8": "PAGE-8-e3b0c4",
    "AUTH-8": "AUTH-8-e3b0c4",
    "AUTH-4": "AUTH-4-e3b0c4",
    "AUTH-3": "AUTH-3-e3b0c4",
}


def one(rule: str, shown: int = 3, tried: int = 3) -> dict[str, Any]:
    """Return a finding of a report, with the members that a comparison reads."""
    again = {"shown": shown, "tried": tried}
    return {"id": ID[rule], "rule": rule, "sentence": f"POST /v1/x breaks {rule}: a|b", "reproduced": again}


def night(day: int, *found: dict[str, Any], tested: str = "", **members: Any) -> dict[str, Any]:
    """Return a report of a day; findings of AUTH-8 are warnings, and rules neither found nor tested are not verified."""
    broken = {each["rule"] for each in found}
    put = broken | set(tested.split())
    report = {
        "schema_version": 2,
        "report_dir": "",
        "target_flags": [],
        "target": "http://target",
        "document": {"name": "arklow.openapi.yaml", "sha256": "d" * 64},
        "seed": day,
        "started": f"2026-11-{day:02}T02:00:07+00:00",
        "verdict": "violations" if broken else "conforms",
        "inconclusive": None,
        "requests": 1000 + day,
        "verified": 90.0,
        "violations": [each for each in found if each["rule"] != "AUTH-8"],
        "warnings": [each for each in found if each["rule"] == "AUTH-8"],
        "interpretations": {"alias": "reaches its definition"},
        "baseline": [],
        "not_verified": [{"rule": rule, "why": "no lease"} for rule in ID if rule not in put],
        "tested": dict.fromkeys(put, 5),
    }
    return report | members


NIGHTS = [
    night(20, one("LEASE-3"), one("PAGE-5"), one("PAGE-8"), one("AUTH-8"), tested="ING-3"),
    night(21, one("LEASE-3"), one("AUTH-8"), tested="ING-3 PAGE-8"),
    night(
        22,
        *(one("ING-3"), one("PAGE-5", shown=2), one("PAGE-8"), one("AUTH-4")),
        tested="LEASE-3",
        interpretations={"alias": "reaches nothing", "a second ack": "refused"},
    ),
]

GOLDEN = r"""# 2 new, 0 still there, 2 unstable, 1 fixed, 1 not verified

- **new** `AUTH-4-e3b0c4` POST /v1/x breaks AUTH-4: a\|b
- **new** `ING-3-83c400` POST /v1/x breaks ING-3: a\|b

- **fixed** `LEASE-3-e3b0c4` POST /v1/x breaks LEASE-3: a\|b

## New (2)

Found by the last run, and by none before.

| Finding | What broke | 2026-11-20 02:00 | 2026-11-21 02:00 | 2026-11-22 02:00 |
| --- | --- | --- | --- | --- |
| `AUTH-4-e3b0c4` | POST /v1/x breaks AUTH-4: a\|b (not verified before) | – | – | ✗ |
| `ING-3-83c400` | POST /v1/x breaks ING-3: a\|b | ✓ | ✓ | ✗ |

## Unstable (2)

Found before and shown less often than tried, or there, gone and there again.

| Finding | What broke | 2026-11-20 02:00 | 2026-11-21 02:00 | 2026-11-22 02:00 |
| --- | --- | --- | --- | --- |
| `PAGE-5-f37fb4` | POST /v1/x breaks PAGE-5: a\|b | ✗ | – | ✗ (2/3) |
| `PAGE-8-e3b0c4` | POST /v1/x breaks PAGE-8: a\|b | ✗ | ✓ | ✗ |

## Fixed (1)

Found before; the last run verified the rule, and it was kept.

| Finding | What broke | 2026-11-20 02:00 | 2026-11-21 02:00 | 2026-11-22 02:00 |
| --- | --- | --- | --- | --- |
| `LEASE-3-e3b0c4` | POST /v1/x breaks LEASE-3: a\|b | ✗ | ✗ | ✓ |

## Not verified (1)

Found before; the last run did not verify the rule.

| Finding | What broke | 2026-11-20 02:00 | 2026-11-21 02:00 | 2026-11-22 02:00 |
| --- | --- | --- | --- | --- |
| `AUTH-8-e3b0c4` | POST /v1/x breaks AUTH-8: a\|b | ✗ | ✗ | – |

✗ found, ✓ verified and not found, – not verified, (n/m) shown again n times of m.

## Verdicts

| Run | Target | Document | Seed | Verdict | Requests | Verified |
| --- | --- | --- | --- | --- | --- | --- |
| 2026-11-20 02:00 | http://target | arklow.openapi.yaml dddddddddddd | 20 | violations | 1020 | 90 % |
| 2026-11-21 02:00 | http://target | arklow.openapi.yaml dddddddddddd | 21 | violations | 1021 | 90 % |
| 2026-11-22 02:00 | http://target | arklow.openapi.yaml dddddddddddd | 22 | violations | 1022 | 90 % |

## Interpretations that changed

| Question | 2026-11-20 02:00 | 2026-11-21 02:00 | 2026-11-22 02:00 |
| --- | --- | --- | --- |
| alias | reaches its definition | reaches its definition | reaches nothing |
"""


def test_three_nights_are_one_page() -> None:
    """Every cell is right."""
    assert page(NIGHTS) == GOLDEN


def oracle(history: Sequence[Sighting]) -> str:
    """Return the kind of a finding by another algorithm."""
    if history[-1].found is None:
        return "not verified"
    verified = [each for each in history if each.found is not None]
    if verified[-1].found and sum(bool(each.found) for each in verified) == 1:
        return "new"
    ups = sum(bool(each.found) and not (at and verified[at - 1].found) for at, each in enumerate(verified))
    last = next(each for each in reversed(verified) if each.found)
    if last.confirmed < last.attempts or ups > 1:
        return "unstable"
    if not verified[-1].found:
        return "fixed"
    return "still there"


SEEN = st.one_of(
    st.builds(Sighting, st.sampled_from([False, None])),
    st.sampled_from([Sighting(True, 3, 3), Sighting(True, 2, 3), Sighting(True)]),
)


@given(st.lists(SEEN, min_size=1, max_size=7).filter(lambda history: any(one.found for one in history)))
def test_a_finding_has_the_kind_that_its_history_makes(history: list[Sighting]) -> None:
    """A run that did not verify the rule changes the kind only when it is the last one."""
    assert kind_of(history) == oracle(history)
    assert kind_of([Sighting(None), *history]) == kind_of(history)
    assert kind_of([*history, Sighting(None)]) == "not verified"


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(sorted(ID)), st.booleans()), max_size=9), min_size=2, max_size=5
    )
)
def test_every_finding_of_any_run_is_in_one_row_of_the_page(runs: list[list[tuple[str, bool]]]) -> None:
    """In no other row; the headline counts them."""
    nights = [
        night(
            day,
            *(one(rule) for rule in dict.fromkeys(rule for rule, found in said if found)),
            tested=" ".join(rule for rule, found in said if not found),
        )
        for day, said in enumerate(runs, 1)
    ]
    text = page(nights)

    known = histories(nights)
    for name, history in known.items():
        cells = " | ".join(map(str, history))
        assert sum(line.startswith(f"| `{name}` |") for line in text.splitlines()) == 1
        assert any(
            line.startswith(f"| `{name}` |") and line.endswith(f"| {cells} |") for line in text.splitlines()
        )
    kinds = [kind_of(history) for history in known.values()]
    assert text.startswith(f"# {', '.join(f'{kinds.count(kind)} {kind}' for kind in KINDS)}\n")


def test_a_new_finding_is_new_however_seldom_its_example_shows_it() -> None:
    """A fault that came with the last build must not pass as an unstable one (--fail-on-new)."""
    runs = [night(1, tested="PAGE-5"), night(2, one("PAGE-5", shown=0))]

    assert kind_of(histories(runs)[ID["PAGE-5"]]) == "new"
    assert new_violations(runs) == [ID["PAGE-5"]]


def test_a_finding_that_another_broken_rule_explains_is_not_verified() -> None:
    """A report leaves it out, so its absence does not prove that it is fixed."""
    runs = [night(1, one("AUTH-3")), night(2, one("AUTH-4"), tested="AUTH-3")]

    assert kind_of(histories(runs)[ID["AUTH-3"]]) == "not verified"


def test_different_targets_and_documents_are_named_first() -> None:
    """The comparison goes on all the same."""
    other = {"name": "other.yaml", "sha256": "e" * 64}
    lines = page([night(1), night(2, target="http://other", document=other)]).splitlines()

    assert lines[2] == "The runs have different targets: http://target, http://other."
    assert lines[4].startswith("The runs have different documents: arklow.openapi.yaml dddd")


def test_runs_of_one_minute_are_numbered() -> None:
    """Each has a column of its own."""
    assert "| 2026-11-01 02:00 #1 | http" in page([night(1), night(1)])


@pytest.fixture
def reports(tmp_path: Path) -> list[str]:
    """Return the paths of the three reports: a file, then two directories."""
    paths = []
    for number, report in enumerate(NIGHTS):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "report.json").write_text(json.dumps(report), "utf-8")
        paths.append(str(folder if number else folder / "report.json"))
    return paths


def test_the_command_prints_the_page_or_writes_it(
    reports: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """For files and directories."""
    assert cli.main(["compare", *reports]) == 0
    assert capsys.readouterr().out == GOLDEN

    file = tmp_path / "page.md"
    assert cli.main(["compare", *reports, "--output", str(file)]) == 0
    assert (file.read_text("utf-8"), capsys.readouterr().out) == (GOLDEN, "")


def test_new_violations_fail_where_that_is_asked_for(reports: list[str]) -> None:
    """Excused violations and warnings do not."""
    entries = [{"id": ID[rule], "state": "excused"} for rule in ("ING-3", "AUTH-4")]

    assert cli.main(["compare", *reports, "--fail-on-new"]) == 1
    assert cli.main(["compare", *reports[:2], "--fail-on-new"]) == 0
    assert new_violations(NIGHTS) == [ID["ING-3"], ID["AUTH-4"]]
    assert new_violations([*NIGHTS[:2], NIGHTS[2] | {"baseline": entries}]) == []
    assert new_violations([night(1, tested="AUTH-8"), night(2, one("AUTH-8"))]) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file or directory"),
        ("{", "is not JSON"),
        ("[]", "it is not an object"),
        ("{}", "it has no member 'target'"),
        (json.dumps(night(1) | {"tested": []}), "its member 'tested' is list"),
        (json.dumps(night(1) | {"violations": [{"rule": "PAGE-5"}]}), "violations/0 has no id"),
        (json.dumps(night(1) | {"warnings": [one("AUTH-8") | {"reproduced": 3}]}), "warnings/0/reproduced"),
        (json.dumps(night(1) | {"not_verified": [3]}), "not_verified/0 has no rule"),
        (json.dumps(night(1) | {"document": {}}), "its document has no name"),
    ],
)
def test_a_file_that_is_no_report_is_named_with_what_is_wrong(
    content: str | None, said: str, reports: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, with exit code 2."""
    bad = tmp_path / "bad.json"
    if content is not None:
        bad.write_text(content, "utf-8")

    assert cli.main(["compare", reports[0], str(bad)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert str(bad) in line
    assert said in line


def test_one_report_cannot_be_compared(reports: list[str]) -> None:
    """A page that cannot be written is an error too."""
    assert cli.main(["compare", reports[0]]) == 2
    assert cli.main(["compare", *reports, "--output", str(Path(reports[0]) / "no" / "page.md")]) == 2
