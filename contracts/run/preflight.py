"""Whether a target can be judged at all, and during the run whether it is still there and knows what it knew."""

from __future__ import annotations

import itertools
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random

from ..core.exchange import Exchange
from ..core.findings import Breach, finding_of
from ..model.world import FRESH_REFUSALS
from ..oracle.judge import Judge
from ..phases.api import Api
from ..phases.policy import TrafficPolicy
from ..phases.requests import NotInDocument, NotReached
from ..transport.client import Client
from ..transport.clock import NoAdminPlane
from ..transport.interference import TOO_SLOW, Interference
from ..transport.throttle import TimeUp
from ..transport.wire import Request
from .plan import LEASES_OVER, Plan
from .recognition import FirstAnswers, Recognition

_MAY_NOT = (401, 403, 404, 405, 501)
"""Statuses that say that the key may not put definitions, or that no key may."""
_PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Seconds before each try to reach the target, the last one before each further try: a server that has just been started is
reached soon, and one that starts slowly is not asked often."""
_SLOW_TO_LEARN = 8.0
"""Seconds, beyond those of `Plan.settle`, for which the first work is tried while its definition seems to be unknown."""
_MARGIN = 0.5
"""Seconds by which later definitions may take longer than the first one until they are known."""
_LEAST_TIMEOUT = 1.0
"""Seconds that each of the first answers may take at least, however soon the time to wait for the target is over."""
_LOOK = 0.5
"""Seconds between two tries of the first work while its definition seems to be unknown."""
_PATIENCE = 4.0
"""Seconds that a target may take to come back before the run goes on without it."""
_NIGHT_PATIENCE = 1_800.0
"""The same for a night, in which a new version may be deployed."""
_LOOKS = 3
"""How often a target is asked whether it knows what it knew, while no answer comes."""
_FIRST_PAUSE, _LONGER, _LONGEST_PAUSE = 0.2, 1.2, 10.0
"""Seconds between two looks whether a target is back, how many times longer each next pause is, and the longest one."""


@dataclass(frozen=True, slots=True)
class _Witness:
    """Work whose answer changes when a definition is lost."""

    work: Request
    definition: Request
    """The definition that the work needs, or breaks."""
    is_refused: bool
    """Whether the work is refused while the definition is known."""


class Preflight:
    """One target, as a run finds it."""

    def __init__(self, plan: Plan, client: Client, judge: Judge) -> None:
        self._plan = plan
        self._client = client
        self._judge = judge
        self._context = judge.context
        self._random = Random(
            plan.seed if plan.steady else f"{plan.seed} {client.trace} {client.clock.unix_time()}"
        )
        self._policy = TrafficPolicy(
            bool(plan.name_prefix),
            plan.intrusive,
            plan.steady,
            patience=2.0 if plan.only else 1.0,
            lease_wait=plan.wait or LEASES_OVER,
            timeout=plan.timeout,
        )
        self.prefix = f"contract.{plan.name_prefix or f'{self._random.getrandbits(32):08x}'}."
        """Begins every variant and alias of the run; settled when `check` has returned."""
        self.unreachable: str | None = None
        """One sentence that says that the target went away for good; None while it did not."""
        self._drops = 0
        self._witness: _Witness | None = None
        """What tells later whether the target has lost what it knew; None where nothing tells it."""

    def new_sequence(self, *, scope: str = "", careful: bool = False) -> Api:
        """Return an empty sequence under the names of the run; the arguments are those of `Api`."""
        return Api(
            self._client,
            self._judge,
            self._random,
            self.prefix,
            self._policy,
            scope=scope,
            careful=careful,
            was_restarted=self.was_restarted,
        )

    # First contact

    def check(self) -> str | None:
        """Send the first requests; say in one sentence why the target cannot be judged, or return None when it can."""
        kinds: list[str] = []
        until = self._client.clock.now() + self._plan.wait_for
        for pause in itertools.chain(_PAUSES, itertools.repeat(_PAUSES[-1])):
            if kinds and self._client.clock.now() + pause > until:
                break
            try:
                self._client.throttle.pause(pause)
                return self._judged(self._first_answers(until))
            except NotReached as why:
                return f"There is nothing to judge: {why}."
            except TimeUp as why:
                return self._client.throttle.limited or f"Nothing could be judged: {why}."
            except Interference as met:
                kinds.append(str(met))
        base, waited = self._plan.target.base_url, f"within {self._plan.wait_for:g} s (--wait-for)"
        if kinds[-1].isdigit():
            return f"{base} answers nothing but {kinds[-1]}, which is a gateway or a limit and not the application, {waited}."
        if kinds[-1].startswith("an answer"):
            return f"{base} answers, and no answer could be read: {kinds[-1]}."
        hint = f"; an answer may take {self._plan.timeout:g} s (--timeout)" if kinds[-1] == TOO_SLOW else ""
        return f"{base} could not be reached {waited}: {kinds[-1]}{hint}."

    def _first_answers(self, until: float) -> FirstAnswers:
        """Send one request of each kind; each answer is given up at `until`, or when an answer may take no longer.

        Raises:
            NotReached: the document has no operation that puts definitions.
            Interference: no answer of the application came.
            TimeUp: a budget is used up.
        """
        left = max(_LEAST_TIMEOUT, until - self._client.clock.now())
        policy = replace(self._policy, timeout=min(self._plan.timeout, left), looks_into_refusals=False)
        api = Api(self._client, self._judge, self._random, self.prefix, policy)
        definition = self._define(api)
        ingress: list[Exchange] = []
        served = None
        with suppress(Interference):  # where one operation alone is silent, that is looked into
            unknown = api.ingress(api.name("unknown"))
            ingress.append(unknown)
            served = self._serve(api, definition)
            self._witness = self._find_witness(api, definition, served, defines_unknown=unknown.is_served)
        with suppress(Interference, NotInDocument):
            ingress.append(api.modack("1"))
        other_organisations = tuple(
            api.put(f"{api.names.prefix}plain0" if api.names.reused else api.name(), org=org)
            for org in range(1, len(self._plan.target.credentials))
        )
        return FirstAnswers(definition, tuple(ingress), served, other_organisations)

    def _define(self, api: Api) -> Exchange:
        """Put a definition; under a name without dots where names with dots are refused, which breaks B057."""
        dotted = api.put(api.name("plain"))
        if dotted.data() or dotted.status not in (400, 409, 422):
            return dotted
        api.names.change_prefix(self.prefix.replace(".", "-"))
        undotted = api.put(api.name("plain"))
        if undotted.data():
            self.prefix = api.names.prefix
            title = "A definition whose variant has dots is refused, and one without dots is not"
            breach = Breach("PAGE-11", title, "200, as dots are a convention", str(dotted.status), "variant")
            finding = finding_of(breach, dotted, (dotted,))
            self._judge.ledger.add([replace(finding, needs_sequence=True, confirmed=1, attempts=1)])
        return undotted

    def _serve(self, api: Api, definition: Exchange) -> Exchange | None:
        """Post work for the definition, or for a declared one; None when it is not accepted.

        A target that knows its definition only after a while is recognised here: what is fresh then stays so for longer.
        """
        variant = definition.data().get("variant") or next(iter(self._context.declared), None)
        if variant is None:
            return None
        exchange = api.ingress(str(variant))
        clock, model = self._client.clock, self._judge.model
        until = definition.back + model.fresh_seconds + _SLOW_TO_LEARN
        while definition.data() and exchange.status in FRESH_REFUSALS and clock.now() < until:
            self._client.throttle.pause(_LOOK)
            self._judge.disregard(exchange)
            exchange = api.ingress(str(variant))
        if not exchange.is_served:
            return None
        refused = [one for one in api.exchanges if one.url == exchange.url and one.status in FRESH_REFUSALS]
        if refused and definition.data():
            model.fresh_seconds = max(model.fresh_seconds, exchange.back - definition.back + _MARGIN)
            self._context.learned.lasting_refusals.clear()
        return exchange

    def _find_witness(
        self, api: Api, definition: Exchange, served: Exchange | None, *, defines_unknown: bool
    ) -> _Witness | None:
        """Return what tells later whether the target has lost what it knew; None where nothing tells it.

        A target that defines by itself what it does not know serves the same work after a restart. There a definition tells
        which refuses some work: the new one does not.
        """
        if served is None or not definition.data():
            return None
        if not defines_unknown:
            return _Witness(self._request_of(served), self._request_of(definition), is_refused=False)
        strict = api.put(api.name("strict"), {"type": "object", "required": ["order_id"]})
        broken = api.ingress(str(strict.data().get("variant")), {})
        if broken.status not in FRESH_REFUSALS:
            return None
        return _Witness(self._request_of(broken), self._request_of(strict), is_refused=True)

    def _judged(self, first: FirstAnswers) -> str | None:
        """Remember what is needed later of the first answers, and say why the target cannot be judged; None when it can."""
        definition = first.definition
        self._context.learned.note_puts_refused(not definition.data() and definition.status in _MAY_NOT)
        reason = Recognition(self._client, self._context).why_not(first)
        self._client.breaker.arm(self._request_of(first.served or first.all[-1]))
        reason = reason or self._stuck_clock()
        if reason:
            self._judge.ledger.clear()
        return reason

    def _stuck_clock(self) -> str | None:
        """Say why the admin plane does not move its clock; None where it does, or where none was named."""
        admin = self._plan.target.admin
        try:
            self._client.check_clock()
        except NoAdminPlane as met:
            return f"--admin-url {admin and admin.url} is no admin plane of a mock: {met}."
        except Interference as met:
            refused = re.search("answers 40[13]", str(met))
            hint = "; --admin-token has the token that the mock printed when it started" if refused else ""
            return f"The clock of the mock cannot be moved, as --admin-url asks for: {met}{hint}."
        return None

    def _request_of(self, exchange: Exchange) -> Request:
        path = self._context.path_of(exchange.url)
        return Request(exchange.method, path, exchange.headers, exchange.body)

    # Later

    def has_restarted(self) -> bool:
        """Say whether the target has closed a connection since this was last asked, and has forgotten what it knew."""
        before, self._drops = self._drops, self._client.drops
        return before != self._drops and self.has_forgotten()

    def has_forgotten(self) -> bool:
        """Say whether the target has lost a definition that it knew at first; then the model begins anew as well."""
        with suppress(Interference, TimeUp):
            return self._has_lost_witness()
        return False

    def was_restarted(self) -> bool:
        """Say whether the target has lost what it knew, as `has_forgotten` does; a target that is away is waited for.

        What cannot be told because no answer comes counts as lost.
        """
        with suppress(TimeUp):
            for _ in range(_LOOKS):
                try:
                    return self._has_lost_witness()
                except Interference:
                    if not self.wait_for_return():
                        break
            return True
        return False

    def _has_lost_witness(self) -> bool:
        """Ask for the witness, and put its definition again where it is lost.

        Raises:
            Interference: no answer of the application came.
            TimeUp: the run has ended, or a budget is used up.
        """
        witness = self._witness
        if witness is None:
            return False
        is_lost = (self._client.send(witness.work).status in FRESH_REFUSALS) is not witness.is_refused
        if is_lost:
            self._judge.model.start_again()
            self._client.send(witness.definition)
        return is_lost

    def wait_for_return(self) -> bool:
        """Wait until the target answers again; False when it does not, or when the run ends before."""
        clock = self._client.clock
        until = clock.now() + (_NIGHT_PATIENCE if self._plan.night else _PATIENCE)
        pause = _FIRST_PAUSE
        with suppress(TimeUp):
            while (left := until - clock.now()) > 0:
                self._client.throttle.pause(min(pause, left), "the target to answer again")
                pause = min(_LONGER * pause, _LONGEST_PAUSE)
                with suppress(Interference):
                    self._client.send(Request("GET", "/v1/modack"))
                    return True
            self.unreachable = f"{self._plan.target.base_url} went away during the run and did not come back."
        return False


__all__ = ["Preflight"]
