"""Flags that commands share: which target, with which keys; and what is wrong with a value."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from ..document import PUBLISHED
from ..rules import RULES
from ..target import Admin, Credential, Target


class Usage(Exception):
    """What was asked for makes no sense; the text says what would."""


def add_target(parser: argparse.ArgumentParser) -> None:
    """The flags that say which deployment is contacted: no command contacts another host."""
    add = parser.add_argument
    add("--base-url", required=True, metavar="URL", help="where the control plane is")
    add("--ingress-url", metavar="URL", help="where ingress is, if elsewhere")
    add("--api-key", required=True, metavar="KEY", help="a key, or env:NAME to read it from a variable")
    add("--org", required=True, metavar="ID", help="the organisation of that key")
    add("--second-api-key", metavar="KEY", help="a key of another organisation, or env:NAME")
    add("--second-org", metavar="ID", help="the other organisation")
    add("--production", action="store_true", help="let a known production host be contacted")


def add_document(parser: argparse.ArgumentParser, text: str) -> None:
    """The flags that say which document counts, of which one at most is given; `text` is what a file is for."""
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--document", type=Path, metavar="FILE", help=text)
    either.add_argument(
        "--spec-dir",
        type=directory_of_pages,
        metavar="DIR",
        help="the same of a directory: the pages as they are published, with overlays/*.overlay.yaml",
    )


def document_of(options: argparse.Namespace) -> Path:
    """The document that the flags name: a file, or a directory of pages.

    Raises:
        Usage: a directory is given as a file.
    """
    given: Path | None = options.document
    if given is not None and given.is_dir():
        raise Usage(
            f"--document {given}: Is a directory: expected a file; --spec-dir takes a directory of pages"
        )
    directory: Path | None = options.spec_dir
    return given or directory or PUBLISHED


def directory_of_pages(text: str) -> Path:
    """A directory, for argparse."""
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(
            f"expected a directory of pages, got {text!r}; --document takes a file"
        )
    return path


def target_of(options: argparse.Namespace, environment: Mapping[str, str]) -> Target:
    """The target that the flags describe.

    Raises:
        Usage: they do not describe one, or a production host that was not asked for by name.
    """
    base = url_of("--base-url", options.base_url)
    if (options.second_api_key is None) != (options.second_org is None):
        raise Usage("--second-api-key and --second-org belong together: give both or neither")
    first = credential_of("--api-key", options.api_key, options.org, "ARKLOW_API_KEY", environment)
    second = None
    if options.second_api_key is not None:
        name = "ARKLOW_SECOND_API_KEY"
        second = credential_of(
            "--second-api-key", options.second_api_key, options.second_org, name, environment
        )
        if second.key == first.key or second.org == first.org:
            raise Usage("the second key and organisation must differ from the first")
    ingress = url_of("--ingress-url", options.ingress_url) if options.ingress_url else base
    target = Target(base, ingress, first, second, _admin(options, environment))
    if target.production and not options.production:
        raise Usage(
            f"{target.production} is a production host: what a run makes there stays, "
            "and nothing is sent to it without --production"
        )
    return target


def _admin(options: argparse.Namespace, environment: Mapping[str, str]) -> Admin | None:
    given = getattr(options, "admin_token", None)
    if getattr(options, "admin_url", None) is None:
        if given is not None:
            raise Usage("--admin-token is of no use without --admin-url")
        return None
    given = given or "env:ARKLOW_ADMIN_TOKEN"
    token = environment.get(given[4:], "") if given.startswith("env:") else given
    if not token:
        raise Usage("--admin-url needs the token that the mock printed: --admin-token, or ARKLOW_ADMIN_TOKEN")
    return Admin(url_of("--admin-url", options.admin_url), token)


def credential_of(flag: str, given: str, org: str, name: str, environment: Mapping[str, str]) -> Credential:
    """A key that is given as it is or as `env:NAME`, and its organisation.

    Raises:
        Usage: there is no such variable, or it is none.
    """
    key = given
    if given.startswith("env:"):
        name = given.removeprefix("env:")
        key = environment.get(name, "")
        if not key:
            raise Usage(f"{flag} {given}: the environment has no variable {name}, or it is empty")
    if not (key.strip() == key and key and all("!" <= c <= "~" for c in key)):
        raise Usage(f"{flag}: a key is printable ASCII without blanks")
    if not (org.isascii() and org.isdigit()):
        raise Usage(f"the organisation {org!r} is not a number such as 42")
    return Credential(key, org, name)


def url_of(flag: str, given: str) -> str:
    """A base URL, without a final slash.

    Raises:
        Usage: it is none.
    """
    try:
        parts = urlsplit(given)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or "@" in parts.netloc:
        raise Usage(f"{flag} {given.rpartition('@')[2]!r} is not a URL such as http://localhost:3123")
    return urlunsplit((parts.scheme, parts.netloc.lower(), parts.path.rstrip("/"), "", ""))


def directory_of(given: Path | None) -> Path | None:
    """The directory for reports, made and tried before there is anything to lose.

    Raises:
        Usage: nothing can be written there.
    """
    if given is None:
        return None
    try:
        given.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=given):
            pass
    except OSError as error:
        raise Usage(f"--report-dir {given}: {error.strerror}") from None
    return given


def rule(text: str) -> str:
    """The code of a rule, for argparse."""
    if text.upper() not in RULES:
        raise argparse.ArgumentTypeError(f"there is no rule {text!r}; there are {', '.join(RULES)}")
    return text.upper()


__all__ = [
    "Usage",
    "add_document",
    "add_target",
    "credential_of",
    "directory_of",
    "directory_of_pages",
    "document_of",
    "rule",
    "target_of",
    "url_of",
]
