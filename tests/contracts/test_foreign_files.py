"""Files of others: whatever stands in a document, a baseline or a report, it is read or refused in one line."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.openapi.document import PUBLISHED, load
from tests.contracts.commands import ran
from tests.contracts.runs import judged_in_process
from tests.mutants import ConformingServer

HOSTILE: Final = "\x1b[31m\x1b]0;x\x07\n::error::y\r\x9b"
CHECK: Final = ("check", "--base-url", "http://h", "--api-key", "k", "--org", "1")


def published() -> Any:
    """Return a copy of the published document that may be changed."""
    return json.loads(json.dumps(load(PUBLISHED).content))


def places(node: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the place of everything in a value, as the way to it from the outside in."""
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [here, *(place for key, below in members for place in places(below, (*here, key)))]


PLACES: Final = [place for place in places(load(PUBLISHED).content) if place]
JSON_VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
    | st.sampled_from(["#", "#/", "#/paths", "#/components/schemas/None", "object", "("]),
    lambda below: st.lists(below, max_size=3)
    | st.dictionaries(st.text(max_size=5) | st.sampled_from(["$ref", "type", "properties", "required"]), below, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(PLACES), JSON_VALUES)
def test_any_json_value_in_any_place_of_a_document_is_read_or_refused(
    place: tuple[Any, ...], value: Any
) -> None:
    """By `load`, and by `check --dry-run`: exit code 0, or 2 with one line."""
    content = published()
    node = content
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = value
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "d.json")
        file.write_text(json.dumps(content))

        done = ran(
            "check", "--base-url", "http://h", "--api-key", "k", "--org", "1", "--dry-run", "--document", file
        )

    assert done.code in (0, 2), done.errors
    assert len(done.errors.splitlines()) == (1 if done.code else 0)


CHANGES: Final[dict[str, Callable[[Any], Any]]] = {
    "a nullable union": lambda d: _schema_of(d)["properties"]["tags"].update(type=["object", "null"]),
    "a list of types in anyOf": lambda d: _answer_of(d)["properties"]["data"]["anyOf"][0].update(type=["string", "null"]),
    "nothing that is required": lambda d: _schema_of(d).pop("required"),
    "a body of any kind": lambda d: _content_of(d).update(schema=True),
    "a body without a schema": lambda d: _content_of(d).pop("schema"),
    "a date that is no string in YAML 1.1": lambda d: d["info"].update({"x-released": "2026-01-01"}),
    "a pattern of another dialect": lambda d: _schema_of(d)["properties"].update(p={"type": "string", "pattern": r"^\p{L}+$"}),
    "66 objects in one another": lambda d: _schema_of(d)["properties"].update(payload=_nested(66)),
    "extensions everywhere": lambda d: [
        node.update({"x-more": [HOSTILE, 5]})
        for node in (d, d["paths"], d["paths"]["/v1/modack"], d["paths"]["/v1/modack"]["post"], _schema_of(d))
    ],
    "a schema that holds itself": lambda d: (
        d["components"].setdefault("schemas", {}).update(Tree={"properties": {"a": {"$ref": "#/components/schemas/Tree"}}}),
        _schema_of(d)["properties"].update(payload={"$ref": "#/components/schemas/Tree"}),
    ),
}  # fmt: skip


def _content_of(content: Any) -> Any:
    return content["paths"]["/v1/ingress/{variant}"]["post"]["requestBody"]["content"]["application/json"]


def _schema_of(content: Any) -> Any:
    node = _content_of(content)["schema"]
    if "$ref" in node:
        node = _content_of(content)["schema"] = dict(
            content["components"]["schemas"][node["$ref"].rpartition("/")[2]]
        )
    return node


def _answer_of(content: Any) -> Any:
    put = content["paths"]["/v1/orgs/{org_id}/actions/definitions"]["put"]
    return put["responses"]["200"]["content"]["application/json"]["schema"]


def _nested(levels: int) -> Any:
    schema: Any = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_a_document_that_says_more_or_less_than_ours_can_be_judged_by(change: str, tmp_path: Path) -> None:
    """No library that reads it, and no rule of ours, ends the run."""
    content = published()
    CHANGES[change](content)
    file = tmp_path / "d.json"
    file.write_text(json.dumps(content))

    run = judged_in_process(lambda clock: ConformingServer(clock=clock), document=file, max_time=2.0)

    assert "failed" not in (run.inconclusive or "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "expected at most 520 levels of nesting, got more"),
        ("{a: " * 100_000, "expected at most 520 levels of nesting, got more"),
        ("- " * 100_000, "expected at most 520 levels of nesting, got more"),
        (
            '{"openapi": "3.1.0", "x": ' + "[" * 300 + "]" * 300 + "}",
            "it is nested more than 150 levels deep",
        ),
        (
            "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n"
            + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 13)),
            "expected at most 4000000 values, got more",
        ),
    ],
    ids=["lists", "objects", "block lists", "beyond what libraries read", "aliases"],
)
@pytest.mark.parametrize("flag", ["--document", "--baseline", "--expect-interpretations"])
def test_text_without_bounds_is_refused_in_one_line(text: str, said: str, flag: str, tmp_path: Path) -> None:
    """In every file that is YAML: no crash, no hang, and no memory."""
    (tmp_path / "d.yaml").write_text(text)
    if flag != "--document" and "150" in said:
        said = "expected"  # these readers have no such bound, and want a list or an object

    done = ran(*CHECK, "--dry-run", flag, tmp_path / "d.yaml")

    assert (done.code, len(done.errors.splitlines())) == (2, 1)
    assert said in done.errors


@pytest.mark.parametrize(
    "words",
    [
        (*CHECK, "--dry-run", "--variant", "a=deep.json"),
        (*CHECK, "--profile", "night", "--resume", "--report-dir", "night"),
        ("compare", "deep.json", "deep.json"),
        ("judge", "deep.json"),
        ("replay", "PAGE-1-abcdef", "--report", "deep.json", *CHECK[1:]),
    ],
    ids=lambda words: f"{words[0]} {words[-1]}",
)
@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, '{"a": ' + "9" * 5_000 + "}", "\ud800", ""]
)
def test_json_without_bounds_is_refused_in_one_line(words: tuple[str, ...], text: str, here: Path) -> None:
    """In every file that is JSON."""
    (here / "night").mkdir()
    for file in ("deep.json", "night/night.json"):
        (here / file).write_bytes(text.encode("utf-8", "surrogatepass"))

    done = ran(*words)

    assert (done.code, len(done.errors.splitlines())) == (2, 1)


@pytest.mark.parametrize(
    "flag", ["--document", "--baseline", "--expect-interpretations", "--variant", "--targets"]
)
def test_a_file_without_end_is_refused(flag: str, here: Path) -> None:
    """Such as a device: what is read is bounded."""
    if not Path("/dev/zero").exists():
        pytest.skip("a system without /dev/zero")
    named = "a=/dev/zero" if flag == "--variant" else "/dev/zero"

    done = ran(*CHECK, "--dry-run", flag, named, *(["--target", "x"] if flag == "--targets" else []))

    assert done.code == 2
    assert "expected at most 64 MiB, got more" in done.errors


@pytest.mark.parametrize(
    ("name", "text", "flags"),
    [
        ("d.json", json.dumps({"openapi": f"3.0{HOSTILE}"}), ("--document",)),
        ("d.json", json.dumps({"openapi": "3.1.0", "paths": {HOSTILE: {"get": {HOSTILE: 1, "parameters": 5}}}}), ("--document",)),
        ("d.json", json.dumps({"openapi": "3.1.0", "paths": {"/a": {"get": {"x": {"$ref": f"http://{HOSTILE}"}}}}}), ("--document",)),
        ("d.json", json.dumps({"openapi": "3.1.0", "paths": {"/a": {"get": {"x": {"$ref": f"#/{HOSTILE}"}}}}}), ("--document",)),
        ("\x1b[31m.json", "{", ("--document",)),
        ("b.yaml", json.dumps([{"id": HOSTILE, "owner": HOSTILE, "reason": "r", "expires": HOSTILE}]), ("--baseline",)),
        ("b.yaml", json.dumps({HOSTILE: HOSTILE}), ("--baseline",)),
        ("i.yaml", json.dumps({"interpretations": {HOSTILE: HOSTILE}}), ("--expect-interpretations",)),
        ("t.toml", f"[targets.{json.dumps(HOSTILE)}]\nbase_url = 5", ("--target", "x", "--targets")),
    ],
)  # fmt: skip
def test_words_of_a_file_are_printed_escaped(
    name: str, text: str, flags: tuple[str, ...], here: Path
) -> None:
    """In the one line that refuses it."""
    (here / name).write_text(text)

    done = ran(*CHECK, "--dry-run", *flags, name)

    assert (done.code, done.out, len(done.errors.splitlines())) == (2, "", 1)
    assert done.errors.rstrip("\n").isprintable()


def test_words_of_a_document_that_can_be_used_are_printed_escaped(here: Path) -> None:
    """In a dry run, and in what a run says of changed pages."""
    content = published()
    content["paths"][f"/x{HOSTILE}"] = {"get": {"responses": {"200": {"description": HOSTILE}}}}
    (here / "pages").mkdir()
    (here / "pages" / "openapi.json").write_text(json.dumps(content))

    for words in ((*CHECK, "--dry-run", "--spec-dir", "pages"), ("spec", "status", "--spec-dir", "pages")):
        done = ran(*words)
        assert done.code in (0, 1), done.errors
        assert all(line.isprintable() and not line.startswith("::") for line in done.out.split("\n"))
