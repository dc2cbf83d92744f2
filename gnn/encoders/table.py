"""Numeric facts of a node as scaled numbers with a mask for what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from gnn.encoder import Encoder
from kg.errors import ModelError
from kg.model import digest
from kg.ontology import PROPERTIES

COLUMNS: Final = tuple(name for name, spec in PROPERTIES.items() if spec.modality == "numeric")
"""Numeric properties in the order of the ontology: the columns of the matrix that goes in."""
RATIOS: Final = (
    ("equity", "assets"),
    ("cash", "assets"),
    ("net_income", "assets"),
    ("liabilities", "assets"),
    ("debt", "assets"),
    ("revenue", "assets"),
    ("net_income", "revenue"),
    ("current_assets", "current_liabilities"),
    ("operating_income", "interest_expense"),
)
"""Numerator and denominator of the ratios that credit analysts read first; they need no currency."""
NAMES: Final = (*COLUMNS, *(f"{a}/{b}" for a, b in RATIOS))


class Table(Encoder):
    """Signed logarithms of amounts, ratios between them, each standardised, then one mask column for each.

    x' = (clip(x, 1st, 99th percentile) - mean) / deviation, fitted on the train window alone; missing is 0 with mask 0.
    """

    modality = "numeric"
    dim = 2 * len(NAMES)

    def __init__(self, scale: Mapping[str, Sequence[float]] | None = None) -> None:
        given = scale or {}
        if given and set(given) != set(NAMES):
            raise ModelError(
                f"stored scale has columns {sorted(given)}, this version needs {sorted(NAMES)}; train again"
            )
        self.scale = {name: list(map(float, given[name])) for name in NAMES if given}
        """Column -> (low, high, mean, deviation); empty until fitted."""

    @property
    def fingerprint(self) -> str:
        return f"table-{digest(repr(sorted(self.scale.items())).encode())[:16]}"

    def fit(self, values: np.ndarray) -> Table:
        """Learn the scale from a matrix (nodes, COLUMNS) with NaN where unknown: give it the train window only."""
        raw = derived(values)
        self.scale = {name: _column_scale(raw[:, i]) for i, name in enumerate(NAMES)}
        return self

    def encode(self, values: Sequence[Any]) -> Tensor:
        """Vectors of rows of COLUMNS with NaN where unknown. ModelError before `fit`."""
        matrix = np.asarray(values, dtype=np.float64).reshape(-1, len(COLUMNS))
        if not self.scale:
            raise ModelError("table encoder: no scale yet; call fit() on the facts of the train window first")
        raw = derived(matrix)
        low, high, mean, deviation = np.array([self.scale[name] for name in NAMES]).T
        scaled = (np.clip(raw, low, high) - mean) / deviation
        known = np.isfinite(raw)
        both = np.concatenate([np.where(known, scaled, 0.0), known.astype(np.float64)], axis=1)
        return torch.from_numpy(both.astype(np.float32))


def derived(values: np.ndarray) -> np.ndarray:
    """Matrix (nodes, NAMES): sign(x) log10(1 + |x|) of each column, then the ratios; NaN where a part is missing."""
    column = {name: values[:, i] for i, name in enumerate(COLUMNS)}
    logs = [np.sign(x) * np.log10(1.0 + np.abs(x)) for x in column.values()]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = [column[a] / np.where(column[b] == 0.0, np.nan, column[b]) for a, b in RATIOS]
    return np.stack([*logs, *ratios], axis=1)


def _column_scale(column: np.ndarray) -> list[float]:
    known = column[np.isfinite(column)]
    if not len(known):
        return [0.0, 0.0, 0.0, 1.0]
    low, high = np.percentile(known, [1, 99])
    clipped = np.clip(known, low, high)
    return [float(low), float(high), float(clipped.mean()), float(clipped.std()) or 1.0]
