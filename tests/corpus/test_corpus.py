"""The stored requests are answered as they were when they were recorded."""

from __future__ import annotations

import pytest

from tests.corpus.comparing import differences
from tests.corpus.renamed import answer_now, request_now
from tests.corpus.steps import Answer, Request, load, names


@pytest.mark.parametrize("world", names())
def test_a_world_answers_as_it_did(world: str) -> None:
    """Status, all headers and every byte; the first differences are shown."""
    found = list(differences(load()[world]))

    assert not found, f"{len(found)} answers differ\n\n" + "\n\n".join(map(str, found[:3]))


def test_a_renamed_text_adjusts_lengths() -> None:
    """In a request and in an answer."""
    renames = (("trouble", "fault"),)
    request = Request("admin", "POST", "/troubles", (("content-length", "11"),), b'{"trouble"}')
    answer = Answer(200, (("x-trouble", "1"), ("content-length", "11")), b'{"trouble"}')

    sent, expected = request_now(request, renames), answer_now(answer, renames)

    assert (sent.target, sent.headers, sent.body) == ("/faults", (("content-length", "9"),), b'{"fault"}')
    assert (expected.headers, expected.body) == ((("x-fault", "1"), ("content-length", "9")), b'{"fault"}')
