"""What is left of a crash of the judge: its traceback in a file, without secrets, so that it can be sent to us."""

from __future__ import annotations

import argparse
import os
import platform
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final

from ..core.exchange import redact
from ..run.session import describe, trace_of
from .secrets import secret_of
from .usage import Usage

FILE: Final = "crash.txt"
"""Name of the file in a directory of reports."""


def crash_text(trace: str, secrets: Mapping[str, str]) -> str:
    """Return the content of the file. `secrets` are keys, each with what stands for it."""
    about = (
        f"arklow-contracts {version('arklow-local')}, Python {platform.python_version()}, {platform.system()}"
    )
    return f"{about}\n\n{redact(trace, secrets)}"


def kept_crash(text: str) -> Path | None:
    """Write a crash into a file of its own among the temporary ones; returns its place, None when it cannot be written."""
    with suppress(OSError):
        number, name = tempfile.mkstemp(prefix="arklow-contracts-", suffix=f"-{FILE}", text=True)
        with os.fdopen(number, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        return Path(name)
    return None


def told_and_kept(
    error: BaseException, options: argparse.Namespace | None, environment: Mapping[str, str]
) -> str:
    """Keep the traceback of a failure outside of a run, and say in one line what failed and where the traceback is.

    `options` are those of the command line, if it could be read.
    """
    secrets = _secrets_of(options, environment)
    file = kept_crash(crash_text(trace_of(error), secrets))
    where = "" if file is None else f"; please send us {file}"
    return f"the judge itself failed, which proves nothing: {redact(describe(error), secrets)}{where}"


def _secrets_of(options: argparse.Namespace | None, environment: Mapping[str, str]) -> dict[str, str]:
    """Return each secret that flags or variables may have, with what stands for it."""
    given = [(name, getattr(options, name, None)) for name in _FLAGS]
    given += [(f"header {name}", value) for name, value in getattr(options, "header", None) or ()]
    found = {value: f"${name}" for name, value in environment.items() if _SECRET.search(name)}
    for name, value in given:
        if isinstance(value, str):
            with suppress(Usage):
                found[secret_of(name, value, environment)[0]] = f"<{name}>"
    return {secret: name for secret, name in found.items() if secret}


_FLAGS: Final = ("api_key", "second_api_key", "admin_token", "proxy")
"""Members of the options that are secrets, or hold some."""
_SECRET: Final = re.compile("KEY|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH", re.IGNORECASE)
"""Names of variables whose values are shown nowhere."""


__all__ = ["FILE", "crash_text", "kept_crash", "told_and_kept"]
