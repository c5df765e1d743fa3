"""Exchanges and findings as JSON data, and back, so that a finding of a report can be replayed; keys never stand in it."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping
from typing import Any

from .exchange import LONG_TEXT, Exchange, redact
from .findings import Finding
from .target import Target

_LONGEST_ANSWER = 20_000
"""Bytes of an answer that are written down: a finding rests on the beginning, and reports are read by people."""


def exchange_data(exchange: Exchange, secrets: Mapping[str, str], bases: Collection[str]) -> dict[str, Any]:
    """Return an exchange as JSON data (member → value), with its path in place of its URL.

    `secrets` has key → shell expression: the expression stands where the key stood. `bases` are the base URLs of the
    target, of which the longest that fits is taken off.
    """
    base = max((one for one in bases if exchange.url.startswith(f"{one}/")), key=len, default="")
    return {
        "method": exchange.method,
        "path": redact(exchange.url[len(base) :], secrets),
        "headers": [[name, secrets.get(value) or redact(value, secrets)] for name, value in exchange.headers],
        "body": None if exchange.body is None else _bytes_data(exchange.body, secrets),
        "chunks": list(exchange.chunks),
        "status": exchange.status,
        "answer_headers": [
            [name, redact(value, secrets, is_cut=len(value) == LONG_TEXT)]
            for name, value in exchange.answer_headers
        ],
        "answer": _bytes_data(
            exchange.answer[:_LONGEST_ANSWER],
            secrets,
            is_cut=bool(exchange.whole) or len(exchange.answer) > _LONGEST_ANSWER,
        ),
        "operation": exchange.operation,
        "template": exchange.path,
        "call": exchange.call,
        "back": exchange.back,
        "waited": exchange.waited,
        "at": exchange.at,
        "trace": exchange.trace,
        "unread": exchange.unread,
        "whole": exchange.whole,
    }


def _exchange_from(data: Mapping[str, Any], target: Target) -> Exchange:
    """Return the exchange of `exchange_data`, with the keys of a target whose credentials have the names of then.

    Raises:
        KeyError, TypeError, ValueError: the data are not those of an exchange.
    """
    keys = _keys_by_expression(target)
    path = _with_keys(data["path"], keys)
    return Exchange(
        data["method"],
        target.base_of(path) + path,
        tuple((str(name), _with_keys(value, keys)) for name, value in data["headers"]),
        None if data["body"] is None else _bytes_from(data["body"], keys),
        int(data["status"]),
        tuple((str(name), str(value)) for name, value in data["answer_headers"]),
        _bytes_from(data["answer"], keys),
        data["operation"],
        data["template"],
        float(data["call"]),
        float(data["back"]),
        float(data["waited"]),
        tuple(map(int, data["chunks"])),
        float(data["at"]),
        str(data["trace"]),
        str(data["unread"]),
        str(data["whole"]),
    )


def finding_from(data: Mapping[str, Any], target: Target) -> Finding:
    """Return the finding of a report, with the keys of a target whose credentials have the names of then.

    Raises:
        KeyError, TypeError, ValueError: the data are not those of a finding.
    """
    reproduced = data["reproduced"]
    return Finding(
        data["rule"],
        data["operation"],
        data["title"],
        data["expected"],
        data["actual"],
        exchanges=tuple(_exchange_from(one, target) for one in data["script"]),
        place=_with_keys(data["place"], _keys_by_expression(target)),
        question=data["question"],
        fault=data["fault"],
        together=int(data["together"]),
        needs_sequence=data["staged"],
        times=int(data["times"]),
        confirmed=reproduced["shown"],
        attempts=reproduced["tried"],
    )


def _bytes_data(content: bytes, secrets: Mapping[str, str], *, is_cut: bool = False) -> dict[str, str]:
    """Return bytes under the name `text` where they are UTF-8, else as Base64 under the name `base64`.

    `is_cut`: they are the beginning of more.
    """
    without_keys = redact(content.decode("latin-1"), secrets, is_cut=is_cut).encode("latin-1")
    try:
        return {"text": without_keys.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(without_keys).decode()}


def _bytes_from(data: Mapping[str, str], keys: Mapping[str, str]) -> bytes:
    if "text" in data:
        return _with_keys(data["text"], keys).encode("utf-8")
    return _with_keys(base64.b64decode(data["base64"]).decode("latin-1"), keys).encode("latin-1")


def _keys_by_expression(target: Target) -> dict[str, str]:
    """Return shell expression → the key that it stands for."""
    found: dict[str, str] = {}
    for key, expression in target.secrets.items():
        found.setdefault(expression, key)
    return found


def _with_keys(text: str, keys: Mapping[str, str]) -> str:
    """Replace shell expressions by their keys; the longest first, as one may be the beginning of another."""
    expressions = sorted(keys, key=len, reverse=True)
    pattern = "|".join(rf"{re.escape(one)}(?![A-Za-z0-9_])" for one in expressions)
    return re.sub(pattern, lambda found: keys[found[0]], text) if pattern else text


__all__ = ["exchange_data", "finding_from"]
