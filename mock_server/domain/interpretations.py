"""Which way is taken where sources are silent or contradict each other: one frozen value.

Each member is an open question, its type the answers that can be taken, in the judge's own words, and its default what
the mock does unless it is told otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Step = Literal["version + 1", "same version"]
Sent = Literal["stored", "not stored"]
"""What becomes of the version that a PUT names."""
Refusal = Literal["409", "404"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpretations:
    """One answer to each question that can be answered in more than one way here."""

    ingress_body: Literal["envelope", "envelope, whole without payload", "whole body"] = "envelope"
    """C1, B026 to B028."""
    unnamed_members: Literal["ignored", "refused"] = "ignored"
    """Members of an ingress envelope that its page does not name (B044)."""
    payload_mismatch: Literal["refused", "accepted"] = "refused"
    """A payload that breaks the schema of its definition (C6, B039)."""

    unknown_variant: Literal["refused", "made on the fly"] = "refused"
    """Q6."""
    letter_case: Literal["is told apart", "is the same"] = "is told apart"
    """A variant in another case of its letters."""
    alias: Literal["reaches its definition", "is a variant of its own", "reaches nothing"] = (
        "reaches its definition"
    )
    """B038, C5."""
    alias_or_variant: Literal["the alias", "the variant"] = "the alias"
    """What a name reaches that is both (B038, C5)."""
    shown_variant: Literal["the variant", "the alias"] = "the variant"
    """`a_va` of work that was posted under an alias (B022, C5)."""
    unstored_version: Literal["the current one is used", "refused"] = "the current one is used"
    """Work that asserts a version that was never stored (C4, B037)."""
    older_version: Literal["used", "the current one is used", "refused"] = "used"
    """Work that asserts a version that is stored and not current (C4, B036)."""

    put_again: Literal["updated", "refused"] = "updated"
    """A definition of a variant that has one (Q5)."""
    changed: Step = "version + 1"
    """An update with another schema (B055, C7, Q5)."""
    annotated: Step = "version + 1"
    """An update whose schema differs in what only describes; "same version" takes it for an equal one."""
    equal: Step = "same version"
    """An update that changes nothing."""
    other_aliases: Step = "version + 1"
    """An update with other aliases alone."""
    changed_id: Literal["stays", "changes"] = "stays"
    """The id of a definition that is given another schema (Q5)."""
    first_version: Sent = "stored"
    """An explicit version of a new definition (Q5)."""
    higher_version: Sent = "stored"
    lower_version: Literal["stored", "not stored", "refused"] = "stored"
    after_lower: Literal["the lower one is current", "the highest one is current"] = (
        "the lower one is current"
    )
    """What work without a version uses after a lower one was stored (Q5)."""
    omitted_aliases: Literal["kept", "removed"] = "kept"
    """An update without an alias list."""
    updated_aliases: Literal["replace those before", "are added to those before"] = "replace those before"
    taken_alias: Literal["refused", "taken over"] = "refused"
    """An alias that another definition has (C5)."""

    second_ack: Literal["refused", "accepted"] = "refused"
    """Q3."""
    nack_after_defer: Literal["refused", "accepted without effect"] = "refused"
    """Q7, B143."""
    past_attempt: Refusal = "409"
    """A signal of an attempt that is over (Q2)."""
    future_attempt: Refusal = "409"
    """A signal of an attempt that has not begun (Q2, Q4)."""
    leading_zeros: Literal["told apart", "overlooked"] = "told apart"
    """Noughts before the id of an action (B010)."""

    refusal: Literal["4xx", "200 with data null"] = "4xx"
    """What the control plane refuses (Q1, C17)."""
    foreign_path: Literal["403", "404", "401"] = "403"
    """The path of another organisation than the key's (Q10)."""


DEFAULTS: Final = Interpretations()
"""What the mock takes unless it is told otherwise."""
