"""Flags that commands share: which target, with which keys; and what is wrong with a value."""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from ..core.rules import RULES
from ..core.target import (
    Admin,
    Credential,
    Header,
    Target,
    Way,
)
from ..openapi.document import PUBLISHED
from ..transport.connections import Connections, NoWay
from . import values
from .secrets import credential_of, secret_of
from .targets_file import (
    DOCUMENTS,
    FILE,
    MEMBERS,
    BadTargets,
    Named,
    Targets,
    read,
)
from .usage import Usage


def add_target(parser: argparse.ArgumentParser) -> None:
    """The flags that say which deployment is contacted: no command contacts another host."""
    add = parser.add_argument
    add_named(parser)
    add("--base-url", metavar="URL", help="where the control plane is")
    add("--ingress-url", metavar="URL", help="where ingress is, if elsewhere")
    add("--api-key", metavar="KEY", help="a key, or env:NAME or file:PATH to read it from there")
    add("--org", metavar="ID", help="the organisation of that key")
    add("--second-api-key", metavar="KEY", help="a key of another organisation, given in the same way")
    add("--second-org", metavar="ID", help="the other organisation")
    add(
        "--header",
        action="append",
        type=values.header,
        default=[],
        metavar="NAME=VALUE",
        help="a header of every request, shown nowhere; its value is given as a key is (repeatable)",
    )
    add("--ca", metavar="FILE", help="certificates in PEM to trust in place of the public ones")
    add("--client-certificate", metavar="FILE", help="a certificate in PEM that is shown to the deployment")
    add("--client-key", metavar="FILE", help="its key, if that is in another file")
    add("--proxy", metavar="URL", help="an HTTP proxy; variables such as https_proxy are never read")
    add(
        "--production",
        action=argparse.BooleanOptionalAction,
        help="let a known production host be contacted",
    )


def add_named(parser: argparse.ArgumentParser) -> None:
    """The flags that name a target of a file."""
    add = parser.add_argument
    add("--target", metavar="NAME", help=f"a target of {FILE}; other flags win over what that says")
    add("--targets", type=Path, metavar="FILE", help=f"another file of targets (default ./{FILE})")


def settled(options: argparse.Namespace, wanted: Collection[str] = MEMBERS.keys()) -> argparse.Namespace:
    """The options, and where no flag says it what the file says of the target that they name.

    Raises:
        Usage: there is no such target, or what is said of it makes no sense.
    """
    settled = argparse.Namespace(**vars(options), said={})
    if options.target is None:
        if options.targets is not None:
            raise Usage(f"--targets {options.targets}: say which one with --target NAME")
        return settled
    named = _named(options)
    if options.base_url is not None and options.ingress_url is None and "ingress_url" in named.members:
        raise Usage(
            f"--base-url is given, and {named.where('ingress_url')} would stay: give --ingress-url as well"
        )
    other_document = options.spec_dir is not None or options.document is not None
    for member, value in named.members.items():
        if member in DOCUMENTS and other_document:
            continue
        if member not in wanted or not hasattr(options, _FLAGS.get(member, member)):
            continue  # a command without that flag has no use for it
        if member == "headers":
            given = {name.lower() for name, _ in options.header}
            settled.header = [
                *((name, each) for name, each in value.items() if name.lower() not in given),
                *options.header,
            ]
            settled.said |= {
                f"headers.{name}": named.where(f"headers.{name}")
                for name in value
                if name.lower() not in given
            }
        elif member == "variants":
            ours = {
                name: _read(named, f"variants.{name}", values.payload, file) for name, file in value.items()
            }
            settled.variant = list((ours | dict(options.variant)).items())
        elif getattr(options, member) is None:
            settled.said[member] = named.where(member)
            reader = values.OF_MEMBERS.get(member)
            setattr(settled, member, value if reader is None else _read(named, member, reader, str(value)))
    return settled


_FLAGS: Final = {"headers": "header", "variants": "variant"}
"""Member that is a table → the flag, which says one of it."""


def _named(options: argparse.Namespace) -> Named:
    try:
        return targets_of(options.targets).named(options.target)
    except BadTargets as error:
        raise Usage(str(error)) from None


def targets_of(file: Path | None) -> Targets:
    """The targets of a file.

    Raises:
        Usage: there is no such file, or it is none of targets.
    """
    where = file or Path(FILE)
    try:
        return read(where.read_bytes(), where)
    except OSError as error:
        hint = "" if file is not None else " here; name another one with --targets FILE"
        raise Usage(f"{where}: {error.strerror}{hint}") from None
    except BadTargets as error:
        raise Usage(str(error)) from None


def _read(named: Named, member: str, reader: Any, text: str) -> Any:
    try:
        return reader(text)
    except (argparse.ArgumentTypeError, ValueError) as error:
        raise Usage(f"{named.where(member)}: {error}") from None


def said_by(options: argparse.Namespace, member: str) -> str:
    """What says a member: the place in a file, or a flag."""
    said: str = options.said.get(member, f"--{member.replace('_', '-')}")
    return said


def add_document(parser: argparse.ArgumentParser, text: str) -> None:
    """The flags that say which document counts, of which one at most is given; `text` is what a file is for."""
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--document", type=Path, metavar="FILE", help=text)
    either.add_argument(
        "--spec-dir",
        type=values.pages,
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


def target_of(options: argparse.Namespace, environment: Mapping[str, str]) -> Target:
    """The target that settled options describe.

    Raises:
        Usage: they do not describe one, or a production host that was not asked for by name.
    """
    missing = [
        f"--{one.replace('_', '-')}" for one in ("base_url", "api_key", "org") if not getattr(options, one)
    ]
    if missing:
        raise Usage(
            f"the following arguments are required: {', '.join(missing)} (or a --target that says it)"
        )
    base = url_of(said_by(options, "base_url"), options.base_url)
    if (options.second_api_key is None) != (options.second_org is None):
        raise Usage("--second-api-key and --second-org belong together: give both or neither")
    first = _credential(options, "", environment)
    second = None
    if options.second_api_key is not None:
        second = _credential(options, "second_", environment)
        if second.key == first.key or second.org == first.org:
            raise Usage("the second key and organisation must differ from the first")
    ingress = url_of(said_by(options, "ingress_url"), options.ingress_url) if options.ingress_url else base
    way = _way(options, environment)
    if way.certificate and not any(url.startswith("https:") for url in (base, ingress)):
        raise Usage(
            f"{said_by(options, 'client_certificate')} is of no use without a URL that begins with https"
        )
    target = Target(base, ingress, first, second, _admin(options, environment), way)
    if target.production and not options.production:
        raise Usage(
            f"{target.production} is a production host: what a run makes there stays, "
            "and nothing is sent to it without --production"
        )
    return target


def _credential(options: argparse.Namespace, which: str, environment: Mapping[str, str]) -> Credential:
    member = f"{which}api_key"
    return credential_of(
        said_by(options, member),
        getattr(options, member),
        getattr(options, f"{which}org"),
        f"ARKLOW_{member.upper()}",
        environment,
    )


def _way(options: argparse.Namespace, environment: Mapping[str, str]) -> Way:
    """How the target is reached.

    Raises:
        Usage: it cannot be reached so.
    """
    if options.client_key and not options.client_certificate:
        raise Usage(f"{said_by(options, 'client_key')} is of no use without a client certificate")
    proxy = options.proxy and url_of(said_by(options, "proxy"), options.proxy)
    way = Way(
        tuple(_headers(options, environment)),
        options.ca,
        options.client_certificate,
        options.client_key,
        proxy,
    )
    if way.ca or way.certificate:
        try:
            _ = Connections(way).trust
        except NoWay as error:
            places = [said_by(options, one) for one in ("ca", "client_certificate") if getattr(options, one)]
            raise Usage(f"{' and '.join(places)}: {error}") from None
    return way


def _headers(options: argparse.Namespace, environment: Mapping[str, str]) -> Iterator[Header]:
    """Headers that go with every request; of equal ones the last.

    Raises:
        Usage: one cannot be sent, or is not for others to say.
    """
    for name, given in {name.lower(): (name, given) for name, given in options.header}.values():
        place = options.said.get(f"headers.{name}", f"--header {name}")
        if not _TOKEN.fullmatch(name):
            raise Usage(f"{place}: {name!r} is not the name of a header")
        if name.lower() in _OURS:
            raise Usage(
                f"{place}: what {name} says is for the judge to choose, as it is part of what is judged"
            )
        value, variable = secret_of(place, given, environment)
        if not (value and value.strip() == value and all(" " <= c <= "~" for c in value)):
            raise Usage(f"{place}: a value is printable ASCII without blanks around it")
        yield Header(name, value, variable or "ARKLOW_HEADER_" + re.sub("[^A-Z0-9]", "_", name.upper()))


_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""RFC 9110 §5.6.2."""
_OURS: Final = frozenset(
    {
        *("accept", "accept-encoding", "authorization", "connection", "content-encoding", "content-length"),
        *("content-type", "expect", "host", "proxy-authorization", "te", "trailer", "traceparent"),
        *("transfer-encoding", "upgrade", "x-arklow-auth"),
    }
)
"""Headers that frame a request, or that the judge varies."""


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
    "add_document",
    "add_named",
    "add_target",
    "directory_of",
    "document_of",
    "rule",
    "said_by",
    "settled",
    "target_of",
    "targets_of",
    "url_of",
]
