"""Moments as RFC 3339 has them, to text and from it."""

from __future__ import annotations

import pytest

from mock_server.timestamps import BEGIN, END, moment, timestamp


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_700_000_000_007, "2023-11-14T22:13:20.007Z"),
        (BEGIN, "2000-01-01T00:00:00.000Z"),
        (END - 1, "2999-12-31T23:59:59.999Z"),
    ],
)
def test_a_moment_is_written_to_the_millisecond_in_utc(milliseconds: int, text: str) -> None:
    """And read back, from the year 2000 on."""
    assert timestamp(milliseconds) == text
    if milliseconds >= BEGIN:
        assert moment(text) == milliseconds


def test_an_offset_counts_and_finer_digits_are_cut_off() -> None:
    """Whichever of the two a text has."""
    assert moment("2030-01-01T01:00:00.123999+01:00") == moment("2030-01-01T00:00:00.123Z")


@pytest.mark.parametrize(
    "text", ["1999-12-31T23:59:59.999Z", "3000-01-01T00:00:00Z", "2000-01-01T00:00:00+00:01"]
)
def test_a_moment_out_of_bounds_is_refused(text: str) -> None:
    """The year 3000 is the first that is too late."""
    with pytest.raises(ValueError, match="expected a time from 2000 to 2999 in UTC"):
        moment(text)


def test_a_bound_may_be_given() -> None:
    """It is out of bounds itself."""
    assert moment("2030-01-01T00:00:00Z", end=moment("2030-01-01T00:00:00.001Z"))
    with pytest.raises(ValueError, match="expected a time"):
        moment("2030-01-01T00:00:00Z", end=moment("2030-01-01T00:00:00Z"))


@pytest.mark.parametrize("text", ["soon", "2030-02-30T00:00:00Z", ""])
def test_what_no_calendar_has_is_refused(text: str) -> None:
    """The caller says where it stands."""
    with pytest.raises(ValueError, match="expected a date-time"):
        moment(text)
