"""Protocols for all that the services need of the outside: clock, store, journal, webhooks, process pool, schemas.

`app.py` chooses what implements them; tests pass others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple, ParamSpec, Protocol, TypeVar

from .actions import Action, Changes, HistoryEvent
from .clock import OrganisationClock
from .definitions import Registry
from .faults import FaultPlan
from .id_sequences import IdSequences
from .journal import Delivery, Entry, Headers
from .json_text import Json
from .webhook_answers import Reply
from .worker import Worker

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Clock(Protocol):
    """Tells the machine's time."""

    def now(self) -> int:
        """Return the time in milliseconds since the Unix epoch; it never goes back."""
        ...


class Alarm(NamedTuple):
    """A call of the event loop that is due at a time of an organisation's clock."""

    at: int
    """Milliseconds since the epoch."""
    cancel: Callable[[], None]


class ActionTable(Protocol):
    """The actions of one organisation, numbered from 0, and when each of them is due."""

    count: int
    """Number of actions that are kept."""
    oldest: int
    """Number of the oldest kept action; all before it were dropped."""
    end: int
    """Number that the next action gets."""

    def next_check(self) -> int:
        """Return the time, in milliseconds, of the next check; no action is due before it."""
        ...

    def pop_due(self, now: int) -> Action | None:
        """Take the action that is due first, None when none is due by `now` (milliseconds).

        The action is not found again until it is saved.
        """
        ...

    def get(self, number: int) -> Action | None:
        """Return the action with this number, None when it was dropped."""
        ...


class Journal(Protocol):
    """What happened in one organisation: numbered entries, of which the latest are kept."""

    @property
    def last(self) -> int:
        """The number of the latest entry; 0 before the first."""
        ...

    def add_exchange(
        self,
        at: int,
        method: str,
        path: str,
        query: bytes,
        body: bytes,
        status: int,
        answer: bytes,
        headers: Headers = (),
        answer_headers: Headers = (),
        seconds: float = 0.0,
        fault: str = "",
    ) -> None:
        """Enter a request and its answer; status 0 says that the connection was cut. The fields are those of
        `journal.ExchangeEntry`."""
        ...

    def add_command(self, at: int, name: str, details: str) -> None:
        """Enter a command of the admin plane, carried out at a time in milliseconds."""
        ...

    def add_delivery(self, at: int, delivery: Delivery) -> None:
        """Enter a delivery that ended at a time in milliseconds."""
        ...

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield the kept entries with a number above `after`, oldest first."""
        ...

    def listen(self, listener: Callable[[Entry], None]) -> Callable[[], None]:
        """Call `listener` with each new entry, until the returned function is called."""
        ...


class Organisation(Protocol):
    """All that belongs to one organisation. It is changed on the event loop alone."""

    org_id: str
    seed: int
    registry: Registry
    clock: OrganisationClock
    worker: Worker
    alarm: Alarm | None
    """The next call of the loop for what is due; None when nothing is, or the clock is frozen."""
    faults: FaultPlan

    @property
    def action_table(self) -> ActionTable:
        """Its actions. A reset, a restore and a fork put another table in its place."""
        ...

    @property
    def journal(self) -> Journal:
        """What happened in it."""
        ...

    @property
    def snapshots(self) -> Collection[str]:
        """The names of its snapshots."""
        ...

    def new_definition_id(self) -> str:
        """Return a fresh id for a definition: 19 digits that grow within the organisation (B010, Q11)."""
        ...

    def new_link_id(self) -> str:
        """Return a fresh id for a destination, a credential or a link."""
        ...

    def new_action_id(self) -> str:
        """Return the id of the action that is added next."""
        ...

    def event_id(self, number: int) -> str:
        """Return the id of the event with this number."""
        ...

    def id_sequences(self) -> IdSequences:
        """Return all that its next ids depend on."""
        ...

    @property
    def next_event(self) -> int:
        """The number of the event that happens next."""
        ...

    def actions(self) -> Iterator[Action]:
        """Yield the kept actions, oldest first."""
        ...

    def action(self, action_id: str) -> Action | None:
        """Return the action as it was saved last, None for an id that is not kept here."""
        ...

    def dropped(self, action_id: str) -> bool:
        """Return whether the id belonged to an action that was dropped to keep memory bounded."""
        ...

    def history(self, action: Action) -> list[HistoryEvent]:
        """Return the latest events of an action, oldest first."""
        ...

    def save(self, changes: Changes) -> None:
        """Replace a kept action by the last of `changes`, and add all of them to its history and to the journal."""
        ...


class Store(Protocol):
    """Keeps the organisations. Every `org_id` is that of an organisation in use."""

    def on_first_use(self, provision: Callable[[Organisation], None]) -> None:
        """Call `provision` with each organisation when it is made."""
        ...

    def organisation(self, org_id: str) -> Organisation:
        """Return the organisation, made on first use."""
        ...

    def organisations(self) -> Sequence[Organisation]:
        """Return all organisations in use, in the order of their first use."""
        ...

    def add_action(self, org_id: str, changes: Changes) -> None:
        """Keep a new action, whose id was the latest that was asked for; may drop older ones to keep memory bounded."""
        ...

    def packed(self, events: Sequence[HistoryEvent], accepted_at: int) -> bytes:
        """Return a history as `place` takes it; its times count in milliseconds from `accepted_at`."""
        ...

    def place(self, org_id: str, action: Action, history: bytes, last_event: int) -> None:
        """Keep a new action in the state that it has, with a packed history up to the event of number `last_event`.

        The journal gets no entry of it.
        """
        ...

    def continue_ids(self, org_id: str, sequences: IdSequences) -> None:
        """Let the ids of a fresh organisation go on where `sequences` ended."""
        ...

    def reseed(self, org_id: str, seed: int) -> None:
        """Give an organisation another seed from now on; all that it is stays."""
        ...

    def view(self, org_id: str) -> Organisation:
        """Return a copy of the organisation as it is now, to be read while the organisation itself goes on."""
        ...

    def reset(self, org_id: str, seed: int | None) -> None:
        """Make the organisation as new, with an empty journal; None stands for the seed that the store was made with."""
        ...

    def snapshot(self, org_id: str, name: str) -> None:
        """Keep what the organisation is now under a name, in place of an older snapshot of that name.

        Raises:
            TooManySnapshots: the organisation keeps as many as it may.
        """
        ...

    def restore(self, org_id: str, name: str) -> None:
        """Make the organisation what it was at a snapshot, which exists."""
        ...

    def delete_snapshot(self, org_id: str, name: str) -> None:
        """Delete a snapshot, which exists."""
        ...

    def fork(self, source_id: str, target_id: str, name: str | None) -> None:
        """Make the target what the source is, or was at its snapshot `name`, which exists.

        The target builds ids with a suffix of its own from now on, and its journal is empty.
        """
        ...

    def sweep(self) -> bool:
        """Free some of the memory that was given up, a few milliseconds' work. Return whether more is left."""
        ...


class NoAnswer(Exception):
    """A webhook call brought no usable answer; the text says why."""


class WebhookCaller(Protocol):
    """Calls webhooks."""

    async def prepare(self) -> None:
        """Do what the first call needs, so that it takes no longer than later ones."""
        ...

    def why_not_called(self, url: str) -> str:
        """Return why a URL may not be called; empty when it may."""
        ...

    async def post(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> Reply:
        """Call a webhook and return its answer, within limits of time and size.

        Raises:
            NoAnswer: the URL may not be called, or there is no usable answer (B107).
        """
        ...

    async def close(self) -> None:
        """Close what is open."""
        ...


class TookTooLong(Exception):
    """Work in a process pool was stopped at its limit of time or memory; the text says which."""


class PoolBusy(TookTooLong):
    """Work never began: the pool was busy with other work for too long."""


class ProcessPool(Protocol):
    """Runs slow or hostile work in another process, so that it can be killed and requests are answered meanwhile."""

    async def run(
        self, seconds: float, function: Callable[_P, _T], *arguments: _P.args, **named: _P.kwargs
    ) -> _T:
        """Return what `function` returns, or raise what it raises. Arguments and result are pickled.

        Raises:
            TookTooLong: the work was stopped after `seconds`, or at the limit of memory.
            PoolBusy: other work kept the pool busy for too long.
        """
        ...

    def close(self) -> None:
        """End the process, if it was started."""
        ...


class Schemas(Protocol):
    """Compiles and applies the JSON Schemas of definitions within a bounded time."""

    async def why_not_enforced(self, schema: Json) -> str:
        """Return one line that says why the schema checks nothing; empty when it is enforced."""
        ...

    async def same_but_for_annotations(self, one: Json, other: Json) -> bool:
        """Return whether two schemas differ in annotations alone; False also when time ran out."""
        ...

    async def check(self, schema: Json, payload: Json) -> None:
        """Check that the payload fits the schema.

        Raises:
            PayloadRejected: it does not fit.
            PayloadUndecided: time ran out before there was a verdict.
        """
        ...
