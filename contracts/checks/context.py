"""What single exchanges are judged by: the document, the target, and what a run has learned of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from arklow_local.formats.excerpts import one_line

from ..core.exchange import redact
from ..core.target import Target
from ..openapi.document import Document, Operation
from ..openapi.schemas import DocumentSchemas, satisfies
from .learned import Learned

_BYTES_PER_CHARACTER: Final = 50
"""Bytes of an answer that are looked at for each character shown: redacting and joining spaces make it shorter."""

_MARGIN: Final = 1_000
"""Characters at the end of what is looked at that are not shown: a key that was cut in two there is not found."""


@dataclass(frozen=True, slots=True)
class CheckContext:
    """What the exchanges of one run are judged by. Only `learned` changes while the run goes on."""

    document: Document
    schemas: DocumentSchemas
    target: Target
    prefix: str = ""
    """Begins every variant that this run makes."""
    declared: Mapping[str, Any] = field(default_factory=dict)
    """Variant that exists → a payload that it takes, as the user says."""
    learned: Learned = field(default_factory=Learned)

    def shown(self, text: str | bytes, limit: int = 120, clear: bytes = b"") -> str:
        """A text of the target in one line of at most `limit` characters, without keys.

        `clear` is the part of it that a finding is about.
        """
        if isinstance(text, str):
            return one_line(redact(text, self.target.secrets), limit)
        most = _BYTES_PER_CHARACTER * limit
        without = redact(text[:most].decode("utf-8", "replace"), self.target.secrets)
        return one_line(without if len(text) <= most else without[:-_MARGIN], limit)

    def value(self, text: str, place: str = "", limit: int = 80) -> str:
        """The value that a finding is about, in one line of at most `limit` characters, without keys.

        `place` is where it stands, as `data/queue_s`.
        """
        return self.shown(text, limit)

    def operation(self, label: str | None) -> Operation | None:
        """The document's operation of that label."""
        return self.document.operations.get(label) if label else None

    def path_of(self, url: str) -> str:
        """The path of a URL below the base URL that it begins with, without its query."""
        base = max(
            (one for one in (self.target.base_url, self.target.ingress_url) if url.startswith(f"{one}/")),
            key=len,
            default="",
        )
        return url[len(base) :].partition("?")[0]

    @staticmethod
    def fits(schema: Any, payload: Any) -> bool | None:
        """Whether a payload keeps the schema of a definition; None where that is open."""
        return satisfies(schema, payload)


__all__ = ["CheckContext"]
