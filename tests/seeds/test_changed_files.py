"""What a changed seed file does to organisations in use, in cases that are easy to get wrong."""

from __future__ import annotations

from typing import Any

import pytest

from mock_server.domain.errors import TooMuchDue
from mock_server.domain.seeds import SeedRefused
from mock_server.domain.worker import Do, Step, Worker
from tests.seeds.worlds import FROZEN, Seeded


def _seed(**template: Any) -> dict[str, Any]:
    return {"template": {"clock": FROZEN} | template}


def _removed_by_reset(world: Seeded) -> None:
    world.admin("reset", provision=False)


def _removed_by_fork(world: Seeded) -> None:
    world.on_loop(world.app.administration.reset("9", provision=False))
    world.on_loop(world.app.administration.snapshots.fork("9", "42", None))


def _removed_by_put(world: Seeded) -> None:
    world.put("v", alias=[])


@pytest.mark.parametrize("remove", [_removed_by_reset, _removed_by_fork, _removed_by_put])
def test_an_action_of_a_removed_definition_has_the_whole_file_refused(remove: Any) -> None:
    """Nothing of it is applied to any organisation, and a corrected file is."""
    definitions = [{"variant": "v", "alias": ["a"]}]
    world = Seeded(_seed(definitions=definitions))
    world.records("42")
    world.records("43")
    remove(world)

    with pytest.raises(SeedRefused) as refused:
        world.seed(_seed(definitions=definitions, actions=[{"variant": "a", "payload": 1}]))
    assert refused.value.place == "template/actions/0/variant"
    assert "as it is in use" in refused.value.text
    assert (world.shape("42"), world.shape("43")) == ([], [])

    assert world.seed(_seed(definitions=[{"variant": "v", "alias": ["a"], "schema": {"type": "object"}}]))
    assert world.accept("v", key="org-43", payload={})["a_ve"] == "2"


def test_aliases_may_change_their_owners_in_one_change() -> None:
    """An alias that one definition gives up may go to another, before it or after it."""

    def file(b: list[str], c: list[str]) -> dict[str, Any]:
        return _seed(definitions=[{"variant": "b", "alias": b}, {"variant": "c", "alias": c}])

    world = Seeded(file(["x"], ["y"]))
    world.records()
    world.seed(file(["y"], ["x"]))

    assert (world.accept("x")["a_va"], world.accept("y")["a_va"]) == ("c", "b")


def test_other_versions_come_with_a_change_too() -> None:
    """They come as on first use, so that a payload is checked by the version that it names."""
    world = Seeded(_seed(definitions=[{"variant": "v", "version": 2}]))
    world.records()
    strict = {"required": ["z"]}
    world.seed(
        _seed(definitions=[{"variant": "v", "version": 2, "versions": [{"version": 1, "schema": strict}]}])
    )

    for key in ("org-42", "org-43"):
        reply = world.call("POST", "/v1/ingress/v", {"payload": {}, "version": 1}, key=key)
        assert (reply.status, reply.error["code"]) == (400, "PAYLOAD_REJECTED")


def test_a_command_outlasts_a_change_of_another_part_of_the_file() -> None:
    """A new script of one variant leaves the script alone that a command gave to another."""
    world = Seeded(_seed(worker={"variants": {"a": "ack"}}))
    world.records()
    world.admin("set_worker", Worker(variants={"a": (Step(Do.NACK),)}))
    world.seed(_seed(worker={"variants": {"a": "ack", "b": "reject"}}))

    worker = world.app.administration.organisation("42").worker
    assert (worker.step("a", 0).do, worker.step("b", 0).do) == (Do.NACK, Do.REJECT)


def test_actions_go_on_waiting_for_capacity_until_the_scripts_change() -> None:
    """A change of something else gives them no worker."""
    waiting = {"variant": "v", "payload": 1, "status": "dispatch_wait"}
    world = Seeded(_seed(definitions=[{"variant": "v"}], actions=[waiting]))
    assert world.shape() == [("dispatch_wait", 0)]
    world.seed(_seed(definitions=[{"variant": "v"}, {"variant": "w"}], actions=[waiting]))
    assert world.shape() == [("dispatch_wait", 0)]
    world.seed(
        _seed(definitions=[{"variant": "v"}, {"variant": "w"}], actions=[waiting], worker={"default": "ack"})
    )
    assert world.shape() == [("succeeded", 0)]


def test_a_clock_that_fails_stops_no_other_clock() -> None:
    """The file is applied, but for that clock, and the error is raised."""

    def file(now: str, do: str) -> dict[str, Any]:
        clock = {"mode": "frozen", "now": now}
        definitions = [{"variant": "v"}]
        return {
            "organisations": {
                "1": {
                    "clock": clock,
                    "definitions": definitions,
                    "actions": [{"variant": "v", "payload": n} for n in range(20)],
                },
                "2": {"clock": clock, "definitions": definitions, "worker": {"default": do}},
            }
        }

    world = Seeded(file("2030-01-01T00:00:00Z", "wait"))
    world.app.administration.clock.most_due = 10
    action = world.accept("v", key="org-2")["a_id"]
    with pytest.raises(TooMuchDue):
        world.seed(file("2030-01-01T12:00:00Z", "ack"))

    assert world.record(action, key="org-2", org="2")["state"]["status"] == "succeeded"
    second = world.app.administration.organisation("2")
    assert second.clock.frozen_at == world.app.administration.organisation("1").clock.frozen_at


def test_a_running_clock_goes_on_from_its_time() -> None:
    """The command would do the same: a clock ahead of the machine's does not go back, so the file is not refused."""
    world = Seeded(_seed(definitions=[{"variant": "v"}]))
    world.accept("v")
    changed = _seed(definitions=[{"variant": "v"}])
    changed["template"]["clock"] = {"mode": "running"}
    world.seed(changed)

    organisation = world.app.administration.organisation("42")
    assert organisation.clock.frozen_at is None
    assert world.app.administration.now(organisation) == 1_893_499_200_000
