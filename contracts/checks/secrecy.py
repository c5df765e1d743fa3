"""Whether an answer shows a secret: a key, or the inside of the program."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Final
from urllib.parse import unquote_to_bytes

from ..core.exchange import SHORTEST_SECRET, Exchange
from ..core.findings import Finding
from .context import CheckContext
from .facts import Facts

_STACK_TRACE: Final = re.compile(
    rb"Traceback \(most recent call last\)"
    rb"|File \\?\"[^\"]{1,200}\", line \d+"
    rb"|\bat [\w.$<>/]{3,120}\([\w.-]{1,80}\.(?:java|kt|scala|js|mjs|ts|cs):\d+"
    rb"|goroutine \d+ \[|stack backtrace:|(?<![\w/.-])[\w/.-]{1,400}\.(?:rb|php|go|rs):\d+:in"
)
"""How Python, the JVM, JavaScript, .NET, Go, Rust, Ruby and PHP write where a program failed.

A path is looked for where a word begins, else an answer of megabytes takes seconds.
"""
_ESCAPED: Final = re.compile(rb'\\(?:u([0-9a-fA-F]{4})|(["\\/]))')
"""A character as JSON escapes it."""


def check(facts: Facts, context: CheckContext, tested: Counter[str]) -> Iterator[Finding]:
    """Look for keys and stack traces in an answer: SAFE-1, SAFE-2."""
    exchange = facts.exchange
    if exchange.path is None:
        return
    tested.update(["SAFE-1", "SAFE-2"])
    yield from shown_keys(exchange, context)
    if exchange.status >= 400 and (trace := _STACK_TRACE.search(exchange.answer)):
        yield Finding(
            "SAFE-2",
            _label(exchange),
            f"A {exchange.status} shows a stack trace",
            "an error that says what was wrong with the request",
            context.shown(exchange.answer[trace.start() :]),
            (exchange,),
        )


def shown_keys(exchange: Exchange, context: CheckContext) -> Iterator[Finding]:
    """Look for the keys of the target in an answer, other than those that stood in the URL of its request: SAFE-1."""
    if exchange.path is None:
        return
    headers = (value.encode("latin-1", "replace") for _, value in exchange.answer_headers)
    answer = _with_escapes_undone(b" ".join([exchange.answer, *headers]))
    url = _with_escapes_undone(exchange.url.encode(errors="replace"))
    for credential in context.target.credentials:
        key = credential.key.encode()
        if len(key) >= SHORTEST_SECRET and _is_in(answer, key) and not _is_in(url, key):
            is_plain = key in answer[0]
            yield Finding(
                "SAFE-1",
                _label(exchange),
                f"The answer to a request shows the key ${credential.name}",
                "no key in any answer",
                f"{exchange.status} {context.shown(exchange.answer) if is_plain else 'with the key, encoded'}",
                (exchange,),
                fault=f"the key of the {'first' if credential is context.target.first else 'second'} organisation",
            )


def _label(exchange: Exchange) -> str:
    return exchange.operation or f"{exchange.method} {exchange.path}"


def _with_escapes_undone(text: bytes) -> list[bytes]:
    """A text as it is, then without the escapes of JSON, then without those of URLs, where it has such."""
    texts = [text]
    if b"\\" in text:
        texts.append(
            _ESCAPED.sub(
                lambda one: chr(int(one[1], 16)).encode(errors="replace") if one[1] else one[2], text
            )
        )
    if b"%" in text:
        texts.append(unquote_to_bytes(text))
    return texts


def _is_in(texts: list[bytes], key: bytes) -> bool:
    return any(encoding in text for encoding in _encodings(key) for text in texts)


@cache
def _encodings(key: bytes) -> frozenset[bytes]:
    """A key as it is, and what the Base64 of any text around it has in common: that depends on where the key begins."""
    encodings = {key}
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + key)
        common = encoded[-(-before * 8 // 6) : (before + len(key)) * 8 // 6]
        encodings |= {common, common.translate(bytes.maketrans(b"+/", b"-_"))}
    return frozenset(encodings)


__all__ = ["check", "shown_keys"]
