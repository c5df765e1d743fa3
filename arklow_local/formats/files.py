"""Files read within bounds: what has no end, such as a device, is refused before it fills the memory."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Final

MAX_MIB: Final = 64
"""MiB of a file that a person writes: a seed of some hundred thousand actions."""


def read_bytes(file: Path, max_mib: int = MAX_MIB) -> bytes:
    """Read a file of at most `max_mib` MiB.

    Raises:
        OSError: it cannot be read, or is larger; `strerror` says so.
    """
    most = max_mib << 20
    with file.open("rb") as opened:
        data = opened.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"expected at most {max_mib} MiB, got more", str(file))
    return data


__all__ = ["MAX_MIB", "read_bytes"]
