"""Mapped: a graph in files that many processes map into their memory, with who hears whom laid out by node.

The edges that reach a node, from their other ends and in both directions, lie side by side (CSR): those of node v at
places starts[v] to starts[v + 1] of `entries`. An entry 2 e says that edge e reaches its tail, 2 e + 1 that it reaches
its head. Nothing is copied: pages that a process never touches take no memory of it, and the others are shared by all.
Every file is read through once when it is opened, and compared with the sum it was written with.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Final
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from gnn.checkpoint import ontology
from gnn.tensors import Features, GraphTensors
from gnn.vocabulary import ONTOLOGY
from kg.errors import ModelError

FACTS: Final = "graph.json"
SUMS: Final = "sums.json"
"""CRC-32 of each of the other files: a graph of which a bit was lost is not learned from."""
AT_ONCE: Final = 1 << 20
"""Bytes of a file that are summed at once."""
COLUMNS: Final = ("labels", "edges", "first", "last", "counts")


@dataclass(frozen=True)
class Mapped:
    """The tensors of a graph without the names of its nodes, and its entries by node; all of it read from files."""

    graph: GraphTensors
    starts: Tensor
    """(nodes + 1,) int64."""
    entries: Tensor
    """(2 edges,) int64, ascending within each node."""

    @classmethod
    def open(cls, folder: Path) -> Mapped:
        """The graph that `keep` wrote into a folder.

        ModelError if there is none, if a file was changed on disk, or if it is of another ontology.
        """
        try:
            _check(folder)
            facts = json.loads((folder / FACTS).read_text())
            if facts["ontology"] != ontology():
                raise ModelError(f"{folder} holds a graph of another ontology; write it anew with gnn.mapped.keep")
            read = {name: _mapped(folder / f"{name}.npy") for name in (*COLUMNS, "starts", "entries")}
            features = {
                name: Features(_mapped(folder / f"{name}.rows.npy"), _mapped(folder / f"{name}.values.npy"))
                for name in facts["features"]
            }
            cut = datetime.fromisoformat(facts["cut"])
        except (OSError, AttributeError, KeyError, ValueError, TypeError) as error:
            raise ModelError(
                f"no graph can be mapped from {folder} ({error}); write one there with gnn.mapped.keep"
            ) from error
        names = ("",) * len(read["labels"])
        labels, edges, first, last, counts = (read[name] for name in COLUMNS)
        graph = GraphTensors(names, labels, edges, first, last, counts, cut, features)
        return cls(graph, read["starts"], read["entries"])

    def drawn(self, nodes: Tensor, count: int | None, key: int) -> tuple[Tensor, Tensor]:
        """Places in `nodes`, and an entry each: all that reach a node, or `count` of them where there are more.

        What is drawn for a node hangs on node, count and key alone, so whoever asks draws the same. Its entries are cut
        into `count` stretches of one length, and one is drawn of each: none comes twice.
        """
        low = self.starts[nodes]
        size = self.starts[nodes + 1] - low
        taken = size if count is None else size.clamp(max=count)
        place = torch.repeat_interleave(torch.arange(len(nodes)), taken)
        number = torch.arange(len(place)) - torch.repeat_interleave(taken.cumsum(0) - taken, taken)
        wide, many = size[place], taken[place]
        start, end = number * wide // many, (number + 1) * wide // many
        offset = start + (chance(nodes[place], number, key) * (end - start)).long().clamp(max=end - start - 1)
        return place, self.entries[low[place] + offset]


def keep(graph: GraphTensors, folder: Path) -> Path:
    """Write a graph into a new folder, which appears whole or not at all."""
    if graph.vocabulary is not ONTOLOGY:
        raise ModelError("only a graph of the ontology can be mapped; this one has a vocabulary of its own")
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        starts, entries = laid_out(graph.edges, len(graph))
        parts = {name: getattr(graph, name) for name in COLUMNS} | {"starts": starts, "entries": entries}
        for name, own in graph.features.items():
            parts |= {f"{name}.rows": own.rows, f"{name}.values": own.values}
        for name, value in parts.items():
            np.save(new / f"{name}.npy", value.numpy(), allow_pickle=False)
        told = {"cut": graph.cut.isoformat(), "features": sorted(graph.features), "ontology": ontology()}
        (new / FACTS).write_text(json.dumps(told))
        (new / SUMS).write_text(json.dumps({file.name: _sum(file) for file in sorted(new.iterdir())}))
        new.rename(folder)
    except OSError as error:
        raise ModelError(f"{folder} cannot be written ({error}); name a new folder on a disk with room") from error
    finally:
        rmtree(new, ignore_errors=True)
    return folder


def laid_out(edges: Tensor, nodes: int) -> tuple[Tensor, Tensor]:
    """Where the entries of each node start, and the entries by node."""
    target = edges[:, [2, 0]].flatten()  # of entries 2 e and 2 e + 1
    starts = torch.zeros(nodes + 1, dtype=torch.int64)
    torch.cumsum(torch.bincount(target, minlength=nodes), 0, out=starts[1:])
    return starts, torch.argsort(target, stable=True)


def chance(nodes: Tensor, number: Tensor, key: int) -> Tensor:
    """(rows,) float64 in [0, 1) that hang on nothing but the numbers given: splitmix64 (Steele et al. 2014)."""
    state = nodes * -7046029254386353131 + number * -4658895280553007687 + key
    for shift, factor in ((30, -4658895280553007687), (27, -7723592293110705685)):
        state = (state ^ _shifted(state, shift)) * factor
    return _shifted(state ^ _shifted(state, 31), 11).double() / (1 << 53)


def _shifted(value: Tensor, by: int) -> Tensor:
    """Bits moved to the right, zeros coming in from the left."""
    return (value >> by) & ((1 << (64 - by)) - 1)


def _check(folder: Path) -> None:
    """ModelError for a file that is not as it was written."""
    for name, told in json.loads((folder / SUMS).read_text()).items():
        if _sum(folder / name) != told:
            raise ModelError(
                f"{folder / name} was changed on disk: it has another sum than it was written with; write the graph "
                "anew with gnn.mapped.keep"
            )


def _sum(path: Path) -> int:
    """CRC-32 of a file, at some gigabytes a second; no page of it stays in the memory of the process."""
    total = 0
    with path.open("rb", buffering=0) as file:
        while part := file.read(AT_ONCE):
            total = crc32(part, total)
    return total


def _mapped(path: Path) -> Tensor:
    """A tensor over the pages of a file; what is written to it would be this process's alone."""
    return torch.from_numpy(np.load(path, mmap_mode="c", allow_pickle=False))
