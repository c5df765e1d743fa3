"""What a report keeps so that a finding can be played again, as JSON data and back; keys never stand in it."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping
from typing import Any

from .exchange import Exchange, redact
from .findings import Finding
from .target import Target

_LONGEST = 20_000
"""Bytes that are kept of an answer."""


def kept(exchange: Exchange, secrets: Mapping[str, str], bases: Collection[str]) -> dict[str, Any]:
    """An exchange with a target of these base URLs as JSON data; a key stands as the shell expression that makes it."""
    base = max((one for one in bases if exchange.url.startswith(f"{one}/")), key=len, default="")
    return {
        "method": exchange.method,
        "path": redact(exchange.url[len(base) :], secrets),
        "headers": [[name, secrets.get(value) or redact(value, secrets)] for name, value in exchange.headers],
        "body": None if exchange.body is None else _text(exchange.body, secrets),
        "chunks": list(exchange.chunks),
        "status": exchange.status,
        "answer_headers": [[name, redact(value, secrets)] for name, value in exchange.answer_headers],
        "answer": _text(exchange.answer[:_LONGEST], secrets),
        "operation": exchange.operation,
        "template": exchange.path,
        "call": exchange.call,
        "back": exchange.back,
        "waited": exchange.waited,
        "at": exchange.at,
        "trace": exchange.trace,
    }


def _restored(data: Mapping[str, Any], target: Target) -> Exchange:
    """The exchange, with the keys of the target; its credentials have the names that they had when it was kept.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    keys = _keys(target)
    path = _put(data["path"], keys)
    return Exchange(
        data["method"],
        target.base_of(path) + path,
        tuple((str(name), _put(value, keys)) for name, value in data["headers"]),
        None if data["body"] is None else _bytes(data["body"], keys),
        int(data["status"]),
        tuple((str(name), str(value)) for name, value in data["answer_headers"]),
        _bytes(data["answer"], keys),
        data["operation"],
        data["template"],
        float(data["call"]),
        float(data["back"]),
        float(data["waited"]),
        tuple(map(int, data["chunks"])),
        float(data["at"]),
        str(data["trace"]),
    )


def finding_of(data: Mapping[str, Any], target: Target) -> Finding:
    """The finding of which this is the record, with the keys of the target.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    again = data["reproduced"] or {"shown": 0, "tried": 0}
    return Finding(
        data["rule"],
        data["operation"],
        data["title"],
        data["expected"],
        data["actual"],
        exchanges=tuple(_restored(one, target) for one in data["script"]),
        place=_put(data["place"], _keys(target)),
        question=data["question"],
        together=data["together"],
        staged=data["staged"],
        times=int(data["times"]),
        also=tuple(data["also"]),
        shown=again["shown"],
        tried=again["tried"],
    )


def _text(content: bytes, secrets: Mapping[str, str]) -> dict[str, str]:
    """Bytes as text where they are text, else as Base64."""
    plain = redact(content.decode("latin-1"), secrets).encode("latin-1")
    try:
        return {"text": plain.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(plain).decode()}


def _bytes(data: Mapping[str, str], keys: Mapping[str, str]) -> bytes:
    if "text" in data:
        return _put(data["text"], keys).encode("utf-8")
    return _put(base64.b64decode(data["base64"]).decode("latin-1"), keys).encode("latin-1")


def _keys(target: Target) -> dict[str, str]:
    """Shell expression → the key that it makes."""
    found: dict[str, str] = {}
    for key, expression in target.secrets.items():
        found.setdefault(expression, key)
    return found


def _put(text: str, keys: Mapping[str, str]) -> str:
    words = sorted(keys, key=len, reverse=True)
    pattern = "|".join(rf"{re.escape(word)}(?![A-Za-z0-9_])" for word in words)
    return re.sub(pattern, lambda found: keys[found[0]], text) if pattern else text


__all__ = ["finding_of", "kept"]
