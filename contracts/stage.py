"""Where a sequence is played: sends through the client, judges each exchange, and keeps the model up to date."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
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
from .model import Breach, Model
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
        self.listeners: list[Any] = []

    def see(self, exchange: Exchange) -> list[Finding]:
        """What one exchange shows, also put in the ledger."""
        self.origins.learn(exchange)
        if exchange.operation is not None and exchange.status not in (404, 405, 501):
            self.known.routed.add(exchange.operation)
        operation = self.known.operation(exchange.operation)
        if operation is not None and exchange.status == 200 and accepted(exchange, operation):
            data = exchange.data()
            version = data.get("version")
            if operation.control_plane and isinstance(version, int) and version < 0:
                self.known.negative.add(str(data.get("id")))
            self.served[operation.label] = self.served.get(operation.label, 0) + 1
        for listener in self.listeners:
            listener(exchange)
        needed = self.origins.needed(exchange)
        found = [
            replace(finding, exchanges=needed) for finding in judge(exchange, self.known, self.ledger.tested)
        ]
        self.ledger.add(found)
        return found


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
        self.judge.see(exchange)
        return exchange

    def probe(self, label: str, body: Any = None, **members: Any) -> Exchange | None:
        """One request that stands alone: weather costs it and not the sequence, as long as others get through."""
        try:
            exchange = self.send(label, body, **members)
        except Weather:
            self._lost += 1
            if self._lost > 2:
                raise
            return None
        self._lost = 0
        return exchange

    def put(self, variant: str, schema: Any = None, *, org: int = 0, **members: Any) -> Exchange:
        """Put a definition; without a schema it is open."""
        body = {"variant": variant, "schema": {} if schema is None else schema, **members}
        exchange = self.send(PUT, body, org=org)
        if exchange.status >= 500 or 300 <= exchange.status < 400:
            self.model.definitions.pop((self.org(org), variant), None)  # stored or not, nobody can say
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
        exchange = self.send(INGRESS, body, name=name, org=org, headers=headers, query=query)
        if _answered(exchange):
            fits = fits and (self.known.envelopes or self._takes_every_object(name, org))
            breaches = self.model.ingress(
                self.org(org), name, body, exchange.status, exchange.data(), fits=fits
            )
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
        began = time.monotonic()
        sent = began
        exchange = self.send(MODACK, body, org=org)
        action = self.model.actions.get(number)
        owned = action is not None and action.org == self.org(org)
        new = action is not None and owned and action.attempt is None
        while exchange.status == 404 and new and time.monotonic() < began + 2:
            first = exchange
            time.sleep(0.1)
            sent = time.monotonic()
            exchange = self.send(MODACK, body, org=org)
            if exchange.status != 404:
                self._learn({number}, first, [_LATE])
        self.judge.ledger.tested["ING-12"] += owned
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
        status = 0
        for attempt in (0, 0, 1, 0):
            status = self.modack(number, attempt, org=org).status
            if status == 200:
                return number
            time.sleep(0.05)
        raise NotReached(f"no attempt of a fresh action can be extended ({status})")

    def attempt_of(self, number: str) -> int:
        """The attempt that this run holds."""
        return self.model.actions[number].attempt or 0

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
    """Whether the answer says something about the world, rather than about keys or a fault."""
    return exchange.status not in (401, 403) and exchange.status < 500


__all__ = ["INGRESS", "JSON", "MODACK", "PUT", "Judge", "NotReached", "Stage"]
