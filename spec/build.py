"""Join the published pages into one document, and lay the overlays over it.

    python spec/build.py           write the built files
    python spec/build.py --check   exit 1 when a built file differs from what the sources give

Reads `upstream/*.txt` (one fenced OpenAPI document a page) and `overlays/*.overlay.yaml` (OpenAPI
Overlay 1.0, in the order of their names). Writes `arklow.openapi.yaml` (the pages, nothing added),
`arklow.overlaid.openapi.yaml` (with the overlays) and `SHA256SUMS` over both: a digest listed there
stands for a document that was checked against the OpenAPI 3.1 meta-schema when it was built. And
`seed.schema.json`, the JSON Schema of seed files, out of the components of `admin.openapi.yaml`.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml
from jsonpath_ng.ext.parser import parse as parse_jsonpath
from oas_patch.overlay import apply_overlay
from openapi_spec_validator import validate

HERE = Path(__file__).parent
ADMIN = "admin.openapi.yaml"
SEED = "seed.schema.json"
FENCE = re.compile(r"^````yaml[^\n]*\n(.*?)^````$", re.DOTALL | re.MULTILINE)

Document = dict[str, Any]


class BuildError(Exception):
    """The sources do not fit together; the message names both places."""


def page_document(page: Path) -> Document:
    """The OpenAPI document that a published page holds between its fences."""
    blocks = FENCE.findall(page.read_text("utf-8") + "\n")
    if len(blocks) != 1:
        raise BuildError(f"{page.name}: expected one fenced yaml block, found {len(blocks)}")
    document: Document = yaml.safe_load(blocks[0])
    return document


def join(pages: dict[str, Document]) -> Document:
    """One document out of several: maps are united, everything else must be equal."""
    joined: Document = {}
    origin: dict[tuple[str, ...], str] = {}

    def merge(into: Document, other: Document, page: str, place: tuple[str, ...]) -> None:
        for key, value in other.items():
            here = (*place, str(key))
            if key not in into:
                into[key] = copy.deepcopy(value)
                origin[here] = page
            elif len(here) < 3 and here[0] in ("paths", "components") and isinstance(value, dict):
                merge(into[key], value, page, here)
            elif into[key] != value:
                first = next((origin[here[:n]] for n in range(len(here), 0, -1) if here[:n] in origin), "?")
                raise BuildError(f"/{'/'.join(here)} differs between {first} and {page}")

    for page, document in pages.items():
        merge(joined, document, page, ())
    return joined


def overlaid(document: Document, overlays: dict[str, Document]) -> Document:
    """The document with every overlay applied; an action that matches nothing is an error."""
    result = copy.deepcopy(document)
    for name, overlay in overlays.items():
        for action in overlay["actions"]:
            if not parse_jsonpath(action["target"]).find(result):
                raise BuildError(f"{name}: target {action['target']} matches nothing")
            result = apply_overlay(result, {"actions": [copy.deepcopy(action)]})
    return result


class _Plain(yaml.SafeDumper):
    """YAML without anchors, in the order of the source."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def _text(document: Document, note: str) -> str:
    body = yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)
    return f"# {note} Made by spec/build.py; edit its sources and run `make spec`.\n{body}"


def standalone(document: Document, name: str) -> Document:
    """The JSON Schema that a component stands for, with all that it refers to as `$defs`."""
    schemas = document["components"]["schemas"]
    found: Document = {}

    def moved(node: Any) -> Any:
        if isinstance(node, list):
            return [moved(item) for item in node]
        if not isinstance(node, dict):
            return node
        copied = {key: moved(value) for key, value in node.items()}
        if "$ref" in node:
            target = node["$ref"].removeprefix("#/components/schemas/")
            copied["$ref"] = f"#/$defs/{target}"
            if target not in found:
                found[target] = None
                found[target] = moved(schemas[target])
        return copied

    root = moved(schemas[name])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A seed file of arklow-mock",
        **root,
        "$defs": dict(sorted(found.items())),
    }


def built() -> dict[str, str]:
    """File name → text of everything this program makes."""
    pages = {page.name: page_document(page) for page in sorted((HERE / "upstream").glob("*.txt"))}
    overlays = {
        file.name: yaml.safe_load(file.read_text("utf-8"))
        for file in sorted((HERE / "overlays").glob("*.overlay.yaml"))
    }
    published = join(pages)
    promised = overlaid(published, overlays)
    files = {
        "arklow.openapi.yaml": _text(published, "The published pages, joined."),
        "arklow.overlaid.openapi.yaml": _text(promised, "The published pages with our overlays."),
    }
    admin = (HERE / ADMIN).read_text("utf-8")
    for document in (published, promised, yaml.safe_load(admin)):
        validate(document)
    digested = files | {ADMIN: admin}
    sums = [f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in digested.items()]
    seed = json.dumps(standalone(yaml.safe_load(admin), "SeedFile"), indent=2, ensure_ascii=False) + "\n"
    return files | {"SHA256SUMS": "".join(sums), SEED: seed}


def main(arguments: list[str]) -> int:
    """Write the files, or with `--check` only compare them. Returns the exit code."""
    stale = []
    for name, text in built().items():
        target = HERE / name
        if target.exists() and target.read_text("utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in arguments:
            target.write_text(text, "utf-8")
    print("spec:", ", ".join(stale) or "nothing", "differs" if "--check" in arguments else "written")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
