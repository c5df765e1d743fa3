"""Join the published pages into one document, and apply the overlays to it.

    python spec/build.py           write the built files
    python spec/build.py --check   exit 1 when a built file differs from what the sources give

Reads `upstream/*.txt` (one fenced OpenAPI document a page) and `overlays/*.overlay.yaml` (OpenAPI
Overlay 1.0, in the order of their names). Writes `arklow.openapi.yaml` (the pages, nothing added),
`arklow.overlaid.openapi.yaml` (with the overlays) and `SHA256SUMS` over both: a digest listed there
stands for a document that was checked against the OpenAPI 3.1 meta-schema when it was built. And
`seed.schema.json`, the JSON Schema of seed files, out of the components of `admin.openapi.yaml`.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import yaml
from openapi_spec_validator import validate

from arklow_local.openapi import overlays, pages
from arklow_local.openapi.document_text import BadPages, to_yaml
from arklow_local.openapi.pointers import Document

HERE = Path(__file__).parent
ADMIN = "admin.openapi.yaml"
SEED = "seed.schema.json"


def published_document() -> Document:
    """Join the pages; no member may differ between them, those that describe the document included."""
    return pages.join(
        [pages.read_page(file) for file in sorted((HERE / "upstream").glob("*.txt"))], describing=()
    )


def overlaid_document(document: Document) -> Document:
    """Apply our overlays to a copy of the document.

    Raises:
        BadPages: an action matches nothing, or adds what the document has.
    """
    ours = overlays.read_overlays(HERE / "overlays")
    for name, target in overlays.apply(document, ours).unmatched:
        raise BadPages(f"{name}: target {target} matches nothing")
    overlaid = overlays.fill_gaps(document, ours, {})
    for reason in overlaid.left_out:
        raise BadPages(reason)
    return overlaid.content


def _text(document: Document, note: str) -> str:
    return f"# {note} Made by spec/build.py; edit its sources and run `make spec`.\n{to_yaml(document)}"


def standalone(document: Document, name: str) -> Document:
    """Make a JSON Schema of a component, with all components that it refers to as `$defs`."""
    schemas = document["components"]["schemas"]
    found: Document = {}

    def with_local_references(node: Any) -> Any:
        if isinstance(node, list):
            return [with_local_references(item) for item in node]
        if not isinstance(node, dict):
            return node
        copied = {key: with_local_references(value) for key, value in node.items()}
        if "$ref" in node:
            target = node["$ref"].removeprefix("#/components/schemas/")
            copied["$ref"] = f"#/$defs/{target}"
            if target not in found:
                found[target] = None
                found[target] = with_local_references(schemas[target])
        return copied

    root = with_local_references(schemas[name])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A seed file of arklow-mock",
        **root,
        "$defs": dict(sorted(found.items())),
    }


def built_files() -> dict[str, str]:
    """Make all files: name → text."""
    joined = published_document()
    overlaid = overlaid_document(joined)
    files = {
        "arklow.openapi.yaml": _text(joined, "The published pages, joined."),
        "arklow.overlaid.openapi.yaml": _text(overlaid, "The published pages with our overlays."),
    }
    admin = (HERE / ADMIN).read_text("utf-8")
    for document in (joined, overlaid, yaml.safe_load(admin)):
        validate(document)
    digested = files | {ADMIN: admin}
    sums = [f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in digested.items()]
    seed = json.dumps(standalone(yaml.safe_load(admin), "SeedFile"), indent=2, ensure_ascii=False) + "\n"
    return files | {"SHA256SUMS": "".join(sums), SEED: seed}


def main(arguments: list[str]) -> int:
    """Write the files, or with `--check` only compare them. Returns the exit code."""
    stale = []
    for name, text in built_files().items():
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
