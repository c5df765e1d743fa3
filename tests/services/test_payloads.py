"""No schema stalls the mock: what may take long is given to the process pool, whose verdict is the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import pytest

from arklow_local.formats.json_values import digest
from mock_server.domain.errors import PayloadRejected, PayloadUndecided
from mock_server.domain.json_text import ABSENT, Json
from mock_server.domain.ports import PoolBusy, TookTooLong
from mock_server.schemas import weight
from mock_server.services.payloads import BUDGET, COMPILE_BUDGET, REASON_BUDGET, PayloadSchemas
from tests.corpus.still_loop import run_still
from tests.pools import FailingPool, PoolHere

P = ParamSpec("P")
T = TypeVar("T")


class _CountingPool(PoolHere):
    """Counts what it is given."""

    def __init__(self) -> None:
        self.given = 0

    async def run(self, seconds: float, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        self.given += 1
        return await super().run(seconds, function, *arguments, **named)


class _SlowPool(PoolHere):
    """Begins to work when it is let."""

    def __init__(self) -> None:
        self.begun, self.let = asyncio.Event(), asyncio.Event()

    async def run(self, seconds: float, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        self.begun.set()
        await self.let.wait()
        return await super().run(seconds, function, *arguments, **named)


def _json(value: Any) -> Json:
    return Json(json.dumps(value, separators=(",", ":")).encode(), value, digest(value))


def _text(value: Any) -> Json:
    """A value whose body was read beside the event loop: its text alone is known there."""
    return _json(value)._replace(value=ABSENT)


def doubling(levels: int) -> dict[str, Any]:
    """A schema with as many verdicts as two to the power of its levels."""
    definitions: dict[str, Any] = {
        f"l{n}": {"anyOf": [{"$ref": f"#/$defs/l{n + 1}"}] * 2} for n in range(levels)
    }
    return {"$defs": definitions | {f"l{levels}": {"type": "integer"}}, "$ref": "#/$defs/l0"}


def test_a_schema_of_exponential_cost_is_never_applied_beside_requests() -> None:
    """The pool alone compiles it and applies it; when that gives up there is no verdict, and the refusal says so."""
    pool = FailingPool(TookTooLong("stopped after 2 s"), after=1)
    schemas = PayloadSchemas(pool)
    hostile = _json(doubling(32))

    with pytest.raises(PayloadUndecided, match=r"within 2 s, got one that it does not \(stopped after 2 s\)"):
        run_still(schemas.check(hostile, _json("x")))
    assert pool.asked == 2


def test_requests_go_on_while_the_pool_works() -> None:
    """A payload of another schema has its verdict first."""

    async def run() -> list[str]:
        order: list[str] = []
        pool = _SlowPool()
        schemas = PayloadSchemas(pool)

        async def hostile() -> None:
            with pytest.raises(PayloadRejected):
                await schemas.check(_json(doubling(4)), _json("x" * 100_000))
            order.append("hostile")

        beside = asyncio.create_task(hostile())
        await pool.begun.wait()
        await schemas.check(_json({"type": "string"}), _json("x"))
        order.append("plain")
        pool.let.set()
        await beside
        return order

    assert run_still(run()) == ["plain", "hostile"]


UNUSUAL: dict[str, tuple[Any, Any, Any]] = {
    "recursive": ({"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}}, [[], [[]]], [[1]]),
    "unevaluated": ({"properties": {"a": {}}, "unevaluatedProperties": False}, {"a": 1}, {"b": 1}),
    "look-ahead": ({"pattern": "^(?!x)"}, "y", "x"),
    "doubling": (doubling(5), 1, "x"),
}  # fmt: skip
"""What the schema is → the schema, a payload that fits, and one that does not."""


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_schemas_are_enforced(name: str) -> None:
    """The process pool gives the same verdict in the same words."""
    schema, good, bad = UNUSUAL[name]
    schemas = PayloadSchemas(PoolHere())

    assert run_still(schemas.why_not_enforced(_json(schema))) == ""
    run_still(schemas.check(_json(schema), _json(good)))
    with pytest.raises(PayloadRejected, match="body/payload"):
        run_still(schemas.check(_json(schema), _json(bad)))


def test_the_size_of_a_payload_decides_where_it_is_checked_and_not_the_verdict() -> None:
    """A small one beside requests, a large one in the pool; so is one whose text alone is known."""
    pool = _CountingPool()
    schemas = PayloadSchemas(pool)
    schema = _json({"items": {"type": "integer"}})
    last = r"body/payload/{}: expected integer, got \"x\""

    run_still(schemas.check(schema, _json([1] * 10)))
    with pytest.raises(PayloadRejected, match=last.format(10)):
        run_still(schemas.check(schema, _json([1] * 10 + ["x"])))
    assert pool.given == 0
    run_still(schemas.check(schema, _json([1] * 400_000)))
    with pytest.raises(PayloadRejected, match=last.format(400_000)):
        run_still(schemas.check(schema, _json([1] * 400_000 + ["x"])))
    with pytest.raises(PayloadRejected, match=last.format(1)):
        run_still(schemas.check(schema, _text([1, "x"])))
    assert pool.given == 3


def _of_weight(wanted: int) -> dict[str, Any]:
    """A schema with so many nodes, which any array of numbers fits."""
    schema = {"items": {"type": "number"}, "examples": [0] * (wanted - weight({"items": {"type": "number"}, "examples": []}))}  # fmt: skip
    assert weight(schema) == wanted
    return schema


def test_a_schema_is_compiled_beside_requests_up_to_its_budget() -> None:
    """One of a node more goes to the pool."""
    pool = _CountingPool()
    schemas = PayloadSchemas(pool)

    assert run_still(schemas.why_not_enforced(_json(_of_weight(COMPILE_BUDGET)))) == ""
    assert pool.given == 0
    assert run_still(schemas.why_not_enforced(_json(_of_weight(COMPILE_BUDGET + 1)))) == ""
    assert pool.given == 1


@pytest.mark.parametrize(("budget", "bad"), [(BUDGET, False), (REASON_BUDGET, True)])
def test_a_verdict_and_its_reason_are_found_beside_requests_up_to_their_budgets(
    budget: int, bad: bool
) -> None:
    """Nodes of the schema times bytes of the payload; the pool gets what is more."""
    nodes = 100
    pool = _CountingPool()
    schemas = PayloadSchemas(pool)
    value: Any = ["x"] if bad else [0]
    for size, given in ((budget // nodes, 0), (budget // nodes + 1, 1)):
        payload = json.dumps(value)[:-1].ljust(size - 1) + "]"
        check = schemas.check(_json(_of_weight(nodes)), Json(payload.encode(), value))
        if bad:
            with pytest.raises(PayloadRejected, match="expected number"):
                run_still(check)
        else:
            run_still(check)
        assert pool.given == given


def test_a_payload_is_refused_without_a_reason_when_that_cannot_be_found_in_time() -> None:
    """The verdict itself was cheap."""
    schemas = PayloadSchemas(FailingPool(TookTooLong("stopped after 2 s")))
    schema = _json({"items": {"type": "integer"}})

    with pytest.raises(PayloadRejected, match=r"where it is not so was not found \(stopped after 2 s\)"):
        run_still(schemas.check(schema, _json([1] * 10_000 + ["x"])))


def test_a_schema_that_takes_too_long_to_compile_checks_nothing_and_says_so() -> None:
    """The PUT is answered all the same, and the schema is not tried again."""
    pool = FailingPool(TookTooLong("stopped after 2 s"))
    schemas = PayloadSchemas(pool)
    schema = _json({"pattern": r"\w{500}" * 7_000})

    assert run_still(schemas.why_not_enforced(schema)) == "it could not be compiled (stopped after 2 s)"
    run_still(schemas.check(schema, _json("anything")))
    assert pool.asked == 1


def test_a_schema_that_the_busy_pool_did_not_compile_is_tried_again() -> None:
    """It checks nothing until then."""
    pool = FailingPool(PoolBusy("its turn did not come within 60 s"))
    schemas = PayloadSchemas(pool)
    schema = _text({"type": "string"})

    for _ in range(2):
        reason = run_still(schemas.why_not_enforced(schema))
        assert reason == "it could not be compiled yet (its turn did not come within 60 s)"
    assert pool.asked == 2


@pytest.mark.parametrize("read", [_json, _text])
def test_schemas_that_differ_in_annotations_alone_are_the_same(read: Callable[[Any], Json]) -> None:
    """Whether they were read beside requests or in the pool."""
    schemas = PayloadSchemas(PoolHere())
    plain, described, other = (
        read(schema) for schema in ({"const": 1}, {"const": 1, "description": "d"}, {"const": 2})
    )

    assert run_still(schemas.same_but_for_annotations(plain, described))
    assert not run_still(schemas.same_but_for_annotations(plain, other))


def test_schemas_that_take_too_long_to_compare_are_not_the_same() -> None:
    """Then a change needs another version, as any other would."""
    schemas = PayloadSchemas(FailingPool(TookTooLong("stopped after 2 s")))

    assert not run_still(schemas.same_but_for_annotations(_text({"const": 1}), _text({"const": 2})))


def test_a_thousand_schemas_are_remembered() -> None:
    """The one examined first is forgotten when another comes."""
    pool = _CountingPool()
    schemas = PayloadSchemas(pool)
    first = _text({"maxLength": 0})

    for number in range(1_000):
        run_still(schemas.why_not_enforced(_text({"maxLength": number})))
    run_still(schemas.why_not_enforced(first))
    assert pool.given == 1_000
    run_still(schemas.why_not_enforced(_text({"maxLength": 1_000})))
    run_still(schemas.why_not_enforced(first))
    assert pool.given == 1_002
