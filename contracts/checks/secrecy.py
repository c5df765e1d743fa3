"""Whether an answer shows a secret: a key, or the inside of the program."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from ..core.exchange import Exchange
from ..core.findings import Finding
from ..core.secrets import recogniser_of
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
            context.shown(exchange.answer[trace.start() :], clear=trace[0]),
            (exchange,),
        )


def shown_keys(exchange: Exchange, context: CheckContext) -> Iterator[Finding]:
    """Look for the keys of the target in an answer, other than those that stood in the URL of its request: SAFE-1."""
    if exchange.path is None:
        return
    answer = " ".join([exchange.answer.decode("latin-1"), *(value for _, value in exchange.answer_headers)])
    credentials = context.target.credentials
    recogniser = recogniser_of({one.key: f"${one.name}" for one in credentials})
    found = recogniser.found(answer)
    asked = recogniser.found(exchange.url) if found else frozenset()
    for credential in credentials:
        if f"${credential.name}" in found - asked:
            is_plain = credential.key in answer
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


__all__ = ["check", "shown_keys"]
