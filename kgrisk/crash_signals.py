"""Crash signals: who hears of a process that broke, kept as it was while a library puts itself there.

A Java machine lives from these signals: its compiled code reads past null on purpose and is told so by SIGSEGV. Where
another library has taken its place the first such read ends the process.
"""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)
SIZE = 512
"""Bytes that hold a `struct sigaction` of any system that has one."""


@contextmanager
def kept() -> Iterator[None]:
    """Who hears of crashes before the block hears of them after it."""
    before = heard_by()
    try:
        yield
    finally:
        for number, action in before.items():
            _libc().sigaction(number, action, None)


def heard_by() -> dict[int, ctypes.Array[ctypes.c_char]]:
    """The `struct sigaction` of each signal, as the C library tells it; none on Windows, which has no such thing."""
    if sys.platform == "win32":
        return {}
    actions = {int(number): ctypes.create_string_buffer(SIZE) for number in CRASHES}
    for number, action in actions.items():
        _libc().sigaction(number, None, action)
    return actions


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)
