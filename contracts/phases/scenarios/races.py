"""Many clients at the same moment: what they are answered has to fit some order of their calls."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from ...core.exchange import Exchange
from ...core.findings import Breach, concurrent_finding
from ...model.histories import REFUSED, ExplicitVersions, ImplicitVersions, Settlement
from ...model.linearizability import Call, Specification, check_history
from ...model.world import FRESH_REFUSALS, Definition, as_integer
from ...transport.wire import Request
from ..api import Api
from ..requests import INGRESS, MODACK, PUT, NotReached
from .scenario import scenario

CLIENTS: Final = 16
"""Calls that are under way at the same moment."""
_SECONDS: Final = 0.8
"""Seconds for which each kind of race is run: a defect that shows at all shows within a few rounds."""
_STEADY_ROUNDS: Final = 2
"""Rounds of each kind where what is sent must not depend on time."""

_Answer = Callable[[Exchange | None], Any]
"""Says what an answer means for the history; None where it says nothing."""
_Operation = Callable[[Request], tuple[Any, ...]]
"""Says what a request asks for, as the specification of the history takes it."""
_History = list[tuple[Call, Exchange | None]]
"""Pairs of a call and its exchange; None where no answer came."""


@scenario("many clients on one variant", "RACE-1", "ING-7", "PAGE-8")
def updates(api: Api) -> None:
    """Update a definition and post work for it at the same moment: no update is lost, and no id given twice.

    Raises:
        NotReached: versions move by more than one, or intrusive requests are not allowed.
    """
    taken = api.model.first_answers.get("a changed definition", "")
    changed = {"version + 1": 1, "same version": 0}.get(taken)
    _require_intrusive(api)
    fresh = api.define()
    before = api.known_definition(fresh).version
    if api.put(fresh, _fresh_schema(api)).data().get("version") not in (before, before + 1):
        raise NotReached("a version moves by more than one")
    for variant, history in _rounds(api):
        version = api.known_definition(variant).version
        requests = [
            _put(api, variant, _fresh_schema(api)) if number % 3 else _work(api, variant)
            for number in range(CLIENTS)
        ]
        spec = ImplicitVersions(changed, version=version)
        for _ in range(2):
            history += _volley(api, variant, requests, _reader(api, variant))
            requests = [
                _put(api, variant, _fresh_schema(api)) if number % 4 else _work(api, variant)
                for number in range(CLIENTS)
            ]
        if _accused(api, history, spec, PUT, "updates of one variant and work for it"):
            return


@scenario("many clients with versions of their own", "RACE-1", "ING-7", "PAGE-8")
def explicit_versions(api: Api) -> None:
    """Put versions that no other call names, so that each `a_ve` says which one was current.

    Raises:
        NotReached: the target does not store them, or intrusive requests are not allowed.
    """
    _require_intrusive(api)
    if api.model.first_answers.get("a higher explicit version") != "stored":
        raise NotReached("explicit versions are not stored")
    if api.model.first_answers.get("a lower explicit version", "stored") == "not stored":
        raise NotReached("lower explicit versions are passed over")
    interpretation = api.model.first_answers.get("after a lower explicit version")
    latest: Any = {"the lower one is current": "last", "the highest one is current": "highest"}.get(
        interpretation or ""
    )
    for variant, history in _rounds(api):
        version = api.known_definition(variant).version
        requests = [
            _put(api, variant, {"maxProperties": 100 + number}, version=version + 1 + number)
            if number % 2
            else _work(api, variant)
            for number in range(CLIENTS)
        ]
        api.random.shuffle(requests)
        history += _volley(api, variant, requests, _reader(api, variant), _numbered_operation)
        spec = ExplicitVersions(latest, version=version)
        if _accused(api, history, spec, PUT, "updates to different versions and work"):
            return


@scenario("many clients on one action", "RACE-1", "PAGE-8")
def settlements(api: Api) -> None:
    """Extend the current attempt and another one at the same moment; where acks are offered, one of them ends the action.

    Raises:
        NotReached: a linked client may settle the action too, or intrusive requests are not allowed.
    """
    _require_intrusive(api)
    second: Any = {"refused": "refuse", "accepted": "ok"}.get(api.model.first_answers.get("a second ack", ""))
    for _ in _turns(api):
        number = api.live()
        if not api.known_action(number).unattended:
            raise NotReached("a linked client may settle actions as well")
        if api.held_attempt(number) != 0:
            raise NotReached("the attempt that is held is not the first one")
        calls: list[tuple[str, int]] = [("modack", 0)] * 9 + [("modack", 1)] * 2
        if second is not None:
            calls = [("modack", 0)] * 6 + [("modack", 1), ("ack", 1)] + [("ack", 0)] * 4
        api.random.shuffle(calls)
        history: _History = []
        for _ in range(2):
            requests = [_signal(api, kind, number, attempt) for kind, attempt in calls]
            history += _volley(api, number, requests, _settled)
        if _accused(api, history, Settlement(second), MODACK, "signals for one action"):
            return


def _require_intrusive(api: Api) -> None:
    """Go on only where requests at the same moment are allowed.

    Raises:
        NotReached: they are not.
    """
    if not api.policy.intrusive:
        raise NotReached("requests at the same moment need --intrusive")


def _turns(api: Api) -> Iterator[int]:
    """Yield the number of each round: as many as there is time for, or a few where time is no measure."""
    until = api.client.clock.now() + _SECONDS * api.policy.patience
    for turn in itertools.count():
        if turn == _STEADY_ROUNDS if api.policy.steady else api.client.clock.now() >= until:
            return
        yield turn


def _rounds(api: Api) -> Iterator[tuple[str, _History]]:
    """Yield a variant and an empty history for each round; variants of earlier sequences first, as all of the target knows them."""
    known: list[str] = []
    if not api.names.reused:  # reused definitions are few, and later sequences need to know their versions
        known = [one.variant for one in api.model.definitions.values() if _usable(api, one)]
    for _ in _turns(api):
        variant = known.pop() if known else api.define(kind="any")
        api.accept(variant, 1)
        yield variant, []
        api.model.forget(api.requests.organisation(), variant)


def _usable(api: Api, known: Definition) -> bool:
    """Say whether all is known of a definition, it takes any work, and all of the target knows it."""
    return (
        (known.org, known.schema, known.alias) == (api.requests.organisation(), {}, frozenset())
        and known.variant.startswith(api.names.prefix)
        and known.fully_known
        and known.has_accepted_work
        and not api.model.definitions_with_alias(known.org, known.variant)
        and known.current_versions == {max(known.schemas)}
        and _known_everywhere(api, known.variant)
    )


def _known_everywhere(api: Api, variant: str) -> bool:
    """Say whether a definition is so old that all of the target has to know it."""
    return bool(api.known_definition(variant).defined_at + api.model.fresh_seconds < api.client.now())


def _fresh_schema(api: Api) -> dict[str, int]:
    """Return a schema that was never put, and that every payload here keeps."""
    return {"maxProperties": api.random.randrange(10**3, 10**9)}


def _put(api: Api, variant: str, schema: Any, **members: Any) -> Request:
    return api.requests.build(PUT, {"variant": variant, "schema": schema, **members})


def _work(api: Api, variant: str) -> Request:
    return api.requests.build(INGRESS, {"payload": {"n": 1}}, name=variant)


def _signal(api: Api, kind: str, number: str, attempt: int) -> Request:
    body: dict[str, Any] = {"action_record_id": number, "attempt": attempt}
    if kind == "modack":
        body["mod_ack"] = 300
    return api.requests.build(f"POST /v1/{kind}", body)


def _operation(request: Request) -> tuple[Any, ...]:
    """Return what a request asks for, by its path and body."""
    if request.method == "PUT":
        return ("put", request.body)
    if "/ingress/" in request.path:
        return ("ingress",)
    body = request.body or b""
    return request.path.rpartition("/")[2], 0 if b'"attempt": 0' in body else 1


def _numbered_operation(request: Request) -> tuple[Any, ...]:
    """Return what a request asks for; a PUT by the version that it names."""
    return ("put", json.loads(request.body or b"")["version"]) if request.method == "PUT" else ("ingress",)


def _volley(
    api: Api, key: str, requests: Sequence[Request], answer: _Answer, operation: _Operation = _operation
) -> _History:
    """Send requests at the same moment and return their history; `operation` says what each of them asks for."""
    began, answers = api.client.now(), api.sequence.volley(requests)
    calls = []
    for request, exchange in zip(requests, answers, strict=True):
        call, back = (began, math.inf) if exchange is None else (exchange.call, exchange.back)
        calls.append((Call(key, call, back, operation(request), answer(exchange)), exchange))
    return calls


def _reader(api: Api, variant: str) -> _Answer:
    """Return what reads the version that an answer names; None where it says nothing, or where a variant may be too fresh."""
    known_everywhere = _known_everywhere(api, variant)

    def read(exchange: Exchange | None) -> Any:
        if exchange is None or not exchange.has_envelope or exchange.status >= 500:
            return None
        data, put = exchange.data(), exchange.method == "PUT"
        if not data:
            refused = (
                400 <= exchange.status < 500
                if put
                else known_everywhere and exchange.status in FRESH_REFUSALS
            )
            return REFUSED if refused else None
        if put:
            version = as_integer(data.get("version"))
            return None if version is None else ("ok", version, data.get("id"))
        digits = data.get("a_ve")
        known = isinstance(digits, str) and digits.isascii() and digits.isdigit() and len(digits) < 1_000
        return ("ok", int(str(digits)), data.get("a_def_id")) if known else None

    return read


def _settled(exchange: Exchange | None) -> Any:
    """Say whether a signal was taken; None where that cannot be told, as with a 404 for a fresh action."""
    if exchange is None or not exchange.has_envelope or exchange.status >= 500 or exchange.status == 404:
        return None
    return "ok" if exchange.status < 300 else "refused"


def _accused(api: Api, history: _History, spec: Specification, operation: str, what: str) -> bool:
    """Put a history into the ledger if no order of its calls explains the answers, and say whether it did.

    Raises:
        Interference: the target was restarted meanwhile.
    """
    api.judge.ledger.tested["RACE-1"] += 1
    verdict = check_history([call for call, _ in history], spec)
    if verdict.ok:
        return False
    contradicting = [
        (call, exchange) for call, exchange in history if exchange is not None and _in(call, verdict.core)
    ]
    breach = Breach(
        "RACE-1",
        f"What concurrent {what} are answered fits no order of them",
        "answers that some order of the calls allows",
        "; ".join(f"{call.op[0]} {_words(call.answer)}" for call, _ in contradicting[:6]),
    )
    api.accusations.prove(
        [concurrent_finding(breach, operation, tuple(exchange for _, exchange in contradicting))]
    )
    return True


def _in(call: Call, core: Sequence[Call]) -> bool:
    return any(call.call == one.call and call.op == one.op for one in core)


def _words(answer: Any) -> str:
    return f"version {answer[1]}" if isinstance(answer, tuple) and len(answer) > 1 else str(answer)


__all__ = ["CLIENTS", "explicit_versions", "settlements", "updates"]
