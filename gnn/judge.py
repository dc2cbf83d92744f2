"""Judge: the distress head that a run published, with the calibration that made its scores, as the run keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from gnn.calibrate import Platt
from gnn.checkpoint import FACTS, load_tensors, save_tensors
from gnn.head import Cohort, Head
from gnn.risk import logit
from kg import plugins
from kg.errors import ModelError

FOLDER: Final = "head"
"""Below the folder of the run."""


class Judge(Head):
    """A fitted head that says the published probability: that of its head, calibrated."""

    name = "judge"

    def __init__(self, head: Head, scale: Platt) -> None:
        super().__init__(head.seed, head.threads)
        self.head, self.scale = head, scale

    def fit(self, cohorts: Sequence[Cohort], valid: Cohort) -> None:
        raise ModelError("a published head is not fitted again; train anew")

    def predict(self, cohort: Cohort) -> np.ndarray:
        return self.scale(logit(self.head.predict(cohort)))

    def save(self, run: Path) -> Path:
        """Keep it in the folder of a run."""
        tensors, told = self.head.kept()
        facts = {"head": self.head.name, "seed": self.head.seed, "scale": [self.scale.a, self.scale.b], "told": told}
        return save_tensors(run / FOLDER, tensors, facts)

    @classmethod
    def load(cls, run: Path) -> Judge:
        """The head of a run as it was. ModelError where the run keeps none, or it is broken or of another version."""
        if not (run / FOLDER / FACTS).is_file():
            raise ModelError(
                f"run {run.name[:12]} keeps no distress head: it learned no scores, or is older than heads are kept; "
                "train again: `kgrisk train`"
            )
        tensors, facts = load_tensors(run / FOLDER)
        try:
            head = plugins.load("gnn.heads", facts["head"], Head)(int(facts["seed"]))  # type: ignore[type-abstract]
            head.restore(tensors, facts["told"])
            return cls(head, Platt(*map(float, facts["scale"])))
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise ModelError(f"{run / FOLDER} holds no whole distress head ({error!r}); train again") from error
