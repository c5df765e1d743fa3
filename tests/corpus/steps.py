"""The stored data: worlds, the requests that were sent to each, and the answers that came back."""

from __future__ import annotations

import base64
import json
import lzma
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

STORED: Final = Path(__file__).parent / "recorded.jsonl.xz"
"""The file that holds everything: one JSON value a line, compressed. The first line has the names of all worlds."""

API: Final = "api"
ADMIN: Final = "admin"
WAIT: Final = "wait"

Headers = Sequence[tuple[str, str]]


class Plan(NamedTuple):
    """How one world is made: JSON values alone, so that it can be stored."""

    name: str
    settings: Mapping[str, Any] = MappingProxyType({})
    """Members as `worlds.World` reads them."""


class Request(NamedTuple):
    """One request, or a wait of some seconds."""

    plane: str
    """`api`, `admin`, or `wait`: let the machine's clock go on by `seconds`."""
    method: str = ""
    target: str = ""
    """Path and query, as they stand in a request line."""
    headers: Headers = ()
    body: bytes = b""
    whole: bool = True
    """False when the rest of the body never arrives."""
    seconds: float = 0.0


class Answer(NamedTuple):
    """One answer."""

    status: int = 0
    """0 when nothing was answered."""
    headers: Headers = ()
    body: bytes = b""
    cut: str = ""
    """How the connection was ended before the answer was complete: `close` or `reset`, and where if that was inside the
    body, which stands here whole; empty when it was not."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def data(self) -> Any:
        """The member `data` of the answer."""
        return self.json["data"]


class Step(NamedTuple):
    """One request with its answer."""

    request: Request
    answer: Answer


class Recorded(NamedTuple):
    """One world with all that was sent to it."""

    plan: Plan
    steps: Sequence[Step]


def save(recordings: Iterable[Recorded], path: Path = STORED) -> None:
    """Write everything; equal recordings give an equal file."""
    lines: list[Any] = [[]]
    for recorded in recordings:
        lines[0].append(recorded.plan.name)
        lines.append({"world": recorded.plan.name, "settings": dict(recorded.plan.settings)})
        lines.extend(_shown(recorded.plan.name, step) for step in recorded.steps)
    text = "".join(f"{json.dumps(line, ensure_ascii=True, separators=(',', ':'))}\n" for line in lines)
    path.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


def names(path: Path = STORED) -> list[str]:
    """The names of the worlds, which the first line has."""
    with lzma.open(path) as file:
        found: list[str] = json.loads(file.readline())
        return found


@cache
def load(path: Path = STORED) -> dict[str, Recorded]:
    """Read everything, by name of the world."""
    found: dict[str, Recorded] = {}
    steps: list[Step] = []
    for line in lzma.decompress(path.read_bytes()).splitlines()[1:]:
        value = json.loads(line)
        if "settings" in value:
            steps = []
            found[value["world"]] = Recorded(Plan(value["world"], value["settings"]), steps)
        else:
            steps.append(_read(value))
    return found


def _shown(world: str, step: Step) -> dict[str, Any]:
    request, answer = step
    if request.plane == WAIT:
        return {"world": world, "plane": WAIT, "seconds": request.seconds}
    shown: dict[str, Any] = {
        "world": world,
        "plane": request.plane,
        "method": request.method,
        "target": request.target,
        "headers": request.headers,
        "body": _text(request.body),
        "answer": [answer.status, answer.headers, _text(answer.body)],
    }
    if not request.whole:
        shown["whole"] = False
    if answer.cut:
        shown["cut"] = answer.cut
    return shown


def _read(value: dict[str, Any]) -> Step:
    if value["plane"] == WAIT:
        return Step(Request(WAIT, seconds=value["seconds"]), Answer())
    request = Request(
        value["plane"],
        value["method"],
        value["target"],
        _pairs(value["headers"]),
        _bytes(value["body"]),
        value.get("whole", True),
    )
    status, headers, body = value["answer"]
    return Step(request, Answer(status, _pairs(headers), _bytes(body), value.get("cut", "")))


def _pairs(value: Any) -> Headers:
    return tuple((name, text) for name, text in value)


def _text(body: bytes) -> Any:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else base64.b64decode(value["base64"])
