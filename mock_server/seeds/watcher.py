"""The seed file while the mock runs: applied at the start, and again whenever it changes."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import traceback
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from arklow_local.formats.excerpts import excerpt

from ..domain.errors import ArklowError
from ..domain.ports import Schemas
from ..domain.seeds import SeedRefused
from ..services.administration import Administration
from .plans import LoadedSeed, load
from .yaml_source import MAX_BYTES, BadSeed

PAUSE: Final = 0.25
"""Seconds between two looks. A changed file is read when two looks found it the same, so half a second after the change."""

_Stamp = tuple[int, int, int] | None
"""(time of the change, size, number) of a file; None for no file. Another stamp is another content."""


class SeedFile:
    """One seed file, applied at the start and after each change.

    After the start a file that cannot be used is a line in the log, and all stays as it was.
    """

    def __init__(
        self,
        path: Path,
        administration: Administration,
        schemas: Schemas,
        *,
        keys: Mapping[str, str],
        list_keys: Callable[[Mapping[str, str]], None],
        strict: bool,
        log: Callable[[str], None],
        pause: float = PAUSE,
    ) -> None:
        """Take a file, which is not read yet.

        Args:
            path: the file.
            administration: applies its plan.
            schemas: applies the schemas of definitions.
            keys: API key → organisation, of keys that belong to one already.
            list_keys: given the keys of the file whenever it is applied.
            strict: whether all schemas have to be enforceable.
            log: given a line about each change.
            pause: seconds between two looks at the file.
        """
        self._path = path
        self._administration = administration
        self._schemas = schemas
        self._keys = keys
        self._list_keys = list_keys
        self._strict = strict
        self._log = log
        self._pause = pause
        self._loaded: LoadedSeed | None = None
        """What was read and is not applied yet."""
        self._data: bytes | None = None
        """What was read last; None after a failure, so that the same content is read again."""
        self._stamp: _Stamp = None
        """The stamp of what was read last."""

    async def read(self) -> None:
        """Read the file, to be applied at the start.

        Raises:
            BadSeed: it cannot be read, or used.
        """
        stamp = self._look()
        try:
            data = await asyncio.to_thread(_bytes, self._path)
        except OSError as error:
            raise BadSeed(
                f"{self._path}: expected a file that can be read, got none ({error.strerror})"
            ) from None
        self._stamp, self._data = stamp, data
        self._loaded = await load(
            data, self._path.name, schemas=self._schemas, keys=self._keys, strict=self._strict
        )

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """Apply the file, and follow its changes while the block runs. It is read first unless it was.

        Raises:
            BadSeed: it cannot be read, or used.
        """
        if self._loaded is None:
            await self.read()
        await self._apply()
        task = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _apply(self) -> list[str]:
        """Apply what was read. Return the ids of the organisations in use that changed."""
        assert self._loaded is not None
        source, plan = self._loaded
        self._loaded = None  # it is large, as it holds the line of every value
        try:
            return await self._administration.apply_seed_plan(plan, lambda: self._list_keys(plan.keys))
        except SeedRefused as error:
            raise source.bad(error) from None

    async def _follow(self) -> None:
        seen = self._stamp
        while True:
            await asyncio.sleep(self._pause)
            stamp = self._look()
            if stamp == seen != self._stamp:
                await self._reload(stamp)
            seen = stamp

    async def _reload(self, stamp: _Stamp) -> None:
        """Apply a file that has changed, if its content has."""
        if stamp is None:
            self._stamp = None
            self._say(f"{self._path.name}: expected the file, got none; all stays as it is")
            return
        before = self._data
        try:
            self._stamp = stamp
            await self.read()
            if self._data == before:
                return
            changed = await self._apply()
        except BadSeed as error:
            self._data = None  # when the same is saved again, the log says so again
            self._say(f"{error}; all stays as it was")
        except ArklowError as error:
            self._say(f"{self._path.name} applied, but for a clock: {error.message}")
        except Exception:
            self._say(f"{self._path.name}: the mock failed to apply it; this is its own fault")
            self._log(traceback.format_exc())
        else:
            self._say(f"{self._path.name} applied; organisations in use that changed: {len(changed)}")

    def _look(self) -> _Stamp:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _say(self, text: str) -> None:
        self._log(excerpt(f"seed  {text}", 1_000))


def _bytes(path: Path) -> bytes:
    """Read a file, but not much more of it than a seed may have.

    Raises:
        OSError: it cannot be read, or is no regular file: a pipe might be waited for without end.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no regular file")
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)
