"""Who may call: the name of the machine, the origin of the page, the token; and what HTTP asks of every server."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from mock_server.adapters.webhook_client import WebhookClient
from mock_server.admin.access import Access
from mock_server.api.errors import Refused
from mock_server.domain.ports import Organisation
from mock_server.services.administration import Administration
from mock_server.services.deliveries import Deliveries
from mock_server.services.timers import Timers
from mock_server.settings import AdminSettings
from tests.admin.desk import (
    BEARER,
    TOKEN,
    Desk,
    document,
)

PAGE = "https://tests.example"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        TOKEN,
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Basic {TOKEN}",
        "Bearer \xe9",
        "Bearer " + "x" * 10_000,
    ],
)
def test_without_the_token_nothing_is_told(desk: Desk, authorization: str) -> None:
    """A caller without it does not even learn whether a path exists."""
    for method, path in (("GET", "42"), ("POST", "42/reset"), ("GET", "42/journal/tail"), ("GET", "/nope")):
        answer = desk.admin(method, path, headers={"authorization": authorization})
        assert answer.refusal == (401, "UNAUTHORIZED")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert desk.admin("GET", "/organisations").data["count"] == 0


@pytest.mark.parametrize("authorization", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"Bearer   {TOKEN} "])
def test_the_token_opens(desk: Desk, authorization: str) -> None:
    """The scheme's letters may be of any case (RFC 9110 §11.1)."""
    assert desk.admin("GET", "42", headers={"authorization": authorization}).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:3124",
        "127.0.0.1",
        "127.0.0.1:1",
        "[::1]",
        "[::1]:3124",
        "ci.local:9",
        "[fe80::1]:80",
        "10.0.0.7",
    ],
)
def test_a_name_of_this_machine_is_let_in(host: str) -> None:
    """The loopback names, the addresses listened on, and the names of the settings; the port does not count."""
    access = Access(AdminSettings(TOKEN, frozenset({"CI.local"})), ("fe80::1", "10.0.0.7"))

    access.check_host(host)

    with pytest.raises(Refused, match="header Host: expected"):
        access.check_host(f"not-{host}")


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example:3124",
        "localhost,evil",
        "::1",
        "localhost:x",
        "localhost@evil",
        "xn--",
        "\xff",
        "[::1",
        "x" * 70_000,
    ],
)
def test_another_name_is_refused(host: str | None) -> None:
    """A page that rebinds its own name to 127.0.0.1 still says its own name."""
    with pytest.raises(Refused) as refused:
        Access(AdminSettings(TOKEN)).check_host(host)

    assert refused.value.code == "FORBIDDEN_HOST"
    assert len(refused.value.message) < 300


def test_the_name_is_checked_before_everything_else(desk: Desk) -> None:
    """Also for public pages, preflights and unknown paths."""
    for method, path in (("GET", "42"), ("GET", "/openapi.json"), ("OPTIONS", "42"), ("GET", "/nope")):
        answer = desk.admin(method, path, headers={"host": "evil.example"})
        assert answer.refusal == (403, "FORBIDDEN_HOST")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:3124", "", PAGE])
def test_no_page_may_call_unless_it_was_allowed(desk: Desk, origin: str) -> None:
    """With or without the token; the answer has no CORS header."""
    for method in ("GET", "OPTIONS", "POST"):
        answer = desk.admin(method, "42", headers={"origin": origin})
        assert answer.refusal == (403, "FORBIDDEN_ORIGIN")
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_an_allowed_page_may_call() -> None:
    """Preflight and answer name exactly its origin, refusals included; other pages are refused."""
    with Desk(origins=(PAGE,)) as desk:
        preflight = desk.admin(
            "OPTIONS",
            "42/clock",
            headers={
                "origin": PAGE,
                "authorization": "",
                "access-control-request-method": "PUT",
                "access-control-request-private-network": "true",
            },
        )
        assert preflight.status == 204
        assert preflight.headers["access-control-allow-origin"] == PAGE
        assert preflight.headers["access-control-allow-methods"] == "PUT, OPTIONS"
        assert (
            preflight.headers["access-control-allow-headers"] == "authorization, content-type, last-event-id"
        )
        assert preflight.headers["access-control-allow-private-network"] == "true"

        for path, authorization in (("42", BEARER["authorization"]), ("42", "Bearer wrong")):
            answer = desk.admin("GET", path, headers={"origin": PAGE, "authorization": authorization})
            assert answer.headers["access-control-allow-origin"] == PAGE
            assert answer.headers["vary"] == "Origin"

        assert desk.admin("GET", "42", headers={"origin": f"{PAGE}:444"}).refusal == (403, "FORBIDDEN_ORIGIN")
        plain = desk.admin("GET", "42")
        assert plain.headers["vary"] == "Origin"
        assert "access-control-allow-origin" not in plain.headers


def test_an_answer_without_an_allowed_origin_has_no_cors_headers(desk: Desk) -> None:
    """Neither to a page nor to another client."""
    for method in ("GET", "OPTIONS", "HEAD"):
        assert not [name for name in desk.admin(method, "42").headers if name.startswith("access-control")]


def test_the_document_is_public(desk: Desk) -> None:
    """It is served without the token, as YAML and as JSON; the first page names both."""
    pages = {
        path: desk.admin("GET", path, headers={"authorization": ""})
        for path in ("/", "/openapi.json", "/openapi.yaml")
    }

    assert pages["/"].data == {"openapi": ["/openapi.yaml", "/openapi.json"]}
    assert json.loads(pages["/openapi.json"].body) == document().raw
    assert pages["/openapi.yaml"].body == document().text


def test_options_and_wrong_methods_name_the_right_ones(desk: Desk) -> None:
    """HEAD is none of them, as on the API."""
    for method in ("GET", "HEAD", "PATCH", "TRACE", "BREW", "DELETE"):
        answer = desk.admin(method, "42/clock")
        assert (answer.status, answer.headers["allow"]) == (405, "PUT, OPTIONS")
        assert method == "HEAD" or answer.refusal == (405, "METHOD_NOT_ALLOWED")

    options = desk.admin("OPTIONS", "42/snapshots/a", headers={"authorization": ""})
    assert (options.status, options.headers["allow"], options.body) == (204, "DELETE, PUT, OPTIONS", b"")
    assert desk.admin("OPTIONS", "/nope").refusal == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/organisations/42/nope",
        "/organisations/42/snapshots/a%2Fb",
        "/organisations//clock",
        "/%00",
        "/static/x",
        "/organisations/42/clock/advance/x",
    ],
)
def test_an_unknown_path_is_not_found(desk: Desk, path: str) -> None:
    """The refusal has the envelope and names the paths that exist; there are no redirects."""
    assert desk.admin("GET", path).refusal == (404, "NOT_FOUND")


def test_a_defect_of_the_mock_is_one_sentence_and_a_traceback_in_the_log(desk: Desk) -> None:
    """The answer does not tell what went wrong."""

    class Broken(Administration):
        def organisations(self) -> Sequence[Organisation]:
            raise RuntimeError("a secret")

    broken = Broken(desk.app.store, Timers(desk.app.store, desk.clock, Deliveries(WebhookClient())))
    desk.serve(broken)
    answer = desk.admin("GET", "/organisations")

    assert answer.status == 500
    assert json.loads(answer.body)["errors"][0]["code"] == "INTERNAL_ERROR"
    assert b"secret" not in answer.body
    desk.on_loop(_nothing())
    assert any("RuntimeError: a secret" in line for line in desk.log)


async def _nothing() -> None:
    pass
