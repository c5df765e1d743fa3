"""Which answer is hit by which fault: that follows from counts, not from chance."""

from __future__ import annotations

from mock_server.domain.faults import MAX_FAULTS, Fault, FaultPlan


def _plan(*faults: Fault) -> FaultPlan:
    plan = FaultPlan()
    for fault in faults:
        plan = plan.added(fault)
    return plan


def _hits(plan: FaultPlan, operations: list[str], seed: int = 0) -> tuple[FaultPlan, list[int]]:
    """The plan after answers of these operations, and the number of the fault that hit each of them; 0 for none."""
    hits = []
    for operation in operations:
        plan, hitting = plan.after_answer(operation, seed)
        hits.append(hitting.number if hitting else 0)
    return plan, hits


def test_a_fault_hits_its_operation_as_often_as_it_says() -> None:
    """FAULT-2: after that it hits nothing."""
    plan, hits = _hits(_plan(Fault("a", times=2, status=500)), ["b", "a", "b", "a", "a"])

    assert hits == [0, 1, 0, 1, 0]
    assert (plan.faults[0].hit, plan.faults[0].left) == (2, 0)
    assert not plan.fits("a")


def test_without_an_operation_and_a_number_it_hits_everything() -> None:
    """FAULT-2: it has no end."""
    plan, hits = _hits(_plan(Fault(status=500)), ["a", "b"] * 50)

    assert hits == [1] * 100
    assert plan.faults[0].left is None


def test_the_first_fault_that_fits_hits_and_the_others_do_not_count_the_answer() -> None:
    """FAULT-3: the order is that of their addition."""
    plan, hits = _hits(_plan(Fault("b"), Fault("a", times=1), Fault(times=2), Fault()), ["a", "a", "a", "a"])

    assert hits == [2, 3, 3, 4]
    assert [planned.hit for planned in plan.faults] == [0, 1, 2, 1]


def test_a_share_is_spread_the_same_way_every_time() -> None:
    """FAULT-4, LIFE-19: a third of the answers is hit, and other ones with another seed or another number."""
    third = _plan(Fault(share=1 / 3))
    one, again, other = (_hits(third, ["a"] * 3_000, seed)[1] for seed in (7, 7, 8))
    second = _hits(_plan(Fault("b"), Fault(share=1 / 3)), ["a"] * 3_000, 7)[1]

    assert one == again != other
    assert [bool(hit) for hit in one] != [bool(hit) for hit in second]
    assert all(abs(sum(map(bool, hits)) - 1_000) < 100 for hits in (one, other, second))


def test_a_fault_with_a_share_still_hits_as_often_as_it_says() -> None:
    """FAULT-4: an answer outside of the share is no hit."""
    plan, hits = _hits(_plan(Fault(share=0.1, times=5)), ["a"] * 1_000)

    assert sum(hits) == 5
    assert plan.faults[0].left == 0


def test_the_next_fault_may_hit_what_is_outside_of_the_first_ones_share() -> None:
    """FAULT-3: its share is one of the rest."""
    _, hits = _hits(_plan(Fault(share=0.5), Fault(share=0.5)), ["a"] * 4_000)

    assert abs(hits.count(1) - 2_000) < 150
    assert abs(hits.count(2) - 1_000) < 150


def test_numbers_are_never_used_again() -> None:
    """A number names one fault for ever."""
    plan = _plan(Fault(), Fault()).without(2).added(Fault())

    assert [planned.number for planned in plan.faults] == [1, 3]
    assert [planned.number for planned in plan.without(None).added(Fault()).faults] == [4]


def test_the_oldest_spent_fault_makes_room() -> None:
    """FAULT-9: faults that have answers left to hit stay."""
    plan = _plan(*[Fault("a")] * 10, *[Fault("b", times=1)] * (MAX_FAULTS - 10))
    assert plan.is_full
    plan, _ = _hits(plan, ["b", "b"])

    assert not plan.is_full
    numbers = [planned.number for planned in plan.added(Fault()).added(Fault()).faults]
    assert numbers == [*range(1, 11), *range(13, MAX_FAULTS + 3)]
    assert plan.added(Fault()).added(Fault()).is_full
