"""64 organisations on one port, 8 client processes, 100,000 interleaved operations against a model.

    python -m benchmarks.isolation [--operations 100000] [--organisations 64] [--processes 8]

Each process uses its share of the organisations in random order, over HTTP: it defines, accepts, acks, nacks, extends,
defers, reads records and lists, moves clocks, snapshots, restores and resets, and compares every answer with a simple model
of that organisation alone. A leak is an answer that the model does not give, or an action that another organisation's key
can read. At the end the ids of all are compared. An id is a duplicate when two organisations share it, or when an
organisation used it twice between two resets or restores.
"""

from __future__ import annotations

import argparse
import copy
import http.client
import json
import multiprocessing
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from benchmarks.processes import free_port, machine, server

TOKEN = "benchmark"  # of a server that only this machine can reach, during the run
LEASE = 60
"""Seconds."""


@dataclass
class Model:
    """What one organisation should be, on a frozen clock."""

    now: int = 0
    """Seconds since the start."""
    actions: dict[str, list[Any]] = field(default_factory=dict)
    """Id → [status, attempt, deadline]."""

    def advance(self, seconds: int) -> None:
        """Let time pass: the end of a lease begins the next attempt, that of a deferred action is its success."""
        self.now += seconds
        for action in self.actions.values():
            while action[0] in ("ack_wait", "deferred") and action[2] <= self.now:
                if action[0] == "deferred":
                    action[0] = "succeeded"
                else:
                    action[1] += 1
                    action[2] += LEASE


class Findings(NamedTuple):
    """What a process found."""

    operations: Counter[str]
    differences: list[str]
    """Answers that differ from the model, as messages."""
    ids: dict[tuple[str, int], list[str]]
    """(organisation, number of its resets and restores) → ids of its actions since then."""


class Client:
    """Uses one process's share of the organisations."""

    def __init__(self, ports: tuple[int, int], organisations: list[str], seed: int) -> None:
        self.api, self.admin = (http.client.HTTPConnection("127.0.0.1", port) for port in ports)
        self.chance = random.Random(seed)
        self.models = {org: Model() for org in organisations}
        self.snapshots: dict[str, Model] = {}
        self.generations = dict.fromkeys(organisations, 0)
        self.findings = Findings(Counter(), [], {})
        self.recent: list[str] = []

    def call(self, org: str, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """(status, JSON) of a request to the API with the organisation's key."""
        headers = {"x-arklow-auth": f"org-{org}", "content-type": "application/json"}
        self.api.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.api.getresponse()
        return answer.status, json.loads(answer.read())

    def command(self, org: str, method: str, path: str, body: object = None) -> None:
        """Send a command to the admin plane, which has to accept it."""
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
        content = None if body is None else json.dumps(body)
        self.admin.request(method, f"/organisations/{org}{path}", content, headers)
        answer = self.admin.getresponse()
        text = answer.read()
        if answer.status != 200:
            self.findings.differences.append(f"{method} {path} of {org}: {answer.status} {text[:200]!r}")

    def expect(self, org: str, what: str, found: object, expected: object) -> None:
        """Compare an answer with the model's."""
        if found != expected:
            self.findings.differences.append(f"{org} {what}: expected {expected}, got {found}")

    def begin(self, org: str, *, reset: bool = True) -> None:
        """Begin a new generation of ids: reset with a new seed, or go on after a restore."""
        self.generations[org] += 1
        self.findings.ids[org, self.generations[org]] = []
        if reset:
            self.models[org] = Model()
            clock = {"mode": "frozen", "now": "2026-01-01T00:00:00Z"}
            self.command(org, "POST", "/reset", {"seed": self.generations[org], "clock": clock})
            status, _ = self.call(
                org, "PUT", f"/v1/orgs/{org}/actions/definitions", {"variant": "v", "schema": {}}
            )
            self.expect(org, "PUT", status, 200)

    def run(self, operations: int) -> Findings:
        """Carry out so many random operations, each on a random organisation."""
        for org in self.models:
            self.begin(org)
        kinds = (
            "accept accept accept accept ack nack modack modack defer read read list advance foreign".split()
        )
        for _ in range(operations):
            org = self.chance.choice(list(self.models))
            kind = self.chance.choice(kinds) if self.chance.random() < 0.97 else self.chance.choice(
                ["reset", "snapshot", "restore"]
            )  # fmt: skip
            self.findings.operations[kind] += 1
            getattr(self, kind)(org, self.models[org])
        return self.findings

    def accept(self, org: str, model: Model) -> None:
        """Post work, which the worker holds."""
        status, body = self.call(org, "POST", "/v1/ingress/v", {"payload": org})
        self.expect(org, "accept", status, 200)
        if status == 200:
            action = body["data"]["a_id"]
            self.findings.ids[org, self.generations[org]].append(action)
            model.actions[action] = ["ack_wait", 0, model.now + LEASE]
            self.recent = [action, *self.recent[:20]]

    def signal(self, org: str, model: Model, name: str, **members: Any) -> list[Any] | None:
        """Send a signal for a random action. Return the action's model when it was accepted."""
        if not model.actions:
            return None
        action = self.chance.choice(list(model.actions))
        kept = model.actions[action]
        named = {"action_record_id": action, "attempt": kept[1]}
        status, _ = self.call(org, "POST", f"/v1/{name}", named | members)
        taken = kept[0] == "ack_wait" or (kept[0] == "deferred" and name != "nack")
        self.expect(org, f"{name} of {kept}", status, 200 if taken else 409)
        return kept if taken else None

    def ack(self, org: str, model: Model) -> None:
        """Ack an attempt."""
        kept = self.signal(org, model, "ack")
        if kept:
            kept[0] = "succeeded"

    def nack(self, org: str, model: Model) -> None:
        """Reject an attempt for good."""
        kept = self.signal(org, model, "nack", terms={"retry": False})
        if kept:
            kept[0] = "failed"

    def modack(self, org: str, model: Model) -> None:
        """Extend a lease."""
        seconds = self.chance.randint(1, 600)
        kept = self.signal(org, model, "modack", mod_ack=seconds)
        if kept:
            kept[2] = model.now + seconds

    def defer(self, org: str, model: Model) -> None:
        """Take custody."""
        kept = self.signal(org, model, "defer")
        if kept and kept[0] == "ack_wait":
            kept[0], kept[2] = "deferred", model.now + LEASE

    def read(self, org: str, model: Model) -> None:
        """Read a record, with the payload that only this organisation sends."""
        if model.actions:
            action = self.chance.choice(list(model.actions))
            status, body = self.call(org, "GET", f"/v1/orgs/{org}/actions/records/{action}")
            found = body["data"] and (
                body["data"]["input"],
                body["data"]["state"]["status"],
                body["data"]["state"]["attempt"],
            )
            kept = model.actions[action]
            public = "ack_wait" if kept[0] == "deferred" else kept[0]
            self.expect(org, "record", (status, found), (200, (org, public, kept[1])))

    def list(self, org: str, model: Model) -> None:
        """List the newest records and the number of all."""
        status, body = self.call(org, "GET", f"/v1/orgs/{org}/actions/records?take=50")
        found = status == 200 and ([item["id"] for item in body["data"]["items"]], body["data"]["count"])
        self.expect(org, "list", found, (list(model.actions)[-50:][::-1], len(model.actions)))

    def advance(self, org: str, model: Model) -> None:
        """Let time pass for this organisation alone."""
        seconds = self.chance.randint(1, 90)
        self.command(org, "POST", "/clock/advance", {"seconds": seconds})
        model.advance(seconds)

    def foreign(self, org: str, model: Model) -> None:
        """Try to use another organisation's action, which is not found (B133)."""
        others = [action for action in self.recent if action not in model.actions]
        if others:
            action = self.chance.choice(others)
            named = {"action_record_id": action, "attempt": 0}
            status, _ = self.call(org, "POST", "/v1/ack", named)
            self.expect(org, "ack of another's", status, 404)
            status, _ = self.call(org, "GET", f"/v1/orgs/{org}/actions/records/{action}")
            self.expect(org, "record of another's", status, 404)

    def reset(self, org: str, model: Model) -> None:
        """Reset the organisation, with other ids."""
        self.begin(org)

    def snapshot(self, org: str, model: Model) -> None:
        """Take a snapshot of the organisation and of its model."""
        self.command(org, "PUT", "/snapshots/s")
        self.snapshots[org] = copy.deepcopy(model)

    def restore(self, org: str, model: Model) -> None:
        """Restore both."""
        if org in self.snapshots:
            self.command(org, "POST", "/snapshots/s/restore")
            self.models[org] = copy.deepcopy(self.snapshots[org])
            self.begin(org, reset=False)


def share(ports: tuple[int, int], organisations: list[str], seed: int, operations: int) -> Findings:
    """Run in a process of its own."""
    return Client(ports, organisations, seed).run(operations)


def duplicates(found: list[Findings]) -> int:
    """The number of ids that two organisations share, or that one used twice in a generation."""
    owners: dict[str, str] = {}
    count = 0
    for one in found:
        for (org, _), ids in one.ids.items():
            count += len(ids) - len(set(ids))
            count += sum(owners.setdefault(action, org) != org for action in ids)
    return count


def main() -> int:
    """Run all processes, and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--operations", type=int, default=100_000)
    parser.add_argument("--organisations", type=int, default=64)
    parser.add_argument("--processes", type=int, default=8)
    options = parser.parse_args()
    control, ingress, admin = free_port(), free_port(), free_port()
    mock = [sys.executable, "-m", "mock_server", "--host", "127.0.0.1", "--admin-host", "127.0.0.1"]
    mock += ["--port", str(control), "--ingress-port", str(ingress), "--admin-port", str(admin)]
    names = [str(1_000 + number) for number in range(options.organisations)]
    each = options.operations // options.processes
    jobs = [
        ((control, admin), names[number :: options.processes], number, each)
        for number in range(options.processes)
    ]
    with server([*mock, "--admin-token", TOKEN], control):
        started = time.perf_counter()
        with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
            found = pool.starmap(share, jobs)
        seconds = time.perf_counter() - started
    operations = sum((one.operations for one in found), Counter[str]())
    differences = [text for one in found for text in one.differences]
    given = sum(len(ids) for one in found for ids in one.ids.values())
    print(machine())
    print(f"{operations.total():,} operations in {seconds:.0f} s: {dict(operations.most_common())}")
    print(f"{len(names)} organisations, {options.processes} processes, {given:,} ids")
    print(f"leaks and other differences from the model: {len(differences)}")
    print(f"duplicate ids: {duplicates(found)}")
    for text in differences[:10]:
        print(" ", text)
    return 1 if differences or duplicates(found) else 0


if __name__ == "__main__":
    sys.exit(main())
