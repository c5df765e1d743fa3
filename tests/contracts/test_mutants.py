"""Every mutant is caught by the rule that it breaks, and conforming variants that keep their promises are left alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from typing import Any

import pytest
from flask import Response, request

from contracts import RunFinished
from contracts.core.rules import RULES, Severity
from contracts.phases.scenarios import SCENARIOS, races
from contracts.run.scheduler import ANYWHERE
from tests.contracts.runs import judged, said, sequence
from tests.mutants import (
    CONFORMING_VARIANTS,
    DEPLOYMENTS,
    HOLDOUT,
    MUTANTS,
    RACING,
    Choices,
    ConformingServer,
)
from tests.mutants.conforming_server import (
    Action,
    Definition,
    Operation,
    Refused,
    RequestedDefinition,
)
from tests.serving import serving

CAUGHT = {
    "A02": "AUTH-4",
    "A03": "AUTH-4",
    "A07": "AUTH-4",
    "A08": "AUTH-3",
    "A12": "AUTH-4",
    "A13": "AUTH-4",
    "A14": "AUTH-9",
    "A15": "AUTH-4",
    "A17": "AUTH-4",
    "A19": "SAFE-1",
    "B01": "PAGE-8",
    "B13": "HTTP-1",
    "B14": "HTTP-5",
    "B21": "PAGE-8",
    "B22": "PAGE-8",
    "B24": "PAGE-8",
    "B26": "HTTP-7",
    "B28": "PAGE-8",
    "B29": "PAGE-8",
    "B30": "PAGE-8",
    "B32": "PAGE-8",
    "B34": "HTTP-8",
    "R03": "PAGE-5",
    "R04": "PAGE-5",
    "R07": "PAGE-5",
    "R10": "ING-10",
    "R11": "PAGE-5",
    "R12": "PAGE-5",
    "R13": "JSON-7",
    "R15": "PAGE-4",
    "R17": "PAGE-1",
    "R18": "PAGE-1",
    "R21": "PAGE-5",
    "R22": "PAGE-5",
    "R23": "PAGE-5",
    "R25": "PAGE-4",
    "R26": "PAGE-5",
    "R28": "PAGE-5",
    "R30": "PAGE-5",
    "R31": "PAGE-5",
    "R32": "PAGE-5",
    "R33": "PAGE-5",
    "R34": "PAGE-5",
    "R35": "PAGE-6",
    "R40": "JSON-7",
    "R41": "JSON-7",
    "R43": "JSON-7",
    "R45": "SAFE-2",
    "R46": "PAGE-5",
    "R47": "PAGE-5",
    "R50": "JSON-7",
    "R53": "PAGE-7",
    "S01": "LEASE-6",
    "S04": "LEASE-3",
    "S05": "LEASE-3",
    "S06": "LEASE-7",
    "S07": "LIFE-9",
    "S09": "DEF-3",
    "S11": "DEF-7",
    "S13": "ING-1",
    "S15": "ING-3",
    "S16": "ING-14",
    "S20": "ING-7",
    "S28": "ING-7",
    "S29": "ING-9",
    "S32": "DEF-11",
    "S33": "PAGE-8",
    "S35": "ING-12",
    "S36": "ING-11",
    "S37": "ING-3",
    "S39": "DEF-10",
    "S41": "LEASE-8",
    "S43": "ING-11",
    "V01": "PAGE-10",
    "V02": "PAGE-10",
    "V03": "PAGE-10",
    "V04": "PAGE-10",
    "V05": "PAGE-9",
    "V06": "PAGE-10",
    "V07": "PAGE-9",
    "V08": "PAGE-9",
    "V10": "PAGE-9",
    "V11": "PAGE-9",
    "V13": "PAGE-9",
    "V14": "PAGE-9",
    "V18": "PAGE-9",
    "V21": "PAGE-9",
    "V22": "PAGE-9",
    "V24": "PAGE-9",
    "V25": "PAGE-9",
    "V26": "PAGE-9",
    "V27": "PAGE-9",
    "V34": "JSON-8",
    "V35": "JSON-8",
    "V37": "PAGE-9",
    "V41": "PAGE-11",
    "V43": "PAGE-11",
    "V45": "PAGE-11",
    "V46": "PAGE-11",
    "V49": "PAGE-12",
    "V50": "PAGE-9",
}
"""Mutant of the table → the rule that it breaks."""

HELD_OUT = {
    "H111": "ING-15",
    "H135": "LIFE-11",
    "H136": "LIFE-13",
    "H137": "LIFE-7",
    "H155": "HTTP-9",
    "H112": "DEF-10",
    "H113": "DEF-10",
    "H025": "PAGE-14",
    "H026": "PAGE-2",
    "H027": "PAGE-2",
    "H028": "PAGE-2",
    "H036": "PAGE-3",
    "H043": "LEASE-9",
    "H049": "PAGE-9",
    "H053": "JSON-5",
    "H071": "PAGE-16",
    "H073": "PAGE-16",
    "H074": "PAGE-16",
    "H075": "DEF-1",
    "H083": "PAGE-11",
    "H086": "LEASE-6",
    "H087": "AUTH-6",
    "H088": "ORG-1",
    "H089": "AUTH-1",
    "H095": "AUTH-10",
    "H096": "PAGE-2",
    "H098": "AUTH-1",
    "H099": "READ-1",
    "H101": "READ-1",
    "H102": "READ-1",
    "H103": "DEF-11",
    "H104": "ING-3",
    "H105": "ING-3",
    "H109": "DEF-2",
    "H110": "DEF-2",
    "H114": "ING-7",
    "H117": "ING-7",
    "H118": "ING-10",
    "H119": "ING-9",
    "H120": "READ-1",
    "H121": "LEASE-8",
    "H133": "LIFE-9",
}
"""The same of faults that the table does not have."""

RACED = {
    "X01": "ING-7",
    "X02": "RACE-1",
    "X04": "RACE-1",
    "X05": "RACE-1",
}
"""The same of faults that only show while calls overlap."""

LEFT_TO_THE_MATRIX = {"A16", "B09", "B19", "B20", "B23", "B25", "B27", "S23"}
"""Faults of the table that are caught, but take many seconds: `python -m tests.mutants.matrix` has them."""

ESCAPES = {"S42"}
"""Faults of the table that no rule catches when it listens alone."""


class RefusesTheKeyInItsOwnHeader(ConformingServer):
    """Modack knows `Authorization` alone."""

    def authenticate(self, operation: Operation) -> str:
        if operation == "modack" and "x-arklow-auth" in request.headers:
            raise self.unauthorized()
        return super().authenticate(operation)


class ServesEveryOrganisation(ConformingServer):
    """A good key opens every organisation's path."""

    def check_org(self, org: str, org_id: str) -> None:
        """Nobody is asked."""


class RefusesWith422(ConformingServer):
    """Ingress answers a bad request with a status that its page does not list."""

    def status_of(self, operation: Operation, refused: Refused) -> int:
        return 422 if refused.status == 400 else refused.status


class Creates(ConformingServer):
    """PUT answers 201."""

    def render(self, operation: Operation, status: int, body: Any) -> Response:
        return super().render(operation, 201 if operation == "put" and status == 200 else status, body)


class RefusesWithAPage(ConformingServer):
    """PUT refuses with HTML."""

    def refuse(self, operation: Operation, refused: Refused) -> Response:
        return Response("<h1>No</h1>", 400) if operation == "put" else super().refuse(operation, refused)


class BeginsWithZero(ConformingServer):
    """The first version is 0."""

    def define(self, org: str, requested: RequestedDefinition) -> Definition:
        return super().define(org, replace(requested, version=requested.version or 0))


class ForgetsTheLease(ConformingServer):
    """A lease is over as soon as it is granted."""

    def extend(self, action: Action, seconds: float) -> None:
        action.deadline = self.now()


class SaysItsDataTwice(ConformingServer):
    """A refusal of work has two members `errors`."""

    def render(self, operation: Operation, status: int, body: Any) -> Response:
        answer = super().render(operation, status, body)
        if status == 400:
            answer.set_data(answer.get_data().replace(b"{", b'{"errors": null, ', 1))
        return answer


class RefusesInWords(ConformingServer):
    """Ingress refuses with a status that its page does not list, and in plain words."""

    def refuse(self, operation: Operation, refused: Refused) -> Response:
        if operation == "ingress" and refused.status == 400:
            return Response("no", 422, content_type="text/plain")
        return super().refuse(operation, refused)


class TakesLongToSayNo(ConformingServer):
    """An id that nobody has is looked for during more than a second."""

    def find(self, org: str, action_id: str) -> Action:
        if action_id not in self.actions:
            time.sleep(1.2)
        return super().find(org, action_id)


class DatesItsDefinitions(ConformingServer):
    """`deleted_at` is a date without a time."""

    def render(self, operation: Operation, status: int, body: Any) -> Response:
        if operation == "put" and body["data"]:
            body["data"]["deleted_at"] = "2026-01-01"
        return super().render(operation, status, body)


OTHERS: dict[str, Callable[[], ConformingServer]] = {
    "AUTH-1": RefusesTheKeyInItsOwnHeader,
    "AUTH-6": ServesEveryOrganisation,
    "AUTH-8": lambda: ConformingServer(Choices(www_authenticate=False)),
    "PAGE-2": RefusesWith422,
    "PAGE-3": Creates,
    "PAGE-6": DatesItsDefinitions,
    "PAGE-13": RefusesWithAPage,
    "PAGE-15": RefusesInWords,
    "DEF-2": BeginsWithZero,
    "HTTP-6": TakesLongToSayNo,
    "JSON-9": SaysItsDataTwice,
    "LEASE-8": ForgetsTheLease,
    "LEASE-7": lambda: ConformingServer(Choices(stale=404)),
    "DEF-7": lambda: ConformingServer(Choices(alias="steal")),
    "ING-1": lambda: ConformingServer(Choices(alias_first=False)),
    "ING-12": lambda: MUTANTS["S35"](Choices(ids="long")),
    "ING-14": lambda: ConformingServer(Choices(a_va="as-asked")),
    "PAGE-10": lambda: ConformingServer(Choices(body="raw-without-payload")),
}
"""Rule → a mutant for it of our own; where the rule is a warning, it may be an interpretation that is taken honestly."""


def listened(url: str, rule: str) -> RunFinished:
    """A run that listens to one rule and ends when it has spoken."""
    run = judged(url, rule)

    assert list(said(run)) == [rule]
    assert run.exit_code == (1 if RULES[rule].severity is Severity.VIOLATION else 0)
    return run


@pytest.mark.parametrize("fault", CAUGHT)
def test_a_mutant_is_caught_by_the_rule_it_breaks(fault: str) -> None:
    """The run listens to that rule alone."""
    with serving(MUTANTS[fault]()) as url:
        listened(url, CAUGHT[fault])


@pytest.mark.parametrize("fault", HELD_OUT)
def test_a_mutant_that_nobody_had_in_mind_is_caught_too(fault: str) -> None:
    """The rules were not written for them."""
    with serving(HOLDOUT[fault]()) as url:
        listened(url, HELD_OUT[fault])


@pytest.mark.parametrize("fault", RACED)
def test_a_mutant_that_lies_to_many_at_once_is_caught(fault: str) -> None:
    """One call after the other it keeps every promise."""
    with serving(RACING[fault]()) as url:
        listened(url, RACED[fault])


def test_a_server_that_fails_when_it_is_busy_is_caught_by_being_kept_busy() -> None:
    """Each answer of a volley is judged as if it were alone."""
    with serving(RACING["X03"]()) as url:
        playing = sequence(url)
        races.updates.play(playing)
        playing.client.close()

    [finding] = [one for one in playing.judge.ledger.violations if one.rule == "PAGE-8"]
    assert finding.concurrent


@pytest.mark.parametrize("rule", OTHERS)
def test_a_mutant_of_our_own_is_caught_too(rule: str) -> None:
    """Most of them for rules that no fault of the table breaks."""
    with serving(OTHERS[rule]()) as url:
        listened(url, rule)


def test_every_rule_has_its_mutant() -> None:
    """A check that has never failed proves nothing."""
    caught = {*CAUGHT.values(), *HELD_OUT.values(), *RACED.values(), *OTHERS}

    assert caught | {"READ-2"} == RULES.keys()


def test_another_interpretation_than_the_expected_one_is_a_warning() -> None:
    """A lawful choice has changed between two builds; the one that is as expected is not named."""
    expected = {"unknown variant": "made on the fly", "ingress body": "envelope"}
    with serving(ConformingServer(Choices(operations="all"))) as url:
        run = judged(url, "READ-2", expected=expected)

    assert [(one.rule, one.place) for one in run.warnings] == [("READ-2", "unknown variant")]
    assert run.exit_code == 0


def test_every_fault_of_the_table_that_is_owed_a_word_gets_one() -> None:
    """But for those that would take too long here, and those that are known to escape."""
    owed = {fault.id for fault in MUTANTS.values() if fault.verdict != "none"}

    assert CAUGHT.keys() == owed - LEFT_TO_THE_MATRIX - ESCAPES


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_is_listened_to_alone_is_put_to_the_test(rule: str) -> None:
    """Some sequence is for it, or any exchange may break it."""
    assert rule in ANYWHERE.union(*(scenario.rules for scenario in SCENARIOS))


HONEST = {
    "plain": Choices(operations="all"),
    "open": Choices(
        unknown_variant="create",
        body="raw-without-payload",
        upsert="always-bump",
        alias="steal",
        alias_first=False,
        a_va="as-asked",
        enforce_schema=False,
        ids="small",
        operations="all",
        second_ack="ok",
        nack_after_defer="ignore",
        update_id="changes",
        omitted_alias="emptied",
    ),
    "strict": Choices(
        bad_version="refuse",
        control_refusals="422",
        extra_request_members="refused",
        bad_schema="refused",
        lower_version="refused",
        www_authenticate=False,
        stale=404,
        foreign_org=404,
        html_404=True,
    ),
    "raw": Choices(
        body="raw",
        upsert="keep",
        control_refusals="200-null",
        negative_version="accept",
        lower_version="ignored",
        extra_members=True,
        ids="long",
        destinations=True,
        chunked_answers=True,
        key_order=True,
        error_texts="german",
    ),
    "undelivered": Choices(delivery="never", operations="all"),
    "late": Choices(first_delivery=0.4, extend_from="deadline", operations="all"),
}
"""Servers that keep every promise, each in a manner of its own."""


@pytest.mark.parametrize("name", HONEST)
def test_a_conforming_variant_that_keeps_its_promises_is_not_accused(name: str) -> None:
    """Whatever interpretations it takes; constructed sequences, walks and generated requests all run."""
    with serving(ConformingServer(HONEST[name])) as url:
        run = judged(url, seconds=5.0)

    assert (run.violations, run.exit_code, run.inconclusive) == ((), 0, None)
    assert run.cross_check.differences == ()


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_an_honest_server_is_not_accused_wherever_it_stands(name: str) -> None:
    """Behind a gateway, on nodes that learn one after the other, beside a sink, with numbers of its own."""
    with serving(DEPLOYMENTS[name]()) as url:
        run = judged(url, seconds=5.0)

    assert (run.violations, run.exit_code, run.inconclusive) == ((), 0, None)


def test_every_choice_of_a_conforming_variant_is_among_the_honest() -> None:
    """Each value that any of the known conforming variants has."""

    def values(choices: Iterable[Choices]) -> set[tuple[str, object]]:
        return {(one.name, getattr(each, one.name)) for each in choices for one in fields(Choices)}

    assert values(HONEST.values()) == values(CONFORMING_VARIANTS.values())
