"""Does an answer say what nobody should read: a key, or the inside of the program."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from ..exchange import Exchange
from ..failures import Finding
from ..knowledge import Knowledge

_SHORTEST: Final = 6
"""Characters from which on a key is told from other words."""
_TRACES: Final = re.compile(
    rb"Traceback \(most recent call last\)"
    rb"|File \\?\"[^\"]{1,200}\", line \d+"
    rb"|\bat [\w.$<>/]{3,120}\([\w.-]{1,80}\.(?:java|kt|scala|js|mjs|ts|cs):\d+"
    rb"|goroutine \d+ \[|stack backtrace:|[\w/.-]{1,120}\.(?:rb|php|go|rs):\d+:in"
)


def check(exchange: Exchange, known: Knowledge, tested: Counter[str]) -> Iterator[Finding]:
    """SAFE-1, SAFE-2."""
    if exchange.path is None:
        return
    label = exchange.operation or f"{exchange.method} {exchange.path}"
    tested.update(["SAFE-1", "SAFE-2"])
    told = exchange.answer + b" ".join(
        value.encode("latin-1", "replace") for _, value in exchange.answer_headers
    )
    for credential in known.target.credentials:
        key = credential.key.encode()
        if len(key) >= _SHORTEST and key in told and credential.key not in exchange.url:
            yield Finding(
                "SAFE-1",
                label,
                f"The answer to a request shows the key ${credential.name}",
                "no key in any answer",
                f"{exchange.status} {known.shown(exchange.answer)}",
                (exchange,),
            )
    if exchange.status >= 400 and (trace := _TRACES.search(exchange.answer)):
        yield Finding(
            "SAFE-2",
            label,
            f"A {exchange.status} shows a stack trace",
            "an error that says what was wrong with the request",
            known.shown(exchange.answer[trace.start() :]),
            (exchange,),
        )


__all__ = ["check"]
