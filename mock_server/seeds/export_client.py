"""The client of `arklow-mock export`: asks the admin plane of a running mock for its organisations, and writes a seed file."""

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
"""Seconds for the whole answer: the mock itself gives up after 120, and says so."""
HEADING: Final = "# A seed file of arklow-mock, as `arklow-mock export` writes it."
"""The first line of the file."""


class CannotExport(Exception):
    """The export failed; the message says why."""


def fetch(url: str, token: str, organisations: Sequence[str]) -> Any:
    """Return the seed that a mock's admin plane answers with. Proxies of the environment are not used.

    Args:
        url: the admin plane's URL.
        token: its token.
        organisations: ids of organisations; empty for all in use.

    Raises:
        CannotExport: there is no answer, or one without a seed.
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
    """Follows no redirect: the token is for the URL that was given, and for no other."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Make no further request."""


def _refusal(url: str, error: urllib.error.HTTPError) -> str:
    with contextlib.suppress(OSError, ValueError, KeyError, IndexError, TypeError):
        message = json.loads(error.read())["errors"][0]["message"]
        hint = "; see --admin-token and $ARKLOW_ADMIN_TOKEN" if error.code == 401 else ""
        return f"{url} refuses: {excerpt(message, 400)}{hint}"
    return f"expected the admin plane of a mock at {url}, got an answer with status {error.code}"


def save(seed: Any, target: Path) -> None:
    """Write the seed as YAML, all of it or nothing. A new file can be read by its owner alone, as it may hold secrets.

    Raises:
        CannotExport: the file cannot be written.
    """
    text = to_yaml(seed)
    try:
        if target.exists() and not target.is_file():
            target.write_text(text, "utf-8")  # a pipe, a terminal
            return
        target = target.resolve()
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="\n", dir=target.parent, prefix=f".{target.name}.", delete=False
        ) as file:
            temporary = Path(file.name)
            with _removed_on_failure(temporary):
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        with _removed_on_failure(temporary):
            if target.exists():
                shutil.copymode(target, temporary)
            temporary.replace(target)
    except OSError as error:
        raise CannotExport(f"expected a file that can be written, got {target} ({error.strerror})") from None


@contextlib.contextmanager
def _removed_on_failure(file: Path) -> Iterator[None]:
    """Remove a file when the block fails."""
    try:
        yield
    except BaseException:
        file.unlink()
        raise


def to_yaml(seed: Any, *, most: int = MAX_BYTES) -> str:
    """Return the seed as YAML, of at most so many bytes.

    Raises:
        CannotExport: it is larger than what a mock reads.
    """
    text = write(seed, heading=HEADING)
    if len(text) > most or len(text.encode()) > most:
        raise CannotExport(
            f"expected a world of at most {most} bytes, which a mock can read again, got more; choose "
            "organisations with --organisation"
        )
    return text
