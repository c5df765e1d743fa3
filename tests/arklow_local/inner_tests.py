"""Tests that use the fixture `arklow`, for pytest inside of a test and in a process of its own."""

from __future__ import annotations

from typing import Final

JOURNALLED: Final = """
import pytest

@pytest.fixture
def order(arklow):
    arklow.call("POST", "/v1/ingress/order.first", {"payload": 1})
    assert not "in the set-up"

def test_in_its_setup(order):
    pass

def test_in_its_body(arklow):
    for n in range(30):
        arklow.call("POST", f"/v1/ingress/order.n{n}", {"payload": 1})
    assert not "in the body"

def test_passes(arklow):
    arklow.call("POST", "/v1/ingress/order.passed", {"payload": 1})
"""
"""One fails in its set-up, one in its body, and one passes; each has a journal of its own."""

__all__ = ["JOURNALLED"]
