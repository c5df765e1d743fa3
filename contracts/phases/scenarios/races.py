"""Many clients at once: what they are answered has to fit some order of their calls."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from ...core.exchange import Exchange
from ...core.findings import Breach
from ...model.histories import REFUSED, ExplicitVersions, ImplicitVersions, Settlement
from ...model.linearizability import Call, Specification, check_history
from ...model.world import FRESH_REFUSALS, FRESH_SECONDS, Definition, as_integer
from ...transport.client import Request
from ..api import Api
from ..requests import INGRESS, MODACK, PUT, NotReached
from .scenario import scenario

CLIENTS: Final = 16
"""Calls that are under way at the same moment."""
_SECONDS: Final = 0.8
"""How long each kind of race is run."""
_FEW: Final = 2
"""Rounds of a kind where the requests are the same each time."""

Answer = Callable[[Exchange | None], Any]
Asked = Callable[[Request], tuple[Any, ...]]


@scenario("many clients on one variant", "RACE-1", "ING-7", "PAGE-8")
def updates(api: Api) -> None:
    """Updates and work at the same moment: no update is lost, and no id given twice."""
    taken = api.model.first_answers.get("a changed definition", "")
    changed = {"version + 1": 1, "same version": 0}.get(taken)
    _allowed(api)
    fresh = api.define()
    before = api.known_definition(fresh).version
    if api.put(fresh, _another(api)).data().get("version") not in (before, before + 1):
        raise NotReached("a version moves by more than one")
    for variant, history in _rounds(api):
        version = api.known_definition(variant).version
        requests = [
            _put(api, variant, _another(api)) if number % 3 else _work(api, variant)
            for number in range(CLIENTS)
        ]
        spec = ImplicitVersions(changed, version=version)
        for _ in range(2):
            history += _volley(api, variant, requests, _reader(api, variant))
            requests = [
                _put(api, variant, _another(api)) if number % 4 else _work(api, variant)
                for number in range(CLIENTS)
            ]
        if _judged(api, history, spec, PUT, "updates of one variant and work for it"):
            return


@scenario("many clients with versions of their own", "RACE-1", "ING-7", "PAGE-8")
def explicit_versions(api: Api) -> None:
    """Each update names a version that nobody else names, so that each `a_ve` says which one was read."""
    _allowed(api)
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
        history += _volley(api, variant, requests, _reader(api, variant), _numbered)
        spec = ExplicitVersions(latest, version=version)
        if _judged(api, history, spec, PUT, "updates to different versions and work"):
            return


@scenario("many clients on one action", "RACE-1", "PAGE-8")
def settlements(api: Api) -> None:
    """Who holds the attempt extends it, nobody else does; where acks are offered, one of them ends it."""
    _allowed(api)
    second: Any = {"refused": "refuse", "accepted": "ok"}.get(api.model.first_answers.get("a second ack", ""))
    for _ in _turns(api):
        number = api.live()
        if not api.known_action(number).unattended:
            raise NotReached("whoever is linked may settle actions as well")
        if api.held_attempt(number) != 0:
            raise NotReached("the attempt that is held is not the first one")
        calls: list[tuple[str, int]] = [("modack", 0)] * 9 + [("modack", 1)] * 2
        if second is not None:
            calls = [("modack", 0)] * 6 + [("modack", 1), ("ack", 1)] + [("ack", 0)] * 4
        api.random.shuffle(calls)
        history: list[tuple[Call, Exchange | None]] = []
        for _ in range(2):
            requests = [_signal(api, kind, number, attempt) for kind, attempt in calls]
            history += _volley(api, number, requests, _settled)
        if _judged(api, history, Settlement(second), MODACK, "signals for one action"):
            return


def _allowed(api: Api) -> None:
    if not api.policy.intrusive:
        raise NotReached("requests at the same moment need --intrusive")


def _turns(api: Api) -> Iterator[int]:
    """As many rounds as there is time for; a few, where time is no measure."""
    until = api.client.clock.now() + _SECONDS * api.policy.patience
    for turn in itertools.count():
        if turn == _FEW if api.policy.steady else api.client.clock.now() >= until:
            return
        yield turn


def _rounds(api: Api) -> Iterator[tuple[str, list[tuple[Call, Exchange | None]]]]:
    """A variant each, until the time is up: those of earlier sequences first, which all of the target knows."""
    fresh = not api.names.reused  # whose definitions are few, and have to be told again afterwards
    ripe = [one.variant for one in api.model.definitions.values() if fresh and _usable(api, one)]
    for _ in _turns(api):
        variant = ripe.pop() if ripe else api.define(kind="any")
        api.accept(variant, 1)
        yield variant, []
        api.model.forget(api.requests.organisation(), variant)


def _usable(api: Api, known: Definition) -> bool:
    """Whether all is known of a definition, it takes any work, and it is not fresh."""
    return (
        (known.org, known.schema, known.alias) == (api.requests.organisation(), {}, frozenset())
        and known.variant.startswith(api.names.prefix)
        and known.fully_known
        and known.has_accepted_work
        and not api.model.definitions_with_alias(known.org, known.variant)
        and known.current_versions == {max(known.schemas)}
        and _ripe(api, known.variant)
    )


def _ripe(api: Api, variant: str) -> bool:
    return bool(api.known_definition(variant).defined_at + FRESH_SECONDS < api.client.now())


def _another(api: Api) -> dict[str, int]:
    """A schema that nobody has put, and that every payload here keeps."""
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


def _volley(
    api: Api, key: str, requests: Sequence[Request], answer: Answer, asked: Asked | None = None
) -> list[tuple[Call, Exchange | None]]:
    """Send them all at once; what was asked and answered, as the checker of histories takes it."""
    began, answers = api.client.now(), api.sequence.volley(requests)
    calls = []
    for request, exchange in zip(requests, answers, strict=True):
        call, back = (began, math.inf) if exchange is None else (exchange.call, exchange.back)
        calls.append((Call(key, call, back, (asked or _asked)(request), answer(exchange)), exchange))
    return calls


def _asked(request: Request) -> tuple[Any, ...]:
    """What a request asks, told by its path and body."""
    if request.method == "PUT":
        return ("put", request.body)
    if "/ingress/" in request.path:
        return ("ingress",)
    body = request.body or b""
    return request.path.rpartition("/")[2], 0 if b'"attempt": 0' in body else 1


def _numbered(request: Request) -> tuple[Any, ...]:
    """A put is told by the version that it names."""
    return ("put", json.loads(request.body or b"")["version"]) if request.method == "PUT" else ("ingress",)


def _reader(api: Api, variant: str) -> Answer:
    """Reads the version that an answer names; unknown where it says nothing, or where a fresh variant may be unknown."""
    ripe = _ripe(api, variant)

    def read(exchange: Exchange | None) -> Any:
        if exchange is None or exchange.status >= 500:
            return None
        data, put = exchange.data(), exchange.method == "PUT"
        if not data:
            refused = 400 <= exchange.status < 500 if put else ripe and exchange.status in FRESH_REFUSALS
            return REFUSED if refused else None
        if put:
            version = as_integer(data.get("version"))
            return None if version is None else ("ok", version, data.get("id"))
        shown = data.get("a_ve")
        known = isinstance(shown, str) and shown.isascii() and shown.isdigit() and len(shown) < 1_000
        return ("ok", int(str(shown)), data.get("a_def_id")) if known else None

    return read


def _settled(exchange: Exchange | None) -> Any:
    if (
        exchange is None or exchange.status >= 500 or exchange.status == 404
    ):  # as a fresh action may be unknown
        return None
    return "ok" if exchange.status < 300 else "refused"


def _judged(
    api: Api, history: list[tuple[Call, Exchange | None]], spec: Specification, operation: str, what: str
) -> bool:
    """Whether no order of the calls explains their answers; a history is its own confirmation."""
    api.judge.ledger.tested["RACE-1"] += 1
    verdict = check_history([call for call, _ in history], spec)
    if verdict.ok:
        return False
    shown = [
        (call, exchange) for call, exchange in history if exchange is not None and _in(call, verdict.core)
    ]
    breach = Breach(
        "RACE-1",
        f"What concurrent {what} are answered fits no order of them",
        "answers that some order of the calls allows",
        "; ".join(f"{call.op[0]} {_words(call.answer)}" for call, _ in shown[:6]),
    )
    api.judge.prove(breach, operation, tuple(exchange for _, exchange in shown))
    return True


def _in(call: Call, core: Sequence[Call]) -> bool:
    return any(call.call == one.call and call.op == one.op for one in core)


def _words(answer: Any) -> str:
    return f"version {answer[1]}" if isinstance(answer, tuple) and len(answer) > 1 else str(answer)


__all__ = ["CLIENTS", "explicit_versions", "settlements", "updates"]
