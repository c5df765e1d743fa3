"""The door to Hypothesis: random walks define → ingress → modack, against the model, shrunk when they fail."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
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

set_hypothesis_home_dir(
    tempfile.mkdtemp(prefix="arklow-contracts-")
)  # nothing is written where the user stands


class Broken(AssertionError):
    """A walk came to answers that the model does not allow."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(findings[0].title)
        self.findings = findings


def walk(make_stage: Callable[[], Stage], seed: int, seconds: float, examples: int = 100) -> list[Finding]:
    """Walk until the time is up; what is found was found twice, the second time as short as it gets."""
    deadline = time.monotonic() + seconds
    found: list[Finding] = []
    for round_ in range(8):
        if time.monotonic() > deadline:
            break
        try:
            run_state_machine_as_test(
                hypothesis.seed(seed * 100 + round_)(
                    _machine(make_stage, deadline, {one.key for one in found})
                ),
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
            break
        except Broken as broken:
            found += broken.findings
        except Flaky:  # it did not happen again: nobody is accused of what cannot be shown
            continue
    return found


def _machine(
    make_stage: Callable[[], Stage], deadline: float, known: set[Any]
) -> type[RuleBasedStateMachine]:
    class Walk(RuleBasedStateMachine):
        variants = Bundle("variants")
        actions = Bundle("actions")

        def __init__(self) -> None:
            super().__init__()
            self.stage = make_stage()
            self.orgs = len(self.stage.known.target.credentials)
            self.over = time.monotonic() > deadline
            self.names: list[str] = []

        def play(self, call: Callable[[], Any]) -> Any:
            """Make a call unless the walk is over; complain when the model does."""
            if self.over or time.monotonic() > deadline:
                return None
            try:
                result = call()
            except (Weather, NotReached, TimeUp):
                self.over = True
                return None
            new = [finding for finding in self.stage.findings if finding.key not in known]
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
            return number if isinstance(number, str) else multiple()

        @rule(action=actions, attempt=st.sampled_from([0, 0, 0, 1, 2]), seconds=leases, org=st.integers(0, 1))
        def extend(self, action: str, attempt: int, seconds: int, org: int) -> None:
            self.play(lambda: self.stage.modack(action, attempt, seconds, org=org % self.orgs))

    return Walk


__all__ = ["Broken", "walk"]
