"""What the answer to a webhook call makes of its attempt: pure functions of the answer."""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple

from .leases import SECOND
from .states import Event

REFUSED_FOR: Final = 60 * SECOND
"""The pause after a 4xx that names none (B105)."""
_BACK_OFF_TOO: Final = frozenset({408, 409, 425})
"""4xx whose next attempt follows after the back-off, as after a 5xx (B104)."""
_SIGNALS: Final = {"ack": Event.ACK, "nack": Event.NACK, "mod_ack": Event.HAND_OFF}
_SECONDS: Final = re.compile(r"[0-9]{1,15}")


class Reply(NamedTuple):
    """The answer to a webhook call."""

    status: int
    headers: tuple[tuple[str, str], ...]
    """(name in lower case, value), in their order."""
    body: bytes
    """As much of it as was read."""
    whole: bool
    """Whether that is the whole body."""
    retry_after: int | None
    """What `Retry-After` asks for, in milliseconds from now; None without it."""

    def header(self, name: str) -> str | None:
        """Return the first value of a header, without blanks around it; None without the header."""
        return next((value.strip(" \t") for key, value in self.headers if key == name), None)


class Meaning(NamedTuple):
    """What an answer makes of its attempt."""

    event: Event
    pause: int | None = None
    """Milliseconds: the lease of a hand-off, else the time until the next attempt. None stands for the usual lease, or for the
    back-off."""
    note: str = ""
    """Which part of the answer was ignored, and why; empty for none."""


UNANSWERED: Final = Meaning(Event.UNANSWERED)
"""What a call without a usable answer makes of its attempt (B107)."""


def meaning(reply: Reply, *, acks_by_default: bool) -> Meaning:
    """Return what an answer makes of its attempt.

    The class of the status decides (Q32). A 2xx may carry a signal, in its headers or else in its body (B093 to B100); without
    one it is an ack if the destination `acks_by_default`, else a hand-off.
    """
    status = reply.status
    if 200 <= status < 300:
        return _signalled(reply, acks_by_default)
    if status == 429:
        return Meaning(Event.RATE_LIMIT, _named(reply.retry_after))
    if status in _BACK_OFF_TOO:
        return Meaning(Event.REFUSE)
    if 400 <= status < 500:
        return Meaning(Event.REFUSE, _named(reply.retry_after) or REFUSED_FOR)
    return Meaning(Event.UNAVAILABLE)  # B103; also for a status that no page lists (Q30)


def _named(pause: int | None) -> int | None:
    """A pause that was asked for, but at least a second, or attempts would follow each other at one moment (ours)."""
    return None if pause is None else max(pause, SECOND)


def _signalled(reply: Reply, acks_by_default: bool) -> Meaning:
    word, value, place = reply.header("x-arklow-signaling"), reply.header("x-arklow-signaling-val"), "header"
    note = ""
    if word is not None and word not in _SIGNALS:
        note = f"header x-arklow-signaling: expected ack, nack or mod_ack, got {word[:40]!r}; not heeded"
        word = None
    if word is None:
        word, value, place = *_in_body(reply), "body"
        if word is not None and word not in _SIGNALS:
            note = (
                f"body/__arklow__/signal: expected ack, nack or mod_ack, got {str(word)[:40]!r}; not heeded"
            )
            word = None
    if word is None:
        return Meaning(Event.ACK if acks_by_default else Event.HAND_OFF, None, note)
    event = _SIGNALS[word]
    seconds = _seconds(value)
    if value is not None and seconds is None and event is not Event.ACK:
        where = "header x-arklow-signaling-val" if place == "header" else "body/__arklow__/value"
        note = f"{where}: expected whole seconds from 1, got {str(value)[:40]!r}; not heeded"
    pause = None if seconds is None else seconds * SECOND
    if event is Event.NACK and pause is not None:
        return Meaning(Event.SCHEDULE, pause, note)
    return Meaning(event, pause, note)


def _in_body(reply: Reply) -> tuple[Any, Any]:
    """(signal, value) of the body (B094); None for what is absent."""
    if not reply.whole or b"arklow" not in reply.body:
        return None, None
    try:
        body = json.loads(reply.body)
    except (ValueError, RecursionError):
        return None, None
    member = body.get("__arklow__") if isinstance(body, dict) else None
    if not isinstance(member, dict):
        return None, None
    word = member.get("signal")
    return (word if isinstance(word, str) or word is None else repr(word)), member.get("value")


def _seconds(value: Any) -> int | None:
    """Whole seconds from 1, as a number or as digits; None for anything else (Q34)."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if value < 10**15 else ""
    if not isinstance(value, str) or not _SECONDS.fullmatch(value):
        return None
    return int(value) or None
