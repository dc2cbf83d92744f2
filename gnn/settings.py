"""Settings of a training run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf, nextafter
from numbers import Integral, Real
from pathlib import Path
from typing import Final, Literal, get_args

from gnn.train import Optimiser, Schedule
from kg import plugins
from kg.errors import ModelError
from kg.ontology import PROPERTIES

Loss = Literal["softmax", "bce", "mse", "margin", "infonce"]
Pretraining = Literal["masked", "contrast", "both"]
Certify = Literal["off", "small", "full"]
Report = Callable[[str], None]
"""Takes one line of progress."""
ENCODERS: Final[Mapping[str, str]] = {
    "text": "text",
    "image": "image",
    "numeric": "table",
    "series": "returns",
    "audio": "acoustic",
    "structure": "structure",
}
"""Modalities, and the encoder of each where a run names no other."""
COUNTS: Final = (
    "epochs",
    "dim",
    "threads",
    "questions",
    "scores",
    "window",
    "cohorts",
    "seeds",
    "members",
    "negatives",
)
"""Whole numbers of which there must be one at least, where they are given."""
NONE_TOO: Final = ("links_each", "paths_each", "pretrain", "rerank")
"""Whole numbers that may be 0."""
SHARES: Final[Mapping[str, tuple[float, float, str]]] = {
    "rate": (nextafter(0, 1), nextafter(inf, 0), "a number above 0"),
    "balance": (0.0, 1.0, "a number from 0 to 1"),
    "alpha": (nextafter(0, 1), nextafter(1, 0), "a number between 0 and 1, such as 0.1"),
}
"""Least and greatest value of the other numbers, and both in words."""


@dataclass(frozen=True)
class Settings:
    """What a training run is asked to do; the defaults fit a graph of some thousand nodes on two cores."""

    model: str = "relational"
    """Link model, of gnn/models/."""
    loss: Loss = "softmax"
    """What a link model is taught by, as gnn/losses.py tells; softmax is over all nodes of a right label."""
    pretrain: int = 0
    """Epochs of pre-training before the fit of a link model (gnn/pretrain.py); 0 is none."""
    pretrain_by: Pretraining = "both"
    """Hidden edges and features told, two views of a node found alike, or both."""
    rerank: int = 0
    """So many of the best answers of the link model are put in order with the help of paths (gnn/rerank.py)."""
    epochs: int = 60
    dim: int = 64
    optimiser: Optimiser = "adam"
    rate: float = 0.01
    """Learning rate of the link models at the first epoch; SGD wants a larger one than Adam."""
    schedule: Schedule = "exponential"
    """How that rate falls with the epochs, as `gnn.train.Recipe` tells."""
    device: str = "cpu"
    """Where the link models compute: cpu, or cuda where torch sees one (gnn/device.py). Bits differ between devices."""
    threads: int = 1
    """Threads of torch. The same number gives the same bits."""
    cache: Path | None = None
    """Folder of vectors by content; None keeps none."""
    unfinished: Path | None = None
    """Folder of the states of fits under way, from which the same run goes on if it was stopped; set by train()."""
    modalities: tuple[str, ...] = ("text", "image", "numeric")
    """Of text, image, numeric, series, audio and structure."""
    encoders: Mapping[str, str] = field(default_factory=dict)
    """Encoder by modality, where it is to be another than the usual one of ENCODERS."""
    clip: Path | None = None
    """Folder of a CLIP model, for the encoder `clip` of images (gnn/encoders/clip.py): no weights are bundled."""
    along: tuple[str, ...] = ()
    """Modalities whose encoder learns with the link models and the distress network (gnn/trainable.py), not before."""
    fusion: str = "attention"
    """Way to fuse in both, of gnn/fusions/."""
    questions: int | None = None
    """Edges asked for in an epoch of a link model, drawn anew each time; None asks for all, of paths for 1,000."""
    scores: int | None = None
    """Scores of questions x nodes held at once, in training, ranking and predicting (gnn/bound.py), each up to some 40
    bytes. None leaves each part its usual number, 2^22 to 2^26."""
    neighbours: tuple[int, ...] | None = None
    """Learn links from drawn neighbourhoods of a graph in files (gnn/sampled.py): in each step at most so many edges
    into each node, a number for each layer, such as 10,10. None learns by full passes."""
    negatives: int = 256
    """Other nodes that each answer is told from in a step of such a run; where the graph has no more, all."""
    table: bool = True
    """Each node has a vector of its own that is learned, beside what is said of it. Without it a step costs nothing for
    the nodes that it does not touch, and nodes of which the same is said are alike."""
    links_each: int = 20
    """Predicted links kept per relation."""
    paths_each: int = 3
    """Evidence paths per predicted link."""
    window: int = 12
    """Months: length of the validation window before the cut, and of the distress window after it."""
    cohorts: int = 4
    """Earlier cuts, a window apart, that the distress heads learn from."""
    seeds: int = 1
    """Fused link models of different seeds; beside counting and structure they are the ensemble of links."""
    members: int = 2
    """Seeds of the published distress head, whose disagreement is part of the interval of a score."""
    balance: float = 0.0
    """How much more a scarce modality weighs in the losses of links and of distress, 0 to 1: see gnn/balance.py."""
    alpha: float = 0.1
    """Share of true answers that the conformal sets may miss."""
    amount: str | None = "revenue"
    """Money of a firm whose next value is predicted as a regression; None predicts none."""
    certify: Certify = "off"
    """Repeat the scoring with everything after the cut made up anew (gnn/peek.py): not, at a small scale (few epochs
    and dimensions, the same code), or at the scale of the run."""

    def __post_init__(self) -> None:
        """ModelError for a name that there is none of, or a number that cannot be."""
        self._check_names()
        for name in COUNTS:
            if getattr(self, name) is not None:
                self._check(name, Integral, 1, inf, "a whole number from 1 up")
        for name in NONE_TOO:
            self._check(name, Integral, 0, inf, "a number from 1 up, or 0 for none")
        for name, (low, high, words) in SHARES.items():
            self._check(name, Real, low, high, words)
        fans = self.neighbours
        if fans is not None and not (fans and all(isinstance(fan, Integral) and fan >= 1 for fan in fans)):
            raise ModelError(
                f"neighbours is {','.join(map(str, fans))!r}; give a whole number from 1 up for each layer, such as "
                "10,10, or None for full passes"
            )

    def _check_names(self) -> None:
        known = {"model": plugins.names("gnn.models"), "loss": get_args(Loss), "pretrain_by": get_args(Pretraining)}
        known |= {"fusion": plugins.names("gnn.fusions"), "optimiser": get_args(Optimiser)}
        known |= {"schedule": get_args(Schedule), "certify": get_args(Certify)}
        for name, words in known.items():
            if getattr(self, name) not in words:
                raise ModelError(f"{name} {getattr(self, name)!r} is unknown; known: {', '.join(words)}")
        for name in [*self.modalities, *self.encoders]:
            if name not in ENCODERS:
                raise ModelError(f"modality {name} is unknown; known: {', '.join(ENCODERS)}")
        if not self.modalities:
            raise ModelError(f"modalities is empty; name one or more of {', '.join(ENCODERS)}")
        money = [name for name, spec in PROPERTIES.items() if spec.type == "money"]
        if self.amount is not None and self.amount not in money:
            raise ModelError(
                f"amount {self.amount!r} is no money of the ontology; name one of {', '.join(money)}, or None"
            )

    def _check(self, name: str, kind: type, low: float, high: float, words: str) -> None:
        value = getattr(self, name)
        if not isinstance(value, kind) or not low <= value <= high:  # type: ignore[operator]  # a number; not NaN
            raise ModelError(f"{name} is {value}; give {words}")
