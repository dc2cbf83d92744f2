"""Judge: the distress head that a run published, with the calibration that made its scores, as the run keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from gnn.calibrate import Platt
from gnn.checkpoint import FACTS, load_tensors, save_tensors
from gnn.head import Cohort, Head, logit
from gnn.missing import Margins, Span
from kg import plugins
from kg.errors import ModelError

FOLDER: Final = "head"
"""Below the folder of the run; the other members of its ensemble lie below that, numbered from 1."""


class Judge(Head):
    """A fitted head that says the published probability: that of its head, calibrated."""

    name = "judge"

    def __init__(self, head: Head, scale: Platt, span: Span | None = None) -> None:
        super().__init__(head.seed, head.threads)
        self.head, self.scale, self.span = head, scale, span

    @property
    def reach(self) -> int:
        return self.head.reach

    def fit(self, cohorts: Sequence[Cohort], valid: Cohort) -> None:
        raise ModelError("a published head is not fitted again; train anew")

    def predict(self, cohort: Cohort) -> np.ndarray:
        return self.scale(logit(self.head.predict(cohort)))

    def ranged(self, cohort: Cohort) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """(firms,) probability with the ends of its range; None for the ends where the run keeps no margins."""
        said = self.predict(cohort)
        ends = self.span.ends(self.scale, cohort, said) if self.span is not None else (None, None)
        return said, ends[0], ends[1]

    def save(self, run: Path) -> Path:
        """Keep it in the folder of a run."""
        more: dict[str, Any] = {}
        if self.span is not None:
            margins = self.span.margins
            width = [[sorted(pattern), wide] for pattern, wide in margins.width.items()]
            told = {"names": margins.names, "coverage": margins.coverage, "width": width}
            more = {"margins": told, "members": len(self.span.heads)}
            for number, other in enumerate(self.span.heads[1:], 1):
                _save(other, run / FOLDER / str(number), {})
        return _save(self.head, run / FOLDER, {"scale": [self.scale.a, self.scale.b], **more})

    @classmethod
    def load(cls, run: Path) -> Judge:
        """The head of a run as it was. ModelError where the run keeps none, or it is broken or of another version."""
        if not (run / FOLDER / FACTS).is_file():
            raise ModelError(
                f"run {run.name[:12]} keeps no distress head: it learned no scores, or is older than heads are kept; "
                "train again: `kgrisk train`"
            )
        head, facts = _load(run / FOLDER)
        try:
            span = None
            if told := facts.get("margins"):
                width = {frozenset(pattern): float(wide) for pattern, wide in told["width"]}
                others = [_load(run / FOLDER / str(n))[0] for n in range(1, facts["members"])]
                span = Span((head, *others), Margins(tuple(told["names"]), float(told["coverage"]), width))
            return cls(head, Platt(*map(float, facts["scale"])), span)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{run / FOLDER} holds no whole distress head ({error!r}); train again") from error


def _save(head: Head, folder: Path, more: Mapping[str, Any]) -> Path:
    tensors, told = head.kept()
    return save_tensors(folder, tensors, {"head": head.name, "seed": head.seed, "told": told, **more})


def _load(folder: Path) -> tuple[Head, dict[str, Any]]:
    tensors, facts = load_tensors(folder)
    try:
        head = plugins.load("gnn.heads", facts["head"], Head)(int(facts["seed"]))  # type: ignore[type-abstract]
        head.restore(tensors, facts["told"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"{folder} holds no whole distress head ({error!r}); train again") from error
    return head, facts
