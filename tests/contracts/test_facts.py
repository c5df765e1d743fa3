"""What follows from one exchange alone, and that it is derived once for everything that judges."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from arklow_local.formats import strict_json
from contracts.checks.context import CheckContext
from contracts.checks.facts import Facts, derive_facts
from contracts.core.exchange import Exchange, Headers
from contracts.core.ledger import Ledger
from contracts.oracle.judge import Judge
from contracts.phases.requests import INGRESS, JSON, MODACK, PUT
from tests.contracts.exchanges import KEY, THEIRS, asked, modack, put, work
from tests.contracts.runs import check_context


class CountedBody(bytes):
    """A body that counts how often it is turned into text, as every JSON parser has to."""

    decoded = 0

    def decode(self, *args: Any, **members: Any) -> str:
        self.decoded += 1
        return super().decode(*args, **members)

    def removeprefix(self, prefix: Any, /) -> bytes:
        assert not self.startswith(prefix)
        return self


def facts(exchange: Exchange) -> Facts:
    """Its facts, by what is known before a run."""
    return derive_facts(exchange, check_context())


def test_a_modack_is_parsed_once_and_its_facts_are_derived_once() -> None:
    """On its whole way: checks, model, provenance and check context share them."""
    parsed: list[bytes] = []
    derived: list[Exchange] = []

    def parse(text: bytes) -> Any:
        parsed.append(text)
        return strict_json.read(text)

    def derive(exchange: Exchange, context: CheckContext) -> Facts:
        derived.append(exchange)
        return derive_facts(exchange, context, parse)

    judge = Judge(check_context(), Ledger(), derive=derive)
    judge.observe(put())
    judge.observe(work())
    parsed.clear()
    derived.clear()
    body = CountedBody(modack().body or b"")
    exchange = replace(modack(), body=body)

    verdict = judge.observe(exchange)

    assert (verdict.findings, verdict.suspicions) == ((), ())
    assert judge.model.actions["1", "900"].attempt == 0
    assert (derived, parsed, body.decoded) == ([exchange], [body], 1)


@pytest.mark.parametrize(
    ("headers", "owner"),
    [
        ((KEY, JSON), "1"),
        ((THEIRS, JSON), "2"),
        ((("Authorization", "good-key-one"), JSON), "1"),
        ((KEY, ("authorization", "good-key-one"), JSON), None),
        ((KEY, KEY, JSON), None),
        ((("x-arklow-auth", "wrong"), JSON), None),
        ((JSON,), None),
    ],
    ids=["first key", "second key", "other header", "both headers", "twice", "wrong key", "no key"],
)
def test_the_owner_is_the_organisation_of_the_only_key(headers: Headers, owner: str | None) -> None:
    """Two keys, even equal ones, name no owner: servers differ in which they read."""
    assert facts(asked(INGRESS, {"payload": 1}, headers=headers)).owner == owner


def test_a_key_in_a_header_that_the_page_does_not_list_names_no_owner() -> None:
    """The control plane reads x-arklow-auth alone."""
    headers = (("authorization", "good-key-one"), JSON)

    assert facts(put(headers=headers)).owner is None


def test_the_organisation_is_that_of_the_path() -> None:
    """Decoded; ingress and modack have none in their paths."""
    elsewhere = replace(put(), url="http://target/v1/orgs/%37/actions/definitions")

    assert [facts(one).organisation for one in (put(), elsewhere, work(), modack())] == ["1", "7", None, None]


def test_a_control_plane_200_without_data_is_a_refusal() -> None:
    """B009; ingress and modack have no such answers."""
    refused = asked(PUT, {"variant": "v", "schema": {}}, 200, None)

    assert [facts(one).accepted for one in (put(), refused, put(status=400), work())] == [
        True,
        False,
        False,
        True,
    ]
    assert not facts(asked("POST /v1/elsewhere", {}, 200, {})).accepted


@pytest.mark.parametrize(
    ("raw", "value", "error", "marked"),
    [
        (b'{"payload":1}', {"payload": 1}, None, False),
        (b"\xef\xbb\xbf{}", {}, None, True),
        (b"{", None, strict_json.NotJSON, False),
        (b"", None, strict_json.NotJSON, False),
        (b'{"a":1,"a":2}', None, strict_json.Doubled, False),
    ],
)
def test_a_body_has_a_value_or_the_reason_why_not(
    raw: bytes, value: Any, error: type[ValueError] | None, marked: bool
) -> None:
    """A byte order mark is overlooked, and told."""
    body = facts(asked(INGRESS, None, raw=raw)).body

    assert (body.value, body.has_byte_order_mark) == (value, marked)
    assert type(body.error) is (error or type(None))


def test_a_body_is_compared_with_the_schema_of_its_operation() -> None:
    """Without a value there is nothing to compare, which is not the same as keeping it."""
    broken = asked(MODACK, {"action_record_id": "x", "attempt": 0, "mod_ack": 1})
    bodies = [facts(one).body for one in (modack(), broken, asked(MODACK, None, raw=b"{"))]

    assert [
        None if one.problems is None else [problem.place for problem in one.problems] for one in bodies
    ] == [
        [],
        ["action_record_id"],
        None,
    ]


def test_subjects_are_what_a_request_reads_or_changes() -> None:
    """Variants and aliases of a definition, the variant and the id of work, the action of a signal."""
    defined = put(body={"variant": "v", "schema": {}, "alias": ["a", 5]})

    assert facts(defined).subjects == ("variant v", "variant a")
    assert facts(work("900", segment="a%20b")).subjects == ("variant a b", "900")
    assert facts(modack("900")).subjects == ("900",)


def test_subjects_are_read_also_where_parsers_differ() -> None:
    """An example needs what made them, whichever of two members a server reads."""
    body = b'{"action_record_id":"1","action_record_id":"900","attempt":NaN}'

    assert facts(asked(MODACK, None, raw=body)).subjects == ("900",)
    assert facts(asked(MODACK, None, raw=b"no JSON")).subjects == ()


def test_a_missing_media_type_stands_for_json() -> None:
    """Those that are announced are told in lower case and without parameters."""
    odd = asked(INGRESS, {}, headers=(KEY, ("Content-Type", "Text/Plain; charset=utf-8"), JSON))

    assert (facts(odd).media_types, facts(odd).media_type) == (
        ("text/plain", "application/json"),
        "text/plain",
    )
    assert facts(asked(INGRESS, {}, headers=(KEY,))).media_type == "application/json"
