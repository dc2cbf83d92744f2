"""A run is killed inside what libraries write natively: a commit of Delta, a transaction of the embedded store.

The kernel tells of every file that is written (inotify), and the child dies at a seeded one of these moments, so amid a
commit and not only before or after it. Nothing that was acknowledged is lost, nothing stands twice, and the next run
ends as one that was never disturbed. That some such death did leave something half written is asserted as well; an
entry of the log is given its name in one step, so of those there is nothing half.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from deltalake import DeltaTable

from tests.fault_child import Order, grow, read
from tests.fault_kills import FORKS, KILLS, SEED
from tests.file_events import FileEvents
from tests.test_faults import Ground, check_log, log_of, write_inputs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.faults,
    pytest.mark.skipif(sys.platform != "linux", reason="inotify is a part of Linux"),
]
TIMES = KILLS // 5
"""Kills in each kind of file: 4 by `make test`, 20 by `make soak`."""
MORE = 6
"""So many times as often where none died amid a write: a busy machine hands out the signal late."""
EARLY = 0.9
"""Part of the moments of a calm run from which is drawn: the kernel joins some, so a run can have fewer."""
Asked = Callable[[Path], bool]


def of_rows(path: Path) -> bool:
    """Whether the file holds rows of a commit of Delta, which no reader sees before its entry in the log is there."""
    return "ledger" in path.parts and path.suffix == ".parquet"


def of_entries(path: Path) -> bool:
    """Whether the file is an entry of Delta's log, or the beginning of one."""
    return "_delta_log" in path.parts


def of_the_store(path: Path) -> bool:
    """Whether the embedded store writes the file."""
    return "store" in path.parts


def struck(order: Order, asked: Asked, number: int = 0) -> int:
    """Moments of a child's writing that were told; at `number`, if not 0, it is killed, unless it ended before."""
    order.said.unlink(missing_ok=True)
    with FileEvents(order.home) as events:
        process, seen = FORKS.Process(target=grow, args=(order,)), 0
        process.start()
        while process.is_alive():
            for path in events.told(0.05):
                seen += asked(path)
                if seen == number and asked(path):
                    assert process.pid
                    os.kill(process.pid, signal.SIGKILL)
                    process.join(60)
                    print(f"killed at {number}: {path.name}")
                    break
        process.join(60)
    killed = 0 < number <= seen
    assert process.exitcode == (-signal.SIGKILL if killed else 0), f"{number} of {order}: {read(order.said)}"
    return seen


def drawn_of(count: int, random: Random) -> list[int]:
    """So many moments as are to be killed at, each once before any twice."""
    pool = [number for _ in range(-(-TIMES // count)) for number in random.sample(range(1, count + 1), count)]
    return sorted(pool[:TIMES])


def half_committed(home: Path) -> bool:
    """Whether the ledger's folder has a file of rows that no entry of the log names."""
    table = home / "ledger" / "table"
    whole = any((table / "_delta_log").glob("*.json"))
    named = {Path(file).name for file in DeltaTable(table).file_uris()} if whole else set[str]()
    return any(path.name not in named for path in table.rglob("*.parquet"))


def half_written(home: Path) -> bool:
    """Whether the store's own log holds what it has not yet brought to its pages."""
    return any(file.stat().st_size > 0 for file in (home / "store").rglob("*.wal"))


@pytest.mark.parametrize(
    ("asked", "torn"), [(of_rows, half_committed), (of_entries, None), (of_the_store, half_written)]
)
def test_kills_inside_a_native_write_lose_and_double_nothing(asked: Asked, torn: Asked | None, tmp_path: Path) -> None:
    write_inputs(tmp_path / "inputs")
    ground = Ground(f"arcadedb://{tmp_path / 'store'}", tmp_path)
    calm = ground.order()
    moments = struck(calm, asked)
    graph, expected = read(calm.said)[-1]["hash"], log_of(calm.home)
    drawn = drawn_of(max(1, int(moments * EARLY)), Random(f"{SEED} {asked.__name__}"))
    print(f"KGRISK_FAULT_SEED={SEED} KGRISK_KILLS={KILLS}: of {moments} moments {drawn}")
    left = 0
    for turn, number in enumerate(drawn * MORE):
        if turn >= TIMES and (left or torn is None):
            break
        order = ground.order()
        while struck(order, asked, number) < number:  # the kernel joined some moments, so that it had fewer
            order, number = ground.order(), number - 1
        left += torn is not None and torn(order.home)
        check_log(order.home, read(order.said), expected)
        struck(order, asked)
        assert read(order.said)[-1]["hash"] == graph and log_of(order.home) == expected, number
    assert left or torn is None, f"none of {TIMES} died amid a write"
