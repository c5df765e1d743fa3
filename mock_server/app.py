"""The composition root: the only place that chooses clock, ids and store and puts the parts together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, NamedTuple

from starlette.types import ASGIApp, Receive, Scope, Send

from .adapters.clocks import SystemClock
from .adapters.ids import Suffixes
from .adapters.process_pool import PebbleProcessPool
from .adapters.webhook_client import WebhookClient
from .api import pages
from .api.connexion_app import Handler, contracted
from .api.coverage import ignored
from .api.document import Document, Operation
from .api.error_boundary import Front
from .api.errors import statuses
from .api.exchange import Exchange
from .api.handlers import PUBLISHED, adapters, handlers
from .api.pages import Pages
from .api.security import Keys
from .api.stubs import NoStub, completing, stub
from .domain.ports import Clock, Store
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
    """The document asks for something that cannot be answered; the message says what."""


class Coverage(NamedTuple):
    """What the mock does with the document."""

    document: str
    """Its name."""
    digest: str
    """Its SHA-256, in hexadecimal digits."""
    operations: tuple[Operation, ...]
    stubs: frozenset[str]
    """Ids of the operations answered by a stub."""
    unused: tuple[str, ...]
    """Ids of handlers that the document has no operation for."""
    ignored: tuple[str, ...]
    """Keywords, formats and parts that are read and not acted on."""
    left_out: tuple[str, ...] = ()
    """What of our overlays the document has no room for."""

    @property
    def complete(self) -> bool:
        """Whether `--strict-document` accepts it."""
        return not (self.stubs or self.unused or self.ignored)


class Application:
    """The mock as an ASGI application, the world behind it, and what it made of its document."""

    def __init__(
        self,
        app: ASGIApp,
        store: Store,
        administration: Administration,
        faults: Faults,
        coverage: Coverage,
        process_pools: Sequence[PebbleProcessPool],
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

    async def read_seed(self) -> None:
        """Read the seed file, if there is one, on whatever loop; it is applied when the mock runs.

        Raises:
            BadSeed: it cannot be used.
        """
        if self._seed_file is not None:
            await self._seed_file.read()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """What runs on the event loop while requests are answered there."""
        try:
            async with self._seed_file.followed() if self._seed_file else nullcontext():
                yield
        finally:
            await self.end()

    async def end(self) -> None:
        """End what runs on the event loop; call there, after the last request."""
        await self._deliveries.close()

    def close(self) -> None:
        """Stop what runs beside the server."""
        for process_pool in self._process_pools:
            process_pool.close()


def create_app(
    settings: Settings | None = None,
    *,
    clock: Clock | None = None,
    log: Callable[[str], None] = lambda _: None,
) -> Application:
    """The mock, with a world of its own.

    `log` is given one line a request. Workers start by importing the main module again, so a script that
    calls this needs the usual `if __name__ == "__main__":`.

    Raises:
        BadDocument, CannotServe: the document of the settings cannot be served.
    """
    settings = settings or Settings()
    document = Document(settings.document)
    readers, judges = PebbleProcessPool(), PebbleProcessPool()
    suffixes = Suffixes()
    store = MemoryStore(
        settings.max_actions,
        settings.max_payload_bytes,
        journal_limit=settings.journal,
        suffix=suffixes.of,
        seed=settings.seed,
    )
    deliveries = Deliveries(WebhookClient(settings.deliver_to, limit=settings.delivery_limit))
    timers = Timers(store, clock or SystemClock(), deliveries, log)

    def provisioner() -> Provisioner:
        from .services.provisioning import Provisioner

        return Provisioner(store, timers, suffixes.claim)

    administration = Administration(store, timers, provisioner=provisioner)
    schemas = PayloadSchemas(judges)
    world = _handlers(settings, store, timers, schemas)
    if settings.document not in WRITTEN_FOR:
        world |= {
            operation.id: completing(document, operation, world[operation.id])
            for operation in document.operations
            if operation.id in world
        }
    keys = Keys(settings.keys)
    stubs: dict[str, Handler] = {}
    for operation in document.operations:
        if operation.id not in world:
            try:
                stubs[operation.id] = stub(document, operation)
            except NoStub as reason:
                raise CannotServe(f"{operation.method.upper()} {operation.path}: {reason}") from None
    faults = Faults(store, timers, frozenset(operation.id for operation in document.operations))
    contract = contracted(
        document,
        world | stubs,
        adapters=adapters(settings.taken, document.operations),
        otherwise=Pages(document),
        keys=keys,
        settings=settings,
        process_pool=readers,
        faults=faults,
    )
    routes = [(operation.method, operation.path) for operation in document.operations]
    coverage = Coverage(
        document=document.name,
        digest=document.digest,
        operations=document.operations,
        stubs=frozenset(stubs),
        unused=tuple(sorted(PUBLISHED - {operation.id for operation in document.operations})),
        ignored=tuple(ignored(document)),
        left_out=document.left_out,
    )
    front = Front(
        contract,
        [*routes, *pages.ROUTES],
        log,
        _journal(store, timers),
        statuses(settings.taken),
    )
    seed_file = None
    if settings.seed_file is not None:
        from .seeds.watcher import SeedFile  # a start without one need not load it

        seed_file = SeedFile(
            settings.seed_file,
            administration,
            schemas,
            keys=settings.keys,
            list_keys=keys.add,
            strict=settings.strict_schemas,
            log=log,
        )
    return Application(
        front, store, administration, faults, coverage, (readers, judges), deliveries, seed_file
    )


def _handlers(
    settings: Settings, store: Store, timers: Timers, schemas: PayloadSchemas
) -> dict[str, Handler]:
    interpretations = settings.taken
    return handlers(
        Definitions(store, schemas, strict=settings.strict_schemas, interpretations=interpretations),
        Ingress(store, timers, schemas, interpretations),
        Signals(store, timers, interpretations),
        Records(store, timers, interpretations),
        interpretations,
    )


def _journal(store: Store, timers: Timers) -> Callable[[Scope, Exchange], None]:
    def write(scope: Scope, exchange: Exchange) -> None:
        organisation = store.organisation(exchange.organisation)
        organisation.journal.exchanged(
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
