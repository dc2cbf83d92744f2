"""Sampled: links of a graph too large for a full pass, learned from neighbourhoods that are drawn for each step.

Layer by layer, from the nodes asked for outwards: of the edges that reach a node at most so many are drawn (GraphSAGE,
Hamilton, Ying and Leskovec 2017), and a message weighs among those that were drawn, so their mean stands for the mean
over all. What is drawn for a node in a layer of a step hangs on the three alone (gnn/mapped.py), and so does what
dropout takes from it. So its vector is the same whoever computes it, and beside whatever else: the processes of a team
that deal the questions out among each other take the step of one process.

The answer t of a question is told from K other nodes, drawn for the step, by the estimate of its full softmax

    - s_t + log( e^s_t + N / K sum_k e^s_k )        N of all nodes and K of the drawn ones may answer, t left out

which is the full softmax where all nodes are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnn.convolution import Messages, both_ways, left
from gnn.device import CPU, where
from gnn.distributed import portion
from gnn.evaluate import rank as ranked
from gnn.incremental import SPOKEN
from gnn.layer import Layer
from gnn.mapped import Mapped, chance
from gnn.partition import Partition
from gnn.passing import Passing
from gnn.sample import predictable, reciprocal
from gnn.scale import Scale
from gnn.tensors import Features, GraphTensors
from kg.errors import ModelError

SCALED: Final = 1 << 17
"""Rows of a modality from which its scale is learned, at equal distances where there are more."""


@dataclass(frozen=True)
class Block:
    """The messages of one layer: from its nodes to the first so many of them, which the next layer needs."""

    nodes: Tensor
    """(nodes,) int64 rows of the graph; those that hear come first."""
    hear: int
    along: Any
    """Messages as the layers of the model take them, between places in `nodes`."""


class Surroundings:
    """Neighbourhoods in a mapped graph, for a model that passes messages, `fans` a layer; None draws all."""

    def __init__(self, mapped: Mapped, fans: Sequence[int | None]) -> None:
        if any(fan is not None and fan < 1 for fan in fans):
            raise ModelError(f"fans are {list(fans)}; each must be 1 or more, or None for all edges")
        self.mapped, self.fans = mapped, tuple(fans)

    def blocks(self, seeds: Tensor, key: int, hidden: Tensor, both: bool) -> list[Block]:
        """The layers from the outermost to that of the seeds. `hidden` are sorted numbers of edges that say nothing.

        `both` has messages of the two directions apart, else they are one.
        """
        made: list[Block] = []
        nodes, graph = seeds, self.mapped.graph
        for level, fan in reversed(list(enumerate(self.fans))):
            place, entry = self.mapped.drawn(nodes, fan, _mixed(key, level))
            if len(hidden):
                seen = hidden[torch.searchsorted(hidden, entry // 2).clamp(max=len(hidden) - 1)] != entry // 2
                place, entry = place[seen], entry[seen]
            speaks = speakers(graph, entry)
            wider = _widened(nodes, speaks)
            by_row, order = torch.sort(wider)
            source = order[torch.searchsorted(by_row, speaks)]
            made.append(Block(wider, len(nodes), messages(graph, entry, (source, place), len(wider), both)))
            nodes = wider
        return made[::-1]

    def embed(self, model: Passing, seeds: Tensor, key: int, hidden: Tensor | None = None) -> Tensor:
        """(seeds, dim) the vectors of different nodes, as `model.embed` has them where all edges are drawn."""
        self._check(model)
        none = torch.zeros(0, dtype=torch.int64)
        blocks = self.blocks(seeds, key, none if hidden is None else hidden, SPOKEN[model.name] is both_ways)
        share, deep = model.dropout if model.training else 0.0, len(self.fans)
        nodes = blocks[0].nodes if blocks else seeds
        x = begun(model, self.mapped.graph, nodes, hide=(share, _mixed(key, deep)))
        z = model.message if hasattr(model, "message") else model.relation[:0]
        for level, (block, layer, norm) in enumerate(zip(blocks, model.layers, model.norms, strict=True)):
            assert isinstance(layer, Layer)
            own, nodes = x[: block.hear], nodes[: block.hear]
            mixed = layer.loop(own, z, layer.heard(x, z, block.along)[: block.hear], block.along)
            added = _dropped(F.relu(mixed), nodes, share, _mixed(key, deep + 1 + level))
            x, z = norm(own + added), layer.onward(z)
        return x

    def _check(self, model: Passing) -> None:
        if model.name not in SPOKEN or model.settings.get("reads"):
            raise ModelError(
                f"model {model.name} cannot read drawn neighbourhoods; name {' or '.join(SPOKEN)}, with encoders that "
                "have learned before"
            )
        if len(self.fans) != len(model.layers):
            raise ModelError(f"{len(self.fans)} fans for {len(model.layers)} layers; give one for each layer")


def begun(
    model: Passing, graph: GraphTensors, rows: Tensor, table: bool = True, hide: tuple[float, int] = (0.0, 0)
) -> Tensor:
    """(rows, dim) vectors of some nodes before any message, by the rows of the model's table unless told otherwise.

    `hide` is a share of their modalities, and the key by which these are drawn.
    """
    own = model.label(graph.labels[rows])
    if table and model.settings["table"]:
        own = own + model.rows.weight[rows]
    share, key = hide
    features = {}
    for number, (name, every) in enumerate(sorted(graph.features.items())):
        part = _of_rows(every, rows)
        if share:
            stay = chance(rows[part.rows], torch.full_like(part.rows, number), key) >= share
            part = Features(part.rows[stay], part.values[stay])
        features[name] = part
    fused: Tensor = model.fusion(own, features)[0]
    return fused


def speakers(graph: GraphTensors, entry: Tensor) -> Tensor:
    """(entries,) the nodes from which edges reach others (gnn/mapped.py)."""
    ends = graph.edges[entry // 2]
    return torch.where(entry % 2 == 0, ends[:, 0], ends[:, 2])


def messages(graph: GraphTensors, entry: Tensor, ends: tuple[Tensor, Tensor], nodes: int, both: bool) -> Any:
    """The messages of entries as the layers of a model take them, from one end (entries,) to the other of `nodes`.

    `both` has those of the two directions apart, else they are one.
    """

    def made(side: Tensor | slice) -> Messages:
        own, count = entry[side], len(graph.vocabulary.relations)
        part = replace(graph, edges=graph.edges[own // 2], last=graph.last[own // 2])
        kind = part.edges[:, 1] + count * (own % 2)
        return Messages.of((ends[0][side], ends[1][side]), kind, left(part), nodes, 2 * count)

    return (made(entry % 2 == 0), made(entry % 2 == 1)) if both else made(slice(None))


class SampledLinkTask:
    """Forecastable edges of a mapped graph in both directions, `batch` a step, from drawn neighbourhoods.

    The edges of a step say nothing in it. With a `partition` the question of a triple is the matter of the process that
    has its head, whose neighbourhood then mostly lies in its part; else a step is dealt out evenly. `negatives` other
    nodes are drawn for each step, None being all; `questions` edges are asked for in an epoch, drawn anew, None being
    all. With all edges, all nodes and no dropout an epoch of as many steps is that of `gnn.links.LinkTask`.
    """

    def __init__(
        self,
        near: Surroundings,
        batch: int = 1024,
        negatives: int | None = 256,
        partition: Partition | None = None,
        valid: Tensor | None = None,
        questions: int | None = None,
    ) -> None:
        graph = near.mapped.graph
        self.near, self.batch, self.negatives, self.partition, self.valid = near, batch, negatives, partition, valid
        self.questions = questions
        self.rows = torch.nonzero(predictable(graph)).squeeze(1)
        if not len(self.rows):
            raise ModelError(f"nothing to learn: the graph has no edge of {', '.join(graph.vocabulary.asked)}")
        if min(batch, 1 if negatives is None else negatives) < 1:
            raise ModelError(f"batch is {batch} and negatives {negatives}; each must be 1 or more")
        names = torch.bincount(graph.labels, minlength=len(graph.vocabulary.labels))
        self.open = graph.vocabulary.fits.double() @ names.double()
        """(2 R,) how many nodes may answer each relation."""

    def losses(self, model: nn.Module) -> Iterator[Tensor]:
        """One step per batch of edges."""
        return self.portions(model, 0, 1)

    def portions(self, model: nn.Module, rank: int, size: int) -> Iterator[Tensor]:
        """One step per batch of edges, dealt anew each epoch. All chance is drawn before the first step."""
        assert isinstance(model, Passing)
        if where(model) != CPU:
            raise ModelError(f"drawn neighbourhoods are read on the processor, the model is on {where(model)}; move it")
        self._scaled(model)
        model.fusion.eval()  # what it hides hangs on the process; `begun` hides by node
        order = self.rows[torch.randperm(len(self.rows))][: self.questions]
        beside = torch.Generator()  # so that the run goes on drawing what a full pass would draw
        beside.set_state(torch.random.get_rng_state())
        key = int(torch.randint(1 << 62, (), generator=beside))
        for number, part in enumerate(order.tensor_split(-(-len(order) // self.batch))):
            own = part[self._mine(part, rank, size)]
            yield self.loss(model, own, part, _mixed(key, number)) * (len(own) / len(part))

    def loss(self, model: Passing, own: Tensor, part: Tensor, key: int) -> Tensor:
        """Mean loss of some edges, by their numbers, in a step of these and others."""
        graph = self.near.mapped.graph
        if not len(own):
            return torch.zeros(())
        asked = graph.edges[own]
        both = torch.cat([asked, reciprocal(asked, len(graph.vocabulary.relations))])
        wrong = self._wrong(key)
        seeds, place = torch.unique(torch.cat([both[:, 0], both[:, 2], wrong]), return_inverse=True)
        x = self.near.embed(model, seeds, key, part.sort().values)
        head, tail, others = place.split([len(both), len(both), len(wrong)])
        queries = model.query(x[head], model.relation[both[:, 1]])
        right = (queries * x[tail]).sum(1)
        open_ = graph.vocabulary.fits[:, graph.labels[wrong]][both[:, 1]] & (wrong != both[:, 2, None])
        rivals = (self.open[both[:, 1]] - 1).clamp(min=0) / open_.sum(1).clamp(min=1)
        scores = queries @ x[others].T + rivals.to(x.dtype).log()[:, None]
        told = torch.cat([right[:, None], scores.masked_fill(~open_, -torch.inf)], dim=1)
        return (torch.logsumexp(told, dim=1) - right).mean()

    def validate(self, model: nn.Module) -> float | None:
        """Filtered MRR of the later triples, from the vectors of all nodes with all their edges."""
        assert isinstance(model, Passing)
        graph, later = self.near.mapped.graph, self.valid
        return None if later is None or not len(later) else ranked(model, graph, later).mrr

    def _scaled(self, model: Passing) -> None:
        """Scales are learned from rows of the whole graph, not from those that the first step happens to draw."""
        for name, own in self.near.mapped.graph.features.items():
            scale = model.fusion.scale[name]
            assert isinstance(scale, Scale)
            if len(own.rows) and not scale.spread:
                scale.fit(own.values[:: -(-len(own.rows) // SCALED)])

    def _mine(self, part: Tensor, rank: int, size: int) -> Tensor | slice:
        if self.partition is None or size == 1:
            return portion(len(part), rank, size)[0] if len(part) >= size else slice(0, len(part) * (rank == 0))
        if self.partition.parts != size:
            raise ModelError(f"the graph has {self.partition.parts} parts for {size} processes; make one for each")
        return torch.nonzero(self.partition.owner[self.near.mapped.graph.edges[part, 0]] == rank).squeeze(1)

    def _wrong(self, key: int) -> Tensor:
        """(negatives,) different nodes."""
        nodes = len(self.near.mapped.graph)
        if self.negatives is None or self.negatives >= nodes:
            return torch.arange(nodes)
        drawn = torch.randint(nodes, (self.negatives,), generator=torch.Generator().manual_seed(key))
        different: Tensor = torch.unique(drawn)
        return different


def _mixed(key: int, number: int) -> int:
    """Another key for each number."""
    return (key * 6364136223846793005 + number * 1442695040888963407 + 1) % (1 << 62)


def _dropped(x: Tensor, nodes: Tensor, share: float, key: int) -> Tensor:
    """Dropout that hangs on node, column and key alone."""
    if not share:
        return x
    stays = chance(nodes[:, None], torch.arange(x.shape[1]), key) >= share
    return x * stays / (1 - share)


def _widened(nodes: Tensor, more: Tensor) -> Tensor:
    """The nodes, and after them those of `more` that are not among them."""
    new = torch.unique(more)
    by_row = nodes.sort().values
    known = by_row[torch.searchsorted(by_row, new).clamp(max=len(by_row) - 1)] == new if len(by_row) else new < 0
    return torch.cat([nodes, new[~known]])


def _of_rows(own: Features, rows: Tensor) -> Features:
    """The vectors of some nodes, by their place among them."""
    place = torch.searchsorted(own.rows, rows).clamp(max=max(len(own.rows) - 1, 0))
    here = torch.nonzero(own.rows[place] == rows).squeeze(1) if len(own.rows) else rows[:0]
    return Features(here, own.values[place[here]])
