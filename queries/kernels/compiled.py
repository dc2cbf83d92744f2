"""Machine code: a loop in plain Python that is compiled when it is first called, and kept on disk where one may write.

Nothing is compiled at import. No arithmetic is reordered or fused, so a sum has the bits of the same sum in numpy
taken in the same order, on every machine and for every number of workers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

Loop = TypeVar("Loop", bound=Callable[..., Any])


def compiled(function: Loop) -> Loop:
    """The function as machine code, run without the interpreter's lock."""
    fast: list[Loop] = []

    @wraps(function)
    def call(*args: Any) -> Any:
        if not fast:
            fast.append(_machine_code(function))
        return fast[0](*args)

    return cast(Loop, call)


def _machine_code(function: Loop) -> Loop:
    from numba import njit

    try:
        return cast(Loop, njit(nogil=True, cache=True)(function))
    except RuntimeError:  # nowhere to keep it: a read-only installation without a home
        return cast(Loop, njit(nogil=True)(function))
