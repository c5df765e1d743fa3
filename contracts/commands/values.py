"""What stands behind a flag, read from its text; a member of `targets.toml` is read by the same."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

PROFILES: Final = ("check", "gate", "night")


def seconds(text: str) -> float:
    """Seconds of a run."""
    seconds = float(text)
    if not 1 <= seconds <= 10**6:
        raise argparse.ArgumentTypeError("from 1 to 1000000 seconds")
    return seconds


def waited(text: str) -> float:
    """Seconds for leases."""
    seconds = float(text)
    if not 1 <= seconds <= 3_600:
        raise argparse.ArgumentTypeError("from 1 to 3600 seconds")
    return seconds


def whole(text: str) -> int:
    """A seed."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("a seed is 0 or more")
    return number


def count(text: str) -> int:
    """How many requests or writes."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("1 or more")
    return number


def percent(text: str) -> float:
    """Of the rules."""
    number = float(text)
    if not 0 <= number <= 100:
        raise argparse.ArgumentTypeError("from 0 to 100 percent")
    return number


def rate(text: str) -> float:
    """Requests a second; `60/m` is by the minute."""
    number, _, unit = text.partition("/")
    rate = float(number)
    if unit not in ("", "s", "m") or not 0 < rate <= 10**6:
        raise argparse.ArgumentTypeError("a rate is a number such as 10 or 10/s, or 60/m")
    return rate / 60 if unit == "m" else rate


def time_of_day(text: str) -> str:
    """By the clock here."""
    if not re.fullmatch("(?:[01]?[0-9]|2[0-3]):[0-5][0-9]", text):
        raise argparse.ArgumentTypeError("a time of day such as 06:00")
    return text


def slot(text: str) -> str:
    """A part of names."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", text):
        raise argparse.ArgumentTypeError("a slot is a name such as ci-2: small letters, digits and hyphens")
    return text


def variant(text: str) -> tuple[str, Any]:
    """A name, and the payload in a file."""
    name, _, file = text.partition("=")
    if not name or not file:
        raise argparse.ArgumentTypeError("expected NAME=FILE, such as order.created=payload.json")
    return name, payload(file)


def payload(file: str) -> Any:
    """The JSON value in a file."""
    try:
        return json.loads(Path(file).read_bytes())
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{file} is not JSON: {error}") from None


def header(text: str) -> tuple[str, str]:
    """The name of a header, and its value or where that is found."""
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError("expected NAME=VALUE, such as x-gateway-key=env:GATEWAY_KEY")
    return name, value


def profile(text: str) -> str:
    """One of three."""
    if text not in PROFILES:
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(PROFILES)}")
    return text


OF_MEMBERS: Final[Mapping[str, Callable[[str], Any]]] = {
    **dict.fromkeys(("ca", "client_certificate", "client_key"), str),
    **dict.fromkeys(("baseline", "expect_readings", "document"), Path),
    **dict.fromkeys(
        ("base_url", "ingress_url", "api_key", "second_api_key", "proxy", "org", "second_org"), str
    ),
    **dict.fromkeys(("max_requests", "max_writes"), count),
    "max_time": seconds,
    "min_verified": percent,
    "profile": profile,
    "rate": rate,
    "slot": slot,
}
"""Member of `targets.toml` that is neither a switch nor a table → what reads it, as it reads the flag of that name."""

__all__ = [
    *("OF_MEMBERS", "PROFILES", "count", "header", "payload", "percent", "rate", "seconds"),
    *("slot", "time_of_day", "variant", "waited", "whole"),
]
