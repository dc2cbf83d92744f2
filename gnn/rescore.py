"""Rescore: the scores of a former run's head on a later day, for the firms that a change could reach.

Between two trainings the head stands. A score is said anew only where the graph within as many hops as the head has
layers is not what it was (gnn/reach.py), from that part of the graph alone; all others stand as they were published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from warnings import catch_warnings, simplefilter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from gnn.encoder import Encoder
from gnn.head import Cohort, cohort, distress_dates, fallen
from gnn.judge import Judge
from gnn.model import exact
from gnn.moved import kept
from gnn.pipeline import restored
from gnn.publish import SCORED, Writable, extractor, of_models
from gnn.reach import around, changed, within
from gnn.result import SCORE_ROWS
from gnn.tensors import Features, GraphTensors
from gnn.views import Ledgerlike, Views
from gnn.vocabulary import LABELS
from kg.executor import Executor, Here
from kg.files import Files
from kg.model import Claim, ClaimBatch, Evidence, Facts, RunManifest, as_time, iso

STILL: Final = 1e-9
"""Scores no further apart are the same: sums over a part of the graph are rounded in another order."""
PART: Final = 1 << 14
"""Firms that a worker scores at once. It is fixed, so that scores do not hang on how many workers there are."""
HERE: Final = Here()


@dataclass(frozen=True)
class Standing:
    """What scores were said of: a ledger as it stood, and a day."""

    source: Ledgerlike
    commit: int
    day: datetime


@dataclass(frozen=True)
class Rescored:
    """Scores said anew, and how many there were to say."""

    run: str
    """The training run whose head said them."""
    model: str
    now: Standing
    before: Standing | None
    """What the scores that stand were said of; None where all are said anew."""
    scores: pa.Table
    """SCORE_ROWS of the firms that a change could reach."""
    firms: int
    """Firms that have a score on the day."""
    reached: tuple[str, ...]
    """Ids that a change could reach, firms without a score among them."""
    hops: int
    part: int = 0
    """Firms scored at once; 0 where all were."""


@dataclass(frozen=True)
class Carried:
    """Firms on their graph with the head that scores them; on their way to a worker as arrays that all may share."""

    own: Cohort
    judge: Judge

    def __getstate__(self) -> dict[str, Any]:
        own, graph = self.own, self.own.graph
        features = {name: (one.rows.numpy(), one.values.numpy()) for name, one in graph.features.items()}
        bare = {field.name: getattr(graph, field.name) for field in fields(graph)} | {"features": features}
        told = {"rows": own.rows.numpy(), "truth": own.truth, "stricken": own.stricken.numpy(), "judge": self.judge}
        return told | {"graph": {n: v.numpy() if isinstance(v, Tensor) else v for n, v in bare.items()}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        graph: dict[str, Any] = {n: _tensor(v) if isinstance(v, np.ndarray) else v for n, v in state["graph"].items()}
        graph["features"] = {n: Features(*map(_tensor, parts)) for n, parts in graph["features"].items()}
        own = [_tensor(state["rows"]), state["truth"], _tensor(state["stricken"])]
        vars(self).update(own=Cohort(GraphTensors(**graph), *own), judge=state["judge"])


class Scorer:
    """The head of a run with what it reads, opened once."""

    def __init__(self, checkpoint: Path, files: Files, cache: Path | None = None, clip: Path | None = None) -> None:
        """ModelError where the run keeps no head, or is of another version."""
        self.checkpoint, self.files, self.cache = checkpoint, files, cache
        self.judge = Judge.load(checkpoint)
        self.facts: dict[str, Any] = restored(checkpoint)[1]
        self.encoders: list[Encoder] = kept(checkpoint, self.facts, clip)

    def cohort(self, at: Standing) -> Cohort:
        """The firms at risk on a day, as the ledger stood; what became of them is left out."""
        return self._surroundings(at)[1]

    def _surroundings(self, at: Standing) -> tuple[dict[str, list[datetime]], Cohort]:
        views = Views(at.source, self.files, self.cache)
        known = distress_dates(views.public(at.day))
        return known, cohort(views.tensors(at.day, self.encoders), known, set())

    def fell(self, at: Standing, start: datetime, until: datetime) -> set[str]:
        """Nodes that fell in the window from `start`, as the ledger tells it on a day."""
        views = Views(at.source, self.files, self.cache)
        later, told = distress_dates(views.public(at.day)), distress_dates(views.public(min(at.day, until)))
        return fallen(later, told, start, until)

    def rescored(
        self, now: Standing, before: Standing | None = None, executor: Executor | None = None, part: int = 0
    ) -> Rescored:
        """Scores of the firms that changed surroundings since `before`; of all firms without one.

        Where there are more than `part` firms to score (0: any number at once), they are scored so many at a time.
        """
        known, whole = self._surroundings(now)
        hops = self.judge.reach
        if before is None:
            reach = torch.ones(len(whole.graph), dtype=torch.bool)
        else:
            was, old = self._surroundings(before)
            first = changed(old.graph, whole.graph) | _stirred(was, known, whole.graph)
            reach = within(whole.graph, first, hops)
        own = whole if before is None else narrowed(whole, reach, hops)
        ids = tuple(whole.graph.ids[row] for row in torch.nonzero(reach).squeeze(1).tolist())
        part = part if part < len(own) else 0
        made = self.scores(own, executor or HERE, part)
        return Rescored(self.checkpoint.name, self.facts["model"], now, before, made, len(whole), ids, hops, part)

    def scores(self, own: Cohort, executor: Executor = HERE, part: int = 0) -> pa.Table:
        """Calibrated probabilities with their range, where the run keeps what makes ranges.

        A part is scored on the graph that its firms' scores hang on, so the bits are those of the same parts anywhere.
        """
        if not len(own):
            return SCORE_ROWS.empty_table()
        carried = Carried(own, self.judge)
        size = part or len(own)
        spans = [(at, min(at + size, len(own))) for at in range(0, len(own), size)]
        made = list(executor.map(ranged, spans, executor.put(carried))) if part else [ranged(spans[0], carried)]
        probability = np.concatenate([said for said, _, _ in made])
        low, high = (None if made[0][n] is None else np.concatenate([one[n] for one in made]) for n in (1, 2))
        rows = own.rows.tolist()
        columns: Mapping[str, Any] = {
            "id": [own.graph.ids[row] for row in rows],
            "label": [LABELS[int(own.graph.labels[row])] for row in rows],
            "distress": probability.tolist(),
            **({} if low is None or high is None else {"low": low.tolist(), "high": high.tolist()}),
        }
        return pa.table({n: columns.get(n, [None] * len(rows)) for n in SCORE_ROWS.names}, schema=SCORE_ROWS)


Ends = tuple[np.ndarray, np.ndarray | None, np.ndarray | None]


def ranged(span: tuple[int, int], carried: Carried) -> Ends:
    """In a worker: probabilities with their ranges of the firms from one place to another."""
    own = carried.own
    if span != (0, len(own)):
        asked = torch.zeros(len(own.graph), dtype=torch.bool)
        asked[own.rows[span[0] : span[1]]] = True
        own = narrowed(own, asked, carried.judge.reach)
    with exact(1):
        return carried.judge.ranged(own)


def _tensor(array: np.ndarray) -> Tensor:
    """A tensor on an array that many read and nobody writes."""
    with catch_warnings():
        simplefilter("ignore", UserWarning)  # torch warns of what may not be written
        return torch.from_numpy(array)


def narrowed(whole: Cohort, reach: Tensor, hops: int) -> Cohort:
    """The firms of a cohort that are within reach, on the part of the graph that their scores hang on."""
    mine = reach[whole.rows]
    asked = torch.zeros(len(whole.graph), dtype=torch.bool)
    asked[whole.rows[mine]] = True
    graph, rows = around(whole.graph, asked, hops)
    stricken = whole.stricken[torch.tensor([whole.graph.index[id] for id in graph.ids], dtype=torch.int64)]
    return replace(whole, graph=graph, rows=rows, truth=whole.truth[mine.numpy()], stricken=stricken)


def _stirred(was: Mapping[str, Any], known: Mapping[str, Any], graph: GraphTensors) -> Tensor:
    """(nodes,) bool: those of which other dates of distress are known than before."""
    return torch.tensor([was.get(id) != known.get(id) for id in graph.ids], dtype=torch.bool)


def manifest(found: Rescored) -> RunManifest:
    """What was asked of which data, and a line for every score; the same question gives the same id."""
    before = found.before and {"commit": found.before.commit, "day": iso(found.before.day)}
    details = {
        "of": found.run,
        "model": found.model,
        "extractor": extractor(found.model),
        "day": iso(found.now.day),
        "commit": found.now.commit,
        "before": before,
        "hops": found.hops,
        "firms": found.firms,
        "rows": [_line(row) for row in found.scores.to_pylist()],
        **({"part": found.part} if found.part else {}),
    }
    return RunManifest("score", details)


def _line(row: Mapping[str, Any]) -> str:
    ends = "" if row["low"] is None else f", from {row['low']!r} to {row['high']!r}"
    return f"{row['id']}: distress {row['distress']!r}{ends}"


def publish(ledger: Writable, files: Files, found: Rescored) -> tuple[int, int]:
    """Commit the scores that are not what is said already; gives the commit and how many scores that are.

    What was said of the same day by any run, of a firm within reach, is corrected; scores of other days stay as the
    history they are. Nothing is written of a firm whose score stands.
    """
    alive = ledger.alive()
    said = alive.filter(pc.and_(of_models(alive), pc.is_in(alive["name"], pa.array(SCORED))))
    today = said.filter(pc.equal(said["published"], pa.scalar(as_time(found.now.day), pa.timestamp("us", "UTC"))))
    same = _unmoved(said, found.scores) if found.before is not None else set[str]()
    run = manifest(found)
    files.put(run.to_bytes())
    rows = [(n, row) for n, row in enumerate(found.scores.to_pylist()) if row["id"] not in same]
    reached = set(found.reached) - same
    wrong = [r["claim"] for r in today.select(["claim", "subject"]).to_pylist() if r["subject"] in reached]
    made = ClaimBatch.of([_claim(found, run.id, n, row) for n, row in rows])
    return ledger.commit(made, run, retract=wrong), len(rows)


def _claim(found: Rescored, run: str, number: int, row: Mapping[str, Any]) -> Claim:
    ends = {} if row["low"] is None else {"distress_low": row["low"], "distress_high": row["high"]}
    proof = Evidence(run, f"run:{run} row:{number}", _line(row), extractor(found.model), 1.0)
    what = Facts(row["id"], {"distress": row["distress"], **ends})
    return Claim(what, proof, found.now.day, valid_from=found.now.day)


def _unmoved(said: pa.Table, scores: pa.Table) -> set[str]:
    """Firms whose latest score and range are those found now."""
    order = said.sort_by([(name, "ascending") for name in ("valid_from", "published", "commit")])
    columns = [order[name].to_pylist() for name in ("subject", "name", "value_real")]
    latest = {(id, name): value for id, name, value in zip(*columns, strict=True)}
    still = set()
    for row in scores.to_pylist():
        before = [latest.get((row["id"], name)) for name in SCORED]
        if all(_alike(*pair) for pair in zip(before, (row["distress"], row["low"], row["high"]), strict=True)):
            still.add(row["id"])
    return still


def _alike(before: float | None, now: float | None) -> bool:
    return before == now if before is None or now is None else abs(before - now) <= STILL
