"""No schema stalls the mock: what may take long is done in the process pool, and killed there."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from mock_server.adapters.process_pool import PebbleProcessPool
from mock_server.domain.errors import PayloadRejected, PayloadUndecided
from mock_server.domain.json_text import Json
from mock_server.services.payloads import PayloadSchemas


def _json(value: Any) -> Json:
    return Json(json.dumps(value, separators=(",", ":")).encode(), value)


@pytest.fixture(scope="module")
def process_pool() -> Iterator[PebbleProcessPool]:
    pool = PebbleProcessPool()
    yield pool
    pool.close()


def _doubling(levels: int) -> dict[str, Any]:
    definitions: dict[str, Any] = {
        f"l{n}": {"anyOf": [{"$ref": f"#/$defs/l{n + 1}"}] * 2} for n in range(levels)
    }
    return {"$defs": definitions | {f"l{levels}": {"type": "integer"}}, "$ref": "#/$defs/l0"}


def test_a_schema_of_exponential_cost_is_killed_while_requests_go_on(process_pool: PebbleProcessPool) -> None:
    """32 levels of `anyOf` with two references each give no verdict in time, and the event loop goes on meanwhile."""
    schemas = PayloadSchemas(process_pool)

    async def run() -> tuple[float, float, float]:
        longest, last, done = 0.0, time.perf_counter(), False
        busiest, spent = 0.0, time.process_time()

        async def beat() -> None:
            nonlocal longest, last, busiest, spent
            while not done:
                await asyncio.sleep(0.001)
                now, worked = time.perf_counter(), time.process_time()
                longest, last = max(longest, now - last), now
                busiest, spent = max(busiest, worked - spent), worked

        beating = asyncio.create_task(beat())
        started = time.perf_counter()
        with pytest.raises(PayloadUndecided, match="within 2 s"):
            await schemas.check(_json(_doubling(32)), _json("x"))
        done = True
        await beating
        return longest, busiest, time.perf_counter() - started

    longest, busiest, whole = asyncio.run(run())

    assert longest < whole / 3  # other programs may have taken a part of it
    assert busiest < whole / 10


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}}, [[], [[]]], [[1]]),
        ({"properties": {"a": {}}, "unevaluatedProperties": False}, {"a": 1}, {"b": 1}),
        ({"pattern": "^(?!x)"}, "y", "x"),
        (_doubling(5), 1, "x"),
    ],
    ids=["recursive", "unevaluated", "look-ahead", "doubling"],
)  # fmt: skip
def test_unusual_schemas_are_enforced(
    process_pool: PebbleProcessPool, schema: Any, good: Any, bad: Any
) -> None:
    """The process pool gives the same verdict in the same words."""
    schemas = PayloadSchemas(process_pool)

    assert asyncio.run(schemas.why_not_enforced(_json(schema))) == ""
    asyncio.run(schemas.check(_json(schema), _json(good)))
    with pytest.raises(PayloadRejected, match="body/payload"):
        asyncio.run(schemas.check(_json(schema), _json(bad)))


def test_a_large_payload_gets_the_same_verdict_in_the_process_pool(process_pool: PebbleProcessPool) -> None:
    """The size of a payload decides where it is checked, not the verdict."""
    schemas = PayloadSchemas(process_pool)
    schema = _json({"items": {"type": "integer"}})

    asyncio.run(schemas.check(schema, _json([1] * 400_000)))
    with pytest.raises(PayloadRejected, match=r"body/payload/400000: expected integer, got \"x\""):
        asyncio.run(schemas.check(schema, _json([1] * 400_000 + ["x"])))


def test_a_schema_that_takes_too_long_to_compile_checks_nothing_and_says_so(
    process_pool: PebbleProcessPool,
) -> None:
    """Tens of thousands of Unicode classes take too long; the PUT is answered all the same."""
    schemas = PayloadSchemas(process_pool)
    schema = _json({"pattern": r"\w{500}" * 7_000})

    reason = asyncio.run(schemas.why_not_enforced(schema))

    assert reason
    asyncio.run(schemas.check(schema, _json("anything")))
