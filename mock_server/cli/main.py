"""The command `arklow-mock`: flags to settings, sockets, the start-up table. The only place that prints."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ipaddress
import os
import queue
import re
import secrets
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..adapters.parent_process import CannotWrite, Parent, ReadyFile
from ..domain.interpretations import USUAL
from ..settings import (
    OVERLAID,
    PUBLISHED,
    Admin,
    Settings,
)

if TYPE_CHECKING:
    from ..app import Coverage

CONTROL_PORT: Final = 3123
ADMIN_PORT: Final = 3124
INGRESS_PORT: Final = 3125
HOSTS: Final = ("127.0.0.1", "::1")

_TOLD: Final = 3
"""Sentences about overlays at the start; `arklow-contracts spec status` says all."""
_EXPECTED: Final = {
    "--document": "Is a directory: expected a file; --spec-dir takes a directory of pages",
    "--spec-dir": "expected a directory of pages; --document takes a file",
}

USAGE: Final = 2
"""Exit code for wrong flags, a taken port, a document that cannot be served."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parent = Parent()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["serve"]:
        given = given[1:]
    try:
        if sys.stdout is None:  # started with its output closed
            sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 open to the end
        if given[:1] == ["export"]:
            return _export(_export_parser().parse_args(given[1:]))
        return _run(_parser().parse_args(given), parent)
    except KeyboardInterrupt:
        return 0


def _run(options: argparse.Namespace, parent: Parent) -> int:
    taken = None
    if options.readings is not None:
        from ..seeds.interpretations_file import BadReadings, load

        try:
            taken = load(options.readings)
        except BadReadings as error:
            return _fail(str(error))
        switches = {"--auto-define": options.auto_define, "--raw-bodies": options.raw_bodies}
        for flag in [flag for flag, is_on in switches.items() if is_on]:
            if contradiction := taken.against(flag):
                return _fail(contradiction)
    for flag, given, usable in (
        ("--document", options.document, lambda path: not path.is_dir()),
        ("--spec-dir", options.spec_dir, Path.is_dir),
    ):
        if given is not None and not usable(given):
            return _fail(f"{flag} {given}: " + _EXPECTED[flag])
    settings = Settings(
        document=options.document or options.spec_dir or (PUBLISHED if options.document_only else OVERLAID),
        keys={"dev-key": "1"} | dict(options.key),
        auto_define=options.auto_define,
        raw_bodies=options.raw_bodies,
        readings=USUAL if taken is None else taken.readings,
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
    token = options.admin_token or secrets.token_urlsafe(24)
    admin_settings = Admin(token, frozenset(options.admin_name), frozenset(options.admin_origin))
    from ..adapters.http_server import CannotListen, listen, serve
    from ..admin.plane import Plane
    from ..api.document import BadDocument
    from ..app import CannotServe, create_app

    log = _Log()
    try:
        ready = ReadyFile(options.ready_file) if options.ready_file else None
        control = listen(options.host or HOSTS, options.port)
        ingress = listen(options.host or HOSTS, options.ingress_port)
        admin = [] if options.no_admin else listen(options.admin_host or HOSTS, options.admin_port)
        app = create_app(settings, log=log.write)
    except (CannotListen, CannotWrite) as error:
        return _fail(str(error))
    except (BadDocument, CannotServe) as error:
        return _fail(f"cannot serve the document: {error}")
    if settings.seed_file is not None:
        from ..seeds.yaml_source import BadSeed

        try:
            asyncio.run(app.read_seed())
        except BadSeed as error:
            app.close()
            return _fail(str(error))
    _say(_table(app.coverage))
    if taken is not None:
        _say(f"  {taken.told()}")
    if options.strict_document and not app.coverage.complete:
        return _fail("--strict-document: the document is not wholly served; see the table above")
    _say(_addresses(control, ingress, admin, "" if options.admin_token else token))
    headers = [("x-arklow-mock-document", _short(app.coverage))]

    @contextlib.contextmanager
    def beside(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        def tell(line: str) -> None:
            loop.call_soon_threadsafe(log.write, line)

        with contextlib.ExitStack() as stack:
            if admin:
                plane = Plane(admin, app.steering, app.troubles, admin_settings, log.write)
                stack.enter_context(plane.beside(loop))
            if ready is not None:
                stack.enter_context(ready.standing(_facts(control, ingress, admin, token)))
            if options.exit_with_parent:
                stack.enter_context(parent.watched(tell))
            yield

    try:
        serve(app, [*control, *ingress], beside, app.running, headers)
    except CannotWrite as error:
        return _fail(str(error))
    finally:
        log.close()
        app.close()
    return 0


def _export(options: argparse.Namespace) -> int:
    from ..seeds.export_client import (
        CannotExport,
        fetch,
        save,
        shown,
    )

    if not options.admin_token:
        return _fail("expected the admin plane's token in --admin-token or $ARKLOW_ADMIN_TOKEN, got none")
    try:
        seed = fetch(options.admin_url, options.admin_token, options.organisation)
        if options.output is None:
            sys.stdout.buffer.write(shown(seed).encode())
        else:
            save(seed, options.output)
    except CannotExport as error:
        return _fail(str(error))
    return 0


def _export_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="arklow-mock export",
        description="Write the organisations of a running mock as a seed file, from which another goes on.",
    )
    add = parser.add_argument
    add(
        "--admin-url",
        default=f"http://localhost:{ADMIN_PORT}",
        metavar="URL",
        help="the admin plane of the mock (default %(default)s)",
    )
    add(
        "--admin-token",
        type=_token,
        default=os.environ.get("ARKLOW_ADMIN_TOKEN") or None,
        metavar="TEXT",
        help="its token (default $ARKLOW_ADMIN_TOKEN)",
    )
    add(
        "--organisation",
        action="append",
        default=[],
        type=_organisation,
        metavar="ID",
        help="this organisation alone (repeatable; default all that were used)",
    )
    add("-o", "--output", type=Path, metavar="FILE", help="where to (default standard output)")
    return parser


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="arklow-mock",
        description="A local Arklow: the published API served over a stateful in-memory world.",
        epilog="API keys: org-<digits>, or org-<digits>- and eight of [a-z0-9], belongs to that organisation.",
    )
    add = parser.add_argument
    add("--port", type=_port, default=CONTROL_PORT, help="control plane (default %(default)s; 0: a free one)")
    add(
        "--ingress-port",
        type=_port,
        default=INGRESS_PORT,
        help="ingress (default %(default)s; 0: a free one)",
    )
    add(
        "--host",
        action="append",
        metavar="ADDRESS",
        help="listen here (repeatable; default 127.0.0.1 and ::1)",
    )
    plane = parser.add_mutually_exclusive_group()
    plane.add_argument(
        "--admin-port",
        type=_port,
        default=ADMIN_PORT,
        help="admin plane (default %(default)s; 0: a free one)",
    )
    plane.add_argument("--no-admin", action="store_true", help="no admin plane")
    add(
        "--admin-host",
        action="append",
        metavar="ADDRESS",
        help="listen here for the admin plane (repeatable; default 127.0.0.1 and ::1)",
    )
    add(
        "--admin-token",
        type=_token,
        default=os.environ.get("ARKLOW_ADMIN_TOKEN") or None,
        metavar="TEXT",
        help="the admin plane's token (default $ARKLOW_ADMIN_TOKEN, or a random one that is printed)",
    )
    add(
        "--admin-name",
        action="append",
        default=[],
        metavar="NAME",
        help="another name of this machine that the admin plane answers to (repeatable)",
    )
    add(
        "--admin-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="a browser page of this origin may call the admin plane (repeatable; default none)",
    )
    add(
        "--key",
        action="append",
        default=[],
        type=_key,
        metavar="KEY=ORG",
        help="another API key (repeatable; dev-key=1 is always there)",
    )
    add(
        "--auto-define",
        action="store_true",
        help="an unknown variant gets an open definition instead of a 400",
    )
    add(
        "--raw-bodies",
        action="store_true",
        help="a body without a payload member is the payload (the guides' reading)",
    )
    add(
        "--readings",
        type=Path,
        metavar="FILE",
        help="imitate the deployment that a judge wrote this file of, where the documentation leaves things open",
    )
    add("--strict-schemas", action="store_true", help="refuse definitions whose schema cannot be enforced")
    document = parser.add_mutually_exclusive_group()
    document.add_argument(
        "--document-only", action="store_true", help="serve the published pages without overlays"
    )
    document.add_argument("--document", type=Path, metavar="FILE", help="serve another OpenAPI 3.1 document")
    document.add_argument(
        "--spec-dir",
        type=Path,
        metavar="DIR",
        help="serve the pages of a directory, with our overlays and its own (overlays/*.overlay.yaml)",
    )
    add(
        "--strict-document",
        action="store_true",
        help="refuse to start when a part of the document is not served",
    )
    add("--max-body-mib", type=_positive, default=10.0, metavar="N", help="largest request body (default 10)")
    add("--max-actions", type=_count, default=100_000, metavar="N", help="actions kept (default %(default)s)")
    add(
        "--max-payload-mib",
        type=_positive,
        default=512.0,
        metavar="N",
        help="payload bytes kept (default 512)",
    )
    add(
        "--journal",
        type=_length,
        default=2_000,
        metavar="N",
        help="journal entries kept of each organisation",
    )
    add(
        "--seed",
        type=_length,
        default=0,
        metavar="N",
        help="what ids and back-offs are made from (default 0)",
    )
    add(
        "--seed-file",
        type=Path,
        metavar="FILE",
        help="what organisations begin with; read again when it changes (arklow-mock export writes one)",
    )
    add(
        "--deliver-to",
        action="append",
        default=[],
        type=_host,
        metavar="HOST",
        help="webhooks of this host may be called too (repeatable; default this machine alone)",
    )
    add(
        "--delivery-limit",
        type=_limit,
        default=5.0,
        metavar="SECONDS",
        help="for the whole answer of a webhook (default 5; at most 50)",
    )
    add(
        "--ready-file",
        type=Path,
        metavar="FILE",
        help="written when all ports answer, removed at the end: JSON with the addresses and the admin token",
    )
    add(
        "--exit-with-parent",
        action="store_true",
        help="end when the process that started this one does, or when standard input ends, if that is a pipe",
    )
    return parser


def _port(text: str) -> int:
    return _integer(text, 0, 65_535)


def _count(text: str) -> int:
    return _integer(text, 1, (1 << 31) - 1)


def _length(text: str) -> int:
    return _integer(text, 0, (1 << 31) - 1)


def _integer(text: str, least: int, most: int) -> int:
    if not (re.fullmatch("[0-9]{1,10}", text) and least <= int(text) <= most):
        raise argparse.ArgumentTypeError(f"expected a number from {least} to {most}, got {text!r}")
    return int(text)


def _positive(text: str) -> float:
    if not (re.fullmatch(r"[0-9]{1,7}(\.[0-9]*)?|\.[0-9]+", text) and 0 < float(text) < 1 << 20):
        raise argparse.ArgumentTypeError(f"expected a number above 0 and below {1 << 20}, got {text!r}")
    return float(text)


def _host(text: str) -> str:
    try:
        address = ":" in text and ipaddress.ip_address(text)
    except ValueError:
        address = False
    if not address and not re.fullmatch(r"[\w-]+(\.[\w-]+)*\.?", text):
        raise argparse.ArgumentTypeError(f"expected a host's name or address without port, got {text!r}")
    return text


def _limit(text: str) -> float:
    if not (re.fullmatch(r"[0-9]{1,2}(\.[0-9]*)?|\.[0-9]+", text) and 0 < float(text) <= 50):
        raise argparse.ArgumentTypeError(f"expected seconds above 0 and up to 50, got {text!r}")
    return float(text)


def _key(text: str) -> tuple[str, str]:
    key, equals, organisation = text.rpartition("=")
    if not (equals and key and re.fullmatch("[0-9]{1,19}", organisation)):
        raise argparse.ArgumentTypeError(f"expected KEY=ORG with ORG in 1 to 19 digits, got {text!r}")
    return key, organisation


def _organisation(text: str) -> str:
    if not re.fullmatch("[0-9]{1,19}", text):
        raise argparse.ArgumentTypeError(f"expected an organisation's id of 1 to 19 digits, got {text!r}")
    return text


def _token(text: str) -> str:
    if not re.fullmatch(r"[!-~]+", text):
        raise argparse.ArgumentTypeError(
            "expected visible ASCII characters without blanks (in ARKLOW_ADMIN_TOKEN too), got something else"
        )
    return text


def _short(coverage: Coverage) -> str:
    return f"sha256-{coverage.digest[:12]}"


def _table(coverage: Coverage) -> str:
    rows = [
        (
            operation.method.upper(),
            operation.path,
            "stub: schema-valid, marked by x-arklow-mock-stub"
            if operation.id in coverage.stubs
            else "handled",
        )
        for operation in coverage.operations
    ]
    width = max((len(path) for _, path, _ in rows), default=0)
    lines = [f"arklow-mock serves {coverage.document}  {_short(coverage)}"]
    lines += [f"  {method:<6} {path:<{width}}  {how}" for method, path, how in rows]
    lines += [f"  handler without an operation: {name}" for name in coverage.unused]
    if coverage.left_out:
        more = len(coverage.left_out) - _TOLD
        lines.append(
            f"  left out of our overlays: {'; '.join(coverage.left_out[:_TOLD])}"
            + f"; and {more} more" * (more > 0)
        )
    lines += [f"  ignored: {what}" for what in coverage.ignored] or ["  ignored keywords and formats: none"]
    return "\n".join(lines)


def _addresses(
    control: Sequence[socket.socket],
    ingress: Sequence[socket.socket],
    admin: Sequence[socket.socket],
    token: str,
) -> str:
    lines = [
        f"  control plane  {_url(control)}   (both ports serve every operation)",
        f"  ingress        {_url(ingress)}",
        f"  API page       {_url(control)}/",
    ]
    if admin:
        lines.append(
            f"  admin          {_url(admin)}   Authorization: Bearer {token or 'and the token given'}"
        )
    return "\n".join(
        [
            *lines,
            "  API keys       org-42 is organisation 42, made on first use; dev-key is organisation 1",
            "Ready. Ctrl-C stops.",
        ]
    )


def _facts(
    control: Sequence[socket.socket],
    ingress: Sequence[socket.socket],
    admin: Sequence[socket.socket],
    token: str,
) -> dict[str, object]:
    """What the ready file has; null where there is no admin plane."""
    return {
        "pid": os.getpid(),
        "base_url": _url(control),
        "ingress_url": _url(ingress),
        "admin_url": _url(admin) if admin else None,
        "admin_token": token if admin else None,
        "document": f"{_url(control)}/openapi.json",
    }


def _url(listeners: Sequence[socket.socket]) -> str:
    hosts = {listener.getsockname()[0] for listener in listeners}
    first, port = listeners[0].getsockname()[:2]
    host = "localhost" if hosts <= set(HOSTS) else f"[{first}]" if ":" in first else first
    return f"http://{host}:{port}"


class _Log:
    """Writes lines to standard output a moment later, many in one go; refusals in red on a terminal.

    A thread of its own writes, so that a reader that stops reading stops nobody but the log: what it does not
    take in time is dropped and counted.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._descriptor = sys.stdout.fileno()
        self._coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._texts: queue.Queue[str | None] = queue.Queue(maxsize=500)
        self._lost = 0
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._writer.start()

    def write(self, line: str) -> None:
        """Take a line; call on the event loop."""
        if not self._lines:
            asyncio.get_running_loop().call_later(0.02, self._hand_over)
        self._lines.append(f"\x1b[31m{line}\x1b[0m" if self._coloured and line[0] in "45-" else line)

    def close(self) -> None:
        """Hand over what is left and wait a second for the writer at most."""
        self._hand_over()
        with contextlib.suppress(queue.Full):
            self._texts.put_nowait(None)
            self._writer.join(1)

    def _hand_over(self) -> None:
        if not self._lines:
            return
        stamp = time.strftime("%H:%M:%S")
        text = f"{stamp} " + f"\n{stamp} ".join(self._lines) + "\n"
        if self._lost:
            text = f"{stamp} {self._lost} lines were lost: nobody read them\n{text}"
        try:
            self._texts.put_nowait(text)
            self._lost = 0
        except queue.Full:
            self._lost += len(self._lines)
        self._lines.clear()

    def _write(self) -> None:
        # not through sys.stdout, whose lock a blocked write would hold while the process ends
        with contextlib.suppress(OSError):  # nobody reads us any more; serving goes on
            while (text := self._texts.get()) is not None:
                data = text.encode()
                while data:
                    data = data[os.write(self._descriptor, data) :]


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # a full or closed output is no reason not to serve
        print(text, flush=True)


def _fail(message: str) -> int:
    print(f"arklow-mock: {message}", file=sys.stderr)
    return USAGE
