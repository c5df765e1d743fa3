"""What `arklow-mock` says when it starts: to a person on the screen, to a program in the ready file."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from arklow_local.formats.excerpts import excerpt, inert

from .flags import HOSTS

if TYPE_CHECKING:
    from ..api.coverage import Coverage

_LEFT_OUT_SHOWN: Final = 3
"""Sentences about overlays that are printed; `arklow-contracts spec status` prints all."""


_LONGEST_PATH: Final = 120
"""Characters of a path that are printed: a document of others may have any."""

Sockets = Sequence[socket.socket]
"""Listening sockets of one part, which share a port."""


class Listeners(NamedTuple):
    """The listening sockets of each part."""

    control: Sockets
    ingress: Sockets
    admin: Sockets
    """Empty without an admin plane."""


def short_digest(coverage: Coverage) -> str:
    """Return the first twelve digits of the document's SHA-256, as the header `x-arklow-mock-document` has them."""
    return f"sha256-{coverage.digest[:12]}"


def coverage_table(coverage: Coverage) -> str:
    """Return the lines that say which operations are served and how, and what of the document is ignored."""
    rows = [
        (
            operation.method.upper(),
            excerpt(operation.path, _LONGEST_PATH),
            "stub: schema-valid, marked by x-arklow-mock-stub"
            if operation.id in coverage.stubs
            else "handled",
        )
        for operation in coverage.operations
    ]
    width = max((len(path) for _, path, _ in rows), default=0)
    lines = [f"arklow-mock serves {inert(coverage.document)}  {short_digest(coverage)}"]
    lines += [f"  {method:<6} {path:<{width}}  {how}" for method, path, how in rows]
    lines += [f"  handler without an operation: {inert(name)}" for name in coverage.unused]
    if coverage.left_out:
        more = len(coverage.left_out) - _LEFT_OUT_SHOWN
        lines.append(
            f"  left out of our overlays: {inert('; '.join(coverage.left_out[:_LEFT_OUT_SHOWN]))}"
            + f"; and {more} more" * (more > 0)
        )
    lines += [f"  ignored: {inert(what)}" for what in coverage.ignored] or [
        "  ignored keywords and formats: none"
    ]
    return "\n".join(lines)


def addresses(listeners: Listeners, token: str) -> str:
    """Return the lines that say where to call and with which keys; an empty `token` is one that the user gave."""
    control = _url(listeners.control)
    lines = [
        f"  control plane  {control}   (both ports serve every operation)",
        f"  ingress        {_url(listeners.ingress)}",
        f"  API page       {control}/",
    ]
    if listeners.admin:
        bearer = token or "and the token given"
        lines.append(f"  admin          {_url(listeners.admin)}   Authorization: Bearer {bearer}")
    lines += [
        "  API keys       org-42 is organisation 42, made on first use; dev-key is organisation 1",
        "Ready. Ctrl-C stops.",
    ]
    return "\n".join(lines)


def ready_facts(listeners: Listeners, token: str) -> dict[str, object]:
    """Return the members of the ready file, name → value; those of the admin plane are None without one."""
    control = _url(listeners.control)
    return {
        "pid": os.getpid(),
        "base_url": control,
        "ingress_url": _url(listeners.ingress),
        "admin_url": _url(listeners.admin) if listeners.admin else None,
        "admin_token": token if listeners.admin else None,
        "document": f"{control}/openapi.json",
    }


def _url(sockets: Sockets) -> str:
    hosts = {listener.getsockname()[0] for listener in sockets}
    first, port = sockets[0].getsockname()[:2]
    host = "localhost" if hosts <= set(HOSTS) else f"[{first}]" if ":" in first else first
    return f"http://{host}:{port}"


__all__ = ["Listeners", "Sockets", "addresses", "coverage_table", "ready_facts", "short_digest"]
