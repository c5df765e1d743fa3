"""Conforming variants: servers that take the pages in different lawful ways. A judge that accuses one of them is wrong."""

from __future__ import annotations

from .conforming_server import Choices

CONFORMING_VARIANTS: dict[str, Choices] = {
    "plain": Choices(),
    "welcoming": Choices(
        unknown_variant="create", body="raw-without-payload", enforce_schema=False, operations="all"
    ),
    "strict": Choices(
        bad_version="refuse",
        extra_request_members="refused",
        bad_schema="refused",
        lower_version="refused",
        operations="all",
    ),
    "unprocessable": Choices(control_refusals="422", upsert="always-bump", www_authenticate=False),
    "always-200": Choices(control_refusals="200-null", foreign_org=404, key_order=True),
    "pages-for-404": Choices(html_404=True, a_va="as-asked", bad_version="refuse"),
    "talkative": Choices(extra_members=True, destinations=True, key_order=True, operations="all"),
    "counting": Choices(ids="small", second_ack="ok", operations="all"),
    "long-ids": Choices(ids="long", update_id="changes", chunked_answers=True, operations="all"),
    "undelivered": Choices(delivery="never", operations="all", unknown_variant="create"),
    "late": Choices(first_delivery=0.4, extend_from="deadline", operations="all"),
    "from-the-deadline": Choices(extend_from="deadline", stale=404, upsert="keep"),
    "everything-raw": Choices(body="raw", chunked_answers=True, ids="long"),
    "raw-and-open": Choices(body="raw", unknown_variant="create", error_texts="german", html_404=True),
    "raw-without-payload": Choices(body="raw-without-payload", omitted_alias="emptied", ids="small"),
    "thief": Choices(alias="steal", alias_first=False, a_va="as-asked", destinations=True),
    "negative": Choices(negative_version="accept", lower_version="ignored", extra_members=True),
    "nothing-to-see": Choices(stale=404, foreign_org=404, www_authenticate=False, html_404=True),
    "lenient-settling": Choices(
        operations="all", second_ack="ok", nack_after_defer="ignore", stale=404, update_id="changes"
    ),
    "german": Choices(error_texts="german", control_refusals="422", chunked_answers=True, key_order=True),
    "lax": Choices(
        enforce_schema=False, upsert="keep", alias="steal", omitted_alias="emptied", lower_version="ignored"
    ),
}
"""Name → choices; together they have every value of every choice."""

__all__ = ["CONFORMING_VARIANTS"]
