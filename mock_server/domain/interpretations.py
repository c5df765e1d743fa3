"""Which answer the mock gives to each question that sources leave open or answer in two ways: one frozen value.

Each member is such a question. Its type lists the answers that the mock can give, in the judge's own words; its default is what
the mock does without an interpretations file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Step = Literal["version + 1", "same version"]
"""What an update does to the version of a definition."""
Sent = Literal["stored", "not stored"]
"""Whether the version that a PUT names is stored."""
Refusal = Literal["409", "404"]
"""The status of a refused signal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpretations:
    """One answer to each open question that the mock can answer in several ways."""

    ingress_body: Literal["envelope", "envelope, whole without payload", "whole body"] = "envelope"
    """C1, B026 to B028."""
    unnamed_members: Literal["ignored", "refused"] = "ignored"
    """Members of an ingress envelope that its page does not name (B044)."""
    payload_mismatch: Literal["refused", "accepted"] = "refused"
    """A payload that breaks the schema of its definition (C6, B039)."""

    unknown_variant: Literal["refused", "made on the fly"] = "refused"
    """Work of a variant without a definition (Q6)."""
    letter_case: Literal["is told apart", "is the same"] = "is told apart"
    """A variant in another case of its letters."""
    alias: Literal["reaches its definition", "is a variant of its own", "reaches nothing"] = (
        "reaches its definition"
    )
    """Work that is posted under an alias (B038, C5)."""
    alias_or_variant: Literal["the alias", "the variant"] = "the alias"
    """What a name reaches that is both (B038, C5)."""
    shown_variant: Literal["the variant", "the alias"] = "the variant"
    """`a_va` of work that was posted under an alias (B022, C5)."""
    unstored_version: Literal["the current one is used", "refused"] = "the current one is used"
    """Work that asserts a version that was never stored (C4, B037)."""
    older_version: Literal["used", "the current one is used", "refused"] = "used"
    """Work that asserts a version that is stored and not current (C4, B036)."""

    put_again: Literal["updated", "refused"] = "updated"
    """A PUT of a variant that has a definition (Q5)."""
    changed: Step = "version + 1"
    """An update with another schema (B055, C7, Q5)."""
    annotated: Step = "version + 1"
    """An update whose schema differs in annotations alone; "same version" treats it as an equal one."""
    equal: Step = "same version"
    """An update that changes nothing."""
    other_aliases: Step = "version + 1"
    """An update that changes the aliases alone."""
    changed_id: Literal["stays", "changes"] = "stays"
    """The id of a definition whose schema is changed (Q5)."""
    first_version: Sent = "stored"
    """An explicit version of a new definition (Q5)."""
    higher_version: Sent = "stored"
    """An explicit version above the current one."""
    lower_version: Literal["stored", "not stored", "refused"] = "stored"
    """An explicit version below the current one."""
    after_lower: Literal["the lower one is current", "the highest one is current"] = (
        "the lower one is current"
    )
    """What work without a version uses after a lower one was stored (Q5)."""
    omitted_aliases: Literal["kept", "removed"] = "kept"
    """The aliases after an update without an alias list."""
    updated_aliases: Literal["replace those before", "are added to those before"] = "replace those before"
    """The aliases of an update."""
    taken_alias: Literal["refused", "taken over"] = "refused"
    """An alias that another definition has (C5)."""

    second_ack: Literal["refused", "accepted"] = "refused"
    """A second ack of an attempt (Q3)."""
    nack_after_defer: Literal["refused", "accepted without effect"] = "refused"
    """A nack after custody was taken (Q7, B143)."""
    past_attempt: Refusal = "409"
    """A signal of an attempt that has ended (Q2)."""
    future_attempt: Refusal = "409"
    """A signal of an attempt that has not begun (Q2, Q4)."""
    leading_zeros: Literal["told apart", "overlooked"] = "told apart"
    """Zeros before the id of an action (B010)."""

    refusal: Literal["4xx", "200 with data null"] = "4xx"
    """How the control plane refuses (Q1, C17)."""
    foreign_path: Literal["403", "404", "401"] = "403"
    """The path of another organisation than the key's (Q10)."""


DEFAULTS: Final = Interpretations()
"""What the mock does without an interpretations file."""
