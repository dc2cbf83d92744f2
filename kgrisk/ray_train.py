"""Training on a Ray cluster: the one training loop in a process on every machine, begun again where one is lost.

Ray's TorchTrainer starts the processes and lets them meet, on as many machines as there are; after a loss it is done
anew with those that are left. What they do is `gnn.train.fit`, as in one process and under torchrun, with the same
result; it goes on from the state that its first process wrote after the last whole epoch into a folder that every
machine can reach.
"""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, Final
from uuid import uuid4

from kg.errors import ExecutorError, KgRiskError, LostRankError
from kg.executor import WAIT
from kgrisk.extras import need
from kgrisk.ray import Ray

log = logging.getLogger(__name__)

RESULT: Final = "result.json"
SHARED: Final = "shared"
"""File by which a process sees that the folder of its run is the one that the others have."""
RESERVED: Final = "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S", "10"
"""Seconds after which Ray asks anew for the processors that it saw free, of which a machine may have gone meanwhile."""
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


def train(
    fleet: Fleet, work: Work, given: Sequence[Any], folder: Path, meanwhile: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """What the first process says of `work(folder, *given)`, done by all of a fleet together.

    `folder` is on a disk that all machines share, or there is one machine. `meanwhile` is called again and again. What
    the work raises is raised here, and only a loss is tried again; ExecutorError if Ray gives up. The same call again
    goes on where a run stopped.
    """
    own = need("ray.train", "ray")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SHARED).touch()
    os.environ.setdefault(*RESERVED)  # a minute, otherwise
    lost = 0
    with Ray(fleet.address):
        while True:
            run = _trainer(fleet, partial(_loop, work, tuple(given), str(folder.absolute()), fleet.device), folder)
            try:
                with _given_back():
                    result = _beside(run.fit, meanwhile)
                break
            except own.TrainingFailedError as error:
                if (refused := _refusal(error)) is not None:
                    raise refused from error
                if lost == fleet.losses:
                    raise _given_up(error) from error
                lost += 1
                log.warning("a process or machine was lost (%s); the run is begun again", _last(error))
            except need("ray", "ray").exceptions.RayError as error:  # the cluster itself is gone
                raise _given_up(error) from error
    if result.metrics is None:
        raise ExecutorError(f"Ray ended the run in {folder} and kept no result; start it again: it goes on from there")
    told: dict[str, Any] = dict(result.metrics)
    return told


@contextmanager
def _given_back() -> Iterator[None]:
    """After the block all processors that this program reserved within it are free again.

    Ray keeps those of a run of which a process died while Ray asked after it, and the next one would wait for ever.
    """
    before = _reserved()
    try:
        yield
    finally:
        ray, groups = need("ray", "ray"), need("ray.util.placement_group", "ray")
        with suppress(ray.exceptions.RayError):
            for one in _reserved() - before:
                groups.remove_placement_group(groups.PlacementGroup(ray.PlacementGroupID(bytes.fromhex(one))))


def _reserved() -> set[str]:
    """Ids of what this program has reserved on the cluster: they end with the id of its job."""
    job = need("ray", "ray").get_runtime_context().get_job_id()
    table = need("ray.util.placement_group", "ray").placement_group_table()
    return {one for one, told in table.items() if one.endswith(job) and told["state"] != "REMOVED"}


def _trainer(fleet: Fleet, loop: Callable[[], None], folder: Path) -> Any:
    """A TorchTrainer for one try: which of its failures are tried again is decided here and not by Ray."""
    own, torch_train = need("ray.train", "ray"), need("ray.train.torch", "ray")
    return torch_train.TorchTrainer(
        loop,
        torch_config=torch_train.TorchConfig(
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
            failure_config=own.FailureConfig(max_failures=0),
            worker_runtime_env={"env_vars": _network()},
        ),
    )


def _network() -> dict[str, str]:
    """Where the processes talk: a cluster that lives on loopback does not leave it.

    Elsewhere gloo takes the card that the name of the machine leads to, or the one that GLOO_SOCKET_IFNAME names.
    """
    nodes = [node["NodeManagerAddress"] for node in need("ray", "ray").nodes() if node["Alive"]]
    if not all(node.startswith("127.") for node in nodes):
        return {}
    return {"GLOO_SOCKET_IFNAME": next((name for _, name in socket.if_nameindex() if name.startswith("lo")), "lo")}


def _beside(fit: Callable[[], Any], meanwhile: Callable[[], None]) -> Any:
    """What `fit()` gives, done in a thread: in the main one Ray takes Ctrl-C away from whoever waits, for good."""
    found: Future[Any] = Future()

    def go() -> None:
        try:
            found.set_result(fit())
        except BaseException as error:
            found.set_exception(error)

    Thread(target=go, daemon=True, name="ray-train").start()
    while wait([found], WAIT).not_done:
        meanwhile()
    meanwhile()
    return found.result()


def _loop(work: Work, given: Sequence[Any], folder: str, device: str) -> None:
    """In each process: the work as one of the team. What came of it goes with a checkpoint, else Ray drops it."""
    ray_train = need("ray.train", "ray")
    joined = need("gnn.distributed", "learn").joined
    if not (Path(folder) / SHARED).exists():
        raise ExecutorError(
            f"machine {socket.gethostname()} does not see {folder} as the others do; put the home on a disk that every "
            "machine of the cluster mounts at the same place, or train in one process"
        )
    with joined(device=device) as crew:
        told = work(Path(folder), *given)
        first = crew.first
    if not first:
        ray_train.report({})
        return
    with TemporaryDirectory(prefix="kgrisk-result-") as name:
        (Path(name) / RESULT).write_text(json.dumps(told))
        ray_train.report(told, checkpoint=ray_train.Checkpoint.from_directory(name))


def _refusal(error: Exception) -> KgRiskError | None:
    """What the work refused, which it would refuse again; that a process missed another one is no refusal."""
    own = [one for one in _causes(error) if isinstance(one, KgRiskError) and not isinstance(one, LostRankError)]
    return own[0] if own else None


def _given_up(error: Exception) -> KgRiskError:
    lost = next((one for one in _causes(error) if isinstance(one, LostRankError)), None)
    return lost or ExecutorError(
        f"Ray gave up the training ({_last(error)}); every machine needs the same Python, Ray and kgrisk, and the "
        "folder of the run on a disk that all share; start it again: it goes on from the last whole epoch"
    )


def _causes(error: Exception) -> Iterator[BaseException]:
    """What went wrong in each of the processes, and what led to that."""
    for failure in getattr(error, "worker_failures", {}).values():
        one: BaseException | None = failure
        while one is not None:
            yield one
            one = getattr(one, "cause", None) or one.__cause__


def _last(error: Exception) -> str:
    with suppress(IndexError):
        return str(error).strip().splitlines()[-1].strip()
    return type(error).__name__
