"""The next value of a firm's money, such as next year's revenue: a regression beside doing nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gnn.classified import rmse, told
from gnn.evaluate import bootstrap
from gnn.head import Cohort, widths
from gnn.heads.logistic import HINT
from gnn.heads.propagated import Propagated
from gnn.views import Views, months
from kg.errors import MissingExtraError, ModelError
from kg.ontology import PROPERTIES
from kg.snapshot import Snapshot

STRENGTHS: Final = (1.0, 10.0, 100.0, 1000.0)
"""Penalties of the ridge tried on the last cohort before the cut."""
FEW: Final = 20
"""Firms with two values in a row below which nothing is learned or tested."""


@dataclass(frozen=True)
class Grown:
    """Firms of a cohort with a value at its cut and a newer one published in the window after it."""

    rows: np.ndarray
    """Places in the cohort."""
    now: np.ndarray
    """Natural logarithm of the value at the cut."""
    next: np.ndarray
    """The same of the newer one."""


@dataclass
class Amounts:
    """What was found, as rows of the table of metrics."""

    metrics: list[dict[str, Any]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def values(snapshot: Snapshot, name: str) -> dict[str, tuple[datetime, float]]:
    """Node id -> when its latest value began to hold, and the value; values that are not above 0 are left out."""
    order = [(column, "ascending") for column in ("subject", "valid_from", "published", "key")]
    facts = snapshot.facts_of(name).sort_by(order)
    amount = pc.coalesce(facts["value_decimal"].cast(pa.float64()), facts["value_real"]).to_pylist()
    rows = zip(facts["subject"].to_pylist(), facts["valid_from"].to_pylist(), amount, strict=True)
    return {snapshot.ids[node]: (when, value) for node, when, value in rows if value is not None and value > 0}


def grown(views: Views, cohort: Cohort, name: str, window: int) -> Grown:
    """Only what was published by the end of the window counts as the newer value."""
    start = cohort.graph.cut
    before, after = values(views.snapshot(start), name), values(views.snapshot(months(start, window)), name)
    found = []
    for place, row in enumerate(cohort.rows.tolist()):
        id = cohort.graph.ids[row]
        if id in before and id in after and after[id][0] > before[id][0]:
            found.append((place, float(np.log(before[id][1])), float(np.log(after[id][1]))))
    table = np.array(found).reshape(-1, 3)
    return Grown(table[:, 0].astype(np.int64), table[:, 1], table[:, 2])


def amounts(views: Views, cohorts: tuple[Sequence[Cohort], Cohort], name: str, window: int, seed: int) -> Amounts:
    """Log of the next value on the cohort at the cut: ridge on growth, persistence, and the mean growth of before."""
    if name not in PROPERTIES or PROPERTIES[name].type != "money":
        money = ", ".join(other for other, spec in PROPERTIES.items() if spec.type == "money")
        raise ModelError(f"amount {name!r} is no money of the ontology; name one of {money}, or None")
    past, now = cohorts
    seen = [(own, grown(views, own, name, window)) for own in past]
    seen = [(own, got) for own, got in seen if len(got.rows)]
    test = grown(views, now, name, window)
    if len(seen) < 2 or sum(len(got.rows) for _, got in seen) < FEW or len(test.rows) < FEW:
        return Amounts(remarks=[f"Amounts: too few firms with two values of {name} in a row to learn or test on."])
    growth = np.concatenate([got.next - got.now for _, got in seen])
    said = {
        "persistence": test.now,
        "mean_growth": test.now + growth.mean(),
        "ridge": test.now + ridge(seen, now, test),
    }
    found = Amounts(remarks=[beside(name, said, test.next)])
    for model, predicted in said.items():
        metric, value, low, high = told("rmse", rmse, test.next, predicted, seed)
        row = {"task": "amount", "model": model, "metric": metric, "value": value, "low": low, "high": high}
        found.metrics.append(row | {"count": len(test.rows)})
    return found


def ridge(seen: Sequence[tuple[Cohort, Grown]], now: Cohort, test: Grown) -> np.ndarray:
    """Predicted growth of the firms at the cut: least squares with a penalty chosen on the last cohort before it."""
    try:
        from sklearn.linear_model import Ridge
    except ImportError as error:
        raise MissingExtraError(HINT) from error
    reader = Reader([own for own, _ in seen])
    parts = [(reader(own, got), got.next - got.now) for own, got in seen]
    x, y = (np.concatenate(columns) for columns in zip(*parts[:-1], strict=True))
    tried = [(float(np.mean((Ridge(s).fit(x, y).predict(parts[-1][0]) - parts[-1][1]) ** 2)), s) for s in STRENGTHS]
    x, y = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    growth: np.ndarray = Ridge(min(tried)[1]).fit(x, y).predict(reader(now, test))
    return growth


class Reader:
    """Columns of a firm: the value it has, and what the propagated head reads of it and of what is around it."""

    def __init__(self, cohorts: Sequence[Cohort]) -> None:
        self.head = Propagated()
        self.head.widths = widths(cohorts)
        self.head._scale(cohorts)

    def __call__(self, cohort: Cohort, grown: Grown) -> np.ndarray:
        return np.column_stack([self.head._features(cohort)[grown.rows], grown.now - grown.now.mean()])


def beside(name: str, said: dict[str, np.ndarray], truth: np.ndarray) -> str:
    """The ridge beside persistence in words, a loss said as plainly as a win."""
    own, its = ((said[model] - truth) ** 2 for model in ("ridge", "persistence"))
    low, high = bootstrap(its - own, 0, 300)
    word = "ties with" if own.mean() == its.mean() else "beats" if own.mean() < its.mean() else "loses to"
    sure = "" if low > 0 or high < 0 else ", which may be chance"
    return (
        f"Amounts: the ridge {word} the last value said as a forecast of the next {name} of {len(truth)} firms "
        f"(RMSE of its logarithm {np.sqrt(own.mean()):.3f} against {np.sqrt(its.mean()):.3f}{sure})."
    )
