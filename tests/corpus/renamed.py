"""Texts that have other names now than in the stored data.

A rename that is meant to be seen from outside goes here, so that the stored data need not be recorded again. The three
tables are emptied when they are recorded again.
"""

from __future__ import annotations

from typing import Any, Final

from tests.corpus.steps import Answer, Headers, Plan, Request

Renames = tuple[tuple[str, str], ...]

RENAMED: Final[Renames] = (
    ("x-arklow-mock-trouble", "x-arklow-mock-fault"),
    ("UNKNOWN_TROUBLE", "UNKNOWN_FAULT"),
    ("TOO_MANY_TROUBLES", "TOO_MANY_FAULTS"),
    ("troubles", "faults"),
    ("trouble", "fault"),
    ("Trouble", "Fault"),
    ("--readings", "--interpretations"),
    ("furnish", "provision"),
)
"""(old text, new text): in requests before they are sent, and in answers before they are compared, in this order."""
RENAMED_IN_REQUESTS: Final[Renames] = ()
"""The same for requests alone."""
RENAMED_IN_ANSWERS: Final[Renames] = (
    ("Furnishing", "OrganisationSeed"),
    ("letGoOrganisations", "discardOrganisations"),
    ("a tenth of everything a second late", "a tenth of all answers a second late"),
    ("done, and never heard of", "work that is done, and its answer lost"),
)
"""The same for answers alone."""


def plan_now(plan: Plan, renames: Renames = RENAMED + RENAMED_IN_REQUESTS) -> Plan:
    """A plan of a world with renamed texts, such as those of its seed file."""
    settings: dict[str, Any] = {
        name: _text(value, renames) if isinstance(value, str) else value
        for name, value in plan.settings.items()
    }
    return plan._replace(settings=settings)


def request_now(request: Request, renames: Renames = RENAMED + RENAMED_IN_REQUESTS) -> Request:
    """A stored request as it is sent now."""
    body = _bytes(request.body, renames)
    headers = _headers(request.headers, renames, len(body) - len(request.body))
    return request._replace(target=_text(request.target, renames), headers=headers, body=body)


def answer_now(answer: Answer, renames: Renames = RENAMED + RENAMED_IN_ANSWERS) -> Answer:
    """A stored answer as it is expected now."""
    body = _bytes(answer.body, renames)
    headers = _headers(answer.headers, renames, len(body) - len(answer.body))
    return answer._replace(headers=headers, body=body)


def _headers(headers: Headers, renames: Renames, longer: int) -> Headers:
    """Renamed headers; the length of a body that has become longer is adjusted."""
    return tuple(
        (name, str(int(value) + longer))
        if longer and name == "content-length"
        else (_text(name, renames), _text(value, renames))
        for name, value in headers
    )


def _text(text: str, renames: Renames) -> str:
    for old, new in renames:
        text = text.replace(old, new)
    return text


def _bytes(text: bytes, renames: Renames) -> bytes:
    for old, new in renames:
        text = text.replace(old.encode(), new.encode())
    return text
