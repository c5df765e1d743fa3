"""What our judge and its peers find of the same faults, and what they say of a correct server.

    npm install --prefix DIR specmatic
    python -m benchmarks.judges [--tools ours,stock,tuned,…] [--faults A02,B01,…|all|honest] [--specmatic DIR]

Every tool runs as a process of its own against a correct server and against variants of it that break one
promise each (`tests/mutants`), served here on a free port. First the correct server, with several seeds: whatever
is said there is no news elsewhere. Then each fault; it counts as found when a run shows an accusation that no run
against the correct server shows. Where those runs differ among themselves a second run, with another seed, has to
show it too.

Every run is kept at once in `benchmarks/judges.json` and not made again without `--again`; from that file
`docs/judges.md` is written. To see to it that nothing but this machine can be reached:

    unshare --net sh -c 'ip link set lo up && exec python -m benchmarks.judges …'
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import http.client
import io
import json
import os
import resource
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from benchmarks import judges_page
from benchmarks.judges_results import (
    HONEST,
    Kept,
    Run,
    load,
)
from benchmarks.judges_tools import (
    DEFINITION,
    DEFINITIONS,
    ENVIRONMENT,
    KEY,
    ROOT,
    TOOLS,
    VARIANT,
    WORK,
    Scene,
    Tool,
    Unreadable,
    located,
)
from benchmarks.processes import machine
from tests.mutants import MUTANTS, ConformingServer
from tests.serving import serving

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

GRACE: Final = 15
"""Seconds that an interrupted tool has to write its reports."""


class Counted:
    """An application that counts what it is asked."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app
        self.lock = threading.Lock()
        self.requests = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Count, then answer."""
        with self.lock:
            self.requests += 1
        return self.app(environ, start_response)


def main() -> int:
    """Make the runs that are missing, then write the page."""
    options = parser().parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # tools inherit it, under nohup too
    kept = load(options.out)
    chosen = [HONEST, *MUTANTS] if "all" in options.faults else options.faults
    for name in options.tools:
        tool = located(TOOLS[name], options.specmatic)
        for fault in chosen if options.again else ():
            kept.of(name, fault).clear()
        while len(kept.of(name)) < options.honest:
            keep(kept, tool, HONEST)
        for fault in [one for one in chosen if one != HONEST]:
            while kept.wants(name, fault):
                keep(kept, tool, fault)
    options.page.write_text(judges_page.page(kept), "utf-8")
    return 0


def parser() -> argparse.ArgumentParser:
    """What can be asked for."""
    found = argparse.ArgumentParser(prog="python -m benchmarks.judges")
    found.add_argument("--tools", type=listed(TOOLS), default=list(TOOLS), metavar="NAME,…")
    found.add_argument(
        "--faults", type=listed(("all", HONEST, *MUTANTS)), default=["all"], metavar="ID,…|all"
    )
    found.add_argument("--honest", type=int, default=5, metavar="N", help="runs against the correct server")
    found.add_argument("--again", action="store_true", help="make runs again that are kept")
    found.add_argument("--specmatic", type=Path, metavar="DIR", help="where npm installed it")
    found.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "judges.json", metavar="FILE")
    found.add_argument("--page", type=Path, default=ROOT / "docs" / "judges.md", metavar="FILE")
    return found


def listed(known: Iterable[str]) -> Any:
    """A reader of names between commas; an empty text names none."""

    def read(text: str) -> list[str]:
        names = [name for name in text.split(",") if name]
        if unknown := set(names) - set(known):
            raise argparse.ArgumentTypeError(f"not known: {', '.join(sorted(unknown))}")
        return names

    return read


def keep(kept: Kept, tool: Tool, fault: str) -> None:
    """Make one run and save it."""
    runs = kept.of(tool.name, fault)
    run = run_once(tool, fault, seed=len(runs) + 1)
    runs.append(run)
    kept.tools[tool.name] = {
        "version": tool.version(),
        "command": shlex.join(tool.words()),
        "machine": machine(),
        "network": network(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    kept.save()
    news = len(run.found - kept.honest(tool.name)) if fault != HONEST else len(run.found)
    remark = run.unreadable or ("interrupted" if run.capped else "")
    print(
        f"{tool.name} {fault} {run.seconds:.1f} s, {run.requests} requests, {news} new {remark}", flush=True
    )


def run_once(tool: Tool, fault: str, seed: int) -> Run:
    """One run against a server of its own."""
    make = ConformingServer if fault == HONEST else MUTANTS[fault]
    app = Counted(make(tool.choices))
    with tempfile.TemporaryDirectory() as folder, served(app) as url:
        scene = Scene(Path(folder), provision(url) if tool.provisioned else ())
        tool.prepare(scene)
        before = app.requests
        spent = cpu_of_children()
        code, seconds, capped = executed(tool.started(url, seed), scene.folder, tool.cap)
        requests, cpu = app.requests - before, round(cpu_of_children() - spent, 2)
        try:
            found, unreadable = tool.read(scene.folder), ""
        except Unreadable as error:
            found, unreadable = frozenset(), f"{error}, exit {code}"
        return Run(seed, round(seconds, 2), cpu, requests, code, capped, unreadable, found)


@contextlib.contextmanager
def served(app: WSGIApplication) -> Iterator[str]:
    """The URL of a server whose tracebacks go nowhere."""
    with contextlib.redirect_stderr(io.StringIO()), serving(app) as url:
        yield url


def provision(url: str) -> tuple[str, ...]:
    """Ids of three actions in their first attempt, under a definition; made up where there are none."""
    call(url, "PUT", DEFINITIONS, DEFINITION)
    answers = [call(url, "POST", f"/v1/ingress/{VARIANT}", WORK) for _ in range(3)]
    ids = []
    for answer in answers:
        with contextlib.suppress(ValueError, TypeError, LookupError):
            ids.append(str(json.loads(answer)["data"]["a_id"]))
    return tuple(one for one in ids if one.isdecimal()) or ("1",)


def call(url: str, method: str, path: str, body: object) -> bytes:
    """The body of an answer; nothing where none came."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        headers = {"x-arklow-auth": KEY, "content-type": "application/json"}
        connection.request(method, path, json.dumps(body), headers)
        return connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return b""
    finally:
        connection.close()


def executed(command: list[str], folder: Path, cap: float) -> tuple[int, float, bool]:
    """Exit code, seconds, and whether the run was interrupted at its limit."""
    began = time.perf_counter()
    with (folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | ENVIRONMENT | {"PYTHONPATH": str(ROOT)},
        )
        try:
            capped = not ended(process, cap)
            return process.returncode, time.perf_counter() - began, capped
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def cpu_of_children() -> float:
    """Seconds of user and system time of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def ended(process: subprocess.Popen[bytes], cap: float) -> bool:
    """Whether the process ended by itself; else it is interrupted, and killed if that does not help."""
    try:
        process.wait(cap)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return False
    return True


def network() -> str:
    """What these processes can reach."""
    names = {name for _, name in socket.if_nameindex()}
    return "none but loopback" if names == {"lo"} else "as the machine has it"


if __name__ == "__main__":
    sys.exit(main())
