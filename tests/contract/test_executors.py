"""What every executor holds: the same results in the same order, errors as they are, progress, cancelling."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pytest

from kg.errors import CancelledError, ExecutorError, MeasureError
from kg.executor import TRIES, Executor, Here, Pool
from kgrisk.ray import Ray
from tests.ray_cluster import Nodes, two_nodes

SHARDS = list(range(23))
ON_RAY = pytest.param("ray", marks=[pytest.mark.ray, pytest.mark.slow])


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with two_nodes() as nodes:
        yield nodes


@pytest.fixture(scope="module", params=["here", "two", "one", ON_RAY])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """Every executor there is."""
    yield from _opened(request)


@pytest.fixture(scope="module", params=["two", ON_RAY])
def apart(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """Executors whose workers are other processes than this one."""
    yield from _opened(request)


def _opened(request: pytest.FixtureRequest) -> Iterator[Executor]:
    made: dict[str, Callable[[], Executor]] = {"here": Here, "two": lambda: Pool(2), "one": lambda: Pool(1)}
    made["ray"] = lambda: Ray(request.getfixturevalue("nodes").address)
    executor = made[request.param]()
    yield executor
    executor.close()


def every_seventh(start: int, values: np.ndarray, table: pa.Table) -> tuple[int, float, int]:
    """Bits that would differ if sums were taken in another order."""
    return start, float(np.add.reduce(values[start::7])), table["n"][start].as_py()


def test_results_have_the_same_bits_in_the_order_of_the_shards(executor: Executor) -> None:
    values, table = np.random.default_rng(0).normal(size=100_003), pa.table({"n": SHARDS})
    shared = executor.put(values), executor.put(table)
    found = list(executor.map(every_seventh, SHARDS, *shared))
    assert found == [every_seventh(start, values, table) for start in SHARDS]
    assert list(executor.map(every_seventh, [], *shared)) == []


def refuse(shard: int) -> int:
    if shard == 5:
        raise MeasureError("the fifth is no number")
    return shard


def test_an_error_of_the_work_is_raised_as_it_is_after_what_came_before_it(executor: Executor) -> None:
    told = []
    with pytest.raises(MeasureError, match="the fifth is no number"):
        for result in executor.map(refuse, SHARDS):
            told.append(result)
    assert told == [0, 1, 2, 3, 4]
    assert list(executor.map(refuse, SHARDS[:5])) == SHARDS[:5]


def same(shard: int) -> int:
    return shard


def test_progress_counts_every_shard_once(executor: Executor) -> None:
    seen: list[tuple[int, int]] = []
    assert list(executor.map(same, SHARDS, progress=lambda done, whole: seen.append((done, whole)))) == SHARDS
    assert seen == [(n, len(SHARDS)) for n in range(1, len(SHARDS) + 1)]


def test_what_is_cancelled_says_how_far_it_came_and_the_executor_goes_on_working(executor: Executor) -> None:
    told: list[int] = []
    with pytest.raises(CancelledError, match=f"after 4 of {len(SHARDS)} shards"):
        for result in executor.map(same, SHARDS, cancelled=lambda: len(told) == 4):
            told.append(result)
    assert told == [0, 1, 2, 3] and list(executor.map(same, SHARDS)) == SHARDS


def die_once(shard: int, marks: Sequence[str]) -> int:
    """Ends its own process at shards that have a mark, once each."""
    mark = Path(marks[shard])
    if mark.exists():
        mark.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    return shard * shard


def test_workers_that_are_killed_lose_nothing_and_double_nothing(apart: Executor, tmp_path: Path) -> None:
    marks = [tmp_path / str(shard) for shard in SHARDS]
    for shard in (2, 3, 11, 22):
        marks[shard].touch()
    assert list(apart.map(die_once, SHARDS, [str(mark) for mark in marks])) == [n * n for n in SHARDS]
    assert not any(mark.exists() for mark in marks)


LONG = 16 << 20
ANSWERS = """
import sys
from pathlib import Path
from kg.executor import Pool
from tests.contract.test_executors import answer_at_length

if __name__ == "__main__":
    with Pool(2) as pool:
        print(*(len(one) for one in pool.map(answer_at_length, range(6), Path(sys.argv[1]))))
"""


def answer_at_length(shard: int, mark: Path) -> bytes:
    """Many bytes; once, nobody reads for a while, the worker of the first shard answers and is killed meanwhile."""
    if shard == 0 and mark.exists():
        dealer, worker = os.getppid(), os.getpid()
        subprocess.Popen(["sh", "-c", f"kill -STOP {dealer}; sleep 1; kill -KILL {worker}; kill -CONT {dealer}"])
        time.sleep(0.2)  # until it has stopped
        mark.unlink()
        return bytes(LONG)
    while mark.exists():
        time.sleep(0.01)
    time.sleep(0.3)  # the first goes before
    return bytes(LONG)


@pytest.mark.faults
def test_a_worker_that_is_killed_in_the_middle_of_its_answer_stops_nobody(tmp_path: Path) -> None:
    """Not those either that wait to give theirs, nor the one who reads: no pipe that all share takes a long answer."""
    (mark := tmp_path / "mark").touch()
    (tmp_path / "answers.py").write_text(ANSWERS)
    told = subprocess.run(
        [sys.executable, tmp_path / "answers.py", mark],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert told.stdout.split() == [str(LONG)] * 6 and not mark.exists(), told.stderr


def die(shard: int) -> int:
    if shard == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return shard


def test_a_shard_that_kills_every_worker_is_named_after_what_came_before_it(apart: Executor) -> None:
    told = []
    with pytest.raises(ExecutorError, match=f"died {TRIES} times at shard 8 of 23.*fewer workers"):
        for result in apart.map(die, SHARDS):
            told.append(result)
    assert told == SHARDS[:7] and list(apart.map(same, SHARDS)) == SHARDS


def die_behind(shard: int) -> int:
    """The first shard takes its time while a later one kills its worker."""
    if shard == 0:
        time.sleep(2)
    if shard == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return shard


def test_a_slow_shard_is_not_blamed_for_a_later_one_that_kills_its_worker(apart: Executor) -> None:
    told = []
    with pytest.raises(ExecutorError, match=f"died {TRIES} times at shard 3 of 4"):
        for result in apart.map(die_behind, range(4)):
            told.append(result)
    assert told == [0, 1]


ORPHANS = """
import os, sys, time
from kg.executor import Pool
from tests.contract.test_executors import who

if __name__ == "__main__":
    pool = Pool(2)
    print(pool.put(bytes(9)).path, *set(pool.map(who, range(12))), flush=True)
    time.sleep(600)
"""


def who(_: int) -> int:
    time.sleep(0.05)
    return os.getpid()


@pytest.mark.faults
def test_workers_and_what_was_put_go_with_a_process_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "orphans.py").write_text(ORPHANS)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen([sys.executable, tmp_path / "orphans.py"], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        put, *workers = parent.stdout.readline().decode().split()
        folder, running = Path(put).parent, [psutil.Process(int(one)) for one in workers]
        assert running and folder.is_dir()
        parent.kill()
    assert psutil.wait_procs(running, timeout=60)[1] == [] and not folder.exists()


def address(_: int, values: np.ndarray) -> tuple[bool, int]:
    """Whether an array may be written, and the resident memory of this process."""
    values.sum()
    return values.flags.writeable, int(Path("/proc/self/statm").read_text().split()[2]) * os.sysconf("SC_PAGE_SIZE")


def total(times: int, values: np.ndarray) -> float:
    return float(times * values.sum())


def test_what_was_put_is_mapped_by_the_workers_and_not_copied_into_them(apart: Executor) -> None:
    small, large = apart.put(np.zeros(8)), apart.put(np.ones(16_000_000))
    before = max(shared for _, shared in apart.map(address, range(4), small))
    after = list(apart.map(address, range(8), large))
    assert not any(writeable for writeable, _ in after)
    # resident shared pages grow with what is mapped; an own copy would not be shared
    assert max(shared for _, shared in after) - before > 100_000_000


def test_what_was_put_is_let_go_with_its_handle_and_not_while_a_worker_may_ask_for_it() -> None:
    with Pool(2) as pool:
        kept = pool.put(np.ones(1_000))
        found = pool.map(total, [2, 3], kept)
        path = kept.path
        del kept
        assert next(found) == 2_000.0 and path.exists()
        assert list(found) == [3_000.0]
        assert not path.exists() and path.parent.exists()


@pytest.mark.parametrize("make", [lambda: Pool(0)])
def test_no_workers_are_refused(make: Callable[[], Pool]) -> None:
    with pytest.raises(ExecutorError, match="ask for at least 1"):
        make()
