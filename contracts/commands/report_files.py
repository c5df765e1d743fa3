"""The reports of a run on disk: written aside and then swapped in whole, so that a directory never holds parts of two runs."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from arklow_local.formats import yaml_reader
from arklow_local.formats.files import read_bytes

from ..core.events import RunFinished
from .crash import FILE as CRASH
from .crash import crash_text

MAX_REPORT_MIB: Final = 512
"""MiB of a report that is read: a night with thousands of findings, each with large bodies."""
_NEW: Final = ".reports.new"
"""Where reports are being written."""
_WHOLE: Final = ".reports.whole"
"""Where reports are that are written in whole, and not all in their places yet."""
_INTERPRETATIONS, _TESTS = "interpretations.yaml", "tests"
_GENERATED: Final = re.compile("test_[a-z]+_[0-9]+_[0-9a-f]{6,12}[.]py")
"""Names of generated tests: other files in `tests/` are the user's."""
_UNINTERRUPTED: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""Signals that wait until the files of a run are in their places, which takes milliseconds."""


class Format(Protocol):
    """A module that writes a run in one format."""

    def write(self, run: RunFinished, directory: Path) -> None:
        """Write a run into a directory."""


class ReportFiles:
    """A directory for the reports of one run."""

    def __init__(self, directory: Path, *, interpretations: bool = True) -> None:
        """Use a directory; `interpretations` says whether a run writes those of its target, too."""
        self.directory = directory
        self._interpretations = interpretations
        self.kept = ""
        """What the last run that proved something has left, and this one leaves alone; empty if there is nothing."""
        with suppress(OSError):
            _swap_in(directory)  # what a process left behind that was killed

    def write(self, run: RunFinished) -> str | None:
        """Write the reports of a run, all of them or none; says what could not be written and why, None when all is there."""
        run = replace(run, report_dir=str(self.directory))
        new = self.directory / _NEW
        try:
            shutil.rmtree(new, ignore_errors=True)  # of a process that was killed
            new.mkdir(parents=True)
            for report in _formats(interpretations=self._interpretations):
                report.write(run, new)
            if run.crash:
                (new / CRASH).write_text(crash_text(run.crash, run.secrets), "utf-8", errors="replace")
            (new / _TESTS).mkdir(exist_ok=True)  # tests of earlier runs go, even if this one has none
            self._keep_earlier(run, new)
            with _uninterrupted():
                _swap_in(self.directory)
                new.rename(self.directory / _WHOLE)
                _swap_in(self.directory)
        except OSError as error:
            shutil.rmtree(new, ignore_errors=True)
            return f"{_shown(error, self.directory)}: {error.strerror or error}"
        return None

    @property
    def names(self) -> str:
        """The names of the reports that are there, for a person."""
        return ", ".join(
            name
            for name in _NAMES
            if (self.directory / name).exists() and (name != _TESTS or self._has_tests())
        )

    def _has_tests(self) -> bool:
        return any(self.directory.glob(f"{_TESTS}/test_*.py"))

    def _keep_earlier(self, run: RunFinished, new: Path) -> None:
        """Leave alone what an earlier run has learned of the target, where this one proves nothing."""
        self.kept = ""
        judged = _judged(self.directory / _INTERPRETATIONS)
        if run.exit_code == 3 and judged not in ("", run.started):
            (new / _INTERPRETATIONS).unlink(missing_ok=True)
            shutil.rmtree(new / _TESTS)
            what = f"{_INTERPRETATIONS} and {_TESTS}/" if self._has_tests() else _INTERPRETATIONS
            self.kept = f"{what} of the run of {judged}, as this run proves nothing"


_NAMES: Final = ("report.html", "report.json", "junit.xml", "report.sarif", _INTERPRETATIONS, _TESTS)


def _formats(*, interpretations: bool) -> tuple[Format, ...]:
    from ..reports import (
        generated_tests,
        html,
        interpretations_yaml,
        json_report,
        junit,
        sarif,
    )  # take half a second

    formats: tuple[Format, ...] = (json_report, junit, html, sarif, generated_tests)
    return (*formats, interpretations_yaml) if interpretations else formats


def _judged(file: Path) -> str:
    """Return when the target was judged whose interpretations a file has; empty where there is none."""
    try:
        value = yaml_reader.read(read_bytes(file), file.name).value
    except (OSError, yaml_reader.YamlRefused):
        return ""
    return str(value.get("judged", "")) if isinstance(value, dict) and value.get("interpretations") else ""


def _swap_in(directory: Path) -> None:
    """Put reports in their places that are written in whole; a process that was killed before has left them to the next one.

    Raises:
        OSError: a file cannot be moved.
    """
    whole = directory / _WHOLE
    if not whole.is_dir():
        return
    if not (whole / CRASH).exists():
        (directory / CRASH).unlink(missing_ok=True)
    if (whole / _TESTS).is_dir():
        for old in (directory / _TESTS).glob("test_*.py"):
            if _GENERATED.fullmatch(old.name) and not (whole / _TESTS / old.name).exists():
                old.unlink()
    for file in sorted(whole.rglob("*")):
        if file.is_file():
            place = directory / file.relative_to(whole)
            place.parent.mkdir(exist_ok=True)
            file.replace(place)
    shutil.rmtree(whole)
    with suppress(OSError):  # it has files
        (directory / _TESTS).rmdir()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let signals that would end the process wait."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _UNINTERRUPTED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _shown(error: OSError, directory: Path) -> str:
    """Name the file that could not be written by the place where it was to be."""
    name = os.fspath(error.filename) if isinstance(error.filename, str | os.PathLike) else str(directory)
    return name.replace(f"{_NEW}/", "").replace(f"{_WHOLE}/", "").replace("/.", "/").removesuffix(".new")


__all__ = ["MAX_REPORT_MIB", "Format", "ReportFiles"]
