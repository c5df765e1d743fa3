"""Names of definitions: fresh ones in each run, or the few of a name prefix."""

from __future__ import annotations

from random import Random

from contracts.model.world import Model
from contracts.phases.names import Names


def names(*, reused: bool, scope: str = "ab", model: Model | None = None) -> Names:
    return Names(
        "contract.x.", Random(7), model or Model(lambda *_: True), ["1", "2"], reused=reused, scope=scope
    )


def test_fresh_names_are_drawn() -> None:
    """Each has the prefix of the run, its kind and eight digits; no two are alike."""
    fresh = names(reused=False)
    taken = [fresh.take(kind) for kind in ("v", "v", "alias", "unknown")]

    assert len(set(taken)) == 4
    assert all(
        name.startswith(f"contract.x.{kind}")
        for name, kind in zip(taken, ("v", "v", "alias", "unknown"), strict=True)
    )
    assert {len(name.rpartition(".")[2]) for name in taken[:2]} == {9}


def test_reused_names_are_the_same_in_each_run() -> None:
    """Plain definitions take turns, others count up; an alias has the scope of its sequence."""
    reused = names(reused=True)

    assert [reused.take() for _ in range(4)] == [
        "contract.x.v0",
        "contract.x.v1",
        "contract.x.v2",
        "contract.x.v0",
    ]
    assert [reused.take("any") for _ in range(4)][-1] == "contract.x.any3"
    assert [reused.take("alias") for _ in range(2)] == ["contract.x.alias.ab0", "contract.x.alias.ab1"]
    assert names(reused=True, scope="cd").take("unknown") == "contract.x.unknown.cd0"


def test_a_kind_can_begin_again() -> None:
    """And no other kind does."""
    reused = names(reused=True)
    reused.take("plain")
    reused.take("any")
    reused.restart("plain")

    assert (reused.take("plain"), reused.take("any")) == ("contract.x.plain0", "contract.x.any1")


def test_what_an_earlier_run_may_have_defined_is_left_open() -> None:
    """In each organisation; not for a name that is never defined, and not for fresh names."""
    model = Model(lambda *_: True)
    reused = names(reused=True, model=model)
    fresh = names(reused=False, model=model)
    name, unknown, other = reused.take(), reused.take("unknown"), fresh.take()

    assert model.may_exist(("1", name))
    assert model.may_exist(("2", name))
    assert not model.may_exist(("1", unknown))
    assert not model.may_exist(("1", other))


def test_a_prefix_can_be_changed() -> None:
    """For names from then on."""
    reused = names(reused=True)
    reused.change_prefix("contract-x-")

    assert reused.take("plain") == "contract-x-plain0"
