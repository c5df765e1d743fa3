"""What led to a finding is played again from nothing, under fresh names, and made smaller."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from contracts.core.exchange import Exchange
from contracts.core.findings import Finding
from contracts.phases.requests import INGRESS, MODACK, PUT
from contracts.reproduction.scripts import has_hasty_refusal
from contracts.transport.client import Client
from contracts.transport.interference import Interference
from contracts.transport.throttle import TimeUp
from contracts.transport.wire import Request
from tests.contracts.replays import on, operations
from tests.contracts.runs import exchange, rules
from tests.mutants import HOLDOUT, MUTANTS, Choices, ConformingServer
from tests.mutants.conforming_server import (
    Action,
    Definition,
    Refused,
    RequestedDefinition,
    Work,
)


def test_a_finding_that_shows_again_has_an_example_of_fresh_names() -> None:
    """Nothing of the first one is used, so that it stands for itself."""
    stage = on(MUTANTS["S01"])
    api, replay = stage.api, stage.replay
    variant = api.define()
    number = api.accept(variant)
    api.modack(f"{number}0")

    again = replay.confirm(stage.found("LEASE-6"), api.exchanges)

    assert again is not None
    assert operations(again) == [MODACK]
    assert again.exchanges[0].call > api.exchanges[-1].call


def test_a_finding_that_does_not_show_again_is_not_confirmed() -> None:
    """Once is no confirmation: another client may have caused the answer."""

    class Once(ConformingServer):
        told = False

        def define(self, org: str, requested: RequestedDefinition) -> Definition:
            definition = super().define(org, requested)
            if not self.told:
                self.told = True
                return replace(definition, version=5)
            return definition

    stage = on(Once)
    api, replay = stage.api, stage.replay
    api.put(api.name())

    assert rules(api.sequence.suspicions) == ["DEF-2"]
    assert replay.confirm(stage.found("DEF-2"), api.exchanges) is None


def test_an_example_has_nothing_that_it_does_not_need() -> None:
    """Neither what came before, nor what was done in between."""
    stage = on(MUTANTS["S09"])
    api, replay = stage.api, stage.replay
    variant = api.define()
    for _ in range(3):
        api.ingress(variant)
        api.ingress(api.define())
    api.put(variant, {"title": "new"})

    again = replay.confirm(stage.found("DEF-3"), api.exchanges)

    assert again is not None
    assert operations(again) == [PUT, PUT]
    assert len({json.loads(one.body or b"")["variant"] for one in again.exchanges}) == 1


def test_the_whole_sequence_is_played_where_what_is_known_to_lead_to_it_is_not_enough() -> None:
    """And made smaller as far as that goes."""

    class CountsRefusals(ConformingServer):
        """After two refusals every version is one too high."""

        refused = 0

        def refuse(self, operation: Any, refused: Any) -> Any:
            self.refused += 1
            return super().refuse(operation, refused)

        def define(self, org: str, requested: RequestedDefinition) -> Definition:
            definition = super().define(org, requested)
            broken, self.refused = self.refused >= 2, 0
            return replace(definition, version=2) if broken else definition

    stage = on(CountsRefusals)
    api, replay = stage.api, stage.replay
    api.put(api.name())
    for _ in range(4):
        api.send(MODACK, {})
    api.put(api.name())
    finding = stage.found("DEF-2")
    assert operations(finding) == [PUT]

    again = replay.confirm(finding, api.exchanges)

    assert again is not None
    assert operations(again) == [MODACK, MODACK, PUT]


def test_ids_that_the_target_made_are_made_again() -> None:
    """In JSON: the modack asks for the action of its own replay."""
    stage = on(MUTANTS["S05"])
    api, replay = stage.api, stage.replay
    number = api.live()
    api.modack(number, 1)

    again = replay.confirm(stage.found("LEASE-3"), api.exchanges)

    assert again is not None
    assert operations(again) == [PUT, INGRESS, MODACK, MODACK]
    issued = again.exchanges[1].data()["a_id"]
    assert issued != number
    assert {json.loads(one.body or b"")["action_record_id"] for one in again.exchanges[2:]} == {issued}


def test_pauses_are_repeated() -> None:
    """They are as long as they were; time that passed without a wait is not repeated."""
    stage = on(MUTANTS["S09"])
    api, replay = stage.api, stage.replay
    variant = api.define()
    api.sequence.note_wait(0.1)
    api.ingress(variant)
    api.sequence.note_wait(1.7)
    api.put(variant, {"title": "new"})

    again = replay.play(api.exchanges, stage.found("DEF-3"))

    assert again is not None
    assert sum(stage.clock.waits) == pytest.approx(1.7, abs=0.1)
    assert again.exchanges[-1].waited - again.exchanges[0].waited == pytest.approx(1.8)


def test_a_refusal_of_what_was_served_ends_a_try_for_a_smaller_example() -> None:
    """Without the definition there is no work, and the replay does not wait for it."""
    stage = on(MUTANTS["S05"])
    api, replay = stage.api, stage.replay
    number = api.live()
    api.modack(number, 1)
    before = api.client.requests
    finding = stage.found("LEASE-3")

    assert replay.play(api.exchanges[1:], finding, patient=False) is None

    assert api.client.requests == before + 1


def test_a_finding_that_shows_at_times_is_repeated() -> None:
    """And the example says how often it has to be sent."""
    stage = on(MUTANTS["S33"])
    api, replay = stage.api, stage.replay
    while not api.judge.ledger.all():
        api.modack("1")
    finding = stage.found("PAGE-8")

    again = replay.repeat(finding)

    assert again is not None
    assert operations(again) == [MODACK]
    assert again.times > 1


def test_a_finding_that_never_shows_again_is_not_repeated_without_end() -> None:
    """A few hundred requests are enough."""
    stage = on(ConformingServer)
    api, replay = stage.api, stage.replay
    last = api.modack("1")
    finding = Finding("PAGE-8", MODACK, "", "", "", (last,))

    assert replay.repeat(finding) is None

    assert 10 < api.client.requests < 300


class EverySecond(ConformingServer):
    """Every second undefined variant is defined on the fly."""

    unknown = 0

    def undefined(self, org: str, variant: str) -> Definition:
        self.unknown += 1
        self.choices = replace(self.choices, unknown_variant="create" if self.unknown % 2 else "refuse")
        return super().undefined(org, variant)


def test_an_interpretation_that_was_taken_back_is_shown_with_both_answers() -> None:
    """The question is open again in the replay, so that the example has the first answer too."""
    stage = on(EverySecond)
    api, replay = stage.api, stage.replay
    api.define()
    api.ingress(api.name("unknown"))
    api.ingress(api.name("unknown"))
    finding = stage.found("READ-1")

    again = replay.confirm(finding, api.exchanges)

    assert again is not None
    assert again.question == "unknown variant"
    assert [exchange.status for exchange in again.exchanges] == [200, 400]


def test_an_interpretation_that_a_replay_keeps_was_not_taken_back() -> None:
    """Another server may have answered the first time."""
    stage = on(ConformingServer)
    api, replay = stage.api, stage.replay
    api.judge.model.first_answers["unknown variant"] = "made on the fly"
    api.ingress(api.name("unknown"))

    assert replay.confirm(stage.found("READ-1"), api.exchanges) is None


class TwoNodes(ConformingServer):
    """The second of its nodes learns of a definition half a second after the first was asked for it."""

    def __init__(self, **members: Any) -> None:
        super().__init__(**members)
        self.asked: dict[str, float] = {}

    def resolve(self, org: str, name: str) -> Definition:
        first = name not in self.asked
        if self.now() < self.asked.setdefault(name, self.now()) + 0.5 and not first:
            raise Refused(400, "UNKNOWN_VARIANT", "no definition has this variant")
        return super().resolve(org, name)


class Archive(ConformingServer):
    """Knows no action that is half a second old."""

    def __init__(self, **members: Any) -> None:
        super().__init__(**members)
        self.made: dict[str, float] = {}

    def accept(self, definition: Definition, version: int, posted_as: str, work: Work) -> Action:
        action = super().accept(definition, version, posted_as, work)
        self.made[action.id] = self.now()
        return action

    def find(self, org: str, number: str) -> Action:
        action = super().find(org, number)
        if self.now() > self.made[action.id] + 0.5:
            raise Refused(404, "UNKNOWN_ACTION", "no action has this id")
        return action


def test_a_refusal_that_ends_when_all_of_the_target_knows_what_was_made_accuses_nobody() -> None:
    """Each of two nodes may learn of a definition in its own time, so that work is taken and then refused."""
    stage = on(TwoNodes)
    api, replay = stage.api, stage.replay
    variant = api.define()
    for _ in range(2):
        api.sequence.play(api.requests.build(INGRESS, {"payload": 1}, name=variant))
    finding = stage.found("PAGE-11")

    assert replay.play(api.exchanges, finding) is not None
    assert replay.confirm(finding, api.exchanges) is None


def test_a_careful_sequence_sends_again_what_is_refused_against_expectation() -> None:
    """Later, and only the last answer stands; a refusal that is expected is taken as it is."""
    stage = on(TwoNodes, careful=True)
    api, clock = stage.api, stage.clock
    variant = api.define()
    for _ in range(2):
        api.sequence.play(api.requests.build(INGRESS, {"payload": 1}, name=variant))
    waits = list(clock.waits)
    unknown = api.ingress(api.name())

    assert (api.sequence.suspicions, api.exchanges[-2].status, unknown.status) == ((), 200, 400)
    assert sum(waits) >= 0.5
    assert clock.waits == waits


def test_a_refusal_that_lasts_is_confirmed() -> None:
    """Two seconds later it is refused as before."""
    stage = on(MUTANTS["V46"])
    api, replay = stage.api, stage.replay
    variant = api.define()
    api.accept(variant)
    api.ingress(variant, tags={})
    finding = stage.found("PAGE-11")

    again = replay.confirm(finding, api.exchanges)

    assert again is not None
    assert again.exchanges[-1].call - again.exchanges[0].back > 1.9


@pytest.mark.parametrize(
    ("server", "confirmed"),
    [
        (Archive, False),
        (lambda clock: HOLDOUT["H130"](Choices(operations="all"), clock=clock), True),
    ],
    ids=["all of them vanish", "one is lost"],
)
def test_an_action_is_lost_where_control_actions_are_not(
    server: Callable[..., ConformingServer], confirmed: bool
) -> None:
    """Otherwise another client settles actions, and a settled action may be forgotten (Q2, Q23)."""
    stage = on(server)
    api, replay = stage.api, stage.replay
    number = api.accept(api.define())
    for _ in range(3):
        api.modack(number)
    api.client.wait(0.6)
    api.sequence.note_wait(0.6)
    api.modack(number)
    finding = stage.found("ING-11")

    assert (replay.confirm(finding, api.exchanges) is not None) is confirmed
    assert (finding.key not in replay.explained) is confirmed


@pytest.mark.parametrize(
    ("name", "later", "expected"), [("v", 1, True), ("v", 3, False), ("other", 1, False)]
)
def test_a_refusal_is_hasty_while_what_it_is_about_is_fresh(name: str, later: float, expected: bool) -> None:
    """And only if it was made with the same key."""
    made = exchange(PUT, 200, b'{"data":{"id":"2"}}', body=b'{"variant":"v","schema":{}}')
    refused = exchange(INGRESS, 400, b"{}", body=b'{"payload":1}', url=f"/v1/ingress/{name}")
    finding = Finding("PAGE-11", INGRESS, "", "", "", (made, replace(refused, call=made.back + later)))
    theirs = replace(
        finding, exchanges=(replace(made, headers=(("x-arklow-auth", "two"),)), finding.exchanges[1])
    )

    assert (has_hasty_refusal(finding), has_hasty_refusal(theirs)) == (expected, False)


class Away(Client):
    """A client that meets interference as soon as it is told to."""

    away: Exception | None = None

    def send(self, request: Request, waited: float = 0.0, *, timeout: float | None = None) -> Exchange:
        if self.away is not None:
            raise self.away
        return super().send(request, waited, timeout=timeout)


@pytest.mark.parametrize("fault", [Interference("503"), TimeUp()])
def test_a_replay_that_could_not_be_tried_raises(fault: Exception) -> None:
    """The finding is neither confirmed nor disproved."""
    stage = on(MUTANTS["S09"], Away)
    api, replay = stage.api, stage.replay
    variant = api.define()
    api.put(variant, {"title": "new"})
    finding = stage.found("DEF-3")
    assert isinstance(api.client, Away)
    api.client.away = fault

    with pytest.raises(type(fault)):
        replay.confirm(finding, api.exchanges)
