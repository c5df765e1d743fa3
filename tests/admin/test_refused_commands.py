"""What the admin plane refuses: bodies and parameters that its document does not ask for, and ends that cannot be."""

from __future__ import annotations

import pytest

from tests.admin.desk import NOON, Desk


@pytest.mark.parametrize(
    ("method", "path", "body", "place"),
    [
        ("POST", "42/reset", {"sed": 1}, "body"),
        ("POST", "42/reset", {"seed": -1}, "body/seed"),
        ("POST", "42/reset", {"seed": 1 << 31}, "body/seed"),
        ("POST", "42/reset", {"clock": {"mode": "stopped"}}, "body/clock/mode"),
        ("POST", "42/reset", {"clock": {"now": "1999-12-31T23:59:59Z"}}, "body/clock/now"),
        ("POST", "42/reset", {"worker": {"default": "sleep"}}, "body/worker/default"),
        ("POST", "42/reset", [], "body"),
        ("PUT", "42/clock", {}, "body"),
        ("PUT", "42/clock", {"mode": "frozen", "now": "3000-01-01T00:00:00Z"}, "body/now"),
        ("PUT", "42/clock", {"mode": "frozen", "now": "2030-02-30T00:00:00Z"}, "body/now"),
        ("PUT", "42/clock", {"mode": "frozen", "now": "2030-02-03"}, "body/now"),
        ("PUT", "42/clock", {"mode": "frozen", "nwo": NOON}, "body"),
        ("POST", "42/clock/advance", {}, "body"),
        ("POST", "42/clock/advance", {"seconds": 1, "to": NOON}, "body"),
        ("POST", "42/clock/advance", {"seconds": -1}, "body/seconds"),
        ("POST", "42/clock/advance", {"seconds": 315_576_001}, "body/seconds"),
        ("POST", "42/clock/advance", {"seconds": "1"}, "body/seconds"),
        ("PUT", "42/worker", {"default": []}, "body/default"),
        ("PUT", "42/worker", {"default": ["ack"] * 101}, "body/default"),
        ("PUT", "42/worker", {"default": ["ack", "sleep"]}, "body/default/1"),
        ("PUT", "42/worker", {"variants": {"x": [{"do": "hold", "lease": 1.5}]}}, "body/variants/x/0/lease"),
        ("PUT", "42/worker", {"variants": {"x": [{"do": "hold", "lease": 0}]}}, "body/variants/x/0/lease"),
        ("PUT", "42/worker", {"default": [{"do": "hold", "after": -1}]}, "body/default/0/after"),
        ("PUT", "42/worker", {"default": [{"do": "nack", "retry_after": 0}]}, "body/default/0/retry_after"),
        ("PUT", "42/worker", {"default": [{"do": "nack", "retry": 1}]}, "body/default/0"),
        ("PUT", "42/worker", {"default": [{"after": 1}]}, "body/default/0"),
        ("POST", "42/fork", {}, "body"),
        ("POST", "42/fork", {"to": "x"}, "body/to"),
        ("POST", "42/fork", {"to": 43}, "body/to"),
        ("POST", "42/fork", {"to": "43", "snapshot": ".."}, "body/snapshot"),
        ("POST", "42/actions/1/end", {"as": "succeed"}, "body/as"),
    ],
)
def test_a_body_that_the_document_does_not_ask_for_is_refused(
    desk: Desk, method: str, path: str, body: object, place: str
) -> None:
    """The message names the place; a misspelt member is refused too."""
    answer = desk.admin(method, path, body)

    assert answer.refusal == (400, "INVALID_BODY")
    assert answer.error["message"].startswith(f"{place}: expected ")


@pytest.mark.parametrize(
    "path",
    [
        "x",
        "-1",
        "12345678901234567890",
        "%D9%A4%D9%A2",
        "42/snapshots/.hidden/restore",
        "42/snapshots/a%20b/restore",
        f"42/snapshots/{'a' * 61}/restore",
        "42/actions/x/end",
        "42/journal?after=-1",
        "42/journal?after=x",
        "42/journal?after=9007199254740992",
        "42/journal?limit=0",
        "42/journal?limit=1001",
        "42/journal?limit=",
        "42/journal?limit=1&limit=x",
        "42/journal?limit=" + "9" * 5_000,
        "42/journal?kind=other",
        "42/journal?kind=%ff",
        "42/journal?action=x",
        "42/journal/tail?after=x",
    ],
)
def test_a_parameter_that_does_not_fit_is_refused(desk: Desk, path: str) -> None:
    """One of the path, and one of the query."""
    method = "POST" if path.endswith(("restore", "end")) else "GET"

    assert desk.admin(method, path, {"as": "ack"} if "end" in path else None).refusal == (
        400,
        "INVALID_PARAMETER",
    )


@pytest.mark.parametrize(
    ("body", "headers", "refused"),
    [
        (b"", {}, (400, "EMPTY_BODY")),
        (b"{", {}, (400, "MALFORMED_JSON")),
        (b'{"mode":"real","mode":"real"}', {}, (400, "DUPLICATE_KEY")),
        (b'{"mode":NaN}', {}, (400, "NOT_A_NUMBER")),
        (b"\xff", {}, (400, "NOT_UTF8")),
        (b"[" * 501, {}, (400, "TOO_DEEP")),
        (b'"\\ud800"', {}, (400, "LONE_SURROGATE")),
        (b"1e999", {}, (400, "NUMBER_OUT_OF_RANGE")),
        (b"1" * 5_000, {}, (400, "NUMBER_TOO_LONG")),
        (b"{}", {"content-type": "text/plain"}, (415, "UNSUPPORTED_MEDIA_TYPE")),
        (b"{}", {"content-type": ""}, (415, "UNSUPPORTED_MEDIA_TYPE")),
        (b"{}", {"content-encoding": "gzip"}, (415, "UNSUPPORTED_MEDIA_TYPE")),
        (b" " * ((1 << 20) + 1), {}, (413, "BODY_TOO_LARGE")),
    ],
)
def test_a_body_is_read_as_strictly_as_the_apis(
    desk: Desk, body: bytes, headers: dict[str, str], refused: tuple[int, str]
) -> None:
    """The error codes are the same; only the limit of its size differs."""
    assert desk.admin("PUT", "42/clock", body, headers=headers).refusal == refused


def test_a_year_that_no_date_has_is_not_reached(desk: Desk) -> None:
    """No clock reaches the year 3000."""
    desk.freeze("2999-12-31T23:59:00Z")

    for seconds in (60, 86_400):
        answer = desk.admin("POST", "42/clock/advance", {"seconds": seconds})
        assert answer.refusal == (400, "INVALID_BODY")
    assert desk.admin("POST", "42/clock/advance", {"seconds": 59.999}).status == 200


def test_an_action_that_is_not_there_does_not_end(desk: Desk) -> None:
    """Its id was never issued, belongs to another organisation, or has the wrong length."""
    other = desk.accept(key="org-7")["a_id"]

    for action in (other, "1", "9" * 19):
        assert desk.admin("POST", f"42/actions/{action}/end", {"as": "ack"}).refusal == (
            404,
            "UNKNOWN_ACTION",
        )


def test_what_is_not_held_does_not_expire(desk: Desk) -> None:
    """Between two attempts the action has no holder, and a deferred one is not given back."""
    desk.freeze()
    desk.admin("PUT", "42/worker", {"default": "nack", "variants": {"d": "defer"}})
    action, deferred = desk.accept()["a_id"], desk.accept("d")["a_id"]

    assert desk.admin("POST", f"42/actions/{action}/end", {"as": "expire"}).refusal == (409, "STALE_ATTEMPT")
    assert desk.admin("POST", f"42/actions/{deferred}/end", {"as": "nack"}).refusal == (
        409,
        "DEFERRED_ACTION",
    )
