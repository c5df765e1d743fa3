"""The store of all organisations: what is dropped beyond its bounds, and what snapshots bring back."""

from __future__ import annotations

import pytest

from mock_server.adapters.id_suffixes import IdSuffixes
from mock_server.domain import actions
from mock_server.domain.actions import Work
from mock_server.domain.errors import TooManySnapshots
from mock_server.storage.memory import MAX_SNAPSHOTS, MemoryStore
from mock_server.storage.organisation import Organisation


def _store(max_actions: int = 10_000, max_payload_bytes: int = 1 << 30) -> MemoryStore:
    return MemoryStore(max_actions, max_payload_bytes, journal_limit=10, suffix=IdSuffixes().of, seed=0)


def _add(
    store: MemoryStore, organisation: Organisation, count: int = 1, *, payload: bytes = b"1"
) -> list[str]:
    ids = []
    for _ in range(count):
        work = Work("1", "v", 1, payload, b"", (), 1, 1_000_000)
        action = actions.accepted(organisation.new_action_id(), work)
        store.add_action(organisation.org_id, (action,))
        ids.append(action.id)
    return ids


def _kept(organisation: Organisation, ids: list[str]) -> list[bool]:
    return [organisation.action(name) is not None for name in ids]


def test_the_organisation_that_keeps_most_loses_its_oldest() -> None:
    """ING-8: an organisation that floods the mock takes nothing from the others."""
    store = _store(max_actions=10)
    quiet, loud = store.organisation("1"), store.organisation("2")
    few, many = _add(store, quiet, 3), _add(store, loud, 30)
    few += _add(store, quiet)

    assert _kept(quiet, few) == [True] * 4
    assert _kept(loud, many) == [False] * 24 + [True] * 6
    assert [loud.dropped(name) for name in many] == [True] * 24 + [False] * 6
    assert not quiet.dropped(many[0])
    assert store.count == 10


def test_payload_bytes_are_bounded_too_and_the_newest_always_stays() -> None:
    """ING-8: it stays even when it is larger than the bound by itself."""
    store = _store(max_payload_bytes=100)
    organisation = store.organisation("1")
    small = _add(store, organisation, 5, payload=b"x" * 30)
    large = _add(store, organisation, payload=b"x" * 1_000)

    assert _kept(organisation, small) == [False] * 5
    assert _kept(organisation, large) == [True]


def test_a_restored_organisation_is_what_it_was_with_the_same_ids_to_come() -> None:
    """Actions, ids and counts come back; what was made since then is unknown, not dropped."""
    store = _store()
    organisation = store.organisation("1")
    before = _add(store, organisation, 300)
    store.snapshot("1", "s")
    after = _add(store, organisation, 300)
    store.restore("1", "s")

    assert _kept(organisation, before + after) == [True] * 300 + [False] * 300
    assert not any(map(organisation.dropped, after))
    assert store.count == 300
    assert _add(store, organisation, 300) == after


def test_a_snapshot_keeps_what_was_dropped_from_the_organisation() -> None:
    """A restore counts it against the bound again."""
    store = _store(max_actions=300)
    organisation = store.organisation("1")
    ids = _add(store, organisation, 300)
    store.snapshot("1", "s")
    _add(store, organisation, 250)
    assert _kept(organisation, ids) == [False] * 250 + [True] * 50

    store.restore("1", "s")

    assert _kept(organisation, ids) == [True] * 300
    assert store.count == 300


def test_a_fork_shares_the_past_and_not_the_future() -> None:
    """Both have the same actions under the same ids; new ones are each organisation's own."""
    store = _store()
    one, other = store.organisation("1"), store.organisation("2")
    past = _add(store, one, 300)
    store.fork("1", "2", None)

    assert _kept(other, past) == [True] * 300
    mine, theirs = _add(store, one, 3), _add(store, other, 3)
    assert not set(mine) & set(theirs)
    assert _kept(one, theirs) + _kept(other, mine) == [False] * 6
    assert store.count == 606


def test_a_fork_shows_the_same_events_under_the_same_ids() -> None:
    """Both go on with ids of their own."""
    store = _store()
    one, other = store.organisation("1"), store.organisation("2")
    [shared] = _add(store, one)
    store.fork("1", "2", None)
    [mine], [theirs] = _add(store, one), _add(store, other)

    def events(organisation: Organisation, name: str) -> list[str]:
        action = organisation.action(name)
        assert action is not None
        return [organisation.event_id(event.number) for event in organisation.history(action)]

    assert events(one, shared) == events(other, shared)
    assert events(one, mine) != events(other, theirs)


def test_only_ids_that_were_given_out_count_as_dropped() -> None:
    """In a fork the first ids end with the other organisation's suffix."""
    store = _store(max_actions=3)
    one, other = store.organisation("1"), store.organisation("2")
    old = _add(store, one, 2)
    store.fork("1", "2", None)
    new = _add(store, other, 4)

    assert [other.dropped(name) for name in (*old, new[0], new[-1])] == [True, True, True, False]
    assert not other.dropped(old[0][:10] + new[0][10:])
    assert not other.dropped("abcdefghij123456789")


def test_beyond_the_bound_a_fork_drops_actions_of_the_organisation_that_keeps_most() -> None:
    """Neither organisation is emptied for the other: both keep about half."""
    store = _store(max_actions=100)
    one, other = store.organisation("1"), store.organisation("2")
    _add(store, one, 100)
    store.fork("1", "2", None)
    store.sweep()

    assert (one.action_table.count, other.action_table.count) == (50, 50)
    assert store.count == 100
    _add(store, one, 1)
    assert {one.action_table.count, other.action_table.count} == {50}


def test_restores_do_not_pile_up_memory() -> None:
    """Chunks that the restored state shares with the former one are not discarded."""
    store = _store()
    organisation = store.organisation("1")
    _add(store, organisation, 5_000)
    store.snapshot("1", "s")
    for _ in range(100):
        _add(store, organisation)
        store.restore("1", "s")
        store.sweep()

    assert not store.sweep()


def test_a_reset_gives_the_same_ids_again() -> None:
    """With another seed it gives others."""
    store = _store()
    organisation = store.organisation("1")
    first = _add(store, organisation, 3)
    store.reset("1", None)
    again = _add(store, organisation, 3)
    store.reset("1", 1)

    assert again == first
    assert not set(_add(store, organisation, 3)) & set(first)


def test_snapshots_are_bounded_in_number_and_a_known_name_is_not_a_new_one() -> None:
    """Their number is the only bound on what they keep."""
    store = _store()
    store.organisation("1")
    for number in range(MAX_SNAPSHOTS):
        store.snapshot("1", str(number))
    store.snapshot("1", "0")

    with pytest.raises(TooManySnapshots):
        store.snapshot("1", "one more")


def test_discarded_memory_is_freed_in_portions_until_all_of_it_is_free() -> None:
    """A reset of 10,000 actions takes four sweeps."""
    store = _store()
    organisation = store.organisation("1")
    _add(store, organisation, 10_000)
    store.reset("1", None)
    sweeps = 1
    while store.sweep():
        sweeps += 1

    assert sweeps == 4
    assert not store.sweep()
