"""The in-memory store: plain maps of frozen values, bounded over all actions of all organisations."""

from __future__ import annotations

from collections import deque

from ..domain.actions import Action
from ..domain.definitions import Registry

_NO_DEFINITIONS = Registry()


class MemoryStore:
    """Keeps at most `max_actions` actions and `max_payload_bytes` bytes of their payloads, metadata and tags.

    Every action lives equally long, so the oldest one is the first to finish: dropping from the old end
    drops the oldest finished first, and open ones only when no finished one is left.
    """

    def __init__(self, max_actions: int, max_payload_bytes: int) -> None:
        self._max_actions = max_actions
        self._max_payload_bytes = max_payload_bytes
        self._registries: dict[str, Registry] = {}
        self._actions: dict[tuple[str, str], Action] = {}
        self._oldest_first: deque[tuple[str, str]] = deque()
        self._payload_bytes = 0

    def registry(self, org_id: str) -> Registry:
        """The organisation's definitions; an empty registry for one never seen."""
        return self._registries.get(org_id, _NO_DEFINITIONS)

    def save_registry(self, org_id: str, registry: Registry) -> None:
        """Replace the organisation's definitions."""
        self._registries[org_id] = registry

    def action(self, org_id: str, action_id: str) -> Action | None:
        """The action as last saved, or None."""
        return self._actions.get((org_id, action_id))

    def add_action(self, action: Action) -> None:
        """Keep a new action; drops the oldest ones while a bound is passed, never this one."""
        key = (action.org_id, action.id)
        self._actions[key] = action
        self._oldest_first.append(key)
        self._payload_bytes += _size(action)
        while len(self._oldest_first) > 1 and (
            len(self._oldest_first) > self._max_actions or self._payload_bytes > self._max_payload_bytes
        ):
            self._payload_bytes -= _size(self._actions.pop(self._oldest_first.popleft()))

    def save_action(self, action: Action) -> None:
        """Replace an action that is kept already."""
        self._actions[(action.org_id, action.id)] = action


def _size(action: Action) -> int:
    tags = sum(len(name) + len(value) for name, value in action.tags)
    return len(action.payload) + len(action.metadata) + tags
