"""What a seed file may have, and how a bad one is refused: line, member, what was expected and what came."""

from __future__ import annotations

from pathlib import Path

import pytest

from mock_server.seeds.yaml_source import read
from tests.seeds.worlds import complaint, loaded

ROOT = Path(__file__).parents[2]

DEFINITION = """
template:
  destinations:
  - {label: shop, type: default_sink, config: {}}
  definitions:
  - variant: order
    alias: [o]
    schema: {required: [id]}
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1", "line 1: expected object, got [1]"),
        ("nope: 1", "line 1: expected no member 'nope', got "),
        ("keys: {a: 1}\nkeys: {}", "line 2, keys: expected each member once"),
        ("keys:\n  k: x", "line 2, keys/k: expected a string that matches"),
        ("keys:\n  k: -1", "line 2, keys/k: expected a number from 0, got -1"),
        ("keys:\n  ' k': 1", "line 2, keys/ k: expected an API key of 1 to 200 visible characters, got ' k'"),
        ("keys:\n  given: 2", "line 2, keys/given: expected organisation 1, which the key was given to"),
        (
            "organisations:\n  shop: {}",
            "line 2, organisations/shop: expected the id of an organisation, 1 to 19 digits, got 'shop'",
        ),
        ("template:\n  seed: -1", "line 2, template/seed: expected a number from 0, got -1"),
        ("template:\n  clock: {mode: stopped}", "line 2, template/clock/mode: expected one of "),
        (
            "template:\n  clock:\n    mode: frozen\n    now: '2030-02-30T00:00:00Z'",
            "line 4, template/clock/now: expected a date-time, got ",
        ),
        (
            "template:\n  clock: {mode: real, now: '2030-01-01T00:00:00Z'}",
            "line 2, template/clock/now: expected no now beside mode real, got ",
        ),
        (
            "template:\n  clock: {mode: frozen, ahead_ms: 1}",
            "line 2, template/clock/ahead_ms: expected no ahead_ms beside mode frozen, got 1",
        ),
        (
            "template:\n  worker:\n    variants:\n      v: [ack, sleep]",
            "line 4, template/worker/variants/v/1: expected one of ",
        ),
        (
            "template:\n  ids: {lines: [{suffix: '000000001', actions: 0, events: 0}]}",
            "template/ids: expected ids in",
        ),
        (
            f"{DEFINITION}  - {{variant: order}}",
            "line 9, template/definitions/1/variant: expected each variant once",
        ),
        (
            f"{DEFINITION}  - variant: x\n    alias:\n    - o",
            "line 11, template/definitions/1/alias/0: expected an alias that no other definition owns, got 'o'",
        ),
        (
            f"{DEFINITION}  - variant: x\n    destinations: [shop, nowhere]",
            "line 10, template/definitions/1/destinations/1: expected the label of a destination ('shop'), got 'nowhere'",
        ),
        (
            f"{DEFINITION}  - variant: x\n    destinations: [shop]\n    default: other",
            "line 11, template/definitions/1/default: expected one of the definition's destinations, got 'other'",
        ),
        (
            f"{DEFINITION}  - variant: x\n    version: -1",
            "line 10, template/definitions/1/version: expected a number",
        ),
        (
            f"{DEFINITION}  - {{variant: x, versions: [{{version: 1, schema: 1}}]}}",
            "line 9, template/definitions/1/versions/0/version: expected each version once, got 1 again",
        ),
        (
            "template:\n  destinations:\n  - label: a\n    type: webhook\n    config: {url: 'http://arklow.io/'}",
            "line 5, template/destinations/0/config/url: expected a host that is not Arklow's own",
        ),
        (
            "template:\n  destinations:\n  - {label: a, type: sdk, config: {}}",
            "line 3, template/destinations/0/config: expected a member 'namespace', got {}",
        ),
        (
            f"{DEFINITION}  actions:\n  - variant: o",
            "line 10, template/actions/0: expected a member 'payload'",
        ),
        (
            f"{DEFINITION}  actions:\n  - variant: nope\n    payload: 1",
            "line 10, template/actions/0/variant: expected the variant or alias of a definition that is there ('order')",
        ),
        (
            f"{DEFINITION}  actions:\n  - variant: o\n    payload:\n      order: 1",
            "line 11, template/actions/0/payload: expected a member 'id', got",
        ),
        (
            f"{DEFINITION}  actions:\n  - {{variant: o, payload: {{id: 1}}, attempt: 1}}",
            "line 10, template/actions/0/attempt: expected a status beside it, got none",
        ),
        (
            f"{DEFINITION}  actions:\n  - {{variant: o, payload: {{id: 1}}, status: queued, attempt: 1}}",
            "template/actions/0/attempt: expected no attempt of an action that is queued, got 1",
        ),
        (
            f"{DEFINITION}  actions:\n  - {{variant: o, payload: {{id: 1}}, status: failed, available_in: 1}}",
            "template/actions/0/available_in: expected the status of an action that waits for a time",
        ),
        (
            f"{DEFINITION}  actions:\n  - {{variant: o, payload: {{id: 1}}, status: running, accepted_ago: 86400}}",
            "template/actions/0/accepted_ago: expected seconds below 86400",
        ),
        (
            f"{DEFINITION}  actions:\n  - {{variant: o, payload: {{id: 1}}, status: failed, accepted_ago: 1, ended_ago: 2}}",
            "template/actions/0/accepted_ago: expected at least 2, as it ended then, got 1",
        ),
        (
            f"{DEFINITION}organisations:\n  '7':\n    actions:\n    - {{variant: o, payload: 1, status: gone}}",
            "line 12, organisations/7/actions/0/status: expected one of ",
        ),
    ],
)
def test_the_refusal_of_a_seed_file_names_line_and_member(text: str, message: str) -> None:
    """Errors of syntax, of the schema and of meaning are refused in the same form."""
    found = complaint(text, keys={"given": "1"})

    assert found.startswith("seeds.yaml line ")
    assert message in found
    assert ", got " in found


def test_a_schema_that_is_not_enforced_is_refused_only_when_strict() -> None:
    """PUT does the same with `--strict-schemas`."""
    text = "template:\n  definitions:\n  - variant: v\n    schema: {type: 7}"

    assert loaded(text)
    assert "line 4, template/definitions/0/schema: expected a schema that can be enforced" in complaint(
        text, strict=True
    )


def test_an_organisation_is_merged_over_the_template() -> None:
    """It is merged by label, variant and script; actions follow the template's; other members replace the template's."""
    plan = loaded(
        """
template:
  seed: 1
  clock: {mode: frozen}
  worker: {default: ack, variants: {a: nack, b: nack}}
  destinations: [{label: x, type: default_sink, config: {}}, {label: y, type: default_sink, config: {}}]
  definitions: [{variant: a}, {variant: b}]
  actions: [{variant: a, payload: 1}]
organisations:
  "7":
    seed: 2
    worker: {variants: {b: hold}}
    destinations: [{label: y, type: sdk, config: {namespace: n}}]
    definitions: [{variant: c}, {variant: a, version: 4}]
    actions: [{variant: c, payload: 2}]
"""
    )
    merged = plan.of("7")

    assert (merged.seed, merged.clock) == (2, plan.template.clock)
    assert [step.do.value for step in (*merged.worker.default, *merged.worker.variants["b"])] == [
        "ack",
        "hold",
    ]
    assert [d.kind.value for d in merged.destinations] == ["default_sink", "sdk"]
    assert [(d.variant, d.version) for d in merged.definitions] == [("a", 4), ("b", None), ("c", None)]
    assert [action.payload for action in merged.actions if hasattr(action, "name")] == [b"1", b"2"]
    assert plan.of("8") is plan.template


def test_the_example_can_be_used_and_names_its_schema() -> None:
    """Editors that know the comment check the file while it is written."""
    text = (ROOT / "examples" / "seed.yaml").read_text("utf-8")

    assert text.splitlines()[0] == "# yaml-language-server: $schema=../spec/seed.schema.json"
    assert loaded(text).of("42").seed == 7
    assert read(text.encode(), "f").value.keys() == {"keys", "template", "organisations"}


def test_a_file_of_hundreds_of_kilobytes_is_read() -> None:
    """It has 10,000 actions, and each payload is checked against its schema."""
    actions = "".join(
        f"  - {{variant: order, payload: {{id: '{n}'}}, status: ack_wait}}\n" for n in range(10_000)
    )

    assert len(loaded(f"{DEFINITION}  actions:\n{actions}").template.actions) == 10_000
