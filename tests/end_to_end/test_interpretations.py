"""What a judge has written of a deployment, taken by the mock and judged again: the same interpretations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from arklow_local.formats.yaml_writer import write
from contracts import (
    Credential,
    Plan,
    Run,
    RunFinished,
    Target,
)
from contracts.model.interpretations import QUESTIONS as ASKED
from mock_server.domain.interpretations import Interpretations
from mock_server.seeds.interpretations_file import QUESTIONS, read
from tests.running_mock import mock

KEYS = Credential("org-41", "41", "A"), Credential("org-42", "42", "B")

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
"""Answers other than the usual ones, as one deployment may have them; every answer that can be taken is in one, or usual
in one."""

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
"""What another answer makes meaningless; such a file is refused."""

UNTOLD: dict[str, set[str]] = {
    "lenient": set(),
    "strict": {
        "an older version"
    },  # the judge's schemas of older versions leave it open whether work fits them
    "elsewhere": {
        "alias that another definition has",  # it takes 4xx alone for a refusal there
        "an explicit version of a new definition",  # it waits for what is 404, and then has no time left for this
    },
    # no version is ever below another
    "unheeding": {"an older version", "a lower explicit version", "after a lower explicit version"},
    "whole": {"an older version", "a lower explicit version"},  # likewise, but for longer runs
}
"""What the judge does not find out in so short a run."""

SAID: dict[str, set[str]] = {
    "lenient": {"PAGE-10"},  # a body without `payload` is taken, which only one of the pages allows (C1)
    "strict": set(),
    "elsewhere": {"DEF-3"},  # one above the highest is two above the one that was put last
    "unheeding": set(),
    "whole": {"PAGE-10"},
}
"""Warnings that may be heard beside those that are remarks on an answer."""


def given(name: str) -> dict[str, str]:
    """The whole file of a combination: what is usual, but for what it says otherwise."""
    usual = {question: known.default for question, known in QUESTIONS.items()}
    answers = usual | COMBINATIONS[name]
    return {question: answer for question, answer in answers.items() if question not in NEVER_ASKED[name]}


def file(answers: Mapping[str, str]) -> str:
    """What the judge writes."""
    return write(
        {
            "target": "https://staging.example",
            "judged": "2026-11-21T22:00:00Z",
            "interpretations": dict(answers),
        },
        heading="# The interpretations that a deployment takes where the documentation is silent or contradicts itself.",
    )


def judged(path: Path, seconds: float) -> RunFinished:
    """A run against a mock that takes a file: of ten seconds, or of longer where each 404 is waited for."""
    with mock("serve", "--interpretations", str(path)) as running:
        url = f"http://127.0.0.1:{running.port}"
        run = Run(Plan(Target(url, url, *KEYS), seed=1, max_time=seconds)).judge()
    assert [line for line in running.lines if "INTERNAL_ERROR" in line] == []
    return run


def taken(answers: Mapping[str, str]) -> Interpretations:
    return read(file(answers).encode(), "interpretations.yaml").interpretations


@pytest.mark.parametrize("name", COMBINATIONS)
def test_what_the_mock_takes_from_a_file_is_what_the_judge_finds(tmp_path: Path, name: str) -> None:
    """At least twenty interpretations each; nothing is held against a lawful one, and what the judge reports is a file again."""
    answers = given(name)
    path = tmp_path / "interpretations.yaml"
    path.write_text(file(answers), "utf-8")

    run = judged(path, 20.0 if name == "elsewhere" else 10.0)

    remarked = {
        remark.rule
        for question, asked in ASKED.items()
        for answer, remark in asked.warnings.items()
        if answer in run.interpretations.get(question, "").split(" or ")
    }
    print(run.requests, run.seconds, len(run.interpretations))
    assert [(finding.rule, finding.title) for finding in run.violations] == []
    assert {finding.rule for finding in run.warnings} <= remarked | SAID[name]
    untold = answers.keys() - run.interpretations.keys()
    assert untold <= UNTOLD[name] | {"another organisation's path"}, untold
    assert differences(answers, run.interpretations) == {}
    assert len(run.interpretations) >= 20
    assert taken(run.interpretations) == taken({one: answers[one] for one in answers.keys() - untold})


def differences(answers: dict[str, str], told: Mapping[str, str]) -> dict[str, str]:
    """What the judge reports otherwise; one of several answers is enough where a deployment need not keep to one."""
    return {
        question: told[question]
        for question, answer in answers.items()
        if question in told
        and answer != told[question]
        and not (QUESTIONS[question].varies and answer in told[question].split(" or "))
    }
