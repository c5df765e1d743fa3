"""Time as a port: one clock for the machine, one for a target whose clock is moved by its admin plane."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Final, Protocol

import urllib3

from ..core.target import Admin, ConnectionOptions, ExtraHeader
from .answers import UnreadBody, read_body
from .connections import Connections, Head
from .interference import Interference, kind_of

ADMIN_TIMEOUT: Final = 10.0
"""Seconds that the admin plane may take to move its clock: timers that become due run before it answers."""


_NOT_FOUND: Final = frozenset({301, 302, 303, 307, 308, 400, 404, 405, 501})
"""Statuses with which a server answers that is not the admin plane of a mock."""


class NoAdminPlane(Interference):
    """What answers at the URL of the admin plane is none."""


class Clock(Protocol):
    """Tells time and lets it pass."""

    def now(self) -> float:
        """Return the seconds since a moment that stays the same for one clock."""
        ...

    def unix_time(self) -> float:
        """Return the seconds since 1970, by which dates and times of day are told."""
        ...

    def wait(self, seconds: float) -> None:
        """Return when `seconds` have passed on this clock."""
        ...


class SystemClock:
    """The clock of this machine; it never goes back."""

    def now(self) -> float:
        """Return seconds as `time.monotonic` counts them."""
        return time.monotonic()

    def unix_time(self) -> float:
        """Return the seconds since 1970 as `time.time` counts them."""
        return time.time()

    def wait(self, seconds: float) -> None:
        """Sleep for `seconds`."""
        time.sleep(seconds)


class AdminClock:
    """The clock of a mock: it goes with another clock, and instead of waiting it is moved forward."""

    def __init__(
        self,
        admin: Admin,
        organisation: str,
        clock: Clock,
        way: ConnectionOptions | None = None,
        headers: tuple[ExtraHeader, ...] = (),
    ) -> None:
        """Make the clock of one organisation.

        Args:
            admin: the admin plane that moves it.
            organisation: whose clock it is.
            clock: the clock that it goes with.
            way: how the admin plane is reached: authorities, certificate, proxy and addresses; headers are given apart,
                as not all of them may be for its host (`Target.admin_headers`).
            headers: the headers that go with each request.

        Raises:
            NoWay: a file that says how the target is reached cannot be used.
        """
        self._admin = admin
        self._organisation = organisation
        self._clock = clock
        self._connections = Connections(way or ConnectionOptions())
        self._pool = self._connections.pool(admin.url, lambda: None)
        self._headers = tuple((one.name, one.value) for one in headers)
        self._shift = 0.0
        """Seconds by which the clock of the target was moved."""

    def now(self) -> float:
        """Return the seconds of the other clock, and those by which this one was moved."""
        return self._clock.now() + self._shift

    def unix_time(self) -> float:
        """Return the seconds since 1970 of the other clock: exchanges are dated by it, however far this one was moved."""
        return self._clock.unix_time()

    def wait(self, seconds: float) -> None:
        """Move the clock of the organisation by `seconds`.

        Raises:
            Interference: the admin plane did not move it.
        """
        path = f"/organisations/{self._organisation}/clock/advance"
        headers = (
            ("Authorization", f"Bearer {self._admin.token}"),
            ("Content-Type", "application/json"),
            *self._headers,
        )
        try:
            answer = self._pool.urlopen(
                "POST",
                self._admin.url,
                body=json.dumps({"seconds": seconds}).encode(),
                headers=Head(self._connections.request_target(self._admin.url, path), headers),
                timeout=urllib3.Timeout(total=ADMIN_TIMEOUT),
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
            )
            body = b""
            with suppress(UnreadBody):
                body = read_body(answer, "POST")
            answer.release_conn()
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise Interference(f"the admin plane: {kind_of(error)}") from None
        except Interference as met:
            raise Interference(f"the admin plane: {met}") from None
        if answer.status in _NOT_FOUND:
            raise NoAdminPlane(f"the admin plane answers {answer.status}")
        if answer.status == 200 and not _is_clock(body):
            raise NoAdminPlane("the admin plane answers 200, and with no clock")
        if answer.status != 200:
            raise Interference(f"the admin plane answers {answer.status}")
        self._shift += seconds


def _is_clock(body: bytes) -> bool:
    """Say whether an answer is that of a clock, in its envelope: a page that answers everything moves nothing."""
    try:
        value = json.loads(body)
    except ValueError:
        return False
    return isinstance(value, dict) and "data" in value


__all__ = ["ADMIN_TIMEOUT", "AdminClock", "Clock", "NoAdminPlane", "SystemClock"]
