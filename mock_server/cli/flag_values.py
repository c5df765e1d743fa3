"""Which texts each flag of `arklow-mock` takes, and the value that a text stands for.

Each function raises `argparse.ArgumentTypeError`, whose text argparse prints behind the name of the flag.
"""

from __future__ import annotations

import argparse
import ipaddress
import re
from typing import Final

_LARGEST_COUNT: Final = (1 << 31) - 1
"""The largest `int32`: what the admin plane takes as a seed too, and more than any memory holds."""
_LARGEST_MIB: Final = 1 << 20
"""One tebibyte, in MiB."""
_LONGEST_CALL: Final = 50
"""Seconds; a call that takes longer would outlast the lease of its attempt, which is 60 seconds."""


def port(text: str) -> int:
    """Return the number of a TCP port; 0 stands for a free one."""
    return _integer(text, 0, 65_535)


def count(text: str) -> int:
    """Return a count of things, 1 at least."""
    return _integer(text, 1, _LARGEST_COUNT)


def count_or_none(text: str) -> int:
    """Return a count of things, 0 at least."""
    return _integer(text, 0, _LARGEST_COUNT)


def _integer(text: str, least: int, most: int) -> int:
    if not (re.fullmatch("[0-9]{1,10}", text) and least <= int(text) <= most):
        raise argparse.ArgumentTypeError(f"expected a number from {least} to {most}, got {text!r}")
    return int(text)


def mebibytes(text: str) -> float:
    """Return a size in MiB, above 0."""
    if not (re.fullmatch(r"[0-9]{1,7}(\.[0-9]*)?|\.[0-9]+", text) and 0 < float(text) < _LARGEST_MIB):
        raise argparse.ArgumentTypeError(f"expected a number above 0 and below {_LARGEST_MIB}, got {text!r}")
    return float(text)


def call_limit(text: str) -> float:
    """Return the seconds that the call of a webhook may take, above 0."""
    if not (re.fullmatch(r"[0-9]{1,2}(\.[0-9]*)?|\.[0-9]+", text) and 0 < float(text) <= _LONGEST_CALL):
        raise argparse.ArgumentTypeError(f"expected seconds above 0 and up to {_LONGEST_CALL}, got {text!r}")
    return float(text)


def host(text: str) -> str:
    """Return a host's name or address, without a port."""
    try:
        is_address = ":" in text and bool(ipaddress.ip_address(text))
    except ValueError:
        is_address = False
    if not is_address and not re.fullmatch(r"[\w-]+(\.[\w-]+)*\.?", text):
        raise argparse.ArgumentTypeError(f"expected a host's name or address without port, got {text!r}")
    return text


def key(text: str) -> tuple[str, str]:
    """Return a pair of an API key and the id of its organisation; the key may have `=` in it."""
    name, equals, org_id = text.rpartition("=")
    if not (equals and name and re.fullmatch("[0-9]{1,19}", org_id)):
        raise argparse.ArgumentTypeError(f"expected KEY=ORG with ORG in 1 to 19 digits, got {text!r}")
    return name, org_id


def organisation(text: str) -> str:
    """Return the id of an organisation."""
    if not re.fullmatch("[0-9]{1,19}", text):
        raise argparse.ArgumentTypeError(f"expected an organisation's id of 1 to 19 digits, got {text!r}")
    return text


def token(text: str) -> str:
    """Return the token of the admin plane, which has to fit into a header; a message never shows it."""
    if not re.fullmatch(r"[!-~]+", text):
        raise argparse.ArgumentTypeError(
            "expected visible ASCII characters without blanks (in ARKLOW_ADMIN_TOKEN too), got something else"
        )
    return text


__all__ = [
    "call_limit",
    "count",
    "count_or_none",
    "host",
    "key",
    "mebibytes",
    "organisation",
    "port",
    "token",
]
