"""Settings of a training run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Report = Callable[[str], None]
"""Takes one line of progress."""


@dataclass(frozen=True)
class Settings:
    """What a training run is asked to do; the defaults fit a graph of some thousand nodes on two cores."""

    epochs: int = 60
    dim: int = 64
    optimiser: Literal["adam", "sgd"] = "adam"
    rate: float = 0.01
    """Learning rate of the link models at the first epoch; SGD wants a larger one than Adam."""
    threads: int = 1
    """Threads of torch. The same number gives the same bits."""
    cache: Path | None = None
    """Folder of vectors by content; None keeps none."""
    unfinished: Path | None = None
    """Folder of the states of fits under way, from which the same run goes on if it was stopped; set by train()."""
    modalities: tuple[str, ...] = ("text", "image", "numeric")
    links_each: int = 20
    """Predicted links kept per relation."""
    paths_each: int = 3
    """Evidence paths per predicted link."""
    window: int = 12
    """Months: length of the validation window before the cut, and of the distress window after it."""
    cohorts: int = 4
    """Earlier cuts, a window apart, that the distress heads learn from."""
