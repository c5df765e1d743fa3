"""What the services need of the outside, as protocols."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, ParamSpec, Protocol, TypeVar

from .actions import Action, Course, Happening
from .clock import OrganisationClock
from .definitions import Registry
from .faults import Plan
from .id_sequences import Numbers
from .journal import Delivery, Entry, Headers
from .json_text import Json
from .webhook_answers import Reply
from .worker import Worker

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Clock(Protocol):
    """Tells the machine's time."""

    def now(self) -> int:
        """Milliseconds since the Unix epoch; never goes back."""
        ...


class Alarm(NamedTuple):
    """A call that is due at a time of an organisation."""

    at: int
    cancel: Callable[[], None]


class Shelf(Protocol):
    """The actions of one organisation and what falls due among them."""

    count: int
    oldest: int
    end: int

    def next_look(self) -> int:
        """No action is due before this time."""
        ...

    def pop_due(self, now: int) -> Action | None:
        """The action that is due first, if one is by `now`; it has to be saved before it is found again."""
        ...

    def get(self, number: int) -> Action | None:
        """The action with this number, None when it was dropped."""
        ...


class Journal(Protocol):
    """What happened in one organisation, bounded."""

    @property
    def last(self) -> int:
        """The number of the latest entry; 0 before the first."""
        ...

    def exchanged(
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
        """A request was answered, or its connection cut (status 0)."""
        ...

    def commanded(self, at: int, name: str, details: str) -> None:
        """The admin plane did something."""
        ...

    def delivered(self, at: int, delivery: Delivery) -> None:
        """An attempt was given to a destination."""
        ...

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """The kept entries with a number above `after`, oldest first."""
        ...

    def listen(self, listener: Callable[[Entry], None]) -> Callable[[], None]:
        """Call `listener` with each new entry, until the returned function is called."""
        ...


class Organisation(Protocol):
    """All that belongs to one organisation; changed on the event loop alone."""

    org_id: str
    seed: int
    registry: Registry
    time: OrganisationClock
    worker: Worker
    alarm: Alarm | None
    faults: Plan

    @property
    def shelf(self) -> Shelf:
        """Its actions."""
        ...

    @property
    def journal(self) -> Journal:
        """What happened in it."""
        ...

    @property
    def snapshots(self) -> dict[str, Any]:
        """Name → content."""
        ...

    def content(self) -> Any:
        """All that it is now, in constant time; `Store.become` brings it back."""
        ...

    def new_definition_id(self) -> str:
        """A fresh id: 19 digits that grow within the organisation (B010, Q11)."""
        ...

    def new_link_id(self) -> str:
        """A fresh id for a destination, a credential or a link."""
        ...

    def new_action_id(self) -> str:
        """The id of the action that is added next."""
        ...

    def event_id(self, happening: Happening) -> str:
        """The id of an event."""
        ...

    def numbers(self) -> Numbers:
        """All that its next ids depend on."""
        ...

    @property
    def next_event(self) -> int:
        """The number of the event that happens next."""
        ...

    def actions(self) -> Iterator[Action]:
        """All that are kept, oldest first."""
        ...

    def action(self, action_id: str) -> Action | None:
        """The action as it was saved last, or None for an id that is not kept here."""
        ...

    def dropped(self, action_id: str) -> bool:
        """Whether the id was given to an action that was dropped to keep memory bounded."""
        ...

    def history(self, action: Action) -> list[Happening]:
        """The latest events of an action, oldest first."""
        ...

    def save(self, course: Course) -> None:
        """Keep what became of an action that is kept already."""
        ...


class Store(Protocol):
    """Keeps the organisations. Values are replaced whole, never changed."""

    def on_first_use(self, provision: Callable[[Any], None]) -> None:
        """Have each organisation provisioned when it is made."""
        ...

    def organisation(self, org_id: str) -> Organisation:
        """The organisation, made on first use."""
        ...

    def organisations(self) -> Sequence[Organisation]:
        """All that were used."""
        ...

    def add_action(self, organisation: Any, course: Course) -> None:
        """Keep a new action; may drop older ones to stay within the bound."""
        ...

    def packed(self, happenings: Sequence[Happening], accepted_at: int) -> bytes:
        """A history as `place` takes it; times in it count from the acceptance."""
        ...

    def place(self, organisation: Any, action: Action, history: bytes, last: int) -> None:
        """Keep an action in the state that it has, after a history up to the event of a number; the journal hears nothing
        of it."""
        ...

    def recall(self, organisation: Any, numbers: Numbers) -> None:
        """Let the ids of an organisation that is as new go on as they did elsewhere."""
        ...

    def reseed(self, organisation: Any, seed: int) -> None:
        """Give an organisation another seed from now on; all that it is stays."""
        ...

    def view(self, organisation: Any) -> Organisation:
        """What the organisation is now, to be read while it goes on."""
        ...

    def reset(self, organisation: Any, seed: int | None) -> None:
        """Make it as new, its journal empty."""
        ...

    def become(self, organisation: Any, content: Any) -> None:
        """Put other content in the place of what the organisation is."""
        ...

    def fork(self, organisation: Any, content: Any) -> None:
        """Make the organisation what another one was, with ids of its own from now on."""
        ...

    def snapshot(self, organisation: Any, name: str) -> None:
        """Keep what the organisation is now under a name.

        Raises:
            TooManySnapshots: it keeps as many as it may.
        """
        ...

    def forget(self, organisation: Any, name: str) -> None:
        """Delete a snapshot that there is."""
        ...

    def sweep(self) -> bool:
        """Let go a little of what was discarded; whether more is left."""
        ...


class NoAnswer(Exception):
    """A call brought no usable answer; the text says why."""


class Caller(Protocol):
    """Calls webhooks."""

    async def prepare(self) -> None:
        """Get ready, so that the first call takes no longer than others."""
        ...

    def why_not(self, url: str) -> str:
        """Why a URL may not be called; empty when it may."""
        ...

    async def post(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> Reply:
        """What a receiver answers, within a limit of time and of what is read.

        Raises:
            NoAnswer: it may not be called, or there is no usable answer (B107).
        """
        ...

    async def close(self) -> None:
        """Let go what was kept open."""
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


class Schemas(Protocol):
    """Compiles and applies the JSON Schemas of definitions within a bounded time."""

    async def standing(self, schema: Json) -> str:
        """Empty when the schema will be enforced, else one line that says why it checks nothing."""
        ...

    async def alike(self, one: Json, other: Json) -> bool:
        """Whether two schemas are equal but for what only describes; not when that could not be told in time."""
        ...

    async def check(self, schema: Json, payload: Json) -> None:
        """Return when the payload fits.

        Raises:
            PayloadRejected: it does not.
            PayloadUndecided: it could not be told within the time allowed.
        """
        ...
