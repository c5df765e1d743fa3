"""The flags of `arklow-mock`."""

from __future__ import annotations

import argparse
import ipaddress
import os
import re
from pathlib import Path
from typing import Final

CONTROL_PORT: Final = 3123


ADMIN_PORT: Final = 3124


INGRESS_PORT: Final = 3125


HOSTS: Final = ("127.0.0.1", "::1")


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
        help="a body without a payload member is the payload (the guides' interpretation)",
    )
    add(
        "--interpretations",
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


__all__ = ["ADMIN_PORT", "CONTROL_PORT", "HOSTS", "INGRESS_PORT"]
