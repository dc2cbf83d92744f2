"""Settings of a training run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from gnn.train import Optimiser, Schedule
from kg import plugins
from kg.errors import ModelError

Loss = Literal["softmax", "bce", "mse", "margin", "infonce"]
Pretraining = Literal["masked", "contrast", "both"]
Report = Callable[[str], None]
"""Takes one line of progress."""


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
    """Encoder by modality, where it is to be another than the usual one of gnn/choice.py."""
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
    certify: Literal["off", "small", "full"] = "off"
    """Repeat the scoring with everything after the cut made up anew (gnn/peek.py): not, at a small scale (few epochs
    and dimensions, the same code), or at the scale of the run."""

    def __post_init__(self) -> None:
        """ModelError for a name that there is none of, or a number that cannot be."""
        known = {"model": plugins.names("gnn.models"), "loss": get_args(Loss), "pretrain_by": get_args(Pretraining)}
        for name, words in known.items():
            if getattr(self, name) not in words:
                raise ModelError(f"{name} {getattr(self, name)!r} is unknown; known: {', '.join(words)}")
        for name in ("pretrain", "rerank"):
            if getattr(self, name) < 0:
                raise ModelError(f"{name} is {getattr(self, name)}; give a number from 1 up, or 0 for none")
