"""Executors: where a run works, said by one setting or one option, and let go of whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kg.errors import ExecutorError
from kg.executor import Executor, Here, Pool
from kgrisk.ray import Ray
from kgrisk.settings import Settings

PLACES = "here, a number of processes, ray, ray:local, host:port or ray://host:port"
"""What the setting `executor` may say."""


def named(place: str) -> Executor:
    """The executor that a text names; whoever asks for it closes it.

    `here` is this process; `4` so many processes of this machine; `ray` the Ray cluster this machine belongs to,
    `ray:local` one of this machine alone, and `host:port` or `ray://host:port` the one whose head is there.
    """
    if place == "here":
        return Here()
    if place.isdecimal():
        return Pool(int(place))
    if place == "ray":
        return Ray("auto")
    if place == "ray:local":
        return Ray("local")
    if ":" in place:
        return Ray(place)
    raise ExecutorError(f"executor {place!r} is none; give {PLACES}")


@contextmanager
def working(given: Executor | str | None, settings: Settings) -> Iterator[Executor]:
    """The executor that is given, left open; else the one that the text, or the setting, names, closed at the end."""
    if given is not None and not isinstance(given, str):
        yield given
        return
    executor = named(given or settings.executor)
    try:
        yield executor
    finally:
        executor.close()
