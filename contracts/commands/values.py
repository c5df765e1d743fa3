"""Reads the value of a flag from its text. The members of `targets.toml` are read by the same functions."""

from __future__ import annotations

import argparse
import ipaddress
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from arklow_local.formats import strict_json
from arklow_local.formats.files import read_bytes

from ..core.target import Resolution

_RESOLUTION: Final = re.compile(
    r"(?P<host>[^:\[\]\s]+|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5}):(?P<address>\[[^\[\]]+\]|[^\[\]]+)"
)
"""The three parts of `--resolve`."""

AddArgument = Callable[..., argparse.Action]
"""`add_argument` of a parser, or of a group of flags."""

PROFILES: Final = ("check", "gate", "night")


def bounded(
    kind: type[int] | type[float], least: float, most: float, expected: str
) -> Callable[[str], float]:
    """Make a reader of numbers from `least` to `most`, for argparse. `expected` says which values pass."""

    def read(text: str) -> float:
        number = kind(text)
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(expected)
        return number

    read.__name__ = kind.__name__  # argparse's message: invalid int value
    return read


SECONDS: Final = bounded(float, 1, 10**6, "from 1 to 1000000 seconds")
WAIT: Final = bounded(float, 1, 3_600, "from 1 to 3600 seconds")
SHORT_WAIT: Final = bounded(float, 0, 3_600, "from 0 to 3600 seconds")
SEED: Final = bounded(int, 0, math.inf, "a seed is 0 or more")
COUNT: Final = bounded(int, 1, math.inf, "1 or more")
PERCENT: Final = bounded(float, 0, 100, "from 0 to 100 percent")


def rate(text: str) -> float:
    """Read a rate and return it in requests a second: `10`, `10/s`, or `60/m` for requests a minute."""
    found = re.fullmatch("([0-9]+(?:[.][0-9]+)?)(?:/([sm]))?", text)
    rate, unit = (float(found[1]), found[2]) if found else (0.0, None)
    if not 0 < rate <= 10**6:
        raise argparse.ArgumentTypeError("a rate is a number such as 10 or 10/s, or 60/m")
    return rate / 60 if unit == "m" else rate


def time_of_day(text: str) -> str:
    """Check a time of day in hours and minutes, such as 06:00."""
    if not re.fullmatch("(?:[01]?[0-9]|2[0-3]):[0-5][0-9]", text):
        raise argparse.ArgumentTypeError("a time of day such as 06:00")
    return text


def name_prefix(text: str) -> str:
    """Check a name prefix: it becomes a part of the names of definitions."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", text):
        raise argparse.ArgumentTypeError(
            "a name prefix is a name such as ci-2: small letters, digits and hyphens"
        )
    return text


def variant(text: str) -> tuple[str, Any]:
    """Read NAME=FILE; returns the pair of the variant and the payload in the file."""
    name, _, file = text.partition("=")
    if not name or not file:
        raise argparse.ArgumentTypeError("expected NAME=FILE, such as order.created=payload.json")
    return name, payload(file)


def payload(file: str) -> Any:
    """Read a payload: the JSON value in a file."""
    try:
        return strict_json.parse(read_bytes(Path(file)), file)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{file}: {error.strerror}") from None
    except strict_json.JsonRefused as refused:
        raise argparse.ArgumentTypeError(refused.message) from None


def header(text: str) -> tuple[str, str]:
    """Read NAME=VALUE; returns the pair of a header's name and its value, or where its value is."""
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError("expected NAME=VALUE, such as x-gateway-key=env:GATEWAY_KEY")
    return name, value


def _port(number: int) -> int:
    """Check the number of a port.

    Raises:
        ValueError: there is no such port.
    """
    if not 0 < number < 1 << 16:
        raise ValueError
    return number


def resolution(text: str) -> Resolution:
    """Read HOST:PORT:ADDRESS as curl does; an IPv6 address stands in brackets, or at the end without them."""
    found = _RESOLUTION.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        host, port, address = found["host"].strip("[]").lower(), int(found["port"]), found["address"]
        return Resolution(host, _port(port), str(ipaddress.ip_address(address.strip("[]"))))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected HOST:PORT:ADDRESS, such as staging.example:443:10.0.0.7, got {text!r}"
        ) from None


def profile(text: str) -> str:
    """Check a profile."""
    if text not in PROFILES:
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(PROFILES)}")
    return text


def pages(text: str) -> Path:
    """Check that there is such a directory of pages."""
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(
            f"expected a directory of pages, got {text!r}; --document takes a file"
        )
    return path


OF_MEMBERS: Final[Mapping[str, Callable[[str], Any]]] = {
    **dict.fromkeys(("ca", "client_certificate", "client_key"), str),
    **dict.fromkeys(("baseline", "expect_interpretations", "document"), Path),
    **dict.fromkeys(
        ("base_url", "ingress_url", "api_key", "second_api_key", "proxy", "org", "second_org"), str
    ),
    **dict.fromkeys(("max_requests", "max_writes"), COUNT),
    **dict.fromkeys(("settle", "wait_for"), SHORT_WAIT),
    "timeout": WAIT,
    "max_interference": PERCENT,
    "max_time": SECONDS,
    "min_verified": PERCENT,
    "profile": profile,
    "rate": rate,
    "spec_dir": pages,
    "name_prefix": name_prefix,
}
"""Member of `targets.toml` that is neither a switch nor a table → its reader, which the flag of that name has too."""

__all__ = [
    *(
        "COUNT",
        "OF_MEMBERS",
        "PERCENT",
        "PROFILES",
        "SECONDS",
        "SEED",
        "SHORT_WAIT",
        "WAIT",
        "bounded",
        "header",
        "payload",
    ),
    *("profile", "rate", "name_prefix", "resolution", "time_of_day", "variant"),
]
