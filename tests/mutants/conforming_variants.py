"""Honest servers that read the pages in different ways; a judge that accuses one of them is wrong."""

from __future__ import annotations

from .conforming_variant import Manners

STRANGERS: dict[str, Manners] = {
    "plain": Manners(),
    "welcoming": Manners(
        unknown_variant="create", body="raw-without-payload", enforce_schema=False, operations="all"
    ),
    "strict": Manners(
        bad_version="refuse",
        extra_request_members="refused",
        bad_schema="refused",
        lower_version="refused",
        operations="all",
    ),
    "unprocessable": Manners(control_refusals="422", upsert="always-bump", www_authenticate=False),
    "always-200": Manners(control_refusals="200-null", foreign_org=404, key_order=True),
    "pages-for-404": Manners(html_404=True, a_va="as-asked", bad_version="refuse"),
    "talkative": Manners(extra_members=True, destinations=True, key_order=True, operations="all"),
    "counting": Manners(ids="small", second_ack="ok", operations="all"),
    "long-ids": Manners(ids="long", update_id="changes", chunked_answers=True, operations="all"),
    "undelivered": Manners(delivery="never", operations="all", unknown_variant="create"),
    "late": Manners(first_delivery=0.4, extend_from="deadline", operations="all"),
    "from-the-deadline": Manners(extend_from="deadline", stale=404, upsert="keep"),
    "everything-raw": Manners(body="raw", chunked_answers=True, ids="long"),
    "raw-and-open": Manners(body="raw", unknown_variant="create", error_texts="german", html_404=True),
    "raw-without-payload": Manners(body="raw-without-payload", omitted_alias="emptied", ids="small"),
    "thief": Manners(alias="steal", alias_first=False, a_va="as-asked", destinations=True),
    "negative": Manners(negative_version="accept", lower_version="ignored", extra_members=True),
    "nothing-to-see": Manners(stale=404, foreign_org=404, www_authenticate=False, html_404=True),
    "lenient-settling": Manners(
        operations="all", second_ack="ok", nack_after_defer="ignore", stale=404, update_id="changes"
    ),
    "german": Manners(error_texts="german", control_refusals="422", chunked_answers=True, key_order=True),
    "lax": Manners(
        enforce_schema=False, upsert="keep", alias="steal", omitted_alias="emptied", lower_version="ignored"
    ),
}
