"""Training on a Ray cluster: the one training loop in a process on every machine, begun again where one is lost.

Ray's TorchTrainer starts the processes, lets them meet and starts them anew after a loss, on as many machines as there
are then. What they do is `gnn.train.fit`, as in one process and under torchrun, with the same result; it goes on from
the state that its first process wrote after the last whole epoch into a folder that every machine can reach.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from uuid import uuid4

from kg.errors import ExecutorError, KgRiskError, LostRankError
from kgrisk.extras import need
from kgrisk.ray import Ray

RESULT: Final = "result.json"
SECONDS: Final = 1800.0
"""How long a process waits for another before it takes it for lost."""

Work = Callable[..., dict[str, Any]]
"""`work(folder, *given)`, at the top of a module: fits with a checkpoint below the folder, and says in JSON what came
of it. Every process does it, and what the first one says counts."""


@dataclass(frozen=True)
class Fleet:
    """The processes of a run on a Ray cluster."""

    address: str = "auto"
    """As `kgrisk.ray.Ray` takes it."""
    processes: int = 2
    least: int = 1
    """Fewer than this are not begun with: it is waited for more machines. The result does not hang on their number."""
    losses: int = 3
    """How often a run is begun again after a process or machine is lost."""
    device: str = "cpu"
    """cuda gives each process a GPU, and nccl carries the sums between them."""

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.processes:
            raise ExecutorError(
                f"{self.least} to {self.processes} processes cannot be; ask for 1 or more, and no more at least than "
                "at most"
            )


def train(fleet: Fleet, work: Work, given: Sequence[Any], folder: Path) -> dict[str, Any]:
    """What the first process says of `work(folder, *given)`, done by all of a fleet together.

    `folder` is on a disk that all machines share, or there is one machine. What the work raises is raised here;
    ExecutorError if Ray gives up. The same call again goes on where a run stopped.
    """
    own = need("ray.train", "ray")
    trainer = need("ray.train.torch", "ray")
    folder.mkdir(parents=True, exist_ok=True)
    with Ray(fleet.address):
        run = trainer.TorchTrainer(
            partial(_loop, work, tuple(given), str(folder.absolute()), fleet.device),
            torch_config=trainer.TorchConfig(
                backend="gloo" if fleet.device == "cpu" else "nccl", timeout_s=int(SECONDS)
            ),
            scaling_config=own.ScalingConfig(
                num_workers=(fleet.least, fleet.processes) if fleet.least < fleet.processes else fleet.processes,
                use_gpu=fleet.device != "cpu",
                placement_strategy="SPREAD",
            ),
            run_config=own.RunConfig(
                name=f"run-{uuid4().hex[:12]}",
                storage_path=str(folder.absolute() / "ray"),
                failure_config=own.FailureConfig(max_failures=fleet.losses),
            ),
        )
        try:
            result = run.fit()
        except own.TrainingFailedError as error:
            raise _cause(error) from error
    if result.metrics is None:
        raise ExecutorError(f"Ray ended the run in {folder} and kept no result; start it again: it goes on from there")
    told: dict[str, Any] = dict(result.metrics)
    return told


def _loop(work: Work, given: Sequence[Any], folder: str, device: str) -> None:
    """In each process: the work as one of the team. What came of it goes with a checkpoint, else Ray drops it."""
    ray_train = need("ray.train", "ray")
    joined = need("gnn.distributed", "learn").joined
    with joined(device=device) as crew:
        told = work(Path(folder), *given)
        first = crew.first
    if not first:
        ray_train.report({})
        return
    with TemporaryDirectory(prefix="kgrisk-result-") as name:
        (Path(name) / RESULT).write_text(json.dumps(told))
        ray_train.report(told, checkpoint=ray_train.Checkpoint.from_directory(name))


def _cause(error: Exception) -> KgRiskError:
    """What went wrong in the work; that a process missed another one is told only where nothing else is."""
    failures = list(getattr(error, "worker_failures", {}).values())
    for one in sorted(failures, key=lambda found: isinstance(found, LostRankError)):
        while one is not None:
            if isinstance(one, KgRiskError):
                return one
            one = getattr(one, "cause", None) or one.__cause__
    last = ""
    with suppress(IndexError):
        last = str(error).strip().splitlines()[-1]
    return ExecutorError(
        f"Ray gave up the training ({last}); every machine needs the same Python, Ray and kgrisk, and the folder of "
        "the run on a disk that all share; start it again: it goes on from the last whole epoch"
    )
