"""What the mock says when it starts."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import Any, cast

from mock_server.api.coverage import Coverage
from mock_server.api.document import Document
from mock_server.cli import banner
from mock_server.cli.banner import Listeners
from mock_server.settings import OVERLAID

BOTH = ("127.0.0.1", "::1")


class _Listener:
    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port) if ":" not in host else (host, port, 0, 0)

    def getsockname(self) -> tuple[Any, ...]:
        return self._address


def _listening(port: int, hosts: Sequence[str] = BOTH) -> list[socket.socket]:
    return [cast("socket.socket", _Listener(host, port)) for host in hosts]


def _listeners(*hosts: str, admin: bool = True) -> Listeners:
    where = hosts or BOTH
    return Listeners(_listening(1, where), _listening(2, where), _listening(3, where) if admin else [])


def _coverage(**changes: Any) -> Coverage:
    document = Document(OVERLAID)
    plain = Coverage("d.yaml", "0123456789abcdef" * 4, document.operations[:2], frozenset(), (), ())
    return plain._replace(**changes)


def test_a_digest_is_shown_by_its_first_twelve_digits() -> None:
    """As the header of every answer has them."""
    assert banner.short_digest(_coverage()) == "sha256-0123456789ab"


def test_the_table_has_a_row_for_each_operation() -> None:
    """With its method and path in columns, and whether a handler or a stub answers it."""
    first, second = _coverage().operations
    width = max(len(first.path), len(second.path))
    lines = banner.coverage_table(_coverage(stubs=frozenset({second.id}))).splitlines()

    assert lines == [
        "arklow-mock serves d.yaml  sha256-0123456789ab",
        f"  {first.method.upper():<6} {first.path:<{width}}  handled",
        f"  {second.method.upper():<6} {second.path:<{width}}  stub: schema-valid, marked by x-arklow-mock-stub",
        "  ignored keywords and formats: none",
    ]


def test_the_table_ends_with_what_does_not_fit() -> None:
    """Handlers without an operation, parts of our overlays without a place, of which three are shown, and what is ignored."""
    left_out = ("one", "two", "three", "four", "five")
    lines = banner.coverage_table(
        _coverage(operations=(), unused=("a", "b"), ignored=("x at #/1", "y at #/2"), left_out=left_out)
    ).splitlines()

    assert lines[1:] == [
        "  handler without an operation: a",
        "  handler without an operation: b",
        "  left out of our overlays: one; two; three; and 2 more",
        "  ignored: x at #/1",
        "  ignored: y at #/2",
    ]
    three = banner.coverage_table(_coverage(operations=(), left_out=left_out[:3])).splitlines()
    assert three[1] == "  left out of our overlays: one; two; three"


def test_the_addresses_say_where_to_call_and_with_which_keys() -> None:
    """A token that was made is printed."""
    assert banner.addresses(_listeners(), "t0ken").splitlines() == [
        "  control plane  http://localhost:1   (both ports serve every operation)",
        "  ingress        http://localhost:2",
        "  API page       http://localhost:1/",
        "  admin          http://localhost:3   Authorization: Bearer t0ken",
        "  API keys       org-42 is organisation 42, made on first use; dev-key is organisation 1",
        "Ready. Ctrl-C stops.",
    ]


def test_a_token_that_was_given_is_not_printed() -> None:
    """Its owner knows it."""
    lines = banner.addresses(_listeners(), "").splitlines()

    assert lines[3] == "  admin          http://localhost:3   Authorization: Bearer and the token given"


def test_without_an_admin_plane_none_is_named() -> None:
    """Neither on the screen nor in the ready file."""
    listeners = _listeners(admin=False)

    assert "admin" not in banner.addresses(listeners, "t0ken")
    facts = banner.ready_facts(listeners, "t0ken")
    assert (facts["admin_url"], facts["admin_token"]) == (None, None)


def test_an_address_that_was_asked_for_is_named_as_it_is() -> None:
    """The first one; `localhost` stands for the usual two, or one of them."""
    shown = {
        hosts: str(banner.ready_facts(_listeners(*hosts), "")["base_url"])
        for hosts in (("127.0.0.1",), ("::1",), ("10.0.0.7", "127.0.0.1"), ("fe80::1",))
    }

    assert list(shown.values()) == [
        "http://localhost:1",
        "http://localhost:1",
        "http://10.0.0.7:1",
        "http://[fe80::1]:1",
    ]


def test_the_ready_file_has_every_address_and_the_token() -> None:
    """And which process this is."""
    assert banner.ready_facts(_listeners(), "t0ken") == {
        "pid": os.getpid(),
        "base_url": "http://localhost:1",
        "ingress_url": "http://localhost:2",
        "admin_url": "http://localhost:3",
        "admin_token": "t0ken",
        "document": "http://localhost:1/openapi.json",
    }
