"""`spec status`: what changed in the pages, and what uses it, in one line each."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.cli import main
from contracts.core.rules import PAGES, RULES
from contracts.openapi.diff import (
    Change,
    affected_rules,
    changes,
    citations,
    unfit_handlers,
)
from contracts.openapi.document import LINKED, PUBLISHED, load
from tests import vendor

_OF_MODACK = "AUTH-1, AUTH-4, JSON-5, HTTP-5, HTTP-9, PAGE-1, PAGE-2, PAGE-4, PAGE-5, PAGE-8, PAGE-9, PAGE-11, PAGE-12, PAGE-16"
_OF_INGRESS = _OF_MODACK.replace("PAGE-12, ", "") + ", DEF-12, ING-9, ING-15"
_USES = "these parts that it uses have changed:"

LINES = {
    "an operation is added": [
        "operation added    POST /v1/peek",
        "component added    schemas/IngressPeekRequest",
        "component added    schemas/IngressPeekResponse",
    ],
    "a value is added to an enum": [
        'component changed  schemas/IngressSignalResponse: properties/data/properties/status/enum: "scheduled" added',
        f"rules     moved    S-mod, POST /v1/modack: {_OF_MODACK}",
        *(
            f"handler   unfit    POST /v1/{name}: {_USES} schemas/IngressSignalResponse"
            for name in ("modack", "ack", "nack", "defer")
        ),
    ],
    "a member of a request is made required": [
        'component changed  schemas/IngressVariantRequest: required: "region" added',
        'component changed  schemas/IngressVariantRequest: properties: region added, {"enum":["eu","us"],"type":"string"}',
        f"rules     moved    S-ing, POST /v1/ingress/{{variant}}: {_OF_INGRESS}",
        f"handler   unfit    POST /v1/ingress/{{variant}}: {_USES} schemas/IngressVariantRequest",
    ],
    "a member of an answer is made required": [
        'component changed  schemas/IngressActionResponse: properties/data/required: "region" added',
        'component changed  schemas/IngressActionResponse: properties/data/properties: region added, {"enum":["eu","us"],"type":"string"}',
        f"rules     moved    S-ing, POST /v1/ingress/{{variant}}: {_OF_INGRESS}",
        f"handler   unfit    POST /v1/ingress/{{variant}}: {_USES} schemas/IngressActionResponse",
        f"handler   unfit    POST /v1/ingress: {_USES} schemas/IngressActionResponse",
    ],
    "an operation is removed": [
        "operation removed  POST /v1/modack",
        "component removed  schemas/IngressModAckRequest",
        "component removed  schemas/IngressSignalResponse",
        "component removed  responses/IngressNotFound",
        "component removed  responses/IngressConflict",
        "overlay   left out 20-links.overlay.yaml: #/paths/~1v1~1ingress~1{variant}/post/responses/200/links leads to modAckIngressAction, which the pages have no more",
        f"rules     moved    S-mod, POST /v1/modack: {_OF_MODACK}",
        "handler   unfit    POST /v1/modack: the document has no such operation any more",
    ],
}


@pytest.mark.parametrize("change", vendor.CHANGES)
def test_each_change_is_listed_with_what_uses_it(
    change: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 1."""
    code = main(["spec", "status", "--spec-dir", str(vendor.CHANGES[change](tmp_path / "pages"))])

    assert (code, capsys.readouterr().out.splitlines()) == (1, LINES[change])


def test_a_page_of_an_operation_that_our_overlay_adds_makes_the_overlay_redundant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The handler of ours that no longer fits is listed too."""
    page = vendor.PEEK.replace("/v1/peek", "/v1/ack").replace("peekIngressAction", "ackIngressAction")
    (vendor.pages(tmp_path / "pages") / "003_ack.md").write_text(page)

    assert main(["spec", "status", "--spec-dir", str(tmp_path / "pages")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "operation added    POST /v1/ack" in lines
    assert (
        "overlay   left out 30-siblings.overlay.yaml: the pages have #/paths/~1v1~1ack/post themselves"
        in lines
    )
    [unfit] = [line for line in lines if line.startswith("handler")]
    assert unfit.startswith(f"handler   unfit    POST /v1/ack: {_USES} itself")


def test_nothing_has_changed_in_todays_pages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The built-in pages are compared by default; a copy of them is the same."""
    assert main(["spec", "status"]) == 0
    assert main(["spec", "status", "--spec-dir", str(vendor.pages(tmp_path / "pages"))]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Nothing moved: the built-in pages and the built-in document are the same.",
        f"Nothing moved: {tmp_path / 'pages'} and the built-in document are the same.",
    ]


def test_what_cannot_be_compared_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["spec", "status", "--spec-dir", str(tmp_path)]) == 2
    assert main(["spec", "status", "--spec-dir", str(tmp_path / "none")]) == 2
    assert main(["spec"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_every_page_that_a_rule_cites_is_an_operation_that_is_judged() -> None:
    """So every page that changes is listed with its rules."""
    pages = {one for rule in RULES.values() for one in citations(rule.source) if one.startswith("S-")}

    assert pages == PAGES.keys()
    assert set(PAGES.values()) == load(PUBLISHED).operations.keys()


def test_a_handler_does_not_depend_on_prose() -> None:
    """Descriptions, examples and links are prose; a property that is called `description` is none."""
    old = load(LINKED).content
    new = {**old, "info": {}, "paths": {**old["paths"]}}
    new["paths"]["/v1/modack"] = {
        "post": {**old["paths"]["/v1/modack"]["post"], "summary": "Longer", "x-new": 1}
    }

    assert [str(one) for one in changes(old, new)] == [
        'operation changed  POST /v1/modack: summary added, "Longer"',
        "operation changed  POST /v1/modack: x-new added, 1",
    ]
    assert unfit_handlers(old, new) == {}
    schema = {"type": "object", "properties": {"description": {"type": "string"}}}
    old, new = ({"paths": {"/a": {"get": {"schema": one}}}} for one in (schema, {**schema, "properties": {}}))
    assert unfit_handlers(old, new) == {"GET /a": f"{_USES} itself"}


def test_lists_differ_by_their_items_and_not_by_order() -> None:
    """An object in a list that has changed is one change, not a removal and an addition."""
    old = {
        "components": {"schemas": {"A": {"enum": ["a", "b"], "anyOf": [{"type": "null"}, {"maximum": 1}]}}}
    }
    new = {
        "components": {
            "schemas": {"A": {"enum": ["b", "a", "c"], "anyOf": [{"maximum": 2}, {"type": "null"}]}}
        }
    }

    unit = ("components", "schemas", "A")
    assert changes(old, new) == [
        Change("changed", unit, 'enum: "c" added'),
        Change("changed", unit, "anyOf/1/maximum: 1 → 2"),
    ]


def test_a_key_that_is_sent_elsewhere_concerns_every_page_that_asks_for_it() -> None:
    """A scheme is used by its name; a page that takes another one is not concerned."""
    old = load(PUBLISHED).content
    schemes = old["components"]["securitySchemes"]
    new = {
        **old,
        "components": {**old["components"], "securitySchemes": {**schemes, "apiKey": {"in": "query"}}},
    }
    changed = changes(old, new)

    assert {one.name for one in changed} == {"securitySchemes/apiKey"}
    assert affected_rules(old, new, changed).keys() == PAGES.keys()
    unused = {
        **old,
        "components": {**old["components"], "schemas": {**old["components"]["schemas"], "Unused": {}}},
    }
    assert affected_rules(old, unused, changes(old, unused)) == {}
