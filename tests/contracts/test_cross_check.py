"""The cross-check with openapi-core: it says something of every answer."""

from __future__ import annotations

import pytest

from contracts.openapi.document import PUBLISHED, load
from contracts.openapi.openapi_core import OpenAPICoreValidator
from contracts.phases.requests import INGRESS
from tests.contracts.runs import exchange

GOOD = b'{"data":{"a_id":"1","a_def_id":"2","queue_s":"queued","a_va":"v","a_ve":"1"}}'


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        (GOOD, False),
        (GOOD.replace(b"queued", b"gr\xfcn"), True),
        (GOOD.replace(b'"1"', b"NaN"), True),
        (GOOD[:30], True),
        (b"\xff\xfe{\x00}\x00", True),
        (b"[" * 100_000, True),
        (b'{"data":' + b"9" * 5_000 + b"}", True),
        (b"", True),
    ],
    ids=["good", "Latin-1", "NaN", "cut off", "UTF-16", "deep", "a long number", "empty"],
)
def test_any_answer_is_accepted_or_refused_with_a_reason(answer: bytes, refused: bool) -> None:
    """Where the message of the library cannot be printed, the name of its error is the reason."""
    reason = OpenAPICoreValidator(load(PUBLISHED)).why_refused(
        exchange(INGRESS, 200, answer), "/v1/ingress/order.created"
    )

    assert (reason is not None) is refused
    assert reason is None or 0 < len(reason) <= 300
