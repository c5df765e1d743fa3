"""The state of a night on disk: when it is written, and what is read from it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from contracts import RunFinished
from contracts.commands.night_state import NIGHT, NightRecorder, resumed
from contracts.commands.usage import Usage
from contracts.core.events import Checkpoint, PhaseStarted, Progress
from contracts.core.target import Credential, Target
from tests.contracts.test_reports import KEY, finished

TARGET = Target("http://target", "http://target", Credential(KEY, "1", "MY_KEY"))
RUN = finished(ingress="http://target", keys=(("1", "MY_KEY"),), inconclusive="The run is not over.")
PROGRESS = Progress(
    ("one", "two"), 3, {"alias": "reaches nothing"}, {"LEASE-8": "no lease"}, {"ORG-1": "broken"}
)


class Night:
    """A recorder, and the runs of which it has written reports."""

    def __init__(self, directory: Path) -> None:
        self.reported: list[RunFinished] = []
        self.recorder = NightRecorder(directory, self.write)

    def write(self, run: RunFinished) -> None:
        """Take a run for a report that is written."""
        self.reported.append(run)


def test_the_state_is_written_each_time_and_the_reports_every_ten_seconds(tmp_path: Path) -> None:
    """Other events are no reason to write."""
    night = Night(tmp_path)
    night.recorder(PhaseStarted("first contact"))
    assert list(tmp_path.iterdir()) == []

    for requests, seconds in ((1, 0.0), (2, 9.0), (3, 10.5), (4, 11.5)):
        night.recorder(Checkpoint(replace(RUN, requests=requests, seconds=seconds), PROGRESS))
        assert json.loads((tmp_path / NIGHT).read_bytes())["report"]["requests"] == requests

    assert [run.requests for run in night.reported] == [1, 3]


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    """All of it; the key stands in the file as its variable."""
    Night(tmp_path).recorder(Checkpoint(RUN, PROGRESS))
    before = resumed(tmp_path, TARGET)

    assert KEY not in (tmp_path / NIGHT).read_text("utf-8")
    assert before.progress == PROGRESS
    one, other = before.run, RUN
    for member in "target document digest seed started seconds requests served interference run_id".split():
        assert getattr(one, member) == getattr(other, member), member
    assert one.not_verified.keys() == other.not_verified.keys()
    assert (one.tested, one.negatives, one.inconclusive) == (
        other.tested,
        other.negatives,
        other.inconclusive,
    )
    assert [finding.id for finding in one.violations] == [finding.id for finding in other.violations]
    assert [finding.id for finding in one.warnings] == [finding.id for finding in other.warnings]
    assert one.violations[0].exchanges[0].headers[0] == ("x-arklow-auth", KEY)
    assert one.secrets == TARGET.secrets


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (replace(TARGET, base_url="http://other"), "was at http://target, not at http://other"),
        (replace(TARGET, ingress_url="http://other"), "was at http://target"),
        (replace(TARGET, first=Credential(KEY, "2", "MY_KEY")), "was with keys of other organisations"),
        (replace(TARGET, second=Credential("two", "2", "B")), "was with keys of other organisations"),
    ],
)
def test_the_night_of_another_target_is_not_resumed(target: Target, said: str, tmp_path: Path) -> None:
    """Its interpretations and findings are not those of this one."""
    Night(tmp_path).recorder(Checkpoint(RUN, PROGRESS))

    with pytest.raises(Usage, match=said):
        resumed(tmp_path, target)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "No such file"),
        ("{", "is not what a night leaves behind"),
        ("[]", "is not what a night leaves behind"),
        ('{"report": {}}', "is not what a night leaves behind: KeyError"),
    ],
)
def test_a_missing_night_cannot_be_resumed(text: str | None, said: str, tmp_path: Path) -> None:
    """The message names the file."""
    if text is not None:
        (tmp_path / NIGHT).write_text(text)

    with pytest.raises(Usage, match=f"--resume: .*{NIGHT}.* ?{said}"):
        resumed(tmp_path, TARGET)
