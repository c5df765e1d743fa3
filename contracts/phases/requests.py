"""Requests to the operations of Arklow, built from what the document asks for and what a sequence wants to say."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from ..checks.context import CheckContext
from ..core.exchange import Exchange, media_type
from ..generation.corpus.probe import INGRESS, MODACK, PUT, Probe
from ..generation.examples import example_of
from ..transport.wire import Request

JSON: Final = ("content-type", "application/json")
"""The header of a body that is JSON."""
TAG: Final = "contract-run"
"""The tag by which the actions of a run are found; its value stands in the `traceparent` of the run as well."""

_SAID: Final = {PUT: {"variant", "schema"}, INGRESS: {"payload"}}
"""Operation → members of its body that every sequence says itself."""
_SAID_BY_SIGNALS: Final = {"action_record_id", "attempt", "mod_ack"}
"""The same for all other operations."""


class NotReached(Exception):
    """What was to be verified could not be brought about; the text says why. It is held against no target.

    `rules` has the codes of the rules that it concerns, where these are not all of those that its sequence is for.
    """

    def __init__(self, why: str, *rules: str) -> None:
        super().__init__(why)
        self.rules = frozenset(rules)


class NotInDocument(NotReached):
    """The document that is judged by does not have the operation."""


def answered(exchange: Exchange) -> str:
    """Return what an exchange was answered with, for sentences about what was not reached."""
    if exchange.answer and exchange.has_envelope and exchange.is_unreadable:
        return f"is answered with {exchange.status} and a body that cannot be read"
    if exchange.has_envelope or not exchange.answer:
        served = 200 <= exchange.status < 300
        return f"is answered with {exchange.status}{', and not as its page says' if served else ''}"
    media = media_type(exchange.answer_header("content-type")) or "no content-type"
    return f"is answered with {exchange.status} and {media} that is not the envelope"


class RequestBuilder:
    """Builds requests of the organisations whose keys the judge has."""

    def __init__(self, context: CheckContext, run_tag: str | None = None) -> None:
        """Build for the target of `context`; actions are tagged with `run_tag`, if there is one."""
        self._context = context
        self._run_tag = run_tag

    def build(
        self,
        label: str,
        body: Any = None,
        *,
        name: str = "",
        org: int = 0,
        path_org: str | None = None,
        headers: Sequence[tuple[str, str]] | None = None,
        raw: bytes | None = None,
        query: str = "",
        method: str | None = None,
        as_it_is: bool = False,
    ) -> Request:
        """Return a request to an operation, which need not be a published one.

        Args:
            label: the operation, as `POST /v1/modack`.
            body: is sent as JSON; an object gets the members that the document requires beyond today's pages.
            name: the variant in the path.
            org: index of the organisation whose key is sent.
            path_org: the organisation in the path, where it is another one.
            headers: are sent instead of the key and the media type.
            raw: is sent as it is instead of `body`.
            query: the encoded query, without its question mark.
            method: is sent instead of the operation's.
            as_it_is: send `body` without the members that the document requires.

        Raises:
            NotInDocument: it is a published operation, and the document that is judged by does not have it.
        """
        if label in (PUT, INGRESS, MODACK) and self._context.operation(label) is None:
            raise NotInDocument(f"the document has no {label}")
        if isinstance(body, dict) and raw is None and not as_it_is:
            body = self.complete(label, body)
        if label == INGRESS and raw is None and isinstance(body, dict) and "payload" in body:
            body = self._as_ours(name, body)
        verb, _, template = label.partition(" ")
        path = template.replace("{variant}", quote(name, safe="")).replace(
            "{org_id}", quote(self.organisation(org) if path_org is None else path_org, safe="")
        )
        sent = [self.key(org), JSON] if headers is None else list(headers)
        text = raw if raw is not None else None if body is None else json.dumps(body).encode()
        return Request(method or verb, path + (f"?{query}" if query else ""), tuple(sent), text)

    def from_probe(self, label: str, probe: Probe, name: str = "", **members: Any) -> Request:
        """Return the request to an operation that a probe of the corpus describes; `members` as in `build`.

        Raises:
            NotInDocument: as in `build`.
        """
        built = self.build(
            label, name=name, raw=probe.body, query=probe.query, method=probe.method, **members
        )
        media = [] if probe.content_type is None else [("content-type", probe.content_type)]
        path, _, query = built.path.partition("?")
        if probe.path:
            path = probe.path.replace("{variant}", quote(name, safe=""))
            path = path.replace("{org_id}", self.organisation())
        return Request(
            built.method,
            path + probe.tail + (f"?{query}" if query else ""),
            (self.key(), *media, *probe.headers),
            probe.body,
            probe.chunks,
        )

    def complete(self, label: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return a body with an example of each member that the document requires and no sequence says itself."""
        needed = self._context.learned.example(label, self._needed)
        return {**body, **{name: value for name, value in needed.items() if name not in body}}

    def key(self, org: int = 0) -> tuple[str, str]:
        """Return a pair of the name and the value of the header with an organisation's key: 0 the first one, 1 the second."""
        return "x-arklow-auth", self._context.target.credentials[org].key

    def organisation(self, org: int = 0) -> str:
        """Return the id of an organisation: 0 the first one, 1 the second."""
        return self._context.target.credentials[org].org

    @property
    def two_organisations(self) -> bool:
        """Whether there is a key of a second organisation."""
        return len(self._context.target.credentials) > 1

    def _needed(self, label: str) -> dict[str, Any]:
        """Return name → example of the members that the document requires and no sequence says itself."""
        operation, resolve = self._context.operation(label), self._context.document.resolve
        if operation is None or operation.request_schema is None:
            return {}
        schema = resolve(operation.request_schema)
        parts = [schema, *(resolve(one["$ref"]) if "$ref" in one else one for one in schema.get("allOf", ()))]
        required = {name for part in parts for name in part.get("required", ())}
        example = example_of(schema, resolve)
        if not isinstance(example, dict):
            return {}
        wanted = required - _SAID.get(label, _SAID_BY_SIGNALS)
        return {name: example[name] for name in example if name in wanted}

    def _as_ours(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """Give work the payload that a declared variant takes, and the tag of the run."""
        if name in self._context.declared:
            body = {**body, "payload": self._context.declared[name]}
        tags = body.get("tags", {})
        if self._run_tag is None or not isinstance(tags, dict):
            return body
        return {**body, "tags": {**tags, TAG: self._run_tag}}


def in_chunks(request: Request) -> Request:
    """Return the same request, its body in chunks of seven bytes, so that members and escapes are cut in two."""
    return replace(request, chunks=(7,) * (len(request.body or b"") // 7))


__all__ = [
    "INGRESS",
    "JSON",
    "MODACK",
    "PUT",
    "TAG",
    "NotInDocument",
    "NotReached",
    "RequestBuilder",
    "answered",
    "in_chunks",
]
