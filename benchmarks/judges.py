"""What our judge and its peers find of the same mutants, and what they say of a conforming server.

    npm install --prefix DIR specmatic
    python -m benchmarks.judges [--tools ours,stock,tuned,…] [--mutants A02,B01,…|all|conforming] [--specmatic DIR]

Every tool runs as a process of its own against a conforming server and against mutants that break one promise each
(`tests/mutants`), served here on a free port. First the conforming server, with several seeds: what is said there is
no news elsewhere. Then each mutant; it counts as found when a run shows an accusation that no run against the
conforming server shows. Where those runs differ among themselves a second run, with another seed, has to show it too.

Every run is kept at once in `benchmarks/judges.json` and not made again without `--again`; from that file
`docs/judges.md` is written, with `--page-only` without any run. So that nothing but this machine can be reached:

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

from benchmarks import judges_page
from benchmarks.judges_results import CONFORMING, Results, Run, load
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
from tests.replies import ask
from tests.serving import serving

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

GRACE: Final = 15
"""Seconds that an interrupted tool has to write its reports."""


class Counted:
    """An application that counts its requests."""

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
    results = load(options.out)
    chosen = [CONFORMING, *MUTANTS] if "all" in options.mutants else options.mutants
    for name in () if options.page_only else options.tools:
        tool = located(TOOLS[name], options.specmatic)
        for server in chosen if options.again else ():
            results.of(name, server).clear()
        while len(results.of(name)) < options.conforming:
            keep(results, tool, CONFORMING)
        for server in [one for one in chosen if one != CONFORMING]:
            while results.wants(name, server):
                keep(results, tool, server)
    options.page.write_text(judges_page.page(results), "utf-8")
    return 0


def parser() -> argparse.ArgumentParser:
    """The flags of this command."""
    flags = argparse.ArgumentParser(prog="python -m benchmarks.judges")
    flags.add_argument("--tools", type=listed(TOOLS), default=list(TOOLS), metavar="NAME,…")
    flags.add_argument(
        "--mutants", type=listed(("all", CONFORMING, *MUTANTS)), default=["all"], metavar="ID,…|all"
    )
    flags.add_argument(
        "--conforming", type=int, default=5, metavar="N", help="runs against the conforming server"
    )
    flags.add_argument("--again", action="store_true", help="make runs again that are kept")
    flags.add_argument("--page-only", action="store_true", help="make no run, write the page")
    flags.add_argument("--specmatic", type=Path, metavar="DIR", help="where npm installed it")
    flags.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "judges.json", metavar="FILE")
    flags.add_argument("--page", type=Path, default=ROOT / "docs" / "judges.md", metavar="FILE")
    return flags


def listed(known: Iterable[str]) -> Any:
    """Make a reader of known names between commas; an empty text names none."""

    def read(text: str) -> list[str]:
        names = [name for name in text.split(",") if name]
        if unknown := set(names) - set(known):
            raise argparse.ArgumentTypeError(f"not known: {', '.join(sorted(unknown))}")
        return names

    return read


def keep(results: Results, tool: Tool, server: str) -> None:
    """Make one run, save it, and print a line; `server` is a mutant's id or `CONFORMING`."""
    runs = results.of(tool.name, server)
    run = run_once(tool, server, seed=len(runs) + 1)
    runs.append(run)
    results.tools[tool.name] = {
        "version": tool.version(),
        "command": shlex.join(tool.words()),
        "machine": machine(),
        "network": network(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    results.save()
    news = len(run.found - results.conforming(tool.name)) if server != CONFORMING else len(run.found)
    remark = run.unreadable or ("interrupted" if run.capped else "")
    print(
        f"{tool.name} {server} {run.seconds:.1f} s, {run.requests} requests, {news} new {remark}", flush=True
    )


def run_once(tool: Tool, server: str, seed: int) -> Run:
    """Run a tool against a fresh server."""
    make = ConformingServer if server == CONFORMING else MUTANTS[server]
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
    """Serve an application, without its tracebacks, and yield the URL."""
    with contextlib.redirect_stderr(io.StringIO()), serving(app) as url:
        yield url


def provision(url: str) -> tuple[str, ...]:
    """Define a variant, post three actions, and return their ids; an id that no action has where none was accepted."""
    call(url, "PUT", DEFINITIONS, DEFINITION)
    answers = [call(url, "POST", f"/v1/ingress/{VARIANT}", WORK) for _ in range(3)]
    ids = []
    for answer in answers:
        with contextlib.suppress(ValueError, TypeError, LookupError):
            ids.append(str(json.loads(answer)["data"]["a_id"]))
    return tuple(one for one in ids if one.isdecimal()) or ("1",)


def call(url: str, method: str, path: str, body: object) -> bytes:
    """Send one request and return the answer's body; nothing where no answer came."""
    headers = {"x-arklow-auth": KEY, "content-type": "application/json"}
    try:
        return ask(url, method, path, body, headers=headers, timeout=10).body
    except (OSError, http.client.HTTPException):
        return b""


def executed(command: list[str], folder: Path, cap: float) -> tuple[int, float, bool]:
    """Run a command in a folder for at most `cap` seconds; exit code, seconds, and whether it was interrupted."""
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
    """Wait `cap` seconds for a process to end by itself; else interrupt it, kill it if it goes on, and return False."""
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
