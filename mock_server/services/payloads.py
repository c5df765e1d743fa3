"""The JSON Schemas of definitions, compiled and applied so that no schema can stall the mock.

A schema is applied on the event loop when its weight times the payload's length is small. Everything else goes to the process
pool, which kills it after `TIME_LIMIT`.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Final, NamedTuple

from arklow_local.formats import json_values, strict_json

from .. import schemas
from ..domain.errors import PayloadRejected, PayloadUndecided
from ..domain.json_text import ABSENT, Json
from ..domain.ports import PoolBusy, ProcessPool, TookTooLong

BUDGET: Final = 200_000
"""Schema nodes times payload bytes of a verdict on the event loop; more could delay other requests."""
REASON_BUDGET: Final = 10_000
"""The same for the reason of a refusal, which costs more, as every failed branch is visited."""
COMPILE_BUDGET: Final = 5_000
"""Schema nodes of a schema that is compiled on the event loop."""
TIME_LIMIT: Final = 2.0
"""Seconds that the process pool may take to compile a schema or to apply it."""
_MAX_KNOWN: Final = 1_000
"""Schemas whose examination is remembered."""


class _Examined(NamedTuple):
    """A schema that was compiled, or could not be."""

    reason: str
    """Why it checks nothing; empty when it is enforced."""
    weight: int
    """Its cost in schema nodes, as `schemas.weight` counts them."""
    validator: schemas.Validator | None
    """None when it is compiled in the process pool alone."""


class PayloadSchemas:
    """Says whether a schema is enforced, and whether a payload fits it."""

    def __init__(self, process_pool: ProcessPool) -> None:
        self._process_pool = process_pool
        self._known: dict[bytes, _Examined] = {}

    async def why_not_enforced(self, schema: Json) -> str:
        """Return one line that says why the schema checks nothing; empty when it is enforced on ingress."""
        return (await self._look_up(schema)).reason

    async def same_but_for_annotations(self, one: Json, other: Json) -> bool:
        """Return whether two schemas differ in annotations alone; False also when time ran out."""
        if one.canonical == other.canonical:
            return True
        if one.value is not ABSENT and other.value is not ABSENT:
            return _outline(one.value) == _outline(other.value)
        try:
            return await self._process_pool.run(TIME_LIMIT, _same_outline, one.text, other.text)
        except TookTooLong:
            return False

    async def check(self, schema: Json, payload: Json) -> None:
        """Check that the payload fits the schema, if that is enforced.

        Raises:
            PayloadRejected: it does not fit (B039, C6).
            PayloadUndecided: time ran out before there was a verdict.
        """
        known = await self._look_up(schema)
        if known.reason:
            return
        is_refused = False
        if known.validator is not None and payload.value is not ABSENT:
            cost = known.weight * len(payload.text)
            if cost <= BUDGET:
                if known.validator.is_valid(payload.value):
                    return
                is_refused = True
            if cost <= REASON_BUDGET:
                raise PayloadRejected(str(schemas.mismatch(known.validator, payload.value, "body/payload")))
        try:
            mismatch = await self._process_pool.run(TIME_LIMIT, _mismatch, schema.text, payload.text)
        except TookTooLong as reason:
            if is_refused:
                raise PayloadRejected(
                    f"body/payload: expected what the definition's schema asks for; where it is not so "
                    f"was not found ({reason})"
                ) from None
            raise PayloadUndecided(
                f"body/payload: expected a payload that the definition's schema decides within "
                f"{TIME_LIMIT:g} s, got one that it does not ({reason})"
            ) from None
        if mismatch:
            raise PayloadRejected(mismatch)

    async def _look_up(self, schema: Json) -> _Examined:
        known = self._known.get(schema.text)
        if known is not None:
            return known
        try:
            known = await self._examine(schema)
        except PoolBusy as reason:
            return _Examined(f"it could not be compiled yet ({reason})", schemas.HEAVY, None)
        self._known[schema.text] = known
        if len(self._known) > _MAX_KNOWN:
            del self._known[next(iter(self._known))]
        return known

    async def _examine(self, schema: Json) -> _Examined:
        if schema.value is ABSENT or len(schema.text) > COMPILE_BUDGET * 4:
            weight = schemas.HEAVY
        else:
            weight = schemas.weight(schema.value)
        if weight <= COMPILE_BUDGET:
            try:
                compiled = schemas.compile_schema(schema.value)
            except schemas.Unusable as error:
                return _Examined(str(error), weight, None)
            return _Examined("", weight, compiled.validator if compiled.linear else None)
        try:
            return _Examined(
                await self._process_pool.run(TIME_LIMIT, _why_unusable, schema.text), weight, None
            )
        except PoolBusy:
            raise
        except TookTooLong as reason:
            return _Examined(f"it could not be compiled ({reason})", weight, None)


@lru_cache(maxsize=16)
def _compiled(schema: bytes) -> schemas.Validator:
    return schemas.compile_schema(json.loads(schema)).validator


def _why_unusable(schema: bytes) -> str:
    try:
        _compiled(schema)
    except schemas.Unusable as error:
        return str(error)
    return ""


def _mismatch(schema: bytes, payload: bytes) -> str | None:
    return schemas.mismatch(_compiled(schema), strict_json.parse(payload), "body/payload")


def _outline(schema: object) -> bytes:
    return json_values.digest(schemas.without_annotations(schema))


def _same_outline(one: bytes, other: bytes) -> bool:
    return _outline(strict_json.parse(one)) == _outline(strict_json.parse(other))
