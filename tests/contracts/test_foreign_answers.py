"""What is not the envelope proves nothing: neither that a request was served nor that it was refused."""

from __future__ import annotations

import pytest
from werkzeug import Response

from contracts import RunFinished
from tests.contracts.disturbed import disturbed
from tests.mutants.foreign import always, message, now_and_then, page
from tests.mutants.interferences import Arrival


def judged(answer: Response, one_in: int = 40, seed: int = 7, seconds: float = 12.0) -> RunFinished:
    """Judge a conforming server before which a gateway answers one request in so many."""
    return disturbed(lambda clock: now_and_then(clock, lambda: answer, one_in), seed=seed, max_time=seconds)[
        0
    ]


def broken(run: RunFinished) -> set[str]:
    """The rules that a run found broken, warnings included."""
    return {one.rule for one in (*run.violations, *run.warnings)}


@pytest.mark.parametrize("draw", range(3))
@pytest.mark.parametrize("one_in", [40, 37, 11])
def test_a_page_of_a_gateway_now_and_then_breaks_the_media_type_and_nothing_else(
    draw: int, one_in: int
) -> None:
    """No request without a key was served by it, and no action was lost."""
    run = judged(page(200), one_in, draw)

    assert broken(run) == {"PAGE-4"}
    assert run.exit_code == 1


@pytest.mark.parametrize(
    ("answer", "rules"),
    [
        (message(200), {"PAGE-5"}),
        (message(400), {"PAGE-5"}),
        (message(401), {"PAGE-5", "AUTH-8"}),
        (message(404), {"PAGE-5", "PAGE-15"}),
        (message(409), {"PAGE-5", "PAGE-15"}),
        (message(422), {"PAGE-13", "PAGE-15"}),
        (page(403), {"PAGE-13", "PAGE-15"}),
        (page(401), {"PAGE-4", "AUTH-8"}),
        (page(409), {"PAGE-4", "PAGE-15"}),
    ],
    ids=lambda one: f"{one.status} {one.mimetype}" if isinstance(one, Response) else "",
)
def test_a_refusal_of_a_gateway_breaks_the_shape_of_its_status_at_most(
    answer: Response, rules: set[str]
) -> None:
    """It says nothing of keys, of ids, of leases, or of what is defined."""
    assert broken(judged(answer)) == rules


@pytest.mark.parametrize("answer", [message(500), page(500), page(501)], ids=["JSON", "HTML", "501"])
def test_a_server_error_of_a_gateway_now_and_then_accuses_no_application(answer: Response) -> None:
    """Sent again, its request is served: it is counted as interference."""
    run = judged(answer)

    assert broken(run) == set()
    assert run.interference[f"{answer.status_code} without the envelope"] > 10


@pytest.mark.parametrize("answer", [message(500), page(500)], ids=["JSON", "HTML"])
def test_a_server_error_that_comes_each_time_is_a_finding_whoever_words_it(answer: Response) -> None:
    """A server that crashes seldom finds the words of its envelope."""

    def crashed(arrival: Arrival) -> Response | None:
        return answer if b"metadata" in arrival.body else None

    run, _ = disturbed(lambda clock: always(clock, crashed), seed=7, max_time=8.0)

    assert "PAGE-8" in {one.rule for one in run.violations}
