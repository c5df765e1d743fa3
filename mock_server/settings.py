"""How the mock is set up, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from .domain.interpretations import DEFAULTS, Interpretations

SPEC = Path(__file__).parent.parent / "spec"
PUBLISHED = SPEC / "arklow.openapi.yaml"
"""The published pages, nothing added."""
OVERLAID = SPEC / "arklow.overlaid.openapi.yaml"
"""The published pages with our overlays: what the mock promises."""
WRITTEN_FOR = (PUBLISHED, OVERLAID)
"""What the handlers were written for."""

SEED = SPEC / "seed.schema.json"
"""The JSON Schema of seed files."""
ADMIN = SPEC / "admin.openapi.yaml"
"""The mock's own admin plane."""


@dataclass(frozen=True, slots=True)
class Admin:
    """Who may call the admin plane."""

    token: str
    """What `Authorization: Bearer` has to carry."""
    names: frozenset[str] = frozenset()
    """Names of this machine that a `Host` header may have, beside localhost and the addresses listened on."""
    origins: frozenset[str] = frozenset()
    """Origins whose pages may call it from a browser."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a caller may choose. The command line's flags have the same names."""

    document: Path = OVERLAID
    """A document, or a directory of pages as `--spec-dir` takes it."""
    keys: Mapping[str, str] = field(default_factory=lambda: {"dev-key": "1"})
    """API key → organisation, beside the keys that name their organisation themselves."""
    auto_define: bool = False
    """An unknown variant gets an open definition instead of a 400."""
    raw_bodies: bool = False
    """A body without a `payload` member is the payload (the guides' interpretation, C1)."""
    interpretations: Interpretations = DEFAULTS
    """Which answers are taken where sources are silent or contradict each other."""
    strict_schemas: bool = False
    """Refuse a definition whose schema cannot be enforced."""
    max_body: int = 10 << 20
    """Bytes a request body may have."""
    body_timeout: float = 10.0
    """Seconds a request body may take to arrive."""
    max_actions: int = 100_000
    """Actions kept over all organisations; the one that keeps most loses its oldest."""
    max_payload_bytes: int = 512 << 20
    """Bytes of payloads, metadata and tags kept over all organisations."""
    journal: int = 2_000
    """Entries that the journal of each organisation keeps; what happened to one action at one moment is one."""
    seed: int = 0
    """What ids and back-offs are made from, beside the organisation."""
    deliver_to: frozenset[str] = frozenset()
    """Hosts beyond this machine whose webhooks may be called."""
    delivery_limit: float = 5.0
    """Seconds that a webhook has for its whole answer, by the machine's clock."""
    seed_file: Path | None = None
    """What organisations begin with; read again when it changes."""

    @property
    def taken(self) -> Interpretations:
        """The interpretations, with those two that have a switch of their own."""
        taken = self.interpretations
        if self.auto_define:
            taken = replace(taken, unknown_variant="made on the fly")
        if self.raw_bodies:
            taken = replace(taken, ingress_body="envelope, whole without payload")
        return taken
