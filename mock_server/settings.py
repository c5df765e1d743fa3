"""What a caller may choose, as frozen values, and where the files of `spec/` are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from .domain.interpretations import DEFAULTS, Interpretations

SPEC = Path(__file__).parent.parent / "spec"
PUBLISHED = SPEC / "arklow.openapi.yaml"
"""The published pages, nothing added."""
OVERLAID = SPEC / "arklow.overlaid.openapi.yaml"
"""The published pages with our overlays: what the mock serves unless asked otherwise."""
WRITTEN_FOR = (PUBLISHED, OVERLAID)
"""The documents that the handlers were written for; under any other, their answers are completed."""

SEED = SPEC / "seed.schema.json"
"""The JSON Schema of seed files."""
ADMIN = SPEC / "admin.openapi.yaml"
"""The document of the admin plane."""


@dataclass(frozen=True, slots=True)
class AdminSettings:
    """Who may call the admin plane."""

    token: str
    """The value behind `Authorization: Bearer`."""
    names: frozenset[str] = frozenset()
    """Further names of this machine for the `Host` header, beside localhost and the addresses listened on."""
    origins: frozenset[str] = frozenset()
    """Origins of web pages that may call it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How one mock behaves. The flags of the command have the same names."""

    document: Path = OVERLAID
    """A document, or a directory of pages as `--spec-dir` takes it."""
    keys: Mapping[str, str] = field(default_factory=lambda: {"dev-key": "1"})
    """API key → organisation, beside the keys that name their organisation themselves, such as `org-42`."""
    auto_define: bool = False
    """Whether an unknown variant gets an open definition instead of a 400."""
    raw_bodies: bool = False
    """Whether a body without a `payload` member is the payload, as the guides have it (C1)."""
    interpretations: Interpretations = DEFAULTS
    """What is assumed where the sources are silent or contradict each other."""
    strict_schemas: bool = False
    """Whether a definition whose schema cannot be enforced is refused."""
    max_body: int = 10 << 20
    """Bytes of a request body at most."""
    body_timeout: float = 10.0
    """Seconds in which a request body has to arrive."""
    max_actions: int = 100_000
    """Actions kept over all organisations; beyond that, the organisation that keeps most loses its oldest."""
    max_payload_bytes: int = 512 << 20
    """Bytes of payloads, metadata and tags kept over all organisations."""
    journal: int = 2_000
    """Entries kept in the journal of each organisation; all events of one action at one moment count as one."""
    seed: int = 0
    """The number that ids and back-offs are made from, together with the organisation's id."""
    deliver_to: frozenset[str] = frozenset()
    """Hosts whose webhooks may be called beside those of this machine."""
    delivery_limit: float = 5.0
    """Seconds of the machine's clock for the whole answer of a webhook."""
    seed_file: Path | None = None
    """The file of what organisations begin with; it is read again when it changes."""

    @property
    def effective_interpretations(self) -> Interpretations:
        """The interpretations, with the two that have a switch of their own as the switches say."""
        effective = self.interpretations
        if self.auto_define:
            effective = replace(effective, unknown_variant="made on the fly")
        if self.raw_bodies:
            effective = replace(effective, ingress_body="envelope, whole without payload")
        return effective
