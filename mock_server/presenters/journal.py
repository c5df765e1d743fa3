"""The entries of a journal as JSON, with secrets masked."""

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
"""Headers whose values are masked wherever a journal is shown."""


def header_pairs(headers: Headers) -> list[tuple[str, str]]:
    """Return pairs of name and value as text, in their order; secret values are masked."""
    return [
        (name.decode("latin-1"), MASK if name.lower() in SECRET else value.decode("latin-1"))
        for name, value in headers
    ]


def entry_kind(entry: Entry) -> str:
    """Return `request`, `transition`, `command` or `delivery`."""
    return _KINDS[type(entry)]


def concerns(entry: Entry, action_id: str) -> bool:
    """Tell whether an entry is about an action: a transition or delivery of it, or a text with its id."""
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


def entry_json(entry: Entry) -> dict[str, Any]:
    """Return the members of an entry by name: number, time, kind, and those of its kind."""
    head = {"number": entry.number, "at": timestamp(entry.at), "kind": entry_kind(entry)}
    match entry:
        case TransitionEntry():
            return head | _transition(entry)
        case CommandEntry():
            return head | {"name": entry.name, "details": entry.details}
        case DeliveryEntry():
            return head | _delivery(entry.delivery)
        case ExchangeEntry():
            return head | _exchange(entry)


def _transition(entry: TransitionEntry) -> dict[str, Any]:
    event = entry.event
    return {
        "action_record_id": entry.action_id,
        "event": event.kind.value,
        "status": event.state.status.value,
        "attempt": event.attempt,
        "available_at": timestamp(event.available_at),
    }


def _exchange(entry: ExchangeEntry) -> dict[str, Any]:
    is_cut = entry.body_length > len(entry.body) or entry.answer_length > len(entry.answer)
    return (
        {
            "method": entry.method,
            "path": entry.path,
            "query": _text(entry.query),
            "headers": _joined(entry.headers),
            "body": _text(entry.body),
            "status": entry.status,
            "answer_headers": _joined(entry.answer_headers),
            "answer": _text(entry.answer),
        }
        | ({"cut": True} if is_cut else {})
        | ({"fault": entry.fault} if entry.fault else {})
    )


def _delivery(delivery: Delivery) -> dict[str, Any]:
    is_cut = delivery.body_length > len(delivery.body) or delivery.answer_length != len(delivery.answer)
    return {
        "action_record_id": delivery.action_id,
        "attempt": delivery.attempt,
        "destination": delivery.label,
        "type": delivery.kind,
        "url": delivery.url or None,
        "headers": _joined(delivery.headers),
        "body": _text(delivery.body),
        "status": delivery.status or None,
        "answer_headers": _joined(delivery.answer_headers),
        "answer": _text(delivery.answer),
        "outcome": delivery.outcome or None,
        "note": delivery.note,
    } | ({"cut": True} if is_cut and delivery.status else {})


def _joined(headers: Headers) -> dict[str, str]:
    """Name → value; several values of one name are one list (RFC 9110 §5.3)."""
    found: dict[str, str] = {}
    for name, value in header_pairs(headers):
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


__all__ = ["SECRET", "concerns", "entry_json", "entry_kind", "header_pairs"]
