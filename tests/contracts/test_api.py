"""The calls of an Arklow client: what they insist on, what they wait for, and whom they accuse."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from contracts.checks.context import CheckContext
from contracts.core.findings import Breach, concurrent_finding
from contracts.core.ledger import Ledger
from contracts.oracle.judge import Judge
from contracts.phases.api import PLAIN, Api, id_as_number
from contracts.phases.policy import TrafficPolicy
from contracts.phases.requests import INGRESS, MODACK, NotReached
from contracts.transport.interference import CUT_OFF, NOT_HTTP, TOO_SLOW, Interference, UnusableAnswer
from contracts.transport.wire import Reply, Request
from tests.clocks import VirtualClock
from tests.contracts.ports import Answer, ScriptedTransport, refused, reply
from tests.contracts.replays import PREFIX, on
from tests.contracts.runs import URL, check_context, client, rules
from tests.mutants import ConformingServer

CUT = Interference(CUT_OFF)


class World:
    """Calls to a target that is a function, on a virtual clock."""

    def __init__(
        self,
        answer: Answer,
        declared: dict[str, Any] | None = None,
        was_restarted: Callable[[], bool] = lambda: False,
        **policy: Any,
    ) -> None:
        self.clock = VirtualClock()
        self.wire = ScriptedTransport(answer)
        made = client(URL, clock=self.clock, transport=self.wire)
        self.judge = Judge(check_context(declared=declared), Ledger())
        self.api = Api(
            made,
            self.judge,
            Random(7),
            PREFIX,
            replace(TrafficPolicy(), **policy),
            was_restarted=was_restarted,
        )

    @property
    def context(self) -> CheckContext:
        return self.judge.context

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Method and path of each request."""
        return [(one.method, one.path.partition("?")[0]) for one in self.wire.sent]


def served(request: Request) -> Reply:
    """Answer as a deployment that stores nothing and serves everything."""
    if request.method == "PUT":
        body = json.loads(request.body or b"")
        data = {"id": "7", "org_id": "1", "version": 1, "alias": [], "destinations": [], **body}
        return reply(200, {"data": data, "errors": None})
    return reply(200, {"data": {"status": "ok"}})


def in_turn(*answers: Reply | Interference, then: Answer = served) -> Answer:
    """Give these answers one after the other, and then others."""
    left = list(answers)
    return lambda request: left.pop(0) if left else then(request)


# Definitions


def test_a_definition_whose_connection_is_cut_off_is_put_under_another_name() -> None:
    """At most three times; other interference is not for the caller to insist on."""
    world = World(in_turn(CUT, CUT))
    variant = world.api.define()
    first, *_, last = [json.loads(one.body or b"")["variant"] for one in world.wire.sent]
    assert variant == last != first

    with pytest.raises(Interference, match=CUT_OFF):
        World(lambda _: CUT).api.define()
    slow = World(lambda _: Interference(TOO_SLOW))
    with pytest.raises(Interference, match=TOO_SLOW):
        slow.api.define()
    assert len(slow.wire.sent) == 1


def test_a_target_that_takes_no_definition_cannot_be_defined_at() -> None:
    """The reason has the status, and what a user can do about it."""
    world = World(lambda _: refused(409))
    with pytest.raises(NotReached, match=r"^a plain definition is answered with 409$"):
        world.api.define()
    world.context.learned.note_puts_refused(True)
    with pytest.raises(NotReached, match="409; declare what exists with --variant"):
        world.api.define()


def test_a_declared_variant_stands_for_definitions_that_the_key_may_not_put() -> None:
    """For plain ones alone, and nothing is put."""
    world = World(served, declared={"shop.order": {"id": 1}})
    world.context.learned.note_puts_refused(True)

    assert (world.api.define(), world.api.open_variant()) == ("shop.order", "shop.order")
    with pytest.raises(NotReached, match="the key may not put definitions"):
        world.api.define({"type": "object"})
    with pytest.raises(NotReached, match="the key may not put definitions"):
        world.api.define(alias=["a"])
    with pytest.raises(NotReached, match="the key may not put definitions"):
        world.api.known_definition("shop.order")
    assert world.wire.sent == []


def test_an_open_variant_is_defined_once_for_all_of_a_sequence() -> None:
    """Each organisation has its own; what is known of it is what was answered."""
    world = World(served)
    variant, again, theirs = world.api.open_variant(), world.api.open_variant(), world.api.open_variant(org=1)

    assert variant == again
    assert len(world.wire.sent) == 2
    assert world.asked[1][1] == "/v1/orgs/2/actions/definitions"
    assert world.api.known_definition(variant).version == 1
    assert theirs


def test_a_fresh_definition_is_waited_for_until_all_of_the_target_knows_it() -> None:
    """Two seconds from when it was put; an unknown one is not waited for."""
    world = World(served)
    variant = world.api.define()
    world.clock.wait(0.5)
    world.api.wait_until_known("other")
    world.api.wait_until_known(variant)

    assert world.clock.now() == pytest.approx(2.0)


# Work


def test_work_for_a_fresh_definition_is_posted_again_while_it_is_refused() -> None:
    """For two seconds, and only the last answer stands; once that has lasted, for a shorter time."""
    world = World(lambda request: served(request) if request.method == "PUT" else refused(400))
    took = []
    for _ in range(2):
        variant, began = world.api.define(), world.clock.now()
        assert world.api.ingress(variant).status == 400
        took.append(world.clock.now() - began)

    assert took[0] == pytest.approx(2.0)
    assert 0.0 < took[1] < 1.0
    assert world.context.learned.lasting_refusals == {400}


def test_work_carries_the_envelope_and_its_query() -> None:
    """And the payload that a declared variant takes."""
    world = World(served, declared={"shop.order": {"id": 1}})
    world.api.ingress("a/b", {"x": 1}, query="tag.a=b", tags={"c": "d"})
    world.api.ingress("shop.order", PLAIN)

    one, other = world.wire.sent
    assert one.path == "/v1/ingress/a%2Fb?tag.a=b"
    assert b'"payload": {"x": 1}' in (one.body or b"")
    assert b'"tags": {"c": "d"}' in (one.body or b"")
    assert b'"payload": {"id": 1}' in (other.body or b"")


# Leases


def test_a_live_action_is_one_whose_attempt_was_extended() -> None:
    """Its number is known from then on."""
    stage = on(ConformingServer)
    number = stage.api.live()

    assert stage.api.held_attempt(number) == 0
    assert stage.api.lease_body(number) == {"action_record_id": number, "attempt": 0, "mod_ack": 300}
    assert stage.api.exchanges[-1].status == 200


def test_a_target_that_knows_no_action_has_none_to_hold() -> None:
    """What is not known any more is said, and so is an id that is no number."""
    world = World(served)
    for unknown in (world.api.known_action, world.api.held_attempt, world.api.lease_body):
        with pytest.raises(NotReached, match="the target has lost what it knew"):
            unknown("77")
    for odd in ("act_1", "１", "1" * 5_000, ""):
        with pytest.raises(NotReached, match="is not made of digits"):
            id_as_number(odd)
    assert id_as_number("0042") == 42


# Patience


def test_a_signal_whose_connection_is_cut_off_is_sent_again() -> None:
    """As it does no harm when it is sent twice; no more than three times."""
    answers: list[Reply | Interference] = [CUT, refused(404), CUT, refused(404), refused(404)]
    world = World(lambda request: answers.pop(0) if request.path == "/v1/modack" else served(request))
    assert world.api.modack("77").status == 404
    assert answers == []

    with pytest.raises(Interference, match=CUT_OFF):
        World(lambda _: CUT).api.modack("77")


# Accusations


def test_a_good_key_that_is_refused_is_a_finding_if_it_is_good_elsewhere() -> None:
    """Another request tells."""
    one_operation = World(lambda request: served(request) if request.method == "PUT" else refused(401))
    one_operation.api.modack("77")
    everywhere = World(lambda _: refused(401))
    with pytest.raises(Interference, match="the key is refused from now on"):
        everywhere.api.modack("77")
    unlooked = World(lambda _: refused(401), looks_into_refusals=False)
    unlooked.api.modack("77")

    assert "AUTH-1" in rules(one_operation.judge.ledger.all())
    assert "AUTH-1" not in rules(everywhere.judge.ledger.all())
    assert "AUTH-1" not in rules(unlooked.judge.ledger.all())
    assert len(unlooked.wire.sent) == 1


def silent(request: Request) -> Reply | Interference:
    """Cut modacks off, and answer everything else."""
    return CUT if request.path == "/v1/modack" else served(request)


LEASE = {"action_record_id": "77", "attempt": 0, "mod_ack": 300}


def looked_into(answer: Answer, times: int = 1) -> World:
    """Send plain modacks of which no answer comes."""
    world = World(answer)
    for _ in range(times):
        with pytest.raises(Interference):
            world.api.sequence.play(world.api.requests.build(MODACK, LEASE))
    return world


def test_an_operation_that_is_cut_off_each_time_beside_others_that_answer_is_a_finding() -> None:
    """It is looked into once in a run: it is sent ten times more, and others beside it."""
    world = looked_into(silent, times=2)

    assert rules(world.judge.ledger.all()) == ["HTTP-9"]
    assert world.judge.ledger.tested["HTTP-9"] >= 1
    assert [one for one in world.asked if one[1] == "/v1/modack"] == [("POST", "/v1/modack")] * 12
    assert len(world.asked) == 12 + 11


@pytest.mark.parametrize("in_turns", [True, False], ids=["every second one", "one in two, at random"])
def test_a_network_that_cuts_off_half_of_all_connections_is_not_the_application(in_turns: bool) -> None:
    """Whatever request is cut off."""
    chance = Random(3)
    cut = itertools.cycle([True, False]) if in_turns else iter(lambda: chance.random() < 0.5, None)
    world = World(lambda request: CUT if next(cut) else served(request))
    for _ in range(500):
        with suppress(Interference):
            world.api.sequence.play(world.api.requests.build(MODACK, LEASE))

    assert world.judge.ledger.all() == []


@pytest.mark.parametrize("restarted", [False, True])
def test_what_concurrent_calls_prove_counts_at_once(restarted: bool) -> None:
    """Unless the target was restarted meanwhile: then no single world has answered."""
    world = World(served, was_restarted=lambda: restarted)
    breach = Breach("RACE-1", "No order", "one", "none")
    proof = concurrent_finding(breach, INGRESS, (world.api.put(world.api.name()),))
    world.api.accusations.prove([])
    meets = pytest.raises(Interference, match="the target was restarted") if restarted else nullcontext()

    with meets:
        world.api.accusations.prove([proof])

    found = [(one.rule, one.operation, one.concurrent) for one in world.judge.ledger.all()]
    assert found == ([] if restarted else [("RACE-1", INGRESS, True)])


@pytest.mark.parametrize("restarted", [False, True])
def test_an_id_that_two_calls_of_a_volley_were_given_is_no_finding_after_a_restart(restarted: bool) -> None:
    """The new world begins with the ids of the old one."""

    def answer(request: Request) -> Reply:
        work = {"a_id": "77", "a_def_id": "7", "queue_s": "queued", "a_va": "v", "a_ve": "1"}
        return reply(200, {"data": work}) if "ingress" in request.path else served(request)

    world = World(answer, was_restarted=lambda: restarted)
    volley = [world.api.requests.build(INGRESS, {"payload": 1}, name="v") for _ in range(2)]

    with pytest.raises(Interference) if restarted else nullcontext():
        world.api.sequence.volley(volley)

    assert ("ING-7" in rules(world.judge.ledger.all())) is not restarted


@pytest.mark.parametrize(
    ("answer", "asked"),
    [
        (lambda _: CUT, 2),
        (lambda request: Interference(TOO_SLOW) if request.path == "/v1/modack" else served(request), 1),
        (in_turn(CUT), 5),
        (lambda request: UnusableAnswer(CUT_OFF) if request.path == "/v1/modack" else served(request), 1),
        (lambda request: UnusableAnswer(NOT_HTTP) if request.path == "/v1/modack" else served(request), 1),
    ],
    ids=["the network is away", "it is slow", "it answers later", "it begins", "not HTTP"],
)
def test_silence_that_may_be_anything_else_is_no_finding(answer: Answer, asked: int) -> None:
    """Neither when other requests are cut off too, nor when it only takes long."""
    world = looked_into(answer)

    assert world.judge.ledger.all() == []
    assert len(world.wire.sent) == asked


def test_a_slow_request_is_remembered_to_be_asked_again() -> None:
    """As a busy machine may have made it slow."""
    world = looked_into(lambda _: Interference(TOO_SLOW))

    assert [one.operation for one in world.judge.slow] == [MODACK]


def test_a_suspicion_of_a_sequence_can_stand_for_all_others_of_its_last_exchange() -> None:
    """One that the sequence has seen twice counts at once."""
    world = World(served)
    exchange = world.api.put(world.api.name(), version=5)
    breach = Breach("LEASE-8", "A title", "this", "that")
    world.api.accusations.suspect(replace(breach, title="Another"), (exchange,))
    world.api.accusations.accuse(breach, (exchange,))
    world.api.accusations.blame(replace(breach, rule="PAGE-16"), (exchange,))

    assert [(one.title, one.needs_sequence) for one in world.api.sequence.suspicions] == [("A title", True)]
    [blamed] = world.judge.ledger.all()
    assert (blamed.rule, blamed.confirmed, blamed.attempts, blamed.needs_sequence) == ("PAGE-16", 1, 1, True)


def test_probes_go_on_after_interference_but_not_for_ever() -> None:
    """The third one in a row ends the sequence; an answer in between begins the count anew."""
    answers: list[Reply | Interference] = [CUT, CUT, refused(400), CUT, CUT, CUT]
    world = World(lambda request: answers.pop(0) if "ingress" in request.path else CUT)

    def probe() -> int:
        exchange = world.api.probe(INGRESS, {"payload": 1}, name="v")
        return 0 if exchange is None else exchange.status

    assert [probe() for _ in range(5)] == [0, 0, 400, 0, 0]
    with pytest.raises(Interference, match=CUT_OFF):
        probe()
