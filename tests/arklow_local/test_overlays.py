"""Overlays and pages that cannot be used are refused in one sentence, which says what was expected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from arklow_local.openapi import document_text, overlays, pages, pointers
from arklow_local.openapi.document_text import BadPages

OVERLAY = {"overlay": "1.0.0", "info": {}, "actions": [{"target": "$.a", "update": 1}]}
DOCUMENT = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}}


def _written(folder: Path, files: dict[str, Any]) -> Path:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(content if isinstance(content, str) else yaml.safe_dump(content), "utf-8")
    return folder


def test_overlays_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    """Other files of the folder are none."""
    found = overlays.read_overlays(
        _written(tmp_path, {"b.overlay.yaml": OVERLAY, "a.overlay.yaml": OVERLAY, "README.md": "# ours"})
    )

    assert [one.name for one in found] == ["a.overlay.yaml", "b.overlay.yaml"]
    assert found[0].actions == ({"target": "$.a", "update": 1},)


_NO_OVERLAYS: list[Any] = [[], {"actions": []}, OVERLAY | {"overlay": "2.0.0"}]
_NO_ACTIONS: list[Any] = [[], {"target": "$"}, None]
REFUSED_OVERLAYS: list[tuple[str, Any, str]] = [
    ("a.yaml", OVERLAY, "a.yaml: expected overlays to be called *.overlay.yaml"),
    ("a.overlay.yml", OVERLAY, "a.overlay.yml: expected overlays to be called *.overlay.yaml"),
    ("a.json", {}, "a.json: expected overlays to be called *.overlay.yaml"),
    *(
        ("a.overlay.yaml", content, "a.overlay.yaml: expected an OpenAPI Overlay 1.0 (members overlay, info and actions)")
        for content in _NO_OVERLAYS
    ),
    *(
        ("a.overlay.yaml", OVERLAY | {"actions": actions}, "a.overlay.yaml: expected a list of actions that is not empty")
        for actions in _NO_ACTIONS
    ),
    *(
        (
            "a.overlay.yaml",
            OVERLAY | {"actions": [{"target": "$.a", "update": 1}, action]},
            "a.overlay.yaml: expected action 2 to have a target, and an update or remove: true",
        )
        for action in (1, {}, {"target": 1, "update": 1}, {"target": "$.a"}, {"target": "$.a", "remove": False})
    ),
    (
        "a.overlay.yaml",
        OVERLAY | {"actions": [{"target": "$..[", "update": 1}]},
        "a.overlay.yaml: expected a JSONPath as target, got '$..[': ",
    ),
    ("a.overlay.yaml", "a: [", "a.overlay.yaml line 2: expected YAML or JSON: "),
    ("a.overlay.yaml", "a: .inf", "a.overlay.yaml line 1, a: expected a value of JSON, got .inf"),
    ("a.overlay.yaml", b"a: \xff", "/a.overlay.yaml: expected UTF-8, got another byte at 3"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "message"), REFUSED_OVERLAYS)
def test_an_overlay_that_cannot_be_used_is_refused(
    tmp_path: Path, name: str, content: Any, message: str
) -> None:
    """With its name, and the number of the action."""
    with pytest.raises(BadPages) as refused:
        overlays.read_overlays(_written(tmp_path, {name: content}))

    assert str(refused.value).removeprefix(str(tmp_path)).startswith(message)


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    """Of overlays, and of pages."""
    for read, what in ((overlays.read_overlays, "overlays"), (pages.read, "pages")):
        with pytest.raises(BadPages) as refused:
            read(tmp_path / "none")
        assert str(refused.value) == (
            f"{tmp_path}/none: No such file or directory: expected a directory of {what}"
        )


def test_the_root_is_not_removed() -> None:
    """Nothing would be left."""
    removing = overlays.Overlay("a.overlay.yaml", ({"target": "$", "remove": True},))
    with pytest.raises(
        BadPages, match=r"^a\.overlay\.yaml: expected a target within the document to remove, got \$$"
    ):
        overlays.apply({"a": 1}, [removing])


def test_a_list_gets_longer_by_a_list_or_by_one_element() -> None:
    """Inside of a merged object too; a value of another kind is replaced."""
    actions = (
        {"target": "$.l", "update": [2, 3]},
        {"target": "$.o", "update": {"l": [2], "x": {"y": 1}, "new": [1]}},
    )
    document = {"l": [1], "o": {"l": [1], "x": [1]}}

    applied = overlays.apply(document, [overlays.Overlay("o", actions)]).content
    assert applied == {"l": [1, 2, 3], "o": {"l": [1, 2], "x": {"y": 1}, "new": [1]}}


REFUSED_PAGES: dict[str, tuple[dict[str, Any], str]] = {
    "neither": ({"README": "x"}, "{0}: expected pages (*.txt, *.md), or one whole document ("),
    "both": (
        {"openapi.yaml": DOCUMENT, "a.md": "x", "b.md": "x", "c.md": "x"},
        "{0}: expected either pages or one whole document, got openapi.yaml, a.md, b.md…",
    ),
    "a document and a page": (
        {"openapi.yaml": DOCUMENT, "a.md": "x"},
        "{0}: expected either pages or one whole document, got openapi.yaml, a.md",
    ),
    "a page without a block": ({"a.md": "# a"}, "a.md: expected one fenced yaml or json block, found 0"),
    "a page with two": (
        {"a.md": "```yaml\na: 1\n```\n```yaml\na: 1\n```\n"},
        "a.md: expected one fenced yaml or json block, found 2",
    ),
    "another version": (
        {"openapi.yaml": DOCUMENT | {"openapi": "3.0.3"}},
        "openapi.yaml: expected an OpenAPI 3.1 document, got openapi: 3.0.3",
    ),
    "no version": (
        {"openapi.yaml": {"paths": {}}},
        "openapi.yaml: expected an OpenAPI 3.1 document, got no member 'openapi'",
    ),
    "a list": (
        {"openapi.yaml": []},
        "openapi.yaml: expected an OpenAPI 3.1 document, got no member 'openapi'",
    ),
    "paths as a list": (
        {"openapi.yaml": DOCUMENT | {"paths": []}},
        "openapi.yaml: expected paths to be an object, got list",
    ),
    "components as a text": (
        {"openapi.yaml": DOCUMENT | {"components": "x"}},
        "openapi.yaml: expected components to be an object, got str",
    ),
}


@pytest.mark.parametrize("name", REFUSED_PAGES)
def test_pages_that_cannot_be_used_are_refused(tmp_path: Path, name: str) -> None:
    """With what was found there."""
    files, message = REFUSED_PAGES[name]
    with pytest.raises(BadPages) as refused:
        pages.read(_written(tmp_path, files))

    assert str(refused.value).startswith(message.format(tmp_path))


REFERRING: dict[str, str] = {
    "#/components/schemas/A": "{0}/: expected #/components/schemas/A to be there, as something refers to it; no page has it",
    "other.yaml#/a": "{0}/: expected references within the document alone, got other.yaml#/a",
}


@pytest.mark.parametrize("reference", REFERRING)
def test_a_reference_to_what_is_not_there_is_refused(tmp_path: Path, reference: str) -> None:
    """In the document by which a target is judged."""
    document = DOCUMENT | {"paths": {"/a": {"get": {"responses": {"200": {"$ref": reference}}}}}}
    found = pages.read(_written(tmp_path, {"openapi.yaml": document}))

    with pytest.raises(BadPages) as refused:
        found.document_to_judge(tmp_path)
    assert str(refused.value) == REFERRING[reference].format(tmp_path.name)


def test_hidden_files_are_no_pages_and_a_mark_at_the_beginning_is_no_text(tmp_path: Path) -> None:
    """As editors and systems leave them."""
    marked = b"\xef\xbb\xbf" + yaml.safe_dump(DOCUMENT).encode()
    found = pages.read(_written(tmp_path, {"openapi.yaml": marked, ".swp.md": b"\xff"}))

    assert found.joined == DOCUMENT
    assert found.name == f"{tmp_path.name}/"


def test_a_document_comes_back_from_its_yaml_and_its_digest_is_that_of_its_content() -> None:
    """In whatever order its members stand."""
    document = {"b": [1, {"c": "x"}], "a": None}

    assert yaml.safe_load(document_text.to_yaml(document)) == document
    assert document_text.to_yaml(document).startswith("b:")
    assert document_text.canonical(document) == b'{"a":null,"b":[1,{"c":"x"}]}'
    assert document_text.digest(document) == document_text.digest(dict(reversed(document.items())))
    assert document_text.line_of(("a",), "b: 1\na: 2\n", 10) == 11
    assert pointers.pointer(("a/b", "c~d")) == "#/a~1b/c~0d"
