"""Breaker: ends the waiting for an engine that looks at its clock between rows and not within one."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, Thread
from typing import Generic, TypeVar

from kg.errors import QueryTimeoutError, StoreError

GRACE = 5.0
"""Seconds beyond the time-out in which an engine may notice it itself."""
T = TypeVar("T")


class _Call(Thread, Generic[T]):
    """One call in a thread of its own; `end` gives what it gave, or raises what it raised."""

    def __init__(self, call: Callable[[], T]) -> None:
        super().__init__(name="free query", daemon=True)
        self._call = call
        self._result: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._result.append(self._call())
        except BaseException as error:
            self._error = error

    def end(self) -> T:
        if self._error is not None:
            raise self._error
        return self._result[0]


class Breaker:
    """Runs calls that cannot be broken off. While one that was given up on still runs, no other is begun."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._given_up: Thread | None = None

    def run(self, call: Callable[[], T], seconds: float) -> T:
        """What the call gives. QueryTimeoutError after so many seconds, StoreError while an earlier one still runs."""
        with self._lock:
            if self._given_up is not None and self._given_up.is_alive():
                raise StoreError(
                    "a free query that could not be broken off is still running; wait for it, or open the store anew"
                )
            self._given_up = None
        running = _Call(call)
        running.start()
        running.join(seconds + GRACE)
        if running.is_alive():
            with self._lock:
                self._given_up = running
            raise QueryTimeoutError(
                f"the query took more than {seconds:g} s within one row and could not be broken off; walk shorter lists"
            )
        return running.end()
