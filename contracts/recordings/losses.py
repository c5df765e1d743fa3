"""What a recording may have lost, and which rules that leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from ..checks.context import CheckContext
from ..checks.facts import Facts
from ..core.rules import Evidence, codes_where
from ..core.target import Credential, Target
from .har import Entry, Loss

_NOBODY: Final = Credential("\ue000", "", "KEY")
"""Stands where no key is given: no header can have this one."""


_EVIDENCE: Final[Mapping[Loss, Evidence]] = {
    Loss.BODY: Evidence.REQUEST_BODY,
    Loss.BODY_LENGTH: Evidence.REQUEST_BYTES,
    Loss.SENT_HEADERS: Evidence.KEYS,
    Loss.SENT_MEDIA: Evidence.REQUEST_CONTENT,
    Loss.SENT_REDACTED: Evidence.REQUEST_CONTENT,
    Loss.ANSWER: Evidence.ANSWER_BODY,
    Loss.ANSWER_LENGTH: Evidence.ANSWER_BYTES,
    Loss.ANSWER_HEADERS: Evidence.ANSWER_HEADERS,
    Loss.ANSWER_MEDIA: Evidence.ANSWER_MEDIA_TYPE,
    Loss.ANSWER_REDACTED: Evidence.ANSWER_VALUES,
}
"""Loss → the evidence that is missing with it, whatever the exchange is."""


@cache
def rules_needing(evidence: Evidence) -> frozenset[str]:
    """Return the codes of the rules that cannot be judged from a recording without this evidence."""
    return codes_where(lambda rule: evidence in rule.recorded)


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
    facts: list[Facts] = field(default_factory=list)
    """Those of each entry's exchange."""
    kept: dict[str, set[str]] = field(default_factory=dict)
    """File → the headers for keys that it has kept, at least once, as they were sent."""
    served: dict[str, list[int]] = field(default_factory=dict)
    """Key → numbers of the entries, in the order of time, in which it was served."""


__all__ = ["rules_needing"]
