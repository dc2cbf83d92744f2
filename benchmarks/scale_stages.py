"""The stages of benchmarks/scale.py: each does one thing with the graph that lies in a home, and tells what it took."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.scale import AT, CHANGED, PER_NODE, SCENARIOS, TRAINED, Told, batches, claims, rows, timed
from kg.ledger import Ledger
from kg.model import AsOf, ClaimBatch, RunManifest
from kg.snapshot import Snapshot
from queries.scenario import Kind

CUT = datetime(2024, 1, 1, tzinfo=UTC)
ROUNDS = 3
"""Turns in which a snapshot is opened and its files are read."""
BLOCK = 8 << 20
"""Scenarios times nodes that are shocked at once."""


def opened(home: Path) -> Ledger:
    ledger = Ledger.open(home / "ledger")
    assert ledger.head  # opened and warm: the question alone is timed
    return ledger


def view(home: Path) -> Snapshot:
    return seen(home, opened(home))


def seen(home: Path, ledger: Ledger) -> Snapshot:
    """The graph before the change that `increment` makes, so that no stage hangs on which ones ran before it."""
    return _of(ledger, ledger.head - (home / "changed").exists())


def commit(home: Path, edges: int) -> Told:
    """The claims as commits of a million edges each."""
    rmtree(home, ignore_errors=True)
    told: Told = {"claims": 0}
    with Ledger.open(home / "ledger") as ledger:
        for number, batch in enumerate(batches(edges // PER_NODE, edges)):
            with timed(told):
                ledger.commit(batch, RunManifest("benchmark", {"batch": number}))
            told["claims"] += len(batch)
    told["bytes"] = sum(file.stat().st_size for file in (home / "ledger").rglob("*.parquet"))
    return told


def alive(home: Path, edges: int) -> Told:
    """The as-of view: which claims are alive and heard at an instant, counted."""
    from kg.project import ALIVE

    told, con = Told(), opened(home).cursor()
    asked = f"SELECT count(*) FROM ({ALIVE.format(end=2**40)}) WHERE valid_from <= $at AND published <= $at"
    with timed(told):
        told["alive"] = con.execute(asked, {"at": AT.valid}).fetchall()[0][0]
    return told


def build(home: Path, edges: int) -> Told:
    """The snapshot, resolved from all claims and written to disk."""
    told, ledger = Told(), opened(home)
    rmtree(home / "cache", ignore_errors=True)
    with timed(told):
        made = seen(home, ledger)
    folder = next((home / "cache").glob("snapshot-*"))
    size = sum(file.stat().st_size for file in folder.iterdir())
    return told | {"nodes": len(made), "edges": made.edges.num_rows, "bytes": size}


def load(home: Path, edges: int) -> Told:
    """The snapshot opened from disk, and one column of it summed."""
    from kg.memory import own_bytes

    told, ledger, before = Told(), opened(home), own_bytes()
    with timed(told):
        total = summed(home, ledger)
    return told | {"checksum": total, "own_mib": (own_bytes() - before) / (1 << 20)}


def summed(home: Path, ledger: Ledger) -> int:
    return int(pc.sum(seen(home, ledger).edges["source"]).as_py())


def reopen(home: Path, edges: int) -> Told:
    """The same again, beside numpy, which reads the same files into memory.

    They take turns, and the fastest of each counts: what lies in the system's cache lies there for both.
    """
    ledger, turns = opened(home), [(Told(), Told()) for _ in range(ROUNDS)]
    number, total = str(seen(home, ledger).commit), summed(home, ledger)
    (folder,) = (one for one in (home / "cache").glob("snapshot-*") if one.name.split("-")[-3] == number)
    for own, raw in turns:
        with timed(own):
            assert summed(home, ledger) == total
        with timed(raw):
            for file in folder.iterdir():
                np.fromfile(file, np.uint8)
    best: list[Told] = [min(runs, key=lambda run: run["cpu_seconds"]) for runs in zip(*turns, strict=True)]
    return best[0] | {f"raw_{name}": value for name, value in best[1].items()}


def increment(home: Path, edges: int) -> Told:
    """A snapshot after a change of 1 %, from the one before it and anew; told beside a bare copy of its bytes."""
    from kg.cache import Cache
    from kg.increment import Increment, made
    from kg.made import Made

    told, whole, copied, ledger = Told(), Told(), Told(), opened(home)
    if not (home / "changed").exists():
        _change(ledger, edges)
        (home / "changed").touch()
    base, (number, at) = _of(ledger, ledger.head - 1), ledger.instant(AT)
    rmtree(home / "made", ignore_errors=True)
    one, two, three = (Cache(home / "made", name, ledger.uuid) for name in ("one", "two", "three"))
    one.save(Made.of(base))  # in the same folder, as under a ledger: tables that stay get a second name there
    with timed(told):
        way = Increment(ledger.cursor(), base, number, at).made()
        assert way is not None
        spliced = one.save(way, base)
    with timed(whole):
        anew = two.save(made(ledger.cursor(), None, number, at, ledger.uuid))
    with timed(copied):
        three.save(Made.of(anew))
    same = spliced == anew
    rmtree(home / "made")
    ratios = {f"{name}_of_full": told[name] / whole[name] for name in ("seconds", "cpu_seconds")}
    copies = {f"copy_{name}_of_full": copied[name] / whole[name] for name in ("seconds", "cpu_seconds")}
    return told | ratios | copies | {"full_cpu_seconds": whole["cpu_seconds"], "equal": same}


def _of(ledger: Ledger, commit: int) -> Snapshot:
    """The snapshot of a commit, as it lies on disk."""
    return ledger.view(AsOf(AT.valid, ledger.known(commit)))


def _change(ledger: Ledger, edges: int) -> None:
    """1 % of the edges: half of them told anew with another amount, a quarter new, a quarter taken back."""
    count = int(edges * CHANGED)
    old = _of(ledger, ledger.head)
    some = np.random.default_rng(7).choice(old.edges.num_rows, count * 3 // 4, replace=False)
    table = old.edges.take(pa.array(np.sort(some)))
    gone, moved = table.slice(0, count // 4), table.slice(count // 4)
    ids = np.array(old.ids, object)
    day = moved["valid_from"].to_numpy().astype("datetime64[us]") + np.timedelta64(1, "D")
    amounts = np.arange(1, moved.num_rows + 1)
    ends = (ids[moved[name].to_numpy()] for name in ("source", "target"))
    again = rows("edge", next(ends), "LENDS_TO", day, amounts, next(ends), edges)
    new = claims(edges // PER_NODE, 2 * edges, count // 4)
    batch = ClaimBatch.concat([again, new])
    ledger.commit(batch, RunManifest("benchmark", {"change": 1}), retract=gone["claim"].to_pylist())


def tensors(home: Path, edges: int) -> Told:
    """The graph as tensors, and the same in files for training."""
    from gnn.mapped import keep
    from gnn.tensors import GraphTensors, fitted_table
    from kg.files import Files

    told, snapshot = Told(), view(home)
    with timed(told):
        graph = GraphTensors.from_snapshot(snapshot, Files(home / "files"), [fitted_table(snapshot, CUT)], CUT)
    rmtree(home / "graph", ignore_errors=True)
    kept = Told()
    with timed(kept):
        keep(graph, home / "graph")
    return told | {"nodes": len(graph), "edges": len(graph.edges), "keep_cpu_seconds": kept["cpu_seconds"]}


def train(home: Path, edges: int) -> Told:
    """Steps of training on drawn neighbourhoods, 1,024 edges asked in each; an epoch is as many as ask all edges."""
    import torch

    from gnn.mapped import Mapped
    from gnn.model import Shape
    from gnn.models.relational import Relational
    from gnn.sampled import SampledLinkTask, Surroundings
    from gnn.train import Recipe, fit

    torch.set_num_threads(1)
    own = Mapped.open(home / "graph")
    task = SampledLinkTask(Surroundings(own, (10, 10)), 1024, 256, None)
    whole, task.rows = len(task.rows), task.rows[:: max(1, len(task.rows) // (1024 * TRAINED))][: 1024 * TRAINED]
    model = Relational(Shape.of(own.graph), dim=64, table=False, dropout=0.0)
    told = Told()
    with timed(told):
        run = fit(model, task, Recipe(epochs=1, weight_decay=0.0))
    steps = -(-whole // 1024)
    took = {f"epoch_{name}": told[name] / TRAINED * steps for name in ("seconds", "cpu_seconds")}
    return told | took | {"steps": TRAINED, "epoch_steps": steps, "loss": run.epochs[-1]["loss"]}


def score(home: Path, edges: int) -> Told:
    """Vectors of all nodes by a full pass, and 100 thousand edges scored by them."""
    import torch

    from gnn.mapped import Mapped
    from gnn.model import Shape
    from gnn.models.relational import Relational

    torch.set_num_threads(1)
    told, graph = Told(), Mapped.open(home / "graph").graph
    model = Relational(Shape.of(graph), dim=64, table=False, dropout=0.0).eval()
    with torch.no_grad(), timed(told):
        vectors = model.embed(graph)
    with torch.no_grad():
        assert torch.isfinite(vectors).all()
    return told | {"vectors": len(vectors)}


def _shocked(home: Path, name: str, scenarios: int, kind: Kind = "equity") -> Told:
    """A risk measure of so many scenarios, in blocks; in each another thousandth of the banks lose a half."""
    from queries.exposures import Exposures
    from queries.measure import RiskMeasure
    from queries.measure import build as built
    from queries.scenario import Shocks

    exposing, told, snapshot = Told(), Told(), view(home)
    with timed(exposing):
        exposures = Exposures.from_snapshot(snapshot)
        assert exposures.rows.nodes
    measure, n = built(RiskMeasure, name), len(exposures)  # type: ignore[type-abstract]  # a role is asked for
    random, total, size = np.random.default_rng(5), 0.0, max(1, min(scenarios, BLOCK // n))
    for first in range(0, scenarios, size):
        share = np.where(random.random((min(size, scenarios - first), n)) < 1e-3, 0.5, 0.0)
        with timed(told):
            total += float(measure.spread(exposures, Shocks.of(exposures, share, kind)).total.sum())
    return told | {"scenarios": scenarios, "total": total, "exposures_cpu_seconds": exposing["cpu_seconds"]}


def clearing(home: Path, edges: int) -> Told:
    """Eisenberg-Noe clearing."""
    return _shocked(home, "eisenberg_noe", SCENARIOS, "external")


def debtrank(home: Path, edges: int) -> Told:
    return _shocked(home, "debtrank", SCENARIOS)


def pagerank(home: Path, edges: int) -> Told:
    return _shocked(home, "pagerank", 1)


def project(home: Path, edges: int) -> Told:
    """Every version there ever was, in memory: what an export holds, and the first sync of a store."""
    told, ledger = Told(), opened(home)
    with timed(told):
        delta = ledger.delta(0)
    return told | {"versions": delta.opens.num_rows}


def sync(home: Path, edges: int) -> Told:
    """The embedded store, filled from nothing."""
    from kg.store import open_store

    told, ledger = Told(), opened(home)
    rmtree(home / "store", ignore_errors=True)
    store = open_store(f"arcadedb://{(home / 'store').resolve()}", home)
    with timed(told):
        report = store.sync(ledger)
    store.close()
    return told | {"opened": report.opened, "per_second": report.opened / told["seconds"]}


Stage = Callable[[Path, int], Told]
_ALL: Iterable[Stage] = (
    commit, alive, build, load, reopen, increment, tensors, train, score, clearing, debtrank, pagerank, project, sync
)  # fmt: skip
STAGES: dict[str, Stage] = {stage.__name__: stage for stage in _ALL}
