"""The mock takes a file of interpretations that the judge wrote; the judge then finds the same interpretations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from arklow_local.formats.yaml_writer import write
from contracts import Plan, Run, RunFinished, Target
from contracts.model.interpretations import QUESTIONS as ASKED
from contracts.transport.throttle import Limits
from mock_server.domain.interpretations import Interpretations
from mock_server.seeds.interpretations_file import QUESTIONS, read
from tests.contracts.asgi import KEYS, judged_on
from tests.running_mock import mock
from tests.still_mock import StillMock

COMBINATIONS: dict[str, dict[str, str]] = {
    "lenient": {
        "ingress body": "envelope, whole without payload",
        "payload against its schema": "accepted",
        "unknown variant": "made on the fly",
        "an older version": "the current one is used",
        "an equal definition": "version + 1",
        "a lower explicit version": "not stored",
        "id of a changed definition": "changes",
        "an alias left out of an update": "removed",
        "alias that another definition has": "taken over",
        "a_va under an alias": "the alias",
        "a second ack": "accepted",
        "noughts before an id": "overlooked",
        "a nack after a defer": "accepted without effect",
    },
    "strict": {
        "a version that was never stored": "refused",
        "an older version": "refused",
        "a definition with other annotations": "same version",
        "a definition with other aliases": "same version",
        "a lower explicit version": "refused",
        "aliases of an update": "are added to those before",
        "alias against a variant of the same name": "the variant",
        "members that the page does not name": "refused",
    },
    "elsewhere": {
        "after a lower explicit version": "the highest one is current",
        "control-plane refusal": "200 with data null",
        "an attempt that is over": "404",
        "an attempt that has not begun": "404",
        "a variant in other letters": "is the same",
    },
    "unheeding": {
        "a changed definition": "same version",
        "a definition with other annotations": "same version",
        "a definition with other aliases": "same version",
        "an explicit version of a new definition": "not stored",
        "a higher explicit version": "not stored",
        "alias": "reaches nothing",
        "alias against a variant of the same name": "the variant",
    },
    "whole": {
        "ingress body": "whole body",
        "unknown variant": "made on the fly",
        "an older version": "the current one is used",
        "alias": "is a variant of its own",
        "alias against a variant of the same name": "the variant",
        "a definition that is put again": "refused",
        "a lower explicit version": "refused",
    },
}
"""Name of a deployment → its answers that are not the defaults. Every answer that the mock can take is in one of them, or
a default in one of them."""

NEVER_ASKED: dict[str, set[str]] = {
    "lenient": {"after a lower explicit version"},
    "strict": {"after a lower explicit version"},
    "elsewhere": set(),
    "unheeding": {"a_va under an alias"},
    "whole": {
        *("a_va under an alias", "a changed definition", "a definition with other annotations"),
        *("an equal definition", "a definition with other aliases", "a higher explicit version"),
        *("after a lower explicit version", "id of a changed definition"),
        *("an alias left out of an update", "aliases of an update"),
    },
}
"""Name of a deployment → questions that another of its answers makes meaningless; a file that answers them is refused."""

NOT_REPORTED: dict[str, set[str]] = {
    "lenient": set(),
    "strict": {
        "an older version"
    },  # the judge's schemas of older versions leave open whether work satisfies them
    "elsewhere": {
        "alias that another definition has",  # it counts only 4xx as a refusal there
        "an explicit version of a new definition",  # it waits after each 404, and then has no time left
    },
    # no version is ever below another
    "unheeding": {"an older version", "a lower explicit version", "after a lower explicit version"},
    "whole": {"an older version", "a lower explicit version"},  # found only in longer runs
}
"""Name of a deployment → questions that the judge cannot answer in so short a run."""

OTHER_WARNINGS: dict[str, set[str]] = {
    "lenient": {"PAGE-10"},  # a body without `payload` is taken, which only one of the pages allows (C1)
    "strict": set(),
    "elsewhere": {"DEF-3"},  # one above the highest is two above the one that was put last
    "unheeding": set(),
    "whole": {"PAGE-10"},
}
"""Name of a deployment → rules that may warn beside those that warn of one of its answers."""


def given(name: str) -> dict[str, str]:
    """Return the whole file of a combination: the defaults, except for what the combination says."""
    defaults = {question: known.default for question, known in QUESTIONS.items()}
    answers = defaults | COMBINATIONS[name]
    return {question: answer for question, answer in answers.items() if question not in NEVER_ASKED[name]}


def file(answers: Mapping[str, str]) -> str:
    """Return what the judge writes to its file of interpretations."""
    return write(
        {
            "target": "https://staging.example",
            "judged": "2026-11-21T22:00:00Z",
            "interpretations": dict(answers),
        },
        heading="# The interpretations that a deployment takes where the documentation is silent or contradicts itself.",
    )


def taken(text: str) -> Interpretations:
    """Return what the mock takes of a file."""
    return read(text.encode(), "interpretations.yaml").interpretations


def assert_found(run: RunFinished, name: str) -> None:
    """Assert that a run found what a combination is made of: at least twenty answers, and no rule broken by a lawful one.

    What it wrote down can be given to the mock again.
    """
    answers = given(name)
    warned_of = {
        warning.rule
        for question, asked in ASKED.items()
        for answer, warning in asked.warnings.items()
        if answer in run.interpretations.get(question, "").split(" or ")
    }
    assert [(finding.rule, finding.title) for finding in run.violations] == []
    assert {finding.rule for finding in run.warnings} <= warned_of | OTHER_WARNINGS[name]
    missing = answers.keys() - run.interpretations.keys()
    assert missing <= NOT_REPORTED[name] | {"another organisation's path"}, missing
    assert differences(answers, run.interpretations) == {}
    assert len(run.interpretations) >= 20
    same = {one: answers[one] for one in answers.keys() - missing}
    assert taken(file(run.interpretations)) == taken(file(same))


@pytest.mark.parametrize("name", COMBINATIONS)
def test_what_the_mock_takes_from_a_file_is_what_the_judge_finds(name: str) -> None:
    """In a run of 220 s, which pass as fast as the mock answers."""
    with StillMock(interpretations=taken(file(given(name)))) as still:
        run = judged_on(still, max_time=220)

    assert_found(run, name)
    assert [line for line in still.lines if "INTERNAL_ERROR" in line] == []


@pytest.mark.slow
def test_a_mock_that_runs_by_itself_takes_the_file_too(tmp_path: Path) -> None:
    """Over sockets; the file is named on its command line."""
    path = tmp_path / "interpretations.yaml"
    path.write_text(file(given("lenient")), "utf-8")
    with mock("serve", "--interpretations", str(path)) as running:
        url = f"http://127.0.0.1:{running.port}"
        run = Run(
            Plan(Target(url, url, *KEYS), seed=1, max_time=600, limits=Limits(requests=3_000), steady=True)
        ).judge()

    assert_found(run, "lenient")
    assert [line for line in running.lines if "INTERNAL_ERROR" in line] == []


def differences(answers: dict[str, str], reported: Mapping[str, str]) -> dict[str, str]:
    """Return what the judge reports differently; one of several answers is enough where a question is not binding."""
    return {
        question: reported[question]
        for question, answer in answers.items()
        if question in reported
        and answer != reported[question]
        and not (QUESTIONS[question].varies and answer in reported[question].split(" or "))
    }
