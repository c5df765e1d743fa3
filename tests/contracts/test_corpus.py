"""The corpus of requests that no schema describes: what each promises, and that each can be sent."""

from __future__ import annotations

import gzip
import hashlib
from itertools import pairwise
from typing import Any

import pytest

from arklow_local.formats import strict_json
from contracts.core.exchange import media_type
from contracts.generation.corpus.catalogue import large_probes, probes
from contracts.generation.corpus.probe import Probe
from contracts.model.world import equal_json
from contracts.openapi.document import PUBLISHED, load
from contracts.openapi.schemas import DocumentSchemas
from contracts.phases.requests import INGRESS, MODACK, PUT

DOCUMENT = load(PUBLISHED)
SHAPES = DocumentSchemas(DOCUMENT.content)
GOOD: dict[str, dict[str, Any]] = {
    INGRESS: {"payload": {"order_id": "8471", "path": "a/b"}, "version": 1},
    MODACK: {"action_record_id": "3625117063004160000", "attempt": 0, "mod_ack": 300},
    PUT: {"variant": "order.créé", "schema": {"type": "object", "title": "a"}},
}
CATALOGUE = {label: list(probes(label, good)) for label, good in GOOD.items()}
LARGE = {label: list(large_probes(label, good)) for label, good in GOOD.items()}
EVERY = {label: [*CATALOGUE[label], *LARGE[label]] for label in GOOD}
GROUPS = {
    *("bytes", "encodings", "headers", "media types", "chunking", "sizes"),
    *("counts", "numbers", "strings", "query", "paths", "methods"),
}


def members(label: str) -> set[str]:
    """The members of the body that the page names."""
    node: Any = DOCUMENT.content
    for step in str(DOCUMENT.operations[label].request_schema).split("/")[1:]:
        node = node[step.replace("~1", "/").replace("~0", "~")]
    if "$ref" in node:
        node = DOCUMENT.content["components"]["schemas"][node["$ref"].rpartition("/")[2]]
    return set(node["properties"])


def found(label: str, title: str) -> Probe:
    return next(probe for probe in EVERY[label] if probe.title == title)


@pytest.mark.parametrize("label", GOOD)
def test_no_two_probes_of_an_operation_have_the_same_title(label: str) -> None:
    """A report that names a title names one request."""
    titles = [probe.title for probe in EVERY[label]]

    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("label", GOOD)
def test_every_group_has_a_probe_in_the_first_dozen(label: str) -> None:
    """A small budget is spent on each group."""
    assert {probe.group for probe in CATALOGUE[label][:12]} == GROUPS
    assert {probe.group for probe in CATALOGUE[label]} == GROUPS


@pytest.mark.parametrize("label", GOOD)
def test_the_same_body_gives_the_same_catalogue(label: str) -> None:
    """A run can be repeated; the good body is not changed."""
    good = {**GOOD[label]}

    assert [*probes(label, good), *large_probes(label, good)] == EVERY[label]
    assert good == GOOD[label]


@pytest.mark.parametrize("label", GOOD)
def test_large_probes_stand_by_themselves(label: str) -> None:
    """The others have 64 KiB at most; the large ones are refused or served, and none of them is mild."""
    assert all(len(probe.body or b"") <= 1 << 16 for probe in CATALOGUE[label])
    assert 15 <= len(LARGE[label]) <= 25
    assert [probe.title for probe in LARGE[label] if probe.must_be_served] == []
    assert [probe.title for probe in LARGE[label] if probe.mild] in ([], ["8 MB of blanks in gzip"])
    assert any(probe.mild for probe in CATALOGUE[label])
    assert not all(probe.mild for probe in CATALOGUE[label])


@pytest.mark.parametrize("label", GOOD)
def test_a_probe_that_must_be_served_is_allowed_by_its_page(label: str) -> None:
    """Its bytes are JSON that the document allows, with members that the page names."""
    promised = [probe for probe in CATALOGUE[label] if probe.must_be_served]

    assert len(promised) >= 40
    for probe in promised:
        value = strict_json.read(probe.body or b"")
        assert SHAPES.at(str(DOCUMENT.operations[label].request_schema)).problems(value) == [], probe.title
        assert value.keys() <= members(label), probe.title


@pytest.mark.parametrize("label", GOOD)
def test_a_probe_that_must_be_served_is_ordinary_otherwise(label: str) -> None:
    """The operation's own path and method, JSON by its type, no coding."""
    for probe in EVERY[label]:
        if probe.must_be_served:
            types = [value for name, value in probe.headers if name.lower() == "content-type"]
            assert [media_type(one) for one in (probe.content_type, *types) if one] == ["application/json"]
            assert (probe.method, probe.path, probe.tail) == (None, "", "")
            assert "content-encoding" not in {name for name, _ in probe.headers}


@pytest.mark.parametrize("label", GOOD)
def test_a_modack_and_a_definition_that_must_be_served_are_those_of_the_good_body(label: str) -> None:
    """No other action, attempt or variant must be served."""
    for probe in CATALOGUE[label]:
        if not probe.must_be_served or label == INGRESS:
            continue
        value = strict_json.read(probe.body or b"")
        if label == MODACK:
            assert equal_json(value, GOOD[MODACK]), probe.title
        else:
            assert value["variant"].startswith(GOOD[PUT]["variant"]), probe.title


@pytest.mark.parametrize("label", GOOD)
def test_bytes_must_be_served_exactly_when_they_spell_the_good_body(label: str) -> None:
    """In the group `bytes`, to a strict reader."""
    for probe in EVERY[label]:
        if probe.group != "bytes":
            continue
        try:
            value = strict_json.read(probe.body or b"")
        except (strict_json.NotJSON, strict_json.Ambiguous):
            assert not probe.must_be_served, probe.title
        else:
            assert equal_json(value, GOOD[label]) == probe.must_be_served, probe.title


@pytest.mark.parametrize("label", GOOD)
def test_chunks_add_up_to_the_whole_body(label: str) -> None:
    """No chunk is empty, as an empty one ends the body."""
    for probe in EVERY[label]:
        assert bool(probe.chunks) == (probe.group == "chunking")
        if probe.chunks:
            assert sum(probe.chunks) == len(probe.body or b"")
            assert min(probe.chunks) > 0


@pytest.mark.parametrize("label", GOOD)
def test_headers_can_be_sent_and_are_neither_keys_nor_framing(label: str) -> None:
    """Bytes of latin-1 without the end of a line; no key, no length, no protocol that needs an answer of its own."""
    never = {
        *("x-arklow-auth", "authorization", "x-api-key", "host", "content-length", "transfer-encoding"),
        *("expect", "upgrade", "te", "trailer"),
    }
    for probe in EVERY[label]:
        for name, value in (*probe.headers, ("content-type", probe.content_type or "")):
            assert name.isascii()
            assert name.isprintable()
            assert " " not in name
            assert ":" not in name
            assert name.lower() not in never
            assert not {"\r", "\n", "\0"} & set(value.encode("latin-1").decode("latin-1")), probe.title


@pytest.mark.parametrize("label", GOOD)
def test_urls_are_ready_to_be_sent(label: str) -> None:
    """Queries and paths are encoded: visible ASCII without a sign that ends this part of the URL."""
    for probe in EVERY[label]:
        for text in (probe.query, probe.path, probe.tail):
            assert text.isascii(), probe.title
            assert text.isprintable(), probe.title
            assert not {" ", "#"} & set(text), probe.title
        assert "?" not in probe.path + probe.tail
        assert probe.path.startswith("/") or not probe.path


@pytest.mark.parametrize("label", GOOD)
def test_other_paths_have_the_same_organisation_and_variant(label: str) -> None:
    """A path without one of the parameters has an odd value in its place."""
    path = label.partition(" ")[2]
    for probe in filter(lambda probe: probe.path, EVERY[label]):
        assert probe.path != path
        if probe.path.count("{") < path.count("{"):
            assert probe.title.startswith(("a variant", "an organisation", "no variant")), probe.title


@pytest.mark.parametrize("label", GOOD)
def test_methods_are_others_than_the_operations_own(label: str) -> None:
    """Never those that proxies answer by themselves."""
    own = label.partition(" ")[0]
    sent = {probe.method for probe in CATALOGUE[label] if probe.method is not None}

    assert sent.isdisjoint({own, "TRACE", "CONNECT"})
    assert sent >= {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - {own}


def test_gzip_is_real_where_the_title_says_so() -> None:
    """And bytes that are not gzip are sent with the same header."""
    packed, plain = found(INGRESS, "gzip"), found(INGRESS, "gzip announced, plain bytes sent")

    assert equal_json(strict_json.read(gzip.decompress(packed.body or b"")), GOOD[INGRESS])
    assert packed.headers == plain.headers == (("content-encoding", "gzip"),)
    assert equal_json(strict_json.read(plain.body or b""), GOOD[INGRESS])


def test_a_version_with_a_point_must_be_served_only_where_that_version_is_available() -> None:
    """B028 of the faults: 1.0 is an integer; a version that the good body does not name may be unavailable (C4)."""
    bare = {probe.title: probe for probe in probes(INGRESS, {"payload": 1})}

    assert found(INGRESS, "version with a point").must_be_served
    assert not bare["version with a point"].must_be_served
    assert found(PUT, "version with a point").must_be_served
    assert not found(MODACK, "attempt with a point").must_be_served


def test_numbers_of_a_definition_leave_the_good_one_alone() -> None:
    """A version that is stored cannot be removed, so each goes to a variant of its own."""
    spelled = [probe for probe in CATALOGUE[PUT] if probe.title.startswith("version ")]
    variants = [(probe.body or b"").split(b'"variant":"')[1].split(b'"')[0] for probe in spelled]

    assert len(set(variants)) == len(spelled) > 15
    assert GOOD[PUT]["variant"].encode() not in variants


@pytest.mark.parametrize(
    ("label", "title", "body"),
    [
        (MODACK, "attempt twice and the same", b'"mod_ack":300,"attempt":0}'),
        (MODACK, "attempt minus zero", b'"attempt":-0,'),
        (MODACK, "mod_ack with an exponent", b'"mod_ack":300e0}'),
        (MODACK, "mod_ack with a negative exponent", b'"mod_ack":3000e-1}'),
        (MODACK, "invalid UTF-8 in a string", b',"x":"\xff\xfe"}'),
        (INGRESS, "a number NaN", b'{"payload":NaN,'),
        (INGRESS, "an escaped slash", b'{"payload":"a\\/b",'),
        (INGRESS, "a member called __proto__", b'{"payload":{"__proto__":{"a":1}},'),
        (INGRESS, "a member name in escapes", b'{"\\u0070\\u0061\\u0079\\u006c\\u006f\\u0061\\u0064":{'),
        (INGRESS, "half of a surrogate pair in escapes", b'{"payload":"\\ud800",'),
        (INGRESS, "the payload has half of a surrogate pair", b'{"payload": "a\\ud800b"'),
        (INGRESS, "the payload has an emoji", '{"payload":"😀"'.encode()),
        (PUT, "NULL", b'"schema":{"default":NULL}}'),
        (PUT, "an alias has an emoji", '"alias":["order.créé.😀"]'.encode()),
        (PUT, "without its last brace", b'"title":"a"}'),
    ],
)
def test_the_bytes_are_those_that_the_title_says(label: str, title: str, body: bytes) -> None:
    """A sample of them."""
    sent = (found(label, title).body or b"").replace(b'": "', b'":"')  # where escapes are, blanks are too

    assert body.replace(b'": "', b'":"') in sent


def test_an_unknown_operation_has_probes_of_every_group() -> None:
    """Those that must be served have the good body: no other member is known to be allowed."""
    catalogue = list(probes("POST /v1/ack", {"attempt": 0}))

    assert {probe.group for probe in catalogue} == GROUPS
    assert all(
        equal_json(strict_json.read(probe.body or b""), {"attempt": 0})
        for probe in catalogue
        if probe.must_be_served
    )


def test_odd_variants_and_organisations_are_in_the_paths_that_have_them() -> None:
    """Ingress has the variant in its path, a definition the organisation."""
    assert found(INGRESS, "a variant with an encoded slash").path == "/v1/ingress/a%2Fb"
    assert found(INGRESS, "a letter of the path in an escape").path == "/v1/%69ngress/{variant}"
    assert found(INGRESS, "the path in capitals").path == "/V1/INGRESS/{variant}"
    assert found(PUT, "an organisation and a newline").path == "/v1/orgs/{org_id}%0A/actions/definitions"
    assert not any(probe.title.startswith("a variant of emoji") for probe in CATALOGUE[MODACK])


@pytest.mark.parametrize("label", GOOD)
def test_every_step_of_depth_and_of_size_is_tried(label: str) -> None:
    """A server may fail between what it serves and what it refuses as too much."""
    bodies = [probe.body or b"" for probe in EVERY[label] if probe.group in ("sizes", "counts")]
    gains = {
        opening: sorted({body.count(opening) for body in bodies if body.count(opening) <= 2_100})
        for opening in (b"[", b"{")
    }

    for depths in gains.values():
        assert all(after <= 2.5 * before + 20 for before, after in pairwise(depths)), depths
    sizes = sorted({len(body) for body in bodies if len(body) <= 80_000})
    assert all(after <= 2 * before for before, after in pairwise(sizes)), sizes


DIGESTS = {INGRESS: "516907446cf03e3d", MODACK: "a9cc02053022de5f", PUT: "3d5cc82cdead584d"}
"""Operation → the first digits of the SHA-256 of its probes, without those whose bytes a library for gzip decides."""


@pytest.mark.parametrize("label", GOOD)
def test_the_catalogue_is_the_same_as_ever(label: str) -> None:
    """Runs of different days are compared by what they send: a probe that changes on purpose changes its digest here."""
    told = hashlib.sha256()
    for probe in EVERY[label]:
        if probe.group != "encodings":
            told.update(repr(probe).encode())

    assert told.hexdigest()[:16] == DIGESTS[label]
