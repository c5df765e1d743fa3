"""Tells from its first answers what answers at a URL: an Arklow that takes the keys, or what else, in one sentence.

Sends nothing but one request to each URL that may have been meant, before it is suggested.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from ..checks.context import CheckContext
from ..core.exchange import Exchange, media_type
from ..phases.requests import JSON, MODACK, PUT
from ..transport.client import Client
from ..transport.interference import Interference
from ..transport.wire import Request

_NO_ROUTE: Final = frozenset({404, 405, 501})
"""Statuses with which a server answers on a path that it does not have."""
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_REFUSED: Final = frozenset({401, 403})
_DATA: Final = frozenset({"a_id", "a_def_id", "org_id", "status", "variant"})
"""Members of `data` that the three published pages promise: an answer with one of them is a sign of Arklow."""
_MOST_SUGGESTED: Final = 5
"""URLs that are tried at most before one of them is suggested: more parts than that are no slip."""


@dataclass(frozen=True, slots=True)
class FirstAnswers:
    """What a target has answered at first."""

    definition: Exchange
    """The answer to the definition of the first organisation."""
    ingress: tuple[Exchange, ...]
    """Answers to the first organisation below the ingress URL."""
    served: Exchange | None
    """An answer to work that was accepted."""
    other_organisations: tuple[Exchange, ...]
    """Answers to definitions of the other organisations."""

    @property
    def all(self) -> tuple[Exchange, ...]:
        """Every answer to the first organisation, the definition's first."""
        return self.definition, *self.ingress


class Recognition:
    """Says why a target cannot be judged."""

    def __init__(self, client: Client, context: CheckContext) -> None:
        self._client = client
        self._context = context
        self._target = client.target

    def why_not(self, first: FirstAnswers) -> str | None:
        """Return why the target cannot be judged, in one sentence; None when it can."""
        return (
            self._refuses_everything(first)
            or self._is_elsewhere(first)
            or self._is_no_arklow(first)
            or self._refuses_a_key(first)
        )

    # What answers

    def _refuses_everything(self, first: FirstAnswers) -> str | None:
        statuses = {answer.status for answer in first.all}
        if statuses <= _REFUSED:
            refused = f"every operation is answered with {first.definition.status}"
            if any(answer.has_envelope for answer in first.all):
                return f"The target refuses the key ${self._target.first.name}: {refused}."
            return (
                f"The target refuses the key ${self._target.first.name}: {refused}, {_form(first.definition)} and not in "
                "the envelope, as by a gate before it; --header gives it what it asks for."
            )
        if statuses <= _REDIRECTS:
            where = self._context.shown(first.definition.answer_header("location") or "nowhere")
            return (
                f"{self._target.base_url} redirects everything to {where}: give the URL that answers itself."
            )
        return None

    def _is_elsewhere(self, first: FirstAnswers) -> str | None:
        """Say that a URL has none of its operations, and which one may have been meant."""
        base, ingress = self._target.base_url, self._target.ingress_url
        defined, taken = not _is_missing([first.definition]), not self._has_no_ingress(first)
        if not taken and base == ingress:
            return self._nothing_here(first) if not defined else self._no_ingress(first)
        if not taken:
            return self._no_ingress(first)
        if not defined and base != ingress and (meant := self._meant(base, PUT)):
            return (
                f"No operation is at --base-url {base}: {PUT} is answered with {first.definition.status}; "
                f"did you mean {meant}?"
            )
        return None

    def _nothing_here(self, first: FirstAnswers) -> str:
        base = self._target.base_url
        if meant := self._meant(base, PUT):
            return f"No operation is at {base}; did you mean --base-url {meant}?"
        statuses = " or ".join(dict.fromkeys(str(answer.status) for answer in first.all))
        return f"None of the operations is at {base}: every one is answered with {statuses}."

    def _no_ingress(self, first: FirstAnswers) -> str:
        ingress, status = self._target.ingress_url, first.ingress[0].status
        here = f"No ingress operation is at {ingress}: work is answered with {status}"
        meant = self._meant(ingress, MODACK)
        return (
            f"{here}; did you mean --ingress-url {meant}?"
            if meant
            else f"{here}; --ingress-url says where it is."
        )

    def _has_no_ingress(self, first: FirstAnswers) -> bool:
        """Say whether nothing below the ingress URL is routed.

        Work and a modack of an unknown action may be refused with 404 by the application itself; a modack without members is
        refused with 400, or with 401, wherever there is one (B005, B042).
        """
        works = [one for one in first.ingress if one.path != "/v1/modack"]
        if not works or not _is_missing(first.ingress):
            return False
        answer = self._tried(self._target.ingress_url, MODACK)
        return answer is not None and _is_missing([answer])

    def _meant(self, given: str, label: str) -> str | None:
        """Return a URL at which an operation is, among those that may have been meant instead of the one given."""
        for url in self._candidates(given):
            answer = self._tried(url, label)
            if answer is not None and answer.has_envelope and not _is_missing([answer]):
                return url
        return None

    def _candidates(self, given: str) -> Iterator[str]:
        """Yield the shorter paths of a URL, the longest first, then the other URL of the target."""
        parts = urlsplit(given)
        segments = parts.path.strip("/").split("/") if parts.path.strip("/") else []
        shorter = [
            urlunsplit((parts.scheme, parts.netloc, "".join(f"/{one}" for one in segments[:count]), "", ""))
            for count in reversed(range(len(segments)))
        ]
        known = (self._target.base_url, self._target.ingress_url)
        yield from [url for url in (*shorter, *known) if url != given][:_MOST_SUGGESTED]

    def _tried(self, url: str, label: str) -> Exchange | None:
        """Send a request that changes nothing to an operation below a URL; None where no answer comes.

        Raises:
            TimeUp: the run has ended, or a budget is used up.
        """
        method, _, path = label.partition(" ")
        key = ("x-arklow-auth", self._target.first.key)
        request = Request(method, path.replace("{org_id}", self._target.first.org), (key, JSON), b"{}")
        try:
            return self._client.try_at(url, request)
        except Interference:
            return None

    def _is_no_arklow(self, first: FirstAnswers) -> str | None:
        """Say that nothing at a URL answers as an Arklow does, and how it answers instead."""
        groups: list[Sequence[Exchange]] = [first.all]
        if self._target.base_url != self._target.ingress_url:
            groups = [[first.definition], first.ingress]
        for answers, url in zip(groups, (self._target.base_url, self._target.ingress_url), strict=False):
            if answers and not any(map(_is_sign, answers)):
                one = answers[0]
                shown = self._context.shown(one.answer, 60) or "an empty body"
                return (
                    f"{url} is no Arklow: {one.operation} is answered with {one.status}, {_form(one)}: {shown}; "
                    "no answer is the envelope with data and errors."
                )
        return None

    # Keys

    def _refuses_a_key(self, first: FirstAnswers) -> str | None:
        """Say which key is refused for its own organisation; None when none is."""
        answers = (first.definition, *first.other_organisations)
        status = first.definition.status
        for credential, answer in zip(self._target.credentials, answers, strict=True):
            refused = f"The target refuses the key ${credential.name} for organisation {credential.org}: "
            refused += f"its definitions are answered with {answer.status}"
            if answer.status == 401:
                return f"{refused}."
            if answer is not first.definition and answer.status in (403, 404) and answer.status != status:
                return f"{refused}; --second-org says which organisation it belongs to."
            if (
                answer is first.definition
                and answer.status in (403, 404, 405, 501)
                and not self._context.declared
            ):
                return (
                    f"{refused}. It may be a key of another organisation, which --org names, or a key that may not put "
                    "definitions: then --variant declares what exists."
                )
        return None


def _is_missing(answers: Sequence[Exchange]) -> bool:
    """Say whether every one of these is what a server answers on a path that it does not have."""
    return all(answer.status in _NO_ROUTE for answer in answers)


def _is_sign(answer: Exchange) -> bool:
    """Say whether an answer is one of an Arklow: the whole envelope, or its data with a member that a page promises."""
    if answer.value() is None:
        return answer.has_envelope  # an envelope that is damaged
    return answer.is_whole_envelope or not _DATA.isdisjoint(answer.data())


def _form(answer: Exchange) -> str:
    return media_type(answer.answer_header("content-type")) or "without a content-type"


__all__ = ["FirstAnswers", "Recognition"]
