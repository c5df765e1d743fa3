"""What a run learns of its target while it goes on, apart from what the reference model follows.

A module of its own, as all of it changes during a run, and nothing else that checks are handed does. The judge of a run
owns it; sequences write to it through its methods alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Learned:
    """What one run has learned of its target so far."""

    interpretations: dict[str, str] = field(default_factory=dict)
    """Open question → the interpretation that the target takes; two of them are joined by ` or `."""
    definitions: dict[str, str] = field(default_factory=dict)
    """Definition id → its organisation; those that this run made."""
    actions: dict[str, str] = field(default_factory=dict)
    """Action id → its organisation; those that this run made."""
    variants: dict[str, None] = field(default_factory=dict)
    """Variants that this run has defined, in the order in which they were put last."""
    negative_versions: dict[str, None] = field(default_factory=dict)
    """Ids and variants of definitions that have had a negative version: what that leads to is held against no target
    (C16)."""
    asked: set[str] = field(default_factory=set)
    """Operations that were called."""
    routed: set[str] = field(default_factory=set)
    """Operations that have answered anything but a router's 404: that of the others may come from a router."""
    not_offered: set[str] = field(default_factory=set)
    """Operations that the target does not have: of the guides, or such as it answers like a path that does not exist."""
    silent: set[str] = field(default_factory=set)
    """Operations of which a request was cut off, and that were looked into."""
    lasting_refusals: set[int] = field(default_factory=set)
    """Statuses with which something fresh was refused for longer than two seconds."""
    puts_refused: bool = False
    """The key may not put definitions."""
    _examples: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def takes_envelopes(self) -> bool:
        """Whether an ingress body is known to be taken as an envelope."""
        return self.interpretations.get("ingress body", "").startswith("envelope")

    def note(self, question: str, answer: str) -> None:
        """Write down an interpretation that the target has shown, beside a different one if there is one."""
        before = self.interpretations.get(question)
        if before is None:
            self.interpretations[question] = answer
        elif answer not in before.split(" or "):
            self.interpretations[question] = f"{before} or {answer}"

    def unlearn(self, question: str) -> None:
        """Forget the interpretation of a question."""
        self.interpretations.pop(question, None)

    def note_call(self, label: str, *, routed: bool) -> None:
        """Write down that an operation was called, and whether more than a router has answered."""
        self.asked.add(label)
        if routed:
            self.note_routed(label)

    def note_routed(self, *labels: str) -> None:
        """Write down that the target has these operations."""
        self.routed.update(labels)

    def note_not_offered(self, label: str) -> None:
        """Write down that the target does not have an operation."""
        self.not_offered.add(label)

    def note_variant(self, variant: str) -> None:
        """Write down that this run has defined a variant."""
        self.variants.pop(variant, None)
        self.variants[variant] = None

    def note_definition(self, identity: str, organisation: str) -> None:
        """Write down the id of a definition that this run has put."""
        self.definitions[identity] = organisation

    def note_action(self, identity: str, organisation: str) -> None:
        """Write down the id of an action that this run has created."""
        self.actions[identity] = organisation

    def note_negative_version(self, identity: str, variant: str) -> None:
        """Write down that a definition has had a negative version."""
        self.negative_versions |= dict.fromkeys((identity, variant))

    def note_lasting_refusal(self, status: int) -> None:
        """Write down a status with which something fresh was refused for longer than two seconds."""
        self.lasting_refusals.add(status)

    def note_silent(self, label: str) -> None:
        """Write down that it is being looked into why a request to an operation was cut off."""
        self.silent.add(label)

    def discard_silent(self, label: str) -> None:
        """Take back `note_silent`, as interference came between: the next silence is looked into again."""
        self.silent.discard(label)

    def note_puts_refused(self, refused: bool) -> None:
        """Write down whether the key may not put definitions."""
        self.puts_refused = refused

    def trim(self, most: int) -> None:
        """Keep only the latest actions, definitions and names, `most` of each."""
        known: list[dict[str, Any]] = [self.actions, self.definitions, self.variants, self.negative_versions]
        for one in known:
            for name in list(one)[:-most]:
                del one[name]

    def example(self, label: str, make: Callable[[str], Mapping[str, Any]]) -> Mapping[str, Any]:
        """Return the members that bodies of an operation need beside those of today's pages: name → value.

        They are made once in a run by `make`.
        """
        if label not in self._examples:
            self._examples[label] = make(label)
        return self._examples[label]

    def resume(self, interpretations: Mapping[str, str] | Iterable[tuple[str, str]]) -> None:
        """Begin with the interpretations of an earlier part of the run."""
        self.interpretations.update(interpretations)


__all__ = ["Learned"]
