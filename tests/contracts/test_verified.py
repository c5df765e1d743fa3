"""Which rules an exchange verifies: those that it could have broken, and no others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from contracts.checks import run_checks
from contracts.checks.facts import derive_facts
from contracts.core.exchange import Exchange
from contracts.model.world import Model
from contracts.phases.requests import INGRESS, MODACK, PUT
from tests.contracts.models import accepted, defined, extended, live, refused, settled
from tests.contracts.runs import check_context, exchange
from tests.contracts.test_checks import (
    ACCEPTED,
    DEFINITION,
    LEASE,
    LINKED,
    OK,
    REFUSED,
    WORK,
    announced,
    beside,
    keyed,
)

EVERY_ANSWER = "PAGE-1 PAGE-8 SAFE-1 SAFE-2 "
"""What every answer of ingress verifies."""
A_BODY = "JSON-7 JSON-9 PAGE-4 PAGE-5 "
"""What an answer verifies whose body the page describes."""
A_REFUSAL = f"{EVERY_ANSWER}{A_BODY}PAGE-14 PAGE-15 PAGE-2 "

VERIFIED: dict[str, tuple[Exchange, str]] = {
    "work that is accepted": (exchange(INGRESS, 200, ACCEPTED, body=WORK), f"{EVERY_ANSWER}{A_BODY}AUTH-1"),
    "half a body": (exchange(INGRESS, 400, REFUSED, body=b"{"), f"{A_REFUSAL}AUTH-1 JSON-8"),
    "a version that is no number": (
        exchange(INGRESS, 400, REFUSED, body=b'{"payload":1,"version":"1"}'),
        f"{A_REFUSAL}AUTH-1",
    ),
    "no envelope": (exchange(INGRESS, 400, REFUSED, body=b'{"order":1}'), f"{A_REFUSAL}AUTH-1 PAGE-10"),
    "no key": (
        exchange(INGRESS, 401, REFUSED, body=WORK, key=None, www_authenticate="ApiKey"),
        f"{A_REFUSAL}AUTH-4 AUTH-8 AUTH-9",
    ),
    "a wrong key": (
        exchange(INGRESS, 401, REFUSED, body=WORK, key="wrong", www_authenticate="ApiKey"),
        f"{A_REFUSAL}AUTH-4 AUTH-8",
    ),
    "an extension": (exchange(MODACK, 200, OK, body=LEASE), f"{EVERY_ANSWER}{A_BODY}AUTH-1"),
    "an id that is none": (
        exchange(MODACK, 400, REFUSED, body=LEASE.replace(b'"1"', b'"x"')),
        f"{A_REFUSAL}AUTH-1 PAGE-9 PAGE-12",
    ),
    "another media type": (
        announced(exchange(MODACK, 415, REFUSED, body=LEASE), "text/plain"),
        f"{EVERY_ANSWER}AUTH-1 PAGE-15 PAGE-2",
    ),
    "text behind JSON": (exchange(MODACK, 400, REFUSED, body=LEASE + b"x"), f"{A_REFUSAL}AUTH-1 JSON-8"),
    "a definition": (
        exchange(PUT, 200, LINKED, body=DEFINITION),
        f"{A_BODY}AUTH-1 PAGE-3 PAGE-6 PAGE-7 PAGE-8 SAFE-1 SAFE-2",
    ),
    "a definition that is none": (
        exchange(PUT, 422, REFUSED, body=b"[]"),
        "AUTH-1 PAGE-13 PAGE-3 PAGE-8 PAGE-9 SAFE-1 SAFE-2",
    ),
    "the organisation of another path": (
        exchange(PUT, 403, REFUSED, body=DEFINITION, url="/v1/orgs/7/actions/definitions"),
        "AUTH-6 PAGE-13 PAGE-3 PAGE-8 SAFE-1 SAFE-2",
    ),
    "the key of another organisation": (
        exchange(PUT, 403, REFUSED, body=DEFINITION, key="good-key-two"),
        "AUTH-6 PAGE-13 PAGE-3 PAGE-8 SAFE-1 SAFE-2",
    ),
    "both headers of keys": (
        beside(exchange(INGRESS, 200, ACCEPTED, body=WORK), "wrong"),
        f"{EVERY_ANSWER}{A_BODY}AUTH-10",
    ),
    "a key in the header of another operation": (
        keyed(exchange(PUT, 401, REFUSED, body=DEFINITION, key=None), "authorization"),
        "AUTH-3 AUTH-8 PAGE-13 PAGE-3 PAGE-8 SAFE-1 SAFE-2",
    ),
    "another method": (
        exchange("GET /v1/modack", 405, b"", media=None, allow="POST"),
        "HTTP-1 HTTP-5 SAFE-1 SAFE-2",
    ),
    "OPTIONS": (
        exchange("OPTIONS /v1/modack", 204, b"", media=None, allow="OPTIONS, POST"),
        "HTTP-8 SAFE-1 SAFE-2",
    ),
    "a path that no page has": (
        replace(exchange("POST /v1/ingress/", 404, REFUSED), path=None),
        "HTTP-10",
    ),
    "a server error": (exchange(INGRESS, 500, REFUSED, body=WORK), f"{EVERY_ANSWER}AUTH-1"),
}
"""What is asked → the exchange, and the rules that its answer verifies."""


@pytest.mark.parametrize("case", VERIFIED)
def test_an_exchange_verifies_the_rules_that_it_could_have_broken(case: str) -> None:
    """Each of them once."""
    one, expected = VERIFIED[case]
    known, tested = check_context(), Counter[str]()
    known.learned.note("ingress body", "envelope")
    known.learned.note_definition("2", "1")
    known.learned.note_action("1", "1")
    known.learned.note_routed(*known.document.operations)

    list(run_checks(derive_facts(one, known), known, tested))

    assert tested == Counter(expected.split())


Step = Callable[[Model], Any]

OF_WORLD: dict[str, tuple[tuple[Step, ...], str]] = {
    "a new definition": ((defined,), "DEF-10 DEF-12 DEF-2"),
    "a changed definition": (
        (defined, lambda model: defined(model, 2, schema={"a": 1})),
        "DEF-1 DEF-10 DEF-12 DEF-3 READ-1",
    ),
    "the first work": ((defined, accepted), "ING-10 ING-3 ING-9 PAGE-11"),
    "further work": (
        (defined, accepted, lambda model: accepted(model, number="2")),
        "ING-10 ING-3 ING-7 ING-9 PAGE-11",
    ),
    "work that is refused": ((defined, refused), "PAGE-11"),
    "an unknown variant": ((refused,), "READ-1"),
}
OF_LEASES: dict[str, tuple[tuple[Step, ...], str]] = {
    "the current attempt": ((lambda model: extended(model, 0, 200, 10),), "ING-11 ING-12 LEASE-8 PAGE-11"),
    "the next attempt": ((lambda model: extended(model, 1, 409, 10),), "ING-12 LEASE-3 LEASE-7"),
    "an attempt that is over": (
        (lambda model: extended(model, 1, 200, 100), lambda model: extended(model, 0, 409, 101)),
        "ING-12 LEASE-3 LEASE-7",
    ),
    "an id that was not issued": ((lambda model: extended(model, 0, 404, 1, "7" * 18),), "LEASE-6"),
    "an id with zeros before it": ((lambda model: extended(model, 0, 404, 1, "001"),), "LEASE-9 READ-1"),
    "an action that has ended": (
        (lambda model: settled(model, "ack", 0, 200), lambda model: extended(model, 0, 409, 2)),
        "ING-12 LIFE-9",
    ),
    "a second ack": (
        (lambda model: settled(model, "ack", 0, 200), lambda model: settled(model, "ack", 0, 409, 2)),
        "ING-12 READ-1",
    ),
    "the next attempt of a deferred action": (
        (lambda model: settled(model, "defer", 0, 200), lambda model: extended(model, 1, 409, 3)),
        "ING-12 LEASE-3 LEASE-7 LIFE-11",
    ),
    "an attempt that is due later": (
        (lambda model: settled(model, "nack", 0, 200, far=True), lambda model: extended(model, 1, 409, 3)),
        "ING-12 LIFE-7",
    ),
}
"""What is asked → the steps of which the last one asks it, and the rules that its answer verifies."""


@pytest.mark.parametrize("case", [*OF_WORLD, *OF_LEASES])
def test_the_model_says_which_rules_an_answer_could_have_broken(case: str) -> None:
    """Those about what was stored before."""
    steps, expected = (OF_WORLD | OF_LEASES)[case]
    model = live() if case in OF_LEASES else Model(fits=lambda *_: True)
    for step in steps[:-1]:
        step(model)
    model.take_observations()

    steps[-1](model)

    assert set(model.take_observations().tested) == set(expected.split())
