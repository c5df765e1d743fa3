"""What recorded traffic has lost breaks no rule, and what no server has answered is not judged."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contracts.checks.facts import derive_facts
from contracts.core.rules import Evidence
from contracts.recordings.losses import Loss, rules_left_open, rules_needing
from tests.contracts.archives import (
    INGRESS,
    PUT,
    REFUSED,
    TAKEN,
    Entry,
    answered,
    archive,
    changed,
    defined,
    judged,
    pairs,
    without,
    work,
)
from tests.contracts.runs import KEYS, check_context, exchange, titles_by_rule

LOST: dict[str, list[Entry]] = {
    "a key that no entry has": [without(work(), "request", "x-arklow-auth")],
    "a key that may have stood in the other header": [
        work(),
        without(work(), "request", "x-arklow-auth", "authorization"),
    ],
    "a key that is redacted": [
        changed(
            work(),
            "request",
            "headers",
            to=pairs(
                [
                    ("host", "h"),
                    ("x-arklow-auth", "***"),
                    ("authorization", "REDACTED"),
                    ("content-type", "application/json"),
                ]
            ),
        )
    ],
    "no headers at all": [
        work(),
        changed(changed(work(), "request", "headers", to=[]), "response", "headers", to=[]),
    ],
    "the body of a request": [changed(work(), "request", "postData")],
    "a body as parameters": [
        changed(work(), "request", "postData", to={"mimeType": "application/json", "params": [{"name": "a"}]})
    ],
    "half a body": [
        changed(work(), "request", "postData", to={"mimeType": "application/json", "text": '{"payload":{"or'})
    ],
    "half a body of no known length": [
        changed(
            changed(
                without(work(), "request", "content-length"),
                *("request", "postData"),
                to={"mimeType": "application/json", "text": '{"payload":{"or'},
            ),
            *("request", "bodySize"),
            to=-1,
        )
    ],
    "the text of an answer": [changed(work(), "response", "content", "text")],
    "an empty text of an answer": [changed(work(), "response", "content", "text", to="")],
    "half an answer": [changed(work(), "response", "content", "text", to='{"data":{"a_id"')],
    "half an answer of no known length": [
        changed(
            changed(without(work(), "response", "content-length"), "response", "content", "size", to=-1),
            *("response", "content", "text"),
            to='{"data":{"a_id"',
        )
    ],
    "an answer that is redacted": [answered(work(), TAKEN.replace(b'"30"', b'"***"'))],
    "an answer that was sniffed": [
        changed(
            without(work(), "response", "content-type"), "response", "content", "mimeType", to="text/plain"
        )
    ],
    "the body of a definition's answer, which says that it was refused (B009)": [
        changed(defined(b'{"data":null,"errors":[]}', b'{"variant":"v"}'), "response", "content", "text")
    ],
    "headers that a page does not see": [
        changed(
            answered(work(), REFUSED, 401),
            *("request", "headers"),
            to=pairs(
                [
                    ("host", "h"),
                    ("origin", "https://app"),
                    ("x-arklow-auth", "k"),
                    ("content-type", "application/json"),
                ]
            ),
        )
    ],
    "an organisation that is redacted": [defined(url="/v1/orgs/[redacted]/actions/definitions")],
    "a redirect to another host": [
        changed(work(), "response", to={"status": 302, "headers": pairs([("location", "https://login/x")])})
    ],
    "base64 that is none": [
        changed(work(), "response", "content", to={"size": 9, "encoding": "base64", "text": "???"})
    ],
}
"""What was lost → conforming traffic of which it was lost."""


@pytest.mark.parametrize("lost", LOST)
def test_what_was_lost_breaks_no_rule(lost: str) -> None:
    """Whether the judge is told the good key or not."""
    for credential in (KEYS[0], None):
        run = judged(archive(*LOST[lost]), credential)

        assert titles_by_rule(run) == {}
        assert run.exit_code in (0, 3)


NOT_JUDGED: dict[str, Callable[[Entry], Entry]] = {
    "no answer": lambda one: one | {"response": {"status": 0, "headers": [], "content": {}}},
    "no response": lambda one: one | {"response": None},
    "not modified": lambda one: answered(one, b"", 304),
    "a cache": lambda one: one | {"_fromCache": "disk"},
    "Firefox' cache": lambda one: one | {"cache": {"afterRequest": None}},
    "Safari's cache": lambda one: changed(one, "response", "_fetchType", to="Memory Cache"),
    "a service worker": lambda one: changed(one, "response", "_fetchedViaServiceWorker", to=True),
    "a test's own answer": lambda one: one | {"_wasFulfilled": True},
    "fault that was asked for": lambda one: one | {"_fault": "t1"},
    "a webhook": lambda one: one | {"_delivery": {"attempt": 0}},
    "a gateway": lambda one: answered(one, b"<h1>Bad Gateway", 502),
    "a limit": lambda one: answered(one, b"slow down", 429),
    "an upgrade to TLS": lambda one: changed(
        answered(one, b"", 307), "response", "statusText", to="Internal Redirect"
    ),
    "another path": lambda one: changed(one, "request", "url", to="http://target/assets/v1.js"),
    "no URL": lambda one: changed(one, "request", "url", to="data:,x"),
    "a broken URL": lambda one: changed(one, "request", "url", to="http://[/v1/modack"),
    "a preflight": lambda one: changed(
        changed(one, "request", "method", to="OPTIONS"),
        *("request", "headers"),
        to=pairs([("host", "h"), ("access-control-request-method", "POST")]),
    ),
}


@pytest.mark.parametrize("name", NOT_JUDGED)
def test_what_no_server_has_answered_is_not_judged(name: str) -> None:
    """It is counted, and proves nothing."""
    run = judged(archive(NOT_JUDGED[name](answered(work(), b'{"data":{}}'))))

    assert (titles_by_rule(run), run.exit_code, run.requests) == ({}, 3, 0)
    assert sum(run.interference.values()) == 1
    assert "No exchange with an operation of arklow.openapi.yaml could be judged: 1 entry" in str(
        run.inconclusive
    )


def left_open(loss: Loss, status: int, operation: str = INGRESS) -> dict[str, str]:
    """Return the rules that are left open for a refusal of which something was lost."""
    refused = exchange(operation, status, REFUSED, body=b'{"payload":1}')
    return rules_left_open(derive_facts(refused, check_context()), {loss})


@pytest.mark.parametrize(
    ("loss", "statuses"),
    [
        (Loss.BODY, {411, 413}),
        (Loss.SENT_MEDIA, {415}),
        (Loss.SENT_HEADERS, {402, 403, 405, 411, 413, 415, 422, 431} - {422}),
    ],
)
def test_a_cause_may_have_been_lost_with_what_a_status_is_about(loss: Loss, statuses: set[int]) -> None:
    """Of other statuses it cannot."""
    causes = rules_needing(Evidence.CAUSE)
    all_of_them = {400, 401, 402, 403, 404, 405, 409, 411, 413, 415, 422, 431}

    assert causes
    assert {status for status in all_of_them if causes <= left_open(loss, status).keys()} == statuses


def test_the_reason_is_the_loss_itself() -> None:
    """Each rule has the first one."""
    assert left_open(Loss.ANSWER, 400)["JSON-7"] == Loss.ANSWER.value
    assert "JSON-7" not in left_open(Loss.BODY, 400)
    foreign = derive_facts(exchange(INGRESS, 400, b"<html>", media="text/html"), check_context())
    assert rules_left_open(foreign, ()).keys() == rules_needing(Evidence.ENVELOPE) != set()
    assert left_open(Loss.ANSWER, 400, PUT).keys() >= rules_needing(Evidence.SERVICE)
    assert not rules_needing(Evidence.SERVICE) <= left_open(Loss.ANSWER, 400).keys()
