"""The cross-check with openapi-core: which answers it is asked about, and where its verdict differs from ours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from contracts.checks.cross_check import CrossCheck
from contracts.core.events import CrossChecked
from contracts.openapi.document import PUBLISHED, load
from contracts.openapi.openapi_core import OpenAPICoreValidator
from contracts.phases.requests import INGRESS, MODACK
from contracts.reports import html
from contracts.reports.console import summary_lines
from tests.contracts.runs import check_context, exchange, judged_in_process
from tests.contracts.test_reports import finished
from tests.mutants import ConformingServer

GOOD = b'{"data":{"a_id":"1","a_def_id":"2","queue_s":"queued","a_va":"v","a_ve":"1"}}'


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        (GOOD, False),
        (GOOD.replace(b"queued", b"gr\xfcn"), True),
        (GOOD.replace(b'"1"', b"NaN"), True),
        (GOOD[:30], True),
        (b"\xff\xfe{\x00}\x00", True),
        (b"[" * 100_000, True),
        (b'{"data":' + b"9" * 5_000 + b"}", True),
        (b"", True),
    ],
    ids=["good", "Latin-1", "NaN", "cut off", "UTF-16", "deep", "a long number", "empty"],
)
def test_any_answer_is_accepted_or_refused_with_a_reason(answer: bytes, refused: bool) -> None:
    """Where the message of the library cannot be printed, the name of its error is the reason."""
    reason = OpenAPICoreValidator(load(PUBLISHED)).why_refused(
        exchange(INGRESS, 200, answer), "/v1/ingress/order.created"
    )

    assert (reason is not None) is refused
    assert reason is None or 0 < len(reason) <= 300


REFUSED = b'{"data":null,"errors":[{"code":"C","message":"m"}]}'


def crossed(*answers: bytes, is_late: bool = False) -> CrossCheck:
    """Hear answers to work, then ask about them."""
    cross_check = CrossCheck(check_context())
    for answer in answers:
        cross_check.hear(exchange(INGRESS, 200, answer))
    asked(cross_check, is_late=is_late)
    return cross_check


def asked(cross_check: CrossCheck, *, is_late: bool = False) -> None:
    """Ask openapi-core about what was heard, if anything was."""
    why_refused = cross_check.prepare()
    if why_refused is not None:
        cross_check.ask(why_refused, lambda: is_late)


def test_answers_of_the_same_shape_are_asked_about_once_and_then_one_of_fifty() -> None:
    """Whatever their values are; another member makes another shape."""
    same = [GOOD.replace(b'"1"', b'"%d"' % number) for number in range(120)]
    cross_check = crossed(*same, GOOD.replace(b'"a_va"', b'"more":[1],"a_va"'))

    assert (cross_check.answers, cross_check.asked) == (121, 4)
    assert cross_check.differences == {}


def test_what_the_document_does_not_describe_is_not_asked_about() -> None:
    """Another method, a status without a schema, and a path that gateways may change."""
    cross_check = CrossCheck(check_context())
    for odd in (
        exchange("GET /v1/modack", 405),
        exchange(INGRESS, 418, GOOD),
        exchange(INGRESS, 200, GOOD, url="/v1/ingress/a%2Fb"),
    ):
        cross_check.hear(odd)
    asked(cross_check)

    assert (cross_check.answers, cross_check.asked) == (0, 0)


def test_no_more_answers_are_kept_than_there_is_time_to_ask_about() -> None:
    """Four hundred."""
    cross_check = CrossCheck(check_context())
    shown = exchange(MODACK, 404, REFUSED)
    for number in range(410):
        cross_check.hear(replace(shown, answer=REFUSED[:-1] + b',"m%d":1}' % number))
    asked(cross_check)

    assert (cross_check.answers, cross_check.asked) == (410, 400)


def test_a_difference_is_said_in_the_words_of_both() -> None:
    """A pattern of Python fits before the end of a line too, and one of JSON Schema does not."""
    assert list(crossed(GOOD.replace(b'"a_id":"1"', b'"a_id":"1\\n"')).differences) == [
        (
            "POST /v1/ingress/{variant} 200: openapi-core accepts it; "
            "ours data/a_id: a string that matches ^[0-9]+$"
        )
    ]


@pytest.mark.parametrize("odd", [GOOD.replace(b'"a_ve":"1"', b'"a_ve":1'), GOOD[:30]])
def test_where_both_refuse_an_answer_or_one_cannot_be_asked_there_is_no_difference(odd: bytes) -> None:
    """Each is asked all the same."""
    cross_check = crossed(odd)

    assert (cross_check.asked, cross_check.differences) == (1, {})


def test_an_answer_of_another_type_has_no_verdict_of_ours() -> None:
    """So it makes no difference."""
    cross_check = CrossCheck(check_context())
    cross_check.hear(exchange(INGRESS, 200, GOOD, media="text/html"))
    asked(cross_check)

    assert (cross_check.asked, cross_check.differences) == (1, {})


def test_a_machine_that_is_late_still_asks_about_a_few() -> None:
    """Ten, and the rest when there is time."""
    cross_check = CrossCheck(check_context())
    for number in range(30):
        cross_check.hear(exchange(MODACK, 404, REFUSED[:-1] + b',"m%d":1}' % number))

    asked(cross_check, is_late=True)

    assert (cross_check.asked, cross_check.answers, cross_check.not_done) == (10, 30, "")


def test_what_was_not_done_has_its_reason() -> None:
    """Before it is done, without an answer, and where the library cannot use the document."""
    context = check_context()
    cross_check = CrossCheck(context)
    assert cross_check.not_done == "the run had not come to it"

    assert cross_check.prepare() is None
    assert cross_check.not_done == "no documented answer came"

    other = CrossCheck(replace(context, document=replace(context.document, content={"paths": {"/a": []}})))
    other.hear(exchange(INGRESS, 200, GOOD))
    assert other.prepare() is None
    assert other.not_done.startswith("openapi-core cannot use the document: ")


@pytest.mark.parametrize(
    ("cross_check", "said"),
    [
        (CrossChecked(5, 10), "judged 5 of 10 documented answers as a cross-check, and agreed on these."),
        (CrossChecked(0, 10, (), "the time was up"), "was not done: the time was up."),
    ],
)
def test_a_report_says_how_many_answers_were_judged_or_why_none(
    cross_check: CrossChecked, said: str, tmp_path: Path
) -> None:
    """It never says that the validators agreed where one of them was not asked."""
    run = finished(cross_check=cross_check)
    html.write(run, tmp_path)
    page, screen = (
        (tmp_path / "report.html").read_text("utf-8"),
        "\n".join(one.plain for one in summary_lines(run)),
    )

    assert said in page
    assert ("agreed" in page) is (cross_check.asked > 0)
    assert ("Cross-check   not done: the time was up" in screen) is (cross_check.asked == 0)


def test_a_run_counts_the_time_of_the_cross_check_from_when_its_library_is_there() -> None:
    """So that a run has judged some of its answers."""
    run = judged_in_process(lambda clock: ConformingServer(clock=clock), max_time=1.0)

    assert run.cross_check.asked >= 10
    assert (run.cross_check.not_done, run.cross_check.differences) == ("", ())
    alone = judged_in_process(lambda clock: ConformingServer(clock=clock), "PAGE-5", max_time=1.0)
    assert alone.cross_check.not_done == "the run was for single rules"
