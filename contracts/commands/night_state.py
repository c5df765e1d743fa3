"""The state of a night on disk: written while the night goes on, so that its reports can be read and it can be resumed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from arklow_local.formats import strict_json
from arklow_local.formats.files import read_bytes

from ..core.events import (
    Checkpoint,
    CrossChecked,
    Event,
    Progress,
    RunFinished,
)
from ..core.serialization import finding_from
from ..core.target import Target
from ..reports.json_report import report_data, write_atomically
from .report_files import MAX_REPORT_MIB
from .usage import Usage

NIGHT = "night.json"
_REPORT_EVERY = 10.0
"""Seconds of the run between two reports, which take longer to write than the state; the state is written at every event."""


class NightRecorder:
    """Listens to a run, and writes its state and reports into a directory; where it cannot, the night goes on."""

    def __init__(
        self,
        directory: Path,
        write: Callable[[RunFinished], str | None],
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Record a night.

        Args:
            directory: where the state is written.
            write: writes the reports, and says what could not be written and why.
            say: prints a sentence, as soon as something cannot be written, and when it can be again.
        """
        self._directory = directory
        self._write = write
        self._say = say
        self._written = -math.inf
        self._problem: str | None = None

    def __call__(self, event: Event) -> None:
        """Write the state that a checkpoint has, and the reports if the last ones are old."""
        if not isinstance(event, Checkpoint):
            return
        problem = self._write_state(event)
        if event.run.seconds > self._written + _REPORT_EVERY:
            problem = self._write(event.run) or problem
            self._written = event.run.seconds
        elif problem is None:
            problem = self._problem  # what the reports met is known when they are written the next time
        self._tell(problem)

    def _write_state(self, event: Checkpoint) -> str | None:
        """Write the state; say what could not be written and why, None when it is there."""
        file = self._directory / NIGHT
        data = {"report": report_data(event.run), "progress": asdict(event.progress)}
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            write_atomically(file, json.dumps(data, ensure_ascii=False))
        except OSError as error:
            with suppress(OSError):
                file.with_name(f".{NIGHT}.new").unlink()  # what there was room for
            return f"{file}: {error.strerror or error}"
        return None

    def _tell(self, problem: str | None) -> None:
        if (problem is None) != (self._problem is None):
            self._say(
                "The reports can be written again."
                if problem is None
                else f"Cannot write {problem}. The night goes on, and tries again."
            )
        self._problem = problem


def resumed(directory: Path, target: Target) -> Checkpoint:
    """Read the state of a night from its directory.

    Raises:
        Usage: there is no state, or it belongs to another target.
    """
    file = directory / NIGHT
    try:
        data = strict_json.read(read_bytes(file, MAX_REPORT_MIB))
        report = data["report"]
        if (report["target"], report["ingress"]) != (target.base_url, target.ingress_url):
            raise Usage(f"--resume: the night in {file} was at {report['target']}, not at {target.base_url}")
        if [one["organisation"] for one in report["keys"]] != [one.org for one in target.credentials]:
            raise Usage(f"--resume: the night in {file} was with keys of other organisations")
        progress = data["progress"]
        return Checkpoint(_run(report, target), Progress(**{**progress, "done": tuple(progress["done"])}))
    except OSError as error:
        raise Usage(f"--resume: {file}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise Usage(f"--resume: {file} is not what a night leaves behind: {error!r}") from None


def _run(report: dict[str, Any], target: Target) -> RunFinished:
    return RunFinished(
        target=report["target"],
        document=report["document"]["name"],
        digest=report["document"]["sha256"],
        seed=report["seed"],
        started=report["started"],
        seconds=report["seconds"],
        requests=report["requests"],
        served=report["served"],
        violations=tuple(finding_from(one, target) for one in report["violations"]),
        warnings=tuple(finding_from(one, target) for one in report["warnings"]),
        interpretations=report["interpretations"],
        not_verified={one["rule"]: one["why"] for one in report["not_verified"]},
        tested=report["tested"],
        interference=report["interference"],
        cross_check=CrossChecked(),
        inconclusive=report["inconclusive"],
        strict=False,
        negatives={
            (one["operation"], one["place"], one["keyword"]): one["outcome"] for one in report["negatives"]
        },
        secrets=dict(target.secrets),
        target_flags=target.flags,
        run_id=report["run"],
    )


__all__ = ["NightRecorder", "resumed"]
