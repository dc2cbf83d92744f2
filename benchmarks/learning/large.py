"""A graph of 100,000 nodes and 1,000,000 edges: learned, ranked, predicted, calibrated, and its distress scored.

Planted: firms and banks of 2,000 groups, each group a vector of complex numbers, and nodes that show the vector of
their group through noise. Relation k turns the numbers by angles of its own, and nine edges of ten lead to one of the
three groups that lie nearest to the turned vector; the tenth leads anywhere. So a held-out edge is foretold by the
vectors of its ends and not by counts. A fifth of the edges are documents that name firms.

Each part runs in a process of its own, so that its peak is its own; what the graph alone takes stands beside it.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from benchmarks.figure import Figure, peak_mib
from gnn.bound import bounded
from gnn.calibrate import UNLEARNED
from gnn.checkpoint import fill, load_tensors, save_tensors
from gnn.conformal import both_sides, strangeness
from gnn.evaluate import rank
from gnn.head import Cohort
from gnn.heads.network import Network
from gnn.heads.propagated import Propagated
from gnn.learned import judged
from gnn.links import LinkTask, best_links
from gnn.model import Shape
from gnn.models.frequency import Frequency
from gnn.models.relational import Relational
from gnn.pipeline import embeddings
from gnn.sampler import Sampler
from gnn.tensors import Features, GraphTensors, fitted_table
from gnn.train import Recipe, fit
from gnn.vocabulary import ONTOLOGY
from kg.files import Files
from kg.model import AsOf
from kg.snapshot import EDGES, FACTS, NODES, Snapshot

COUNT, LINKS, BANKS, DOCUMENTS, GROUPS, WIDTH = 100_000, 1_000_000, 1_000, 20_000, 2_000, 32
RELATIONS: Final = ("SUPPLIES", "OWNS", "COMPETES_WITH", "LENDS_TO")
NOW: Final = datetime(2024, 1, 1, tzinfo=UTC)
SCORES: Final = 1 << 22
EPOCHS, STEPS, QUESTIONS, ASKED = 8, 4, 4_000, 500


def planted(nodes: int = COUNT, links: int = LINKS, seed: int = 0) -> tuple[Snapshot, Tensor]:
    """The graph as a snapshot, and (nodes, WIDTH) what nodes show of their groups."""
    draw = np.random.default_rng(seed)
    share = nodes / COUNT
    banks, documents, groups = (max(2, int(n * share)) for n in (BANKS, DOCUMENTS, GROUPS))
    firms, group = nodes - documents, np.arange(nodes) % groups
    latent = draw.normal(size=(groups, WIDTH // 2)) + 1j * draw.normal(size=(groups, WIDTH // 2))
    parts, each = [], links // 5
    for kind in RELATIONS:
        head = draw.integers(firms - banks, firms, each) if kind == "LENDS_TO" else draw.integers(0, firms, each)
        turned = latent * np.exp(1j * draw.uniform(0, 2 * np.pi, WIDTH // 2))
        near = np.argsort(-(turned @ latent.conj().T).real, axis=1)[:, :3]
        goal = near[group[head], draw.integers(0, 3, each)] + groups * draw.integers(0, (firms - banks) // groups, each)
        tail = np.where(draw.random(each) < 0.9, goal, draw.integers(0, firms - banks, each))
        parts.append((np.full(each, kind), head, tail))
    parts.append((np.full(each, "MENTIONED_IN"), draw.integers(0, firms, each), draw.integers(firms, nodes, each)))
    labels = np.repeat(["Company", "Bank", "Document"], [firms - banks, banks, documents])
    shown = np.concatenate([latent.real, latent.imag], axis=1)[group] + draw.normal(size=(nodes, WIDTH)) * 0.5
    return snapshot(labels, parts), torch.from_numpy(shown).to(torch.float32)


def snapshot(labels: np.ndarray, parts: Sequence[tuple[np.ndarray, ...]]) -> Snapshot:
    kind, head, tail = (np.concatenate(column) for column in zip(*parts, strict=True))
    firms = np.flatnonzero(labels != "Document")
    edges = {"id": [f"e{n}" for n in range(len(kind))], "type": kind, "source": head, "target": tail}
    facts = {"subject": np.tile(firms, 2), "property": np.repeat(["assets", "equity"], len(firms))}
    facts["value_real"] = np.random.default_rng(1).lognormal(15, 1, 2 * len(firms))
    nodes = pa.table({"id": [f"n{n:06d}" for n in range(len(labels))], "label": labels}).cast(NODES)
    return Snapshot(nodes, filled(edges, EDGES), filled(facts, FACTS), AsOf(NOW, NOW, NOW), 1)


def filled(columns: dict[str, Any], schema: pa.Schema) -> pa.Table:
    """A table of the schema: published at the cut, and nothing where no column is given."""
    count = len(next(iter(columns.values())))
    clock = {name: [NOW] * count for name in ("valid_from", "known_from", "published")}
    made = {**clock, **columns}
    rows = [pa.array(made[f.name], f.type) if f.name in made else pa.nulls(count, f.type) for f in schema]
    return pa.Table.from_arrays(rows, schema=schema)


def tensors(nodes: int = COUNT, links: int = LINKS) -> tuple[GraphTensors, Tensor]:
    """The graph less 2 % of the loans and supplies, and those."""
    whole, shown = planted(nodes, links)
    graph = GraphTensors.from_snapshot(whole, Files(Path("files")), [fitted_table(whole, NOW)], NOW)
    graph = graph.with_features({**graph.features, "text": Features(torch.arange(len(graph)), shown[-len(graph) :])})
    gone = torch.rand(len(graph.edges), generator=torch.Generator().manual_seed(3)) < 0.02
    gone &= torch.isin(graph.edges[:, 1], kinds("SUPPLIES", "LENDS_TO"))
    return graph.without(gone), graph.edges[gone]


def kinds(*names: str) -> Tensor:
    return torch.tensor([ONTOLOGY.relations.index(name) for name in names])


def measure() -> list[Figure]:
    """Each part in a child of its own; training hands its weights on."""
    with TemporaryDirectory() as folder:
        told = {name: child(name, Path(folder)) for name in PARTS}
    size = f"{COUNT} nodes, {LINKS} edges drawn; at most {SCORES} scores at once"
    base = told["graph"]["peak"]
    figures = [Figure("the graph as tensors: seconds", told["graph"]["seconds"], unit="s", note=size)]
    figures += [
        Figure(f"{name}: peak memory", own["peak"], 4096, False, "MiB", f"the graph alone {base:.0f}")
        for name, own in told.items()
    ]
    for name in list(PARTS)[1:]:
        own = told[name]
        figures.append(Figure(f"{name}: CPU seconds", own["seconds"], unit="s", note=own.get("note", "")))
    train, rank_ = told["train"], told["rank"]
    figures.append(Figure("edges passed a CPU second in training", train["edges"], unit="1/s"))
    figures.append(Figure("MRR beside counting, times", rank_["mrr"] / rank_["counted"], 1.0, note=rank_["note"]))
    chance = (math.log(COUNT) + 0.577) / COUNT
    figures.append(
        Figure("MRR beside chance, times", rank_["mrr"] / chance, 1.0, note=f"chance, all nodes {chance:.5f}")
    )
    figures.append(Figure("nodes that two hops of 10 from 1,000 seeds reach", told["hops"]["share"], note=HOPS))
    return figures


HOPS: Final = "share of all: what sampled neighbours would compute for one step"


def child(name: str, folder: Path) -> dict[str, Any]:
    """What a part told, run by itself."""
    command = [sys.executable, "-m", "benchmarks.learning.large", name, str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def built(graph: GraphTensors) -> Relational:
    return Relational(Shape.of(graph), dim=32, seed=0)


def trained(graph: GraphTensors, folder: Path) -> Relational:
    """The model as the part `train` left it."""
    model = built(graph)
    fill(model, load_tensors(folder / "model")[0], folder)
    return model.eval()


def train(graph: GraphTensors, later: Tensor, folder: Path) -> dict[str, Any]:
    model, begun = built(graph), time.process_time()
    task = LinkTask(graph, steps=STEPS, questions=QUESTIONS)
    run = fit(model, task, Recipe(epochs=EPOCHS, rate=0.03, schedule="linear"))
    spent = time.process_time() - begun
    save_tensors(folder / "model", model.state_dict(), {})
    losses = ", ".join(f"{row['loss']:.3f}" for row in run.epochs)
    note = f"{EPOCHS} epochs of {QUESTIONS} edges asked in {STEPS} full passes each; losses {losses}"
    return {"edges": EPOCHS * STEPS * len(graph.edges) / spent, "note": note}


def ranked(graph: GraphTensors, later: Tensor, folder: Path) -> dict[str, Any]:
    asked = later[torch.randperm(len(later), generator=torch.Generator().manual_seed(5))[:ASKED]]
    own, counted = rank(trained(graph, folder), graph, asked), rank(Frequency(Shape.of(graph)), graph, asked)
    return {"mrr": own.mrr, "counted": counted.mrr, "note": f"{len(asked)} held out: {own.mrr:.5f}; {counted.mrr:.5f}"}


def predicted(graph: GraphTensors, later: Tensor, folder: Path) -> dict[str, Any]:
    found = best_links(trained(graph, folder), graph, UNLEARNED, 20, ("LENDS_TO",))
    hit = {tuple(row) for row in later.tolist()} & {tuple(row) for row in found.triples.tolist()}
    return {
        "note": f"the best {len(found.triples)} loans of all pairs of lender and borrower; {len(hit)} were held out"
    }


def calibrated(graph: GraphTensors, later: Tensor, folder: Path) -> dict[str, Any]:
    model, some = trained(graph, folder), later[:ASKED]
    said = judged(model, graph, some, seed=0)
    strange = strangeness(model, graph, both_sides(graph, some[:50]))
    above = float((said.score[: len(some)] > said.score[len(some) :]).mean())
    return {
        "note": f"right above wrong in {above:.3f} of {len(some)} pairs; {len(strange)} questions of conformal sets"
    }


def published(graph: GraphTensors, later: Tensor, folder: Path) -> dict[str, Any]:
    return {"note": f"{len(embeddings(trained(graph, folder), graph).ids)} vectors"}


def distressed(graph: GraphTensors, later: Tensor, folder: Path) -> dict[str, Any]:
    draw = torch.Generator().manual_seed(7)
    firms = graph.features["numeric"].rows
    truth = (graph.features["text"].values[firms, 0] + torch.randn(len(firms), generator=draw) > 3).double().numpy()
    cohort = Cohort(graph, firms, truth, torch.zeros(len(graph)))
    one = Propagated()
    one.fit([cohort], cohort)
    network = type("Short", (Network,), {"recipe": Recipe(epochs=1)})()
    network.fit([cohort], cohort)
    return {
        "note": f"{len(firms)} firms; heads: propagated whole, network for one epoch, twice; {len(one.predict(cohort))}"
    }


def hops(graph: GraphTensors, later: Tensor, folder: Path) -> dict[str, Any]:
    ends = graph.edges[:, [0, 2]].T.contiguous()
    both = torch.cat([ends, ends.flip(0)], dim=1)
    draw = torch.Generator().manual_seed(0)
    found = Sampler(both, len(graph)).sample(torch.randperm(len(graph), generator=draw)[:1000], None, (10, 10), draw)
    reached = torch.unique(torch.cat([hop.node for hop in found]))
    return {"share": len(reached) / len(graph), "note": f"{sum(len(hop.node) for hop in found)} edges drawn"}


def nothing(graph: GraphTensors, later: Tensor, folder: Path) -> dict[str, Any]:
    return {}


Part = Callable[[GraphTensors, Tensor, Path], dict[str, Any]]
PARTS: Final[dict[str, Part]] = {
    "graph": nothing,
    "train": train,
    "rank": ranked,
    "predict": predicted,
    "calibrate": calibrated,
    "vectors": published,
    "distress": distressed,
    "hops": hops,
}


def part(name: str, folder: Path) -> dict[str, Any]:
    """A part with the seconds it took, after the graph was there, and the peak of the process."""
    torch.set_num_threads(1)
    begun = time.process_time()
    graph, later = tensors()
    made = time.process_time()
    with bounded(SCORES):
        told = PARTS[name](graph, later, folder)
    spent = (made - begun) if name == "graph" else time.process_time() - made
    return {**told, "seconds": spent, "peak": peak_mib()}


if __name__ == "__main__":
    print(json.dumps(part(sys.argv[1], Path(sys.argv[2]))))
