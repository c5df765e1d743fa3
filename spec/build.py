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


def published() -> Document:
    """The pages, joined; not even what only describes may differ between them."""
    return pages.join(
        [pages.read_page(file) for file in sorted((HERE / "upstream").glob("*.txt"))], describing=()
    )


def promised(document: Document) -> Document:
    """The document with our overlays.

    Raises:
        BadPages: an action matches nothing, or adds what the document has.
    """
    ours = overlays.read_overlays(HERE / "overlays")
    for name, target in overlays.apply(document, ours).unmatched:
        raise BadPages(f"{name}: target {target} matches nothing")
    laid = overlays.fill_gaps(document, ours, {})
    for said in laid.left_out:
        raise BadPages(said)
    return laid.content


def _text(document: Document, note: str) -> str:
    return f"# {note} Made by spec/build.py; edit its sources and run `make spec`.\n{to_yaml(document)}"


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
    joined = published()
    overlaid = promised(joined)
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
