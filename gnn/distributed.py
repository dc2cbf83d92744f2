"""Team: the processes of one training run, each with a part of every batch, all at the same weights.

Of a batch each rank r has a part, and computes its portion l_r of the loss and the gradient g_r of that:

    l = sum_r l_r        g = sum_r g_r

The portions are weighted by the sizes of the parts, so the sums are loss and gradient of the whole batch, and each rank
takes the step that one process would take. Only the order in which numbers are added is another one. gloo carries the
sums between processors, nccl between GPUs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.distributed_c10d import _world

from gnn.device import CPU, named
from kg.errors import LostRankError, ModelError

SECONDS: Final = 1800.0
"""How long a rank waits for another before it takes it for lost: longer than an epoch's validation may take."""
LARGE: Final = 1 << 20
"""Numbers from which on a gradient is summed where it lies; smaller ones travel together."""
BACKENDS: Final = {"cpu": "gloo", "cuda": "nccl"}


@dataclass(frozen=True)
class Team:
    """Who this process is among those of a run."""

    rank: int = 0
    size: int = 1
    device: torch.device = CPU
    """Where what it sends has to lie: for nccl its own GPU."""

    @property
    def first(self) -> bool:
        """Whether this is the one that writes checkpoints, logs and publishes."""
        return self.rank == 0

    def add(self, part: Tensor) -> None:
        """Make a tensor, in place, the sum of all ranks' tensors."""
        if self.size > 1:
            with self._answered():
                dist.all_reduce(part)

    def heard(self, said: bytes) -> bytes:
        """What the first rank says, on every rank."""
        if self.size == 1:
            return said
        count = torch.tensor([len(said)], device=self.device)
        with self._answered():
            dist.broadcast(count, 0)
            data = torch.zeros(int(count), dtype=torch.uint8, device=self.device)
            if self.first and said:
                data.copy_(torch.frombuffer(bytearray(said), dtype=torch.uint8))
            if len(data):
                dist.broadcast(data, 0)
        return data.cpu().numpy().tobytes()

    def same(self, value: Any) -> Any:
        """A value of the first rank, as JSON can carry it, on every rank; alone it stays as it is."""
        return value if self.size == 1 else json.loads(self.heard(json.dumps(value if self.first else None).encode()))

    def tensors(self, own: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The tensors of the first rank on every rank."""
        if self.size == 1:
            return dict(own)
        from safetensors.torch import load, save

        cpu = {name: value.detach().to(CPU).contiguous().clone() for name, value in own.items()} if self.first else {}
        return load(self.heard(save(cpu) if self.first else b""))

    def alike(self, model: nn.Module, when: str) -> None:
        """ModelError unless all ranks have the same weights, bit for bit."""
        if self.size == 1:
            return
        own = torch.tensor([checksum(model)], device=self.device)
        found = [torch.zeros_like(own) for _ in range(self.size)]
        with self._answered():
            dist.all_gather(found, own)
        if len({int(one) for one in found}) > 1:
            raise ModelError(
                f"the {self.size} processes of this run have different weights {when}; give all of them the same "
                "graph, settings and seed, and the same versions of kgrisk and torch"
            )

    @contextmanager
    def _answered(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:  # torch has no narrower one: a closed connection, or nothing heard in time
            raise LostRankError(
                f"process {self.rank + 1} of {self.size} lost another one of this run: it died or did not answer "
                f"({str(error).strip().splitlines()[0][:200]}); start the run again with the same folder: it goes on "
                "from the last whole epoch"
            ) from error


ALONE: Final = Team()
_TEAM: ContextVar[Team] = ContextVar("team", default=ALONE)


def team() -> Team:
    """The team that this process is in; a team of one where it joined none."""
    return _TEAM.get()


@contextmanager
def alone() -> Iterator[None]:
    """Inside, this process trains by itself."""
    token = _TEAM.set(ALONE)
    try:
        yield
    finally:
        _TEAM.reset(token)


@contextmanager
def joined(
    meet: str = "env://", rank: int = -1, size: int = -1, device: str = "cpu", seconds: float = SECONDS
) -> Iterator[Team]:
    """Inside, this process is of a team, and every `gnn.train.fit` is done by all of it together.

    `meet` is where the ranks find each other: `env://` under torchrun, which also tells rank and size; else
    `file:///path` of a new file that all can reach, or `tcp://host:port` of the first. A group that a launcher such as
    Ray's made before is taken as it is. LostRankError if the others do not come within `seconds`.
    """
    own = not dist.is_initialized()
    kind = named(device).type
    if own:
        try:
            limit = timedelta(seconds=seconds)
            # ranks look for each other under this number; a meeting that failed in this process would leave it changed
            _world.group_count = 0
            dist.init_process_group(BACKENDS[kind], init_method=meet, rank=rank, world_size=size, timeout=limit)
        except (RuntimeError, ValueError) as error:
            raise LostRankError(
                f"the processes of the run did not meet at {meet} within {seconds:.0f} s ({error}); start as many as "
                "were announced, each with its own rank"
            ) from error
    token = _TEAM.set(Team(dist.get_rank(), dist.get_world_size(), _placed(kind)))
    try:
        yield _TEAM.get()
    finally:
        _TEAM.reset(token)
        if own:
            dist.destroy_process_group()


def _placed(kind: str) -> torch.device:
    """The device of this rank; the ranks of a machine with several GPUs have one each."""
    if kind == CPU.type:
        return CPU
    device = torch.device(kind, dist.get_rank() % torch.accelerator.device_count())
    torch.accelerator.set_device_index(device.index)
    return device


def portion(count: int, rank: int, size: int) -> tuple[slice, float]:
    """Which of `count` rows a rank has, and how much the mean over them counts in the mean over all.

    Where there are fewer rows than ranks, each has all of them and they count a share: so no rank is idle, and all draw
    the same random numbers.
    """
    if count < size:
        return slice(0, count), 1.0 / size
    start, end = (count * step // size for step in (rank, rank + 1))
    return slice(start, end), (end - start) / count


def backward(loss: Tensor, model: nn.Module, crew: Team) -> float:
    """Leave the gradient of the whole batch in the parameters, from this rank's portion of its loss; gives the loss.

    A parameter that no rank's loss depends on has no gradient, as it has none in one process.
    """
    if loss.requires_grad:
        loss.backward()  # type: ignore[no-untyped-call]  # torch
    if crew.size == 1:
        return loss.item()
    own = [one for one in model.parameters() if one.requires_grad]
    told = torch.tensor([loss.item(), *(one.grad is not None for one in own)], dtype=torch.float64, device=crew.device)
    crew.add(told)
    value, *some = told.tolist()
    learning = [one for one, count in zip(own, some, strict=True) if count]
    for one in learning:
        if one.grad is None:
            one.grad = torch.zeros_like(one)
    _summed([one.grad for one in learning if one.grad is not None], crew)
    return float(value)


def _summed(grads: Sequence[Tensor], crew: Team) -> None:
    """Add up the gradients of all ranks in place, the small ones of a type in one message."""
    for one in grads:
        if one.numel() >= LARGE:
            crew.add(one)
    small = [one for one in grads if one.numel() < LARGE]
    for kind in sorted({str(one.dtype) for one in small}):
        mine = [one for one in small if str(one.dtype) == kind]
        flat = torch.cat([one.flatten() for one in mine])
        crew.add(flat)
        for one, new in zip(mine, torch.split(flat, [one.numel() for one in mine]), strict=True):
            one.copy_(new.view_as(one))


def checksum(model: nn.Module) -> int:
    """A number of all bits of a model's weights, in their order."""
    total = 0
    for place, value in enumerate(model.state_dict().values(), 1):
        bits = value.detach().contiguous().flatten().view(torch.uint8)
        if len(bits) % 4 == 0 and len(bits):
            bits = bits.view(torch.int32)
        total += place * int(bits.sum(dtype=torch.int64))
    return total % (1 << 62)
