"""Which texts each flag of `arklow-mock` takes, and in which words others are refused."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Any

import pytest

from mock_server.cli import flag_values

TAKEN: list[tuple[Callable[[str], Any], str, Any]] = [
    (flag_values.port, "0", 0),
    (flag_values.port, "65535", 65_535),
    (flag_values.port, "0080", 80),
    (flag_values.count, "1", 1),
    (flag_values.count, "2147483647", 2_147_483_647),
    (flag_values.count_or_none, "0", 0),
    (flag_values.count_or_none, "2147483647", 2_147_483_647),
    (flag_values.mebibytes, "1", 1.0),
    (flag_values.mebibytes, "1.", 1.0),
    (flag_values.mebibytes, "0.001", 0.001),
    (flag_values.mebibytes, ".5", 0.5),
    (flag_values.mebibytes, "1048575.9", 1_048_575.9),
    (flag_values.call_limit, "50", 50.0),
    (flag_values.call_limit, ".1", 0.1),
    (flag_values.call_limit, "7.25", 7.25),
    (flag_values.host, "hooks.example", "hooks.example"),
    (flag_values.host, "a_b-c", "a_b-c"),
    (flag_values.host, "Hooks.Example.", "Hooks.Example."),
    (flag_values.host, "10.0.0.5", "10.0.0.5"),
    (flag_values.host, "fe80::1", "fe80::1"),
    (flag_values.host, "münchen.example", "münchen.example"),
    (flag_values.key, "a=b=7", ("a=b", "7")),
    (flag_values.key, "k=1234567890123456789", ("k", "1234567890123456789")),
    (flag_values.key, "==1", ("=", "1")),
    (flag_values.organisation, "0", "0"),
    (flag_values.organisation, "1234567890123456789", "1234567890123456789"),
    (flag_values.token, "!~a", "!~a"),
]


@pytest.mark.parametrize(("parse", "text", "value"), TAKEN)
def test_a_text_stands_for_a_value(parse: Callable[[str], Any], text: str, value: Any) -> None:
    """Up to the bounds themselves."""
    found = parse(text)

    assert (type(found), found) == (type(value), value)


_PORT = "expected a number from 0 to 65535, got {!r}"
_COUNT = "expected a number from 1 to 2147483647, got {!r}"
_COUNT_OR_NONE = "expected a number from 0 to 2147483647, got {!r}"
_MEBIBYTES = "expected a number above 0 and below 1048576, got {!r}"
_SECONDS = "expected seconds above 0 and up to 50, got {!r}"
_HOST = "expected a host's name or address without port, got {!r}"
_KEY = "expected KEY=ORG with ORG in 1 to 19 digits, got {!r}"
_ORGANISATION = "expected an organisation's id of 1 to 19 digits, got {!r}"
_TOKEN = "expected visible ASCII characters without blanks (in ARKLOW_ADMIN_TOKEN too), got something else"

REFUSED: list[tuple[Callable[[str], Any], str, list[str]]] = [
    (flag_values.port, _PORT, ["65536", "-1", "x", "", "1.0", "+1", "٣", "1" * 11]),
    (flag_values.count, _COUNT, ["0", "2147483648", "1e3", " 1"]),
    (flag_values.count_or_none, _COUNT_OR_NONE, ["-1", "2147483648", "none"]),
    (flag_values.mebibytes, _MEBIBYTES, ["0", "0.0", "1048576", "-1", "inf", "nan", "1e3", ".", "1.5.", "12345678"]),
    (flag_values.call_limit, _SECONDS, ["0", "50.1", "51", "100", "-1", "1e1", "."]),
    (flag_values.host, _HOST, ["", "a b", "http://a", "a:80", "[::1]", "a..b", ".a", "a/b", "x::y"]),
    (flag_values.key, _KEY, ["nonsense", "k=", "=1", "k=x", "k=12345678901234567890", "k=1 "]),
    (flag_values.organisation, _ORGANISATION, ["", "x", "-1", "1" * 20, "1.0"]),
    (flag_values.token, _TOKEN, ["", "a b", "é", "a\n", "\x7f"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("parse", "message", "text"), [(parse, message, text) for parse, message, texts in REFUSED for text in texts]
)  # fmt: skip
def test_another_text_is_refused_with_what_was_expected(
    parse: Callable[[str], Any], message: str, text: str
) -> None:
    """The message has the text, but for a token."""
    with pytest.raises(ArgumentTypeError) as refused:
        parse(text)

    assert str(refused.value) == message.format(text)
