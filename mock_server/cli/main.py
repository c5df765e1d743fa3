"""How `arklow-mock` starts and ends: flags to settings, sockets, exit codes. Only this module prints."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TextIO

from arklow_local.formats.excerpts import inert, one_line

from ..adapters.parent_process import CannotWrite, ParentProcess, ReadyFile
from ..domain.interpretations import DEFAULTS
from ..settings import OVERLAID, PUBLISHED, AdminSettings, Settings
from . import banner, flags
from .request_log import RequestLog

if TYPE_CHECKING:
    from ..adapters.http_server import Serve
    from ..app import Application
    from ..seeds.interpretations_file import LoadedInterpretations

EXIT_FAILED: Final = 2
"""The exit code for a port in use and for files that cannot be used; argparse has the same for wrong flags."""


class _CommandFailed(Exception):
    """The command ends with exit code 2; the message says why."""


class _Outside(NamedTuple):
    """What the command meets outside of itself."""

    parent: ParentProcess
    output: TextIO
    serve: Serve | None

    def say(self, text: str) -> None:
        """Print a text of several lines; a full or closed output is no reason not to serve."""
        with contextlib.suppress(OSError):
            print(text, file=self.output, flush=True)

    def write(self, data: bytes) -> None:
        """Write what the command is there to write.

        Raises:
            _CommandFailed: the output cannot be written.
        """
        try:
            self.output.flush()
            self.output.buffer.write(data)
            self.output.buffer.flush()
        except OSError as error:
            with contextlib.suppress(OSError):  # of an output without a file
                os.dup2(os.open(os.devnull, os.O_WRONLY), self.output.fileno())  # or its end fails once more
            raise _CommandFailed(f"standard output: {error.strerror}") from None


def main(
    arguments: Sequence[str] | None = None,
    *,
    output: TextIO | None = None,
    errors: TextIO | None = None,
    serve: Serve | None = None,
) -> int:
    """Run the command, and return its exit code.

    Args:
        arguments: what follows the command's name; those of the process unless given.
        output: a file with a descriptor, for the banner and the log; the process's standard output unless given.
        errors: for the sentence that says why the command failed; the process's standard error unless given.
        serve: serves until something ends it; as the one purpose of this process, until a signal, unless given.
    """
    parent = ParentProcess()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["serve"]:
        given = given[1:]
    try:
        if sys.stdout is None:  # the process was started with its output closed
            sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 open to the end
        outside = _Outside(parent, output or sys.stdout, serve)
        if given[:1] == ["export"]:
            return _export(flags.export_parser().parse_args(given[1:]), outside)
        return _serve(flags.parser().parse_args(given), outside)
    except _CommandFailed as error:
        print(f"arklow-mock: {inert(str(error))}", file=errors or sys.stderr, flush=True)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return 0


def _serve(options: argparse.Namespace, outside: _Outside) -> int:
    """Serve until a signal or the parent's end.

    Raises:
        _CommandFailed: a flag, a file or a port cannot be used.
    """
    loaded = _interpretations(options)
    settings = _settings(options, loaded)
    with contextlib.ExitStack() as stack:
        log = RequestLog(outside.output)
        stack.callback(log.close)
        ready, listeners, app = _prepare(options, settings, log, stack)
        _read_seed(app)
        outside.say(banner.coverage_table(app.coverage))
        if loaded is not None:
            outside.say(f"  {loaded.summary()}")
        if options.strict_document and not app.coverage.complete:
            raise _CommandFailed("--strict-document: the document is not wholly served; see the table above")
        _run(options, app, listeners, ready, log, outside)
    return 0


def _interpretations(options: argparse.Namespace) -> LoadedInterpretations | None:
    """The file of `--interpretations`, None without the flag."""
    if options.interpretations is None:
        return None
    from ..seeds.interpretations_file import BadInterpretations, load

    try:
        loaded = load(options.interpretations)
    except BadInterpretations as error:
        raise _CommandFailed(str(error)) from None
    switches = {"--auto-define": options.auto_define, "--raw-bodies": options.raw_bodies}
    for flag in [flag for flag, is_on in switches.items() if is_on]:
        if contradiction := loaded.contradiction(flag):
            raise _CommandFailed(contradiction)
    return loaded


def _settings(options: argparse.Namespace, loaded: LoadedInterpretations | None) -> Settings:
    if options.document is not None and options.document.is_dir():
        raise _CommandFailed(
            f"--document {options.document}: Is a directory: expected a file; --spec-dir takes a directory of pages"
        )
    if options.spec_dir is not None and not options.spec_dir.is_dir():
        raise _CommandFailed(
            f"--spec-dir {options.spec_dir}: expected a directory of pages; --document takes a file"
        )
    published: Path = PUBLISHED if options.document_only else OVERLAID
    return Settings(
        document=options.document or options.spec_dir or published,
        keys={"dev-key": "1"} | dict(options.key),
        auto_define=options.auto_define,
        raw_bodies=options.raw_bodies,
        interpretations=DEFAULTS if loaded is None else loaded.interpretations,
        strict_schemas=options.strict_schemas,
        max_body=round(options.max_body_mib * (1 << 20)),
        max_actions=options.max_actions,
        max_payload_bytes=round(options.max_payload_mib * (1 << 20)),
        journal=options.journal,
        seed=options.seed,
        deliver_to=frozenset(options.deliver_to),
        delivery_limit=options.delivery_limit,
        seed_file=options.seed_file,
    )


def _prepare(
    options: argparse.Namespace, settings: Settings, log: RequestLog, stack: contextlib.ExitStack
) -> tuple[ReadyFile | None, banner.Listeners, Application]:
    """Take what may fail, before anything is printed: the ready file, the ports and the document.

    The end of `stack` gives back what was taken.
    """
    from ..adapters.http_server import (
        CannotListen,
        listen,
    )  # the slow imports, which wrong flags need not wait for
    from ..api.document import BadDocument
    from ..app import CannotServe, create_app

    def listening(hosts: Sequence[str], port: int) -> banner.Sockets:
        return [stack.enter_context(listener) for listener in listen(hosts or flags.HOSTS, port)]

    try:
        ready = ReadyFile(options.ready_file) if options.ready_file else None
        listeners = banner.Listeners(
            control=listening(options.host, options.port),
            ingress=listening(options.host, options.ingress_port),
            admin=[] if options.no_admin else listening(options.admin_host, options.admin_port),
        )
        app = create_app(settings, log=log.write)
        stack.callback(app.close)
        return ready, listeners, app
    except (CannotListen, CannotWrite) as error:
        raise _CommandFailed(str(error)) from None
    except (BadDocument, CannotServe) as error:
        raise _CommandFailed(f"cannot serve the document: {error}") from None
    except Exception as error:
        if options.document is None and options.spec_dir is None:
            raise  # the document is ours, and so is the defect
        raise _CommandFailed(
            f"cannot serve the document: {type(error).__name__}: {one_line(str(error))}"
        ) from None


def _read_seed(app: Application) -> None:
    if not app.has_seed_file:
        return
    from ..seeds.yaml_source import BadSeed

    try:
        asyncio.run(app.read_seed())
    except BadSeed as error:
        raise _CommandFailed(str(error)) from None


def _run(
    options: argparse.Namespace,
    app: Application,
    listeners: banner.Listeners,
    ready: ReadyFile | None,
    log: RequestLog,
    outside: _Outside,
) -> None:
    """Print the addresses and serve on them."""
    from ..adapters import http_server
    from ..admin.plane import AdminPlane

    token = options.admin_token or secrets.token_hex(24)  # no sign that a command line takes for a flag
    admin = AdminSettings(token, frozenset(options.admin_name), frozenset(options.admin_origin))
    outside.say(banner.addresses(listeners, "" if options.admin_token else token))

    @contextlib.contextmanager
    def beside(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            if listeners.admin:
                plane = AdminPlane(listeners.admin, app.administration, app.faults, admin, log.write)
                stack.enter_context(plane.serving(loop))
            if ready is not None:
                stack.enter_context(ready.present(banner.ready_facts(listeners, token)))
            if options.exit_with_parent:
                stack.enter_context(outside.parent.watched(_from_other_threads(log, loop)))
            yield

    headers = [("x-arklow-mock-document", banner.short_digest(app.coverage))]
    try:
        serve = outside.serve or http_server.serve
        serve(app, [*listeners.control, *listeners.ingress], beside, app.running, headers)
    except CannotWrite as error:
        raise _CommandFailed(str(error)) from None


def _from_other_threads(log: RequestLog, loop: asyncio.AbstractEventLoop) -> Callable[[str], None]:
    """What writes a line of the log from any thread."""

    def write(line: str) -> None:
        loop.call_soon_threadsafe(log.write, line)

    return write


def _export(options: argparse.Namespace, outside: _Outside) -> int:
    """Write the seed file that a running mock makes.

    Raises:
        _CommandFailed: the mock does not answer, or the file cannot be written.
    """
    from ..seeds.export_client import CannotExport, fetch, save, to_yaml

    if not options.admin_token:
        raise _CommandFailed(
            "expected the admin plane's token in --admin-token or $ARKLOW_ADMIN_TOKEN, got none"
        )
    try:
        seed = fetch(options.admin_url, options.admin_token, options.organisation)
        if options.output is None:
            outside.write(to_yaml(seed).encode())
        else:
            save(seed, options.output)
    except CannotExport as error:
        raise _CommandFailed(str(error)) from None
    return 0


__all__ = ["EXIT_FAILED", "main"]
