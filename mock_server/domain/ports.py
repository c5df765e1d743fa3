"""What the services need of the outside, as protocols."""

from __future__ import annotations

from typing import Protocol

from .actions import Action
from .definitions import Registry
from .json_text import Json


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> int:
        """Milliseconds since the Unix epoch; never goes back."""
        ...


class Ids(Protocol):
    """Makes ids: decimal strings of 19 digits that grow within an organisation (B010, Q11)."""

    def next(self, org_id: str) -> str:
        """A fresh id of this organisation."""
        ...

    def issued(self, org_id: str, number: str) -> bool:
        """Whether `next` gave out this id for this organisation."""
        ...


class Store(Protocol):
    """Keeps the organisations' definitions and actions. Values are replaced whole, never changed."""

    def registry(self, org_id: str) -> Registry:
        """The organisation's definitions; an empty registry for one never seen."""
        ...

    def save_registry(self, org_id: str, registry: Registry) -> None:
        """Replace the organisation's definitions."""
        ...

    def action(self, org_id: str, action_id: str) -> Action | None:
        """The action as last saved, or None."""
        ...

    def add_action(self, action: Action) -> None:
        """Keep a new action; may drop older ones to stay within the bound."""
        ...

    def save_action(self, action: Action) -> None:
        """Replace an action that is kept already."""
        ...


class Schemas(Protocol):
    """Compiles and applies the JSON Schemas of definitions within a bounded time."""

    async def standing(self, schema: Json) -> str:
        """Empty when the schema will be enforced, else one line that says why it checks nothing."""
        ...

    async def check(self, schema: Json, payload: Json) -> None:
        """Return when the payload fits.

        Raises:
            PayloadRejected: it does not.
            PayloadUndecided: it could not be told within the time allowed.
        """
        ...
