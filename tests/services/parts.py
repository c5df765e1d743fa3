"""What tests of services share: a mock without a web server, its parts, and what the journal has of an organisation."""

from __future__ import annotations

from typing import Any

from mock_server.adapters.id_suffixes import IdSuffixes
from mock_server.adapters.webhook_client import WebhookClient
from mock_server.domain.interpretations import Interpretations
from mock_server.domain.journal import Entry, TransitionEntry
from mock_server.domain.ports import Organisation
from mock_server.domain.states import Event
from mock_server.services.deliveries import Deliveries
from mock_server.services.ingress import Ingress
from mock_server.services.payloads import PayloadSchemas
from mock_server.services.timers import Timers
from mock_server.storage.memory import MemoryStore
from tests.api.asgi import World
from tests.corpus.still_loop import LoopClock
from tests.pools import PoolHere

SECOND = 1_000
"""Milliseconds."""
START = 1_700_000_000_000
"""Where a manual clock begins."""


def world(**settings: Any) -> World:
    """A mock on a manual clock, where an unknown variant gets a definition."""
    return World(auto_define=True, **settings)


def parts() -> tuple[MemoryStore, Timers, Ingress]:
    """A store, its timers on the clock of a `StillLoop`, and ingress into it."""
    store = MemoryStore(10, 1 << 20, journal_limit=100, suffix=IdSuffixes().of, seed=0)
    timers = Timers(store, LoopClock(START), Deliveries(WebhookClient()))
    interpretations = Interpretations(unknown_variant="made on the fly")
    return store, timers, Ingress(store, timers, PayloadSchemas(PoolHere()), interpretations)


def entries(world: World, org_id: str = "42") -> list[Entry]:
    """All entries of a journal."""
    return list(world.app.administration.organisation(org_id).journal.entries())


def event_kinds(organisation: Organisation) -> list[Event]:
    """The events of all actions of an organisation, in their order."""
    return [e.event.kind for e in organisation.journal.entries() if isinstance(e, TransitionEntry)]
