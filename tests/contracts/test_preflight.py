"""Whether a target can be judged at all, and later whether it is still there and knows what it knew."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from contracts import Plan
from contracts.core.ledger import Ledger
from contracts.oracle.judge import Judge
from contracts.phases.requests import INGRESS, PUT
from contracts.run.preflight import Preflight
from contracts.transport.interference import Interference
from contracts.transport.throttle import Allowance, Limits
from contracts.transport.wire import Reply, Request
from tests.clocks import VirtualClock
from tests.contracts.ports import Answer, ScriptedTransport, accepted, refused, reply
from tests.contracts.runs import check_context, client, target

URL = "http://target"
REFUSED = "The target refuses the key"


@dataclass
class Deployment:
    """A small target that takes every definition, and work for those that it knows."""

    known: set[str] = field(default_factory=set)
    takes_dots: bool = True
    defines_unknown: bool = False
    """Work for an unknown variant defines it; work without a member `order_id` is refused where its definition is strict."""

    def __call__(self, request: Request) -> Reply:
        if request.method == "PUT":
            variant = json.loads(request.body or b"{}")["variant"]
            if "." in variant and not self.takes_dots:
                return refused(400)
            self.known.add(variant)
            org = request.path.split("/")[3]
            return accepted(id=f"{org}7", org_id=org, variant=variant, version=1, alias=[], schema={})
        if "/ingress/" in request.path:
            variant = request.path.rpartition("/")[2]
            broken = "strict" in variant and b"order_id" not in (request.body or b"")
            if variant not in self.known if not self.defines_unknown else variant in self.known and broken:
                return refused(400)
            self.known.add(variant)
            return accepted(a_id="11", a_def_id="17", queue_s="queued", a_va=variant, a_ve="1")
        return refused(404)


def every(answer: Reply | Interference) -> Answer:
    """A target that says one thing to everything."""
    return lambda _: answer


def but(answer: Reply | Interference, for_: Callable[[Request], bool]) -> Answer:
    """A deployment that says one thing to some requests."""
    deployment = Deployment()
    return lambda request: answer if for_(request) else deployment(request)


def puts(request: Request) -> bool:
    return request.method == "PUT"


def of_the_second_organisation(request: Request) -> bool:
    return request.path.startswith("/v1/orgs/2/")


class World:
    """A preflight, and all that it is handed."""

    def __init__(self, answer: Answer, *, trace: str = "", **members: Any) -> None:
        plan = Plan(target(URL), seed=7, **members)
        self.clock = VirtualClock()
        self.transport = ScriptedTransport(answer)
        self.client = client(URL, clock=self.clock, transport=self.transport, limits=plan.limits, trace=trace)
        self.judge = Judge(check_context(URL, plan.declared), Ledger())
        self.preflight = Preflight(plan, self.client, self.judge)

    @property
    def paths(self) -> list[str]:
        """Methods and paths of the requests that were sent."""
        return [f"{one.method} {one.path}" for one in self.transport.sent]


def test_a_target_that_serves_a_definition_and_work_can_be_judged() -> None:
    """One request of each kind is enough, and one definition of the second organisation."""
    this = World(Deployment(), name_prefix="here")

    assert this.preflight.check() is None
    assert this.preflight.prefix == "contract.here."
    assert [path.rpartition("/")[2] for path in this.paths] == [
        "definitions",
        "contract.here.unknown.0",
        "contract.here.plain0",
        "modack",
        "definitions",
    ]
    assert this.clock.now() == 0.0


def test_each_run_has_names_of_its_own_unless_it_has_a_name_prefix() -> None:
    """Eight digits that no other run has, made of its id; a steady run draws them of its seed."""
    first, second = (World(Deployment()).preflight.prefix for _ in range(2))
    steady, again = (World(Deployment(), steady=True).preflight.prefix for _ in range(2))
    named, named_again = (World(Deployment(), trace="a" * 32).preflight.prefix for _ in range(2))

    assert first != second
    assert steady == again
    assert named == named_again != steady


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            every(refused(401)),
            f"{REFUSED} $ARKLOW_API_KEY: every operation is answered with 401.",
        ),
        (
            every(reply(307, location="/elsewhere")),
            f"{URL} redirects everything to /elsewhere: give the URL that answers itself.",
        ),
        (every(reply(404)), f"None of the operations is at {URL}: every one is answered with 404."),
        (
            but(refused(403), of_the_second_organisation),
            (
                f"{REFUSED} $ARKLOW_SECOND_API_KEY for organisation 2: its definitions are answered with 403; "
                "--second-org says which organisation it belongs to."
            ),
        ),
        (
            but(refused(401), puts),
            f"{REFUSED} $ARKLOW_API_KEY for organisation 1: its definitions are answered with 401.",
        ),
        (
            every(reply(503)),
            (
                f"{URL} answers nothing but 503, which is a gateway or a limit and not the application, "
                "within 12 s (--wait-for)."
            ),
        ),
        (
            every(Interference("connection refused")),
            f"{URL} could not be reached within 12 s (--wait-for): connection refused.",
        ),
    ],
    ids=["key", "redirect", "no operation", "second key", "key for PUT", "gateway", "not there"],
)
def test_a_target_that_cannot_be_judged_is_told_in_one_sentence(answer: Answer, why: str) -> None:
    """And nothing that its answers broke is held against it."""
    this = World(answer)

    assert this.preflight.check() == why
    assert this.judge.ledger.all() == []


def test_a_target_that_refuses_everything_in_its_own_words_can_be_judged() -> None:
    """It is an application, whatever it thinks of the requests."""
    assert World(every(refused(400))).preflight.check() is None


def test_a_target_that_refuses_a_modack_without_members_as_unknown_has_no_operation() -> None:
    """With 404 it refuses what it does not know, and every path that it does not have."""
    assert World(every(refused(404))).preflight.check() == (
        f"None of the operations is at {URL}: every one is answered with 404."
    )


def test_a_document_without_definitions_leaves_nothing_to_judge() -> None:
    """Sequences cannot even begin."""
    this = World(Deployment())
    context = this.judge.context
    operations = {label: one for label, one in context.document.operations.items() if label != PUT}
    this.judge.context = replace(context, document=replace(context.document, operations=operations))
    preflight = Preflight(Plan(target(URL)), this.client, this.judge)

    assert preflight.check() == f"There is nothing to judge: the document has no {PUT}."


@pytest.mark.parametrize("status", [403, 404, 405, 501])
def test_a_key_that_may_not_put_is_noted_and_no_reason_to_give_up(status: int) -> None:
    """What exists may be declared; its work is served then."""
    deployment = Deployment({"orders.created"})
    this = World(
        lambda request: refused(status) if puts(request) else deployment(request),
        declared={"orders.created": {"order_id": "8471"}},
    )

    assert this.preflight.check() is None
    assert this.judge.context.learned.puts_refused
    assert "POST /v1/ingress/orders.created" in this.paths


@pytest.mark.parametrize("answer", [Deployment(), but(refused(400), puts)], ids=["taken", "a bad request"])
def test_a_key_is_not_refused_where_its_definition_is_taken_or_a_bad_request(answer: Answer) -> None:
    """Other definitions may be taken."""
    this = World(answer)
    this.preflight.check()

    assert not this.judge.context.learned.puts_refused


def test_a_target_that_takes_no_dots_gets_names_without_them() -> None:
    """Dots are a convention (B057), so that their refusal is a finding."""
    this = World(Deployment(takes_dots=False), name_prefix="here")

    assert this.preflight.check() is None
    assert this.preflight.prefix == "contract-here-"
    assert [one.title for one in this.judge.ledger.violations if one.rule == "PAGE-11"] == [
        "A definition whose variant has dots is refused, and one without dots is not"
    ]
    assert this.preflight.new_sequence().name() == "contract-here-v0"


def test_a_silent_target_is_given_up_when_it_was_waited_for() -> None:
    """The pauses give a server the time to start, and no answer is waited for beyond the end."""
    this = World(every(Interference("no answer in time")), wait_for=5.0, timeout=4.0)

    assert this.preflight.check() == (
        f"{URL} could not be reached within 5 s (--wait-for): no answer in time; an answer may take 4 s (--timeout)."
    )
    assert this.transport.timeouts == [4.0, 4.0, 3.5, 1.5]
    assert sum(this.clock.waits) == 3.5


def test_a_target_that_answers_at_the_second_try_is_judged() -> None:
    """What was in the way at first is counted, and no more."""
    deployment = Deployment()
    met = iter([Interference("connection refused")])
    this = World(lambda request: next(met, None) or deployment(request))

    assert this.preflight.check() is None
    assert this.client.interference == {"connection refused": 1}


def test_an_operation_that_is_silent_alone_is_no_reason_to_give_up() -> None:
    """Whether it is the application's doing is looked into."""
    this = World(but(Interference("no answer in time"), lambda request: "/ingress/" in request.path))

    assert this.preflight.check() is None
    assert [one.operation for one in this.judge.slow] == [INGRESS]


def test_a_budget_that_the_first_requests_use_up_is_said() -> None:
    """It proves nothing."""
    this = World(Deployment(), limits=Limits(requests=2))

    assert this.preflight.check() == "Nothing could be judged: the budget of 2 requests was used up."


def test_sequences_wait_for_their_answers_as_usual_after_the_first_ones() -> None:
    """Ten seconds, and a refused key is looked into."""
    this = World(Deployment())
    this.preflight.check()

    api = this.preflight.new_sequence(careful=True)
    api.put(api.name())

    assert this.transport.timeouts[-1] == 10.0
    assert api.policy.looks_into_refusals


def test_a_run_for_single_rules_gives_chance_twice_the_time() -> None:
    """It has nothing else to do; leases of a minute are waited for as long as the plan says."""
    for_one = World(Deployment(), only=frozenset({"RACE-1"}), wait=90.0).preflight.new_sequence().policy
    for_all = World(Deployment()).preflight.new_sequence().policy

    assert (for_one.patience, for_one.lease_wait) == (2.0, 90.0)
    assert (for_all.patience, for_all.lease_wait) == (1.0, 75.0)


def test_work_that_was_served_at_first_tells_later_whether_the_target_suffers() -> None:
    """When answers grow slow, the circuit breaker sends it again."""
    this = checked(Deployment())
    for seconds in (*[0.01] * 20, *[5.0] * 5):
        this.client.throttle.answered(seconds, 200)

    this.client.send(Request("GET", "/v1/modack"))

    assert this.paths == [*["POST /v1/ingress/contract.here.plain0"] * 2, "GET /v1/modack"]


# Later


def checked(answer: Answer, **members: Any) -> World:
    this = World(answer, name_prefix="here", **members)
    assert this.preflight.check() is None
    this.transport.sent.clear()
    return this


def test_a_target_that_serves_what_it_served_at_first_has_forgotten_nothing() -> None:
    """One request tells."""
    this = checked(Deployment())

    assert not this.preflight.has_forgotten()
    assert this.paths == ["POST /v1/ingress/contract.here.plain0"]


def test_a_target_that_refuses_what_it_served_at_first_has_forgotten_everything() -> None:
    """The model begins anew, and the definition is put again so that it can be asked the next time."""
    deployment = Deployment()
    this = checked(deployment)
    assert this.judge.model.definitions
    deployment.known.clear()

    assert this.preflight.has_forgotten()
    assert this.judge.model.definitions == {}
    assert not this.preflight.has_forgotten()


@pytest.mark.parametrize(
    ("away", "forgets", "restarted"),
    [(0, False, False), (0, True, True), (3, False, False), (3, True, True), (999, False, True)],
    ids=["there", "restarted", "away for a moment", "being restarted", "away for good"],
)
def test_a_target_that_is_away_is_waited_for_before_it_is_asked_what_it_knows(
    away: int, forgets: bool, restarted: bool
) -> None:
    """Whether it was restarted is not told by a connection that it refuses while it starts."""
    deployment, left = Deployment(), [0]

    def answer(request: Request) -> Reply | Interference:
        left[0] -= 1
        return Interference("connection refused") if left[0] >= 0 else deployment(request)

    this = checked(answer)
    if forgets:
        deployment.known.clear()
    left[0] = away

    assert this.preflight.was_restarted() is restarted
    assert (this.preflight.unreachable is None) is (away < 999)


def test_a_target_that_cannot_be_asked_for_want_of_time_was_not_restarted() -> None:
    """What concurrent calls have shown stands then."""
    this = checked(Deployment())
    this.client.throttle.allow(Allowance(this.clock.now() - 1))

    assert not this.preflight.was_restarted()
    assert this.paths == []


def test_a_target_that_defines_what_it_does_not_know_has_forgotten_what_it_takes_now() -> None:
    """Work that its definition refused at first is the witness there."""
    deployment = Deployment(defines_unknown=True)
    this = checked(deployment)
    assert not this.preflight.has_forgotten()
    deployment.known.clear()

    assert this.preflight.has_forgotten()
    assert this.judge.model.definitions == {}
    deployment.known.clear()
    this.transport.sent.clear()
    assert this.preflight.has_forgotten()
    assert this.paths == ["POST /v1/ingress/contract.here.strict0", "PUT /v1/orgs/1/actions/definitions"]


def test_a_target_that_defines_the_unknown_and_keeps_no_schema_has_no_witness() -> None:
    """Then nothing tells whether it has forgotten, and no request is sent."""
    this = checked(lambda request: Deployment(defines_unknown=True)(request))

    assert not this.preflight.has_forgotten()
    assert this.paths == []


def test_whether_a_target_has_forgotten_is_not_known_where_nothing_was_served() -> None:
    """Then no request is sent."""
    this = checked(but(refused(400), lambda request: "/ingress/" in request.path))

    assert not this.preflight.has_forgotten()
    assert this.paths == []


def test_only_a_target_that_has_closed_a_connection_may_have_been_restarted() -> None:
    """It is asked once for each time that this was seen."""
    deployment = Deployment()
    this = checked(deployment)
    deployment.known.clear()

    assert not this.preflight.has_restarted()
    this.transport.drops += 1
    assert this.preflight.has_restarted()
    deployment.known.clear()
    assert not this.preflight.has_restarted()


def test_a_target_that_answers_again_is_back() -> None:
    """Whatever it answers."""
    met = [Interference("connection refused")] * 2
    this = World(lambda _: met.pop() if met else refused(404))

    assert this.preflight.wait_for_return()
    assert this.preflight.unreachable is None
    assert this.clock.waits == [pytest.approx(0.2), pytest.approx(0.24), pytest.approx(0.288)]


@pytest.mark.parametrize(("night", "seconds"), [(False, 4.0), (True, 1_800.0)])
def test_a_target_that_does_not_come_back_is_given_up(night: bool, seconds: float) -> None:
    """After four seconds; in a night after half an hour, as a new version may be deployed."""
    this = World(every(Interference("connection refused")), night=night)
    began = this.clock.now()

    assert not this.preflight.wait_for_return()
    assert this.preflight.unreachable == f"{URL} went away during the run and did not come back."
    assert this.clock.now() - began == pytest.approx(seconds)


@pytest.mark.parametrize("seconds", [0.1, 5.0, 600.0])
def test_a_target_is_not_waited_for_beyond_the_end_of_the_run(seconds: float) -> None:
    """Even if a night has patience; the target may yet come back, so it is not said to be gone."""
    this = World(every(Interference("connection refused")), night=True)
    end = this.clock.now() + seconds
    this.client.throttle.allow(Allowance(end))

    assert not this.preflight.wait_for_return()
    assert this.preflight.unreachable is None
    assert end - 10.0 <= this.clock.now() <= end
