"""What an organisation has on its first use and after a reset, and what a changed file does to organisations in use."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from mock_server.domain.journal import TransitionEntry
from mock_server.domain.seeds import SeedRefused
from mock_server.domain.states import State, Status
from mock_server.seeds.yaml_source import read
from mock_server.services.administration import Administration
from tests.seeds.worlds import FROZEN, ORDER, Seeded

TEMPLATE: dict[str, Any] = {
    "clock": FROZEN,
    "definitions": [ORDER | {"alias": ["o"]}],
    "actions": [
        {"variant": "o", "payload": {"id": "1"}},
        {"variant": "order", "payload": {"id": "2"}, "status": "failed", "attempt": 2},
    ],
}


def _with(**members: Any) -> dict[str, Any]:
    return {"template": TEMPLATE | members}


def _given(status: str, **members: Any) -> dict[str, Any]:
    return {"variant": "order", "payload": {"id": "1"}, "status": status} | members


def test_every_organisation_begins_as_the_template_and_changes_alone() -> None:
    """SEED-2: all begin the same but for ids, and no change of one shows in another."""
    world = Seeded(_with())
    before = {org: world.records(org) for org in ("1", "2")}
    world.accept("o", key="org-1", payload={"id": "3"})
    world.put("order", key="org-42", schema={"type": "string"})

    assert world.shape("1") == [("ack_wait", 0), ("failed", 2), ("ack_wait", 0)]
    assert world.shape("2") == world.shape("3") == [("ack_wait", 0), ("failed", 2)]
    assert world.records("2") == before["2"]
    assert not {r["id"] for r in before["1"]} & {r["id"] for r in before["2"]}
    assert world.records("3")[0]["definition"]["schema"] == ORDER["schema"]


def test_ids_are_those_of_the_same_calls_in_the_same_order() -> None:
    """SEED-3: so a seed file may be replaced by calls, and calls by a seed file."""
    called = Seeded()
    called.put("order", schema=ORDER["schema"], alias=["o"])
    called.accept("order", payload={"id": "1"})
    seeded = Seeded(
        {"template": {"definitions": [ORDER | {"alias": ["o"]}], "actions": [TEMPLATE["actions"][0]]}}
    )

    assert seeded.records() == called.records()


@pytest.mark.parametrize("state", list(State), ids=str)
@pytest.mark.parametrize("attempt", [None, 0, 1, 7])
def test_an_action_begins_in_the_state_that_the_file_names(state: State, attempt: int | None) -> None:
    """SEED-4: its record says so, with a history of possible transitions, oldest first, within its lifetime."""
    if state is State.QUEUED and attempt is not None:
        return
    members = {} if attempt is None else {"attempt": attempt}
    world = Seeded(_with(actions=[_given(state.value, accepted_ago=900, **members)]))
    [record] = world.records()
    events, found = record["events"], record["state"]

    assert (found["status"], found["attempt"]) == (state.status.value, attempt or 0)
    assert events[-1]["status"] == found["status"]
    assert events[-1]["attempt"] == found["attempt"]
    assert events[-1]["created_at"] == found["updated_at"]
    assert found["timeout_at"] == "2030-01-02T11:45:00.000Z"
    times = [event["created_at"] for event in events]
    assert times == sorted(times)
    assert "2030-01-01T11:45:00.000Z" <= times[0] <= times[-1] <= "2030-01-01T12:00:00.000Z"
    assert len(events) == 16 or events[0]["kind"] == "accepted"
    assert (found["completed_at"] is not None) == (
        state.status in (Status.SUCCEEDED, Status.FAILED, Status.CANCELED)
    )
    assert (found["started_at"] is not None) == any(event["kind"] == "delivered" for event in events)


def test_an_action_has_what_the_file_gives_it_and_otherwise_what_a_post_without_it_has() -> None:
    """Metadata, tags and version."""
    with_all = {"metadata": {"m": [1]}, "tags": {"t": "1"}, "version": 1}
    world = Seeded(_with(actions=[_given("ack_wait"), _given("ack_wait", **with_all)]))
    world.accept("order", payload={"id": "1"})
    world.records()
    exported = read(world.export().encode(), "f").value["organisations"]["42"]["actions"]
    plain, given, posted = (
        {m: action.get(m) for m in ("metadata", "tags", "version")} for action in exported
    )

    assert given == with_all
    assert plain == posted


def test_times_are_seconds_from_now_or_dates() -> None:
    """SEED-4: they count by the organisation's own clock, and none is beyond the action's lifetime."""
    world = Seeded(
        _with(
            actions=[
                _given("scheduled", accepted_ago=100, available_in=30.5),
                _given(
                    "scheduled", accepted_at="2030-01-01T13:00:00+02:00", available_at="2030-01-05T00:00:00Z"
                ),
                _given("succeeded", accepted_ago=500, ended_ago=400),
                _given("retrying", accepted_at="2029-01-01T00:00:00Z"),
            ]
        )
    )
    states = [record["state"] for record in world.records()]

    assert states[0]["available_at"] == "2030-01-01T12:00:30.500Z"
    assert states[1]["available_at"] == states[1]["timeout_at"] == "2030-01-02T11:00:00.000Z"
    assert states[2]["completed_at"] == "2030-01-01T11:53:20.000Z"
    assert states[3]["status"] == "failed"


def test_seeded_actions_live_like_any_other() -> None:
    """Leases run out, retries begin, and a client that knows an id can settle."""
    world = Seeded(
        _with(
            actions=[
                _given("ack_wait", available_in=10),
                _given("retrying", available_in=20),
                _given("running"),
                _given("deferred", available_in=30),
            ]
        )
    )
    ids = [record["id"] for record in world.records()]
    assert world.signal("ack", ids[2]) == (200, "")
    world.admin("clock.advance", 30_000)

    assert world.shape() == [("ack_wait", 1), ("ack_wait", 1), ("succeeded", 0), ("succeeded", 0)]


def test_the_journal_has_no_entry_of_a_generated_history() -> None:
    """SEED-4: an action that begins in a given state was in it before the journal began."""
    world = Seeded(_with())
    world.records()
    world.accept("o", payload={"id": "3"})
    entries = world.app.store.organisation("42").journal.entries()
    found = {entry.action_id for entry in entries if isinstance(entry, TransitionEntry)}

    assert len(found) == 2


def test_the_bounds_of_memory_hold() -> None:
    """SEED-5: the oldest seeded actions are dropped."""
    world = Seeded(_with(actions=[_given("failed")] * 10), max_actions=4)

    assert len(world.records()) == 4
    assert world.app.store.organisation("42").action_table.oldest == 6


def test_a_reset_provisions_again_and_its_own_members_count_more() -> None:
    """SEED-6: seed, clock and worker of the reset replace those of the file."""
    world = Seeded(_with(seed=5))
    first = world.records()
    world.accept("o", payload={"id": "3"})
    world.admin("reset")
    assert world.records() == first

    world.admin("reset", seed=6, frozen=True, to=1_893_456_000_000)
    again = world.records()
    assert world.app.store.organisation("42").seed == 6
    assert again[0]["id"] != first[0]["id"]
    assert again[0]["state"]["updated_at"] == "2030-01-01T00:00:00.000Z"

    world.admin("reset", provision=False)
    assert world.records() == []
    assert world.app.store.organisation("42").seed == 0


def test_forks_and_restores_are_not_provisioned() -> None:
    """SEED-6: they are what their source was."""
    world = Seeded(_with())
    world.admin("reset", provision=False)
    world.admin("snapshots.take", "empty")
    world.admin("snapshots.fork", "43", None)

    assert world.records("43") == []
    world.admin("reset")
    assert len(world.records()) == 2
    world.admin("snapshots.restore", "empty")
    assert world.records() == []


def _change_file(world: Seeded, **members: Any) -> list[str]:
    return world.seed(_with(**members))


def test_a_changed_file_changes_what_differs_in_organisations_in_use() -> None:
    """SEED-7: definitions, destinations, links and scripts; what the file leaves unchanged stays as it has become."""
    world = Seeded(_with(worker={"variants": {"order": "hold"}}))
    world.records()
    world.put("own", schema={})
    world.put("order", schema=True, alias=["o", "mine"])
    changed = _change_file(
        world,
        worker={"variants": {"order": "ack"}},
        definitions=[TEMPLATE["definitions"][0], {"variant": "new", "destinations": ["sink"]}],
        destinations=[{"label": "sink", "type": "default_sink", "config": {}}],
    )

    assert changed == ["42"]
    assert world.accept("mine")["a_ve"] == "2"
    assert world.shape()[-1] == ("succeeded", 0)
    assert world.accept("own")
    world.accept("new")
    assert world.records()[-1]["definition"]["destinations"][0]["destination"]["label"] == "sink"
    assert _change_file(world, definitions=[{"variant": "order", "schema": {}, "alias": ["o"]}]) == ["42"]
    assert world.call("POST", "/v1/ingress/mine", {"payload": 1}).status == 400


def test_removing_something_from_the_file_removes_nothing_but_keys() -> None:
    """SEED-7: definitions and actions stay."""
    world = Seeded(_with() | {"keys": {"k": 42}})
    before = world.records()
    world.seed({})

    assert world.records() == before
    assert world.accept("o", payload={"id": "9"})
    assert world.records("7") == []


def test_actions_that_are_new_in_the_list_are_added() -> None:
    """SEED-7: of equal actions, as many as the list has more than before."""
    world = Seeded(_with())
    world.records()
    _change_file(world, actions=[_given("canceled"), *TEMPLATE["actions"], TEMPLATE["actions"][0]])

    assert world.shape() == [("ack_wait", 0), ("failed", 2), ("canceled", 0), ("ack_wait", 0)]
    _change_file(world, actions=[])
    assert len(world.records()) == 4


def test_a_clock_moves_only_when_the_file_moves_it() -> None:
    """SEED-7: it moves as by the admin plane, so all that falls due on the way happens."""
    world = Seeded(_with())
    world.records()
    world.admin("clock.advance", 30_000)
    _change_file(world, worker={"default": "hold"})
    assert world.app.administration.now(world.app.store.organisation("42")) == 1_893_499_230_000

    _change_file(world, clock={"mode": "frozen", "now": "2030-01-01T12:01:00Z"})
    assert world.shape()[0] == ("ack_wait", 1)


def test_a_clock_that_would_go_back_has_the_whole_file_refused() -> None:
    """SEED-8: nothing of it is applied, not even to other organisations."""
    world = Seeded(_with())
    world.records("41")
    world.records()
    world.admin("clock.advance", 30_000)
    before = world.export()

    with pytest.raises(SeedRefused, match=r"expected a time from 2030-01-01T12:00:30\.000Z on") as refused:
        _change_file(
            world,
            clock={"mode": "frozen", "now": "2030-01-01T12:00:10Z"},
            definitions=[*TEMPLATE["definitions"], {"variant": "more"}],
        )
    assert refused.value.place == "template/clock"
    assert world.export() == before


def test_a_file_that_contradicts_an_organisation_in_use_is_refused_whole() -> None:
    """SEED-8: another definition has taken its alias meanwhile."""
    world = Seeded(_with())
    world.records("41")
    world.put("own", alias=["taken"])
    before = world.export()

    with pytest.raises(SeedRefused, match="expected an alias that no other definition owns") as refused:
        _change_file(world, definitions=[*TEMPLATE["definitions"], {"variant": "z", "alias": ["taken"]}])
    assert refused.value.place == "template/definitions/1/alias/0"
    assert world.export() == before


def test_another_seed_changes_only_later_ids() -> None:
    """SEED-7: earlier ids stay."""
    world = Seeded(_with())
    before = world.records()
    _change_file(world, seed=9)
    world.accept("o", payload={"id": "3"})
    after = world.records()

    assert after[:2] == before
    assert after[2]["id"][10:] != before[0]["id"][10:]
    assert world.app.store.organisation("42").seed == 9


def test_organisations_that_the_file_names_are_made_at_once() -> None:
    """SEED-2: they are made in its order; the others on their first use."""
    world = Seeded({"organisations": {"9": {"actions": []}, "8": {}}})
    assert isinstance(world.app.administration, Administration)

    assert [o.org_id for o in world.app.store.organisations()] == ["9", "8"]


def test_a_later_organisation_has_the_same_history_at_later_times() -> None:
    """SEED-2: all its times are later by the same number of seconds."""
    world = Seeded(
        {"template": {"definitions": [ORDER], "actions": [_given("running"), _given("failed", attempt=1)]}}
    )
    first = [record["events"] for record in world.records("1")]
    world.clock.advance(10_000)
    second = [record["events"] for record in world.records("2")]

    def moments(events: list[Any]) -> list[datetime]:
        return [datetime.fromisoformat(event["created_at"]) for event in events]

    for early, late in zip(first, second, strict=True):
        assert [e["kind"] for e in early] == [e["kind"] for e in late]
        assert {b - a for a, b in zip(moments(early), moments(late), strict=True)} == {timedelta(seconds=10)}
