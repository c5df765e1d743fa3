"""Where a sequence is played: sends through the client, judges each exchange, and keeps the model up to date."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any
from urllib.parse import quote

from .checks import judge
from .checks.acceptance import accepted
from .client import Client, Weather
from .exchange import Exchange
from .failures import Finding, Ledger
from .knowledge import Knowledge
from .model import Breach, Model, whole
from .origins import Origins

JSON = ("content-type", "application/json")
PUT = "PUT /v1/orgs/{org_id}/actions/definitions"
INGRESS = "POST /v1/ingress/{variant}"
MODACK = "POST /v1/modack"


class NotReached(Exception):
    """What was to be tested could not be brought about; the text says why. Nobody is to blame."""


class Judge:
    """Judges exchanges one by one, wherever they come from."""

    def __init__(self, known: Knowledge, ledger: Ledger) -> None:
        self.known = known
        self.ledger = ledger
        self.origins = Origins(known)
        self.served: dict[str, int] = {}
        """Operation → answers of 200."""
        self.listeners: list[Callable[[Exchange], None]] = []

    def see(self, exchange: Exchange) -> list[Finding]:
        """What one exchange shows, also put in the ledger; a refused key is for the caller to look into."""
        self._learn(exchange)
        for listener in self.listeners:
            listener(exchange)
        needed = self.origins.needed(exchange)
        found = [
            replace(finding, exchanges=needed) for finding in judge(exchange, self.known, self.ledger.tested)
        ]
        self.ledger.add(finding for finding in found if finding.rule != "AUTH-1")
        return found

    def _learn(self, exchange: Exchange) -> None:
        self.origins.learn(exchange)
        operation = self.known.operation(exchange.operation)
        if operation is None:
            return
        if exchange.status not in (404, 405, 501):
            self.known.routed.add(operation.label)
        if exchange.status != 200 or not accepted(exchange, operation):
            return
        self.served[operation.label] = self.served.get(operation.label, 0) + 1
        data = exchange.data()
        if operation.control_plane:
            self.known.variants.add(str(data.get("variant")))
            if (whole(data.get("version")) or 0) < 0:
                self.known.negative |= {str(data.get("id")), str(data.get("variant"))}


class Stage:
    """One sequence of calls, with a model of its own that begins empty."""

    def __init__(self, client: Client, judge: Judge, random: Random, prefix: str = "contract") -> None:
        self.client = client
        self._prefix = prefix
        self.judge = judge
        self.known = judge.known
        self.model = Model()
        self.random = random
        self.findings: list[Finding] = []
        """What the model did not allow; the caller decides whether it is repeated before it counts."""
        self.looks_into_refusals = True
        """Whether a refused key is asked for again elsewhere before anybody is blamed."""
        self._proven: set[tuple[str, str]] = set()
        """Definitions that have accepted work since they were put."""
        self._lost = 0
        """Probes that met weather, one after another."""
        self._steps: list[tuple[frozenset[str], Exchange]] = []

    def name(self, kind: str = "v") -> str:
        """A variant that nobody has used."""
        return f"{self._prefix}.{kind}{self.random.getrandbits(48):012x}"

    def key(self, org: int = 0) -> tuple[str, str]:
        """The header with the key of the first or second organisation."""
        return "x-arklow-auth", self.known.target.credentials[org].key

    def org(self, org: int = 0) -> str:
        """The first or second organisation."""
        return self.known.target.credentials[org].org

    def send(
        self,
        label: str,
        body: Any = None,
        *,
        name: str = "",
        org: int = 0,
        path_org: str | None = None,
        headers: Sequence[tuple[str, str]] | None = None,
        raw: bytes | None = None,
        query: str = "",
        method: str | None = None,
        chunked: bool = False,
    ) -> Exchange:
        """One request to an operation, judged by itself; the model does not see it."""
        operation = self.known.operation(label)
        if operation is None:
            raise NotReached(f"the document has no {label}")
        path = operation.path.replace("{variant}", quote(name, safe="")).replace(
            "{org_id}", quote(self.org(org) if path_org is None else path_org, safe="")
        )
        sent = [self.key(org), JSON] if headers is None else list(headers)
        text = raw if raw is not None else None if body is None else json.dumps(body).encode()
        exchange = self.client.send(
            method or operation.method,
            path + (f"?{query}" if query else ""),
            headers=sent,
            body=text,
            chunked=chunked,
        )
        refused = [finding for finding in self.judge.see(exchange) if finding.rule == "AUTH-1"]
        if refused and self.looks_into_refusals:
            self._look_into(refused)
        return exchange

    def _look_into(self, refused: list[Finding]) -> None:
        """Blame a refusal of a good key on the deployment only while the key is good elsewhere.

        Raises:
            Weather: it is refused everywhere by now, as keys are after many wrong ones.
        """
        self.looks_into_refusals = False
        plain = self.send(PUT, {"variant": self.name(), "schema": {}})
        self.looks_into_refusals = True
        if plain.status in (401, 403):
            raise Weather("the key is refused from now on")
        self.judge.ledger.add(refused)

    def probe(self, label: str, body: Any = None, **members: Any) -> Exchange | None:
        """One request that stands alone: weather costs it and not the sequence, as long as others get through."""
        patience, self.client.timeout = self.client.timeout, _PROBE
        try:
            exchange = self.send(label, body, **members)
        except Weather:
            self._lost += 1
            if self._lost > 2:
                raise
            return None
        finally:
            self.client.timeout = patience
        self._lost = 0
        return exchange

    def put(self, variant: str, schema: Any = None, *, org: int = 0, **members: Any) -> Exchange:
        """Put a definition; without a schema it is open."""
        body = {"variant": variant, "schema": {} if schema is None else schema, **members}
        exchange = self.send(PUT, body, org=org)
        self._proven.discard((self.org(org), variant))
        if exchange.status >= 500 or 300 <= exchange.status < 400:
            self.model.forget(self.org(org), variant)
        elif _answered(exchange):
            data = exchange.data() if accepted(exchange, self._operation(PUT)) else {}
            self._learn({variant}, exchange, self.model.put(self.org(org), body, exchange.status, data))
            if isinstance(data.get("id"), str):
                self.known.definitions[data["id"]] = self.org(org)
        return exchange

    def define(self, schema: Any = None, *, org: int = 0, **members: Any) -> str:
        """A fresh definition.

        Raises:
            NotReached: the deployment does not take it.
        """
        variant = self.name()
        exchange = self.put(variant, schema, org=org, **members)
        if (self.org(org), variant) not in self.model.definitions:
            raise NotReached(f"a plain definition is answered with {exchange.status}")
        return variant

    def ingress(
        self,
        name: str,
        payload: Any = None,
        *,
        org: int = 0,
        fits: bool = True,
        headers: Sequence[tuple[str, str]] | None = None,
        query: str = "",
        **members: Any,
    ) -> Exchange:
        """Post work in a valid envelope."""
        body = {"payload": payload, **members}
        place, began = (self.org(org), name), time.monotonic()
        exchange = self.send(INGRESS, body, name=name, org=org, headers=headers, query=query)
        new = place in self.model.definitions and place not in self._proven
        while exchange.status == 400 and new and fits and time.monotonic() < began + _PATIENCE:
            time.sleep(0.2)  # nothing says that a definition is in force at once
            exchange = self.send(INGRESS, body, name=name, org=org, headers=headers, query=query)
        if exchange.status == 200:
            self._proven.add(place)
        if _answered(exchange):
            fits = fits and (self.known.envelopes or self._takes_every_object(name, org))
            fits = fits and not (members.get("tags") and _full_lanes(exchange))
            breaches = self.model.ingress(*place, body, exchange.status, exchange.data(), fits=fits)
            number = str(exchange.data().get("a_id", ""))
            self._learn({name, number}, exchange, breaches)
            if number:
                self.known.actions[number] = self.org(org)
        return exchange

    def accept(self, name: str, payload: Any = None, *, org: int = 0, **members: Any) -> str:
        """The id of an action that was accepted.

        Raises:
            NotReached: it was not.
        """
        exchange = self.ingress(name, payload, org=org, **members)
        number = exchange.data().get("a_id")
        if exchange.status != 200 or not isinstance(number, str):
            raise NotReached(f"plain work is answered with {exchange.status}")
        return number

    def modack(self, number: str, attempt: int = 0, seconds: int = 300, *, org: int = 0) -> Exchange:
        """Extend a lease. An own action that is not known yet is asked for again for two seconds."""
        body = {"action_record_id": number, "attempt": attempt, "mod_ack": seconds}
        began = sent = time.monotonic()
        exchange = self.send(MODACK, body, org=org)
        action = self.model.actions.get((self.org(org), number))
        new = action is not None and action.attempt is None
        while exchange.status == 404 and new and time.monotonic() < began + _PATIENCE:
            first = exchange
            time.sleep(0.2)
            sent = time.monotonic()
            exchange = self.send(MODACK, body, org=org)
            if exchange.status != 404:
                self._learn({number}, first, [_LATE])
        self.judge.ledger.tested["ING-12"] += action is not None
        if _answered(exchange):
            breaches = self.model.modack(
                self.org(org), number, attempt, seconds, exchange.status, sent, time.monotonic()
            )
            self._learn({number}, exchange, breaches)
        return exchange

    def live(self, *, org: int = 0) -> str:
        """An action whose attempt this run holds, with minutes of its lease left.

        Raises:
            NotReached: no attempt of a fresh action can be extended.
        """
        number = self.accept(self.define(org=org), org=org)
        asked = []
        for attempt in (0, 0, 1, 0):
            asked.append(self.modack(number, attempt, org=org))
            if asked[-1].status == 200:
                return number
            time.sleep(0.05)
        if [one.status for one in asked] == [400, 400, 409, 400]:
            title = "Attempt 0 is refused as a bad request, and attempt 1 is not"
            breach = Breach("PAGE-11", title, "200 or 409, as attempts begin with 0", "400")
            self.accuse(breach, (*self._leading_to({number})[:2], asked[2], asked[3]))
        raise NotReached(f"no attempt of a fresh action can be extended ({asked[-1].status})")

    def attempt_of(self, number: str) -> int:
        """The attempt that this run holds."""
        return self.model.actions[self.org(), number].attempt or 0

    def _takes_every_object(self, name: str, org: int) -> bool:
        """Whether an envelope that is read as the payload keeps the definition's schema too."""
        definition = self.model.definitions.get((self.org(org), name))
        return definition is not None and _plain(definition.schema)

    def _operation(self, label: str) -> Any:
        return self.known.document.operations[label]

    def _learn(self, touched: set[str], exchange: Exchange, breaches: list[Breach]) -> None:
        self._steps.append((frozenset(touched - {""}), exchange))
        self.judge.ledger.tested.update(self.model.tested)
        self.model.tested.clear()
        for question, answer in self.model.readings:
            self.known.note(question, answer)
        self.model.readings.clear()
        self.findings += [self._finding(breach, exchange, self._leading_to(touched)) for breach in breaches]

    def accuse(self, breach: Breach, shown: tuple[Exchange, ...]) -> None:
        """A breach that only the whole sequence shows; it stands for what else the last exchange broke."""
        self.findings = [finding for finding in self.findings if finding.exchanges[-1] is not shown[-1]]
        self.findings.append(self._finding(breach, shown[-1], shown))

    def _finding(self, breach: Breach, exchange: Exchange, shown: tuple[Exchange, ...]) -> Finding:
        return Finding(
            breach.rule,
            exchange.operation or "",
            breach.title,
            breach.expected,
            breach.actual,
            shown,
            breach.place,
        )

    def _leading_to(self, touched: set[str]) -> tuple[Exchange, ...]:
        """The steps of this sequence that the last one depends on."""
        wanted, kept = set(touched), []
        for names, exchange in reversed(self._steps):
            if names & wanted:
                wanted |= names
                kept.append(exchange)
        return tuple(reversed(kept))


_PROBE = 5.0
"""Seconds that the answer to a probe may take: some targets hang on some of them."""
_PATIENCE = 2.0
"""Seconds that what was accepted may take to show."""
_LATE = Breach(
    "ING-12", "An accepted action is not known at once", "known when its POST is answered", "404, later not"
)


def _plain(schema: Any) -> bool:
    """Whether a schema says no more than that a payload may be an object."""
    return (
        isinstance(schema, dict)
        and schema.keys() <= {"title", "type"}
        and "object" in schema.get("type", "object")
    )


def _answered(exchange: Exchange) -> bool:
    """Whether the answer says something about the world, rather than about keys, HTTP or a fault."""
    return exchange.status not in (401, 403, 405, 408, 411, 413, 414, 415, 431) and exchange.status < 500


def _full_lanes(exchange: Exchange) -> bool:
    """Whether work was refused because its tags are one lane too many (B041, C3)."""
    return b"TAG_CARDINALITY_EXCEEDED" in exchange.answer


__all__ = ["INGRESS", "JSON", "MODACK", "PUT", "Judge", "NotReached", "Stage"]
