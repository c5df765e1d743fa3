"""One home for each rule: its code stands there, in the code that finds its breaches, and in tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from contracts.core.rules import RULES, Evidence, Phase, Rule, Verifier
from contracts.phases.scenarios import SCENARIOS, leases, races, requests

ROOT = Path(__file__).parents[2]
HOME = "contracts.core.rules"

MAY_NAME: dict[str, Callable[[Rule], bool]] = {
    HOME: lambda _: True,
    "contracts.checks": lambda rule: Verifier.CHECKS in rule.verifiers,
    "contracts.model": lambda rule: Verifier.MODEL in rule.verifiers,
    "contracts.oracle": lambda rule: Verifier.ORACLE in rule.verifiers,
    "contracts.phases": lambda rule: Verifier.PHASES in rule.verifiers,
    "contracts.phases.scenarios": lambda rule: Phase.CONSTRUCTED in rule.phases,
    "contracts.run": lambda rule: Verifier.RUN in rule.verifiers,
}
"""Package → the rules that its code may name: those that it verifies. Every other package asks a rule for its properties."""

FAMILIES = "|".join(dict.fromkeys(code.partition("-")[0] for code in RULES))
CODES = re.compile(rf"(?:[\s,|()/*]*(?:{FAMILIES})-\d*[\s,|()/*]*)+")
"""A text of nothing but codes, or beginnings of codes: a sentence with a code in it decides nothing."""


def codes_in(source: str) -> set[str]:
    """Return the codes, and the beginnings of codes, that the code of a module names outside of sentences."""
    texts = [
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return {
        code for text in texts if CODES.fullmatch(text) for code in re.findall(rf"(?:{FAMILIES})-\d*", text)
    }


def package_of(module: str) -> str | None:
    """Return the nearest package of the table that a module is in; None where it is in none."""
    return max((one for one in MAY_NAME if f"{module}.".startswith(f"{one}.")), key=len, default=None)


def misplaced(module: str, source: str) -> set[str]:
    """Return the codes that a module names and does not verify."""
    package = package_of(module)
    return {
        code
        for code in codes_in(source)
        if package is None or (package != HOME and (code not in RULES or not MAY_NAME[package](RULES[code])))
    }


@cache
def named() -> dict[str, frozenset[str]]:
    """Return module of the judge → the codes that it names."""
    return {
        ".".join(file.relative_to(ROOT).with_suffix("").parts): frozenset(codes_in(file.read_text("utf-8")))
        for file in sorted((ROOT / "contracts").rglob("*.py"))
    }


@pytest.mark.parametrize("module", named())
def test_a_module_names_only_rules_that_it_verifies(module: str) -> None:
    """What else it wants to know of rules it asks them."""
    file = ROOT.joinpath(*module.split(".")).with_suffix(".py")

    assert misplaced(module, file.read_text("utf-8")) == set()


@pytest.mark.parametrize(
    ("module", "planted"),
    [
        ("contracts.run.scheduler", 'ANYWHERE = {"PAGE-1"}'),
        ("contracts.reproduction.replay", 'LOST = frozenset({"ING-11"})'),
        ("contracts.reports.console", 'x = "AUTH-1 AUTH-3".split()'),
        ("contracts.recordings.losses", 'if rule.startswith("AUTH-"): pass'),
        ("contracts.checks.answers", 'if rule == "LEASE-3": pass'),
        ("contracts.checks.answers", 'if rule.startswith("PAGE-"): pass'),
        ("contracts.phases.scenarios.basics", 'yield Finding("SAFE-1", label)'),
        ("contracts.phases.sequence", 'x = f"PAGE-{number}"'),
        ("contracts.pytest_plugin", 'RULES["AUTH-4"]'),
    ],
)
def test_a_planted_code_is_found(module: str, planted: str) -> None:
    """Alone, in a set, in a list that is one text, as the beginning of a family."""
    assert misplaced(module, planted) != set()


@pytest.mark.parametrize("text", ["x = 'code such as PAGE-9'", "def f():\n    '''Look for PAGE-9 here.'''"])
def test_a_sentence_may_name_a_rule(text: str) -> None:
    """Help and docstrings explain by examples."""
    assert misplaced("contracts.commands.flags", text) == set()


def _stated(rule: Rule) -> Iterator[str]:
    yield from (package for package in MAY_NAME if package != HOME and MAY_NAME[package](rule))


@pytest.mark.parametrize("code", RULES)
def test_a_rule_is_verified_where_its_home_says(code: str) -> None:
    """By each package that it names, and by at least one."""
    packages = {package_of(module) for module, codes in named().items() if code in codes}

    assert packages - {HOME} == set(_stated(RULES[code])) != set()


def test_phases_of_constructed_sequences_are_those_of_the_scenarios() -> None:
    """Each scenario names the rules that it is for."""
    every = {*SCENARIOS, leases.long_leases, requests.slow}
    concurrent = {one for one in vars(races).values() if one in SCENARIOS}

    for phase, scenarios in ((Phase.CONSTRUCTED, every), (Phase.CONCURRENT, concurrent)):
        stated = {code for code, rule in RULES.items() if phase in rule.phases}
        assert stated == {code for scenario in scenarios for code in scenario.rules}, phase


def test_every_rule_says_what_to_do_and_how_it_is_broken() -> None:
    """In one sentence, and with a request and its answer; none like another's."""
    remedies = [rule.remedy for rule in RULES.values()]
    examples = [rule.example for rule in RULES.values()]

    assert all(re.fullmatch(r"[A-Z][^\n]{20,200}\.", one) for one in remedies)
    assert all(len(one.request) in range(8, 130) and len(one.answer) in range(3, 90) for one in examples)
    assert len(set(remedies)) == len(set(examples)) == len(RULES)


def test_every_kind_of_evidence_is_needed_by_a_rule() -> None:
    """Else no recording would have to keep it."""
    assert {one for rule in RULES.values() for one in rule.recorded} == set(Evidence)
