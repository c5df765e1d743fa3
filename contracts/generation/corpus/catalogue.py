"""The requests that generators of values cannot say: bytes, encodings, headers, sizes, odd paths and methods.

They are data; whoever sends them has every exchange judged like any other. A probe may promise to be served, which
is said only where neither a page nor an RFC gives a lawful ground to refuse it.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final
from urllib.parse import quote

Good = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Probe:
    """One request to an operation, as it differs from a plain one."""

    title: str
    """In words, as `a member name twice`; no two of an operation are alike."""
    group: str
    """bytes, encodings, headers, media types, chunking, sizes, counts, numbers, strings, query, paths, methods."""
    body: bytes | None
    headers: tuple[tuple[str, str], ...] = ()
    """Beside the key, as latin-1 text; a name may stand twice, and beside `content_type` too."""
    content_type: str | None = "application/json"
    """None: no such header."""
    method: str | None = None
    """Another method than the operation's, in just this case."""
    query: str = ""
    """Already encoded, to be sent as it stands."""
    path: str = ""
    """Another path than the operation's, in which `{variant}` and `{org_id}` stand for the same; already encoded."""
    tail: str = ""
    """Appended to the path, already encoded."""
    chunks: tuple[int, ...] = ()
    """Sizes of the chunks in which the body is sent; with none it has a Content-Length."""
    serve: bool = False
    """Neither a page nor an RFC leaves a ground to refuse it: a 4xx is a broken promise."""
    large: bool = False
    """More than 64 KiB, very deep, or slow: left out unless wanted."""

    @property
    def mild(self) -> bool:
        """Whether it is neither large nor deep, so that nobody's server suffers by it."""
        body = self.body or b""
        return not self.large and len(body) <= 10_000 and max(body.count(b"["), body.count(b"{")) <= 64


def probes(label: str, good: dict[str, Any]) -> Iterator[Probe]:
    """Every probe of an operation: the most telling of each group first, the large ones last and only then made.

    `good` is a body that is served: work for an open definition, a definition of a variant that nobody else uses, or
    a modack of a live action.
    """
    for row in zip_longest(*(group(label, good) for group in _GROUPS)):
        yield from (probe for probe in row if probe is not None)
    yield from _large(label, good)


_INGRESS: Final = "POST /v1/ingress/{variant}"
_MODACK: Final = "POST /v1/modack"
_PUT: Final = "PUT /v1/orgs/{org_id}/actions/definitions"

_ROOMS: Final[dict[str, tuple[str, ...]]] = {_INGRESS: ("payload",), _PUT: ("schema", "default")}
"""Where a body may have any JSON value; elsewhere it becomes a member `x`, which one reading may refuse."""
_INTEGERS: Final = {_INGRESS: ("version",), _MODACK: ("attempt", "mod_ack"), _PUT: ("version",)}

_HERE: Final = "@here@"


def _text(value: Any) -> bytes:
    """JSON without blanks, in UTF-8; what UTF-8 cannot say stands in escapes."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def _filled(label: str, good: Good, raw: bytes) -> bytes:
    """The good body with a JSON text, or what is none, in its room."""
    first, *rest = _ROOMS.get(label, ("x",))
    here: Any = _HERE
    for name in reversed(rest):
        here = {name: here}
    return _text({**good, first: here}).replace(_text(_HERE), raw)


def _with(label: str, good: Good, value: Any) -> bytes:
    return _filled(label, good, _text(value))


def _more(good: Good, raw: bytes) -> bytes:
    """The good body with more text before its last brace."""
    return _text(good)[:-1] + b"," + raw + b"}"


# --- bytes

_AROUND: Final[tuple[tuple[str, bytes, bytes], ...]] = (
    ("garbage after the body", b"", b"x"),
    ("a byte order mark", b"\xef\xbb\xbf", b""),
    ("a second document", b"", b"{}"),
    ("a null byte after the body", b"", b"\x00"),
    ("a closing brace too many", b"", b"}"),
    ("a comma after the body", b"", b","),
    ("a semicolon after the body", b"", b";"),
    ("a comment after the body", b"", b"//x"),
    ("invalid UTF-8 after the body", b"", b"\xff"),
    ("invalid UTF-8 before the body", b"\xfe", b""),
    ("garbage before the body", b"x", b""),
    ("a null byte before the body", b"\x00", b""),
    ("a guard against inclusion before the body", b")]}',\n", b""),
    ("a record separator before the body", b"\x1e", b"\n"),
    ("a form feed before the body", b"\x0c", b""),
    ("a vertical tab before the body", b"\x0b", b""),
    ("a no-break space before the body", b"\xc2\xa0", b""),
    ("a line separator after the body", b"", b"\xe2\x80\xa8"),
    ("an ideographic space after the body", b"", b"\xe3\x80\x80"),
    ("a control-Z after the body", b"", b"\x1a"),
    ("the body as an argument", b"f(", b")"),
    ("the body in parentheses", b"(", b")"),
    ("the body in braces", b"{", b"}"),
    ("the body assigned", b"x=", b""),
)
_INSTEAD: Final[tuple[tuple[str, bytes | None], ...]] = (
    ("an empty body", b""),
    ("a blank alone", b" "),
    ("a newline alone", b"\n"),
    ("no body and no length", None),
    ("null alone", b"null"),
    ("an empty list alone", b"[]"),
    ("a string alone", b'"a"'),
    ("an opening brace alone", b"{"),
    ("a quotation mark alone", b'"'),
    ("null bytes", b"\x00" * 8),
    ("words", b"hello"),
    ("a form", b"payload=1&variant=a"),
    ("XML", b'<?xml version="1.0"?><payload>1</payload>'),
    ("YAML", b"payload: 1\n"),
    ("a byte order mark alone", b"\xef\xbb\xbf"),
    ("an invalid byte alone", b"\xff"),
    ("a list that does not end", b"[" * 50),
)
_CHANGED: Final[tuple[tuple[str, Callable[[bytes], bytes]], ...]] = (
    ("without its last brace", lambda text: text[:-1]),
    ("a trailing comma", lambda text: text[:-1] + b",}"),
    ("single quotes", lambda text: text.replace(b'"', b"'")),
    ("cut in the middle", lambda text: text[: len(text) // 2]),
    ("the body twice", lambda text: text + text),
    ("the body twice in two lines", lambda text: text + b"\n" + text),
    ("the body in a string", lambda text: _text(text.decode())),
    ("the body in a list", lambda text: b"[" + text + b"]"),
    ("a comment within", lambda text: b"{/* x */" + text[1:]),
    ("a line comment within", lambda text: b"{//x\n" + text[1:]),
    ("a comment after a hash within", lambda text: b"{#x\n" + text[1:]),
    ("without its first brace", lambda text: text[1:]),
    ("names without quotes", lambda text: re.sub(rb'"(\w+)":', rb"\1:", text)),
    ("a leading comma", lambda text: b"{," + text[1:]),
    ("two commas", lambda text: text[:-1] + b',,"x":1}'),
    ("no comma between members", lambda text: text[:-1] + b' "x":1}'),
    ("a semicolon between members", lambda text: text[:-1] + b';"x":1}'),
    ("a member without a value", lambda text: text[:-1] + b',"x":}'),
    ("a member without a colon", lambda text: text[:-1] + b',"x"}'),
    ("a value without a name", lambda text: text[:-1] + b",1}"),
    ("a number for a name", lambda text: text[:-1] + b",1:2}"),
    ("null for a name", lambda text: text[:-1] + b",null:2}"),
    ("an equals sign for a colon", lambda text: text.replace(b":", b"=", 1)),
    ("an arrow for a colon", lambda text: text.replace(b":", b"=>", 1)),
    ("two colons", lambda text: text.replace(b":", b"::", 1)),
    ("brackets for braces", lambda text: b"[" + text[1:-1] + b"]"),
    ("a bracket for the last brace", lambda text: text[:-1] + b"]"),
    ("curly quotes", lambda text: text.replace(b'"', "“".encode())),
    ("backquotes", lambda text: text.replace(b'"', b"`")),
    ("a no-break space within", lambda text: b"{\xc2\xa0" + text[1:]),
    ("a form feed within", lambda text: b"{\x0c" + text[1:]),
    ("a byte order mark within", lambda text: b"{\xef\xbb\xbf" + text[1:]),
)
_ILL_FORMED: Final[tuple[tuple[str, bytes], ...]] = (
    ("invalid UTF-8 in a string", b'"\xff\xfe"'),
    ("half of a surrogate pair in escapes", b'"\\ud800"'),
    ("an unescaped newline in a string", b'"a\nb"'),
    ("an unescaped null byte in a string", b'"a\x00b"'),
    ("a member name twice within", b'{"a":1,"a":2}'),
    ("half of a surrogate pair in UTF-8", b'"\xed\xa0\x80"'),
    ("a surrogate pair in UTF-8", b'"\xed\xa0\xbd\xed\xb8\x80"'),
    ("invalid UTF-8 in a member name", b'{"\xff":1}'),
    ("a slash in two bytes of UTF-8", b'"\xc0\xaf"'),
    ("a null character in two bytes of UTF-8", b'"\xc0\x80"'),
    ("a character of which a byte is missing", b'"\xe2\x82"'),
    ("a continuation byte alone", b'"\x80"'),
    ("a character beyond the last", b'"\xf4\x90\x80\x80"'),
    ("a latin-1 letter", b'"caf\xe9"'),
    ("the second half of a surrogate pair in escapes", b'"\\udc00"'),
    ("a surrogate pair the wrong way round", b'"\\ude00\\ud83d"'),
    ("two first halves of surrogate pairs", b'"\\ud83d\\ud83d"'),
    ("half of a surrogate pair and a letter", b'"\\ud83da"'),
    ("half of a surrogate pair in a member name", b'{"\\ud800":1}'),
    ("a member name twice within, once in escapes", b'{"a":1,"\\u0061":2}'),
    ("an empty member name twice within", b'{"":1,"":2}'),
    ("__proto__ twice within", b'{"__proto__":1,"__proto__":{"a":1}}'),
    ("an unescaped tab in a string", b'"a\tb"'),
    ("an unescaped carriage return in a string", b'"a\rb"'),
    ("an unescaped control character in a string", b'"a\x1fb"'),
    ("an unescaped newline in a member name", b'{"a\nb":1}'),
    ("an escape that JSON has not", b'"\\x41"'),
    ("an escaped single quote", b'"\\\'"'),
    ("an escaped zero", b'"\\0"'),
    ("an escape that is too short", b'"\\u12"'),
    ("an escape in braces", b'"\\u{41}"'),
    ("an escape of eight digits", b'"\\U0001F600"'),
    ("an escape with a sign", b'"\\u+041"'),
    ("an escaped newline in the text", b'"a\\\nb"'),
    ("a string that does not end", b'"a'),
    ("a string in single quotes", b"'a'"),
    ("two strings beside each other", b'"a" "b"'),
    ("a word without quotes", b"hello"),
    ("undefined", b"undefined"),
    ("None", b"None"),
    ("True", b"True"),
    ("NULL", b"NULL"),
    ("half of null", b"nul"),
    ("nothing", b""),
    ("a list with a trailing comma", b"[1,]"),
    ("a list with a hole", b"[1,,2]"),
    ("a list that ends with a brace", b"[1}"),
    ("a regular expression", b"/a/"),
    ("a call", b"Date(0)"),
)


def _escaped(value: Any) -> str:
    """JSON in which every character of every string is an escape."""
    if isinstance(value, str):
        units = value.encode("utf-16-be").hex()
        return '"' + "".join(f"\\u{units[n : n + 4]}" for n in range(0, len(units), 4)) + '"'
    if isinstance(value, dict):
        return "{" + ",".join(f"{_escaped(name)}:{_escaped(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_escaped, value)) + "]"
    return json.dumps(value)


def _turned(value: Any) -> Any:
    """The same value with the members of its objects the other way round."""
    if isinstance(value, dict):
        return {name: _turned(value[name]) for name in reversed(value)}
    return [_turned(item) for item in value] if isinstance(value, list) else value


def _same(good: Good) -> Iterator[tuple[str, bytes]]:
    """The good body spelled otherwise: RFC 8259 makes no difference."""
    text, (name, *_) = _text(good), good
    yield "a member name in escapes", text.replace(_text(name), _escaped(name).encode(), 1)
    yield "blanks around the body", b" \t\r\n" + text + b"\n \r\t"
    yield "members in another order", _text(_turned(dict(good)))
    yield "every string in escapes", _escaped(dict(good)).encode()
    yield "blanks between all tokens", json.dumps(good, indent="\t", separators=(" ,", " : ")).encode()
    yield "a newline after the body", text + b"\n"
    yield "escapes in capitals", re.sub(rb"\\u\w{4}", _in_capitals, _escaped(dict(good)).encode())


def _in_capitals(found: re.Match[bytes]) -> bytes:
    return b"\\u" + found[0][2:].upper()


def _twice(good: Good) -> Iterator[tuple[str, bytes]]:
    text = _text(good)
    for name, value in good.items():
        yield f"{name} twice, the second null", _more(good, _text({name: None})[1:-1])
        yield f"{name} twice and the same", _more(good, _text({name: value})[1:-1])
        yield f"{name} twice, the first null", _text({name: None})[:-1] + b"," + text[1:]
        yield f"{name} twice, once in escapes", _more(good, _escaped({name: value})[1:-1].encode())
    yield "an unknown member twice and the same", _more(good, b'"x":1,"x":1')
    yield "an unknown member twice with other values", _more(good, b'"x":1,"x":[2]')


def _bytes(label: str, good: Good) -> Iterator[Probe]:
    text = _text(good)
    rows: tuple[Iterable[tuple[str, bytes | None, bool]], ...] = (
        ((title, raw, False) for title, raw in _INSTEAD),
        ((title, _filled(label, good, raw), False) for title, raw in _ILL_FORMED),
        ((title, raw, False) for title, raw in _twice(good)),
        ((title, before + text + after, False) for title, before, after in _AROUND),
        ((title, raw, True) for title, raw in _same(good)),
        ((title, change(text), False) for title, change in _CHANGED),
    )
    for row in zip_longest(*rows):
        for title, body, serve in filter(None, row):
            yield Probe(title, "bytes", body, serve=serve)


# --- encodings

_CHARSETS: Final = (
    ("UTF-16 with its mark", "utf-16"),
    ("UTF-16, low byte first", "utf-16-le"),
    ("UTF-16, high byte first", "utf-16-be"),
    ("UTF-32 with its mark", "utf-32"),
    ("UTF-32, high byte first", "utf-32-be"),
    ("EBCDIC", "cp037"),
)
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


def _encodings(_: str, good: Good) -> Iterator[Probe]:
    text = _text(good)
    yield Probe("gzip that nobody announces", "encodings", gzip.compress(text, mtime=0))
    for coding, charset in zip_longest(_CODINGS, _CHARSETS):
        yield Probe(coding[0], "encodings", coding[2](text), (("content-encoding", coding[1]),))
        if charset is not None:
            title, name = charset
            body = text.decode().encode(name, "replace")
            yield Probe(title, "encodings", body)
            media = f"application/json; charset={name}"
            yield Probe(f"{title}, announced", "encodings", body, content_type=media)


# --- headers

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


def _headers(_: str, good: Good) -> Iterator[Probe]:
    for title, headers, serve in _HEADERS:
        yield Probe(title, "headers", _text(good), headers, serve=serve)


# --- media types

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
_MULTIPART: Final = (
    b'--a\r\ncontent-disposition: form-data; name="payload"\r\ncontent-type: application/json\r\n\r\n'
)


def _media_types(_: str, good: Good) -> Iterator[Probe]:
    text = _text(good)
    for media, serve in _TYPES:
        shown = "no media type" if media is None else f"media type {media[:80]!r}"
        yield Probe(shown, "media types", text, content_type=media, serve=serve)
    in_odd_case = (("CONTENT-type", "application/json"),)
    yield Probe("Content-Type in odd case", "media types", text, in_odd_case, content_type=None, serve=True)
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


# --- chunking: a 411 is a lawful refusal (RFC 9110 §15.5.12), and excused where answers are judged


def _chunking(label: str, good: Good) -> Iterator[Probe]:
    text = _text(good)
    half = len(text) // 2
    cuts = (
        ("one chunk", (len(text),)),
        ("one byte in each chunk", (1,) * len(text)),
        ("two chunks", (half, len(text) - half)),
        ("a chunk of one byte first", (1, len(text) - 1)),
        ("a chunk of one byte last", (len(text) - 1, 1)),
    )
    for title, chunks in cuts:
        yield Probe(title, "chunking", text, chunks=chunks, serve=True)
    odd = _with(label, good, "é😀")
    serve = label in _ROOMS
    yield Probe("a character cut by chunks", "chunking", odd, chunks=(1,) * len(odd), serve=serve)
    broken = text[:-1]
    yield Probe("chunks that end too early", "chunking", broken, chunks=(half, len(broken) - half))
    yield Probe("a blank in one chunk", "chunking", b" ", chunks=(1,))
    packed = gzip.compress(text, mtime=0)
    coding = (("content-encoding", "gzip"),)
    yield Probe("gzip in one chunk", "chunking", packed, coding, chunks=(len(packed),))


# --- sizes

_SMALL: Final[tuple[tuple[str, Any], ...]] = (
    ("null", None),
    ("an empty string", ""),
    ("an empty list", []),
    ("an empty object", {}),
    ("false", False),
    ("zero", 0),
    ("a list of null", [None]),
)


def _nested(depth: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    return opening * depth + (b"1" if opening != b"[" else b"") + closing * depth


def _sizes(label: str, good: Good) -> Iterator[Probe]:
    serve = label in _ROOMS

    def sized(title: str, raw: bytes, serve: bool = False) -> Probe:
        return Probe(title, "sizes", _filled(label, good, raw), serve=serve)

    yield sized("a string of 2 KB", _text("s" * 2_000), serve)
    yield sized("200 lists in each other", _nested(200))
    yield sized("30 lists in each other", _nested(30), serve)
    if label == _MODACK:
        for digit, count in (("1", 20), ("9", 40), ("1", 400), ("9", 19), ("0", 1)):
            body = _text({**good, "action_record_id": digit * count})
            yield Probe(f"the action is {count} times {digit}", "sizes", body)
    if label == _INGRESS:
        for member in ("payload", "metadata"):
            for words, value in _SMALL:
                title = f"{member} is {words}"
                yield Probe(title, "sizes", _text({**good, member: value}), serve=True)
        yield Probe("a tag of 2 KB", "sizes", _text({**good, "tags": {"region": "r" * 2_000}}))
        yield Probe("metadata of 2 KB", "sizes", _text({**good, "metadata": "m" * 2_000}), serve=True)
    if label == _PUT:
        for words, value in _SMALL:
            yield Probe(f"the schema is {words}", "sizes", _text({**good, "schema": value}))
        for schema in (True, {"type": "nothing"}, {"$ref": "#/nowhere"}, {"pattern": "("}):
            yield Probe(f"the schema is {json.dumps(schema)}", "sizes", _text({**good, "schema": schema}))
        yield Probe(
            "a variant of 2 KB", "sizes", _text({**good, "variant": f"{good['variant']}{'v' * 2_000}"})
        )
        yield Probe("an empty variant", "sizes", _text({**good, "variant": ""}))
        yield Probe("an empty alias", "sizes", _text({**good, "alias": [""]}))
    yield sized("100 lists in each other", _nested(100))
    yield sized("30 objects in each other", _nested(30, b'{"a":', b"}"), serve)
    yield sized("100 objects in each other", _nested(100, b'{"a":', b"}"))
    yield sized("200 objects in each other", _nested(200, b'{"a":', b"}"))
    yield sized("a string of 60,000 bytes", _text("s" * 60_000))
    yield sized("a member name of 2 KB", _text({"n" * 2_000: 1}), serve)
    yield sized("a member name of 60,000 bytes", _text({"n" * 60_000: 1}))
    yield Probe("2 KB of blanks before the body", "sizes", b" " * 2_000 + _text(good), serve=True)
    yield Probe("2 KB of blanks after the body", "sizes", _text(good) + b"\n" * 2_000, serve=True)


# --- counts


def _named(stem: str, count: int) -> dict[str, str]:
    return {f"{stem}{n}": "v" for n in range(count)}


_TAGS: Final[tuple[tuple[str, dict[str, str], bool], ...]] = (
    ("12 tags", _named("t", 12), True),
    ("no tag at all", {}, True),
    ("an empty tag", {"region": "eu", "tier": ""}, True),
    ("a tag with an empty name", {"": "eu"}, False),
    ("a tag with a dot in its name", {"a.b": "eu", "a": "us"}, False),
    ("a tag with a letter that is not ASCII in its name", {"größe": "l"}, False),
    ("a tag with an emoji in its name", {"😀": "eu"}, False),
    ("a tag called __proto__", {"__proto__": "eu"}, False),
    ("a tag called constructor", {"constructor": "eu"}, False),
    ("a tag with a blank in its name", {"a b": "eu"}, False),
    ("a tag with a sign of the query in its name", {"a=b&c": "eu"}, False),
    ("a tag called null", {"null": "null"}, False),
    ("a tag that looks like a number", {"1": "1"}, False),
    ("tags that differ in case", {"Region": "eu", "region": "us"}, False),
    ("60 tags", _named("t", 60), False),
    ("300 tags", _named("t", 300), False),
)
_NAMES: Final[tuple[tuple[str, dict[str, Any], bool], ...]] = (
    ("a member called __proto__", {"__proto__": {"a": 1}}, True),
    ("a member with an empty name", {"": 1}, True),
    ("a member called constructor", {"constructor": {"prototype": {"a": 1}}}, True),
    ("a member called hasOwnProperty", {"hasOwnProperty": None}, True),
    ("a member called toString", {"toString": 1, "valueOf": 2, "toJSON": 3}, True),
    ("a member called length", {"length": -1}, True),
    ("a member with a dot in its name", {"a.b": 1, "a": {"b": 2}}, True),
    ("a member with a slash in its name", {"a/b~c": 1}, True),
    ("a member called as a number", {"0": 1, "-1": 2, "1.5": 3}, True),
    ("a member called as the envelope's", {"payload": 1, "data": None, "errors": []}, True),
    ("members that differ in case", {"a": 1, "A": 2}, True),
    ("a member called as a class", {"__class__": 1, "class": 2, "@type": "java.lang.Object"}, False),
    ("a member called $ref", {"$ref": "#/nowhere"}, False),
    ("a member called as an operator", {"$gt": "", "$where": "1"}, False),
)


def _counts(label: str, good: Good) -> Iterator[Probe]:
    serve = label in _ROOMS
    rows: list[list[Probe]] = [
        [
            Probe(title, "counts", _with(label, good, value), serve=serve and promised)
            for title, value, promised in _NAMES
        ],
        [
            Probe("an object of 60 members", "counts", _with(label, good, _named("m", 60)), serve=serve),
            Probe("a list of 300 items", "counts", _with(label, good, list(range(300))), serve=serve),
            Probe("an object of 300 members", "counts", _with(label, good, _named("m", 300))),
            Probe("60 unknown members", "counts", _text({**_named("x", 60), **good})),
            Probe("300 unknown members", "counts", _text({**good, **_named("x", 300)})),
            Probe("unknown members of odd names", "counts", _more(good, b'"__proto__":{"a":1},"":2')),
        ],
    ]
    if label == _INGRESS:
        tagged = ((title, _text({**good, "tags": tags}), promised) for title, tags, promised in _TAGS)
        rows.insert(0, [Probe(title, "counts", body, serve=promised) for title, body, promised in tagged])
    if label == _PUT:
        rows.append(list(_aliases(good)))
    for row in zip_longest(*rows):
        yield from filter(None, row)


def _aliases(good: Good) -> Iterator[Probe]:
    stem = good["variant"]
    yield Probe("an alias", "counts", _text({**good, "alias": [f"{stem}.alias"]}), serve=True)
    yield Probe("no alias at all", "counts", _text({**good, "alias": []}), serve=True)
    for count in (12, 60, 300):
        body = _text({**good, "alias": [f"{stem}.alias{n}" for n in range(count)]})
        yield Probe(f"{count} aliases", "counts", body)
    yield Probe("an alias twice", "counts", _text({**good, "alias": [f"{stem}.alias"] * 2}))
    yield Probe("the variant as its own alias", "counts", _text({**good, "alias": [stem]}))


# --- numbers

_NUMBERS: Final[tuple[tuple[str, str, bool], ...]] = (
    ("NaN", "NaN", False),
    ("beyond a double", "1e400", False),
    ("of 400 digits", "9" * 400, False),
    ("Infinity", "Infinity", False),
    ("minus Infinity", "-Infinity", False),
    ("with a leading zero", "01", False),
    ("with a plus sign", "+1", False),
    ("without digits before its point", ".5", False),
    ("without digits after its point", "1.", False),
    ("in hexadecimal", "0x1", False),
    ("minus zero", "-0", True),
    ("in scientific notation", "1E+2", True),
    ("a small fraction", "1.25e-5", True),
    ("an integer with a point", "1.0", True),
    ("with an exponent of nine digits", "1e999999999", False),
    ("with a negative exponent of nine digits", "1e-999999999", False),
    ("beyond a double, negative", "-1e400", False),
    ("too near to zero", "1e-400", False),
    ("the largest exact integer", "9007199254740991", True),
    ("the first integer that is not exact", "9007199254740993", False),
    ("the largest signed integer", "9223372036854775807", False),
    ("beyond a signed integer", "9223372036854775808", False),
    ("beyond an unsigned integer", "18446744073709551616", False),
    ("with 400 digits after its point", "0." + "1" * 400, False),
    ("the largest double", "1.7976931348623157e308", False),
    ("the smallest double", "5e-324", False),
    ("minus zero with a point", "-0.0", True),
    ("a minus sign alone", "-", False),
    ("with two minus signs", "--1", False),
    ("with a blank after its sign", "- 1", False),
    ("without an exponent after e", "1e", False),
    ("with a fraction in its exponent", "1e1.5", False),
    ("with an underscore", "1_000", False),
    ("with two points", "1.2.3", False),
    ("negative with a leading zero", "-01", False),
    ("in octal", "0o7", False),
    ("in binary", "0b1", False),
    ("of a suffix", "1n", False),
    ("in Arabic digits", "١", False),
    ("in full-width digits", "１", False),
    ("a sign of infinity", "∞", False),
    ("1.#INF", "1.#INF", False),
)


def _spellings(number: int) -> Iterator[tuple[str, str, bool]]:
    """An integer and what is near it, in spellings that a value has not; whether it is one of the valid ones promised."""
    yield "with a point", f"{number}.0", True
    yield "with an exponent", f"{number}e0", False
    yield "with a negative exponent", f"{number}0e-1", False
    yield "minus zero", "-0", False
    yield "that a double rounds to 1", "0.99999999999999999999", False
    yield "of 400 digits", "9" * 400, False
    yield "beyond a double", "1e400", False
    yield "NaN", "NaN", False
    yield "that a double rounds to an integer", f"{number}.00000000000000000001", False
    yield "with twenty zeros after its point", f"{number}.{'0' * 20}", False
    yield "in scientific notation", "1.5E1", False
    yield "with an exponent of nine digits", "1e999999999", False
    yield "with a leading zero", f"0{number}", False
    yield "with a plus sign", f"+{number}", False
    yield "in hexadecimal", f"{number:#x}", False
    yield "the largest of 32 bits", str(2**31 - 1), False
    yield "beyond 32 bits by a whole turn", str(2**32 + number), False
    yield "the first that is not exact", str(2**53 + 1), False
    yield "the largest of 64 bits", str(2**63 - 1), False
    yield "beyond 64 bits by a whole turn", str(2**64 + number), False
    yield "minus zero with a point", "-0.0", False


def _numbers(label: str, good: Good) -> Iterator[Probe]:
    for number, (member, title, raw, promised) in enumerate(_spelled(label, good)):
        body = {**good, member: _HERE}
        if label == _PUT:  # what is stored under the good variant stays as it is
            body["variant"] = f"{good['variant']}.n{number}"
        text = _text(body).replace(_text(_HERE), raw.encode())
        serve = promised and member == "version" and (member in good or label == _PUT)
        yield Probe(f"{member} {title}", "numbers", text, serve=serve)
    for title, raw, promised in _NUMBERS:
        body_text = _filled(label, good, raw.encode())
        yield Probe(f"a number {title}", "numbers", body_text, serve=promised and label in _ROOMS)


def _spelled(label: str, good: Good) -> Iterator[tuple[str, str, str, bool]]:
    """Member, what its number is like, the number, whether it is promised: the members in turn."""
    members = _INTEGERS.get(label, ())
    for row in zip(*(_spellings(good.get(member, 1)) for member in members), strict=True):
        for member, spelling in zip(members, row, strict=True):
            yield (member, *spelling)


# --- strings

_TEXTS: Final[tuple[tuple[str, str, bool], ...]] = (
    ("an emoji", "😀", True),
    ("a null character", "a\x00b", False),
    ("right-to-left letters", "שלום مرحبا", True),
    ("a letter of two characters", "e\u0301", True),
    ("half of a surrogate pair", "a\ud800b", False),
    ("the last character", "\U0010ffff", False),
    ("a letter of one character", "é", True),
    ("the change of direction", "\u202eabc", False),
    ("no-width characters", "a\u200b\u200db", False),
    ("a line separator", "a\u2028b\u2029c", False),
)
"""Tried in every place that takes a string."""
_MORE_TEXTS: Final[tuple[tuple[str, str, bool], ...]] = (
    ("a character of mathematics beyond 16 bits", "𝒳", True),
    ("a family of joined emoji", "👩‍👩‍👧‍👦", True),
    ("a flag", "🇪🇺", True),
    ("Chinese beyond 16 bits", "𠜎", True),
    ("twenty marks on one letter", "a" + "\u0301" * 20, True),
    ("a ligature", "ﬁ", True),
    ("a letter that grows in lower case", "İ", True),
    ("a letter that grows in upper case", "ß", True),
    ("a byte order mark", "\ufeffa", False),
    ("the sign of what cannot be shown", "\ufffd", True),
    ("a character that is none", "\uffff", False),
    ("a character of private use", "\ue000", False),
    ("a delete character", "\x7f", False),
    ("a control character of the second set", "\x85", False),
    ("tabs and newlines", "a\tb\r\nc", True),
    ("quotes and backslashes", "\"a\" 'b' \\c", True),
    ("blanks alone", "   ", True),
    ("a null character at its end", "a\x00", False),
    ("the word null", "null", True),
    ("a number in digits", "1e5", True),
    ("a comment of SQL", "a'; --", False),
    ("markup", "<b>&amp;</b>", False),
    ("a template", "{{7*7}}${7*7}", False),
    ("signs of a format", "%s%n%x{0}", False),
    ("a path upwards", "../../..", False),
    ("bytes in percent signs", "%00%ff%", False),
    ("an object in a string", '{"a":1}', True),
)
_SPELLED: Final[tuple[tuple[str, bytes, bool], ...]] = (
    ("an escaped slash", b'"a\\/b"', True),
    ("every short escape", b'"\\b\\f\\n\\r\\t\\"\\\\\\/"', True),
    ("an emoji in escapes", b'"\\ud83d\\ude00"', True),
    ("an emoji in escapes of capitals", b'"\\uD83D\\uDE00"', True),
    ("an escaped null character", b'"\\u0000"', False),
    ("an escaped letter", b'"\\u00e9"', True),
    ("a member name in escapes within", b'{"\\u0061":1}', True),
    ("an escaped backslash before a u", b'"\\\\u0041"', True),
    ("a delete character as it is", b'"\x7f"', False),
)

_Place = tuple[str, Callable[[Good, str], dict[str, Any]], frozenset[str]]
_ALL: Final = frozenset(title for title, _, promised in (*_TEXTS, *_MORE_TEXTS) if promised)
_EMOJI: Final = frozenset({"an emoji"})

_PLACES: Final[dict[str, tuple[_Place, ...]]] = {
    _INGRESS: (
        ("the payload", lambda good, text: {**good, "payload": text}, _ALL),
        ("a member name of the payload", lambda good, text: {**good, "payload": {text: 1}}, _ALL),
        ("the metadata", lambda good, text: {**good, "metadata": {"note": text}}, _ALL),
        ("a tag", lambda good, text: {**good, "tags": {"region": text}}, _EMOJI),
        ("the name of a tag", lambda good, text: {**good, "tags": {text: "eu"}}, frozenset()),
    ),
    _PUT: (
        ("the schema", lambda good, text: {**good, "schema": {"title": text}}, _ALL),
        ("a member name of the schema", lambda good, text: {**good, "schema": {"default": {text: 1}}}, _ALL),
        ("the variant", lambda good, text: {**good, "variant": f"{good['variant']}.{text}"}, _EMOJI),
        ("an alias", lambda good, text: {**good, "alias": [f"{good['variant']}.{text}"]}, _EMOJI),
    ),
    _MODACK: (
        (
            "the action",
            lambda good, text: {**good, "action_record_id": f"{good['action_record_id']}{text}"},
            frozenset(),
        ),
    ),
}
"""Operation → its places for strings, and the texts that nothing allows to refuse there."""
_UNKNOWN: Final[_Place] = ("an unknown member", lambda good, text: {**good, "x": text}, frozenset())


def _strings(label: str, good: Good) -> Iterator[Probe]:
    places = _PLACES.get(label, (_UNKNOWN,))
    for title, text, _ in _TEXTS:
        for place in (*places, _UNKNOWN) if places[0] is not _UNKNOWN else places:
            yield _said(place, title, text, good)
    serve = label in _ROOMS
    for title, raw, promised in _SPELLED:
        yield Probe(title, "strings", _filled(label, good, raw), serve=serve and promised)
    for title, text, _ in _MORE_TEXTS:
        yield _said(places[0], title, text, good)


def _said(place: _Place, title: str, text: str, good: Good) -> Probe:
    words, body, promised = place
    return Probe(f"{words} has {title}", "strings", _text(body(good, text)), serve=title in promised)


# --- query

_TAGGED: Final = ("a tag", "tag.region=eu")
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


def _query(label: str, good: Good) -> Iterator[Probe]:
    title, query = _TAGGED
    text = _text(good)
    yield Probe(f"the query has {title}", "query", text, query=query, serve=label == _INGRESS)
    for title, query in _QUERIES:
        yield Probe(f"the query has {title}", "query", text, query=query)


# --- paths

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
_VARIANTS: Final[tuple[tuple[str, str], ...]] = (
    ("of emoji", quote("😀")),
    ("with an encoded slash", "a%2Fb"),
    ("of 1 KB", "v" * 1_000),
    ("with a blank", "order%201"),
    ("with a percent sign", "100%25"),
    ("encoded twice", "a%252Fb"),
    ("of letters that are not ASCII", quote("été.注文")),
    ("that is empty", ""),
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


def _bent(path: str) -> Iterator[tuple[str, str]]:
    """A path in spellings that name the same to some routers."""
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


def _paths(label: str, good: Good) -> Iterator[Probe]:
    text, path = _text(good), label.partition(" ")[2]
    rows = [
        [Probe(title, "paths", text, tail=tail) for title, tail in _TAILS],
        [Probe(title, "paths", text, path=bent) for title, bent in _bent(path)],
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


# --- methods

_METHODS: Final = (
    *("GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS"),
    *("JUDGE", "QUERY", "PROPFIND", "LOCK", "M-SEARCH", "A" * 300),
)


def _methods(label: str, good: Good) -> Iterator[Probe]:
    own = label.partition(" ")[0]
    for method in _METHODS:
        if method != own:
            yield Probe(f"method {method[:20]}", "methods", None, content_type=None, method=method)
    for method in ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "JUDGE"):
        if method != own:
            yield Probe(f"method {method} with a body", "methods", _text(good), method=method)


_GROUPS: Final[tuple[Callable[[str, Good], Iterator[Probe]], ...]] = (
    *(_bytes, _strings, _counts, _media_types, _headers, _chunking),
    *(_numbers, _sizes, _encodings, _query, _methods, _paths),
)


# --- large


def _large(label: str, good: Good) -> Iterator[Probe]:
    rooms: tuple[tuple[str, str, Callable[[], bytes]], ...] = (
        ("a string of 70 KB", "sizes", lambda: _text("s" * 70_000)),
        ("2,000 lists in each other", "sizes", lambda: _nested(2_000)),
        ("2,000 objects in each other", "sizes", lambda: _nested(2_000, b'{"a":', b"}")),
        ("a member name of 70 KB", "sizes", lambda: _text({"n" * 70_000: 1})),
        ("a number of 70,000 digits", "numbers", lambda: b"9" * 70_000),
        ("an object of 10,000 members", "counts", lambda: _text(_named("m", 10_000))),
        ("a list of 100,000 items", "counts", lambda: _text([0] * 100_000)),
        ("20,000 emoji", "strings", lambda: _text("😀" * 20_000)),
        ("20,000 marks on one letter", "strings", lambda: _text("a" + "\u0301" * 40_000)),
        ("a string of 1 MB", "sizes", lambda: _text("s" * 1_000_000)),
        ("100,000 lists in each other", "sizes", lambda: _nested(100_000)),
        ("100,000 lists that do not end", "bytes", lambda: b"[" * 100_000),
    )
    if label == _INGRESS:
        yield Probe("2,000 tags", "counts", _text({**good, "tags": _named("t", 2_000)}), large=True)
        yield Probe("a tag of 70 KB", "sizes", _text({**good, "tags": {"region": "r" * 70_000}}), large=True)
    if label == _PUT:
        many = [f"{good['variant']}.alias{n}" for n in range(2_000)]
        yield Probe("2,000 aliases", "counts", _text({**good, "alias": many}), large=True)
        long = f"{good['variant']}{'v' * 70_000}"
        yield Probe("a variant of 70 KB", "sizes", _text({**good, "variant": long}), large=True)
    if label == _MODACK:
        body = _text({**good, "action_record_id": "1" * 70_000})
        yield Probe("an action of 70,000 digits", "sizes", body, large=True)
    for title, group, raw in rooms:
        yield Probe(title, group, _filled(label, good, raw()), large=True)
    text = _text(good)
    yield Probe("70 KB of blanks before the body", "sizes", b" " * 70_000 + text, large=True)
    yield Probe("1 MB of blanks after the body", "sizes", text + b" " * 1_000_000, large=True)
    chunks = (1,) * 70_000
    yield Probe("70,000 chunks", "chunking", text.ljust(70_000), chunks=chunks, large=True)
    packed = gzip.compress(text.ljust(8 << 20), mtime=0)
    coding = (("content-encoding", "gzip"),)
    yield Probe("8 MB of blanks in gzip", "encodings", packed, coding, large=True)
    yield Probe("1 MB of zeros", "bytes", b"\x00" * 1_000_000, large=True)


__all__ = ["Probe", "probes"]
