"""The command `arklow-mock`: flags to settings, sockets, the start-up table. The only place that prints."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from ..adapters.parent_process import CannotWrite, Parent, ReadyFile
from ..domain.interpretations import USUAL
from ..settings import (
    OVERLAID,
    PUBLISHED,
    Admin,
    Settings,
)
from .banner import _addresses, _facts, _short, _table
from .flags import HOSTS, _export_parser, _parser
from .request_log import _Log

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
    if options.interpretations is not None:
        from ..seeds.interpretations_file import BadInterpretations, load

        try:
            taken = load(options.interpretations)
        except BadInterpretations as error:
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
        interpretations=USUAL if taken is None else taken.interpretations,
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
                plane = Plane(admin, app.administration, app.faults, admin_settings, log.write)
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


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # a full or closed output is no reason not to serve
        print(text, flush=True)


def _fail(message: str) -> int:
    print(f"arklow-mock: {message}", file=sys.stderr)
    return USAGE
