"""The document is the published pages, joined; overlays add only what the pages leave out."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from arklow_local.openapi import document_text, pages
from mock_server.app import create_app
from mock_server.settings import OVERLAID, PUBLISHED, Settings
from spec import build

SPEC = Path(build.__file__).parent
PAGES = sorted((SPEC / "upstream").glob("*.txt"))


def _load(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def test_the_pages_are_as_received() -> None:
    """Their digests were taken when they were received."""
    listed = (SPEC / "upstream" / "SHA256SUMS").read_text().split()

    assert dict(zip(listed[1::2], listed[::2], strict=True)) == {
        page.name: hashlib.sha256(page.read_bytes()).hexdigest() for page in PAGES
    }


def test_joining_adds_and_loses_nothing() -> None:
    """Every leaf of the joined document is in a page, and every leaf of every page is in the document."""
    leaves = [set(_leaves(pages.read_page(page).content)) for page in PAGES]

    assert len(leaves) == 3
    assert set(_leaves(_load(PUBLISHED))) == leaves[0] | leaves[1] | leaves[2]


def _leaves(node: Any, place: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], str]]:
    if isinstance(node, dict) and node:
        return [leaf for key, value in node.items() for leaf in _leaves(value, (*place, str(key)))]
    if isinstance(node, list) and node:
        return [leaf for n, value in enumerate(node) for leaf in _leaves(value, (*place, str(n)))]
    return [(place, repr(node))]


def test_an_overlay_that_matches_nothing_stops_the_build() -> None:
    """A page that changed must not leave an overlay without effect."""
    document = pages.join([pages.read_page(page) for page in PAGES])
    del document["paths"]["/v1/ingress/{variant}"]

    with pytest.raises(document_text.BadPages, match=r"20-links.*: target .* matches nothing"):
        build.overlaid_document(document)


def test_an_overlay_that_adds_what_a_page_has_stops_the_build() -> None:
    """Two statements of the same thing would differ one day."""
    document = pages.join([pages.read_page(page) for page in PAGES])
    document["paths"]["/v1/ack"] = {"post": {"responses": {}}}

    with pytest.raises(
        document_text.BadPages, match=r"30-siblings.*: the pages have #/paths/~1v1~1ack/post themselves"
    ):
        build.overlaid_document(document)


def test_the_built_files_are_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    """`make spec` would change nothing."""
    assert (build.main(["--check"]), capsys.readouterr().out) == (0, "spec: nothing differs\n")


def test_overlays_add_no_answer_to_ingress_and_no_default() -> None:
    """Deployments are judged by the pages, so overlays leave the answers of ingress as they are."""
    published, promised = _load(PUBLISHED)["paths"], _load(OVERLAID)["paths"]

    for path in ("/v1/ingress/{variant}", "/v1/modack"):
        before, after = published[path]["post"]["responses"], promised[path]["post"]["responses"]
        assert before.keys() == after.keys()
        for status in before:
            assert {k: v for k, v in after[status].items() if k != "links"} == before[status]
    assert not [1 for item in promised.values() for op in item.values() if "default" in op["responses"]]


@pytest.mark.parametrize("overlay", sorted((SPEC / "overlays").glob("*.yaml")), ids=lambda path: path.name)
def test_every_overlay_names_its_source(overlay: Path) -> None:
    """An overlay says where it comes from, and each of its actions why."""
    content = _load(overlay)

    assert content["overlay"] == "1.0.0"
    assert content["info"]["x-source"]
    assert all(action["description"] for action in content["actions"])


PAGES_SERVED = [
    ("post", "/v1/ingress/{variant}"),
    ("post", "/v1/modack"),
    ("put", "/v1/orgs/{org_id}/actions/definitions"),
]
SIBLINGS_SERVED = [
    *(("post", f"/v1/{name}") for name in ("ingress", "ack", "nack", "defer")),
    *(("get", f"/v1/orgs/{{org_id}}/actions/records{rest}") for rest in ("", "/{id}")),
]


@pytest.mark.parametrize(
    ("document", "served"),
    [(PUBLISHED, PAGES_SERVED), (OVERLAID, [*PAGES_SERVED, *SIBLINGS_SERVED])],
    ids=["published", "overlaid"],
)
def test_every_part_of_both_documents_is_served(document: Path, served: list[tuple[str, str]]) -> None:
    """Each of three operations, or of nine with their siblings, has a handler; nothing is a stub or ignored."""
    coverage = create_app(Settings(document=document)).coverage

    assert sorted((op.method, op.path) for op in coverage.operations) == sorted(served)
    assert (coverage.stubs, coverage.ignored) == (frozenset(), ())
    assert coverage.complete
