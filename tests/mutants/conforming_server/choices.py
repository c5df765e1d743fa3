"""The lawful choices of a server: what it may do where the pages are silent or contradict one another.

A module of its own, since a choice is a value that conforming variants, mutants and benchmarks name without a server.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Operation = Literal["put", "ingress", "modack", "ack", "nack", "defer", "records", "record", "none"]
"""One of the server's operations; `none` for requests that no route takes."""


@dataclass(frozen=True)
class Choices:
    """The interpretations that one server takes; the first value of each is the default."""

    unknown_variant: Literal["refuse", "create"] = "refuse"
    """Work for a variant without a definition is 400, or defines it with an open schema (Q6)."""
    bad_version: Literal["latest", "refuse"] = "latest"
    """A version that is not stored falls back to the current one, or is 400 (C4)."""
    body: Literal["envelope", "raw-without-payload", "raw"] = "envelope"
    """A body without payload is 400, or is the payload; or every body is the payload (C1)."""
    upsert: Literal["bump", "always-bump", "keep"] = "bump"
    """A changed PUT adds one to the version; every PUT does; or only a version that is sent counts (Q5)."""
    alias: Literal["refuse", "steal"] = "refuse"
    """An alias of another definition is 409, or goes to the definition that asked last (C5)."""
    alias_first: bool = True
    """An alias outranks a variant of the same name, or gives way to it (C5)."""
    a_va: Literal["variant", "as-asked"] = "variant"
    """Under an alias the answer names the definition's variant, or the alias."""
    extend_from: Literal["now", "deadline"] = "now"
    """Seconds of mod_ack count from now, or from the deadline that stands (Q8)."""
    delivery: Literal["at-once", "never"] = "at-once"
    """A built-in worker holds each action at once for 60 s, or no worker ever does (Q24)."""
    control_refusals: Literal["4xx", "422", "200-null"] = "4xx"
    """PUT refuses with 400 and its like, with 422 for 400, or with 200 and null data (Q1)."""
    negative_version: Literal["refuse", "accept"] = "refuse"
    """A negative version on PUT is refused, or stored and answered (C16)."""
    extra_members: bool = False
    """Answers have members that the document does not name."""
    html_404: bool = False
    """Paths that are not routed get a page instead of JSON."""
    enforce_schema: bool = True
    """A payload that breaks its definition's schema is 400 (C6)."""
    ids: Literal["snowflake", "small", "long"] = "snowflake"
    """Ids have 19 digits, or count from 1, or have 25 digits in no order (Q11)."""
    www_authenticate: bool = True
    """A 401 says which scheme is asked for (RFC 9110 11.6.1)."""
    stale: Literal[409, 404] = 409
    """The status for an attempt that is not the current one (Q2)."""
    foreign_org: Literal[403, 404] = 403
    """The status of PUT on another organisation's path (Q10)."""
    destinations: bool = False
    """Definitions have one linked destination."""
    operations: Literal["three", "all"] = "three"
    """Only the published operations, or ack, nack, defer and the records as well."""
    second_ack: Literal["refuse", "ok"] = "refuse"
    """An ack of the attempt that was acked is 409, or 200 and nothing more (Q3)."""
    nack_after_defer: Literal["refuse", "ignore"] = "refuse"
    """A nack of deferred work is 409, or 200 and nothing more (Q7)."""
    update_id: Literal["stays", "changes"] = "stays"
    """A definition keeps its id, or a PUT that changes it gives it another one (Q5)."""
    lower_version: Literal["stored", "refused", "ignored"] = "stored"
    """A PUT with a version below the current one sets it, is 409, or counts as one without (Q5)."""
    omitted_alias: Literal["kept", "emptied"] = "kept"
    """A PUT without alias leaves the aliases, or takes them away."""
    extra_request_members: Literal["ignored", "refused"] = "ignored"
    """Members that the document does not name have no effect, or are 400 (B044)."""
    first_delivery: float = 0.0
    """Seconds until attempt 0 is delivered; before that every attempt is 409 (Q4)."""
    bad_schema: Literal["stored", "refused"] = "stored"
    """An object that is no JSON Schema is stored and never applied, or is refused on PUT (Q19)."""
    chunked_answers: bool = False
    """Answers are chunked instead of having a length."""
    key_order: bool = False
    """Members come in another order, one on each line."""
    error_texts: Literal["english", "german"] = "english"
    """Refusals have English codes and messages, or German ones (Q9)."""


DEFAULT_CHOICES = Choices()

__all__ = ["DEFAULT_CHOICES", "Choices", "Operation"]
