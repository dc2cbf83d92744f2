"""A space that several modalities share: what belongs together lies close, whatever it is made of.

Frozen encoders give vectors; a linear head for each modality brings them into one space of unit vectors. Heads and a
temperature are learned from pairs that the graph itself holds, by symmetric InfoNCE (Radford et al. 2021, CLIP):

    s_ij = exp(tau) x_i . y_j;    loss = 1/2 mean_i (logsumexp_j s_ij - s_ii) + 1/2 mean_j (logsumexp_i s_ij - s_jj)

Two pairs of a batch that hold the same content on either side are not each other's wrong answer. With an `anchor` that
modality has no head: its own vectors are the space (Zhai et al. 2022 lock one tower so), and the others come to it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnn.calibrate import Platt, platt
from gnn.checkpoint import load_tensors, save_tensors
from gnn.model import seeded
from gnn.scale import Scale
from kg.errors import ModelError

WARMEST: Final = math.log(100.0)
"""Cap of the learned log scale, as in the paper: beyond it training is unstable."""


class Space(nn.Module):
    """A head for each modality, into unit vectors of `dim` numbers."""

    def __init__(self, widths: Mapping[str, int], dim: int = 128, anchor: str = "", seed: int = 0) -> None:
        super().__init__()
        if anchor and anchor not in widths:
            raise ModelError(f"anchor {anchor!r} is no modality of the space; it has {', '.join(sorted(widths))}")
        self.widths, self.anchor = dict(sorted(widths.items())), anchor
        self.dim = widths[anchor] if anchor else dim
        moved = {name: width for name, width in self.widths.items() if name != anchor}
        with seeded(seed):
            self.scale = nn.ModuleDict({name: Scale(name, width) for name, width in moved.items()})
            self.head = nn.ModuleDict({name: nn.Linear(width, self.dim) for name, width in moved.items()})
        self.tau = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        self.belongs: dict[str, Platt] = {}
        """By `left right`, in order of letters: how a cosine becomes the probability that the two belong together."""
        self.table: dict[str, list[float]] = {}
        """Scale of the table encoder whose vectors the head of `table` was trained on."""

    def forward(self, modality: str, values: Tensor) -> Tensor:
        """(rows, dim) unit vectors. ModelError for a modality that the space does not know."""
        if modality not in self.widths:
            raise ModelError(f"the space knows no modality {modality!r}; it has {', '.join(self.widths)}")
        if modality == self.anchor:
            return F.normalize(values, dim=1)
        return F.normalize(self.head[modality](self.scale[modality](values)), dim=1)

    def both(self, pairs: Pairs) -> tuple[Tensor, Tensor]:
        """Both sides of pairs in the space."""
        return self(pairs.left, pairs.x), self(pairs.right, pairs.y)

    def warmth(self) -> Tensor:
        """exp(tau): what cosines are multiplied by."""
        return self.tau.clamp(max=WARMEST).exp()

    def probability(self, left: str, right: str, cosine: float) -> float | None:
        """That two things belong together, beside one wrong one for each true; None where no such pairs were seen."""
        scale = self.belongs.get(" ".join(sorted((left, right))))
        return None if scale is None else float(scale(np.array([cosine]))[0])

    def save(self, folder: Path) -> Path:
        belongs = {name: [scale.a, scale.b] for name, scale in self.belongs.items()}
        facts: dict[str, Any] = {"widths": self.widths, "dim": self.dim, "anchor": self.anchor}
        facts |= {"belongs": belongs, "table": self.table}
        return save_tensors(folder, self.state_dict(), facts)

    @classmethod
    def load(cls, folder: Path) -> Space:
        """The space kept in a folder. ModelError if none can be read there."""
        tensors, facts = load_tensors(folder)
        try:
            space = cls(facts["widths"], facts["dim"], facts["anchor"])
            space.load_state_dict(tensors)
            space.belongs = {name: Platt(*scale) for name, scale in facts["belongs"].items()}
            space.table = facts["table"]
        except (KeyError, TypeError, RuntimeError) as error:
            raise ModelError(f"{folder} holds no shared space of this version ({error}); train it again") from error
        return space.eval()


@dataclass(frozen=True)
class Pairs:
    """Vectors of two modalities; row i of one belongs to row i of the other."""

    left: str
    right: str
    x: Tensor
    y: Tensor

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y):
            raise ModelError(f"{len(self.x)} vectors of {self.left} and {len(self.y)} of {self.right} are no pairs")

    def __len__(self) -> int:
        return len(self.x)

    @property
    def same(self) -> Tensor:
        """(pairs, pairs) bool: the left or the right sides have equal content."""
        found = torch.zeros(len(self), len(self), dtype=torch.bool)
        for side in (self.x, self.y):
            kind = torch.unique(side, dim=0, return_inverse=True)[1]
            found |= kind[:, None] == kind
        return found

    def take(self, rows: Tensor) -> Pairs:
        return Pairs(self.left, self.right, self.x[rows], self.y[rows])


def info_nce(left: Tensor, right: Tensor, warmth: Tensor, same: Tensor) -> Tensor:
    """Symmetric InfoNCE of unit vectors (pairs, dim); `same` (pairs, pairs) are no wrong answers of each other."""
    score = warmth * left @ right.T
    score = score.masked_fill(same & ~torch.eye(len(score), dtype=torch.bool), -torch.inf)
    true = torch.arange(len(score))
    return (F.cross_entropy(score, true) + F.cross_entropy(score.T, true)) / 2


class PairTask:
    """Batches of pairs, of one kind each, in random order; validated by less the loss of held-back pairs."""

    def __init__(self, train: Sequence[Pairs], valid: Sequence[Pairs] = (), batch: int = 128) -> None:
        self.train, self.valid, self.batch = [p for p in train if len(p) > 1], [p for p in valid if len(p)], batch
        if not self.train:
            raise ModelError("nothing to learn a shared space from: no kind of pair has two pairs")

    def losses(self, model: nn.Module) -> Iterator[Tensor]:
        assert isinstance(model, Space)
        parts = [
            own.take(rows)
            for own in self.train
            for rows in torch.randperm(len(own)).tensor_split(-(-len(own) // self.batch))
        ]
        for number in torch.randperm(len(parts)).tolist():
            own = parts[number]
            yield info_nce(*model.both(own), model.warmth(), own.same)

    def validate(self, model: nn.Module) -> float | None:
        assert isinstance(model, Space)
        if not self.valid:
            return None
        lost = [info_nce(*model.both(own), model.warmth(), own.same) for own in self.valid]
        return -float(torch.stack(lost).mean())


@torch.no_grad()
def found_at(space: Space, pairs: Pairs) -> tuple[Tensor, Tensor]:
    """Rank of the true right side for each left one, and the other way round, among all of the held pairs.

    Equal contents are one answer, what is paired with an equal question is no wrong one, and ties count half.
    """
    left, right = space.both(pairs)
    return _ranks(left @ right.T, pairs.x, pairs.y), _ranks(right @ left.T, pairs.y, pairs.x)


def chance(pairs: Pairs, k: int) -> tuple[float, float]:
    """Recall@k of guessing, of the right side and of the left one, by the same rules as `found_at`."""
    found = []
    for questions, answers in ((pairs.x, pairs.y), (pairs.y, pairs.x)):
        asked, _, right = _right(questions, answers)
        rivals = (~right[asked]).sum(1) + 1
        found.append(float((k / rivals).clamp(max=1.0).mean()))
    return found[0], found[1]


def _right(questions: Tensor, answers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Which content each question and each answer is, and (questions, answers) bool which belong together."""
    asked, kind = (torch.unique(side, dim=0, return_inverse=True)[1] for side in (questions, answers))
    right = torch.zeros(int(asked.max()) + 1, int(kind.max()) + 1, dtype=torch.bool)
    return asked, kind, right.index_put_((asked, kind), torch.tensor(True))


def _ranks(score: Tensor, questions: Tensor, answers: Tensor) -> Tensor:
    asked, kind, right = _right(questions, answers)
    first = torch.full((right.shape[1],), len(kind)).scatter_reduce(0, kind, torch.arange(len(kind)), "amin")
    score = score[:, first].double()  # one column for each different content
    true = score.gather(1, kind[:, None])
    wrong = score.masked_fill(right[asked], -torch.inf)
    above, upto = (wrong > true).sum(1), (wrong >= true).sum(1)
    return (above + upto).double() / 2 + 1


@torch.no_grad()
def cosines(space: Space, pairs: Pairs, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Cosines of the pairs and of as many wrong ones, and which is which; no wrong one has a true one's content."""
    (left, right), same = space.both(pairs), pairs.same
    score = left @ right.T
    draw = torch.rand(score.shape, generator=torch.Generator().manual_seed(seed)).masked_fill(same, -1.0)
    has = (~same).any(1)
    wrong = score.gather(1, draw.argmax(1, keepdim=True)).squeeze(1)[has]
    values = torch.cat([score.diagonal(), wrong]).double().numpy()
    return values, np.repeat([1.0, 0.0], [len(pairs), len(wrong)])


def calibrated(space: Space, pairs: Pairs, seed: int = 0) -> Platt:
    """Probability that two things belong together, beside one wrong pair for each true one, from pairs held back."""
    return platt(*cosines(space, pairs, seed))
