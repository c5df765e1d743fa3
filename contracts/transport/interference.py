"""What keeps an answer of the application from arriving."""

from __future__ import annotations

import re
import ssl
from typing import Final

import urllib3

LARGEST: Final = 8 << 20
"""Bytes of an answer that are read."""


CUT_OFF: Final = "connection cut off"
"""Interference that may be the application's, when it meets one request and no other."""


TOO_SLOW: Final = "no answer in time"


NO_PROXY: Final = "the proxy cannot be reached"


TOO_LONG: Final = f"an answer of more than {LARGEST >> 20} MiB"


class Interference(Exception):
    """The request met no answer of the application: unreachable, cut off, limited, or a gateway's word."""


def _reason(error: BaseException) -> str:
    if isinstance(error, urllib3.exceptions.TimeoutError | TimeoutError) and not isinstance(
        error, urllib3.exceptions.NewConnectionError
    ):
        return TOO_SLOW
    if isinstance(error, urllib3.exceptions.SSLError | ssl.SSLError):
        return "TLS failed"
    text = f"{error} {error.__cause__ or ''}"
    if told := re.search(r"Tunnel connection failed: (\d+)", text):
        return f"the proxy answers {told[1]}"
    if isinstance(error, urllib3.exceptions.ProxyError):
        return NO_PROXY
    if isinstance(error, urllib3.exceptions.NewConnectionError | ConnectionRefusedError) or "refused" in text:
        return "connection refused" if "refused" in text else "cannot connect"
    return CUT_OFF


__all__ = ["CUT_OFF", "LARGEST", "NO_PROXY", "TOO_LONG", "TOO_SLOW", "Interference"]
