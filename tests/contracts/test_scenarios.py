"""Constructed sequences by themselves: what each shows of a server that is lawful, and of one that is not."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from flask import Response, request
from werkzeug.exceptions import HTTPException

from contracts.checks.context import CheckContext
from contracts.core.ledger import Ledger
from contracts.openapi.document import load
from contracts.openapi.schemas import DocumentSchemas
from contracts.oracle.judge import Judge
from contracts.phases.api import Api
from contracts.phases.policy import TrafficPolicy
from contracts.phases.requests import PUT, NotReached
from contracts.phases.scenarios import SCENARIOS, Scenario, definitions, leases, races, requests
from contracts.transport.client import Client
from tests import vendor
from tests.clocks import VirtualClock
from tests.contracts.in_process import InProcessTransport
from tests.contracts.replays import PREFIX, Make, on
from tests.contracts.runs import URL, rules, target
from tests.mutants import Choices, ConformingServer
from tests.mutants.conforming_server import Action, Definition, Refused, RequestedDefinition, Work


def played(scenario: Scenario, api: Api) -> Api:
    """Play a scenario; what it waits for passes at once."""
    steps = scenario.play(api)
    for seconds in steps or ():
        api.client.clock.wait(seconds)
        api.sequence.note_wait(seconds)
    return api


def against(scenario: Scenario, make: Make, **policy: Any) -> Api:
    """Play a scenario against a new server."""
    stage = on(make)
    api = stage.api
    if policy:
        api = Api(api.client, api.judge, Random(7), PREFIX, replace(TrafficPolicy(), **policy))
    return played(scenario, api)


def shown(api: Api) -> set[str]:
    """Return the rules that a sequence has shown to be broken."""
    return {*rules(api.judge.ledger.all()), *rules(api.sequence.suspicions)}


ALL = Choices(operations="all")
OTHERS = (*requests.wire[1:], requests.others, requests.large, races.updates, races.explicit_versions)
"""Scenarios that have tests of their own, or take hundreds of requests."""


@pytest.mark.parametrize(
    "scenario", [one for one in SCENARIOS if one not in OTHERS], ids=lambda one: one.title
)
def test_a_scenario_accuses_no_conforming_server(scenario: Scenario) -> None:
    """It needs no other one before it, but for how bodies and versions are read."""
    stage = on(lambda clock: ConformingServer(ALL, clock=clock))
    stage.api.context.learned.note("ingress body", "envelope")
    stage.api.model.first_answers["a higher explicit version"] = "stored"
    played(scenario, stage.api)

    assert stage.api.judge.ledger.violations == []
    assert stage.api.sequence.suspicions == ()
    assert stage.api.client.requests >= 2


# The catalogue of requests that no value can express


class Odd(ConformingServer):
    """Refuses the name of a media type in capitals."""

    def check_content_type(self, operation: Any) -> None:
        super().check_content_type(operation)
        if "APPLICATION" in (request.content_type or ""):
            raise Refused(400, "MEDIA_TYPE", "in small letters")


def test_what_must_be_served_and_is_refused_breaks_the_page() -> None:
    """Each time it is sent, while the same request without the oddity is served."""
    found = [one for one in against(requests.wire[0], Odd).judge.ledger.all() if one.rule == "PAGE-11"]

    assert found
    assert {one.title for one in found} == {
        "A request that keeps its page is refused: media type 'APPLICATION/JSON'"
    }
    assert all(one.exchanges[-1].status == 400 for one in found)


class FailsDeepDown(ConformingServer):
    """Fails on objects of 250 to 399 levels, and refuses more."""

    def read_body(self, operation: Any) -> Any:
        levels = request.get_data().count(b"{")
        if levels >= 250:
            raise Refused(500 if levels < 400 else 400, "DEEP", "too deep")
        return super().read_body(operation)


def test_a_server_error_at_a_depth_below_the_limit_is_found_with_few_requests() -> None:
    """A limit is a refusal (RFC 8259 §9)."""
    api = against(requests.depths, FailsDeepDown)

    assert rules(api.judge.ledger.all()) == ["PAGE-8"]
    assert api.client.requests <= 6


def test_a_path_without_a_route_is_answered_with_a_refusal() -> None:
    """HTTP-10: a warning for each place where paths begin to differ from those of the pages."""

    class Fails(ConformingServer):
        def unrouted(self, error: HTTPException) -> Response:
            return self.refuse("none", Refused(500, "INTERNAL_ERROR", "a mistake"))

    found = against(requests.paths, Fails).judge.ledger.warnings

    assert [(one.rule, one.operation) for one in found] == [
        ("HTTP-10", "POST /v1/ingress/"),
        ("HTTP-10", "POST /v1/ingress/…"),
        ("HTTP-10", "POST /v1/…"),
    ]


def test_only_mild_requests_are_sent_where_others_are_not_allowed() -> None:
    """None of many levels, and none of the large ones."""

    def deepest(api: Api) -> int:
        return max((one.body or b"").count(b"[") for one in api.exchanges)

    assert deepest(against(requests.wire[0], ConformingServer, intrusive=False)) <= 64
    assert deepest(against(requests.wire[0], ConformingServer, intrusive=True)) == 500
    with pytest.raises(NotReached, match="large bodies need --intrusive"):
        against(requests.large, ConformingServer, intrusive=False)


class Small(ConformingServer):
    """Cuts the connection off from 50,000 bytes on."""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if int(environ.get("CONTENT_LENGTH") or 0) > 50_000:
            raise ConnectionResetError
        return super().__call__(environ, start_response)


def test_a_server_that_drops_large_bodies_is_found() -> None:
    """HTTP-7: it has to answer, and small bodies beside them are answered."""
    found = against(requests.large, Small).judge.ledger.all()

    assert rules(found) == ["HTTP-7"]
    assert "100,000 bytes" in found[0].title


class Forgetting(ConformingServer):
    """Begins anew when it is sent 100,000 bytes."""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if int(environ.get("CONTENT_LENGTH") or 0) > 100_000:
            self.__init__(self.choices, clock=self.clock)  # type: ignore[misc]
        return super().__call__(environ, start_response)


def test_a_large_body_that_a_restarted_server_refuses_is_no_finding() -> None:
    """It refuses a small one as well, as it does not know the definition any more."""
    assert against(requests.large, Forgetting).judge.ledger.all() == []


def test_large_bodies_are_served_or_refused() -> None:
    """A lawful server is sent bodies of a megabyte, and more levels than any parser reads."""
    api = against(requests.large, ConformingServer)

    assert api.judge.ledger.violations == []
    assert max(len(one.body or b"") for one in api.exchanges) >= 1_000_000
    assert api.judge.ledger.tested["HTTP-7"] == 3


# Ids


class CountedApart(ConformingServer):
    """Each organisation counts its own actions, and has its own under each number."""

    def accept(self, definition: Definition, version: int, posted_as: str, work: Work) -> Action:
        action = super().accept(definition, version, posted_as, work)
        number = self.__dict__.setdefault("counts", Counter())
        number[definition.org_id] += 1
        self.actions[f"{definition.org_id} {number[definition.org_id]}"] = self.actions.pop(action.id)
        action.id = str(number[definition.org_id])
        return action

    def find(self, org: str, action_id: str) -> Action:
        return super().find(org, f"{org} {action_id}")


def test_ids_are_shared_only_where_one_counter_is_shown() -> None:
    """Counters of two organisations may stand at the same number; one that serves both goes on where the other came to."""
    small = Choices(ids="small")
    apart = against(definitions.organisations, lambda clock: CountedApart(small, clock=clock))
    together = against(definitions.organisations, lambda clock: ConformingServer(small, clock=clock))

    assert (apart.model.ids_are_shared, shown(apart)) == (False, set())
    assert (together.model.ids_are_shared, shown(together)) == (True, set())


def test_an_id_beyond_the_counter_is_asked_for_where_ids_are_short() -> None:
    """There alone: a long id that was not issued is known without a counter."""
    small = against(leases.unknown_ids, lambda clock: ConformingServer(Choices(ids="small"), clock=clock))
    plain = against(leases.unknown_ids, ConformingServer)

    assert small.model.ids_are_counted
    assert shown(small) == set()
    assert small.client.requests == plain.client.requests + 3


@pytest.mark.parametrize("levels", [300, 499])
def test_a_deep_definition_that_is_stored_as_sent_is_judged(levels: int) -> None:
    """The judge reads as many levels as it sends."""

    class Deep(ConformingServer):
        def parse(self, text: str) -> Any:
            return self.load(text)

    api = on(Deep).api
    schema: Any = 1
    for _ in range(levels - 1):
        schema = {"a": schema}
    api.put(api.name(), schema)

    assert shown(api) == set()
    assert api.exchanges[-1].status == 200


# Edges of the page


class Narrow(ConformingServer):
    """Refuses definitions whose schema is no object."""

    def define(self, org: str, requested: RequestedDefinition) -> Definition:
        if not isinstance(requested.schema, dict):
            raise Refused(422, "NO_SCHEMA", "an object")
        return super().define(org, requested)


def test_a_refusal_at_the_edge_of_a_page_is_a_warning_about_that_value() -> None:
    """While ordinary requests are served."""
    api = against(requests.edges, Narrow)

    assert [(one.rule, one.operation) for one in api.judge.ledger.all()] == [("PAGE-16", PUT)]
    assert api.judge.ledger.violations == []
    assert api.judge.ledger.tested["PAGE-16"] >= 15


# Documents with further operations


def with_acks(directory: Path, make: Make) -> Api:
    """Play the scenario of further operations by a document that has one of them."""
    directory.mkdir(exist_ok=True)
    folder = vendor.pages(directory / "pages")
    (folder / "003_ack.md").write_text(vendor.ACK)
    document = load(folder)
    clock = VirtualClock()
    made = Client(
        target(URL),
        lambda method, url: document.locate(method, url, {URL}),
        clock=clock,
        transport=InProcessTransport(make(clock=clock), clock),
    )
    context = CheckContext(document, DocumentSchemas(document.content), target(URL))
    return played(requests.others, Api(made, Judge(context, Ledger()), Random(7), PREFIX))


class Open(ConformingServer):
    """Takes acks without a key."""

    def ack(self) -> Any:
        return self.handle("ack", self.settle_answer)


def test_an_operation_that_a_document_adds_is_called_as_its_page_says(tmp_path: Path) -> None:
    """Well, without a key, with a wrong one, and with bodies that are broken in one place."""
    api = with_acks(tmp_path, lambda clock: ConformingServer(ALL, clock=clock))
    acks = [one for one in api.exchanges if one.path == "/v1/ack"]

    assert api.judge.ledger.violations == []
    assert {one.status for one in acks} == {400, 401, 409}
    outcomes = {place: outcome for place, outcome in api.judge.ledger.negatives.items() if "ack" in place[0]}
    assert outcomes["POST /v1/ack", "action_record_id", "type"] == "confirmed"
    assert "accepted" not in outcomes.values()


def test_an_added_operation_that_needs_no_key_breaks_a_rule(tmp_path: Path) -> None:
    """As any other does."""
    assert "AUTH-4" in shown(with_acks(tmp_path, lambda clock: Open(ALL, clock=clock)))


def test_an_added_operation_that_a_target_does_not_have_is_left_out(tmp_path: Path) -> None:
    """It is reported as not offered where the application itself says so, and not its router."""
    routers = with_acks(tmp_path / "a", lambda clock: ConformingServer(Choices(html_404=True), clock=clock))
    own = with_acks(tmp_path / "b", ConformingServer)

    for api, not_offered in ((routers, set()), (own, {"POST /v1/ack"})):
        assert [one for one in api.exchanges if one.path == "/v1/ack"] == []
        assert (shown(api), api.context.learned.not_offered) == (set(), not_offered)


def test_todays_document_has_no_further_operation() -> None:
    """So nothing is sent."""
    assert against(requests.others, ConformingServer).exchanges == []


# Leases


def test_leases_of_a_minute_are_waited_for() -> None:
    """Two that were extended are held, and two others have a next attempt; all are waited for at once."""
    stage = on(ConformingServer)
    api = Api(stage.api.client, stage.api.judge, Random(7), PREFIX, replace(TrafficPolicy(), lease_wait=75.0))
    played(leases.long_leases, api)

    assert stage.clock.waits == pytest.approx([33.75, 41.25], abs=0.1)
    assert shown(api) == set()
    attempts = [json.loads(one.body or b"")["attempt"] for one in api.exchanges[-4:]]
    assert (attempts, [one.status for one in api.exchanges[-2:]]) == ([2, 0, 0, 0], [200, 200])
