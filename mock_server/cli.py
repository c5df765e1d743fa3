"""The command `arklow-mock`: flags to settings, sockets, the start-up table. The only place that prints."""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .settings import OVERLAID, PUBLISHED, Settings

if TYPE_CHECKING:
    from .app import Coverage

CONTROL_PORT: Final = 3123
INGRESS_PORT: Final = 3125
HOSTS: Final = ("127.0.0.1", "::1")

USAGE: Final = 2
"""Exit code for wrong flags, a taken port, a document that cannot be served."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["serve"]:
        given = given[1:]
    options = _parser().parse_args(given)
    try:
        keys = _keys(options.key)
        sockets, ports = _listen(options.host or HOSTS, options.port, options.ingress_port)
    except _Unusable as error:
        return _fail(str(error))
    settings = Settings(
        document=options.document or (PUBLISHED if options.document_only else OVERLAID),
        keys=keys,
        auto_define=options.auto_define,
        raw_bodies=options.raw_bodies,
        strict_schemas=options.strict_schemas,
        max_body=round(options.max_body_mib * (1 << 20)),
        max_actions=options.max_actions,
        max_payload_bytes=round(options.max_payload_mib * (1 << 20)),
    )
    from .api.document import BadDocument
    from .app import CannotServe, create_app
    from .serving import serve

    log = _Log()
    try:
        app = create_app(settings, log=log.write)
    except (BadDocument, CannotServe) as error:
        return _fail(f"cannot serve the document: {error}")
    print(_table(app.coverage, settings), flush=True)
    if options.strict_document and not app.coverage.complete:
        return _fail("--strict-document: the document is not wholly served; see the table above")
    hosts = sorted({s.getsockname()[0] for s in sockets})
    print(_addresses(hosts, ports), flush=True)
    try:
        serve(app, sockets)
    except KeyboardInterrupt:
        pass
    finally:
        log.flush()
        app.close()
    return 0


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
    add("--key", action="append", metavar="KEY=ORG", help="another API key (repeatable; default dev-key=1)")
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
    add("--strict-schemas", action="store_true", help="refuse definitions whose schema cannot be enforced")
    document = parser.add_mutually_exclusive_group()
    document.add_argument(
        "--document-only", action="store_true", help="serve the published pages without overlays"
    )
    document.add_argument("--document", type=Path, metavar="FILE", help="serve another OpenAPI 3.1 document")
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
    return parser


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65_535:
        raise argparse.ArgumentTypeError(f"expected 0 to 65535, got {text}")
    return number


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < 1 << 20:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text}")
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1, got {text}")
    return number


class _Unusable(Exception):
    """What was asked for cannot be had; the message says what and why."""


def _keys(given: list[str] | None) -> dict[str, str]:
    keys: dict[str, str] = {}
    for entry in given or ["dev-key=1"]:
        key, equals, organisation = entry.rpartition("=")
        if not (equals and key and organisation.isascii() and organisation.isdecimal()):
            raise _Unusable(f"--key: expected KEY=ORG with ORG in digits, got {entry!r}")
        keys[key] = organisation
    return keys


def _listen(
    hosts: Sequence[str], port: int, ingress_port: int
) -> tuple[list[socket.socket], tuple[int, int]]:
    """Bound sockets for both ports on every host, and the ports they got."""
    sockets: list[socket.socket] = []
    ports = []
    for wanted in (port, ingress_port):
        bound = _bind(hosts, wanted)
        sockets += bound
        ports.append(bound[0].getsockname()[1])
    return sockets, (ports[0], ports[1])


def _bind(hosts: Sequence[str], port: int) -> list[socket.socket]:
    for _ in range(20):
        bound: list[socket.socket] = []
        number = port
        for host in hosts:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            try:
                listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
                if sys.platform != "win32":
                    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                listener.bind((host, number))
                listener.listen(2048)
            except OSError as error:
                if host == "::1" and bound and error.errno not in _TAKEN:
                    continue  # no IPv6 on this machine
                if port == 0 and bound:
                    break  # the free port of one host is taken on another: try again
                for other in bound:
                    other.close()
                raise _Unusable(f"cannot listen on {host} port {number}: {error.strerror or error}") from None
            bound.append(listener)
            number = listener.getsockname()[1]
        else:
            return bound
        for other in bound:
            other.close()
    raise _Unusable("cannot find a port that is free on every host")


def _taken() -> frozenset[int]:
    import errno

    return frozenset({errno.EADDRINUSE, errno.EACCES})


_TAKEN: Final = _taken()


def _table(coverage: Coverage, settings: Settings) -> str:
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
    lines = [f"arklow-mock serves {settings.document.name}"]
    lines += [f"  {method:<6} {path:<{width}}  {how}" for method, path, how in rows]
    lines += [f"  handler without an operation: {name}" for name in coverage.unused]
    lines += [f"  ignored: {what}" for what in coverage.ignored] or ["  ignored keywords and formats: none"]
    return "\n".join(lines)


def _addresses(hosts: Sequence[str], ports: tuple[int, int]) -> str:
    host = "localhost" if set(hosts) == set(HOSTS) else f"[{hosts[0]}]" if ":" in hosts[0] else hosts[0]
    control, ingress = (f"http://{host}:{port}" for port in ports)
    return (
        f"  control plane  {control}   (both ports serve every operation)\n"
        f"  ingress        {ingress}\n"
        f"  API page       {control}/\n"
        f"  API keys       x-arklow-auth: org-42 is organisation 42, made on first use\n"
        f"Ready. Ctrl-C stops."
    )


class _Log:
    """Writes lines to standard output a moment later, many in one go."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def write(self, line: str) -> None:
        if not self._lines:
            asyncio.get_running_loop().call_later(0.02, self.flush)
        self._lines.append(line)

    def flush(self) -> None:
        if not self._lines:
            return
        stamp = time.strftime("%H:%M:%S")
        text = f"{stamp} " + f"\n{stamp} ".join(self._lines) + "\n"
        self._lines.clear()
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError:
            pass  # nobody reads us any more; serving goes on


def _fail(message: str) -> int:
    print(f"arklow-mock: {message}", file=sys.stderr)
    return USAGE
