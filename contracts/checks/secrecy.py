"""Does an answer say what nobody should read: a key, or the inside of the program."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Final
from urllib.parse import unquote_to_bytes

from ..core.exchange import Exchange
from ..core.findings import Finding
from .context import CheckContext
from .facts import Facts

_SHORTEST: Final = 6
"""Characters from which on a key is told from other words."""
_TRACES: Final = re.compile(
    rb"Traceback \(most recent call last\)"
    rb"|File \\?\"[^\"]{1,200}\", line \d+"
    rb"|\bat [\w.$<>/]{3,120}\([\w.-]{1,80}\.(?:java|kt|scala|js|mjs|ts|cs):\d+"
    rb"|goroutine \d+ \[|stack backtrace:|[\w/.-]{1,120}\.(?:rb|php|go|rs):\d+:in"
)


def check(facts: Facts, context: CheckContext, tested: Counter[str]) -> Iterator[Finding]:
    """Look for keys and stack traces in an answer: SAFE-1, SAFE-2."""
    exchange = facts.exchange
    if exchange.path is None:
        return
    tested.update(["SAFE-1", "SAFE-2"])
    yield from shown_keys(exchange, context)
    if exchange.status >= 400 and (trace := _TRACES.search(exchange.answer)):
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
    told = _read(b" ".join([exchange.answer, *headers]))
    asked = _read(exchange.url.encode(errors="replace"))
    for credential in context.target.credentials:
        key = credential.key.encode()
        if len(key) >= _SHORTEST and _shows(told, key) and not _shows(asked, key):
            plain = key in told[0]
            yield Finding(
                "SAFE-1",
                _label(exchange),
                f"The answer to a request shows the key ${credential.name}",
                "no key in any answer",
                f"{exchange.status} {context.shown(exchange.answer) if plain else 'with the key, encoded'}",
                (exchange,),
            )


def _label(exchange: Exchange) -> str:
    return exchange.operation or f"{exchange.method} {exchange.path}"


def _read(text: bytes) -> list[bytes]:
    """A text as it is, then as those read it who undo its escapes: those of JSON, and those of URLs."""
    read = [text]
    if b"\\" in text:
        read.append(
            _ESCAPED.sub(
                lambda one: chr(int(one[1], 16)).encode(errors="replace") if one[1] else one[2], text
            )
        )
    if b"%" in text:
        read.append(unquote_to_bytes(text))
    return read


def _shows(texts: list[bytes], key: bytes) -> bool:
    return any(form in text for form in _forms(key) for text in texts)


@cache
def _forms(key: bytes) -> frozenset[bytes]:
    """A key as it is, and what every Base64 of a text has that holds it: that hangs on where it begins."""
    forms = {key}
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + key)
        whole = encoded[-(-before * 8 // 6) : (before + len(key)) * 8 // 6]
        forms |= {whole, whole.translate(bytes.maketrans(b"+/", b"-_"))}
    return frozenset(forms)


_ESCAPED: Final = re.compile(rb'\\(?:u([0-9a-fA-F]{4})|(["\\/]))')

__all__ = ["check", "shown_keys"]
