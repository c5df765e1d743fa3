"""Run with `pytest examples/pytest`, once `arklow-local` is in the environment of the tests and `arklow-mock` anywhere."""

from arklow_local.testing import Arklow


def test_an_order_is_tried_again_after_a_nack(arklow: Arklow) -> None:
    definition = {"variant": "order.created", "schema": {"required": ["order_id"]}}
    assert arklow.call("PUT", f"/v1/orgs/{arklow.org}/actions/definitions", definition).status == 200
    arklow.clock.freeze("2026-01-01T09:00:00Z")
    arklow.worker({"order.created": ["nack", "ack"]})

    order = arklow.call("POST", "/v1/ingress/order.created", {"payload": {"order_id": "8471"}})
    arklow.clock.advance(3600)  # every lease, retry and timeout of that hour, at once

    told = [entry["event"] for entry in arklow.journal.entries("transition", action=order.data["a_id"])]
    assert (told.count("nacked"), told[-1]) == (1, "acked")
