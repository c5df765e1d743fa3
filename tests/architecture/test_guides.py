"""The quotations and links of the guides."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDES = sorted((ROOT / "docs" / "guides").glob("*.md"))
QUOTED = re.compile(
    r"`([\w.-]+/[\w./-]+)`[^`\n]*(?:\n[^`\n]+)*\n\n```(?:python|yaml|toml)\n(.*?)```", re.DOTALL
)
"""The name of a file, and the block that follows."""


def quotations() -> list[tuple[str, str, str]]:
    """Triples of guide, file, and the text that the guide quotes from it."""
    return [
        (guide.name, file, text)
        for guide in GUIDES
        for file, text in QUOTED.findall(guide.read_text("utf-8"))
    ]


@pytest.mark.parametrize(("guide", "file", "text"), quotations(), ids=lambda one: str(one)[:24])
def test_what_a_guide_quotes_stands_in_the_file(guide: str, file: str, text: str) -> None:
    """Word by word, so that readers do not copy outdated code."""
    assert text in (ROOT / file).read_text("utf-8"), f"{guide}: {file} has no such lines"


def test_every_link_of_a_guide_leads_to_a_file() -> None:
    """Relative links alone; other hosts are not contacted."""
    for guide in GUIDES:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", guide.read_text("utf-8")):
            assert (guide.parent / link).exists(), f"{guide.name}: {link}"


def test_guides_quote_something() -> None:
    """Otherwise the pattern above no longer matches."""
    assert len(quotations()) >= 7
