"""`check --dry-run`: describes what a plan would do, and contacts no host."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..core.target import ProxyLogin, Target
from ..phases.requests import TAG
from ..phases.scenarios import SCENARIOS
from ..run.plan import Plan
from ..transport.throttle import Limits


def described(plan: Plan) -> Iterator[str]:
    """Describe a plan, line by line."""
    yield from _target(plan.target)
    yield from _names(plan)
    yield from _budgets(plan, plan.limits)
    yield "Sequences, in this order:"
    for scenario in SCENARIOS:
        yield f"  {scenario.title}"
    rest = (
        "random sequences and generated requests in turns"
        if plan.night
        else "short and random sequences, then generated requests"
    )
    yield f"  {rest}, as long as time and budgets last"


def _target(target: Target) -> Iterator[str]:
    yield f"Would judge {target.base_url}, and contact nothing but {', '.join(target.hosts)}:"
    if target.ingress_url != target.base_url:
        yield f"  ingress   {target.ingress_url}"
    yield f"  keys      {', '.join(f'${one.name} for organisation {one.org}' for one in target.credentials)}"
    way = target.connection
    for label, value in (
        ("headers", ", ".join(f"{one.name}: ${one.variable}" for one in way.headers)),
        ("trusts", way.ca),
        ("shows", " with ".join(one for one in (way.certificate, way.key) if one)),
        ("proxy", way.proxy and f"{way.proxy}{_login(way.proxy_login)}"),
        ("resolve", ", ".join(map(str, way.resolve))),
    ):
        if value:
            yield f"  {label:8}  {value}"


def _login(login: ProxyLogin | None) -> str:
    return "" if login is None else f", for the user {login.user} with ${login.variable}"


def _names(plan: Plan) -> Iterator[str]:
    if plan.name_prefix:
        yield f"  names     definitions are called contract.{plan.name_prefix}.…, as in other runs with this name prefix"
        yield f"  tags      actions carry {TAG}=<run>"
    else:
        yield "  names     definitions are called contract.<random>.…, new ones in each run"


def _budgets(plan: Plan, limits: Limits) -> Iterator[str]:
    time = f"{plan.max_time:.0f} s" if plan.max_time < 600 else f"{plan.max_time / 3600:.1f} h"
    unlimited = limits.rate == math.inf
    rate = "as fast as it answers" if unlimited else f"{limits.rate:,.6g} requests a second at most"
    yield f"  how long  {time} at most, {rate}"
    yield f"  patience  {plan.wait_for:g} s for a first answer, {plan.timeout:g} s for each, {plan.settle:g} s to settle"
    for label, most in (
        ("requests", limits.requests),
        ("definitions and actions that are made", limits.writes),
    ):
        if most is not None:
            yield f"  budget    {most:,} {label}"
    spared = "" if plan.intrusive else ": none, as --intrusive is not given"
    yield f"  intrusive large and deep bodies, requests at the same moment{spared}"
    yield (
        "  circuit breaker: stops when plain answers take three times as long as at first, "
        "or 5 % of them fail"
    )


__all__ = ["described"]
