"""The HTML report as axe sees it: everyone can read it, in light and in dark, on a wide and on a narrow screen."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest

from contracts.reports import html as html_report
from tests.contracts.test_reports import RUNS
from tests.end_to_end.test_examples import require, run

PACKAGE = Path(__file__).parents[1] / "accessibility"
SUSPICIOUS = replace(
    RUNS["inconclusive"],
    suspected={"LEASE-3": "it could not be tried again"},
    not_offered=("POST /v1/ack",),
    negatives={},
    interpretations={},
)
PAGES = RUNS | {"suspicious": SUSPICIOUS, "empty": replace(RUNS["conforms"], not_verified={}, tested={})}
SCHEMES = {"light": "1", "dark": "0"}
"""Colour scheme → its number among the settings of Chromium."""
WIDTHS = (380, 1280)
"""Pixels: a telephone and a desk."""


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe."""
    require("npm", "chromium")
    folder = Path(shutil.copytree(PACKAGE, tmp_path_factory.mktemp("axe") / "axe"))
    installed = run(["npm", "ci"], folder)
    assert installed.returncode == 0, installed.stdout
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


def wrong(page: str, axe: str, folder: Path, scheme: str, width: int) -> list[str]:
    """Return what axe finds wrong with a page, each with the element that it is about."""
    tell = (
        f"<script>{axe}</script><script>axe.run().then(found => {{"
        "const told = {dark: matchMedia('(prefers-color-scheme: dark)').matches, wide: innerWidth, passed: found.passes.length,"
        " wrong: found.violations.flatMap(one => one.nodes.map(node => `${one.id}: ${node.html}`))};"
        "document.documentElement.innerHTML = `<pre id=told>${btoa(encodeURIComponent(JSON.stringify(told)))}</pre>`})</script>"
    )
    (folder / "page.html").write_text(page + tell, "utf-8")
    ran = subprocess.run(
        [
            *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
            *("--no-first-run", f"--user-data-dir={folder / 'profile'}", f"--window-size={width},900"),
            *(f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}", "--virtual-time-budget=30000"),
            *("--dump-dom", (folder / "page.html").as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    found = re.search('<pre id="told">([^<]+)', ran.stdout)
    assert found, ran.stdout[-2_000:] + ran.stderr[-2_000:]
    told = json.loads(unquote(b64decode(found[1]).decode()))
    assert (told["dark"], told["passed"] > 5) == (scheme == "dark", True), told
    return list(told["wrong"])


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_wrong_with_a_report(
    name: str, scheme: str, width: int, axe: str, tmp_path: Path
) -> None:
    """With findings, without any, and of a run that proves nothing."""
    html_report.write(PAGES[name], tmp_path)
    page = (tmp_path / "report.html").read_text("utf-8")

    assert wrong(page, axe, tmp_path, scheme, width) == []


@pytest.mark.slow
def test_axe_sees_text_that_is_too_pale(axe: str, tmp_path: Path) -> None:
    """So that the tests above can fail."""
    html_report.write(next(iter(RUNS.values())), tmp_path)
    page = (tmp_path / "report.html").read_text("utf-8").replace("</style>", "td { color: #ddd }</style>")

    assert any(one.startswith("color-contrast") for one in wrong(page, axe, tmp_path, "light", 1280))
