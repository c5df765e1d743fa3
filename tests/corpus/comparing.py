"""Sends the stored requests again and compares the answers: status, all headers, and every byte of the body."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import yaml

from tests.corpus.renamed import (
    RENAMED,
    RENAMED_IN_ANSWERS,
    RENAMED_IN_REQUESTS,
    answer_now,
    plan_now,
    request_now,
)
from tests.corpus.steps import WAIT, Answer, Headers, Recorded, Request
from tests.corpus.worlds import World

_SHOWN: Final = 1_500
"""Bytes of a body that are printed."""
_AROUND: Final = 120
"""Bytes that are printed before and after the first one that differs."""
_LENGTHS: Final = re.compile(
    rb'(?<="content-length":)"[0-9]+"|(?<="name":"content-length","value":)"[0-9]+"'
    rb'|(?<="bodySize":)[0-9]+|(?<="size":)[0-9]+'
)
"""Lengths of other bodies that stand in a journal or an archive."""
_PATHS: Final = re.compile(rb"one of (/[^;]*)")
"""The paths that a 404 of the admin plane lists."""


class Difference(NamedTuple):
    """One answer that is not the stored one."""

    world: str
    number: int
    """Of the step in its world, from 1."""
    request: Request
    expected: Answer
    got: Answer

    def __str__(self) -> str:
        lines = [f"world {self.world!r}, step {self.number}", *_request_lines(self.request)]
        if self.expected.status != self.got.status:
            lines.append(f"  status: expected {self.expected.status}, got {self.got.status}")
        if self.expected.cut != self.got.cut:
            lines.append(f"  connection ended by: expected {self.expected.cut!r}, got {self.got.cut!r}")
        lines += _header_lines(self.expected.headers, self.got.headers)
        if self.expected.body != self.got.body:
            lines += _body_lines(self.expected.body, self.got.body)
        return "\n".join(lines)


def differences(recorded: Recorded) -> Iterator[Difference]:
    """What is answered in another way now, in one world."""
    with World(plan_now(recorded.plan)) as world:
        for number, step in enumerate(recorded.steps, 1):
            request = request_now(step.request)
            got = world.send(request)
            if request.plane == WAIT:
                continue
            expected = answer_now(step.answer)
            if got != expected and not _same_but_for_renames(request, expected, got):
                yield Difference(recorded.plan.name, number, request, expected, got)


def _same_but_for_renames(request: Request, expected: Answer, got: Answer) -> bool:
    """Whether an answer differs only in what follows from a rename, which the stored data cannot tell.

    Without renames nothing is overlooked. A journal or an archive tells the lengths of bodies, and a renamed body has another.
    A 404 lists all paths, in the order of their names. An answer to HEAD has the length of a body that is not there.
    """
    if not RENAMED + RENAMED_IN_REQUESTS + RENAMED_IN_ANSWERS:
        return False
    if expected.status != got.status or expected.cut != got.cut:
        return False
    if _plain(request, expected.body) != _plain(request, got.body):
        return False
    without = [
        [pair for pair in headers if pair[0] != "content-length"]
        for headers in (expected.headers, got.headers)
    ]
    length = dict(got.headers).get("content-length")
    return without[0] == without[1] and (request.method == "HEAD" or length in (None, str(len(got.body))))


def _plain(request: Request, body: bytes) -> bytes:
    """A body without what a rename moves; of a served OpenAPI document its structure, without its prose."""
    if request.target.startswith("/openapi."):
        return json.dumps(_without_prose(yaml.safe_load(body)), sort_keys=True, default=str).encode()
    if "/journal" in request.target:
        body = _LENGTHS.sub(b"0", body)
    return _PATHS.sub(lambda found: b"one of " + b", ".join(sorted(found[1].split(b", "))), body)


def _without_prose(value: Any) -> Any:
    """A document without its descriptions and summaries, which are rewritten without changing what the document says."""
    if isinstance(value, dict):
        prose = ("description", "summary")
        return {
            name: _without_prose(each)
            for name, each in value.items()
            if name not in prose or not isinstance(each, str)
        }
    return [_without_prose(each) for each in value] if isinstance(value, list) else value


def _request_lines(request: Request) -> list[str]:
    lines = [f"  {request.plane}: {request.method} {request.target[:400]}"]
    lines += [f"    {name}: {value[:200]}" for name, value in request.headers]
    if request.body:
        lines.append(f"    {request.body[:_SHOWN]!r}")
    return lines


def _header_lines(expected: Headers, got: Headers) -> list[str]:
    if expected == got:
        return []
    lines = [
        f"  header {name}: expected {value!r}, not got"
        for name, value in expected
        if (name, value) not in got
    ]
    lines += [
        f"  header {name}: not expected, got {value!r}"
        for name, value in got
        if (name, value) not in expected
    ]
    return lines or [f"  headers in another order: expected {list(expected)}, got {list(got)}"]


def _body_lines(expected: bytes, got: bytes) -> list[str]:
    """The surroundings of the first byte that differs."""
    pairs = enumerate(zip(expected, got, strict=False))
    at = next((place for place, (one, other) in pairs if one != other), min(len(expected), len(got)))
    begin = max(0, at - _AROUND)
    return [
        f"  body: {len(expected)} bytes expected, {len(got)} got; the first that differs is number {at}",
        f"    expected: {expected[begin : at + _AROUND]!r}",
        f"    got:      {got[begin : at + _AROUND]!r}",
    ]
