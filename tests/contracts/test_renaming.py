"""Replays have names, ids and keys of their own: what is renamed in a request, and what stays as it was."""

from __future__ import annotations

import json

import pytest

from contracts.phases.requests import JSON, MODACK, PUT
from contracts.transport.wire import Request
from tests.contracts.replays import PREFIX, on
from tests.mutants import MUTANTS, ConformingServer

WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"action_record_id": "%s", "attempt": 0, "mod_ack": 300}', '"action_record_id": "%s"'),
        ('{ "action_record_id":"%s" ,"attempt":0,"mod_ack":300}', '"action_record_id":"%s"'),
        ('{"action_record_id": %s, "attempt": 0, "mod_ack": 300}', '"action_record_id": %s,'),
        ('[{"action_record_id":"%s","attempt":0,"mod_ack":300}]x', '"action_record_id":"%s"'),
        ('{"action_record_id": "%s\\n", "attempt": 0, "mod_ack": 300}', '"action_record_id": "%s\\n"'),
        ('{"action_record_id": "+%s", "attempt": 0, "mod_ack": 300}', '"action_record_id": "+%s"'),
        ("action_record_id=%s&attempt=0&mod_ack=300", "action_record_id=%s&"),
    ],
    ids=["JSON", "JSON with other blanks", "a number", "no JSON", "a line feed", "a sign", "a form"],
)
def test_an_id_is_renamed_wherever_it_stands(text: str, expected: str) -> None:
    """As text where the body is not JSON as the judge writes it; other numbers stay what they are."""
    stage = on(ConformingServer)
    api = stage.api
    number = api.accept(api.define())
    last = api.send(MODACK, raw=(text % number).encode())

    played = stage.replayed_all(last)

    issued = played[-2].data()["a_id"]
    body = (played[-1].body or b"").decode()
    assert issued != number
    assert expected % issued in body
    assert number not in body
    assert "300" in body


def test_full_width_digits_stay_full_width() -> None:
    """The id that they spell is the one of the replay."""
    stage = on(ConformingServer)
    api = stage.api
    number = api.accept(api.define())
    body = {"action_record_id": number.translate(WIDE), "attempt": 0, "mod_ack": 300}
    last = api.send(MODACK, body)

    played = stage.replayed_all(last)

    issued = played[-2].data()["a_id"]
    assert json.loads(played[-1].body or b"")["action_record_id"] == issued.translate(WIDE)


def test_names_of_the_run_are_renamed_in_bodies_and_paths_and_nothing_else_is() -> None:
    """They get one fresh prefix for a replay; names that do not begin as those of the run do are left alone."""
    stage = on(ConformingServer)
    api = stage.api
    alias = api.name("alias")
    variant = api.name("créé")
    api.put(variant, {"title": f"of {PREFIX}x"}, alias=[alias])
    api.ingress(alias, {"order_id": "8471000"})
    api.send(PUT, {"variant": "shop.theirs", "schema": {}})
    last = api.ingress("shop.unknown", "x")

    played = stage.replayed_all(last)

    first = json.loads(played[0].body or b"")
    fresh = f"{PREFIX}r1."
    assert first["variant"] == variant.replace(PREFIX, fresh)
    assert first["alias"] == [alias.replace(PREFIX, fresh)]
    assert first["schema"] == {"title": f"of {PREFIX}x"}
    assert played[1].segment == alias.replace(PREFIX, fresh)
    assert json.loads(played[1].body or b"") == {"payload": {"order_id": "8471000"}}
    assert json.loads(played[2].body or b"")["variant"] == "shop.theirs"
    assert played[3].segment == "shop.unknown"


def test_a_replay_of_a_replay_has_one_prefix() -> None:
    """Names do not grow with every try."""
    stage = on(MUTANTS["S09"])
    api, replay = stage.api, stage.replay
    variant = api.define()
    api.put(variant, {"title": "new"})
    first = replay.play(api.exchanges, stage.found("DEF-3"))
    assert first is not None
    second = replay.play(first.exchanges, first)

    assert second is not None
    assert json.loads(second.exchanges[0].body or b"")["variant"] == variant.replace(PREFIX, f"{PREFIX}r2.")


def test_headers_chunks_and_queries_are_sent_again_as_they_were() -> None:
    """A request is more than its body."""
    headers = (("X-Arklow-Auth", "good-key-one"), JSON, ("x-two", "1"), ("x-two", "2"))
    stage = on(ConformingServer)
    api = stage.api
    variant = api.define()
    path = f"/v1/ingress/{variant}?tag.region=e%75"
    last = api.sequence.play(Request("POST", path, headers, b'{"payload":1}', (3, 4)))

    played = stage.replayed_all(last)

    assert (played[-1].headers, played[-1].chunks) == (headers, (3, 4))
    assert played[-1].query == "tag.region=e%75"


def test_an_action_that_the_script_does_not_make_is_one_that_was_never_made() -> None:
    """An example stands for itself, so that it may need no id of an earlier sequence."""
    stage = on(ConformingServer)
    api = stage.api
    last = api.modack(api.accept(api.define()))
    del api.exchanges[:-1]

    [played] = stage.replayed_all(last)

    assert (last.status, played.status) == (200, 404)
