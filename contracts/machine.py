"""The door to Hypothesis: random walks define → ingress → modack, against the model, shrunk when they fail."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.errors import Flaky
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from .client import TimeUp, Weather
from .failures import Finding
from .stage import NotReached, Stage
from .strategies import leases, objects, schemas, tags


@contextmanager
def no_traces() -> Iterator[None]:
    """Keep what Hypothesis writes away from where the user stands."""
    with tempfile.TemporaryDirectory(prefix="arklow-contracts-", ignore_cleanup_errors=True) as home:
        set_hypothesis_home_dir(home)
        try:
            yield
        finally:
            set_hypothesis_home_dir(None)


class Broken(AssertionError):
    """A walk came to answers that the model does not allow."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(findings[0].title)
        self.findings = findings


def walk(make_stage: Callable[[], Stage], seed: int, seconds: float, examples: int = 100) -> list[Finding]:
    """Walk until the time is up or nothing new is found; what is returned was found at least twice.

    What a walk finds is shrunk for as long again as the walk may take.
    """
    hunt = Hunt(time.monotonic() + seconds, seconds)
    for round_ in range(8):
        if time.monotonic() > hunt.deadline:
            break
        hunt.begin()
        try:
            run_state_machine_as_test(
                hypothesis.seed(seed * 100 + round_)(_machine(make_stage, hunt)),
                settings=settings(
                    max_examples=examples,
                    stateful_step_count=12,
                    deadline=None,
                    database=None,
                    suppress_health_check=list(HealthCheck),
                    phases=[Phase.generate, Phase.shrink],
                    print_blob=False,
                    verbosity=hypothesis.Verbosity.quiet,
                ),
            )
        except (Broken, Flaky):
            hunt.end()
            continue
        break
    return hunt.confirmed


class Hunt:
    """What walks have found so far, and how long they may go on."""

    def __init__(self, deadline: float, patience: float) -> None:
        self.deadline = deadline
        self.confirmed: list[Finding] = []
        self._patience = patience
        self._seen: dict[Any, list[Finding]] = {}
        self._until = deadline

    def begin(self) -> None:
        """A round begins."""
        self._seen, self._until = {}, self.deadline

    @property
    def over(self) -> bool:
        """Whether no further call is to be made."""
        return time.monotonic() > self._until

    def new(self, findings: list[Finding]) -> list[Finding]:
        """Those that no earlier round has confirmed; they are kept, and time is given to find them again."""
        known = {one.key for one in self.confirmed}
        new = [finding for finding in findings if finding.key not in known]
        if new and not self._seen:
            self._until = time.monotonic() + self._patience
        for finding in new:
            self._seen.setdefault(finding.key, []).append(finding)
        return new

    def end(self) -> None:
        """A round ends: what was found once only is no finding, as nobody could show it again."""
        for findings in self._seen.values():
            if len(findings) > 1:
                self.confirmed.append(min(findings, key=lambda finding: finding.size))


def _machine(make_stage: Callable[[], Stage], hunt: Hunt) -> type[RuleBasedStateMachine]:
    class Walk(RuleBasedStateMachine):
        variants = Bundle("variants")
        actions = Bundle("actions")

        def __init__(self) -> None:
            super().__init__()
            self.stage = make_stage()
            self.orgs = len(self.stage.known.target.credentials)
            self.over = False

        def play(self, call: Callable[[], Any]) -> Any:
            """Make a call unless the walk is over; complain when the model does."""
            if self.over or hunt.over:
                return None
            try:
                result = call()
            except (Weather, NotReached, TimeUp):
                self.over = True
                return None
            new = hunt.new(self.stage.findings)
            if new:
                raise Broken(new)
            return result

        @initialize(target=variants)
        def first(self) -> str:
            name = self.stage.name()
            self.play(lambda: self.stage.put(name))
            return name

        @rule(target=variants, schema=schemas, org=st.integers(0, 1))
        def define(self, schema: Any, org: int) -> str:
            name = self.stage.name()
            self.play(lambda: self.stage.put(name, schema, org=org % self.orgs))
            return name

        @rule(variant=variants, schema=schemas, org=st.integers(0, 1))
        def update(self, variant: str, schema: Any, org: int) -> None:
            self.play(lambda: self.stage.put(variant, schema, org=org % self.orgs))

        @rule(variant=variants, schema=schemas, version=st.integers(1, 20))
        def update_to(self, variant: str, schema: Any, version: int) -> None:
            self.play(lambda: self.stage.put(variant, schema, version=version))

        @rule(target=actions, variant=variants, payload=objects, tags=tags, org=st.integers(0, 1))
        def work(self, variant: str, payload: Any, tags: dict[str, str], org: int) -> Any:
            exchange = self.play(lambda: self.stage.ingress(variant, payload, tags=tags, org=org % self.orgs))
            number = exchange.data().get("a_id") if exchange is not None else None
            return (org % self.orgs, number) if isinstance(number, str) else multiple()

        @rule(action=actions, attempt=st.sampled_from([0, 0, 0, 1, 2]), seconds=leases)
        def extend(self, action: tuple[int, str], attempt: int, seconds: int) -> None:
            self.play(lambda: self.stage.modack(action[1], attempt, seconds, org=action[0]))

    return Walk


__all__ = ["Broken", "Hunt", "no_traces", "walk"]
