"""The entries of a journal as JSON."""

from __future__ import annotations

from typing import Any, Final

from ..domain.journal import (
    MASK,
    CommandEntry,
    Delivery,
    DeliveryEntry,
    Entry,
    ExchangeEntry,
    Headers,
    TransitionEntry,
)
from ..timestamps import timestamp

_KINDS: Final = {
    ExchangeEntry: "request",
    TransitionEntry: "transition",
    CommandEntry: "command",
    DeliveryEntry: "delivery",
}

SECRET: Final = frozenset(
    {b"x-arklow-auth", b"authorization", b"cookie", b"proxy-authorization", b"set-cookie"}
)
"""Headers whose values nobody is shown."""


def pairs(headers: Headers) -> list[tuple[str, str]]:
    """Headers as text, in their order, with what is secret masked."""
    return [
        (name.decode("latin-1"), MASK if name.lower() in SECRET else value.decode("latin-1"))
        for name, value in headers
    ]


def kind(entry: Entry) -> str:
    """`request`, `transition`, `command` or `delivery`."""
    return _KINDS[type(entry)]


def names(entry: Entry, action_id: str) -> bool:
    """Whether the entry is about an action: its transition, or a request or command that mentions its id."""
    match entry:
        case TransitionEntry():
            return entry.action_id == action_id
        case DeliveryEntry():
            return entry.delivery.action_id == action_id
        case CommandEntry():
            return action_id in entry.details
        case ExchangeEntry():
            sought = action_id.encode()
            return action_id in entry.path or sought in entry.body or sought in entry.answer


def shown(entry: Entry) -> dict[str, Any]:
    """The entry in full."""
    head = {"number": entry.number, "at": timestamp(entry.at), "kind": kind(entry)}
    match entry:
        case TransitionEntry():
            event = entry.event
            return head | {
                "action_record_id": entry.action_id,
                "event": event.kind.value,
                "status": event.state.status.value,
                "attempt": event.attempt,
                "available_at": timestamp(event.available_at),
            }
        case CommandEntry():
            return head | {"name": entry.name, "details": entry.details}
        case DeliveryEntry():
            return head | _delivery(entry.delivery)
        case ExchangeEntry():
            cut = entry.body_length > len(entry.body) or entry.answer_length > len(entry.answer)
            return (
                head
                | {
                    "method": entry.method,
                    "path": entry.path,
                    "query": _text(entry.query),
                    "headers": _joined(entry.headers),
                    "body": _text(entry.body),
                    "status": entry.status,
                    "answer_headers": _joined(entry.answer_headers),
                    "answer": _text(entry.answer),
                }
                | ({"cut": True} if cut else {})
                | ({"fault": entry.fault} if entry.fault else {})
            )


def _delivery(told: Delivery) -> dict[str, Any]:
    cut = told.body_length > len(told.body) or told.answer_length != len(told.answer)
    return {
        "action_record_id": told.action_id,
        "attempt": told.attempt,
        "destination": told.label,
        "type": told.kind,
        "url": told.url or None,
        "headers": _joined(told.headers),
        "body": _text(told.body),
        "status": told.status or None,
        "answer_headers": _joined(told.answer_headers),
        "answer": _text(told.answer),
        "outcome": told.outcome or None,
        "note": told.note,
    } | ({"cut": True} if cut and told.status else {})


def _joined(headers: Headers) -> dict[str, str]:
    """Name → value; several values of one name are one list (RFC 9110 §5.3)."""
    found: dict[str, str] = {}
    for name, value in pairs(headers):
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
