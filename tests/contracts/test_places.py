"""Where reports point: at the user's own document, by the line of the operation, or nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contracts.openapi.document import PUBLISHED, load
from contracts.openapi.places import places_in_repository
from tests import vendor

MODACK = "POST /v1/modack"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a folder for its API."""
    for name in (".git", "api/pages", ".venv/lib"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize("name", ["d.yaml", "d.json", "compact.json"])
@pytest.mark.parametrize("here", ["", "api", "api/pages"])
def test_an_operation_is_found_in_the_document_of_the_repository(
    name: str, here: str, repository: Path
) -> None:
    """YAML or JSON, by a path from the root, wherever the program runs."""
    file = repository / "api" / name
    content = load(PUBLISHED).content
    text = (
        PUBLISHED.read_text("utf-8")
        if name == "d.yaml"
        else json.dumps(content, indent=None if "compact" in name else 2)
    )
    file.write_text(text, "utf-8")

    places = places_in_repository(file, repository / here)

    path, line = places[MODACK]
    assert path == f"api/{name}"
    assert "post" in text.splitlines()[line - 1]
    assert "/v1/modack" in "\n".join(text.splitlines()[max(0, line - 2) : line])
    assert places["/v1/modack"][1] <= line
    assert places[""] == (f"api/{name}", 1)


def test_an_operation_is_found_in_its_page(repository: Path) -> None:
    """The line is that of the page, which has its document in the middle."""
    directory = repository / "api" / "pages"
    for page in vendor.UPSTREAM.iterdir():
        (directory / page.name).write_bytes(page.read_bytes())

    path, line = places_in_repository(directory, repository)[MODACK]

    assert "post" in (repository / path).read_text("utf-8").splitlines()[line - 1]


@pytest.mark.parametrize("place", [".venv/lib/d.yaml", "../elsewhere.yaml", "missing.yaml"])
def test_what_is_no_file_of_the_repository_is_no_place(place: str, repository: Path) -> None:
    """Such as a document that the judge has brought with it."""
    if place != "missing.yaml":
        (repository / place).write_bytes(PUBLISHED.read_bytes())

    assert places_in_repository(repository / place, repository) == {}
