"""The judge: what it concludes from the bytes of a request and its answer, and what it leaves open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from contracts.core.exchange import Exchange, Headers
from contracts.core.findings import Finding
from contracts.core.ledger import Ledger
from contracts.oracle.judge import Judge
from contracts.phases.requests import INGRESS, JSON, MODACK, PUT
from tests.contracts.exchanges import KEY, THEIRS, asked, modack, put, refusal, work
from tests.contracts.runs import check_context, rules


def seen(*exchanges: Exchange) -> Judge:
    """Make a judge that has observed these exchanges."""
    judge = Judge(check_context(), Ledger())
    for exchange in exchanges:
        judge.observe(exchange)
    return judge


def suspicions(*exchanges: Exchange) -> list[Finding]:
    """Return what the model does not allow of these exchanges."""
    judge = Judge(check_context(), Ledger())
    return [finding for exchange in exchanges for finding in judge.observe(exchange).suspicions]


def suspected(*exchanges: Exchange) -> list[str]:
    """Return the rules that the model sees broken by these exchanges."""
    return rules(suspicions(*exchanges))


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_the_model_follows_an_action_from_its_definition_to_its_lease() -> None:
    """What the run has made is known from then on."""
    life = put(), work(), modack()
    judge = seen(*life)

    assert (suspected(*life), judge.ledger.all()) == ([], [])
    assert judge.model.definitions["1", "v"].ids == {"771"}
    assert judge.model.actions["1", "900"].attempt == 0
    assert judge.served == {PUT: 1, INGRESS: 1, MODACK: 1}
    assert (
        judge.context.learned.variants,
        judge.context.learned.actions,
        judge.context.learned.definitions,
    ) == (
        {"v": None},
        {"900": "1"},
        {"771": "1"},
    )


def test_a_breach_carries_all_that_led_to_it() -> None:
    """A replay begins from nothing."""
    one, two, three = put(), work(), refusal()

    [finding] = suspicions(one, two, three)

    assert (finding.rule, finding.operation) == ("PAGE-11", INGRESS)
    assert [exchange.call for exchange in finding.exchanges] == [one.call, two.call, three.call]


ODD: dict[str, Exchange] = {
    "two keys": refusal(headers=(KEY, ("authorization", "good-key-one"), JSON)),
    "the same key twice": refusal(headers=(KEY, KEY, JSON)),
    "a wrong key": refusal(headers=(("x-arklow-auth", "wrong"), JSON)),
    "no key": refusal(headers=(JSON,)),
    "a header of a proxy": refusal(headers=(KEY, JSON, ("x-forwarded-for", "1"))),
    "a header twice": refusal(headers=(KEY, JSON, ("accept", "*/*"), ("Accept", "*/*"))),
    "another accept": refusal(headers=(KEY, JSON, ("accept", "text/html"))),
    "content type twice": refusal(headers=(KEY, JSON, JSON)),
    "another content type": refusal(headers=(KEY, ("content-type", "text/plain"))),
    "no content type": refusal(headers=(KEY,)),
    "content encoding": refusal(headers=(KEY, JSON, ("content-encoding", "gzip"))),
    "a query that is no tag": refusal(query="?a=b"),
    "a query without a name": refusal(query="?x"),
    "a long body": refusal({"payload": "x" * 60_000}),
    "a deep body": refusal({"payload": nested(45)}),
    "a number of more than 63 bits": refusal({"payload": 2**63 + 1}),
    "a NUL": refusal({"payload": "\0"}),
    "half of a pair": refusal({"payload": "\ud800"}),
    "a member that the page does not name": refusal({"payload": 1, "more": 1}),
    "a member twice": refusal(raw=b'{"payload":1,"payload":2}'),
    "no JSON": refusal(raw=b"{"),
    "no envelope": refusal({"order": 1}),
    "an encoded letter": refusal(segment="%76"),
    **{f"status {status}": refusal(status=status) for status in (401, 403, 405, 408, 413, 415, 431, 302)},
}
"""What is odd about a request → its refusal, which shows nothing of what the target has stored."""


@pytest.mark.parametrize("odd", ODD)
def test_a_refusal_for_which_a_proxy_or_a_parser_may_have_a_reason_breaks_nothing(odd: str) -> None:
    """The refusal of the same request without the oddity breaks PAGE-11."""
    assert suspected(put(), work(), refusal()) == ["PAGE-11"]
    assert suspected(put(), work(), ODD[odd]) == []


@pytest.mark.parametrize(
    "plain",
    [
        refusal(query="?tag.region=eu"),
        refusal(
            headers=(("X-Arklow-Auth", "good-key-one"), ("Content-Type", "Application/JSON; charset=utf-8"))
        ),
        refusal(headers=(("authorization", "good-key-one"), JSON)),
        refusal(headers=(KEY, JSON, ("user-agent", "a"), ("accept", "*/*"))),
        refusal({"payload": nested(10), "tags": {"a": "b"}, "metadata": None}),
    ],
    ids=["tags in the query", "names in capitals", "authorization", "headers of every client", "all members"],
)
def test_a_refusal_of_what_every_client_may_send_breaks_a_rule(plain: Exchange) -> None:
    """Tags, the case of header names, and headers that clients add by themselves."""
    assert suspected(put(), work(), plain) == ["PAGE-11"]


def test_what_one_organisation_does_changes_nothing_for_another() -> None:
    """A refusal to the second one shows how unknown variants are answered."""
    exchanges = put(), asked(INGRESS, {"payload": 1}, 400, headers=(THEIRS, JSON))
    judge = seen(*exchanges)

    assert suspected(*exchanges) == []
    assert judge.context.learned.interpretations["unknown variant"] == "refused"


@pytest.mark.parametrize(
    "exchange",
    [
        put(headers=(("x-arklow-auth", "wrong"), JSON)),
        put(headers=(JSON,)),
        put(headers=(KEY, ("x-arklow-auth", "wrong"), JSON)),
        put(headers=(KEY, JSON, JSON)),
        put(headers=(KEY, JSON, ("content-encoding", "gzip"))),
        put(headers=(THEIRS, JSON)),
        put(query="?a=b"),
        put(status=500, data=None),
        put(body={"variant": "v"}),
        put(raw=b'{"variant":"v","schema":{},"schema":1}'),
        put(raw=b"variant=v"),
        put(version=True),
        replace(put(), operation=None, method="PATCH"),
    ],
    ids=[
        *("wrong key", "no key", "two keys", "content type twice", "encoded", "another organisation"),
        *("query", "5xx", "broken body", "member twice", "no JSON", "version that is none", "another method"),
    ],
)
def test_a_definition_whose_put_is_in_doubt_is_forgotten(exchange: Exchange) -> None:
    """Nothing that follows from it breaks a rule: no version, no refusal, no unknown variant."""
    judge = seen(put(), work(), exchange)

    assert ("1", "v") not in judge.model.definitions
    assert suspected(put(), work(), exchange, refusal(), work("901"), put(version=9)) == []


@pytest.mark.parametrize(
    ("status", "headers"),
    [*((status, (KEY, JSON)) for status in (400, 403, 409, 422)), (401, (JSON,)), (400, (JSON,))],
)
def test_a_put_that_was_refused_changes_nothing(status: int, headers: Headers) -> None:
    """The key and the body do not matter."""
    judge = seen(put(), work(), put(status=status, data=None, headers=headers))

    assert judge.model.definitions["1", "v"].version == 1


def test_a_control_plane_200_without_data_is_a_refusal() -> None:
    """B009: the definition stays as it was, and this way to refuse is an interpretation."""
    judge = seen(put(), asked(PUT, {"variant": "v", "schema": {}, "version": 1}, 200, None))

    assert judge.model.definitions["1", "v"].version == 1
    assert judge.context.learned.interpretations["control-plane refusal"] == "200 with data null"
    assert judge.served == {PUT: 1}


def test_accepted_work_that_is_in_doubt_has_still_issued_its_id() -> None:
    """A second answer with the same id breaks ING-7, whatever was asked."""
    strange = work("900", headers=(KEY, JSON, JSON))
    judge = seen(put(), strange)

    assert judge.model.actions["1", "900"].unattended is False
    assert suspected(put(), work("900"), strange) == ["ING-7"]


def test_an_id_that_was_answered_without_a_key_is_known_to_have_been_issued() -> None:
    """The broken rule is that the request was served, not that its action is extended."""
    exchanges = work("900", headers=(JSON,)), modack("900"), modack("9" * 18)

    assert rules(seen(*exchanges).ledger.all()) == ["AUTH-4"]
    assert suspected(*exchanges) == ["LEASE-6"]


@pytest.mark.parametrize("kind", ["ack", "nack", "defer"])
def test_operations_of_the_guides_are_followed_where_they_are_offered(kind: str) -> None:
    """No page lists them, so no check looks at them; what they do to an attempt is known (B127, B128, B140)."""
    label = f"POST /v1/{kind}"
    body = {"action_record_id": "900", "attempt": 0, "terms": {"retry": False}}
    before = (put(), work(), modack())

    offered = seen(*before, asked(label, body, 200, {}))
    missing = seen(*before, asked(label, body, 404))

    action = offered.model.actions["1", "900"]
    assert (action.ended, action.deferred) == (kind != "defer", kind == "defer")
    assert not missing.model.actions["1", "900"].ended
    assert (offered.ledger.all(), missing.ledger.all()) == ([], [])


def test_a_breach_at_an_operation_of_the_guides_names_its_path() -> None:
    """No page lists it under another name."""
    ended = asked("POST /v1/ack", {"action_record_id": "900", "attempt": 0}, 200, {})
    again = asked("POST /v1/nack", {"action_record_id": "900", "attempt": 0}, 200, {})

    [finding] = suspicions(put(), work(), modack(), ended, again)

    assert (finding.rule, finding.operation) == ("LIFE-9", "POST /v1/nack")


@pytest.mark.parametrize(
    "odd",
    [
        modack(status=401),
        modack(status=500),
        modack(status=200, headers=(JSON,)),
        modack(attempt=1, status=409, headers=(KEY, ("authorization", "good-key-one"), JSON)),
        modack(body={"action_record_id": "900", "attempt": "1", "mod_ack": 300}),
    ],
    ids=["401", "500", "no key", "two keys", "broken body"],
)
def test_a_modack_that_is_in_doubt_moves_no_lease(odd: Exchange) -> None:
    """The attempt that held the lease holds it still."""
    exchanges = put(), work(), modack(), odd, modack(attempt=1, status=200)

    assert seen(*exchanges).model.actions["1", "900"].attempt == 0
    assert suspected(*exchanges) == ["LEASE-3"]


def test_after_unlearning_the_next_answer_to_a_question_is_the_first() -> None:
    """The target is held to that one."""
    judge = seen(refusal(segment="contract.one"))
    judge.unlearn("unknown variant")
    assert "unknown variant" not in judge.model.first_answers | judge.context.learned.interpretations

    first = judge.observe(work(segment="contract.two"))
    second = judge.observe(refusal(segment="contract.three"))

    [finding] = (*first.suspicions, *second.suspicions)
    assert (finding.rule, finding.expected) == ("READ-1", "made on the fly")
    assert finding.exchanges[0].status == 200


def test_an_alias_that_a_lost_update_may_have_taken_is_contested() -> None:
    """Whether the update took effect is open, and so is which definition has the alias (C5)."""
    made = put(body={"variant": "v", "schema": {}, "alias": ["a"]})
    made = replace(made, answer=made.answer.replace(b'"alias": []', b'"alias": ["a"]'))
    judge = seen(made)
    judge.lose_track_of(put(status=0, data=None, body={"variant": "w", "schema": {}, "alias": ["a"]}))

    assert judge.model.definitions["1", "v"].alias_contested


def test_a_request_that_met_no_answer_leaves_its_definition_open() -> None:
    """Whether the request took effect is open."""
    judge = seen(put())
    judge.lose_track_of(put(status=0, data=None))

    assert ("1", "v") in judge.model.possibly_defined
    assert ("1", "v") not in judge.model.definitions


def test_the_model_learns_from_an_answer_that_breaks_a_harmless_rule() -> None:
    """A key in an answer leaves no doubt about what was asked and answered."""
    leaking = put(got=(JSON, ("x-key", "good-key-one")))
    judge = seen(leaking)

    assert rules(judge.ledger.all()) == ["SAFE-1"]
    assert ("1", "v") in judge.model.definitions


def test_a_refused_good_key_is_left_to_the_caller() -> None:
    """It is returned and not put in the ledger: wrong keys may have locked out the right one."""
    judge = Judge(check_context(), Ledger())

    verdict = judge.observe(modack(status=401))

    assert rules(verdict.findings) == ["AUTH-1"]
    assert judge.ledger.all() == []


def test_overlapping_calls_are_judged_alone_and_teach_the_model_no_order() -> None:
    """An id that two of them were given breaks ING-7, and both are the example; it is for the caller to put in the ledger."""
    judge, defined = Judge(check_context(), Ledger()), put()
    one, two, three = work("900"), work("900"), work("901")
    failed = asked(INGRESS, {"payload": 1}, 500)
    judge.observe(defined)

    [twice] = judge.observe_together([one, put(version=5), two, three, failed])
    [crash] = judge.ledger.all()

    assert (twice.rule, twice.operation, twice.exchanges) == ("ING-7", INGRESS, (one, two))
    assert (crash.rule, crash.exchanges, crash.together) == ("PAGE-8", (defined, failed), 1)
    assert judge.prepared(twice).exchanges == (defined, one, two)
    assert twice.concurrent
    assert judge.model.definitions["1", "v"].version == 1


def test_a_body_that_is_cut_off_is_reported_with_its_size() -> None:
    """HTTP-7: a server answers that a body is too large, instead of closing the connection."""
    judge = Judge(check_context(), Ledger())

    judge.add_cut_off(work(), 100_000)

    assert [(one.rule, "100,000" in one.title) for one in judge.ledger.all()] == [("HTTP-7", True)]


def test_a_scratch_judge_knows_the_interpretations_and_no_definitions() -> None:
    """It knows all of them but the one in question; what it finds is in a ledger of its own."""
    judge = seen(put(), refusal(segment="undefined"), work())
    judge.model.first_answers["alias"] = "reaches nothing"

    fresh = judge.scratch("unknown variant")
    fresh.observe(asked(INGRESS, {"payload": 1}, 500))

    assert fresh.model.first_answers == {"alias": "reaches nothing"}
    assert fresh.model.definitions == {}
    assert (rules(fresh.ledger.all()), judge.ledger.all()) == (["PAGE-8"], [])


def test_an_interpretation_that_a_sequence_has_shown_binds_the_target() -> None:
    """A second answer is written beside the first, and raises suspicions."""
    judge = Judge(check_context(), Ledger())
    before = judge.note("alias that another definition has", "refused", put(status=409, data=None))

    after = judge.note("alias that another definition has", "taken over", put())

    assert (
        judge.context.learned.interpretations["alias that another definition has"] == "refused or taken over"
    )
    assert (rules(before), rules(after)) == ([], ["READ-1", "DEF-7"])
    assert judge.ledger.tested["DEF-7"] == 2


def test_a_verdict_has_the_suspicions_of_its_own_exchange_alone() -> None:
    """The judge keeps none: the caller decides what becomes of them."""
    judge = seen(put(), work())

    verdicts = [judge.observe(exchange) for exchange in (refusal(), work("901"), put(version=9))]

    assert [rules(verdict.suspicions) for verdict in verdicts] == [["PAGE-11"], [], ["DEF-3"]]
    assert judge.ledger.all() == []


def test_slow_exchanges_are_remembered() -> None:
    """They are asked again, as a busy machine may have made one answer slow."""
    quick, slow = work(), work("901")
    judge = seen(quick, replace(slow, back=slow.call + 1.5))

    assert [exchange.call for exchange in judge.slow] == [slow.call]


def test_every_listener_hears_every_exchange() -> None:
    """Exchanges of unknown operations too."""
    heard: list[Exchange] = []
    judge = Judge(check_context(), Ledger())
    judge.listen(heard.append)
    odd = asked("GET /elsewhere", None, 404)

    judge.observe(odd)
    judge.observe_together([odd])

    assert heard == [odd, odd]


def test_at_most_twenty_slow_exchanges_are_remembered() -> None:
    """Beside those that a sequence notes itself."""
    judge = seen(*(replace(one, back=one.call + 2) for one in (work(str(900 + n)) for n in range(25))))
    judge.note_slow(work("7"))

    assert len(judge.slow) == 21


def test_a_resumed_judge_begins_where_the_earlier_part_has_ended() -> None:
    """With its counts, and with the answers that it was given first."""
    judge = Judge(check_context(), Ledger())
    judge.resume({PUT: 5}, {"alias": "reaches nothing"}, {"unknown variant": "refused"})

    assert rules(judge.observe(put()).findings) == []
    assert judge.served == {PUT: 6}
    assert judge.context.learned.interpretations["alias"] == "reaches nothing"
    made = {"a_id": "5", "a_def_id": "9", "queue_s": "queued", "a_va": "contract.x", "a_ve": "1"}
    taken = asked(INGRESS, {"payload": 1}, data=made, segment="contract.x")
    assert rules(judge.observe(taken).suspicions) == ["READ-1"]


def test_a_put_that_is_sent_again_unseen_leaves_its_definition_open() -> None:
    """Until the run puts it once more; other requests leave nothing open."""
    judge = seen(put(), work())
    judge.renew(work())
    assert ("1", "v") in judge.model.definitions

    judge.renew(put())

    assert ("1", "v") not in judge.model.definitions
    assert rules(judge.observe(put(version=4)).suspicions) == []
    assert judge.model.definitions["1", "v"].version == 4


def test_what_an_exchange_needs_and_what_happened_before_it_are_asked_for() -> None:
    """A request that is sent again is left out of all histories."""
    one, refused, two = put(), refusal(status=409), work()
    judge = seen(one, refused, two)
    assert judge.needed(two) == (one, two)
    assert [each.status for each in judge.history(two)] == [200, 409, 200]

    judge.disregard(refused)

    assert [each.status for each in judge.history(two)] == [200, 200]


def test_only_the_application_can_have_a_reason_to_refuse_an_ordinary_request() -> None:
    """A path with escapes may be refused by a proxy."""
    judge = Judge(check_context(), Ledger())

    assert judge.is_ordinary(work())
    assert not judge.is_ordinary(refusal(segment="%76"))


def test_a_scratch_judge_keeps_a_refused_good_key() -> None:
    """No caller of a replay looks into it."""
    fresh = Judge(check_context(), Ledger()).scratch(None)
    fresh.observe(modack(status=401))

    assert rules(fresh.ledger.all()) == ["AUTH-1"]


def test_the_latest_actions_are_remembered_and_the_others_are_forgotten() -> None:
    """A night needs no more room than an hour."""
    judge = seen(put(), *(work(str(900 + n)) for n in range(5)))
    judge.model.trim(3)
    judge.context.learned.trim(3)

    assert list(judge.context.learned.actions) == ["902", "903", "904"]
    assert [number for _, number in judge.model.actions] == ["902", "903", "904"]
    judge.trim()
    assert len(judge.context.learned.actions) == 3
