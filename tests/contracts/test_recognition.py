"""What a target is that is no Arklow, or that is elsewhere: one sentence, exit code 3, and no violation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import pytest
from werkzeug import Response

from contracts import RunFinished, Target
from tests.clocks import VirtualClock
from tests.contracts.asgi import KEYS as KEYS_OF_THE_MOCK
from tests.contracts.asgi import judged_on
from tests.contracts.disturbed import disturbed
from tests.contracts.runs import KEYS, URL, judged_in_process
from tests.mutants import Choices, ConformingServer
from tests.mutants.foreign import PAGE, always, message, page
from tests.mutants.interferences import Arrival, Interference
from tests.still_mock import StillMock

GRAPHQL = Response(
    '{"errors":[{"message":"Must provide query string."}]}', 400, content_type="application/json"
)


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (page(), f"200, text/html: {PAGE[:59]}"),
        (page(201), "201, text/html"),
        (page(500), "500, text/html"),
        (message(200), '200, application/json: {"message": "try again"}'),
        (Response('{"status":"ok"}', 200, content_type="application/json"), '{"status":"ok"}'),
        (Response('["ok"]', 200, content_type="application/json"), '["ok"]'),
        (Response("", 200), "an empty body"),
        (Response("OK", 200, content_type="text/plain"), "200, text/plain: OK"),
        (GRAPHQL, "Must provide query string"),
    ],
    ids=["page", "page 201", "page 500", "message", "status", "list", "empty", "text", "GraphQL"],
)
def test_what_answers_everything_alike_without_the_envelope_is_no_arklow(
    answer: Response, shown: str
) -> None:
    """A single-page app, a login page, a health check: what came is shown, and nothing is a violation."""
    run, interference = disturbed(lambda clock: always(clock, lambda _: answer))

    assert (run.exit_code, run.violations, run.warnings) == (3, (), ())
    assert (run.inconclusive or "").startswith(
        f"{URL} is no Arklow: PUT /v1/orgs/{{org_id}}/actions/definitions"
    )
    assert shown in (run.inconclusive or "")
    assert len(interference.requests) <= 16


@pytest.mark.parametrize("status", [401, 403])
def test_a_gate_that_refuses_everything_in_its_own_words_is_told_from_a_refused_key(status: int) -> None:
    run, _ = disturbed(lambda clock: always(clock, lambda _: page(status)))

    assert run.exit_code == 3
    assert f"answered with {status}, text/html and not in the envelope" in (run.inconclusive or "")
    assert "--header" in (run.inconclusive or "")


@pytest.mark.parametrize("route", ["PUT /v1/orgs/", "POST /v1/modack", "POST /v1/ingress/"])
def test_an_arklow_with_one_operation_that_answers_a_page_is_judged(route: str) -> None:
    """Its two others have the envelope."""

    def broken(arrival: Arrival) -> Response | None:
        return page() if arrival.route.startswith(route) else None

    run, _ = disturbed(lambda clock: always(clock, broken), "PAGE-4")

    assert (run.exit_code, [one.rule for one in run.violations]) == (1, ["PAGE-4"])


def judged_at(base: str, ingress: str | None = None, **members: Any) -> RunFinished:
    """Judge a healthy mock by URLs that may be wrong."""
    with StillMock() as mock:
        return judged_on(
            mock, target=Target(base, ingress or base, *KEYS_OF_THE_MOCK), max_time=5.0, **members
        )


MOCK = "http://localhost:3123"


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/ingress", "/api", "/v1/orgs/41/actions/definitions", "/v1/modack"]
)
def test_a_base_URL_with_a_part_of_the_path_is_told_with_the_one_that_was_meant(path: str) -> None:
    """It was tried before it is suggested."""
    run = judged_at(f"{MOCK}{path}")

    assert run.inconclusive == f"No operation is at {MOCK}{path}; did you mean --base-url {MOCK}?"
    assert (run.exit_code, run.violations) == (3, ())


@pytest.mark.parametrize("path", ["/v1", "/v1/ingress", "/in"])
def test_a_wrong_ingress_URL_is_told_with_the_one_that_was_meant(path: str) -> None:
    run = judged_at(MOCK, f"{MOCK}{path}")

    assert run.inconclusive == (
        f"No ingress operation is at {MOCK}{path}: work is answered with 404; did you mean --ingress-url {MOCK}?"
    )
    assert (run.exit_code, run.violations) == (3, ())


def test_a_wrong_base_URL_beside_a_good_ingress_URL_is_told() -> None:
    run = judged_at(f"{MOCK}/v1", MOCK)

    assert "No operation is at --base-url" in (run.inconclusive or "")
    assert (run.inconclusive or "").endswith(f"did you mean {MOCK}?")
    assert (run.exit_code, run.violations) == (3, ())


def mounted(prefix: str) -> Callable[[VirtualClock], ConformingServer]:
    """Make a conforming server below a path; everything else is its own 404."""

    class Mounted(ConformingServer):
        def __call__(self, environ, start_response):  # type: ignore[no-untyped-def]
            path = environ["PATH_INFO"]
            environ["PATH_INFO"] = path.removeprefix(prefix) if path.startswith(prefix) else f"/nowhere{path}"
            return super().__call__(environ, start_response)

    return lambda clock: Mounted(clock=clock)


@pytest.mark.parametrize(("given", "meant"), [("/arklow/v1", "/arklow"), ("/arklow/v1/ingress", "/arklow")])
def test_a_path_that_a_deployment_has_stays_in_what_is_suggested(given: str, meant: str) -> None:
    target = Target(f"{URL}{given}", f"{URL}{given}", *KEYS)
    run = judged_in_process(mounted("/arklow"), target=target)

    assert run.inconclusive == f"No operation is at {URL}{given}; did you mean --base-url {URL}{meant}?"


def test_a_path_that_is_missing_cannot_be_guessed() -> None:
    run = judged_in_process(mounted("/arklow"))

    assert run.inconclusive == f"None of the operations is at {URL}: every one is answered with 404."
    assert (run.exit_code, run.violations) == (3, ())


def test_an_ingress_URL_that_leads_to_a_page_is_told() -> None:
    """The control plane is an Arklow, and the other URL a single-page app."""

    def elsewhere(arrival: Arrival) -> Response | None:
        return page() if arrival.path.startswith("/app/") else None

    target = Target(URL, f"{URL}/app", *KEYS)
    run, _ = disturbed(lambda clock: always(clock, elsewhere), target=target)

    assert (run.inconclusive or "").startswith(
        f"{URL}/app is no Arklow: POST /v1/ingress/{{variant}} is answered with 200"
    )
    assert (run.exit_code, run.violations) == (3, ())


@pytest.mark.parametrize("foreign", [403, 404])
def test_a_key_of_another_organisation_is_told_before_anything_is_judged(foreign: Literal[403, 404]) -> None:
    """With ten requests, and not with nine hundred."""
    first = replace(KEYS[0], org="3")
    run = judged_in_process(
        lambda clock: ConformingServer(Choices(foreign_org=foreign), clock=clock),
        target=Target(URL, URL, first),
    )

    assert run.inconclusive == (
        "The target refuses the key $ARKLOW_API_KEY for organisation 3: its definitions are answered with "
        f"{foreign}. It may be a key of another organisation, which --org names, or a key that may not put definitions: "
        "then --variant declares what exists."
    )
    assert (run.exit_code, run.violations) == (3, ())
    assert run.requests <= 10


@pytest.mark.parametrize("foreign", [403, 404])
def test_a_second_key_of_another_organisation_is_told(foreign: Literal[403, 404]) -> None:
    second = replace(KEYS[1], org="3")
    run = judged_in_process(
        lambda clock: ConformingServer(Choices(foreign_org=foreign), clock=clock),
        target=Target(URL, URL, KEYS[0], second),
    )

    assert (run.exit_code, run.violations) == (3, ())
    assert "refuses the key $ARKLOW_SECOND_API_KEY for organisation 3" in (run.inconclusive or "")
    assert "--second-org" in (run.inconclusive or "")


def test_an_end_by_time_names_the_flag_that_gives_more() -> None:
    run, _ = disturbed(Interference, latency=0.25, max_time=3.0)

    assert "the time was up; --max-time gives more" in run.not_verified.values()


def test_a_definition_whose_answer_cannot_be_read_is_told_as_such() -> None:
    """It is answered with 200, which says nothing of the reason."""
    damaged = Response(b'{"data": {"id": "1", NaN', 200, content_type="application/json")

    def broken(arrival: Arrival) -> Response | None:
        return damaged if arrival.method == "PUT" else None

    run, _ = disturbed(lambda clock: always(clock, broken), max_time=3.0)

    assert any("a body that cannot be read" in why for why in run.not_verified.values())
    assert not any(why.endswith("is answered with 200") for why in run.not_verified.values())
