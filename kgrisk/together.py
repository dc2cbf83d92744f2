"""Together: a training run of a graph in several processes, of this machine or on a Ray cluster.

Every process reads the same graph and does the same run; of each batch of a link or distress model it does a part
(gnn/distributed.py). On one machine the first one is this process. On a cluster all are elsewhere, and the first one
hands what it found to this process. The others keep nothing, and this process alone publishes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from kg.errors import ExecutorError, KgRiskError
from kg.executor import Executor, Pool
from kg.files import Files
from kg.ledger import Ledger
from kg.pinned import Pinned
from kg.version import built
from kgrisk import train_result, vectors
from kgrisk.executors import working
from kgrisk.extras import learning, need
from kgrisk.opened import Opened
from kgrisk.ray import Ray
from kgrisk.ray_train import Fleet, train
from kgrisk.settings import Settings

FOUND: Final = "found"
LINES: Final = "lines"
"""Names of what the first process of a cluster leaves in the folder of a run: its result, its lines of progress."""


def trained(
    graph: Opened,
    processes: int | None,
    moment: Any,
    how: Mapping[str, Any],
    executor: Executor | str | None = None,
) -> Any:
    """The `TrainResult` of a run by so many processes, or as many as the setting says.

    `how` is what `gnn.pipeline.train` takes by name. More than one process are on the Ray cluster that `executor`, or
    else the setting, names, where it names one; else on this machine.

    KgRiskError for fewer than 1, or a GPU for each of several on this machine; LostRankError if one of them dies here,
    ExecutorError if a cluster cannot be worked on.
    """
    count = graph.settings.processes if processes is None else processes
    if count < 1:
        raise KgRiskError(f"{count} processes are none; ask for at least 1")
    with working(executor, graph.settings) as workers:
        if count > 1 and isinstance(workers, Ray):
            return _on_cluster(graph, workers, count, moment, how)
        _placed(count, how["settings"])
        if workers.workers > 1 or count > 1:
            ahead(graph, count, workers, how["settings"])
    return _here(graph, count, moment, how)


def ahead(graph: Opened, processes: int, executor: Executor, chosen: Any) -> None:
    """Make the vectors that a run will read before its processes begin: none of them then writes the cache."""
    if executor.workers > 1 or processes == 1:
        vectors.features(graph, executor, chosen)
        return
    with Pool(processes) as pool:
        vectors.features(graph, pool, chosen)


# ---- on this machine


def _placed(count: int, chosen: Any) -> None:
    if count > 1 and chosen.device != "cpu":
        raise KgRiskError(
            f"{count} processes on device {chosen.device}: start them with `torchrun` or on a Ray cluster, either of "
            "which gives each a GPU (see docs/scale/training.md), or leave out --processes"
        )


def _here(graph: Opened, count: int, moment: Any, how: Mapping[str, Any]) -> Any:
    chosen = how["settings"]
    lead = partial(learning().train, graph.ledger, graph.files, moment, **how)
    if count == 1:
        return lead()
    given = (graph.home, graph.settings, moment, how["seed"], replace(chosen, cache=_read(chosen)))
    return need("gnn.ranks", "learn").together(lead, follow, given, count)


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


# ---- on a cluster


@dataclass(frozen=True)
class There:
    """What the processes of a cluster train on: a home on a disk that all of them see, as it stood at a commit."""

    home: Path
    ledger: str
    """As the setting says; empty where it is in the home."""
    commit: int
    code: str
    """Digest of the sources of the process that asks."""
    moment: Any
    seed: int
    chosen: Any
    """Settings of the run, of the first process."""
    followed: Any
    """The same for the others."""


def _on_cluster(graph: Opened, workers: Ray, count: int, moment: Any, how: Mapping[str, Any]) -> Any:
    if workers.address.startswith("ray://"):
        raise ExecutorError(
            f"{count} processes cannot train by way of {workers.address}: they read the home from a disk that all "
            "machines share; start this on a machine of the cluster, with --workers ray or host:port"
        )
    ahead(graph, count, workers, how["settings"])
    home = graph.home.absolute()
    chosen = replace(how["settings"], cache=home / "cache")
    if chosen.clip:
        chosen = replace(chosen, clip=Path(chosen.clip).absolute())
    followed, ledger = replace(chosen, cache=_read(chosen)), graph.settings.ledger
    if ledger and "://" not in ledger:
        ledger = str(Path(ledger).absolute())
    there = There(home, ledger, graph.ledger.head, built(""), moment, how["seed"], chosen, followed)
    runs = home / "runs"
    (runs / "unfinished").mkdir(parents=True, exist_ok=True)
    # who gives up waiting takes the folder away, by which the run ends at its next line
    with TemporaryDirectory(prefix="cluster-", dir=runs / "unfinished", ignore_cleanup_errors=True) as name:
        lines = Lines(Path(name) / LINES, how["progress"] or (lambda _: None))
        train(Fleet(workers.address, count, device=chosen.device), learn, (there,), Path(name), lines.told)
        return train_result.load(Path(name) / FOUND, graph.home / "runs")


def learn(folder: Path, there: There) -> dict[str, Any]:
    """In a process of a cluster: the run, of which the first one leaves the result in the folder."""
    crew, found = need("gnn.distributed", "learn").team(), folder / FOUND
    if built("") != there.code:
        raise ExecutorError(
            "a machine of the cluster has another kgrisk than the one that asks; install the same version on all"
        )
    if not crew.same((found / train_result.FACTS).exists()):  # else it was lost after all was done
        where = there.ledger or there.home / "ledger"
        with (
            TemporaryDirectory(prefix="kgrisk-follow-") as name,
            Ledger.open(where, beside=there.home / "ledger") as ledger,
        ):
            own = {"out": there.home / "runs", "settings": there.chosen, "progress": partial(_say, folder / LINES)}
            kept = own if crew.first else {"out": Path(name), "settings": there.followed}
            source, files = Pinned(ledger, there.commit), Files(there.home / "files")
            result = learning().train(source, files, there.moment, seed=there.seed, **kept)
            if crew.first:
                train_result.save(result, found)
    return {"processes": crew.size}


def _say(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(line.replace("\n", " ") + "\n")


@dataclass
class Lines:
    """Lines of progress that another process appends to a file, told once each."""

    path: Path
    tell: Callable[[str], None]
    _read: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.path.touch()

    def told(self) -> None:
        """Tell the whole lines that came since."""
        with self.path.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.decode(errors="replace").splitlines():
            self.tell(line)
