"""Every request that a gate sends to two servers, stored and compared: a change that is none sends the same bytes.

python -m tests.corpus.gate record
"""

from __future__ import annotations

import io
import lzma
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from contracts.transport.throttle import Limits
from tests.clocks import VirtualClock
from tests.contracts.runs import judged_in_process
from tests.mutants import CONFORMING_VARIANTS, MUTANTS, ConformingServer
from tests.serving import HEADERS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SERVERS: Final[dict[str, Callable[[VirtualClock], WSGIApplication]]] = {
    "plain": lambda clock: ConformingServer(CONFORMING_VARIANTS["plain"], clock=clock),
    "S05": lambda clock: MUTANTS["S05"](clock=clock),
}
"""Name → what makes a server: one with nothing to find, and one whose finding is tried again and made smaller."""
_REQUESTS: Final = 2_000
"""Requests of a gate: all scenarios but the last parts of the catalogue of bytes."""
_LONG: Final = 400
"""Bytes of a body from which its digest stands for it."""


class _Recorder:
    """An application that writes down each request before it is answered."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self.lines: list[str] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        environ["wsgi.input"] = io.BytesIO(body)
        self.lines.append(
            _line(f"{environ['REQUEST_METHOD']} {environ['REQUEST_URI']}", environ[HEADERS], body)
        )
        return self._app(environ, start_response)


def _line(target: str, headers: Sequence[tuple[str, str]], body: bytes) -> str:
    """Return a request in one line; without what compression makes of a body, as that differs between versions of zlib."""
    if any(name.lower() == "content-encoding" for name, _ in headers):
        headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
        content = "compressed"
    elif len(body) > _LONG:
        content = f"{len(body)} bytes, sha256 {sha256(body).hexdigest()}"
    else:
        content = repr(body)[1:]
    return ascii(" | ".join([target, *(f"{name}: {value}" for name, value in headers), content]))


def sent(name: str) -> list[str]:
    """Return a line for each request that a gate sends to a server, in their order."""
    recorders: list[_Recorder] = []

    def make(clock: VirtualClock) -> WSGIApplication:
        recorders.append(_Recorder(SERVERS[name](clock)))
        return recorders[0]

    judged_in_process(
        make, steady=True, name_prefix="corpus", limits=Limits(requests=_REQUESTS), max_time=1_800.0
    )
    return recorders[0].lines


def stored(name: str) -> list[str]:
    """Return the lines that were recorded."""
    return lzma.decompress(_file(name).read_bytes()).decode().splitlines()


def record() -> None:
    """Store what gates send now."""
    for name in SERVERS:
        text = "\n".join(sent(name)) + "\n"
        _file(name).write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


def _file(name: str) -> Path:
    return Path(__file__).parent / f"gate_{name}.txt.xz"


if __name__ == "__main__":
    record()
