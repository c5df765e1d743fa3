"""Records on the conforming server: one action with its events, and pages of them."""

from __future__ import annotations

import re
from typing import Any

from flask import request

from .signals import Signals
from .values import INT32, LIFETIME, Action, Page, bad_request, timestamp


class Records(Signals):
    """How actions are shown."""

    def read_page(self) -> Page:
        return Page(
            self.integer_parameter("take", 20, 1, 50),
            self.integer_parameter("skip", 0, 0, INT32),
            self.boolean_parameter("count_only"),
            self.boolean_parameter("asc"),
        )

    def integer_parameter(self, name: str, default: int, least: int, most: int) -> int:
        text = request.args.get(name, str(default))
        if not re.fullmatch("[0-9]{1,10}", text) or not least <= int(text) <= most:
            raise bad_request(f"{name} is not an integer from {least} to {most}")
        return int(text)

    def boolean_parameter(self, name: str) -> bool:
        if (text := request.args.get(name, "false")) not in ("true", "false"):
            raise bad_request(f"{name} is not true or false")
        return text == "true"

    def actions_of(self, org: str) -> list[Action]:
        """The actions of an organisation in the order of their acceptance, as they are now."""
        found = [action for action in self.actions.values() if action.definition.org_id == org]
        for action in found:
            self.elapse(action)
        return found

    def records_answer(self, found: list[Action], page: Page) -> Any:
        ordered = found if page.ascending else found[::-1]
        of_page = [] if page.count_only else ordered[page.skip : page.skip + page.take]
        items = [self.record_data(action) for action in of_page]
        return {"data": {"items": items, "count": len(found)}, "errors": None}

    def record_answer(self, action: Action) -> Any:
        return {"data": self.record_data(action) | {"events": action.events}, "errors": None}

    def record_data(self, action: Action) -> dict[str, Any]:
        return {
            "id": action.id,
            "org_id": action.definition.org_id,
            "action_definition_id": action.definition.id,
            "input": action.work.payload,
            "timeout": LIFETIME,
            "tags": action.work.tags,
            "state": self.state_data(action),
            "definition": self.definition_data(action.definition),
        }

    def state_data(self, action: Action) -> dict[str, Any]:
        return {
            "status": action.public_status,
            "attempt": action.attempt,
            "updated_at": timestamp(action.updated),
            "available_at": self.available_at(action),
            "timeout_at": timestamp(action.ends),
            "started_at": timestamp(action.started),
            "completed_at": timestamp(action.completed),
            "error_message": action.error,
        }


__all__ = ["Records"]
