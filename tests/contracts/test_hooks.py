"""Generated requests: what they are aimed at, how they are sent, and how their answers are judged."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
import requests
import schemathesis
from schemathesis.checks import CHECKS
from schemathesis.core.failures import FailureGroup

from contracts.core.ledger import Ledger
from contracts.openapi.document import PUBLISHED, load, with_only_server
from contracts.oracle.judge import Judge
from contracts.phases.schemathesis_hooks import CHECK, Aim, installed
from contracts.phases.schemathesis_transport import ClientTransport, schema_through
from contracts.transport.client import Client
from contracts.transport.interference import Interference, UnusableAnswer
from contracts.transport.throttle import TimeUp
from contracts.transport.wire import Message, Reply, Request
from tests.clocks import VirtualClock
from tests.contracts.ports import Answer, ScriptedTransport, accepted, refused, reply
from tests.contracts.runs import URL, check_context, client

PREFIX = "contract.test."
VARIANT = f"{PREFIX}v1"
PUT, INGRESS, MODACK = (
    ("/v1/orgs/{org_id}/actions/definitions", "PUT"),
    ("/v1/ingress/{variant}", "POST"),
    ("/v1/modack", "POST"),
)


@dataclass
class World:
    """What generated requests are aimed at, and the target that they are sent to."""

    answer: Answer = lambda _: accepted()
    names: tuple[str, ...] = ()
    is_over: Callable[[], bool] = lambda: False
    aim: Aim = field(init=False)
    transport: ScriptedTransport = field(init=False)
    ours: ClientTransport = field(init=False)

    def __post_init__(self) -> None:
        self.transport = ScriptedTransport(self.answer)
        made = client(URL, clock=VirtualClock(), transport=self.transport)
        self.aim = Aim(made, Judge(check_context(), Ledger()), PREFIX, self.names)
        self.ours = ClientTransport(self.aim, self.is_over)
        content = with_only_server(load(PUBLISHED).content, URL)
        self.schema = schema_through(self.ours, schemathesis.openapi.from_dict(content))

    @property
    def client(self) -> Client:
        return self.aim.client

    def case(
        self, operation: tuple[str, str], body: Any, headers: dict[str, str] | None = None, **path: Any
    ) -> Any:
        """Make a case of an operation as Schemathesis generates it."""
        path_name, method = operation
        keyed = {"x-arklow-auth": "good-key-one"} if headers is None else headers
        return self.schema[path_name][method].Case(
            path_parameters=path, headers=keyed, body=body, media_type="application/json"
        )

    def call(
        self, operation: tuple[str, str], body: Any, headers: dict[str, str] | None = None, **path: Any
    ) -> None:
        """Let Schemathesis send a case, and the judge see the answer."""
        with installed(self.aim), suppress(requests.RequestException):
            check: Any = CHECKS.get_one(CHECK)
            self.case(operation, body, headers, **path).call_and_validate(checks=[check], base_url=URL)

    def put(self) -> Request:
        """Let Schemathesis put a definition, and return the request that was sent."""
        self.call(PUT, {"variant": VARIANT, "schema": {}}, org_id="1")
        return self.transport.sent[-1]

    def turned(self, operation: tuple[str, str], body: Any, **path: Any) -> Any:
        """Aim a case, and return it."""
        case = self.case(operation, body, **path)
        self.aim.turn(case)
        return case


# What is sent


def test_a_generated_request_goes_through_the_client_of_the_run() -> None:
    """Its limits hold for it, its framing is left to the transport, and its body is as it was generated."""
    world = World(lambda _: refused(400))
    request = world.put()

    assert (request.method, request.path) == ("PUT", "/v1/orgs/1/actions/definitions")
    assert json.loads(request.body or b"") == {"variant": VARIANT, "schema": {}}
    named = {name.lower(): value for name, value in request.headers}
    assert named["x-arklow-auth"] == "good-key-one"
    assert named["content-type"] == "application/json"
    assert named.keys().isdisjoint({"content-length", "transfer-encoding"})
    assert world.client.requests == 1


def test_what_stands_below_the_url_of_the_target_is_its_path() -> None:
    """With its query; headers that were generated are sent as they are."""
    sent: list[Message] = []

    class Seen(ScriptedTransport):
        def send(self, message: Message, timeout: float) -> Reply:
            sent.append(message)
            return super().send(message, timeout)

    world = World()
    url = f"{URL}/below"
    made = client(url, clock=VirtualClock(), transport=Seen(lambda _: accepted()))
    aim = Aim(made, Judge(check_context(url), Ledger()), PREFIX)
    with requests.Session() as session:
        session.headers.clear()
        transport = ClientTransport(aim, lambda: False)
        case = world.case(INGRESS, {"payload": 1}, {"x-odd": "caf\xe9"}, variant="a%2Fb")
        transport.send(case, session=session, base_url=url, params={"tag.a": "1"})

    [message] = sent
    assert (message.base, message.request.path) == (url, "/v1/ingress/a%2Fb?tag.a=1")
    assert ("x-odd", "caf\xe9") in message.request.headers


def test_nothing_is_sent_once_the_phase_is_over() -> None:
    """The exception ends the phase."""
    world = World(is_over=lambda: True)
    with pytest.raises(TimeUp), installed(world.aim):
        world.case(PUT, {"variant": VARIANT, "schema": {}}, org_id="1").call(base_url=URL)

    assert world.transport.sent == []


# What is judged


def test_an_answer_is_judged() -> None:
    """By the rules of the judge; a violation fails the case, so that Schemathesis makes it smaller."""
    world = World(lambda _: reply(200, {}))
    with pytest.raises(FailureGroup):
        world.put()

    assert {one.rule for one in world.aim.judge.ledger.all()} >= {"PAGE-5"}


def test_an_answer_without_a_violation_fails_no_case() -> None:
    """A refusal is lawful."""
    world = World(lambda _: refused(409))
    world.put()

    assert world.aim.judge.ledger.violations == []
    assert world.aim.judge.context.learned.asked == {"PUT /v1/orgs/{org_id}/actions/definitions"}


def test_an_answer_that_was_decoded_is_not_decoded_again() -> None:
    """Its headers still say how it came."""
    packed = reply(200, {"data": None, "errors": None}, content_encoding="gzip", transfer_encoding="chunked")
    world = World(lambda _: packed)
    world.put()

    assert world.client.interference == {}
    assert world.aim.answered is None


@pytest.mark.parametrize(
    "kind", [Interference("connection cut off"), UnusableAnswer("an answer of more than 8 MiB")]
)
def test_an_answer_that_cannot_be_used_is_interference(kind: Interference) -> None:
    """It is not judged, and what it may have stored is open."""
    world = World(lambda _: kind)
    request = world.put()

    assert json.loads(request.body or b"")["variant"] == VARIANT
    assert world.client.interference == {str(kind): 1}
    assert world.aim.judge.ledger.all() == []
    assert world.aim.judge.model.possibly_defined == {("1", VARIANT), ("2", VARIANT)}


def test_a_gateway_is_interference_too() -> None:
    """Whatever it answers."""
    world = World(lambda _: reply(503))
    world.put()

    assert world.client.interference == {"503": 1}


def test_a_target_that_is_away_is_tried_twice_a_second() -> None:
    """One request that is lost may be chance, and nothing waits for it."""
    answers = [reply(503), refused(400), reply(503), reply(503), reply(503), refused(400), refused(400)]
    world = World(lambda _: answers.pop(0))
    moments = []
    for _ in range(7):
        world.put()
        moments.append(world.client.now())

    assert moments == [0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 1.0]


def test_what_the_model_does_not_allow_is_a_suspicion() -> None:
    """It is tried again later, as one of a sequence is."""
    data = {
        "id": "7",
        "org_id": "1",
        "variant": VARIANT,
        "version": 2,
        "alias": [],
        "schema": {},
        "destinations": [],
    }
    world = World(lambda _: reply(200, {"data": data | {"deleted_at": None}, "errors": None}))
    world.put()

    assert [one.rule for one in world.aim.suspicions] == ["DEF-2"]


def test_the_hooks_are_gone_afterwards() -> None:
    """Schemathesis knows the check no more."""
    world = World()
    with installed(world.aim):
        assert CHECKS.get_one(CHECK) is not None

    with pytest.raises(KeyError):
        CHECKS.get_one(CHECK)


# What is aimed at


def test_three_of_four_requests_name_what_exists() -> None:
    """The others stay as they were generated, so that unknown names and ids are tried too."""
    world = World()
    world.aim.variant, world.aim.action = VARIANT, "77"
    drawn = Random(1)
    bodies = [{"payload": drawn.random()} for _ in range(80)]
    signals = [
        {"action_record_id": "123", "attempt": 0, "mod_ack": drawn.randrange(10**6)} for _ in range(80)
    ]

    variants = [world.turned(INGRESS, body, variant="x").path_parameters["variant"] for body in bodies]
    numbers = [world.turned(MODACK, dict(body)).body["action_record_id"] for body in signals]

    assert set(variants) == {VARIANT, "x"}
    assert set(numbers) == {"77", "123"}
    assert 50 <= variants.count(VARIANT) <= 70
    assert 50 <= numbers.count("77") <= 70


def test_what_names_something_of_the_run_already_is_left_alone() -> None:
    """So are ids that are no digits, and everything while there is nothing to aim at."""
    world = World()
    body = {"payload": 1}
    signal = {"action_record_id": "123", "attempt": 0, "mod_ack": 2}
    assert world.turned(INGRESS, body, variant="x").path_parameters == {"variant": "x"}
    assert world.turned(MODACK, dict(signal)).body == signal

    world.aim.variant, world.aim.action = VARIANT, "77"
    world.aim.judge.context.learned.actions["123"] = "1"

    assert world.turned(INGRESS, body, variant=f"{PREFIX}y").path_parameters == {"variant": f"{PREFIX}y"}
    assert world.turned(MODACK, dict(signal)).body == signal
    for odd in ("12x", 12, None):
        assert world.turned(MODACK, {**signal, "action_record_id": odd}).body["action_record_id"] == odd


def test_definitions_get_names_of_the_run() -> None:
    """Aliases too; what is no text stays what it is."""
    world = World()
    case = world.turned(PUT, {"variant": "a", "alias": ["b", VARIANT, 3]}, org_id="1")
    odd = world.turned(PUT, {"variant": 5, "alias": "b"}, org_id="1")

    assert case.body == {"variant": f"{PREFIX}a", "alias": [f"{PREFIX}b", VARIANT, 3]}
    assert odd.body == {"variant": 5, "alias": "b"}
    assert world.turned(PUT, [1], org_id="1").body == [1]


def test_definitions_get_one_of_the_names_that_a_run_may_use() -> None:
    """The same one each time."""
    world = World(names=(f"{PREFIX}one", f"{PREFIX}two"))
    named = [world.turned(PUT, {"variant": f"n{number}"}, org_id="1").body["variant"] for number in range(20)]
    again = [world.turned(PUT, {"variant": f"n{number}"}, org_id="1").body["variant"] for number in range(20)]

    assert set(named) == {f"{PREFIX}one", f"{PREFIX}two"}
    assert named == again
