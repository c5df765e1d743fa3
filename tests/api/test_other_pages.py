"""Other pages, for which handlers were not written: what they cannot answer is a 500 that says so."""

from __future__ import annotations

from pathlib import Path

from mock_server.domain.destinations import Kind
from tests import vendor
from tests.api.asgi import World
from tests.running_mock import PUT

_WRITTEN = "was written for another document:"


def test_a_request_without_what_a_handler_needs_is_a_500_that_says_so(tmp_path: Path) -> None:
    """The page has made a member optional here; a request with the member is served as before."""
    directory = vendor.edited(
        tmp_path / "p",
        vendor.PUT,
        "                - variant\n                - schema\n",
        "                - variant\n",
    )
    world = World(document=directory)

    reply = world.call("PUT", PUT, {"variant": "v"})

    assert (reply.status, reply.error["code"]) == (500, "INTERNAL_ERROR")
    assert reply.error["message"].startswith(
        f"the handler of PUT /v1/orgs/{{org_id}}/actions/definitions {_WRITTEN}"
    )
    assert world.put().status == 200
    assert not [line for line in world.log if "Traceback" in line]


def test_an_answer_that_no_sample_can_mend_is_a_500_that_says_so(tmp_path: Path) -> None:
    """The page has another word in an enum, or another status."""
    for page, old, new in (
        (vendor.MODACK, "                - ok\n", "                - done\n"),
        (
            vendor.MODACK,
            "        '200':\n          description: Action",
            "        '202':\n          description: Action",
        ),
    ):
        world = World(document=vendor.edited(tmp_path / new.strip(" -\n'")[:4], page, old, new))
        world.put()
        action = world.accept()["a_id"]

        assert world.modack(action) == (500, "INTERNAL_ERROR")
        assert _WRITTEN in world.log[-1]


def test_what_is_made_up_in_lists_and_alternatives_is_named_where_it_stands(tmp_path: Path) -> None:
    """In the alternative that the answer fits, and in each element of a list."""
    directory = vendor.edited(
        tmp_path / "p",
        vendor.PUT,
        "- action_definition_id\n",
        f"- action_definition_id\n{' ' * 32}- weight\n",
    )
    world = World(document=directory)
    world.put()
    world.admin("destinations.put", "sink", Kind.DEFAULT_SINK, {})
    world.admin("destinations.set_links", "v", ["sink"], default=None)

    reply = world.put()

    assert reply.status == 200
    assert reply.headers["x-arklow-mock-stub"] == "data/destinations/0/weight"
