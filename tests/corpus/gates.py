"""Every request that a gate sends to three servers, stored and compared.

Two gates of the same code send the same requests. What differs between them, and is left out therefore, is: the header
`Host`, as ports are chosen by the machine; the id of the run, in tags and in `traceparent`; the id of each request in
`traceparent`; and the order of requests that are under way at the same moment, which are compared as a set.

On a busy machine more differs: a sequence that waits for a lease of a second goes on later, between other requests; an
answer that is late has the judge post plain work, and all later ids are others. So each list that was seen is stored, and a
comparison tries again until a list is one of them. Where none is, it says whether the requests are the same but for these
things.
"""

from __future__ import annotations

import difflib
import json
import lzma
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from tests.corpus.deployments import MOCK, MUTANT, PLAIN, VARIANT, Server, judged, served
from tests.corpus.recorder import Arrival, recording
from tests.corpus.verdicts import FLAGS

STORED: Final = Path(__file__).parent / "gates"
SERVERS: Final = {
    "mock": Server(MOCK),
    "mutant": Server(MUTANT, "S05", counts=True),
    "variant": Server(VARIANT, PLAIN, counts=True),
}
"""Servers that count their ids, as an id that is made of the time is another one in each run."""
_LONG: Final = 2_000
"""Bytes of a body from which its digest stands for it."""
_MARGIN: Final = 4
"""Requests before and after those that were seen to overlap, which may overlap another time."""
_PRINTED: Final = 60
"""Lines of a comparison that are printed."""

_ID: Final = re.compile(r'(?i)action_record_id.*?(?=,\s*[\\"\[ ]*attempt|$)')
"""The id of an action in a body, whatever it is wrapped in."""
_DIGITS: Final = re.compile(r"(?:\\\\u[0-9a-f]{4}|[0-9a-f]*[0-9][0-9a-f]*)+")
"""Digits, in other scripts and hexadecimal ones too."""
_PROBE: Final = re.compile(r'^POST \S+plain0 .*"order_id": "8471"')
"""Plain work, which the judge also posts when an answer was late, to see whether the target suffers."""

Span = tuple[int, int]


def sent(server: Server) -> tuple[int, list[str], Span]:
    """What a gate sends: its exit code, a line for each request, and between which of them requests overlap."""
    with served(server) as url, recording(url) as (recorder, front):
        code, report = judged(server, front, FLAGS)
        arrivals = recorder.arrivals()
    return code, [_line(arrival, report["run"]) for arrival in arrivals], _overlapping(arrivals)


def _line(arrival: Arrival, run: str) -> str:
    """A request without what differs between two runs of the same code."""
    headers = [f"{name}: {value}" for name, value in arrival.headers if name != "host"]
    content = arrival.body.replace(run.encode(), b"RUN")
    body = repr(content)[1:]
    if len(content) > _LONG:
        body = f"{len(content)} bytes, sha256 {sha256(content).hexdigest()}"
    text = " | ".join([arrival.line, *headers, body]).replace(run, "RUN")
    return re.sub(r"(traceparent: 00-RUN)-[0-9a-f]{16}-", r"\1-REQUEST-", text)


def _overlapping(arrivals: Sequence[Arrival]) -> Span:
    """The first and the last request that arrived while another one had no answer yet; an empty span when none did."""
    found: list[int] = []
    answered = -1
    for place, arrival in enumerate(arrivals):
        if arrival.order <= answered:
            found += [place - 1, place]
        answered = max(answered, arrival.answered)
    return (min(found), max(found) + 1) if found else (0, 0)


def _settled(lines: Sequence[str], span: Span) -> list[str]:
    """Lines in an order that does not depend on which of several requests came first."""
    begin, end = span
    return [*lines[:begin], *sorted(lines[begin:end]), *lines[end:]]


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.json.xz"


def _unordered(lines: Iterable[str]) -> list[str]:
    """What was sent in whatever order, without the ids of actions, the lengths of bodies that hold them, and probes."""
    told = (re.sub(r"content-length: [0-9]+", "content-length: N", line) for line in lines)
    bare = (_ID.sub(lambda found: _DIGITS.sub("ID", found[0]), line) for line in told)
    return sorted(line for line in bare if not _PROBE.search(line))


def record(folder: Path, rounds: int, tell: Callable[[str], None]) -> int:
    """Let a gate pass so often at each server, and store each list that was sent, with how often it was."""
    folder.mkdir(exist_ok=True)
    for name, server in SERVERS.items():
        runs = [sent(server) for _ in range(rounds)]
        spans = [span for _, _, span in runs if span != (0, 0)]
        count = max(len(lines) for _, lines, _ in runs)
        begin = max(0, min((begin for begin, _ in spans), default=0) - _MARGIN)
        end = min(count, max((end for _, end in spans), default=0) + _MARGIN)
        lists = Counter(tuple(_settled(lines, (begin, end))) for _, lines, _ in runs)
        stored = {
            "server": str(server),
            "flags": FLAGS,
            "exit codes": sorted({code for code, _, _ in runs}),
            "overlapping": (begin, end),
            "seen": [{"runs": often, "requests": lines} for lines, often in lists.most_common()],
        }
        text = json.dumps(stored, indent=0, ensure_ascii=True)
        _path(folder, name).write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
        often = [many for _, many in lists.most_common()]
        alike = len({tuple(_unordered(lines)) for lines in lists})
        tell(
            f"{server}: {count} requests, {end - begin} of them in any order; {rounds} runs sent {len(often)} lists "
            f"({' + '.join(map(str, often))} times), {alike} without order, ids and probes"
        )
    return 0


def compare(folder: Path, names: Sequence[str], tries: int, tell: Callable[[str], None]) -> int:
    """Let a gate pass at each server until it sends a stored list, or the tries are over; 1 when it sends none."""
    differing = 0
    for name in names or SERVERS:
        stored: dict[str, Any] = json.loads(lzma.decompress(_path(folder, name).read_bytes()))
        server, lists = SERVERS[name], [seen["requests"] for seen in stored["seen"]]
        begin, end = stored["overlapping"]
        alike, got = False, [""]
        for number in range(tries):
            code, lines, _ = sent(server)
            more = max(0, len(lines) - len(lists[0]))
            got = _settled(lines, (begin, end + more))
            if got in lists and code in stored["exit codes"]:
                tell(f"same     {server}: {len(got)} requests, exit code {code}, try {number + 1}")
                break
            alike = alike or _unordered(got) in map(_unordered, lists)
        else:
            differing += not alike
            word = "same but for order, ids and probes" if alike else "differs"
            tell(f"{word}  {server}: {len(lists[0])} requests expected, {len(got)} got, exit code {code}")
            if not alike:
                _tell_changes(lists, got, tell)
    return 1 if differing else 0


def _tell_changes(lists: Sequence[list[str]], got: list[str], tell: Callable[[str], None]) -> None:
    """The lines by which a list differs from the nearest stored one."""
    nearest = max(lists, key=lambda lines: len(set(lines) & set(got)))
    changes = list(difflib.unified_diff(nearest, got, "expected", "got", lineterm="", n=1))
    for line in changes[:_PRINTED]:
        tell(f"  {line[:600]}")
    if len(changes) > _PRINTED:
        tell(f"  and {len(changes) - _PRINTED} lines more")
