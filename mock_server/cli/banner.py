"""What `arklow-mock` prints when it starts."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from .flags import HOSTS

if TYPE_CHECKING:
    from ..api.coverage import Coverage


_TOLD: Final = 3
"""Sentences about overlays at the start; `arklow-contracts spec status` says all."""


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


__all__ = []
