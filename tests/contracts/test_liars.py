"""Every liar is caught by the rule that it breaks, and strangers that keep their promises are left alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Response, request

from contracts.rules import RULES, Severity
from tests.contracts.runs import judged, said
from tests.liars import FAULTS, Manners, Stranger, stranger
from tests.liars.stranger import Action, Definition, Operation, Refused, Wanted

CAUGHT = {
    "A02": "AUTH-4",
    "A08": "AUTH-3",
    "A14": "AUTH-9",
    "A03": "AUTH-4",
    "A12": "AUTH-4",
    "A15": "AUTH-4",
    "A17": "AUTH-4",
    "B01": "PAGE-8",
    "B13": "HTTP-1",
    "B14": "HTTP-5",
    "B19": "PAGE-8",
    "B23": "PAGE-8",
    "B27": "PAGE-8",
    "B28": "PAGE-8",
    "B30": "PAGE-8",
    "R04": "PAGE-5",
    "R10": "ING-10",
    "R11": "PAGE-5",
    "R15": "PAGE-4",
    "R17": "PAGE-1",
    "R25": "PAGE-4",
    "R28": "PAGE-5",
    "R35": "PAGE-6",
    "R41": "JSON-7",
    "R53": "PAGE-7",
    "S01": "LEASE-6",
    "S05": "LEASE-3",
    "S09": "DEF-3",
    "S15": "ING-3",
    "S28": "ING-7",
    "S29": "ING-9",
    "S32": "DEF-11",
    "S35": "ING-12",
    "S36": "ING-11",
    "S37": "DEF-10",
    "S39": "DEF-10",
    "S41": "LEASE-3",
    "S43": "ING-11",
    "V02": "PAGE-10",
    "V05": "PAGE-9",
    "V13": "PAGE-9",
    "V18": "PAGE-9",
    "V21": "PAGE-9",
    "V24": "PAGE-9",
    "V35": "JSON-8",
    "V41": "PAGE-11",
    "V43": "PAGE-11",
    "V49": "PAGE-12",
}
"""Fault → the rule that it breaks."""


class RefusesTheKeyInItsOwnHeader(Stranger):
    """Modack knows `Authorization` alone."""

    def authenticate(self, operation: Operation) -> str:
        if operation == "modack" and "x-arklow-auth" in request.headers:
            raise self.unauthorized()
        return super().authenticate(operation)


class ServesEveryOrganisation(Stranger):
    """A good key opens every organisation's path."""

    def check_org(self, org: str, org_id: str) -> None:
        """Nobody is asked."""


class RefusesWith422(Stranger):
    """Ingress answers a bad request with a status that its page does not list."""

    def status_of(self, operation: Operation, refused: Refused) -> int:
        return 422 if refused.status == 400 else refused.status


class Creates(Stranger):
    """PUT answers 201."""

    def render(self, operation: Operation, status: int, body: Any) -> Response:
        return super().render(operation, 201 if operation == "put" and status == 200 else status, body)


class RefusesWithAPage(Stranger):
    """PUT refuses with HTML."""

    def refuse(self, operation: Operation, refused: Refused) -> Response:
        return Response("<h1>No</h1>", 400) if operation == "put" else super().refuse(operation, refused)


class BeginsWithZero(Stranger):
    """The first version is 0."""

    def define(self, org: str, wanted: Wanted) -> Definition:
        return super().define(org, replace(wanted, version=wanted.version or 0))


class ForgetsTheLease(Stranger):
    """A lease is over as soon as it is granted."""

    def extend(self, action: Action, seconds: float) -> None:
        action.deadline = self.now()


OTHERS: dict[str, Callable[[], Stranger]] = {
    "AUTH-1": RefusesTheKeyInItsOwnHeader,
    "AUTH-6": ServesEveryOrganisation,
    "AUTH-8": lambda: Stranger(Manners(www_authenticate=False)),
    "PAGE-2": RefusesWith422,
    "PAGE-3": Creates,
    "PAGE-13": RefusesWithAPage,
    "DEF-2": BeginsWithZero,
    "LEASE-8": ForgetsTheLease,
    "LEASE-7": lambda: Stranger(Manners(stale=404)),
}
"""Rule → a liar for it, where the table of faults has none."""


@pytest.mark.parametrize("fault", CAUGHT)
def test_a_liar_is_caught_by_the_rule_it_breaks(fault: str) -> None:
    """The run listens to that rule alone, and ends when it has spoken."""
    with stranger(FAULTS[fault]()) as url:
        run = judged(url, CAUGHT[fault])

    assert list(said(run)) == [CAUGHT[fault]]
    assert run.exit_code == (1 if RULES[CAUGHT[fault]].severity is Severity.VIOLATION else 0)


@pytest.mark.parametrize("rule", OTHERS)
def test_a_liar_of_our_own_is_caught_too(rule: str) -> None:
    """For rules that no fault of the table breaks."""
    with stranger(OTHERS[rule]()) as url:
        run = judged(url, rule)

    assert list(said(run)) == [rule]


def test_every_rule_has_its_liar() -> None:
    """A check that has never failed proves nothing."""
    assert RULES.keys() - set(CAUGHT.values()) - OTHERS.keys() == set()


@pytest.mark.parametrize(
    "manners",
    [
        Manners(),
        Manners(unknown_variant="create", bad_version="refuse", upsert="keep", enforce_schema=False),
        Manners(body="raw-without-payload", alias="steal", alias_first=False, a_va="as-asked"),
        Manners(body="raw", control_refusals="200-null", extra_members=True, upsert="always-bump"),
        Manners(delivery="never", control_refusals="422", ids="small", negative_version="accept"),
        Manners(extend_from="deadline", html_404=True, stale=404, foreign_org=404, www_authenticate=False),
    ],
    ids=lambda manners: manners.body + " " + manners.unknown_variant + " " + manners.delivery,
)
def test_a_stranger_that_keeps_its_promises_is_not_accused(manners: Manners) -> None:
    """Whatever readings it takes; constructed sequences, walks and generated requests all run."""
    with stranger(Stranger(manners)) as url:
        run = judged(url, seconds=7.0)

    assert {
        rule: told for rule, told in said(run).items() if RULES[rule].severity is Severity.VIOLATION
    } == {}
    assert run.exit_code == 0
    assert run.opinions.differences == ()
