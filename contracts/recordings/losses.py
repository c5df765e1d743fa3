"""What a recording may have lost, and which rules that leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ..checks.context import CheckContext
from ..core.target import Credential, Target
from .har import Entry, Loss

_NOBODY: Final = Credential("\ue000", "", "KEY")
"""Stands where no key is given: no header can have this one."""


_ON_ANSWERS: Final = frozenset(
    {
        *("PAGE-2", "PAGE-4", "PAGE-5", "PAGE-6", "PAGE-7", "PAGE-13", "PAGE-14", "PAGE-15"),
        *("JSON-7", "JSON-9", "SAFE-1", "SAFE-2"),
    }
)
"""Rules on what an answer says."""


_ON_BODIES: Final = frozenset({"PAGE-9", "PAGE-10", "PAGE-12", "JSON-8"})
"""Rules on what was taken."""


_ON_KEYS: Final = frozenset({"AUTH-1", "AUTH-3", "AUTH-4", "AUTH-6", "AUTH-9", "AUTH-10"})
"""Rules on which keys were shown, and which were not."""


_ON_SERVICE: Final = frozenset({*_ON_BODIES, "JSON-5", "AUTH-3", "AUTH-4", "AUTH-6"})
"""Rules on what was served: of the control plane only its body tells that (B009)."""


_ON_VALUES: Final = frozenset({"PAGE-5", "PAGE-6", "PAGE-7", "PAGE-14"})


_ON_STATUS: Final = frozenset({"PAGE-2", "PAGE-13", "PAGE-15"})
"""Rules on refusals, for which HTTP may have a reason that the headers tell."""


_ABSENT: Final = frozenset({"AUTH-8", "HTTP-1", "HTTP-8"})
"""Rules that a header which is not there breaks."""


_LOST: Final[Mapping[Loss, frozenset[str]]] = {
    Loss.BODY: _ON_BODIES,
    Loss.BODY_LENGTH: frozenset({"JSON-8"}),
    Loss.SENT_HEADERS: _ON_KEYS,
    Loss.SENT_MEDIA: _ON_BODIES | {"JSON-5"},
    Loss.SENT_REDACTED: _ON_BODIES | {"JSON-5"},
    Loss.ANSWER: _ON_ANSWERS - {"PAGE-4"},
    Loss.ANSWER_LENGTH: frozenset({"JSON-7"}),
    Loss.ANSWER_HEADERS: _ABSENT,
    Loss.ANSWER_MEDIA: _ON_ANSWERS,
    Loss.ANSWER_REDACTED: _ON_VALUES,
}
"""Loss → the rules that cannot be told without it, whatever the exchange is."""


@dataclass(frozen=True, slots=True)
class _Seen(Target):
    """A deployment of which a recording shows keys."""

    hidden: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Every secret of the recording → what stands for it."""
    served: tuple[Credential, ...] = ()
    """Keys that it has served, whosever they are."""

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """The one that was given, and those that it has served."""
        return (self.first, *self.served)

    @property
    def secrets(self) -> Mapping[str, str]:
        """What is not to be shown."""
        return self.hidden


@dataclass(slots=True)
class _Place:
    """What was recorded of one base URL, which is judged for itself: another one may be another deployment."""

    base: str
    known: CheckContext
    echoes: CheckContext
    """The same, but that the keys are those that the recording shows to be served."""
    entries: list[Entry] = field(default_factory=list)
    kept: dict[str, set[str]] = field(default_factory=dict)
    """File → the headers for keys that it has kept, at least once, as they were sent."""
    served: dict[str, list[int]] = field(default_factory=dict)
    """Key → numbers of the entries, in the order of time, in which it was served."""


_OF_ONE: Final = frozenset(
    {
        *(_ON_ANSWERS | _ON_SERVICE | _ON_KEYS | _ABSENT),
        *("PAGE-1", "PAGE-3", "PAGE-8", "HTTP-5"),
    }
)
"""Rules that one exchange can tell."""


__all__ = []
