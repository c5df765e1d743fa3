"""Answers to requests of Schemathesis are judged as those to our own: interference is no answer."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import requests
import schemathesis
from schemathesis.checks import CHECKS
from schemathesis.core.failures import FailureGroup

from contracts.openapi.document import PUBLISHED, load, with_only_server
from contracts.phases.api import Api
from contracts.phases.schemathesis_hooks import CHECK, Aim, installed
from contracts.transport.interference import LARGEST
from tests.contracts.runs import api_at
from tests.contracts.test_client import OK, recording

VARIANT = "contract.test.v1"


def put_by_schemathesis(api: Api) -> None:
    """Let Schemathesis put a definition, and the judge see the answer."""
    url = api.client.target.base_url
    schema = schemathesis.openapi.from_dict(with_only_server(load(PUBLISHED).content, url))
    case = schema["/v1/orgs/{org_id}/actions/definitions"]["PUT"].Case(
        path_parameters={"org_id": "1"},
        headers={"x-arklow-auth": "good-key-one"},
        body={"variant": VARIANT, "schema": {}},
        media_type="application/json",
    )
    with installed(Aim(api.client, api.judge, api.names.prefix)), suppress(requests.RequestException):
        check: Any = CHECKS.get_one(CHECK)
        case.call_and_validate(checks=[check], base_url=url)


def close(connection: socket.socket) -> None:
    pass


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (close, "connection cut off"),
        (OK.replace(b"200 OK", b"503 No"), "503"),
        (
            OK.replace(b": 2\r\n\r\n{}", b": %d\r\n\r\n{}" % (LARGEST + 1)) + b" " * (LARGEST - 1),
            "an answer of more than 8 MiB",
        ),
    ],
    ids=["cut off", "503", "too long"],
)
def test_an_answer_that_cannot_be_used_is_interference(
    answer: bytes | Callable[[socket.socket], None], why: str
) -> None:
    """It is not judged, and what it may have stored is open."""
    with recording(answer) as recorder:
        api = api_at(recorder.url)
        put_by_schemathesis(api)

    assert json.loads(recorder.got[0].partition(b"\r\n\r\n")[2])["variant"] == VARIANT
    assert api.client.interference == {why: 1}
    assert api.judge.ledger.all() == []
    assert api.model.possibly_defined == {("1", VARIANT), ("2", VARIANT)}


def test_an_answer_is_judged() -> None:
    """By the rules of the judge."""
    with recording(OK) as recorder:
        api = api_at(recorder.url)
        with pytest.raises(FailureGroup):
            put_by_schemathesis(api)

    assert api.judge.ledger.all()
