"""Pages are joined and overlays applied as the specification says; errors say what is wrong and where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from arklow_local.openapi import document_text, overlays, pages, pointers
from tests import vendor

SPEC = vendor.UPSTREAM.parent


def overlay(*actions: dict[str, Any]) -> overlays.Overlay:
    return overlays.Overlay("o.overlay.yaml", actions)


def page(name: str, **members: Any) -> pages.Page:
    content = {"openapi": "3.1.0", **members}
    return pages.Page(name, content, yaml.safe_dump(content, sort_keys=False), 10)


@pytest.mark.parametrize(
    ("action", "becomes"),
    [
        ({"target": "$.a", "update": {"b": {"y": 2}}}, {"a": {"b": {"x": 1, "y": 2}}, "l": [{"n": 1}, {"n": 2}]}),
        ({"target": "$.a.b", "update": {"x": [3]}}, {"a": {"b": {"x": [3]}}, "l": [{"n": 1}, {"n": 2}]}),
        ({"target": "$.l", "update": {"n": 3}}, {"a": {"b": {"x": 1}}, "l": [{"n": 1}, {"n": 2}, {"n": 3}]}),
        ({"target": "$.l[1]", "update": {"m": 1}}, {"a": {"b": {"x": 1}}, "l": [{"n": 1}, {"n": 2, "m": 1}]}),
        ({"target": "$.l[?(@.n==1)]", "update": {"n": 9}}, {"a": {"b": {"x": 1}}, "l": [{"n": 9}, {"n": 2}]}),
        ({"target": "$.l[*]", "update": {"m": 1}}, {"a": {"b": {"x": 1}}, "l": [{"n": 1, "m": 1}, {"n": 2, "m": 1}]}),
        ({"target": "$", "update": {"l": [{"n": 3}]}}, {"a": {"b": {"x": 1}}, "l": [{"n": 1}, {"n": 2}, {"n": 3}]}),
        ({"target": "$.a.b.x", "update": 7}, {"a": {"b": {"x": 7}}, "l": [{"n": 1}, {"n": 2}]}),
        ({"target": "$.l[0]", "remove": True}, {"a": {"b": {"x": 1}}, "l": [{"n": 2}]}),
        ({"target": "$.a.b", "remove": True}, {"a": {}, "l": [{"n": 1}, {"n": 2}]}),
    ],
    ids=str,
)  # fmt: skip
def test_an_action_does_what_the_overlay_specification_says(
    action: dict[str, Any], becomes: dict[str, Any]
) -> None:
    """Objects are merged, lists get longer, elements of lists are targets too; the document itself stays as it is."""
    document = {"a": {"b": {"x": 1}}, "l": [{"n": 1}, {"n": 2}]}

    assert overlays.apply(document, [overlay(action)]).content == becomes
    assert document == {"a": {"b": {"x": 1}}, "l": [{"n": 1}, {"n": 2}]}


def test_an_action_that_matches_nothing_is_listed() -> None:
    overlaid = overlays.apply(
        {"a": 1}, [overlay({"target": "$.b", "update": {}}, {"target": "$.a", "update": 2})]
    )

    assert overlaid == overlays.Overlaid({"a": 2}, (("o.overlay.yaml", "$.b"),))


def test_pages_that_differ_are_refused_with_both_places() -> None:
    """The deepest place at which both have something, with the line of each page."""
    one = page("one", components={"schemas": {"A": {"type": "string"}}})
    other = page("other", info={}, components={"schemas": {"A": {"type": "integer"}}})

    with pytest.raises(
        document_text.BadPages,
        match="#/components/schemas/A/type differs between one line 14 and other line 15: expected",
    ):
        pages.join([one, other])


def test_what_describes_the_whole_may_differ_and_nothing_else() -> None:
    """Pages of two releases have two versions, and tags that the other has not."""
    one, other = (
        page("one", info={"version": "1"}, tags=["a"]),
        page("other", info={"version": "2"}, tags=["b"]),
    )

    assert pages.join([one, other]) == one.content
    with pytest.raises(document_text.BadPages, match="#/info/version differs"):
        pages.join([one, other], describing=())
    with pytest.raises(document_text.BadPages, match="#/security differs"):
        pages.join([page("one", security=[]), page("other", security=[{"k": []}])])


def test_overlays_fill_gaps_as_they_are_applied_where_the_pages_leave_room() -> None:
    """With no unit of the pages in their way, both give the same document."""
    document = pages.read(vendor.UPSTREAM).joined
    ours = overlays.read_overlays(SPEC / "overlays")

    assert overlays.fill_gaps(document, ours, {}) == overlays.apply(document, ours)


def ours_over(document: pointers.Document) -> overlays.Overlaid:
    today = pages.read(vendor.UPSTREAM).joined
    return overlays.fill_gaps(document, overlays.read_overlays(SPEC / "overlays"), today)


def test_an_operation_that_a_page_has_is_taken_from_the_page() -> None:
    """As a whole: no part of our overlay is mixed into it, and what our overlay adds beside it stays."""
    document = pages.read(vendor.UPSTREAM).joined
    document["paths"]["/v1/ack"] = {"post": {"operationId": "ackIngressAction", "responses": {}}}

    overlaid = ours_over(document)

    assert overlaid.content["paths"]["/v1/ack"] == document["paths"]["/v1/ack"]
    assert "/v1/nack" in overlaid.content["paths"]
    assert overlaid.left_out == (
        "30-siblings.overlay.yaml: the pages have #/paths/~1v1~1ack/post themselves",
    )


@pytest.mark.parametrize(
    ("path", "operation_id", "said"),
    [
        ("/v1/orgs/{org}/actions/records", "listed", "the pages have #/paths/~1v1~1orgs~1{org_id}~1actions~1records/get themselves"),
        ("/v2/ack", "ackIngressAction", "#/paths/~1v1~1ack/post has the operationId ackIngressAction, which another operation has"),
    ],
)  # fmt: skip
def test_an_operation_of_ours_that_the_pages_have_in_another_form_is_left_out(
    path: str, operation_id: str, said: str
) -> None:
    """With other names of parameters, or at another path with the same id: a document cannot have both."""
    document = pages.read(vendor.UPSTREAM).joined
    document["paths"][path] = {"get": {"operationId": operation_id, "responses": {}}}

    overlaid = ours_over(document)

    assert overlaid.left_out == (f"30-siblings.overlay.yaml: {said}",)
    assert {} not in overlaid.content["paths"].values()


def test_components_that_only_our_overlays_refer_to_are_kept_for_them(tmp_path: Path) -> None:
    """Without a page of modack, acks are served as before; a link to modack is not."""
    overlaid = ours_over(pages.read(vendor.operation_removed(tmp_path / "p")).joined)

    assert {"/v1/ack", "/v1/nack", "/v1/defer"} <= overlaid.content["paths"].keys()
    assert "IngressSignalResponse" in overlaid.content["components"]["schemas"]
    [said] = overlaid.left_out
    assert said.endswith(
        "/post/responses/200/links leads to modAckIngressAction, which the pages have no more"
    )


def test_a_page_may_have_any_of_the_usual_fences(tmp_path: Path) -> None:
    """Three marks or more, tildes too, YAML or JSON; blocks in other languages are passed over."""
    for number, text in enumerate(
        (
            "# A\n```yaml\nopenapi: 3.1.0\npaths: {}\n```\n",
            "~~~~ YML get /v1\r\nopenapi: 3.1.1\r\n~~~~",
            '```bash\ncurl\n```\n```json\n{"openapi": "3.1.0"}\n```',
            "\ufeff````yaml\nopenapi: 3.1.0\n# ```\n````\n",
        )
    ):
        file = tmp_path / f"{number}.md"
        file.write_bytes(text.encode())
        assert str(pages.read_page(file).content["openapi"]).startswith("3.1.")


def test_the_digest_is_that_of_the_content_of_the_pages(tmp_path: Path) -> None:
    """Other file names and another order of pages give the same document; another word does not."""
    one = vendor.pages(tmp_path / "one")
    for number, file in enumerate(sorted((vendor.pages(tmp_path / "other")).iterdir(), reverse=True)):
        file.rename(file.with_name(f"{number}.md"))
    changed = vendor.value_added(tmp_path / "changed")

    digests = [
        document_text.digest(pages.read(directory).joined) for directory in (one, tmp_path / "other", changed)
    ]

    assert digests[0] == digests[1] != digests[2]
