"""Signals on the conforming server: modack, and what settles an attempt: ack, nack and defer."""

from __future__ import annotations

from typing import Any

from .choices import Operation
from .ingress import Ingress
from .json_values import integer_of
from .values import (
    BACK_OFF,
    DIGITS,
    INT32,
    INT64,
    LEASE,
    SETTLEMENT_MEMBERS,
    Action,
    Extension,
    Refused,
    Settlement,
    Terms,
    bad_request,
)


class Signals(Ingress):
    """How leases are extended and attempts settled."""

    def read_extension(self, body: Any) -> Extension:
        if not isinstance(body, dict):
            raise bad_request("the body is not an object")
        self.check_members(body, {"action_record_id", "attempt", "mod_ack"})
        return Extension(self.id_of(body), self.attempt_of(body), self.seconds_of(body))

    def id_of(self, body: dict[str, Any]) -> str:
        value = body.get("action_record_id")
        if not isinstance(value, str) or not DIGITS.fullmatch(value):
            raise bad_request("action_record_id is not a string of digits")
        return value

    def attempt_of(self, body: dict[str, Any]) -> int:
        attempt = integer_of(body.get("attempt"))
        if attempt is None or not 0 <= attempt <= INT32:
            raise bad_request("attempt is not an int32 of at least 0")
        return attempt

    def seconds_of(self, body: dict[str, Any]) -> int:
        seconds = integer_of(body.get("mod_ack"))
        if seconds is None or not 1 <= seconds <= INT64:
            raise bad_request("mod_ack is not an int64 of at least 1")
        return seconds

    def extend(self, action: Action, seconds: float) -> None:
        """Move the deadline of the attempt, counted as `Choices.extend_from` says (B125)."""
        base = self.now() if self.choices.extend_from == "now" else action.deadline
        action.deadline = min(base + seconds, action.ends)

    def modack_answer(self) -> Any:
        return {"data": {"status": "ok"}}

    def read_settlement(self, operation: Operation, body: Any) -> Settlement:
        if not isinstance(body, dict):
            raise bad_request("the body is not an object")
        self.check_members(
            body, SETTLEMENT_MEMBERS | {"terms"} if operation == "nack" else SETTLEMENT_MEMBERS
        )
        terms = self.terms_of(body) if operation == "nack" else Terms()
        return Settlement(self.id_of(body), self.attempt_of(body), terms)

    def terms_of(self, body: dict[str, Any]) -> Terms:
        terms = body.get("terms", {})
        if not isinstance(terms, dict):
            raise bad_request("terms is not an object")
        self.check_members(terms, {"retry_at", "retry"})
        retry, retry_at = terms.get("retry", True), integer_of(terms.get("retry_at", 0))
        if not isinstance(retry, bool):
            raise bad_request("terms.retry is not a boolean")
        if retry_at is None or retry_at < 0:
            raise bad_request("terms.retry_at is not an integer of at least 0")
        return Terms(retry_at if "retry_at" in terms else None, retry)

    def is_repeated(self, operation: Operation, action: Action, attempt: int) -> bool:
        """Whether this is an ack of the attempt that was acked, and may be one."""
        again = action.acked and attempt == action.attempt
        return operation == "ack" and again and self.choices.second_ack == "ok"

    def settle(self, operation: Operation, action: Action, terms: Terms) -> None:
        if operation == "ack":
            self.succeed(action)
        elif operation == "defer":
            self.take_custody(action)
        else:
            self.give_back(action, terms)

    def succeed(self, action: Action) -> None:
        action.acked = True
        self.end(action, "succeeded", "acked", self.now())

    def take_custody(self, action: Action) -> None:
        """Count silence as success from here on; a second defer changes nothing (B141)."""
        if action.status == "deferred":
            return
        action.status = "deferred"
        action.deadline = min(max(action.deadline, self.now() + LEASE), action.ends)
        self.note(action, "deferred", self.now())

    def give_back(self, action: Action, terms: Terms) -> None:
        """End the attempt by a nack."""
        if action.status == "deferred":
            self.nack_deferred()
        elif not terms.retry:
            self.reject(action)
        else:
            self.schedule_retry(action, terms)

    def nack_deferred(self) -> None:
        """Refuse a nack of deferred work, or ignore it (`Choices.nack_after_defer`)."""
        if self.choices.nack_after_defer == "refuse":
            raise Refused(409, "DEFERRED_ACTION", "deferred work is not given back")

    def reject(self, action: Action) -> None:
        action.error = "the attempt was rejected"
        self.end(action, "failed", "rejected", self.now())

    def schedule_retry(self, action: Action, terms: Terms) -> None:
        """Let the next attempt begin at the time that the terms ask for, or `BACK_OFF` seconds from now."""
        now = self.now()
        action.status = "retrying" if terms.retry_at is None else "scheduled"
        begins = now + BACK_OFF if terms.retry_at is None else max(now, terms.retry_at)
        action.deadline = min(begins, action.ends)
        self.note(action, "nacked", now)

    def settle_answer(self) -> Any:
        return {"data": {"status": "ok"}}


__all__ = ["Signals"]
