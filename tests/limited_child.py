"""A process that may take only so much memory, and does one stage there: it prints what came of it.

    python -m tests.limited_child STAGE LOANS SHARE

The share is of what the stage says that it needs, in hundredths. The stage is done once on a small graph before, so
that what is loaded and compiled once counts for neither.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, mkdtemp

import numpy as np

from kg.errors import TooLargeError
from kg.ledger import Ledger
from kg.snapshot import Snapshot
from queries import exposures, many
from queries.exposures import Exposures
from queries.measure import RiskMeasure, build
from queries.scenario import Shocks
from tests.large_world import DAY, large

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
Work = tuple[Callable[[], object], int]
"""What is done, and the bytes that it says it needs."""
SCENARIOS, DRAWN = 32, 40_000


def read(snapshot: Snapshot) -> Work:
    """Exposures with all that measures lay out of them."""

    def work() -> object:
        found = Exposures.from_snapshot(snapshot)
        return found.claims, found.rows, found.index, found.held, found.owed

    return work, exposures.NEED.of(edges=snapshot.edges.num_rows, nodes=len(snapshot))


def block(snapshot: Snapshot, name: str) -> Work:
    """Losses of a block of scenarios, as `kgrisk.supposing_blocks` asks for them."""
    x, measure = Exposures.from_snapshot(snapshot), build(RiskMeasure, name)  # type: ignore[type-abstract]  # a role
    measure.spread(x, Shocks.of(x, np.zeros((2, len(x)))))  # what hangs on no shock is kept
    random = np.random.default_rng(1)

    def work() -> object:
        x.check_block(SCENARIOS, measure=name)
        shares = (np.where(random.random(len(x)) < 1e-3, 0.5, 0.0) for _ in range(SCENARIOS))
        return measure.spread(x, Shocks.stack([Shocks.of(x, share, "external") for share in shares]))

    kind = name if name in exposures.BLOCK.each else "numbers"
    return work, exposures.BLOCK.of(**{kind: SCENARIOS * len(x)})


def draw(snapshot: Snapshot) -> Work:
    """Drawn scenarios."""
    count = DRAWN if len(snapshot) > SCENARIOS else 10
    assert snapshot.ids and snapshot.labels
    return lambda: many.drawn(snapshot, count), many.NEED.of(scenarios=count)


def tensors(snapshot: Snapshot) -> Work:
    """The graph as tensors with figures for every node, written to files for training."""
    from gnn.mapped import keep
    from gnn.tensors import NEED, GraphTensors, fitted_table
    from kg.files import Files

    encoder = fitted_table(snapshot, DAY)

    def work() -> object:
        with TemporaryDirectory() as folder:
            graph = GraphTensors.from_snapshot(snapshot, Files(Path(folder)), [encoder], DAY)
            keep(graph, Path(folder) / "graph")
            return graph

    return work, NEED.of(edges=snapshot.edges.num_rows, facts=snapshot.facts.num_rows, nodes=len(snapshot))


def learn(snapshot: Snapshot) -> Work:
    """An epoch of learning links by full passes."""
    from gnn.links import LinkTask
    from gnn.model import Shape
    from gnn.models.relational import Relational
    from gnn.room import NEED, check_pass, need_of_pass
    from gnn.tensors import GraphTensors
    from gnn.train import Recipe, fit

    graph = GraphTensors.with_facts(snapshot, DAY)[0]
    model = Relational(Shape.of(graph))

    def work() -> object:
        check_pass(model, graph)
        return fit(model, LinkTask(graph), Recipe(epochs=1))

    return work, NEED.of(**need_of_pass(model, graph))


def grown(snapshot: Snapshot) -> tuple[Path, Ledger, int]:
    """A home whose ledger has as many loans, and the bytes that all its versions need."""
    from benchmarks.scale import claims
    from kg.model import RunManifest
    from kg.project import NEED

    home = Path(mkdtemp(prefix="kgrisk-limited-"))
    atexit.register(rmtree, home)
    ledger, batch = Ledger.open(home / "ledger"), claims(len(snapshot), 0, snapshot.edges.num_rows)
    ledger.commit(batch, RunManifest("test"))
    return home, ledger, NEED.of(claims=len(batch))


def export(snapshot: Snapshot) -> Work:
    """Files for Neo4j's import tool."""
    from kg.files import Files
    from kgrisk.export_neo4j import export_import

    home, ledger, need = grown(snapshot)
    return lambda: export_import(ledger, Files(home / "files"), home / "out"), need


def fill(snapshot: Snapshot) -> Work:
    """What a first sync writes into a store, as text, in its transactions."""
    from kg.sync import stage

    _, ledger, need = grown(snapshot)

    def work() -> object:
        found = stage(None, ledger, lambda text: [])
        assert found is not None
        return sum(step.rows.nbytes for step in found.plan.steps(5_000))

    return work, need


STAGES: dict[str, Callable[[Snapshot], Work]] = {
    "read": read,
    "eisenberg_noe": lambda snapshot: block(snapshot, "eisenberg_noe"),
    "debtrank": lambda snapshot: block(snapshot, "debtrank"),
    "draw": draw,
    "tensors": tensors,
    "learn": learn,
    "export": export,
    "fill": fill,
}


def held(name: str) -> int:
    """Bytes by one of the kernel's figures."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return 1024 * int(line.split()[1])


def main() -> None:
    stage, loans, share = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    STAGES[stage](large(200))[0]()
    work, need = STAGES[stage](large(loans))
    room = need * share // 100
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what was let go before would be taken again and not be counted
    resource.setrlimit(resource.RLIMIT_DATA, (held("VmData") + room, resource.RLIM_INFINITY))
    CLEAR.write_text("5")  # forget the peak so far
    before, told = held("VmHWM"), "done"
    try:
        work()
    except (TooLargeError, MemoryError) as error:
        told = str(error) or "MemoryError"
    print(json.dumps({"told": told, "need": need, "room": room, "taken": held("VmHWM") - before}))


if __name__ == "__main__":
    main()
