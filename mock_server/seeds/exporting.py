"""The command `arklow-mock export`: a running mock's world, asked of its admin plane and written as a seed file."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ..strict_json import excerpt
from .text import write

LIMIT: Final = 150.0
"""Seconds for the whole answer, which the mock itself gives up after 120."""
HEADING: Final = "# A seed file of arklow-mock, as `arklow-mock export` writes it."


class CannotExport(Exception):
    """The world cannot be had or written; the message says why."""


def fetch(url: str, token: str, organisations: Sequence[str]) -> Any:
    """The seed that a mock's admin plane answers with. Proxies of the environment are not used.

    Raises:
        CannotExport: nobody answers there, or not with a seed.
    """
    query = "?" + urllib.parse.urlencode({"organisation": ",".join(organisations)}) if organisations else ""
    try:
        request = urllib.request.Request(  # noqa: S310 the scheme is checked below
            f"{url.rstrip('/')}/seed{query}", headers={"Authorization": f"Bearer {token}"}
        )
        if request.type not in ("http", "https") or not request.host:
            raise ValueError(request.full_url)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=LIMIT) as answer:
            return json.loads(answer.read())["data"]
    except urllib.error.HTTPError as error:
        raise CannotExport(_refusal(url, error)) from None
    except urllib.error.URLError as error:
        reason = getattr(error.reason, "strerror", None) or error.reason
        raise CannotExport(
            f"expected the admin plane of a mock at {url}, got no answer ({reason}); start one, or see --admin-url"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CannotExport(
            f"expected the admin plane of a mock at {url}, got something else ({excerpt(repr(error), 120)})"
        ) from None


def _refusal(url: str, error: urllib.error.HTTPError) -> str:
    with contextlib.suppress(OSError, ValueError, KeyError, IndexError, TypeError):
        message = json.loads(error.read())["errors"][0]["message"]
        hint = "; see --admin-token and $ARKLOW_ADMIN_TOKEN" if error.code == 401 else ""
        return f"{url} refuses: {excerpt(message, 400)}{hint}"
    return f"expected the admin plane of a mock at {url}, got an answer with status {error.code}"


def save(seed: Any, target: Path) -> None:
    """Write the seed as YAML, all of it or nothing; a new file can be read by its owner alone, as it may hold secrets.

    Raises:
        CannotExport: the file cannot be written.
    """
    text = write(seed, heading=HEADING)
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="\n", dir=target.parent, prefix=f".{target.name}.", delete=False
        ) as file:
            try:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
                if target.exists():
                    shutil.copymode(target, file.name)
                Path(file.name).replace(target)
            except BaseException:
                Path(file.name).unlink()
                raise
    except OSError as error:
        raise CannotExport(f"expected a file that can be written, got {target} ({error.strerror})") from None


def shown(seed: Any) -> str:
    """The seed as YAML."""
    return write(seed, heading=HEADING)
