"""Opens the files of archives: HAR as text, compressed by gzip, or in a zip as Playwright writes it, with bodies beside."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Final

from ..recordings.har import Entry, NotAnArchive, read_archive
from .usage import Usage

_LARGEST: Final = 512
"""MiB of one archive with all bodies beside it: its entries are held in memory together."""
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
"""First bytes of a file of that kind; the second ones are those of a zip without entries."""


class _TooLarge(Exception):
    """More was read of an archive than is held in memory."""


class _Budget:
    """What may still be read of one archive, in bytes, whatever its headers announce."""

    def __init__(self, largest: int) -> None:
        self._left = largest << 20

    def read(self, file: IO[bytes] | gzip.GzipFile) -> bytes:
        """Read a file to its end.

        Raises:
            _TooLarge: it is larger than what is left.
        """
        data = file.read(self._left + 1)
        if len(data) > self._left:
            raise _TooLarge
        self._left -= len(data)
        return data


def entries_of(file: Path, largest: int = _LARGEST) -> list[Entry]:
    """Read the entries of an archive of at most `largest` MiB, unpacked and with all bodies beside it.

    Raises:
        Usage: the file cannot be read, is too large, or is not an archive.
    """
    try:
        return _entries(file, _Budget(largest))
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile):
            raise Usage(f"{file} is not an HTTP Archive: its gzip is broken") from None
        raise Usage(f"{file}: {error.strerror}") from None
    except (EOFError, zlib.error):
        raise Usage(f"{file} is not an HTTP Archive: it is cut, or its compression is broken") from None
    except _TooLarge:
        raise Usage(f"{file} is larger than {largest} MiB: record less, or leave out other hosts") from None
    except NotAnArchive as error:
        raise Usage(str(error)) from None


def _entries(file: Path, budget: _Budget) -> list[Entry]:
    with file.open("rb") as opened:
        first = opened.read(4)
        opened.seek(0)
        if first.startswith(_ZIP):
            return _of_zip(opened, str(file), budget)
        if first.startswith(_GZIP):
            with gzip.GzipFile(fileobj=opened) as inner:
                data = budget.read(inner)
        else:
            data = budget.read(opened)
    return read_archive(data, str(file), _once(lambda name: _beside(file.parent, name, budget)))


def _of_zip(opened: IO[bytes], file: str, budget: _Budget) -> list[Entry]:
    """Read every archive in a zip; bodies are looked for in the zip alone."""
    try:
        with zipfile.ZipFile(opened) as outer:
            names = dict.fromkeys(outer.namelist())
            archives = [name for name in names if name.lower().endswith(".har")]
            if not archives:
                raise NotAnArchive(f"{file} has no file that ends in .har")

            def body(folder: PurePosixPath, name: str) -> bytes | None:
                whole = str(folder / name)
                return _member(outer, whole, budget) if whole in names else None

            found: list[Entry] = []
            for name in archives:
                data = _member(outer, name, budget)
                found += read_archive(
                    data, f"{file}/{name}", _once(partial(body, PurePosixPath(name).parent))
                )
            return found
    except zipfile.BadZipFile:
        raise NotAnArchive(f"{file} is not an HTTP Archive: its zip is broken") from None
    except (NotImplementedError, RuntimeError):  # as zipfile says that it needs a password or a newer method
        raise NotAnArchive(
            f"{file} is encrypted, or compressed in a way that is not read: unpack it"
        ) from None


def _member(outer: zipfile.ZipFile, name: str, budget: _Budget) -> bytes:
    with outer.open(name) as inner:
        return budget.read(inner)


def _beside(folder: Path, name: str, budget: _Budget) -> bytes | None:
    """Read a body that lies beside an archive, in its folder or below; None where there is none.

    Raises:
        NotAnArchive: a link leads out of the folder.
    """
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise NotAnArchive(f"the file {name} beside the archive leads out of its folder")
    if not path.is_file():
        return None
    with path.open("rb") as opened:
        return budget.read(opened)


def _once(read: Callable[[str], bytes | None]) -> Callable[[str], bytes | None]:
    """Return a reader of bodies that reads each of them once: many entries may have the same one."""
    kept: dict[str, bytes | None] = {}

    def body(name: str) -> bytes | None:
        if name not in kept:
            kept[name] = read(name)
        return kept[name]

    return body


__all__ = ["entries_of"]
