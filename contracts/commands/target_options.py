"""From flags and a targets file to the target: which URLs, which keys, and how they are reached."""

from __future__ import annotations

import argparse
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit

from arklow_local.formats.files import read_bytes

from ..core.target import Admin, ConnectionOptions, Credential, ExtraHeader, ProxyLogin, Target, host_and_port
from ..transport.connections import Connections, NoWay
from . import values
from .secrets import credential_of, secret_of
from .target_flags import flags_of, is_named
from .targets_file import DOCUMENTS, FILE, MEMBERS, BadTargets, NamedTarget, Targets, read
from .usage import Usage

_FLAGS: Final = {"headers": "header", "variants": "variant"}
"""Member of a targets file that is a table → the flag that adds one entry of it."""

_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""A token (RFC 9110 §5.6.2)."""
_RESERVED_HEADERS: Final = frozenset(
    {
        *("accept", "accept-encoding", "authorization", "connection", "content-encoding", "content-length"),
        *("content-type", "expect", "host", "proxy-authorization", "te", "trailer", "traceparent"),
        *("transfer-encoding", "upgrade", "x-arklow-auth"),
    }
)
"""Headers that frame a request or that the judge varies: a user cannot set them."""


def with_targets_file(
    options: argparse.Namespace, wanted: Collection[str] = MEMBERS.keys()
) -> argparse.Namespace:
    """The options, completed by what the targets file says of the target that `--target` names. Flags win.

    Only the `wanted` members of the file are taken. The result has a further member `sources`: member → the place in
    the file that its value comes from.

    Raises:
        Usage: there is no such target, or one of its members cannot be used.
    """
    completed = argparse.Namespace(**vars(options), sources={}, is_named=is_named(options))
    if options.target is None:
        if options.targets is not None:
            raise Usage(f"--targets {options.targets}: say which one with --target NAME")
        return completed
    named = _named_target(options)
    if options.base_url is not None and options.ingress_url is None and "ingress_url" in named.members:
        raise Usage(
            f"--base-url is given, and {named.where('ingress_url')} would stay: give --ingress-url as well"
        )
    other_document = options.spec_dir is not None or options.document is not None
    for member, value in named.members.items():
        unused = member not in wanted or not hasattr(options, _FLAGS.get(member, member))
        if unused or (member in DOCUMENTS and other_document):
            continue
        if member == "headers":
            _add_headers(completed, named, value)
        elif member == "resolve":
            read = [_converted(named, member, values.resolution, text) for text in value]
            given = {(one.host, one.port) for one in completed.resolve}
            completed.resolve = [
                *completed.resolve,
                *(one for one in read if (one.host, one.port) not in given),
            ]
            completed.sources[member] = named.where(member)
        elif member == "variants":
            payloads = {
                name: _converted(named, f"variants.{name}", values.payload, file)
                for name, file in value.items()
            }
            completed.variant = list((payloads | dict(options.variant)).items())
        elif getattr(options, member) is None:
            completed.sources[member] = named.where(member)
            reader = values.OF_MEMBERS.get(member)
            converted = value if reader is None else _converted(named, member, reader, str(value))
            setattr(completed, member, converted)
    return completed


def _add_headers(completed: argparse.Namespace, named: NamedTarget, headers: Mapping[str, str]) -> None:
    """Put the file's headers before those of the flags, which win by their names in any case."""
    given = {name.lower() for name, _ in completed.header}
    added = {name: value for name, value in headers.items() if name.lower() not in given}
    completed.header = [*added.items(), *completed.header]
    completed.sources |= {f"headers.{name}": named.where(f"headers.{name}") for name in added}


def _named_target(options: argparse.Namespace) -> NamedTarget:
    try:
        return targets_of(options.targets).find(options.target)
    except BadTargets as error:
        raise Usage(str(error)) from None


def targets_of(file: Path | None) -> Targets:
    """The targets in a file; without one those in `targets.toml` of the working directory.

    Raises:
        Usage: there is no such file, or it is not a targets file.
    """
    where = file or Path(FILE)
    try:
        return read(read_bytes(where), where)
    except OSError as error:
        hint = "" if file is not None else " here; name another one with --targets FILE"
        raise Usage(f"{where}: {error.strerror}{hint}") from None
    except BadTargets as error:
        raise Usage(str(error)) from None


def _converted(named: NamedTarget, member: str, reader: Any, text: str) -> Any:
    try:
        return reader(text)
    except (argparse.ArgumentTypeError, ValueError) as error:
        raise Usage(f"{named.where(member)}: {error}") from None


def source_of(options: argparse.Namespace, member: str) -> str:
    """Where the value of a member comes from: a place in the targets file, or its flag."""
    source: str = options.sources.get(member, f"--{member.replace('_', '-')}")
    return source


def target_of(options: argparse.Namespace, environment: Mapping[str, str]) -> Target:
    """The target that completed options describe.

    Raises:
        Usage: they do not describe one, or it is a production host and `--production` is not given.
    """
    required = ("base_url", "api_key", "org")
    missing = [f"--{one.replace('_', '-')}" for one in required if not getattr(options, one)]
    if missing:
        raise Usage(
            f"the following arguments are required: {', '.join(missing)} (or a --target that says it)"
        )
    base = url_of(source_of(options, "base_url"), options.base_url)
    first, second = _credentials(options, environment)
    ingress = url_of(source_of(options, "ingress_url"), options.ingress_url) if options.ingress_url else base
    way, admin = _connection_options(options, environment), _admin_plane(options, environment)
    urls = [base, ingress, *([admin.url] if admin else [])]
    if way.certificate and not any(url.startswith("https:") for url in urls):
        raise Usage(
            f"{source_of(options, 'client_certificate')} is of no use without a URL that begins with https"
        )
    _check_resolutions(options, way, urls)
    target = Target(base, ingress, first, second, admin, way)
    target = replace(target, flags=flags_of(options, target))
    if target.production_host and not options.production:
        raise Usage(
            f"{target.production_host} is a production host: what a run makes there stays, "
            "and nothing is sent to it without --production"
        )
    return target


def _credentials(
    options: argparse.Namespace, environment: Mapping[str, str]
) -> tuple[Credential, Credential | None]:
    """The first credential, and the second one if its flags are given."""
    if (options.second_api_key is None) != (options.second_org is None):
        raise Usage("--second-api-key and --second-org belong together: give both or neither")
    first = _credential(options, "", environment)
    if options.second_api_key is None:
        return first, None
    second = _credential(options, "second_", environment)
    if second.key == first.key or second.org == first.org:
        raise Usage("the second key and organisation must differ from the first")
    return first, second


def _credential(options: argparse.Namespace, prefix: str, environment: Mapping[str, str]) -> Credential:
    member = f"{prefix}api_key"
    return credential_of(
        source_of(options, member),
        getattr(options, member),
        getattr(options, f"{prefix}org"),
        f"ARKLOW_{member.upper()}",
        environment,
    )


def _connection_options(options: argparse.Namespace, environment: Mapping[str, str]) -> ConnectionOptions:
    """How the target is reached: headers, certificates, proxy.

    Raises:
        Usage: a file cannot be used, or one option needs another.
    """
    if options.client_key and not options.client_certificate:
        raise Usage(f"{source_of(options, 'client_key')} is of no use without a client certificate")
    proxy, login = _proxy(options, environment)
    way = ConnectionOptions(
        tuple(_headers(options, environment)),
        options.ca or environment.get("REQUESTS_CA_BUNDLE") or None,
        options.client_certificate,
        options.client_key,
        proxy,
        login,
        tuple({(one.host, one.port): one for one in options.resolve}.values()),
    )
    if way.ca or way.certificate:
        try:
            _ = Connections(way).trust
        except NoWay as error:
            given = [source_of(options, one) for one in ("ca", "client_certificate") if getattr(options, one)]
            raise Usage(f"{' and '.join(given or ['REQUESTS_CA_BUNDLE'])}: {error}") from None
    return way


def _proxy(
    options: argparse.Namespace, environment: Mapping[str, str]
) -> tuple[str | None, ProxyLogin | None]:
    """The URL of the proxy without user and password, and these; None for what is not given.

    Raises:
        Usage: it is not the URL of a proxy, or its user or password cannot be sent.
    """
    if not options.proxy:
        return None, None
    source = source_of(options, "proxy")
    given, _ = secret_of(source, options.proxy, environment)
    scheme, separator, rest = given.partition("://")
    login, at, server = rest.rpartition("@")
    url = url_of(source, f"{scheme}{separator}{server}")
    if not at:
        return url, None
    user, colon, password = (unquote(one) for one in login.partition(":"))
    if not (user and colon and password) or ":" in user or not f"{user}{password}".isprintable():
        raise Usage(
            f"{source}: a proxy with a user is http://USER:PASSWORD@HOST:PORT, its user and password "
            "percent-encoded where they have other characters than letters and digits"
        )
    return url, ProxyLogin(user, password)


def _check_resolutions(options: argparse.Namespace, way: ConnectionOptions, urls: list[str]) -> None:
    """Check that each `--resolve` is for a host that this machine connects to.

    Raises:
        Usage: it is for another one, or the proxy looks the name up.
    """
    connected = [way.proxy] if way.proxy else urls
    for one in way.resolve:
        if (one.host, one.port) in map(host_and_port, connected):
            continue
        why = (
            "the proxy looks that name up"
            if (one.host, one.port) in map(host_and_port, urls)
            else f"no URL has the host {one.host} and the port {one.port}"
        )
        raise Usage(f"--resolve {one} is of no use, as {why}")


def _headers(options: argparse.Namespace, environment: Mapping[str, str]) -> Iterator[ExtraHeader]:
    """The headers that go with every request; of several with the same name the last.

    Raises:
        Usage: a header cannot be sent, or is one that the judge varies.
    """
    for name, given in {name.lower(): (name, given) for name, given in options.header}.values():
        source = options.sources.get(f"headers.{name}", f"--header {name}")
        if not _HEADER_NAME.fullmatch(name):
            raise Usage(f"{source}: {name!r} is not the name of a header")
        if name.lower() in _RESERVED_HEADERS:
            raise Usage(f"{source}: the judge sets {name} itself, as it is part of what is judged")
        value, variable = secret_of(source, given, environment)
        if not (value and value.strip() == value and all(" " <= c <= "~" for c in value)):
            raise Usage(f"{source}: a value is printable ASCII without blanks around it")
        yield ExtraHeader(name, value, variable or "ARKLOW_HEADER_" + re.sub("[^A-Z0-9]", "_", name.upper()))


def _admin_plane(options: argparse.Namespace, environment: Mapping[str, str]) -> Admin | None:
    """The admin plane of a mock, if its URL is given."""
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


def url_of(source: str, given: str) -> str:
    """Read a base URL, and return it without a final slash. `source` begins the message when it is wrong.

    Raises:
        Usage: it is not an HTTP URL, or it has a query, a fragment, a user or a password.
    """
    try:
        parts = urlsplit(given)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or "@" in parts.netloc:
        raise Usage(f"{source} {given.rpartition('@')[2]!r} is not a URL such as http://localhost:3123")
    return urlunsplit((parts.scheme, parts.netloc.lower(), parts.path.rstrip("/"), "", ""))


__all__ = ["source_of", "target_of", "targets_of", "url_of", "with_targets_file"]
