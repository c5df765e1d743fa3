"""The composition root: the only module that chooses clock, ids and store, and joins all parts to one application."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from .adapters.clocks import SystemClock
from .adapters.id_suffixes import IdSuffixes
from .adapters.process_pool import PebbleProcessPool
from .adapters.webhook_client import WebhookClient
from .api import pages
from .api.body_adapters import body_adapters
from .api.connexion_app import connexion_app
from .api.coverage import Coverage, coverage_of
from .api.document import Document
from .api.error_boundary import ErrorBoundary
from .api.errors import statuses
from .api.exchange import Exchange
from .api.handlers import handlers
from .api.pages import Pages
from .api.prepared_operation import Handler, OperationContext
from .api.security import Keys
from .api.stubs import NoStub, completed_handler, stub_handler
from .domain.ports import Clock, ProcessPool, Store, WebhookCaller
from .services.administration import Administration
from .services.definitions import Definitions
from .services.deliveries import Deliveries
from .services.faults import Faults
from .services.ingress import Ingress
from .services.payloads import PayloadSchemas
from .services.records import Records
from .services.signals import Signals
from .services.timers import Timers
from .settings import WRITTEN_FOR, Settings
from .storage.memory import MemoryStore

if TYPE_CHECKING:
    from .seeds.watcher import SeedFile
    from .services.provisioning import Provisioner


class CannotServe(Exception):
    """The document has an operation that cannot be answered; the message says which and why."""


class Application:
    """The mock as an ASGI application, with the world behind it and what it serves of its document."""

    def __init__(
        self,
        app: ASGIApp,
        store: Store,
        administration: Administration,
        faults: Faults,
        coverage: Coverage,
        process_pools: Sequence[ProcessPool],
        deliveries: Deliveries,
        seed_file: SeedFile | None,
    ) -> None:
        self._app = app
        self._seed_file = seed_file
        self._process_pools = process_pools
        self._deliveries = deliveries
        self.store = store
        self.administration = administration
        self.faults = faults
        self.coverage = coverage

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        await self._app(scope, receive, send)

    @property
    def has_seed_file(self) -> bool:
        """Whether the settings name a seed file."""
        return self._seed_file is not None

    async def read_seed(self) -> None:
        """Read the seed file, if the settings name one. Any loop will do; `running` applies the file.

        Raises:
            BadSeed: the file cannot be used.
        """
        if self._seed_file is not None:
            await self._seed_file.read()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the seed file while the block runs, and end deliveries after it. Call on the serving loop."""
        try:
            async with self._seed_file.followed() if self._seed_file else nullcontext():
                yield
        finally:
            await self.end()

    async def end(self) -> None:
        """End deliveries under way. Call on the serving loop, after the last request."""
        await self._deliveries.close()

    def close(self) -> None:
        """Stop the processes beside the server."""
        for process_pool in self._process_pools:
            process_pool.close()


def create_app(
    settings: Settings | None = None,
    *,
    document: Document | None = None,
    clock: Clock | None = None,
    webhook_client: WebhookCaller | None = None,
    make_process_pool: Callable[[], ProcessPool] = PebbleProcessPool,
    timer: Callable[[], float] = time.perf_counter,
    log: Callable[[str], None] = lambda _: None,
) -> Application:
    """Build a mock with a world of its own.

    Worker processes import the main module again when they start, so a script that calls this needs the usual
    `if __name__ == "__main__":`.

    Args:
        settings: everything a caller may choose; the defaults unless given.
        document: what is served, already loaded; `settings.document` is loaded unless given.
        clock: the machine's clock unless given.
        webhook_client: calls webhooks; a client of the settings' hosts and limit unless given.
        make_process_pool: makes what does long work beside the event loop; worker processes unless given.
        timer: returns seconds, by which durations are measured.
        log: called with one line for each request.

    Raises:
        BadDocument: the document is no OpenAPI 3.1 document.
        CannotServe: one of its operations cannot be answered.
    """
    settings = settings or Settings()
    document = document or Document(settings.document)
    body_pool, payload_pool = make_process_pool(), make_process_pool()
    suffixes = IdSuffixes()
    store = _store(settings, suffixes)
    client = webhook_client or WebhookClient(settings.deliver_to, limit=settings.delivery_limit)
    deliveries = Deliveries(client, timer)
    timers = Timers(store, clock or SystemClock(), deliveries, log)
    administration = Administration(store, timers, provisioner=_provisioner(store, timers, suffixes))
    schemas = PayloadSchemas(payload_pool)
    faults = Faults(store, timers, frozenset(operation.id for operation in document.operations))
    keys = Keys(settings.keys)
    handled = _handlers(document, settings, store, timers, schemas)
    stubs = _stubs(document, handled)
    adapters = body_adapters(settings.effective_interpretations, document.operations)
    context = OperationContext(document, keys, settings, body_pool, faults, adapters)
    app = ErrorBoundary(
        connexion_app(context, {**handled, **stubs}, otherwise=Pages(document)),
        [*((operation.method, operation.path) for operation in document.operations), *pages.ROUTES],
        log,
        _journal(store, timers),
        statuses(settings.effective_interpretations),
        timer,
    )
    seed_file = _seed_file(settings, administration, schemas, keys, log)
    coverage = coverage_of(document, frozenset(stubs))
    pools = (body_pool, payload_pool)
    return Application(app, store, administration, faults, coverage, pools, deliveries, seed_file)


def _store(settings: Settings, suffixes: IdSuffixes) -> MemoryStore:
    return MemoryStore(
        settings.max_actions,
        settings.max_payload_bytes,
        journal_limit=settings.journal,
        suffix=suffixes.of,
        seed=settings.seed,
    )


def _provisioner(store: Store, timers: Timers, suffixes: IdSuffixes) -> Callable[[], Provisioner]:
    def make() -> Provisioner:
        from .services.provisioning import Provisioner  # a start without a seed file need not load it

        return Provisioner(store, timers, suffixes.claim)

    return make


def _seed_file(
    settings: Settings,
    administration: Administration,
    schemas: PayloadSchemas,
    keys: Keys,
    log: Callable[[str], None],
) -> SeedFile | None:
    if settings.seed_file is None:
        return None
    from .seeds.watcher import SeedFile  # a start without one need not load it

    return SeedFile(
        settings.seed_file,
        administration,
        schemas,
        keys=settings.keys,
        list_keys=keys.add,
        strict=settings.strict_schemas,
        log=log,
    )


def _handlers(
    document: Document, settings: Settings, store: Store, timers: Timers, schemas: PayloadSchemas
) -> dict[str, Handler]:
    """The handlers for the document's operations, by operation id; in another document they are completed."""
    interpretations = settings.effective_interpretations
    written = handlers(
        Definitions(store, schemas, strict=settings.strict_schemas, interpretations=interpretations),
        Ingress(store, timers, schemas, interpretations),
        Signals(store, timers, interpretations),
        Records(store, timers, interpretations),
        interpretations,
    )
    found = [
        (operation, written[operation.id]) for operation in document.operations if operation.id in written
    ]
    if document.path in WRITTEN_FOR:
        return {operation.id: handler for operation, handler in found}
    return {operation.id: completed_handler(document, operation, handler) for operation, handler in found}


def _stubs(document: Document, handled: Mapping[str, Handler]) -> dict[str, Handler]:
    """A stub for each operation without a handler, by operation id.

    Raises:
        CannotServe: no valid answer was found for one of them.
    """
    stubs: dict[str, Handler] = {}
    for operation in document.operations:
        if operation.id not in handled:
            try:
                stubs[operation.id] = stub_handler(document, operation)
            except NoStub as reason:
                raise CannotServe(f"{operation.method.upper()} {operation.path}: {reason}") from None
    return stubs


def _journal(store: Store, timers: Timers) -> Callable[[Scope, Exchange], None]:
    """What writes an exchange into the journal of its organisation."""

    def write(scope: Scope, exchange: Exchange) -> None:
        organisation = store.organisation(exchange.organisation)
        organisation.journal.add_exchange(
            timers.now(organisation),
            scope["method"],
            scope["path"],
            scope["query_string"],
            exchange.body,
            exchange.status,
            exchange.answer,
            scope["headers"],
            exchange.answer_headers,
            exchange.seconds,
            exchange.fault,
        )

    return write
