"""What the judge may say: every rule with its severity and its source. `spec/rules.md` has the same table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Severity(StrEnum):
    """How much a broken rule weighs."""

    VIOLATION = "violation"
    """A published page, a documented behaviour or an RFC forbids what the deployment did."""
    WARNING = "warning"
    """Policy, or one of several interpretations; `--strict` makes it count."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One statement about a deployment, under a code that does not change."""

    code: str
    weight: Severity
    title: str
    """What holds, as a sentence without its full stop."""
    source: str
    """The page, documented behaviour (B…, C…, Q… of `spec/sources.md`) or RFC it comes from."""
    since: str = ""
    """The release that has brought it, if that is not the first."""

    @property
    def severity(self) -> Severity:
        """Its weight; in the release that has brought it no more than a warning, so that no gate closes by an update."""
        return Severity.WARNING if self.since == RELEASE else self.weight


PAGES: Final = {
    "S-ing": "POST /v1/ingress/{variant}",
    "S-mod": "POST /v1/modack",
    "S-def": "PUT /v1/orgs/{org_id}/actions/definitions",
}
"""Source that is a published page → its operation, with all that it refers to."""

RELEASE: Final = "0.1"
"""This one."""

_V, _W = Severity.VIOLATION, Severity.WARNING

RULES: Final[dict[str, Rule]] = {
    rule.code: rule
    for rule in (
        Rule(
            "AUTH-1",
            _V,
            "A good key is accepted where the page says a key may stand",
            "B001, B002, S-ing, S-mod",
        ),
        Rule("AUTH-3", _W, "A header that the page does not list opens nothing", "B004, S-def"),
        Rule("AUTH-4", _V, "A missing or wrong key is refused", "B005, S-ing, S-mod, S-def"),
        Rule("AUTH-6", _V, "A key of another organisation is refused", "B133, Q10"),
        Rule("AUTH-8", _W, "A 401 names its scheme in WWW-Authenticate", "RFC 9110 §11.6.1"),
        Rule("AUTH-9", _W, "On ingress a missing key is 401, whatever else is wrong", "B005"),
        Rule("AUTH-10", _W, "A good key opens, whatever the other header has", "B002"),
        Rule("JSON-5", _W, "A body announces application/json", "S-ing, S-mod, S-def, Q27"),
        Rule(
            "JSON-7",
            _V,
            "An answer announced as JSON is JSON: UTF-8, no byte order mark, no NaN",
            "RFC 8259 §8.1, §9",
        ),
        Rule("JSON-8", _W, "A body that is not JSON is refused", "RFC 8259 §9, B042"),
        Rule("JSON-9", _W, "Member names of an answer are unique", "RFC 8259 §4"),
        Rule("HTTP-1", _V, "A 405 lists the allowed methods in Allow", "RFC 9110 §15.5.6"),
        Rule("HTTP-5", _W, "A method that the page does not list is not served", "S-ing, S-mod, S-def"),
        Rule("HTTP-6", _W, "An answer comes within a second", "ours"),
        Rule("HTTP-7", _W, "A large body gets an answer", "Q28"),
        Rule("HTTP-8", _W, "OPTIONS names the method of the page in Allow", "RFC 9110 §9.3.7, §10.2.1"),
        Rule("HTTP-9", _V, "A plain request gets an answer", "S-ing, S-mod, S-def, RFC 9110 §15"),
        Rule("SAFE-1", _W, "No answer shows a key", "ours"),
        Rule("SAFE-2", _W, "No answer shows a stack trace", "ours"),
        Rule(
            "READ-1",
            _V,
            "An interpretation that was taken is kept",
            "C1, C4, C5, C6, C7, C16, Q2, Q3, Q5, Q6, Q7",
        ),
        Rule("READ-2", _W, "An interpretation is the one that was expected", "ours"),
        Rule(
            "RACE-1",
            _V,
            "What concurrent calls are answered fits some order of them",
            "B023, B035, B055, B120",
        ),
        Rule("ORG-1", _V, "A definition serves its own organisation alone", "B133, S-def"),
        Rule("PAGE-1", _V, "An ingress operation answers with a status its page lists", "S-ing, S-mod, B019"),
        Rule(
            "PAGE-2",
            _V,
            "An ingress refusal in the envelope has a status its page lists",
            "S-ing, S-mod, B019",
        ),
        Rule("PAGE-3", _V, "A control-plane success is 200", "S-def, B014"),
        Rule("PAGE-4", _V, "A documented answer has the media type of its page", "S-ing, S-mod, S-def"),
        Rule("PAGE-5", _V, "A documented answer has the shape of its page", "S-ing, S-mod, S-def"),
        Rule("PAGE-6", _V, "A timestamp is an RFC 3339 date-time", "B018, S-def"),
        Rule("PAGE-7", _W, "A value has the format its page names", "S-def"),
        Rule(
            "PAGE-8",
            _V,
            "A bad request is refused and a good one served: neither is a server error",
            "S-ing, S-mod, S-def",
        ),
        Rule("PAGE-9", _V, "A request that breaks its page is refused", "S-ing, S-mod, S-def"),
        Rule("PAGE-10", _W, "A request that only one interpretation allows is refused", "C1, C4, B031, B037"),
        Rule("PAGE-11", _V, "A request that keeps its page is served", "S-ing, S-mod"),
        Rule("PAGE-12", _W, "A request that breaks its page is refused as a bad request", "S-mod, B124"),
        Rule("PAGE-13", _W, "A control-plane refusal is the envelope", "B008, C17"),
        Rule(
            "PAGE-15",
            _W,
            "An ingress refusal with a status that its page does not list is the envelope",
            "B007",
        ),
        Rule("PAGE-14", _W, "A refusal names at least one error", "B007"),
        Rule(
            "PAGE-16",
            _W,
            "A request at the edge of its page is not refused as a bad request",
            "S-ing, S-mod, S-def, B051, B136",
        ),
        Rule("DEF-1", _W, "A definition can be put again", "Q5"),
        Rule("DEF-2", _V, "The first version is 1", "B054"),
        Rule("DEF-3", _W, "An update raises the version by one at most", "B055, Q5"),
        Rule("DEF-7", _W, "An alias belongs to one definition", "C5"),
        Rule("DEF-10", _V, "PUT answers with the definition that was put", "S-def"),
        Rule("DEF-11", _V, "A definition that was refused is not stored", "B005"),
        Rule("ING-1", _W, "An alias comes before a variant of the same name", "B038, C5"),
        Rule("ING-3", _V, "Without a version the current one is used", "B035"),
        Rule("ING-7", _V, "Every accepted POST is a new action", "B023"),
        Rule("ING-9", _V, "a_def_id is the definition and a_va its variant", "S-ing, B022"),
        Rule("ING-10", _V, "An accepted action is queued", "B021"),
        Rule("ING-11", _V, "An accepted action stays known", "B108, B120"),
        Rule("ING-12", _W, "An accepted action is known at once", "Q35"),
        Rule("ING-14", _W, "Under an alias a_va is the variant of the definition", "B022, C5"),
        Rule("ING-15", _W, "A variant is compared as the text that it is", "S-def, S-ing"),
        Rule("LEASE-3", _V, "Only the current attempt can be extended", "B120, B121"),
        Rule("LEASE-8", _V, "Whoever holds an attempt can extend it within its lease", "B120, B125"),
        Rule(
            "LEASE-6",
            _V,
            "An id that was never issued, or is another organisation's, is not extended",
            "B133",
        ),
        Rule("LEASE-7", _W, "An attempt that is not the current one is 409", "Q2"),
        Rule("LEASE-9", _W, "An id is compared as the text that it is", "B010"),
        Rule("LIFE-7", _V, "An attempt does not begin before the time that a nack asked for", "B129"),
        Rule("LIFE-9", _V, "An action that has ended takes no signal", "B110, B120, B127, B130, B134"),
        Rule("LIFE-11", _V, "A deferred action is not delivered again", "B141, B142"),
        Rule("LIFE-13", _V, "A deferred action is not given back by a nack", "B143, B144"),
    )
}
"""Code → rule."""

EXPLAINED_BY: Final[dict[str, frozenset[str]]] = {
    "AUTH-3": frozenset({"AUTH-4"}),
    "AUTH-6": frozenset({"AUTH-4"}),
    "AUTH-9": frozenset({"AUTH-4"}),
    "DEF-3": frozenset({"DEF-10", "ING-11"}),
    "DEF-11": frozenset({"ING-11"}),
    "ING-3": frozenset({"DEF-10", "DEF-11", "ING-7"}),
    "ING-9": frozenset({"DEF-10"}),
    "LEASE-7": frozenset({"ING-11"}),
    "PAGE-11": frozenset({"ING-11"}),
    "READ-1": frozenset({"DEF-10", "ING-3", "ING-7", "ING-11", "PAGE-5"}),
    "LEASE-9": frozenset({"LEASE-6"}),
    "LIFE-11": frozenset({"LIFE-9"}),
    "PAGE-16": frozenset({"PAGE-11", "PAGE-8"}),
    "PAGE-13": frozenset({"PAGE-4", "PAGE-5", "JSON-7"}),
    "RACE-1": frozenset(
        {"ING-3", "ING-7", "ING-9", "DEF-10", "LEASE-3", "LEASE-8", "LIFE-9", "READ-1", "PAGE-5"}
    ),
}
"""Rule → rules of which each, when broken, breaks it too: it then says nothing new."""

__all__ = ["EXPLAINED_BY", "PAGES", "RELEASE", "RULES", "Rule", "Severity"]
