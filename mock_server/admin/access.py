"""Who may call the admin plane: under which host name, from which web page, with which token."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Final

from arklow_local.formats.excerpts import excerpt

from ..api.errors import Refused
from ..settings import AdminSettings

_OWN_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_CHALLENGE: Final = ((b"www-authenticate", b"Bearer"),)


class Access:
    """The three checks of a request, in their order. A page in a browser cannot forge any of the headers."""

    def __init__(self, settings: AdminSettings, addresses: tuple[str, ...] = ()) -> None:
        """Allow the names of this machine: the usual ones, those of the settings, and the `addresses` listened on."""
        listened = {f"[{address}]" if ":" in address else address for address in addresses}
        self._names = _OWN_NAMES | listened | {name.lower() for name in settings.names}
        self._origins = settings.origins
        self._token = settings.token.encode()

    def check_host(self, host: str | None) -> None:
        """Return when the `Host` header names this machine, with any port.

        This refuses a page that had its own name resolve to this machine (DNS rebinding).

        Raises:
            Refused: the header names another machine, or is missing.
        """
        if _without_port(host or "") in self._names:
            return
        got = repr(excerpt(host, 60)) if host else "none"
        raise Refused(
            "FORBIDDEN_HOST",
            f"header Host: expected {' or '.join(sorted(self._names))}, got {got} (see --admin-name)",
        )

    def cors_headers(self, origin: str | None) -> Mapping[str, str]:
        """Check the `Origin` header, and return the CORS headers of the answer, name → value.

        Raises:
            Refused: pages of this origin were not allowed.
        """
        if origin is None:
            return {"Vary": "Origin"} if self._origins else {}
        if origin in self._origins:
            return {
                "Access-Control-Allow-Origin": origin,
                "Access-Control-Expose-Headers": "Retry-After, WWW-Authenticate",
                "Vary": "Origin",
            }
        allowed = " or ".join(sorted(self._origins)) or "none"
        raise Refused(
            "FORBIDDEN_ORIGIN",
            f"header Origin: expected {allowed}, got {excerpt(origin, 60)!r} (see --admin-origin)",
        )

    def check_token(self, authorization: str | None) -> None:
        """Return when the `Authorization` header has the token.

        Raises:
            Refused: the header has another token, or is missing.
        """
        scheme, _, token = (authorization or "").partition(" ")
        given = token.strip(" ").encode("utf-8", "backslashreplace")
        if hmac.compare_digest(given, self._token) and scheme.lower() == "bearer":
            return
        got = "none" if authorization is None else "a value that is no such token"
        raise Refused(
            "UNAUTHORIZED",
            f"header Authorization: expected Bearer and the token that was printed at the start, got {got}",
            _CHALLENGE,
        )


def _without_port(host: str) -> str:
    name, colon, port = host.lower().rpartition(":")
    return name if colon and (port.isdecimal() or not port) and not host.endswith("]") else host.lower()
