"""Ids in texts, whatever digits they are written in: a deployment may read digits of any script, and JSON may escape them."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Final

_CHARACTER: Final = re.compile(r"\\u[0-9a-fA-F]{4}|\d")
_RUN: Final = re.compile(rf"(?:{_CHARACTER.pattern})+")
"""Digits of any script, as they are or as JSON escapes them; other escaped characters may stand between."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is written in a text."""

    start: int
    end: int
    value: str
    """In ASCII digits."""
    zero: str
    """The digit 0 of its script."""
    is_escaped: bool
    """Whether its digits are written as JSON escapes them."""

    @property
    def without_zeros(self) -> str:
        """The value without zeros at its beginning, which some servers overlook."""
        return self.value.lstrip("0")

    def written(self, value: str) -> str:
        """Return another number, in ASCII digits, in the way in which this one is written."""
        digits = (chr(ord(self.zero) + int(digit)) for digit in value)
        return "".join(f"\\u{ord(digit):04x}" if self.is_escaped else digit for digit in digits)


def numbers(text: str) -> Iterator[Number]:
    """Yield each number in a text, in their order."""
    for run in _RUN.finditer(text):
        start = run.start()
        for is_number, group in groupby(_CHARACTER.findall(run[0]), lambda one: _unescaped(one).isdecimal()):
            characters = list(group)
            end = start + sum(map(len, characters))
            if is_number:
                digits = [_unescaped(one) for one in characters]
                value = "".join(str(unicodedata.decimal(digit)) for digit in digits)
                zero = chr(ord(digits[0]) - int(value[0]))
                yield Number(start, end, value, zero, characters[0] != digits[0])
            start = end


def numbers_in(body: bytes | None) -> Iterator[str]:
    """Yield each number in a body, in ASCII digits; also without zeros at its beginning, if it has such."""
    for number in numbers((body or b"").decode("utf-8", "replace")):
        yield number.value
        if number.value.startswith("0"):
            yield number.without_zeros


def with_other_numbers(text: str, others: Mapping[str, str], least_digits: int = 1) -> str:
    """Replace numbers of a text, which stay in the digits in which they are written.

    Args:
        text: may have digits of any script, as they are or as JSON escapes them.
        others: number in ASCII digits → the one that takes its place.
        least_digits: shorter numbers are left.
    """
    parts, start = [], 0
    for number in numbers(text) if others else ():
        zeros = number.value[: -len(number.without_zeros)] if number.without_zeros else ""
        other = others.get(number.value) or _joined(zeros, others.get(number.without_zeros))
        if other is not None and number.end - number.start >= least_digits:
            parts += [text[start : number.start], number.written(other)]
            start = number.end
    return "".join([*parts, text[start:]])


def _joined(zeros: str, other: str | None) -> str | None:
    return None if other is None else zeros + other


def _unescaped(character: str) -> str:
    return str(json.loads(f'"{character}"'))


__all__ = ["Number", "numbers", "numbers_in", "with_other_numbers"]
