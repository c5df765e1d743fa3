"""The command `arklow-mock export`: a running mock's world, asked of its admin plane and written as a seed file."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from arklow_local.formats.excerpts import excerpt
from arklow_local.formats.yaml_reader import MAX_BYTES
from arklow_local.formats.yaml_writer import write

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
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
        with opener.open(request, timeout=LIMIT) as answer:
            return json.loads(answer.read())["data"]
    except urllib.error.HTTPError as error:
        raise CannotExport(_refusal(url, error)) from None
    except urllib.error.URLError as error:
        reason = getattr(error.reason, "strerror", None) or error.reason
        raise CannotExport(
            f"expected the admin plane of a mock at {url}, got no answer ({reason}); start one, or see --admin-url"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError, http.client.HTTPException) as error:
        what = type(error).__name__  # its text may hold the token
        raise CannotExport(
            f"expected the admin plane of a mock at {url}, got something else ({what})"
        ) from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The token is for the address that was given, and for no other."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Go nowhere."""


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
    text = shown(seed)
    try:
        if target.exists() and not target.is_file():
            target.write_text(text, "utf-8")  # a pipe, a terminal
            return
        target = target.resolve()
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="\n", dir=target.parent, prefix=f".{target.name}.", delete=False
        ) as file:
            made = Path(file.name)
            with _removed(made):
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        with _removed(made):
            if target.exists():
                shutil.copymode(target, made)
            made.replace(target)
    except OSError as error:
        raise CannotExport(f"expected a file that can be written, got {target} ({error.strerror})") from None


@contextlib.contextmanager
def _removed(file: Path) -> Iterator[None]:
    """Leave no file behind where the block fails."""
    try:
        yield
    except BaseException:
        file.unlink()
        raise


def shown(seed: Any) -> str:
    """The seed as YAML.

    Raises:
        CannotExport: it is more than a mock reads.
    """
    text = write(seed, heading=HEADING)
    if len(text) > MAX_BYTES or len(text.encode()) > MAX_BYTES:
        raise CannotExport(
            f"expected a world of at most {MAX_BYTES} bytes, which a mock can read again, got more; choose "
            "organisations with --organisation"
        )
    return text
