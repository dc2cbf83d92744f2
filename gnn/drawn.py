"""Drawn: a run that learns links from drawn neighbourhoods, over its graph in files.

The first process writes the graph below the folder of the unfinished run, and all of that machine map the same files. A
run that was killed finds them there again; they go when its fit is over.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Final

from torch import Tensor

from gnn.distributed import team
from gnn.mapped import Mapped, keep
from gnn.partition import near
from gnn.room import STEPS
from gnn.sample import predictable
from gnn.sampled import SampledLinkTask, Surroundings
from gnn.settings import Settings
from gnn.tensors import GraphTensors
from kg.errors import ModelError

log = logging.getLogger(__name__)
BATCH: Final = 1024
"""Edges asked for in a step at most; an epoch over a small graph has as many steps as full passes have."""


@contextmanager
def in_files(graph: GraphTensors, state: Path | None) -> Iterator[Mapped]:
    """The graph in files, in a folder of the run or, without one, a temporary folder of the system.

    ModelError where they cannot be written, with what to do.
    """
    crew = team()
    with TemporaryDirectory(prefix="kgrisk-graph-") as spare:
        own = (state or Path(spare)).resolve() / "graph"
        if crew.first:
            found = _kept(graph, own)
            crew.same(str(own))
        else:  # the first has written them, and this process opens what it reads; on another machine it writes its own
            told = Path(crew.same(None))
            found = Mapped.open(told) if told.exists() else _kept(graph, Path(spare) / "graph")
        yield found
        if crew.first:
            rmtree(own, ignore_errors=True)


def _kept(graph: GraphTensors, folder: Path) -> Mapped:
    """The graph as a stopped run left it in a folder; else it is written there."""
    if folder.exists():
        try:
            return Mapped.open(folder)
        except ModelError as error:
            log.warning("%s; this run writes it anew", error)
            rmtree(folder, ignore_errors=True)
    return Mapped.open(keep(graph, folder))


def drawn_task(own: Mapped, settings: Settings, valid: Tensor | None = None) -> SampledLinkTask:
    """Links from drawn neighbourhoods as the settings say; each process of a team has a part of the graph."""
    size, edges = team().size, int(predictable(own.graph).sum())
    asked = min(edges, settings.questions or edges)
    batch = max(1, min(BATCH, -(-asked // STEPS)))
    parts = near(own.graph, size) if size > 1 else None
    fans = Surroundings(own, settings.neighbours or ())
    return SampledLinkTask(fans, batch, settings.negatives, parts, valid, settings.questions)
