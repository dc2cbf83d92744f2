"""Together: a training run of a graph in several processes of this machine, this one being the first.

Every process reads the same graph and does the same run; of each batch of a link or distress model it does a part
(gnn/distributed.py). The first one keeps and publishes what comes of it, the others keep nothing.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kg.errors import KgRiskError
from kg.executor import Executor, Pool
from kgrisk import vectors
from kgrisk.extras import learning, need
from kgrisk.opened import Opened
from kgrisk.settings import Settings


def trained(graph: Opened, processes: int, moment: Any, how: Mapping[str, Any]) -> Any:
    """The `TrainResult` of a run by so many processes; `how` is what `gnn.pipeline.train` takes by name.

    KgRiskError for fewer than 1, or another device than the processor; LostRankError if one of them dies.
    """
    chosen = how["settings"]
    if processes < 1:
        raise KgRiskError(f"{processes} processes are none; ask for at least 1")
    if processes > 1 and chosen.device != "cpu":
        raise KgRiskError(
            f"{processes} processes on device {chosen.device}: start them with `torchrun`, which gives each a GPU (see "
            "docs/scale/training.md), or leave out --processes"
        )
    lead = partial(learning().train, graph.ledger, graph.files, moment, **how)
    if processes == 1:
        return lead()
    given = (graph.home, graph.settings, moment, how["seed"], replace(chosen, cache=_read(chosen)))
    loopback = next((name for _, name in socket.if_nameindex() if name.startswith("lo")), "lo")
    os.environ.setdefault("GLOO_SOCKET_IFNAME", loopback)  # they talk to each other and to nobody else
    return need("gnn.ranks", "learn").together(lead, follow, given, processes)


def ahead(graph: Opened, processes: int, executor: Executor, chosen: Any) -> None:
    """Make the vectors that a run will read before its processes begin: none of them then writes the cache."""
    if executor.workers > 1 or processes == 1:
        vectors.features(graph, executor, chosen)
        return
    with Pool(processes) as pool:
        vectors.features(graph, pool, chosen)


def follow(home: Path, settings: Settings, moment: Any, seed: int, chosen: Any) -> None:
    """One of the other processes: the same run, of which nothing is kept."""
    with TemporaryDirectory(prefix="kgrisk-follow-") as name, Opened(home, settings) as graph:
        learning().train(graph.ledger, graph.files, moment, seed=seed, out=Path(name), settings=chosen)


def _read(chosen: Any) -> Path | None:
    """The cache that the others read; none where encoders learn in the run, as two would write their vectors."""
    kind, trainable = need("gnn.trainable", "learn").kind, need("gnn.trainable", "learn").Trainable
    learning_too = any(issubclass(kind(name), trainable) for name in chosen.encoders.values())
    found: Path | None = None if chosen.along or learning_too else chosen.cache
    return found
