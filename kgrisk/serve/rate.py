"""Rate: how often one asker may ask, at either door."""

from __future__ import annotations

from collections import OrderedDict

from starlette.types import Scope

from kgrisk.serve.keys import Holder

KNOWN = 10_000
"""Askers whose rate is remembered; who asked least lately is forgotten first."""


class Rate:
    """A token bucket per asker: `burst` at once, `per_second` in the long run."""

    def __init__(self, per_second: float, burst: int) -> None:
        self.per_second, self.burst = per_second, burst
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, asker: str, now: float) -> float:
        """Seconds to wait before this request is served; 0 if it is served now."""
        left, since = self._left.pop(asker, (float(self.burst), now))
        left = min(self.burst, left + (now - since) * self.per_second)
        wait = 0.0 if left >= 1 else (1 - left) / self.per_second
        self._left[asker] = (left - 1 if not wait else left, now)
        while len(self._left) > KNOWN:
            self._left.popitem(last=False)
        return wait

    def told(self, wait: float) -> str:
        """What an asker who has to wait is told."""
        return (
            f"more than {self.burst} requests at once or {self.per_second:g} a second; wait {wait:.2f} s, or "
            "raise serve_rate and serve_burst of the server's settings"
        )

    def headers(self, wait: float) -> dict[str, str]:
        return {"Retry-After": str(max(1, round(wait)))}


def asker(scope: Scope, holder: Holder | None) -> str:
    """Whose rate counts: the holder of a key that is known, else the address."""
    return f"key {holder.name}" if holder else f"at {(scope.get('client') or [''])[0]}"
