"""Deadline: an end to work that takes too long, for work that knows no time-out of its own.

A thread cannot be stopped from outside, but Python can be told to raise an error in it at its next step. That is done
only around what reads (a measure over a snapshot, a walk between entities), never around a store or a ledger.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import TypeVar

from kg.errors import QueryTimeoutError

_T = TypeVar("_T")


class _Late(BaseException):
    """Raised in the thread that works; no handler of ordinary errors takes it for one."""


class _Clock:
    """Raises in the thread that made it once the time is up, unless it was stopped before."""

    def __init__(self, seconds: float) -> None:
        self._thread, self._lock, self._running = threading.get_ident(), threading.Lock(), True
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def start(self) -> None:
        self._timer.start()

    def _end(self) -> None:
        with self._lock:
            if self._running:
                _raise(self._thread, _Late)

    def stop(self) -> None:
        """Raise nothing from now on, not even what was to be raised and has not been yet."""
        self._timer.cancel()
        with self._lock:
            self._running = False
        _raise(self._thread, None)


def within(seconds: float, work: Callable[[], _T]) -> _T:
    """What the work gives. QueryTimeoutError if it is not done by then; a compiled library ends its step first."""
    try:  # whatever step the error comes at, it is inside this block
        clock = _Clock(seconds)
        try:
            clock.start()
            return work()
        finally:
            clock.stop()
    except _Late as error:
        raise QueryTimeoutError(
            f"the question took longer than {seconds:g} s and was ended; narrow it, or raise serve_seconds of the "
            "server's settings"
        ) from error


def _raise(thread: int, error: type[BaseException] | None) -> None:
    """Have an error raised in a thread, or take one back that was not raised yet."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error) if error else None)
