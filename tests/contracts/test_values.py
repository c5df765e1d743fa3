"""The readers of flags: what each reads, the last value that passes on both sides, and what is said of the next one."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.commands import values


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (values.SECONDS, "1", 1.0),
        (values.SECONDS, "1000000", 1e6),
        (values.WAIT, "1", 1.0),
        (values.WAIT, "3600", 3600.0),
        (values.SEED, "0", 0),
        (values.SEED, "99999999999999999999", 99999999999999999999),
        (values.COUNT, "1", 1),
        (values.PERCENT, "0", 0.0),
        (values.PERCENT, "100", 100.0),
        (values.rate, "0.5", 0.5),
        (values.rate, "10/s", 10.0),
        (values.rate, "60/m", 1.0),
        (values.rate, "1000000", 1e6),
        (values.time_of_day, "6:00", "6:00"),
        (values.time_of_day, "23:59", "23:59"),
        (values.name_prefix, "c", "c"),
        (values.name_prefix, "9-" + "a" * 38, "9-" + "a" * 38),
        (values.header, "x-key=env:KEY=1", ("x-key", "env:KEY=1")),
        (values.header, "x-key=", ("x-key", "")),
        (values.profile, "night", "night"),
    ],
)
def test_a_value_is_read(read: Callable[[str], Any], text: str, value: object) -> None:
    """At the bounds too."""
    found = read(text)

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (values.SECONDS, "0.9", "from 1 to 1000000 seconds"),
        (values.SECONDS, "1000000.5", "from 1 to 1000000 seconds"),
        (values.SECONDS, "nan", "from 1 to 1000000 seconds"),
        (values.WAIT, "0.9", "from 1 to 3600 seconds"),
        (values.WAIT, "3601", "from 1 to 3600 seconds"),
        (values.SEED, "-1", "a seed is 0 or more"),
        (values.COUNT, "0", "1 or more"),
        (values.PERCENT, "-0.1", "from 0 to 100 percent"),
        (values.PERCENT, "100.1", "from 0 to 100 percent"),
        *((values.rate, text, "a rate is a number such as 10 or 10/s, or 60/m") for text in ("0", "1/h", "-1", "1000001", "")),
        *((values.time_of_day, text, "a time of day such as 06:00") for text in ("24:00", "6:60", "6", "06:00:00")),
        *(
            (values.name_prefix, text, "a name prefix is a name such as ci-2: small letters, digits and hyphens")
            for text in ("", "-a", "A", "a.b", "a" * 41)
        ),
        *(
            (values.variant, text, "expected NAME=FILE, such as order.created=payload.json")
            for text in ("order.created", "=file", "name=")
        ),
        (values.header, "x-key", "expected NAME=VALUE, such as x-gateway-key=env:GATEWAY_KEY"),
        (values.profile, "Gate", "expected one of check, gate, night"),
        (values.pages, "no/such", "expected a directory of pages, got 'no/such'; --document takes a file"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_pass_is_refused_with_what_would(
    read: Callable[[str], Any], text: str, said: str
) -> None:
    """The next value beyond each bound, and other forms."""
    with pytest.raises(argparse.ArgumentTypeError, match=f"^{re.escape(said)}$"):
        read(text)


def test_a_number_is_named_by_its_kind_when_it_is_none() -> None:
    """argparse builds its message from the name of the reader."""
    assert (values.SECONDS.__name__, values.COUNT.__name__) == ("float", "int")
    with pytest.raises(ValueError, match="could not convert"):
        values.SECONDS("x")


def test_a_payload_is_the_json_of_a_file(tmp_path: Path) -> None:
    """Under the name of a variant too; a file that is none, or holds no JSON, is named."""
    (tmp_path / "good.json").write_text('{"a": 1}', "utf-8")
    (tmp_path / "bad.json").write_text("{", "utf-8")

    assert values.payload(str(tmp_path / "good.json")) == {"a": 1}
    assert values.variant(f"a.b={tmp_path / 'good.json'}") == ("a.b", {"a": 1})
    assert values.pages(str(tmp_path)) == tmp_path
    with pytest.raises(argparse.ArgumentTypeError, match=r"bad\.json: expected JSON, got "):
        values.payload(str(tmp_path / "bad.json"))
    with pytest.raises(argparse.ArgumentTypeError, match=r"none\.json: No such file or directory$"):
        values.payload(str(tmp_path / "none.json"))


def test_a_member_of_the_targets_file_has_the_reader_of_its_flag() -> None:
    """Texts and paths are taken as they are."""
    readers = values.OF_MEMBERS

    assert {name for name, read in readers.items() if read is Path} == {
        *("baseline", "expect_interpretations", "document"),
    }
    assert {name for name, read in readers.items() if read is str} == {
        *("ca", "client_certificate", "client_key", "base_url", "ingress_url"),
        *("api_key", "second_api_key", "proxy", "org", "second_org"),
    }
    assert (readers["max_requests"], readers["max_writes"]) == (values.COUNT, values.COUNT)
    assert (readers["max_time"], readers["min_verified"]) == (values.SECONDS, values.PERCENT)
    assert {name for name in readers if readers[name] is getattr(values, name, None)} == {
        *("profile", "rate", "name_prefix"),
    }
    assert readers["spec_dir"] is values.pages
