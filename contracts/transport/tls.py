"""Why TLS failed: OpenSSL's reason in words, and what the user can do about it."""

from __future__ import annotations

import ssl
from typing import Final

SPEAKS_TLS: Final = "TLS is spoken on this port: give a URL that begins with https"
"""Why no answer comes to a request that is sent without TLS."""

_OF_CERTIFICATES: Final = (
    ({2, 18, 19, 20, 21, 24, 27}, "trust its authority with --ca FILE"),
    ({9, 10}, "its certificate is valid at another time than now by the clock of this machine"),
    (
        {62, 64},
        "give a URL with a name that is in the certificate; --resolve HOST:PORT:ADDRESS says where that name is",
    ),
)
"""Codes of OpenSSL for a certificate that is not accepted (X509_V_ERR_…), and what helps."""
_OF_REASONS: Final = (
    (
        ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"),
        "no TLS is spoken on this port: give a URL that begins with http",
    ),
    (
        ("UNSUPPORTED_PROTOCOL", "PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE", "VERSION_TOO_LOW"),
        "the other side speaks no version that this program speaks, which are TLS 1.2 and newer",
    ),
    (("UNRECOGNIZED_NAME",), "the server has no certificate for the name in the URL"),
    (
        (
            *("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE", "BAD_CERTIFICATE", "UNKNOWN_CA"),
            *("CERTIFICATE_UNKNOWN", "CERTIFICATE_EXPIRED", "CERTIFICATE_REVOKED", "UNSUPPORTED_CERTIFICATE"),
            *("ACCESS_DENIED", "DECRYPT_ERROR", "PEER_DID_NOT_RETURN_A_CERTIFICATE"),
        ),
        "a client certificate is asked for, or another one: --client-certificate FILE, --client-key FILE",
    ),
)
"""Parts of the names that OpenSSL has for reasons, those of alerts of the other side among them, and what helps."""


def tls_kind(error: ssl.SSLError, *, to_proxy: bool = False) -> str:
    """Return the kind of interference that a failure of TLS is: OpenSSL's reason, and the flag or the URL that helps.

    `to_proxy`: it was the connection to the proxy that failed, and not the one to the target.
    """
    code = getattr(error, "verify_code", None)
    name = getattr(error, "reason", None) or ""
    if code:
        reason = str(error.verify_message).rstrip(".")  # type: ignore[attr-defined]
        helps = next((text for codes, text in _OF_CERTIFICATES if code in codes), "")
    else:
        reason = name.lower().replace("_", " ") or "the connection was closed during the handshake"
        helps = next((text for parts, text in _OF_REASONS if any(one in name for one in parts)), "")
    if to_proxy:
        helps = helps.replace("a URL", "a --proxy URL")
    return f"TLS {'to the proxy ' if to_proxy else ''}failed: {reason}{f' ({helps})' if helps else ''}"


__all__ = ["SPEAKS_TLS", "tls_kind"]
