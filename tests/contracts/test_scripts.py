"""What exchanges say of each other, and what their bodies become under other names."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from contracts.core.exchange import Exchange
from contracts.core.findings import Finding
from contracts.phases.requests import INGRESS, MODACK, PUT
from contracts.reproduction.renaming import names_of, renamer, rewrite_body
from contracts.reproduction.scripts import (
    created_action,
    has_hasty_refusal,
    requested_action,
    undefined_names,
)
from tests.contracts.runs import exchange

PREFIX, FRESH = "contract.a.", "contract.b.r1."
RENAME = renamer(PREFIX, FRESH, {"7777777": "8888888", "5": "6"})


def rewritten(body: Any) -> Any:
    """Return a JSON body with other names."""
    made = rewrite_body(json.dumps(body).encode(), RENAME, FRESH)
    return json.loads(made or b"")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"variant": "contract.a.v", "schema": {"x": "contract.a.v"}}, {"variant": "contract.b.r1.v", "schema": {"x": "contract.a.v"}}),
        ({"variant": "contract.a.r9.v"}, {"variant": "contract.b.r1.v"}),
        ({"variant": "shop.v", "alias": ["contract.a.k", "shop.k", ""]}, {"variant": "shop.v", "alias": ["contract.b.r1.k", "contract.b.r1.shop.k", ""]}),
        ({"alias": "shop.k"}, {"alias": "contract.b.r1.shop.k"}),
        ({"alias": [None, True, {"a": 1}]}, {"alias": [None, True, {"a": 1}]}),
        ({"action_record_id": "7777777", "mod_ack": 7777777}, {"action_record_id": "8888888", "mod_ack": 7777777}),
        ({"action_record_id": 5, "attempt": 5}, {"action_record_id": 6, "attempt": 5}),
        ({"action_record_id": True}, {"action_record_id": True}),
        ({"action_record_id": "７７７７７７７"}, {"action_record_id": "８８８８８８８"}),
        ({"action_record_id": None}, {"action_record_id": None}),
        ([{"variant": "contract.a.v"}], [{"variant": "contract.a.v"}]),
    ],
)  # fmt: skip
def test_members_that_name_something_get_other_names(body: Any, expected: Any) -> None:
    """Whatever stands elsewhere is payload; an alias is always fresh, as another definition may have the old one."""
    assert rewritten(body) == expected


def test_an_alias_that_is_a_number_becomes_another_one() -> None:
    """As it can have no prefix; each replay has its own."""
    one, other = (
        rewritten({"alias": [3]})["alias"],
        json.loads(rewrite_body(b'{"alias": [3]}', RENAME, "contract.c.") or b"")["alias"],
    )

    assert len({3, *one, *other}) == 3


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"action_record_id=7777777&attempt=5", b"action_record_id=8888888&attempt=5"),
        (b'{"variant":"contract.a.v"', b'{"variant":"contract.b.r1.v"'),
        (b'{"variant":"contract.a.v","x":"contract.a.v"}', b'{"variant":"contract.b.r1.v","x":"contract.b.r1.v"}'),
        (b"\xff contract.a.v 123456789", b"\xff contract.b.r1.v 123456789"),
        (b"", b""),
        (None, None),
    ],
)  # fmt: skip
def test_a_body_that_is_not_json_as_the_judge_writes_it_is_rewritten_as_text(
    body: bytes | None, expected: bytes | None
) -> None:
    """Short numbers in it are versions and seconds."""
    assert rewrite_body(body, RENAME, FRESH) == expected
    assert names_of(PREFIX).sub("", "contract.a.v contract.a.r12.v contract.b.v") == "v v contract.b.v"


def put(*names: str, **members: Any) -> Exchange:
    """Make a definition that was put, with its aliases."""
    variant, *alias = names
    body = json.dumps({"variant": variant, "schema": {}, "alias": alias}).encode()
    return replace(exchange(PUT, 200, b'{"data":{"id":"2"}}', body=body), **members)


def work(name: str, status: int = 200, answer: bytes = b'{"data":{"a_id":"30"}}', **members: Any) -> Exchange:
    """Make work."""
    made = exchange(INGRESS, status, answer, body=b'{"payload":1}', url=f"/v1/ingress/{name}")
    return replace(made, **members)


def modack(number: str = "30", status: int = 200, **members: Any) -> Exchange:
    """Make a modack."""
    body = json.dumps({"action_record_id": number, "attempt": 0, "mod_ack": 300}).encode()
    return replace(exchange(MODACK, status, b"{}", body=body), **members)


def test_a_script_knows_what_it_asks_for_and_what_it_makes() -> None:
    """By the ids in requests and answers."""
    assert (requested_action(modack("77")), requested_action(put("v"))) == ("77", None)
    assert created_action(work("v")) == "30"
    for odd in (
        b"{}",
        b'{"data":{"a_id":30}}',
        b'{"data":{"a_id":"act_1"}}',
        '{"data":{"a_id":"３"}}'.encode(),
    ):
        assert created_action(work("v", answer=odd)) == ""


def test_names_that_a_script_uses_before_it_puts_them_are_not_its_own() -> None:
    """Variants and aliases."""
    assert undefined_names([put("v", "k"), work("v"), work("k"), work("w"), put("w"), work("w")]) == {"w"}
    assert undefined_names([work("v"), put("v")]) == {"v"}


def refused_after(seconds: float, made: Exchange, refused: Exchange) -> bool:
    """Say whether a refusal is hasty that comes so many seconds after something was made."""
    made = replace(made, call=10.0, back=11.0)
    shown = (made, replace(refused, call=11.0 + seconds, back=12.0 + seconds))
    return has_hasty_refusal(Finding("PAGE-11", INGRESS, "", "", "", shown))


@pytest.mark.parametrize(
    ("made", "refused", "expected"),
    [
        (put("v"), work("v", 400), True),
        (put("v", "k"), work("k", 400), True),
        (put("v"), work("w", 400), False),
        (put("v"), work("v", 409), False),
        (put("v", status=409), work("v", 400), False),
        (work("v"), modack("30", 404), True),
        (work("v"), modack("31", 404), False),
        (work("v", 409, b"{}"), modack("30", 404), False),
        (put("v", headers=(("authorization", "good-key-one"),)), work("v", 400), True),
        (put("v", headers=(("x-arklow-auth", "good-key-two"),)), work("v", 400), False),
    ],
)  # fmt: skip
def test_a_refusal_is_hasty_within_two_seconds_of_what_it_is_about(
    made: Exchange, refused: Exchange, expected: bool
) -> None:
    """Not all of a target need know it by then."""
    assert refused_after(1.9, made, refused) is expected
    assert refused_after(2.1, made, refused) is False
