"""What the judge knows while it runs: the document, the keys, and what the target itself has shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from arklow_local.formats.excerpts import one_line

from ..core.exchange import redact
from ..core.target import Target
from ..openapi.document import Document, Operation
from ..openapi.schemas import Shapes, keeps


@dataclass(slots=True)
class CheckContext:
    """What a single exchange is judged by."""

    document: Document
    shapes: Shapes
    target: Target
    interpretations: dict[str, str] = field(default_factory=dict)
    """Open question → the interpretation that the deployment takes."""
    definitions: dict[str, str] = field(default_factory=dict)
    """Definition id → its organisation; those that this run made."""
    actions: dict[str, str] = field(default_factory=dict)
    """Action id → its organisation; those that this run made."""
    asked: set[str] = field(default_factory=set)
    """Operations that were called."""
    routed: set[str] = field(default_factory=set)
    """Operations that have answered anything but a router's 404: that of the others may come from a router."""
    not_offered: set[str] = field(default_factory=set)
    """Operations that the target does not have: of the guides, or such as it answers like a path that nobody has."""
    negative: set[str] = field(default_factory=set)
    """Ids and variants of definitions that have had a negative version: what that leads to is nobody's fault (C16)."""

    prefix: str = ""
    """Begins every variant that this run makes."""
    in_vain: set[int] = field(default_factory=set)
    """Refusals of fresh things that did not end within two seconds."""
    silent: set[str] = field(default_factory=set)
    """Operations of which a request was cut off, which was looked into."""
    declared: Mapping[str, Any] = field(default_factory=dict)
    """Variant that exists → a payload that it takes, as the user says."""
    puts_refused: bool = False
    """The key may not put definitions."""
    more: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Operation → an example of each member of its body that the document requires and today's pages do not."""
    variants: set[str] = field(default_factory=set)
    """Variants that this run has defined."""

    def shown(self, text: str | bytes, limit: int = 120) -> str:
        """A text of the target in one short line, without keys."""
        if isinstance(text, bytes):
            text = text[: 50 * limit].decode("utf-8", "replace")
        return one_line(redact(text, self.target.secrets), limit)

    def operation(self, label: str | None) -> Operation | None:
        """The document's operation of that label."""
        return self.document.operations.get(label) if label else None

    def note(self, question: str, answer: str) -> None:
        """Write down an interpretation that the deployment has shown, two of them side by side."""
        known = self.interpretations.get(question)
        if known is None:
            self.interpretations[question] = answer
        elif answer not in known.split(" or "):
            self.interpretations[question] = f"{known} or {answer}"

    def path_of(self, url: str) -> str:
        """The path of a URL below the base URL that it begins with."""
        base = max(
            (one for one in (self.target.base_url, self.target.ingress_url) if url.startswith(f"{one}/")),
            key=len,
            default="",
        )
        return url[len(base) :].partition("?")[0]

    @staticmethod
    def fits(schema: Any, payload: Any) -> bool | None:
        """Whether a payload keeps the schema of a definition; None where that is open."""
        return keeps(schema, payload)

    @property
    def envelopes(self) -> bool:
        """Whether an ingress body is known to be read as an envelope."""
        return self.interpretations.get("ingress body", "").startswith("envelope")


__all__ = ["CheckContext"]
