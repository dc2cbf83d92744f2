"""Executor: one pure function over many shards, in processes here or on other machines, with the same results.

A function is at the top of a module, so that another process can import it; it is handed a shard and the values that
were `put`, and what it gives hangs on nothing else. So a shard whose worker died can be done again, and the results,
told in the order of the shards, have the same bits whoever made them.
"""

from __future__ import annotations

import mmap
import os
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context, parent_process
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from threading import Thread
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar
from uuid import uuid4
from weakref import finalize

from kg.disk import writing
from kg.errors import CancelledError, ExecutorError

R = TypeVar("R")
Shard = TypeVar("Shard")
Progress = Callable[[int, int], None]
"""Shards done, shards."""
AHEAD = 2
"""Shards handed out for each worker: one it works on, one it finds when that is done."""
TRIES = 3
"""Deaths of workers at one shard, with no other under way, after which it is given up."""
WAIT = 0.2
"""Seconds after which it is asked again whether to stop."""
KEPT = 8
"""Values that were put, kept open by a worker; the one used least lately goes first."""
ALIGN = 64
"""Bytes at a multiple of which a buffer begins, as Arrow and vector instructions like it."""


def quiet(done: int, shards: int) -> None:
    """The Progress that says nothing."""


def never() -> bool:
    """The question whether to stop, answered no."""
    return False


@dataclass(frozen=True)
class Put:
    """A value that every worker reads from the same memory."""

    path: Path


class Executor(Protocol):
    """Where a function is mapped over shards."""

    workers: int

    def put(self, value: Any) -> Any:
        """A handle that stands for a value in `shared` of `map`; its arrays are kept once, whoever reads them."""

    def map(
        self,
        fn: Callable[..., R],
        shards: Iterable[Shard],
        *shared: Any,
        progress: Progress = quiet,
        cancelled: Callable[[], bool] = never,
    ) -> Iterator[R]:
        """`fn(shard, *values)` for every shard, in their order.

        What `fn` raises is raised here. ExecutorError if the worker of one shard dies again and again, CancelledError
        as soon as `cancelled()` says so; what is under way then is not waited for.
        """

    def close(self) -> None:
        """Let go of the workers and of what was put."""


class Here:
    """The executor without any process of its own: what others are compared with."""

    workers = 1

    def put(self, value: Any) -> Any:
        return value

    def map(
        self,
        fn: Callable[..., R],
        shards: Iterable[Shard],
        *shared: Any,
        progress: Progress = quiet,
        cancelled: Callable[[], bool] = never,
    ) -> Iterator[R]:
        todo = list(shards)
        for done, shard in enumerate(todo):
            stop_if(cancelled, done, len(todo))
            yield fn(shard, *shared)
            progress(done + 1, len(todo))

    def close(self) -> None:
        pass


class Pool:
    """Processes of this machine. They are spawned, never forked: a Java machine may live in this one."""

    def __init__(self, workers: int) -> None:
        if workers < 1:
            raise ExecutorError(f"{workers} workers are none; ask for at least 1")
        self.workers = workers
        # a worker that is not waited for may write while it is closed
        self._folder = TemporaryDirectory(prefix="kgrisk-put-", ignore_cleanup_errors=True)
        self._pool: ProcessPoolExecutor | None = None
        self._puts = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def put(self, value: Any) -> Put:
        """Arrays and Arrow buffers are written to a file of which every worker maps the same pages, read-only.

        The file lasts as long as what is returned, or until the Pool is closed. DiskError where it cannot be written.
        """
        self._puts += 1
        path = Path(self._folder.name) / str(self._puts)
        buffers: list[pickle.PickleBuffer] = []
        stream = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
        with writing(path.parent, "what workers share"), path.open("wb") as file:
            for part in (memoryview(stream), *(buffer.raw() for buffer in buffers)):
                file.write(len(part).to_bytes(ALIGN, "little"))
                file.write(part)
                file.write(bytes(-len(part) % ALIGN))
        put = Put(path)
        finalize(put, path.unlink, missing_ok=True)
        return put

    def map(
        self,
        fn: Callable[..., R],
        shards: Iterable[Shard],
        *shared: Any,
        progress: Progress = quiet,
        cancelled: Callable[[], bool] = never,
    ) -> Iterator[R]:
        todo = list(shards)
        futures: dict[int, Future[Path]] = {}
        try:
            for place in range(len(todo)):
                yield _taken(self._answer(fn, todo, shared, place, futures, cancelled))
                progress(place + 1, len(todo))
        finally:
            for future in futures.values():
                future.cancel()
                future.add_done_callback(_forget)

    def _answer(
        self,
        fn: Callable[..., Any],
        todo: Sequence[Any],
        shared: Sequence[Any],
        place: int,
        futures: dict[int, Future[Path]],
        cancelled: Callable[[], bool],
    ) -> Path:
        """Where the result of one shard lies, while those after it are begun.

        Nobody is told which of the shards under way a worker died of. So after a death this one is done with no other
        beside it: if a worker dies then, it died of this one, and a later one that kills its worker has its own turn.
        """
        deaths, alone = 0, False
        while True:
            stop_if(cancelled, place, len(todo))
            try:
                for n in range(place, min(place + (1 if alone else AHEAD * self.workers), len(todo))):
                    if n not in futures:
                        futures[n] = self._begin(fn, todo[n], shared)
                wait([futures[place]], WAIT)
                if futures[place].done():
                    return futures.pop(place).result()
            except BrokenProcessPool as error:
                deaths += alone
                if deaths == TRIES:
                    raise ExecutorError(
                        f"a worker died {TRIES} times at shard {place + 1} of {len(todo)}; it may need more memory "
                        "than there is: use fewer workers or smaller shards"
                    ) from error
                alone = True
                self._renew()
                for n in [n for n, future in futures.items() if not whole(future)]:
                    del futures[n]

    def close(self) -> None:
        self._renew()
        self._folder.cleanup()

    def _begin(self, fn: Callable[..., Any], shard: Any, shared: Sequence[Any]) -> Future[Path]:
        if self._pool is None:
            given = (self._folder.name,)
            self._pool = ProcessPoolExecutor(self.workers, get_context("spawn"), _end_with_parent, given)
        return self._pool.submit(_work, fn, shard, shared, Path(self._folder.name))

    def _renew(self) -> None:
        """Give the workers up; what they were doing is not waited for."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def stop_if(cancelled: Callable[[], bool], done: int, shards: int) -> None:
    if cancelled():
        raise CancelledError(f"stopped on request after {done} of {shards} shards; ask again to do the rest")


def whole(future: Future[Any]) -> bool:
    """True for one that has its result."""
    return future.done() and not future.cancelled() and future.exception() is None


def _end_with_parent(folder: str) -> None:
    """In a worker: leave nothing behind when the process that spawned it is killed, which tells nobody."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        rmtree(folder, ignore_errors=True)
        os._exit(1)

    Thread(target=watch, daemon=True, name="parent").start()


def _work(fn: Callable[..., Any], shard: Any, shared: Sequence[Any], folder: Path) -> Path:
    """In a worker: the function with the values that were put; its result lies in the file that is told.

    All workers answer through one pipe, and one that is killed in the middle of a long answer stops the others and the
    reader for ever. The name of a file is so short that the system writes all of it or nothing.
    """
    result = fn(shard, *(_read(one.path) if isinstance(one, Put) else one for one in shared))
    path = folder / uuid4().hex
    with writing(folder, "what a worker found"), path.open("xb") as file:
        pickle.dump(result, file, protocol=5)
    return path


def _taken(path: Path) -> Any:
    """The result in a file of `_work`, which goes with it."""
    with path.open("rb") as file:
        path.unlink()
        return pickle.load(file)  # noqa: S301  # written by a worker of this process


def _forget(answer: Future[Path]) -> None:
    """Nobody asks for this answer any more."""
    if whole(answer):
        answer.result().unlink(missing_ok=True)


@lru_cache(maxsize=KEPT)
def _read(path: Path) -> Any:
    """The value in a file of `Pool.put`, its buffers mapped and not copied."""
    with path.open("rb") as file:
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    parts, at = [], 0
    while at < len(content):
        size = int.from_bytes(content[at : at + ALIGN], "little")
        parts.append(content[at + ALIGN : at + ALIGN + size])
        at += ALIGN + size + -size % ALIGN
    return pickle.loads(parts[0], buffers=parts[1:])  # noqa: S301  # written by the process that spawned this one
