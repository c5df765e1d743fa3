"""Mutations that several mutants share: each leaves one question open, which the mutant answers.

Beside the catalogue and the holdout, since both use them; a base that only one file needs stays in that file.
"""

from __future__ import annotations

from typing import Any

from flask import Response

from .conforming_server import Action, ConformingServer, Definition, Operation, crash


class AltersAnswer(ConformingServer):
    """The answers of one status to one operation have another body, status or head."""

    operation: Operation
    status = 200

    def alter(self, response: Response, body: Any) -> None:
        """Alter the response in place; `body` is what it says, as JSON values."""
        raise NotImplementedError

    def render(self, operation: Operation, status: int, body: Any) -> Response:
        response = super().render(operation, status, body)
        if (operation, status) == (self.operation, self.status):
            self.alter(response, body)
        return response

    def set_body(self, response: Response, body: Any) -> None:
        """Put another JSON value in the place of the body."""
        response.set_data(self.dump(body))


class AltersData(AltersAnswer):
    """The data of the answers to one operation are another value."""

    def altered(self, data: Any) -> Any:
        """The value in the place of the data."""
        raise NotImplementedError

    def alter(self, response: Response, body: Any) -> None:
        if body["data"] is not None:
            self.set_body(response, body | {"data": self.altered(body["data"])})


class AltersActionData(ConformingServer):
    """Some members of an ingress answer have other values."""

    def altered(self, data: dict[str, Any]) -> dict[str, Any]:
        """The members that differ, by name."""
        raise NotImplementedError

    def action_data(self, action: Action) -> dict[str, Any]:
        data = super().action_data(action)
        return data | self.altered(data)


class AltersDefinitionData(ConformingServer):
    """Some members of a definition have other values where it is shown."""

    def altered(self, data: dict[str, Any]) -> dict[str, Any]:
        """The members that differ, by name."""
        raise NotImplementedError

    def definition_data(self, definition: Definition) -> dict[str, Any]:
        data = super().definition_data(definition)
        return data | self.altered(data)


class CrashesOnBody(ConformingServer):
    """Some bodies that can be read are answered with 500."""

    def crashes_on(self, body: Any) -> bool:
        """Whether this body is one of them."""
        raise NotImplementedError

    def read_body(self, operation: Operation) -> Any:
        body = super().read_body(operation)
        if self.crashes_on(body):
            crash()
        return body


class Remembers(ConformingServer):
    """Counts requests and remembers values, for mutations that depend on what came before."""

    def __init__(self, *args: Any, **members: Any) -> None:
        super().__init__(*args, **members)
        self.count = 0
        self.seen: dict[Any, Any] = {}

    def counted(self) -> int:
        """Count one more, and return the count."""
        with self.lock:
            self.count += 1
            return self.count


class Raced(ConformingServer):
    """Between two steps of one request there is a window in which other requests run."""

    window = 0.003
    """Seconds; long enough that requests of one volley meet in it."""

    def pause(self) -> None:
        """Let other requests in for the length of the window; called with all state held."""
        self.lock.release()
        self.clock.pause(self.window)
        self.lock.acquire()


def names_in(value: Any) -> set[str]:
    """Every member name at any level of a JSON value."""
    if isinstance(value, list):
        return set().union(*map(names_in, value))
    return set(value).union(*map(names_in, value.values())) if isinstance(value, dict) else set()


def integers_in(value: Any) -> list[int]:
    """Every integer at any level of a JSON value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for item in value for number in integers_in(item)]
    return [value] if isinstance(value, int) and not isinstance(value, bool) else []


def without(value: dict[str, Any], name: str) -> dict[str, Any]:
    """An object without one of its members."""
    return {other: item for other, item in value.items() if other != name}


__all__ = [
    "AltersActionData",
    "AltersAnswer",
    "AltersData",
    "AltersDefinitionData",
    "CrashesOnBody",
    "Raced",
    "Remembers",
    "integers_in",
    "names_in",
    "without",
]
