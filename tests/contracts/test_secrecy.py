"""Keys in answers, plain and encoded."""

from __future__ import annotations

import base64
import json
from collections import Counter

import pytest

from contracts.checks import run_checks
from contracts.checks.facts import derive_facts
from contracts.phases.requests import MODACK
from tests.contracts.encodings import ENCODINGS, shows
from tests.contracts.runs import check_context, exchange, rules
from tests.contracts.test_checks import LEASE, REFUSED

HIDDEN = [
    b"\\u0067ood-key-one",
    b"good\\u002Dkey\\u002done",
    b"%67ood%2Dkey%2done",
    *(base64.b64encode(b"x" * n + b" good-key-one is yours").replace(b"/", b"\\/") for n in range(3)),
]


@pytest.mark.parametrize("told", HIDDEN)
def test_a_key_is_found_in_every_encoding(told: bytes) -> None:
    """It may be escaped as in JSON or URLs, or stand inside of a Base64 text; the finding does not show it."""
    one = exchange(MODACK, 404, REFUSED.replace(b'"m"', b'"%s"' % told), body=LEASE)

    [finding] = run_checks(derive_facts(one, check_context()), check_context(), Counter())

    assert (finding.rule, finding.actual) == ("SAFE-1", "404 with the key, encoded")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_a_report_masks_is_what_the_rule_finds(encoding: str) -> None:
    """In the body or in a header of the answer."""
    written = ENCODINGS[encoding]("good-key-one")
    body = exchange(MODACK, 404, REFUSED.replace(b'"m"', json.dumps(written).encode()), body=LEASE)
    header = exchange(MODACK, 404, REFUSED, body=LEASE, x_odd=written)

    for one in (body, header):
        [finding] = run_checks(derive_facts(one, check_context()), check_context(), Counter())
        assert finding.rule == "SAFE-1"
        assert not shows(finding.actual, "good-key-one")


def test_a_key_that_is_cut_in_two_is_not_shown() -> None:
    """An answer is looked at up to a bound, whether a key ends there or not."""
    for blanks in range(5_980, 6_001):
        assert "good" not in check_context().shown(b"a" + b" " * blanks + b"good-key-one and more" + b" " * 9)


@pytest.mark.parametrize("asked", ["good-key-one", "%67ood-key%2Done", "Z29vZC1rZXktb25l"])
@pytest.mark.parametrize("told", [*HIDDEN, b"good-key-one"])
def test_a_key_that_the_url_shows_is_no_secret(asked: str, told: bytes) -> None:
    """An answer may repeat what was asked for, in any encoding."""
    one = exchange(
        MODACK, 404, REFUSED.replace(b'"m"', b'"%s"' % told), body=LEASE, url=f"/v1/modack?key={asked}"
    )

    assert "SAFE-1" not in rules(
        list(run_checks(derive_facts(one, check_context()), check_context(), Counter()))
    )
