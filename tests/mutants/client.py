"""A client of one conforming server or mutant, which can also move that server's clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from tests.clocks import FIRST_TIME, VirtualClock
from tests.in_process import answered, ask
from tests.replies import Reply

from .conforming_server import DEFAULT_CHOICES, KEYS, Choices, ConformingServer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

T = TypeVar("T")

GOOD, OTHER = KEYS
"""The keys of organisations 1 and 2."""
PUT_PATH = "/v1/orgs/1/actions/definitions"
ABSENT: Any = object()
"""In the place of a member's value: the member is left out."""
NO_KEY = {"x-arklow-auth": "-"}


class Client:
    """Speaks to a server in this process, whose clock it can move."""

    def __init__(self, app: WSGIApplication, clock: VirtualClock) -> None:
        self.app = app
        self.clock = clock

    def call(
        self,
        method: str,
        path: str,
        body: Any = ABSENT,
        *,
        raw: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Send one request with a good key and JSON's type, unless headers say otherwise; "-" leaves one out."""
        named = {"x-arklow-auth": GOOD, "content-type": "application/json"} | (headers or {})
        named = {name: value for name, value in named.items() if value != "-"}
        content = raw if body is ABSENT else json.dumps(body).encode()
        return ask(self.app, method, path, content, named)

    def put(self, variant: str = "v", path: str = PUT_PATH, headers: Any = None, **members: Any) -> Reply:
        """PUT a definition with an open schema, unless members say otherwise."""
        body = {"variant": variant, "schema": {}} | members
        return self.call("PUT", path, present(body), headers=headers)

    def ingress(self, variant: str = "v", headers: Any = None, **members: Any) -> Reply:
        """POST work."""
        body = {"payload": {"n": 1}} | members
        return self.call("POST", f"/v1/ingress/{variant}", present(body), headers=headers)

    def ingress_raw(self, raw: bytes, path: str = "/v1/ingress/v", headers: Any = None) -> Reply:
        """POST bytes as they are."""
        return self.call("POST", path, raw=raw, headers=headers)

    def modack(
        self, action: Any, attempt: Any = 0, mod_ack: Any = 60, headers: Any = None, wait: float = 0
    ) -> Reply:
        """Extend a lease by `mod_ack` seconds, `wait` seconds from now on the server's clock."""
        self.clock.wait(wait)
        body = {"action_record_id": action, "attempt": attempt, "mod_ack": mod_ack}
        return self.call("POST", "/v1/modack", present(body), headers=headers)

    def settle(self, operation: str, action: Any, attempt: Any = 0, wait: float = 0, **members: Any) -> Reply:
        """Send an ack, nack or defer, `wait` seconds from now on the server's clock."""
        self.clock.wait(wait)
        body = {"action_record_id": action, "attempt": attempt} | members
        return self.call("POST", f"/v1/{operation}", body)

    def record(self, action: str = "", query: str = "") -> Reply:
        """GET one record with its events, or the list."""
        path = "/v1/orgs/1/actions/records"
        return self.call("GET", f"{path}/{action}" if action else path + query)

    def action(self, **members: Any) -> str:
        """Define the variant `v`, POST work for it, and return the action's id."""
        self.put()
        return str(self.ingress(**members).data["a_id"])

    def together(self, steps: Sequence[Callable[[], T]]) -> list[T]:
        """Take steps at the same moment: where one lets time pass, the next one goes on. Returns what each returns."""
        found: dict[int, T] = {}

        def taken(index: int, step: Callable[[], T]) -> Callable[[], None]:
            return lambda: found.update({index: step()})

        self.clock.together([taken(index, step) for index, step in enumerate(steps)])
        return [found[index] for index in range(len(steps))]

    def send(self, text: bytes) -> bytes:
        """Send bytes as they are over one connection, and return all that comes back."""
        return answered(self.app, text)


def present(body: dict[str, Any]) -> dict[str, Any]:
    """The members of a body that are not to be left out."""
    return {name: value for name, value in body.items() if value is not ABSENT}


@contextmanager
def speaking(make: Callable[..., ConformingServer], choices: Choices = DEFAULT_CHOICES) -> Iterator[Client]:
    """Yield a client of what `make` makes of choices, keys and a clock."""
    clock = VirtualClock()
    yield Client(make(choices, KEYS, clock), clock)


__all__ = ["ABSENT", "FIRST_TIME", "GOOD", "NO_KEY", "OTHER", "PUT_PATH", "Client", "speaking"]
