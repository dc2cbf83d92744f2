"""Ranks: the processes of a team on one machine, of which the caller's own is the first."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

from gnn.distributed import SECONDS, joined
from kg.errors import LostRankError, ModelError

log = logging.getLogger(__name__)
T = TypeVar("T")
BEGIN: Final = 300.0
"""Seconds in which the others have to begin, which is to import torch; one that dies is not waited for."""
CARD: Final = "GLOO_SOCKET_IFNAME"
"""What names gloo's network card to it."""
LEAVE: Final = 10.0
"""Seconds that the others have to end by themselves after the first is done."""


def together(
    lead: Callable[[], T], follow: Callable[..., Any], given: Sequence[Any], size: int, seconds: float = SECONDS
) -> T:
    """What `lead()` gives in this process, while `follow(*given)` runs in each of `size - 1` others of its team.

    Both must train the same. The others are spawned, so `follow` is at the top of a module, and `given` can be sent.
    Where one of them dies, or nobody hears of it for `seconds`, LostRankError says what became of it; none is left.
    """
    if size < 1:
        raise ModelError(f"{size} processes are none; ask for at least 1")
    if size == 1:
        return lead()
    with TemporaryDirectory(prefix="kgrisk-ranks-") as name, _on_loopback():
        folder, spawn = Path(name), get_context("spawn")
        others = [
            spawn.Process(target=_rank, args=(follow, given, rank, size, seconds, folder)) for rank in range(1, size)
        ]
        try:
            for other in others:
                other.start()
            _wait(others, folder)
            with joined(_meet(folder), 0, size, seconds=seconds):
                found = lead()
            _ended(others, folder)
            return found
        except LostRankError as error:
            raise LostRankError(f"{error}{_told(others, folder)}") from error
        finally:
            for other in others:
                if other.is_alive():
                    other.kill()
                other.join()


@contextmanager
def _on_loopback() -> Iterator[None]:
    """Inside, ranks meet on this machine's loopback, unless another network card is named.

    They talk to nobody else; and gloo would else ask the name service for the host's name, which can take a minute.
    """
    if CARD in os.environ:
        yield
        return
    os.environ[CARD] = next((name for _, name in socket.if_nameindex() if name.startswith("lo")), "lo")
    try:
        yield
    finally:
        del os.environ[CARD]


def _rank(follow: Callable[..., Any], given: Sequence[Any], rank: int, size: int, seconds: float, folder: Path) -> None:
    """One of the others: says that it is there, and why it ended if that was not as planned."""
    try:
        (folder / f"here-{rank}").touch()
        with joined(_meet(folder), rank, size, seconds=seconds):
            follow(*given)
    except BaseException as error:
        (folder / f"why-{rank}").write_text(f"{type(error).__name__}: {error}")
        raise SystemExit(1) from error


def _meet(folder: Path) -> str:
    return f"file://{folder / 'meet'}"


def _wait(others: Sequence[SpawnProcess], folder: Path) -> None:
    """Until all others are there."""
    end = time.monotonic() + BEGIN
    while not all((folder / f"here-{rank}").exists() for rank in range(1, len(others) + 1)):
        if any(other.exitcode is not None for other in others) or time.monotonic() > end:
            raise LostRankError("a process of the run did not begin")
        time.sleep(0.02)


def _ended(others: Sequence[SpawnProcess], folder: Path) -> None:
    """Wait for the others; what goes wrong with them after the work is done is no matter of the result."""
    end = time.monotonic() + LEAVE
    for other in others:
        other.join(max(0.0, end - time.monotonic()))
    if told := _told(others, folder):
        log.warning("the run is whole, but%s", told)


def _told(others: Sequence[SpawnProcess], folder: Path) -> str:
    """How the others ended, where that was not as planned; one that was killed has no word of its own."""
    time.sleep(0.1)  # one that dies now has written why before its connection closed, but is not yet seen as dead
    said = []
    for rank, other in enumerate(others, 1):
        why = folder / f"why-{rank}"
        if why.exists():
            said.append(f"process {rank + 1} said: {why.read_text()}")
        elif other.exitcode is not None and other.exitcode < 0:
            said.append(f"process {rank + 1} was killed by signal {-other.exitcode}")
    return "".join(f"; {one}" for one in said)
