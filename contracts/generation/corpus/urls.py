"""Probes with unusual or wrong queries, paths and methods; all parts of a URL are already encoded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Final
from urllib.parse import quote

from .probe import INGRESS, Good, Probe, encode

_TAG_QUERY: Final = ("a tag", "tag.region=eu")
"""The one query that the pages of ingress describe."""

_QUERIES: Final[tuple[tuple[str, str], ...]] = (
    ("bytes that are not UTF-8", "x=%ff"),
    ("a null character", "%00=1"),
    ("a tag twice", "tag.region=eu&tag.region=us"),
    ("an unknown parameter", "x=1"),
    ("a tag without a name", "tag.=x"),
    ("a version", "version=1"),
    ("3 KB", "x=" + "q" * 3_000),
    ("a tag without a value", "tag.region"),
    ("a tag with an empty value", "tag.region="),
    ("a tag without a dot", "tag=x"),
    ("a tag in brackets", "tag[region]=eu"),
    ("a tag with two dots", "tag.a.b=x"),
    ("a tag in capitals", "TAG.region=eu"),
    ("a tag with a name in escapes", "t%61g%2Eregion=eu"),
    ("a tag called __proto__", "tag.__proto__=x"),
    ("a tag with an emoji", "tag.region=%F0%9F%98%80"),
    ("a tag with a null character", "tag.a%00b=x%00"),
    ("a tag with bytes that are not UTF-8", "tag.%ff=%fe"),
    ("a tag with half of a surrogate pair", "tag.region=%ED%A0%80"),
    ("a tag of blanks", "tag.region=+%20+"),
    ("sixty tags", "&".join(f"tag.t{n}=v" for n in range(60))),
    ("a question mark", "?"),
    ("an encoded hash", "x=%23&%23=x"),
    ("a parameter without a name", "=x"),
    ("an equals sign alone", "="),
    ("ampersands alone", "&&&"),
    ("a version that is none", "version=x"),
    ("a version twice", "version=1&version=2"),
    ("the payload", "payload=%7B%7D"),
    ("another method", "_method=DELETE"),
    ("an answer for a script", "callback=f&format=jsonp"),
    ("an answer in XML", "format=xml"),
    ("parts by semicolons", "a=1;b=2"),
    ("an escape that is none", "x=%zz"),
    ("an escape cut off", "x=%"),
    ("a line break", "x=%0D%0Ay"),
    ("300 parameters", "&".join(f"x{n}=1" for n in range(300))),
    ("a parameter 300 times", "&".join(["x=1"] * 300)),
    ("an object in brackets", "a[b][c][]=1&a=2"),
    ("an organisation", "org_id=1"),
)


def query_probes(label: str, good: Good) -> Iterator[Probe]:
    """Make the probes of the group `query`."""
    title, query = _TAG_QUERY
    text = encode(good)
    yield Probe(f"the query has {title}", "query", text, query=query, must_be_served=label == INGRESS)
    for title, query in _QUERIES:
        yield Probe(f"the query has {title}", "query", text, query=query)


_TAILS: Final[tuple[tuple[str, str], ...]] = (
    ("a slash after the path", "/"),
    ("an encoded slash after the path", "%2F"),
    ("two slashes after the path", "//"),
    ("an encoded null character after the path", "%00"),
    ("a newline after the path", "%0A"),
    ("a blank after the path", "%20"),
    ("another segment after the path", "/x"),
    ("a parameter of the path", ";a=b"),
    ("an ending for JSON after the path", ".json"),
    ("an encoded question mark after the path", "%3Fa=b"),
    ("an encoded hash after the path", "%23a"),
    ("bytes that are not UTF-8 after the path", "%ff"),
    ("an escape cut off after the path", "%"),
    ("a dot segment after the path", "/."),
    ("a dot segment with a parameter after the path", "/..;/"),
)
"""(title, what is appended to the path)."""

_VARIANTS: Final[tuple[tuple[str, str], ...]] = (
    ("that is empty", ""),
    ("of emoji", quote("😀")),
    ("with an encoded slash", "a%2Fb"),
    ("of 1 KB", "v" * 1_000),
    ("with a blank", "order%201"),
    ("with a percent sign", "100%25"),
    ("encoded twice", "a%252Fb"),
    ("of letters that are not ASCII", quote("été.注文")),
    ("with a null character", "a%00b"),
    ("with a line break", "a%0D%0Ab"),
    ("of bytes that are not UTF-8", "%ff%fe"),
    ("with half of a surrogate pair", "%ED%A0%80"),
    ("of an encoded dot", "%2e"),
    ("of two encoded dots", "%2e%2e"),
    ("called __proto__", "__proto__"),
    ("called constructor", "constructor"),
    ("called null", "null"),
    ("of digits", "0"),
    ("with signs of its own", "a:b@c,d;e=f+g!h$i'(j)*"),
    ("of blanks", "%20%20"),
    ("with a plus sign", "a+b"),
    ("with an encoded backslash", "a%5Cb"),
    ("of right-to-left letters", quote("שלום")),
    ("of a letter of two characters", quote("e\u0301")),
    ("with an escape that is none", "a%zz"),
    ("with a comment of SQL", quote("a'; --")),
    ("of three segments", "a/b/c"),
    ("of braces", "%7Bvariant%7D"),
)
"""(title after "a variant", what stands for it in the path)."""

_ORGANISATIONS: Final[tuple[tuple[str, str], ...]] = (
    ("and a newline", "{org_id}%0A"),
    ("and a blank before", "%20{org_id}"),
    ("and a letter", "{org_id}a"),
    ("with a minus sign", "-{org_id}"),
    ("with a plus sign", "%2B{org_id}"),
    ("with a point", "{org_id}.0"),
    ("of a full-width digit", quote("１")),
    ("of an Arabic digit", quote("١")),
    ("in hexadecimal", "0x1"),
    ("that is empty", ""),
    ("and a null character", "{org_id}%00"),
    ("and a comma", "{org_id},{org_id}"),
    ("called null", "null"),
    ("of 400 letters", "o" * 400),
)
"""(title after "an organisation", what stands for it in the path)."""


def _respelled(path: str) -> Iterator[tuple[str, str]]:
    """Spell a path in ways that are the same path to some routers, as (title, path)."""
    first, rest = path[:3], path[4:]
    yield "a letter of the path in an escape", f"{first}/%{ord(rest[0]):02x}{rest[1:]}"
    yield "the path in capitals", re.sub(r"(?<![{\w])\w+(?!\w*})", lambda found: found[0].upper(), path)
    yield "two slashes within the path", f"{first}//{rest}"
    yield "two slashes before the path", f"/{path}"
    yield "an encoded slash within the path", f"{first}%2F{rest}"
    yield "a dot segment within the path", f"{first}/./{rest}"
    yield "an encoded dot segment within the path", f"{first}/%2e/{rest}"
    yield "a segment taken back within the path", f"{first}/x/../{rest}"
    yield "an encoded segment taken back within the path", f"{first}/x/%2e%2e/{rest}"
    yield "an encoded backslash within the path", f"{first}%5C{rest}"
    yield "another version of the path", f"/v2/{rest}"
    yield "no version in the path", f"/{rest}"


def path_probes(label: str, good: Good) -> Iterator[Probe]:
    """Make the probes of the group `paths`."""
    text, path = encode(good), label.partition(" ")[2]
    rows = [
        [Probe(title, "paths", text, tail=tail) for title, tail in _TAILS],
        [Probe(title, "paths", text, path=other) for title, other in _respelled(path)],
    ]
    for stem, parameter, values in (
        ("a variant", "{variant}", _VARIANTS),
        ("an organisation", "{org_id}", _ORGANISATIONS),
    ):
        if parameter in path:
            odd = ((f"{stem} {title}", path.replace(parameter, value)) for title, value in values)
            rows.append([Probe(title, "paths", text, path=other) for title, other in odd])
    for row in zip_longest(*rows):
        yield from filter(None, row)
    if "{variant}" in path:
        yield Probe("no variant and no slash", "paths", text, path=path.removesuffix("/{variant}"))


_METHODS: Final = (
    *("GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS"),
    *("JUDGE", "QUERY", "PROPFIND", "LOCK", "M-SEARCH", "A" * 300),
)
"""TRACE and CONNECT are left out: proxies answer them by themselves."""


def method_probes(label: str, good: Good) -> Iterator[Probe]:
    """Make the probes of the group `methods`: other methods than the operation's."""
    own = label.partition(" ")[0]
    for method in _METHODS:
        if method != own:
            yield Probe(f"method {method[:20]}", "methods", None, content_type=None, method=method)
    for method in ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "JUDGE"):
        if method != own:
            yield Probe(f"method {method} with a body", "methods", encode(good), method=method)


__all__ = ["method_probes", "path_probes", "query_probes"]
