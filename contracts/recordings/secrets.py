"""Which values of a recording are keys, cookies and passwords, and which were replaced by a tool that hides them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

_SECRET_NAME: Final = re.compile(
    "(?:set-)?cookie2?|(?:.*[-_.])?key|.*(?:apikey|auth|token|secret|password|session).*",
    re.IGNORECASE,
)
"""Names of headers, and of members of a query, whose values are not shown."""
_NO_SECRETS: Final = {"www-authenticate", "proxy-authenticate", "authority"}
"""Headers whose names look like those of secrets, and whose values are none."""
_REDACTED: Final = re.compile(
    r"\*{3,}|•{3,}|[\[<{(](?:redacted|removed|hidden|filtered|masked|sanitized)[\]>})]|\bredacted\b",
    re.IGNORECASE,
)
"""What tools write in place of a value."""
_SHORTEST: Final = 6
"""Characters from which on a part of a value is hidden by itself: shorter ones are common words."""
_COOKIE_ATTRIBUTES: Final = {
    *("path", "domain", "expires", "max-age", "samesite", "priority", "httponly", "secure"),
}
"""Words of a `set-cookie` that are no secret."""
_MOST_QUERY_FIELDS: Final = 1_000
"""Members of a query that are looked at: a longer one is no query of a client."""


def looks_redacted(text: str) -> bool:
    """Whether something in a text was replaced by a tool that hides secrets."""
    return _REDACTED.search(text) is not None


def is_key(value: str) -> bool:
    """Whether the value of a header may be a key as it was sent."""
    return any(c.isalnum() for c in value) and not looks_redacted(value) and value.strip("xX0-. ") != ""


def is_secret(name: str) -> bool:
    """Whether the value of a header is not to be shown."""
    return _SECRET_NAME.fullmatch(name) is not None and name.lower() not in _NO_SECRETS


def secrets_in_cookies(message: Mapping[str, Any]) -> Iterator[str]:
    """Yield the values of the cookies that an archive lists of a request or an answer."""
    listed = message.get("cookies")
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and isinstance(one.get("value"), str):
            yield from parts_of(one["value"])


def secrets_in_password(url: str) -> Iterator[str]:
    """Yield the password of a URL."""
    try:
        netloc = urlsplit(url).netloc
    except ValueError:
        return
    yield from parts_of(netloc.rpartition("@")[0].partition(":")[2])


def secrets_in_query(url: str) -> Iterator[str]:
    """Yield the values in the query of a URL, and what stands there without one."""
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(
            parts.query, keep_blank_values=True, errors="replace", max_num_fields=_MOST_QUERY_FIELDS
        )
    except ValueError:
        return
    for name, value in pairs:
        yield from parts_of(value or name)


def writable(text: str) -> str:
    """A text that every encoding can write: half of a surrogate pair becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def parts_of(value: str) -> Iterator[str]:
    """Yield a value, and what is a secret by itself in it: in `Bearer abc`, or in `session=abc; path=/`."""
    value = writable(value)
    if not value or looks_redacted(value):
        return
    yield value
    for part in re.split(r"\s*[;,]\s*", value):
        name, _, rest = part.partition("=")
        word = rest if rest.strip("=") else part.rpartition(" ")[2]
        if len(word) >= _SHORTEST and word != value and name.strip().lower() not in _COOKIE_ATTRIBUTES:
            yield word


__all__ = [
    "is_key",
    "is_secret",
    "looks_redacted",
    "parts_of",
    "secrets_in_cookies",
    "secrets_in_password",
    "secrets_in_query",
    "writable",
]
