"""The JSON Schemas of definitions, compiled and applied so that no schema can stop the process.

A schema whose weight times the payload's length is small is applied on the spot; everything else goes to
the workbench, where it is killed after its time.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from functools import lru_cache
from typing import Final, NamedTuple

from .. import schemas, strict_json
from ..domain.errors import PayloadRejected, PayloadUndecided
from ..domain.json_text import ABSENT, Json
from ..workbench import TookTooLong, Workbench

BUDGET: Final = 500_000
"""Schema nodes times payload bytes that may be spent on the spot: at most about 10 ms."""
COMPILE_BUDGET: Final = 5_000
"""Schema nodes that may be compiled on the spot: at most about 10 ms."""
TIME_LIMIT: Final = 2.0
"""Seconds the workbench may take to compile a schema or to apply it."""
_KEPT: Final = 1_000


class _Known(NamedTuple):
    reason: str
    """Why the schema checks nothing; empty when it is enforced."""
    weight: int
    validator: schemas.Validator | None
    """None when it is compiled at the workbench alone."""


class PayloadSchemas:
    """Answers whether a schema is enforced and whether a payload fits it."""

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = workbench
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    async def standing(self, schema: Json) -> str:
        """Empty when the schema is enforced on ingress, else one line that says why it checks nothing."""
        return (await self._look_up(schema)).reason

    async def check(self, schema: Json, payload: Json) -> None:
        """Return when the payload fits the schema or the schema checks nothing.

        Raises:
            PayloadRejected: it does not fit (B039, C6).
            PayloadUndecided: it could not be told in time.
        """
        known = self._known.get(schema.text) or await self._look_up(schema)
        if known.reason:
            return
        if (
            known.validator is not None
            and payload.value is not ABSENT
            and known.weight * len(payload.text) <= BUDGET
        ):
            wrong = schemas.mismatch(known.validator, payload.value, "body/payload")
        else:
            try:
                wrong = await self._workbench.run(TIME_LIMIT, _mismatch, schema.text, payload.text)
            except TookTooLong:
                raise PayloadUndecided(
                    f"body/payload: expected a payload that the definition's schema decides within "
                    f"{TIME_LIMIT:g} s, got one that it does not"
                ) from None
        if wrong:
            raise PayloadRejected(wrong)

    async def _look_up(self, schema: Json) -> _Known:
        known = self._known.get(schema.text)
        if known is None:
            known = await self._examine(schema)
            self._known[schema.text] = known
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return known

    async def _examine(self, schema: Json) -> _Known:
        if schema.value is ABSENT or len(schema.text) > COMPILE_BUDGET * 4:
            weight = schemas.HEAVY
        else:
            weight = schemas.weight(schema.value)
        if weight <= COMPILE_BUDGET:
            try:
                return _Known("", weight, schemas.compile_schema(schema.value))
            except schemas.Unusable as error:
                return _Known(str(error), weight, None)
        try:
            return _Known(await self._workbench.run(TIME_LIMIT, _why_unusable, schema.text), weight, None)
        except TookTooLong:
            return _Known(f"it could not be compiled within {TIME_LIMIT:g} s", weight, None)


@lru_cache(maxsize=16)
def _compiled(schema: bytes) -> schemas.Validator:
    return schemas.compile_schema(json.loads(schema))


def _why_unusable(schema: bytes) -> str:
    try:
        _compiled(schema)
    except schemas.Unusable as error:
        return str(error)
    return ""


def _mismatch(schema: bytes, payload: bytes) -> str | None:
    return schemas.mismatch(_compiled(schema), strict_json.parse(payload), "body/payload")
