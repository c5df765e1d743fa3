"""The commands of the admin plane, by operation id: checked values in, JSON out, no HTTP. Event loop only."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

from ..api.errors import Refused
from ..domain.destinations import Destination, Kind
from ..domain.leases import SECOND
from ..domain.ports import Organisation
from ..domain.states import Event
from ..presenters.definitions import destination_json, link_json
from ..presenters.journal import concerns, entry_json, entry_kind
from ..presenters.organisations import clock_json, counts_json, organisation_json
from ..seeds import scripts, writer
from ..services.administration import Administration
from ..timestamps import END, moment, timestamp
from . import har


class Call(NamedTuple):
    """What a command is given: values checked against the document."""

    path: Mapping[str, str] = {}
    """Name → value."""
    query: Mapping[str, Any] = {}
    """Name → value; parameters that were not sent are missing."""
    body: Any = None


Command = Callable[[Call], Coroutine[Any, Any, Any]]
"""A call → the members of its answer; raises the domain's errors, and `Refused` for what no schema can express."""


class Commands:
    """The commands of all operations but the one that streams, and those of `faults`."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration

    def table(self) -> dict[str, Command]:
        """Return the commands, keyed by operation id."""
        return {
            "listOrganisations": self.list_organisations,
            "discardOrganisations": self.discard_organisations,
            "getOrganisation": self.get_organisation,
            "resetOrganisation": self.reset_organisation,
            "forkOrganisation": self.fork_organisation,
            "setClock": self.set_clock,
            "advanceClock": self.advance_clock,
            "setWorker": self.set_worker,
            "listDestinations": self.list_destinations,
            "putDestination": self.put_destination,
            "deleteDestination": self.delete_destination,
            "setLinks": self.set_links,
            "listSnapshots": self.list_snapshots,
            "takeSnapshot": self.take_snapshot,
            "deleteSnapshot": self.delete_snapshot,
            "restoreSnapshot": self.restore_snapshot,
            "endAttempt": self.end_attempt,
            "readJournal": self.read_journal,
            "exportJournal": self.export_journal,
            "exportSeed": self.export_seed,
        }

    async def list_organisations(self, call: Call) -> Any:
        """List all organisations that were used."""
        items = [counts_json(organisation) for organisation in self._administration.organisations()]
        return list_json(items)

    async def discard_organisations(self, call: Call) -> Any:
        """Free all that some organisations hold, and list those of them that were used."""
        discarded = await self._administration.discard(call.query["organisation"].split(","))
        return list_json([counts_json(organisation) for organisation in discarded])

    async def get_organisation(self, call: Call) -> Any:
        """Show one organisation."""
        return self._organisation(self._administration.organisation(call.path["org_id"]))

    async def reset_organisation(self, call: Call) -> Any:
        """Make an organisation as new, with the seed, clock and worker of the body."""
        body: Mapping[str, Any] = call.body or {}
        clock: Mapping[str, Any] = body.get("clock", {})
        mode = clock.get("mode", "running")
        seed = body.get("seed")
        to = _moment(clock, "now", "body/clock")
        organisation = await self._administration.reset(
            call.path["org_id"],
            seed=None if seed is None else int(seed),
            frozen=mode == "frozen",
            to=None if mode == "real" else to,
            worker=scripts.from_json(body["worker"]) if "worker" in body else None,
            clock_given="clock" in body,
            provision=body.get("provision", True),
        )
        return self._organisation(organisation)

    async def fork_organisation(self, call: Call) -> Any:
        """Make another organisation what this one is, or was at a snapshot."""
        to = call.body["to"]
        if to == call.path["org_id"]:
            raise Refused("SAME_ORGANISATION", f"body/to: expected another organisation, got {to} itself")
        return self._organisation(
            await self._administration.snapshots.fork(call.path["org_id"], to, call.body.get("snapshot"))
        )

    async def set_clock(self, call: Call) -> Any:
        """Freeze the clock, let it run, or have it show the machine's time."""
        org_id, mode = call.path["org_id"], call.body["mode"]
        to = _moment(call.body, "now", "body")
        organisation = await self._administration.clock.set(
            org_id, frozen=mode == "frozen", to=to, real=mode == "real"
        )
        return self._clock(organisation)

    async def advance_clock(self, call: Call) -> Any:
        """Move the clock forward, and run what falls due on the way."""
        org_id = call.path["org_id"]
        organisation = self._administration.organisation(org_id)
        to = _moment(call.body, "to", "body")
        by = round(call.body.get("seconds", 0) * SECOND)
        if self._administration.now(organisation) + by >= END:
            raise Refused(
                "INVALID_BODY", "body/seconds: expected a time before the year 3000, got a later one"
            )
        ran = await self._administration.clock.advance(org_id, by, to=to)
        return {"clock": self._clock(organisation), "ran": ran}

    async def set_worker(self, call: Call) -> Any:
        """Give the built-in worker other scripts."""
        organisation = await self._administration.set_worker(
            call.path["org_id"], scripts.from_json(call.body)
        )
        return scripts.to_json(organisation.worker)

    async def list_destinations(self, call: Call) -> Any:
        """List all destinations, in the order of their creation."""
        organisation = self._administration.organisation(call.path["org_id"])
        found = organisation.registry.destinations.values()
        return list_json([self._destination(organisation.org_id, destination) for destination in found])

    async def put_destination(self, call: Call) -> Any:
        """Create or replace a destination, by its label."""
        org_id, body = call.path["org_id"], call.body
        credential = body.get("credential")
        destination = await self._administration.destinations.put(
            org_id,
            body["label"],
            Kind(body["type"]),
            body["config"],
            tags=body.get("tags"),
            credential=credential and credential["headers"],
        )
        return self._destination(org_id, destination)

    async def delete_destination(self, call: Call) -> Any:
        """Delete a destination, and the links to it."""
        org_id = call.path["org_id"]
        gone = await self._administration.destinations.delete(org_id, call.path["id"])
        organisation = self._administration.organisation(org_id)
        return destination_json(org_id, gone) | {
            "deleted_at": timestamp(self._administration.now(organisation))
        }

    async def set_links(self, call: Call) -> Any:
        """Link a definition to some destinations, and to no others."""
        org_id, body = call.path["org_id"], call.body
        definition = await self._administration.destinations.set_links(
            org_id, body["variant"], body["destinations"], default=body.get("default")
        )
        known = self._administration.organisation(org_id).registry.destinations
        return list_json(
            [link_json(org_id, definition, link, known[link.label]) for link in definition.links]
        )

    async def list_snapshots(self, call: Call) -> Any:
        """List the names of all snapshots."""
        return list_json(sorted(self._administration.organisation(call.path["org_id"]).snapshots))

    async def take_snapshot(self, call: Call) -> Any:
        """Keep what the organisation is now, under a name."""
        return self._organisation(self._administration.snapshots.take(call.path["org_id"], call.path["name"]))

    async def delete_snapshot(self, call: Call) -> Any:
        """Delete a snapshot."""
        return self._organisation(
            self._administration.snapshots.delete(call.path["org_id"], call.path["name"])
        )

    async def restore_snapshot(self, call: Call) -> Any:
        """Make the organisation what it was at a snapshot."""
        return self._organisation(
            await self._administration.snapshots.restore(call.path["org_id"], call.path["name"])
        )

    async def end_attempt(self, call: Call) -> Any:
        """End the current attempt, or the action."""
        event = Event[call.body["as"].upper()]
        action = await self._administration.end_attempt(call.path["org_id"], call.path["id"], event)
        return {"id": action.id, "status": action.state.status.value, "attempt": action.attempt}

    async def read_journal(self, call: Call) -> Any:
        """List entries of the journal, and how far it reaches."""
        journal = self._administration.organisation(call.path["org_id"]).journal
        limit = call.query.get("limit", 100)
        found: list[Any] = []
        for entry in journal.entries(call.query.get("after", 0)):
            if len(found) == limit:
                break
            if call.query.get("kind") not in (None, entry_kind(entry)):
                continue
            if "action" in call.query and not concerns(entry, call.query["action"]):
                continue
            found.append(entry_json(entry))
        first = next((entry.number for entry in journal.entries()), journal.last + 1)
        return {"entries": found, "last": journal.last, "first": first, "dropped": first - 1}

    async def export_journal(self, call: Call) -> Any:
        """Return the entries that are exchanges; `har` makes an archive of them."""
        journal = self._administration.organisation(call.path["org_id"]).journal
        exchanges = (entry for entry in journal.entries(call.query.get("after", 0)) if har.is_exchange(entry))
        return list(islice(exchanges, call.query.get("limit")))

    async def export_seed(self, call: Call) -> Any:
        """Return all organisations, or some, as the value of a seed file."""
        listed = call.query.get("organisation")
        org_ids = tuple(dict.fromkeys(listed.split(","))) if listed else ()
        return await writer.export_seed(
            self._administration.seed_plan(), await self._administration.views(org_ids), org_ids
        )

    def _organisation(self, organisation: Organisation) -> dict[str, Any]:
        return organisation_json(organisation, self._administration.now(organisation))

    def _clock(self, organisation: Organisation) -> dict[str, Any]:
        return clock_json(organisation, self._administration.now(organisation))

    def _destination(self, org_id: str, destination: Destination) -> dict[str, Any]:
        return destination_json(org_id, destination) | {
            "not_called": self._administration.destinations.why_not_called(destination) or None
        }


def list_json(items: Iterable[Any]) -> dict[str, Any]:
    """Return the members of a list as the document has it: its items, and their count."""
    found = list(items)
    return {"items": found, "count": len(found)}


def _moment(body: Mapping[str, Any], member: str, place: str) -> int | None:
    """A checked date-time of a body, in milliseconds since the epoch; None where the body has none.

    Raises:
        Refused: no calendar has the day, or the time is out of bounds.
    """
    text = body.get(member)
    if text is None:
        return None
    try:
        return moment(text)
    except ValueError as error:
        raise Refused("INVALID_BODY", f"{place}/{member}: {error}, got {text[:40]!r}") from None
