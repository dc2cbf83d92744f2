"""Firms of five modalities of which each in turn carries the label: the truth of every figure is known.

Each modality holds one number that matters, in a direction of its own, among noise; the carrier's weighs most. Text and
tables are also made as real content that the real encoders read: sentences (planted_sentences.py) and accounts.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

import numpy as np

from gnn.encoders.table import COLUMNS, Table
from gnn.encoders.text import Text
from gnn.head import Cohort
from tests.planted_rows import cohort, drawn
from tests.planted_sentences import said

WIDTHS: Final = {"audio": 12, "image": 24, "series": 8, "table": 10, "text": 32}
CARRIER: Final = 3.0
OTHERS: Final = 1.0
"""Log odds per deviation of the number that matters, in the carrier and in each other modality."""
MISSING: Final = 0.15


def planted(carrier: str, count: int, seed: int, missing: float | Mapping[str, float] = MISSING) -> Cohort:
    """Firms whose label hangs on all five modalities, on the carrier three times as much as on each other."""
    draw, force = np.random.default_rng(seed), strengths(carrier)
    matters = {name: draw.normal(size=count) for name in WIDTHS}
    vectors = {
        name: matters[name][:, None] * direction(name) + 0.5 * draw.normal(size=(count, width))
        for name, width in WIDTHS.items()
    }
    return _cohort(vectors, matters, force, missing, draw)


def strengths(carrier: str) -> dict[str, float]:
    return {name: CARRIER if name == carrier else OTHERS for name in WIDTHS}


def direction(name: str) -> np.ndarray:
    """Where the number that matters of a modality lies: the same in every cohort."""
    own = np.random.default_rng(len(name) * 1000 + WIDTHS[name]).normal(size=WIDTHS[name])
    found: np.ndarray = own / np.linalg.norm(own) * np.sqrt(WIDTHS[name]) / 2
    return found


def real(carrier: str, count: int, seed: int, wordings: tuple[int, ...]) -> Cohort:
    """The same with text and table as content that the real encoders read; what is said is said in these wordings."""
    draw, force = np.random.default_rng(seed), strengths(carrier)
    matters = {name: draw.normal(size=count) for name in WIDTHS}
    matters["text"] = np.sign(matters["text"])
    vectors = {
        name: matters[name][:, None] * direction(name) + 0.5 * draw.normal(size=(count, width))
        for name, width in WIDTHS.items()
        if name not in ("text", "table")
    }
    vectors["text"] = np.stack([sentence_vector(said(worse > 0, wordings, draw)) for worse in matters["text"]])
    vectors["table"] = scaled_table().encode(list(accounts(matters["table"], draw))).numpy()
    return _cohort(dict(sorted(vectors.items())), matters, force, MISSING, draw)


@cache
def sentence_vector(text: str) -> np.ndarray:
    found: np.ndarray = _encoder().encode([text])[0].numpy()
    return found


@cache
def _encoder() -> Text:
    return Text()


def accounts(worse: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """(firms, COLUMNS) accounts in euro, NaN where not reported: the worse, the less equity for the assets."""
    table = np.full((len(worse), len(COLUMNS)), np.nan)
    assets = 10 ** draw.uniform(6, 9, len(worse))
    equity = assets * np.clip(0.35 - 0.15 * worse + 0.03 * draw.normal(size=len(worse)), -0.5, 0.95)
    revenue = assets * draw.lognormal(0, 0.4, len(worse))
    filled = {"assets": assets, "equity": equity, "liabilities": assets - equity, "revenue": revenue}
    for name, values in filled.items():
        table[:, COLUMNS.index(name)] = values
    return table


@cache
def scaled_table() -> Table:
    """The table encoder with the scale of a train window."""
    draw = np.random.default_rng(4)
    return Table().fit(accounts(draw.normal(size=800), draw))


def _cohort(
    vectors: Mapping[str, np.ndarray],
    matters: Mapping[str, np.ndarray],
    force: Mapping[str, float],
    missing: float | Mapping[str, float],
    draw: np.random.Generator,
) -> Cohort:
    count = len(next(iter(matters.values())))
    share = missing if isinstance(missing, Mapping) else dict.fromkeys(vectors, missing)
    has = {name: draw.random(count) >= share.get(name, MISSING) for name in vectors}
    logit = sum((force[name] * matters[name] for name in vectors), start=np.zeros(count))
    return cohort(vectors, has, drawn(logit, draw))
