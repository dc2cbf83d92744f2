"""Contest: two runs asked for the same firms on a day that neither looked beyond, and what became of those firms.

The day is the later of both cuts. Both heads say a probability for every firm at risk that day; truth is who fell in
the window after it. The difference of their Brier scores (Brier 1950) is paired by firm, and its 95 % interval comes
from firms drawn anew (Efron 1979). The challenger is not worse where the upper end of the interval stays within a
margin: a test of non-inferiority, which a small or noisy sample fails and never passes by luck of being small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from gnn.evaluate import auprc, bootstrap, brier
from gnn.head import Cohort, distress_dates
from gnn.model import exact
from gnn.rescore import Scorer
from gnn.risk import starting
from gnn.settings import Settings
from gnn.views import Ledgerlike, Views
from kg.errors import ModelError
from kg.model import iso

ROUNDS: Final = 2000


@dataclass(frozen=True)
class Contest:
    """Two runs beside each other on one held-out cohort."""

    champion: str
    challenger: str
    day: str
    firms: int
    fell: int
    brier: tuple[float, float]
    """Of the champion, of the challenger."""
    auprc: tuple[float, float]
    difference: float
    """Brier score of the challenger less that of the champion: below 0 it is better."""
    low: float
    high: float
    margin: float
    """Most by which the challenger may be worse: a share of the champion's Brier score."""

    @property
    def passed(self) -> bool:
        """Is the challenger not worse?"""
        return self.fell > 0 and self.high <= self.margin

    @property
    def rule(self) -> str:
        """The verdict in words."""
        if not self.fell:
            return f"none of {self.firms} firms is known to have fallen after {self.day[:10]}: nothing to judge by"
        word = "not worse" if self.passed else "not shown to be no worse"
        return (
            f"{word}: Brier score {self.brier[1]:.4f} against {self.brier[0]:.4f} on {self.firms} firms of "
            f"{self.day[:10]}, {self.fell} of which fell; difference {self.difference:+.4f}, 95 % interval "
            f"{self.low:+.4f} to {self.high:+.4f}, upper end allowed {self.margin:.4f}"
        )

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "passed": self.passed, "rule": self.rule}


def contest(champion: Scorer, challenger: Scorer, source: Ledgerlike, share: float, seed: int = 0) -> Contest:
    """Let two runs say the same firms. `share` of the champion's Brier score is the margin.

    ModelError if both do not speak of the same firms.
    """
    day = max(datetime.fromisoformat(run.facts["cut"]) for run in (champion, challenger))
    first, second = (_asked(run, source, day) for run in (champion, challenger))
    if first.graph.ids != second.graph.ids or not np.array_equal(first.truth, second.truth):
        raise ModelError("the two runs see other firms on one day, so they cannot be compared; train both again")
    with exact(1):
        said = [champion.judge.predict(first), challenger.judge.predict(second)]
    return judged((champion.checkpoint, challenger.checkpoint), day, (first.truth, *said), share, seed)


def judged(runs: tuple[Path, Path], day: datetime, rows: Sequence[np.ndarray], share: float, seed: int = 0) -> Contest:
    """The verdict on truth, the champion's and the challenger's probabilities, firm by firm."""
    truth, one, other = rows
    gap = (other - truth) ** 2 - (one - truth) ** 2
    low, high = bootstrap(gap, seed, ROUNDS)
    briers = brier(truth, one), brier(truth, other)
    return Contest(
        runs[0].name,
        runs[1].name,
        iso(day),
        len(truth),
        int(truth.sum()),
        briers,
        (auprc(truth, one), auprc(truth, other)),
        float(gap.mean()) if len(gap) else float("nan"),
        low,
        high,
        share * briers[0],
    )


def _asked(run: Scorer, source: Ledgerlike, day: datetime) -> Cohort:
    views = Views(source, run.files, run.cache)
    window = Settings(window=int(run.facts["settings"]["window"]))
    return starting(views, run.encoders, day, window, distress_dates(views.snapshot(None)))
