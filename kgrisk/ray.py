"""Ray: the executor of many machines, for work that has outgrown the processes of one.

It joins a cluster that runs (`ray start`), or starts one on this machine for as long as it is open. A task that loses
its worker or its machine is done again elsewhere; what was `put` is read by every worker of a machine from the same
memory. Every machine needs the same Python, the same Ray and the same kgrisk.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

from kg.errors import ExecutorError
from kg.executor import AHEAD, KEPT, TRIES, WAIT, Progress, R, Shard, never, quiet, stop_if
from kgrisk.crash_signals import kept
from kgrisk.extras import need

LOOPBACK = "127.0.0.2" if sys.platform == "linux" else "127.0.0.1"
"""Where a cluster of one machine listens: Ray puts the address of the network card in the place of 127.0.0.1."""
SECONDS = 5.0
"""How long an address may take to answer at all."""
QUIET = 40
"""logging.ERROR: Ray's own notices are not for the user of a command."""


@dataclass(frozen=True)
class Put:
    """A value in the memory that the workers of a machine share."""

    ref: Any


class Ray:
    """The workers of a Ray cluster, on as many machines as belong to it."""

    def __init__(self, address: str = "auto", cpus: int | None = None) -> None:
        """`auto`: the cluster this machine belongs to; `local`: one of its own, with `cpus`; else where its head is.

        Either `host:port`, from a machine of the cluster, or `ray://host:port`, from any other. ExecutorError says
        what is wrong with an address that cannot be used.
        """
        self.address = address
        self._ray = _loaded()
        _join(self._ray, address, cpus)
        self._open = True
        self._task = self._ray.remote(num_cpus=1, max_retries=TRIES - 1)(_work)
        if not (found := self._cpus()):
            self.close()
            raise ExecutorError(f"the Ray cluster at {address} has no processors; start a worker with `ray start`")
        self.workers = found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def put(self, value: Any) -> Put:
        """Arrays and Arrow buffers are kept once on every machine that needs them; workers map them, read-only."""
        with self._told("a value could not be put"):
            return Put(self._ray.put(value))

    def map(
        self,
        fn: Callable[..., R],
        shards: Iterable[Shard],
        *shared: Any,
        progress: Progress = quiet,
        cancelled: Callable[[], bool] = never,
    ) -> Iterator[R]:
        todo = list(shards)
        refs: dict[int, Any] = {}
        self.workers = self._cpus() or self.workers  # machines come and go
        try:
            for place in range(len(todo)):
                yield self._result(fn, todo, shared, place, refs, cancelled)
                progress(place + 1, len(todo))
        finally:
            for ref in refs.values():
                self._ray.cancel(ref)

    def _result(
        self,
        fn: Callable[..., R],
        todo: Sequence[Any],
        shared: Sequence[Any],
        place: int,
        refs: dict[int, Any],
        cancelled: Callable[[], bool],
    ) -> R:
        """The result of one shard, while those after it are begun."""
        with self._told(f"shard {place + 1} of {len(todo)}"):
            while True:
                stop_if(cancelled, place, len(todo))
                for n in range(place, min(place + AHEAD * self.workers, len(todo))):
                    if n not in refs:
                        refs[n] = self._task.remote(fn, todo[n], shared)
                if self._ray.wait([refs[place]], timeout=WAIT)[0]:
                    found: R = self._ray.get(refs.pop(place))
                    return found

    def close(self) -> None:
        if self._open:
            self._open = False
            _leave(self._ray)

    def _cpus(self) -> int:
        with self._told("the processors of the cluster could not be counted"):
            return int(self._ray.cluster_resources().get("CPU", 0))

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """What the work raised as it is, what Ray raised as ExecutorError."""
        errors = self._ray.exceptions
        try:
            yield
        except errors.RayTaskError as error:
            if isinstance(error.cause, Exception) and not isinstance(error.cause, errors.RayError):
                raise error.cause from error
            raise _unusable(what, error) from error
        except (errors.WorkerCrashedError, errors.NodeDiedError, errors.OutOfMemoryError) as error:
            raise ExecutorError(
                f"a worker died {TRIES} times at {what}; it may need more memory than there is: use fewer workers or "
                "smaller shards"
            ) from error
        except errors.RayError as error:
            raise _unusable(what, error) from error


def _work(fn: Callable[..., R], shard: Any, shared: Sequence[Any]) -> R:
    """In a worker: the function with the values that were put."""
    return fn(shard, *(_read(one.ref) if isinstance(one, Put) else one for one in shared))


@lru_cache(maxsize=KEPT)
def _read(ref: Any) -> Any:
    """The value behind a reference, taken apart once in a worker and not for every shard."""
    return need("ray", "ray").get(ref)


def _unusable(what: str, error: Exception) -> ExecutorError:
    last = next((line for line in reversed(str(error).splitlines()) if line.strip()), type(error).__name__)
    return ExecutorError(
        f"{what}: Ray gave up ({last.strip()}); every machine of the cluster needs the same Python, Ray and kgrisk, "
        "and must be reached from the others"
    )


def _loaded() -> Any:
    """Ray itself. It reads the environment when it is loaded."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    os.environ.setdefault("RAY_task_oom_retries", str(TRIES - 1))  # for ever, otherwise
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".*")  # a dead node is told on stdout, amid JSON, otherwise
    return need("ray", "ray")


_joined = threading.Lock()
_users = [0]
"""Open executors of this process: it has one connection to one cluster, and the last one ends it."""


def _join(ray: Any, address: str, cpus: int | None) -> None:
    """Connect this process unless it is connected already."""
    with _joined:
        if not ray.is_initialized():
            with kept():  # Ray puts itself in the place of a Java machine that may live in this process
                _connect(ray, address, cpus)
            _users[0] = 0
        elif not _same(ray, address):
            raise ExecutorError(
                f"this process works on another Ray cluster than {address!r} already; close that executor first"
            )
        _users[0] += 1


def _leave(ray: Any) -> None:
    with _joined:
        _users[0] -= 1
        if _users[0] == 0:
            with kept():
                ray.shutdown()


def _same(ray: Any, address: str) -> bool:
    if address in ("auto", "local") or address.startswith("ray://"):
        return True
    return bool(ray.get_runtime_context().gcs_address == address)


def _connect(ray: Any, address: str, cpus: int | None) -> None:
    options: dict[str, Any] = {"logging_level": QUIET, "log_to_driver": False}
    if address == "local":
        options |= {"num_cpus": cpus, "include_dashboard": False, "_node_ip_address": LOOPBACK}
    elif address != "auto":
        _answers(address)
        if address.startswith("127."):  # of several nodes on this machine, the one at the head's address
            options["_node_ip_address"] = address.rpartition(":")[0]
    if address.startswith("ray://"):
        options = {}
    before = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address, **options)
    except (ConnectionError, RuntimeError, ValueError, OSError, ImportError, ray.exceptions.RayError) as error:
        ray.shutdown()
        raise ExecutorError(
            f"no Ray cluster can be used at {address!r} ({_first(error)}); start one with `ray start --head`, give its "
            "address as host:port on a machine of the cluster or ray://host:port elsewhere, or use `local`"
        ) from error
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)  # Ray puts its own in the place of ours


def _first(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def _answers(address: str) -> None:
    """ExecutorError unless somebody listens there: Ray itself tries for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit() or "/" in host:
        raise ExecutorError(
            f"{address!r} is no address of a Ray cluster; write host:port, ray://host:port, auto or local"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=SECONDS).close()
    except OSError as error:
        raise ExecutorError(
            f"nobody answers at {address} ({error}); start Ray there with `ray start --head --port={port}`, or correct "
            "the address"
        ) from error
