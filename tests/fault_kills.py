"""Children that are killed: a fork server that makes them, and the seeded choice of the calls at which they die."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from random import Random
from signal import SIGKILL
from typing import Any

from tests.fault_child import GROWTH, LEARNING, Order, read

STORES = ("arcadedb", "neo4j")
CELLS = [(stage, "") for stage in LEARNING] + [(stage, store) for store in STORES for stage in GROWTH]
"""What is killed: each stage that writes to no store, and each of the others on each store."""
KILLS = int(os.environ.get("KGRISK_KILLS") or 20)
"""How often a child is killed in all stages together, on both stores; 100 by `make soak`."""
SEED = int(os.environ.get("KGRISK_FAULT_SEED") or 11)
"""Of the choice of the calls. It is printed: the same seed kills at the same calls again."""
LEAST = 2
"""Kills of each stage, on each store, at least."""
FORKS = get_context("forkserver")
FORKS.set_forkserver_preload(["tests.fault_child"])

Said = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Kill:
    """A call at which a child dies."""

    stage: str
    number: int


def child(work: Callable[[Order], None], order: Order) -> Said:
    """What a child said before it ended, or was killed where the order says."""
    order.said.unlink(missing_ok=True)
    process = FORKS.Process(target=work, args=(order,))
    process.start()
    process.join(300)
    said = read(order.said)
    assert process.exitcode == (-SIGKILL if order.number else 0), f"{order} ended with {process.exitcode}: {said}"
    assert not order.number or (said[-1]["killed"], said[-1]["number"]) == (order.stage, order.number)
    return said


def at(order: Order, kill: Kill) -> Order:
    """The same order, to die at a call."""
    return replace(order, stage=kill.stage, number=kill.number)


def dealt(total: int = KILLS) -> dict[tuple[str, str], int]:
    """How many kills each stage gets on each store ("" where it writes to none), at least LEAST."""
    share, more = divmod(total, len(CELLS))
    return {cell: max(LEAST, share + (place < more)) for place, cell in enumerate(CELLS)}


def chosen(calls: Mapping[str, int], stages: Sequence[str], store: str = "") -> list[Kill]:
    """Calls at which to kill, drawn by the seeded generator from each stage; each call once before any twice."""
    random, found = Random(f"{SEED} {store}"), list[Kill]()
    for stage in stages:
        count, wanted = calls[stage], dealt()[stage, store]
        assert count >= LEAST, f"{stage} has {count} I/O calls, of which {LEAST} are to be killed"
        pool = [number for _ in range(-(-wanted // count)) for number in random.sample(range(1, count + 1), count)]
        found += [Kill(stage, number) for number in sorted(pool[:wanted])]
    print(f"to repeat: KGRISK_FAULT_SEED={SEED} KGRISK_KILLS={KILLS}; of {dict(calls)} these are killed: {found}")
    return found


def folder_of(path: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path."""
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}
