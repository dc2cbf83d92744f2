"""Bound: how many scores of questions x nodes are held at once, whatever the number of questions or nodes.

A part of a run that holds scores asks `held` for its share. What fits is scored as one; what does not is worked through
in blocks, with the same result up to rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from kg.errors import ModelError

_BOUND: ContextVar[int | None] = ContextVar("scores", default=None)


def held(usual: int, given: int | None = None) -> int:
    """The scores that may be held: what the caller was given, else the bound of the run, else the usual number.

    ModelError for a number that holds none.
    """
    bound = _BOUND.get()
    found = given if given is not None else usual if bound is None else bound
    if found < 1:
        raise ModelError(f"scores is {found}; give how many scores may be held at once, 1 or more")
    return found


@contextmanager
def bounded(scores: int | None) -> Iterator[None]:
    """Inside, no part of a run holds more scores than this at once; None leaves each part its usual number."""
    token = _BOUND.set(scores)
    try:
        if scores is not None:
            held(scores)
        yield
    finally:
        _BOUND.reset(token)


def blocks(count: int, each: int, scores: int) -> Iterator[slice]:
    """Slices of `count` rows of `each` scores, so that no slice has more than `scores`; one row at the least."""
    size = max(1, scores // max(each, 1))
    return (slice(start, min(start + size, count)) for start in range(0, count, size))
