"""Probes with unusual or wrong headers: codings of the body, media types, chunks, and headers that servers may mistake."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Final
from urllib.parse import quote

from .probe import ANY_JSON, Good, Probe, body_with_value, encode

_CHARSETS: Final = (
    ("UTF-16 with its mark", "utf-16"),
    ("UTF-16, low byte first", "utf-16-le"),
    ("UTF-16, high byte first", "utf-16-be"),
    ("UTF-32 with its mark", "utf-32"),
    ("UTF-32, high byte first", "utf-32-be"),
    ("EBCDIC", "cp037"),
)
"""(title, name of the character set)."""

_CODINGS: Final[tuple[tuple[str, str, Callable[[bytes], bytes]], ...]] = (
    ("gzip announced, plain bytes sent", "gzip", lambda text: text),
    ("gzip", "gzip", lambda text: gzip.compress(text, mtime=0)),
    ("identity announced", "identity", lambda text: text),
    ("an unknown coding", "arklow-none", lambda text: text),
    ("gzip that is cut off", "gzip", lambda text: gzip.compress(text, mtime=0)[:-9]),
    ("gzip twice", "gzip, gzip", lambda text: gzip.compress(gzip.compress(text, mtime=0), mtime=0)),
    ("gzip announced twice, done once", "gzip, gzip", lambda text: gzip.compress(text, mtime=0)),
    ("gzip announced in capitals", "GZIP", lambda text: gzip.compress(text, mtime=0)),
    ("gzip by its old name", "x-gzip", lambda text: gzip.compress(text, mtime=0)),
    ("gzip announced, nothing sent", "gzip", lambda _: b""),
    ("gzip with bytes after it", "gzip", lambda text: gzip.compress(text, mtime=0) + b"xx"),
    ("deflate", "deflate", zlib.compress),
    ("deflate without its frame", "deflate", lambda text: zlib.compress(text)[2:-4]),
    ("deflate announced, plain bytes sent", "deflate", lambda text: text),
    ("brotli announced, plain bytes sent", "br", lambda text: text),
    ("zstd announced, plain bytes sent", "zstd", lambda text: text),
    ("chunked announced as a coding", "chunked", lambda text: text),
    ("an empty coding", "", lambda text: text),
    ("a comma for a coding", ",", lambda text: text),
)
"""(title, the header `content-encoding`, from the text of the good body to the bytes that are sent)."""


def encoding_probes(_: str, good: Good) -> Iterator[Probe]:
    """Make the probes of the group `encodings`: codings and character sets in turn."""
    text = encode(good)
    yield Probe("gzip that is not announced", "encodings", gzip.compress(text, mtime=0))
    for coding, charset in zip_longest(_CODINGS, _CHARSETS):
        yield Probe(coding[0], "encodings", coding[2](text), (("content-encoding", coding[1]),))
        if charset is not None:
            title, name = charset
            body = text.decode().encode(name, "replace")
            yield Probe(title, "encodings", body)
            media = f"application/json; charset={name}"
            yield Probe(f"{title}, announced", "encodings", body, content_type=media)


_HEADERS: Final[tuple[tuple[str, tuple[tuple[str, str], ...], bool], ...]] = (
    ("bytes that are not ASCII", (("x-note", "caf\xe9 \xff"),), False),
    ("an Accept of anything", (("accept", "*/*"),), True),
    ("an Accept of HTML", (("accept", "text/html"),), False),
    ("a header of 6 KB", (("x-note", "n" * 6_000),), False),
    ("sixty headers", tuple((f"x-note-{n}", "n") for n in range(60)), False),
    ("an Accept of any application", (("accept", "application/*"),), True),
    ("an Accept of JSON and less of others", (("accept", "application/json, */*;q=0.1"),), True),
    ("an Accept of JSON in capitals", (("accept", "APPLICATION/JSON"),), True),
    ("an Accept of XML", (("accept", "application/xml"),), False),
    ("an Accept of all but JSON", (("accept", "application/json;q=0, */*"),), False),
    ("an Accept of nothing", (("accept", "*/*;q=0"),), False),
    ("an Accept of problems", (("accept", "application/problem+json"),), False),
    ("an Accept of JSON in latin-1", (("accept", "application/json; charset=iso-8859-1"),), False),
    ("an Accept that is garbage", (("accept", "///;;q=x"),), False),
    ("an empty Accept", (("accept", ""),), False),
    ("an Accept with a quality beyond one", (("accept", "application/json;q=7"),), False),
    ("an Accept of three hundred types", (("accept", ", ".join(f"a/b{n}" for n in range(300))),), False),
    ("an answer in gzip allowed", (("accept-encoding", "gzip"),), True),
    ("a plain answer asked for", (("accept-encoding", "identity"),), True),
    ("every coding forbidden", (("accept-encoding", "*;q=0"),), False),
    ("a plain answer forbidden", (("accept-encoding", "gzip, identity;q=0"),), False),
    ("a language", (("accept-language", "tlh, de;q=0.5"),), False),
    ("a charset of the answer", (("accept-charset", "utf-16"),), False),
    ("a condition on an entity tag", (("if-match", '"arklow"'),), False),
    ("a condition on any entity", (("if-match", "*"),), False),
    ("a condition on no entity", (("if-none-match", "*"),), False),
    ("a condition on another entity tag", (("if-none-match", '"arklow"'),), False),
    ("a range", (("range", "bytes=0-1"),), True),
    ("a range that is garbage", (("range", "lines=x"),), False),
    ("a condition on a date", (("if-modified-since", "Sat, 29 Oct 1994 19:43:31 GMT"),), True),
    ("a condition on a date that is none", (("if-modified-since", "yesterday"),), True),
    ("a condition on an old date", (("if-unmodified-since", "Sat, 29 Oct 1994 19:43:31 GMT"),), False),
    ("a part of the body by its range", (("content-range", "bytes 0-1/2"),), False),
    ("a language of the body", (("content-language", "de"),), False),
    ("a digest that is wrong", (("content-digest", "sha-256=:AAAA:"),), False),
    ("a file name for the body", (("content-disposition", 'attachment; filename="a"'),), False),
    ("an idempotency key", (("idempotency-key", "arklow-probe"),), False),
    ("an empty idempotency key", (("idempotency-key", ""),), False),
    ("another method asked for", (("x-http-method-override", "DELETE"),), False),
    ("another method asked for by another name", (("x-method-override", "GET"),), False),
    ("another URL asked for", (("x-original-url", "/v1/nowhere"),), False),
    ("another host forwarded", (("x-forwarded-host", "arklow.invalid"),), False),
    ("another address forwarded", (("x-forwarded-for", "127.0.0.1"),), False),
    ("an address forwarded that is none", (("x-forwarded-for", "nobody, ::1, %"),), False),
    ("a safe scheme forwarded", (("x-forwarded-proto", "https"),), False),
    ("a port forwarded that is none", (("x-forwarded-port", "x"),), False),
    (
        "forwarded in the standard way",
        (("forwarded", "for=192.0.2.1;host=arklow.invalid;proto=http"),),
        False,
    ),
    ("forwarded that is garbage", (("forwarded", 'for="'),), False),
    ("an origin", (("origin", "https://arklow.invalid"),), False),
    ("an origin that is null", (("origin", "null"),), False),
    ("a cookie", (("cookie", "a=b; c=d"),), True),
    ("a cookie that is garbage", (("cookie", ';;="\xff'),), False),
    ("a referer", (("referer", "https://arklow.invalid/a?b"),), True),
    ("a referer that is none", (("referer", "\\\\"),), False),
    ("the connection closed afterwards", (("connection", "close"),), True),
    ("a preference", (("prefer", "handling=lenient"),), False),
    ("a trace", (("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),), True),
    ("a trace that is garbage", (("traceparent", "00-x"), ("tracestate", "=")), False),
    ("a request id", (("x-request-id", "r" * 300),), False),
    ("an empty header", (("x-note", ""),), True),
    ("a header of blanks and tabs", (("x-note", " \t "),), False),
    ("a header twice", (("x-note", "a"), ("x-note", "b")), True),
    ("a header in odd case", (("X-nOTE", "a"),), True),
    ("a header name of punctuation", (("!#$%&'*+.^_`|~", "a"),), False),
    ("a header with an underscore", (("x_note", "a"),), False),
    ("a header of UTF-8", (("x-note", "\xf0\x9f\x98\x80"),), False),
    ("a control character in a header", (("x-note", "a\x01b"),), False),
    ("a tab in a header", (("x-note", "a\tb"),), False),
    ("no user agent", (("user-agent", ""),), False),
    ("a user agent of 3 KB", (("user-agent", "a" * 3_000),), False),
    ("a cache that must not answer", (("cache-control", "no-cache, no-store"), ("pragma", "no-cache")), True),
    ("hops used up", (("max-forwards", "0"),), False),
    ("another site's request", (("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")), False),
)
"""(title, headers, whether the request must be served)."""


def header_probes(_: str, good: Good) -> Iterator[Probe]:
    """Make the probes of the group `headers`."""
    for title, headers, must_be_served in _HEADERS:
        yield Probe(title, "headers", encode(good), headers, must_be_served=must_be_served)


_TYPES: Final[tuple[tuple[str | None, bool], ...]] = (
    ("application/json; charset=utf-8", True),
    (None, False),
    ("APPLICATION/JSON", True),
    ("text/plain", False),
    ("", False),
    ("application/json; charset=nonsense", False),
    ("application/json; charset=UTF-8", True),
    ('application/json; charset="utf-8"', True),
    ("application/json;charset=utf-8", True),
    ("application/JSON", True),
    ("application/json ; charset=utf-8", True),
    ("application/json; CHARSET=utf-8", True),
    ("application/json; charset=latin-1", False),
    ("application/json; charset=iso-8859-1", False),
    ("application/json; charset=us-ascii", False),
    ("application/json; charset=utf8", False),
    ("application/json; charset=", False),
    ('application/json; charset="', False),
    ("application/json; charset", False),
    ("application/json; charset=utf-8; charset=latin-1", False),
    ("application/json;", False),
    ("application/json; profile=a", False),
    ("application/json; boundary=a", False),
    ("application/json, text/plain", False),
    ("text/json", False),
    ("application/problem+json", False),
    ("application/vnd.api+json", False),
    ("application/ld+json", False),
    ("application/merge-patch+json", False),
    ("application/x-ndjson", False),
    ("application/json5", False),
    ("application/jsonx", False),
    ("multipart/form-data", False),
    ("multipart/form-data; boundary=a", False),
    ("multipart/mixed; boundary=", False),
    ("application/x-www-form-urlencoded", False),
    ("application/xml", False),
    ("text/html", False),
    ("application/octet-stream", False),
    ("application/grpc", False),
    ("application/cbor", False),
    ("application/yaml", False),
    ("*/*", False),
    ("application/*", False),
    ("json", False),
    ("application/", False),
    ("/json", False),
    (";", False),
    ("application json", False),
    ("application/json\xff", False),
    ("application/" + "j" * 1_000, False),
)
"""(the header `content-type`, None for none; whether the request must be served)."""

_MULTIPART: Final = (
    b'--a\r\ncontent-disposition: form-data; name="payload"\r\ncontent-type: application/json\r\n\r\n'
)
"""How a multipart body begins, with the boundary `a`."""


def media_type_probes(_: str, good: Good) -> Iterator[Probe]:
    """Make the probes of the group `media types`."""
    text = encode(good)
    for media, must_be_served in _TYPES:
        title = "no media type" if media is None else f"media type {media[:80]!r}"
        yield Probe(title, "media types", text, content_type=media, must_be_served=must_be_served)
    in_odd_case = (("CONTENT-type", "application/json"),)
    yield Probe(
        "Content-Type in odd case", "media types", text, in_odd_case, content_type=None, must_be_served=True
    )
    for other in ("text/plain", "application/json"):
        yield Probe(f"two media types, the other {other}", "media types", text, (("content-type", other),))
    form = "application/x-www-form-urlencoded"
    fields = "&".join(f"{name}={quote(str(value))}" for name, value in good.items())
    yield Probe("a real form", "media types", fields.encode(), content_type=form)
    whole = _MULTIPART + text + b"\r\n--a--\r\n"
    yield Probe("a real multipart body", "media types", whole, content_type="multipart/form-data; boundary=a")
    cut = _MULTIPART + text
    yield Probe(
        "a multipart body cut off", "media types", cut, content_type="multipart/form-data; boundary=a"
    )


def chunking_probes(label: str, good: Good) -> Iterator[Probe]:
    """Make the probes of the group `chunking`.

    A target may refuse chunks with 411 (RFC 9110 §15.5.12); the judge excuses that where it judges answers.
    """
    text = encode(good)
    half = len(text) // 2
    cuts = (
        ("one chunk", (len(text),)),
        ("one byte in each chunk", (1,) * len(text)),
        ("two chunks", (half, len(text) - half)),
        ("a chunk of one byte first", (1, len(text) - 1)),
        ("a chunk of one byte last", (len(text) - 1, 1)),
    )
    for title, chunks in cuts:
        yield Probe(title, "chunking", text, chunks=chunks, must_be_served=True)
    odd = body_with_value(label, good, "é😀")
    takes_any_json = label in ANY_JSON
    yield Probe(
        "a character cut by chunks", "chunking", odd, chunks=(1,) * len(odd), must_be_served=takes_any_json
    )
    broken = text[:-1]
    yield Probe("chunks that end too early", "chunking", broken, chunks=(half, len(broken) - half))
    yield Probe("a blank in one chunk", "chunking", b" ", chunks=(1,))
    packed = gzip.compress(text, mtime=0)
    coding = (("content-encoding", "gzip"),)
    yield Probe("gzip in one chunk", "chunking", packed, coding, chunks=(len(packed),))


__all__ = ["chunking_probes", "encoding_probes", "header_probes", "media_type_probes"]
