"""Requests that no client of good will sends: raw bytes, odd headers, odd paths."""

from __future__ import annotations

import json
from urllib.parse import quote

from tests.corpus.scenes.session import Scene, Session
from tests.corpus.scenes.values import BODIES, PUT, deep
from tests.corpus.steps import Headers, Plan

TEXTS: tuple[bytes, ...] = (
    *(
        b"",
        b" ",
        b"\r\n\t",
        b"{",
        b"}",
        b"{}",
        b"[]",
        b"null",
        b"true",
        b"1",
        b'"x"',
        b"{]",
        b"[1,]",
        b'{"a":1,}',
    ),
    *(
        b"{'a': 1}",
        b"{a: 1}",
        b'{"a" 1}',
        b'{"a":}',
        b'{"a":1}{"b":2}',
        b'{"a":1} x',
        b"// c\n{}",
        b"nul",
        b"TRUE",
    ),
    *(b"NaN", b"Infinity", b"-Infinity", b'{"payload": NaN}', b'{"payload": -Infinity}', b"\x00", b"{}\x00"),
    *(
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        "{}".encode("utf-32"),
        b"\xff\xfe",
        b'{"a": "\xff"}',
        b'"\xc3"',
    ),
    *(
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\xc0\xaf"}',
        b'"\\ud800"',
        b'{"payload": "\\udc00\\ud800"}',
        b'"\\u12"',
    ),
    *(
        b'{"payload": "\\ud83d\\ude00"}',
        b'"\\x"',
        b'"a\nb"',
        b'"a\x01b"',
        b'"unfinished',
        b"01",
        b"+1",
        b".5",
        b"1.",
    ),
    *(
        b"1e",
        b"1e400",
        b"-1e400",
        b"1e-400",
        b"9" * 4_300,
        b"9" * 4_301,
        b"-" + b"9" * 4_300,
        b"0." + b"1" * 5_000,
    ),
    *(b"1" + b"0" * 308 + b".0", b"1E+2", b"-0", b"-0.0", deep(499), deep(500), deep(501), deep(100_000)),
    *(b'{"a":' * 501 + b"1" + b"}" * 501, b"[" * 600, b'{"payload":' * 2 + b"1}}", b'{"a":1,"a":1}'),
    *(
        b'{"payload":1,"payload":1}',
        b'{"payload":{"a":1,"\\u0061":2}}',
        b'{"":1,"":2}',
        b"<xml/>",
        b"a=b&c=d",
    ),
    *(
        b"--x\r\ncontent-disposition: form-data\r\n\r\n1\r\n--x--",
        b"\x1f\x8b\x08\x00",
        b"%7B%7D",
        b"undefined",
    ),
)
"""Bodies as bytes, for every operation that takes one."""

VALUES: tuple[bytes, ...] = (
    *(b"1e2", b"1.0", b"1E0", b"10e-1", b"-0", b"0e0", b"00", b"1e400", b"1e308", b"0.1e1", b"2147483648.0"),
    *(
        b"9" * 4_300,
        b"9" * 4_301,
        b"-1",
        b"- 1",
        b"1_0",
        b"0x1",
        b"1e0000000000000000001",
        b"\xd9\xa1",
        b"NaN",
    ),
    *(
        b'"1\\u0000"',
        b'"\\ud800"',
        b'"1" "1"',
        b'{"a":1,"a":2}',
        deep(490),
        deep(499),
        deep(510),
        b"1.5",
        b"1e-1",
    ),
)
"""Texts that stand in place of one value."""

TYPES: tuple[Headers, ...] = (
    (),
    *(
        (("content-type", text),)
        for text in (
            *("application/json", "APPLICATION/JSON", "application/json; charset=utf-8", "application/json;"),
            *("application/json ; charset=latin-1", "application/json; charset=utf-16", " application/json"),
            *("application/json, text/plain", "application/problem+json", "application/merge-patch+json"),
            *("application/jsonl", "text/json", "text/plain", "application/x-www-form-urlencoded", "x"),
            *("multipart/form-data; boundary=x", "", ";", "*/*", "application/*", "application/json\xe9"),
            *('application/json; a="b;c"', "application /json", "application/json/x", "json"),
        )
    ),
    (("content-type", "application/json"), ("content-type", "text/plain")),
    (("content-type", "text/plain"), ("content-type", "application/json")),
    (("content-type", "application/json"), ("content-type", "application/json")),
    *(
        (("content-type", "application/json"), ("content-encoding", text))
        for text in ("gzip", "identity", "", "IDENTITY", "br, identity", "deflate", "x" * 100, " identity ")
    ),
)
"""Headers that say what a body is."""

ODD: tuple[Headers, ...] = (
    (("accept", "text/html"),),
    (("accept", "application/xml;q=1, */*;q=0"),),
    (("accept-encoding", "gzip, br"),),
    (("origin", "null"),),
    (("origin", "https://page.example"), ("access-control-request-method", "PUT")),
    (("cookie", "a=b; c=d"), ("cookie", "e=f")),
    (("x-forwarded-for", "10.0.0.1"), ("x-forwarded-prefix", "/x"), ("forwarded", "for=10.0.0.1")),
    (("x-http-method-override", "DELETE"), ("x-method-override", "PUT")),
    (("x-original-url", "/v1/ack"), ("x-rewrite-url", "/v1/ack")),
    (("if-match", '"1"'), ("if-none-match", "*"), ("if-modified-since", "Thu, 01 Jan 2026 00:00:00 GMT")),
    (("range", "bytes=0-10"),),
    (
        ("idempotency-key", "1"),
        ("x-request-id", "2"),
        ("traceparent", "00-" + "1" * 32 + "-" + "2" * 16 + "-01"),
    ),
    (("x-long", "y" * 20_000),),
    (("x-odd", "\xe9\xff"), ("x-empty", ""), ("x-tab", "\ta\t")),
    (("upgrade", "websocket"), ("connection", "upgrade")),
    (("te", "trailers"), ("trailer", "x"), ("via", "1.1 x")),
    (("host", "evil.example"),),
    (("content-length", "7"),),
)
"""Headers that no operation looks at, or should."""

SEGMENTS: tuple[str, ...] = (
    *(
        "v",
        "V",
        "v ",
        "v%20",
        "%76",
        "v%2Fw",
        "v%2fw",
        "%2F",
        "%2f%2f",
        "..",
        ".",
        "%2E%2E",
        "v;x=1",
        "v%3Fx",
        "v%23x",
    ),
    *(
        "v%00",
        "%0A",
        "%0D%0A",
        "%FF",
        "%C3",
        "%C3%A9",
        "\xe9",
        "%F0%9F%98%80",
        "%ED%A0%80",
        "%",
        "%2",
        "%zz",
        "v%",
        "+",
    ),
    *(
        "a+b",
        "a%2Bb",
        "{variant}",
        "%7Bvariant%7D",
        "v|w",
        "v\\w",
        "~v",
        "v" * 5_000,
        "'",
        "%22",
        "<v>",
        "$",
        "*",
        ":",
    ),
    *("@", "v,w", "v=w", "v&w", "%25", "%2525", "%25%32%46", "null", "undefined", "-1", "0", "true"),
)
"""Segments of a path, in place of a variant or an id."""

PATHS: tuple[str, ...] = (
    *(
        "",
        "//",
        "/v1//ingress/v",
        "//v1/ingress/v",
        "/v1/ingress//v",
        "/v1/ingress/v/",
        "/v1/ingress/v//",
        "/v1/ingress/",
    ),
    *(
        "/v1/ingress//",
        "/v1/ingress",
        "/v1/ingress/v/w",
        "/V1/ingress/v",
        "/v1/INGRESS/v",
        "/v1/modack/",
        "/v1/modack//",
    ),
    *(
        "/v1/ack/",
        "/v1/ack/x",
        "/v1/./ack",
        "/v1/../v1/ack",
        "/%76%31/ack",
        "/v1%2Fack",
        "/v1/ack%2F",
        "/v1/ack%20",
    ),
    *(
        "/v1/ack?",
        "/v1/ack??",
        "/v1/ack?x=y#z",
        "/v1/ack;x",
        "/v1/ack%00",
        "/v1/ac%C3%A9",
        "/v1/ack%FF",
        "v1/ack",
    ),
    *(
        "http://localhost:3123/v1/ack",
        "/openapi.json/",
        "/openapi.yaml?x=1",
        "/docs",
        "/docs/",
        "/docs/../openapi.json",
    ),
    *(
        "/docs/swagger-ui.css.map",
        "/favicon.ico",
        "/robots.txt",
        "/.well-known/x",
        "/openapi%2Ejson",
        "/metrics",
        "/health",
    ),
    *(
        "/v1/orgs/42/actions/definitions/",
        "/v1/orgs/42/actions/definitions/v",
        "/v1/orgs//actions/definitions",
    ),
    *(
        "/v1/orgs/42/actions/records/",
        "/v1/orgs/42/actions/records/1/",
        "/v1/orgs/42/actions/records/1/events",
    ),
)
"""Whole paths."""


def texts(session: Session) -> None:
    """Send every text to every operation."""
    session.freeze()
    session.put("v")
    for name, (method, target, good) in BODIES.items():
        for text in TEXTS:
            session.api(method, target, text)
        if name in ("definition", "work", "modack", "nack"):
            for member in good:
                marked = json.dumps(good | {member: "MARK"}).encode()
                for value in VALUES:
                    session.api(method, target, marked.replace(b'"MARK"', value))
    session.records("?take=50")
    session.journal(query="?limit=300")


def raw_texts(session: Session) -> None:
    """Send every text where a body may be the payload."""
    session.freeze()
    session.put("v")
    for text in TEXTS:
        session.api("POST", "/v1/ingress/v", text)
        session.api("POST", "/v1/ingress", text)
    session.records("?take=50")


def large(session: Session) -> None:
    """Send bodies at and beyond the bounds: of this world, of what is read on the spot, and unfinished ones."""
    session.freeze()
    session.put("v")
    for size in (60_000, 65_535, 65_536, 65_600, 99_000, 104_857, 104_858, 104_900, 200_000):
        text = b'{"payload": "' + b"x" * (size - 15) + b'"}'
        session.api("POST", "/v1/ingress/v", text)
        session.api("POST", "/v1/ingress/v", text[:-1])
        session.api("PUT", PUT, b'{"variant":"v","schema":{},"x":' + text + b"}")
    spread = json.dumps({"payload": list(range(15_000)), "metadata": {"a": [1] * 100}, "tags": {"b": "c"}})
    session.api("POST", "/v1/ingress/v", spread.encode())
    session.api("POST", "/v1/ingress/v", spread.replace('"c"', "1").encode())
    session.api("POST", "/v1/ingress", spread.replace("{", '{"variant": "v", ', 1).encode())
    session.api("POST", "/v1/ingress/v", b'{"payload": 1, "x": [' + b"1," * 40_000 + b"1]}")
    for text in (b"", b"{", b'{"payload": 1}'):
        session.api("POST", "/v1/ingress/v", text, whole=False)
        session.api("PUT", PUT, text, whole=False)
    session.records("?take=3")
    session.journal()


def headers(session: Session) -> None:
    """Send good bodies under odd headers."""
    session.freeze()
    session.put("v")
    key = (("x-arklow-auth", "org-42"),)
    for name in ("definition", "work", "modack"):
        method, target, good = BODIES[name]
        for sent in TYPES:
            session.api(method, target, good, headers=(*key, *sent), plain=False)
        for sent in ODD:
            session.api(method, target, good, headers=sent)
    for sent in ODD:
        session.api("GET", "/v1/orgs/42/actions/records?take=1", headers=sent)
        session.api("GET", "/", headers=sent)
    session.journal()


def paths(session: Session) -> None:
    """Ask for odd paths."""
    session.freeze()
    for segment in SEGMENTS:
        session.api("POST", f"/v1/ingress/{segment}", {"payload": 1})
        session.api("GET", f"/v1/orgs/{segment}/actions/records")
        session.api("GET", f"/v1/orgs/42/actions/records/{segment}")
    for variant in ("v", "a/b", "é", "😀", "%", " ", "..", "\n", "\0", "a" * 3_000):
        session.put(variant)
        session.post(quote(variant, safe=""))
        session.records(f"?variant={quote(variant, safe='')}")
    for path in PATHS:
        for method in ("GET", "POST", "PUT", "OPTIONS"):
            session.api(method, path, {"payload": 1, "variant": "v", "schema": {}})
    session.journal()


SCENES: tuple[Scene, ...] = (
    (Plan("hostile texts"), texts),
    (Plan("hostile texts as payloads", {"raw_bodies": True}), raw_texts),
    (Plan("large bodies", {"max_body": 104_857}), large),
    (Plan("odd headers"), headers),
    (Plan("odd paths"), paths),
)
