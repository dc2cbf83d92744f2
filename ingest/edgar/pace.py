"""Pace is how often a host may be asked: a token bucket of one token, refilled at the rate allowed."""

from __future__ import annotations

import time

from kg.errors import SettingsError

MOST = 10.0
"""Requests a second that the SEC allows one user (sec.gov, Accessing EDGAR data)."""


class Pace:
    """Waits so that requests start at least 1/rate seconds apart; so no second holds more than `rate` of them."""

    def __init__(self, rate: float = MOST) -> None:
        if not 0 < rate <= MOST:
            raise SettingsError(f"a rate of {rate} requests a second: give more than 0 and at most {MOST:g}")
        self._gap = 1 / rate
        self._free = 0.0

    def wait(self) -> None:
        """Return when the next request may start."""
        now = time.monotonic()
        if now < self._free:
            time.sleep(self._free - now)
        self._free = max(now, self._free) + self._gap
