"""Fitting of the tone weights: multinomial logistic regression on hashed features of headlines with judged names.

The penalised likelihood is strictly convex, so it has one optimum; it is followed until the gradient vanishes and the
weights are rounded to signed bytes, so that the same headlines give the same file.

    minimise  sum_i -log softmax(W x_i + b)[y_i] + |W|^2 / 2 C        (Hastie, Tibshirani, Friedman 2009, 4.4)
"""

from __future__ import annotations

import ast
import csv
import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from ingest.extract.prose.tone import BUCKETS, CLASSES, FIELDS, Weights, buckets
from ingest.source import Refusal

STRENGTH: Final = 1.0
"""C of the formula: how far the data may pull the weights from nought."""
_REPLACED: Final = (("neutral", "hold"), ("negative", "sell"), ("positive", "buy"))
"""SEntFiN 1.0 has labels written over parts of names: `L&T Finance neutralings` was `L&T Finance Holdings`."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A headline, the places of the names in it, and how it speaks of each."""

    text: str
    spans: tuple[tuple[int, int], ...]
    labels: tuple[str, ...]

    @property
    def fold(self) -> int:
        """One of 0 to 4, by the words of the headline: the same headline is always in the same fold."""
        plain = re.sub(r"\W+", " ", self.text.lower()).strip()
        return int(hashlib.sha256(plain.encode()).hexdigest(), 16) % 5


def read_judged(content: bytes) -> tuple[list[Judged], list[Refusal]]:
    """Headlines of a SEntFiN table (columns Title and Decisions), and the rows that cannot be read."""
    found: list[Judged] = []
    refused: list[Refusal] = []
    for number, row in enumerate(csv.DictReader(io.StringIO(content.decode("utf-8"))), 1):
        try:
            found.append(_judged(row["Title"], row["Decisions"]))
        except (ValueError, SyntaxError) as error:
            refused.append(Refusal(f"row:{number}", f"{row['Decisions']!r} is no mapping of names to labels ({error})"))
    return found, refused


def _judged(title: str, cell: str) -> Judged:
    try:
        decisions = ast.literal_eval(cell)
    except SyntaxError:
        decisions = json.loads(cell)
    if not isinstance(decisions, Mapping) or not decisions or not set(decisions.values()) <= set(CLASSES):
        raise ValueError(f"expected names with one of {', '.join(CLASSES)}")
    return Judged(title, tuple(_place(title, str(name)) for name in decisions), tuple(decisions.values()))


def _place(title: str, name: str) -> tuple[int, int]:
    for spelling in (name, *(name.replace(label, word) for label, word in _REPLACED)):
        for pattern in (rf"(?<!\w){re.escape(spelling)}(?!\w)", re.escape(spelling)):
            if match := re.search(pattern, title, re.I):
                return match.span()
    raise ValueError(f"the headline does not name {name!r}")


def fit(judged: Sequence[Judged], about: Mapping[str, Any]) -> Weights:
    """Weights at the optimum, rounded to signed bytes."""
    matrix, labels = _matrix(judged)
    used = np.unique(matrix.indices)
    solved = _optimum(matrix[:, used].tocsr(), labels)
    inner = solved[:-1]
    scale = float(f"{np.abs(inner).max() / 127:.9e}")
    table = np.zeros((BUCKETS, len(CLASSES)), np.int8)
    table[used] = np.rint(inner / scale).astype(np.int8)
    return Weights(table, scale, tuple(round(float(b), 6) for b in solved[-1]), about)


def _matrix(judged: Sequence[Judged]) -> tuple[sparse.csr_matrix, NDArray[np.int64]]:
    rows, labels = [], []
    for headline in judged:
        for which, label in enumerate(headline.labels):
            rows.append(buckets(headline.text, headline.spans, which))
            labels.append(CLASSES.index(label))
    ends = np.cumsum([0, *(len(row) for row in rows)])
    values = np.concatenate([np.full(len(row), FIELDS / len(row) ** 0.5) for row in rows])
    matrix = sparse.csr_matrix((values, np.concatenate(rows), ends), shape=(len(rows), BUCKETS))
    return matrix, np.array(labels, np.int64)


def _optimum(matrix: sparse.csr_matrix, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weights by feature and class, with the intercepts as the last row."""
    size, kinds = matrix.shape[1], len(CLASSES)
    truth = np.eye(kinds)[labels]
    turned = matrix.T.tocsr()

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(size + 1, kinds)
        logits = matrix @ weights[:-1] + weights[-1]
        logits -= logits.max(axis=1, keepdims=True)
        norm = np.log(np.exp(logits).sum(axis=1, keepdims=True))
        rest = np.exp(logits - norm) - truth
        slope = np.vstack([turned @ rest + weights[:-1] / STRENGTH, rest.sum(axis=0, keepdims=True)])
        cost = (norm - logits)[np.arange(len(labels)), labels].sum() + (weights[:-1] ** 2).sum() / (2 * STRENGTH)
        return float(cost), slope.ravel()

    options = {"maxiter": 5000, "maxfun": 10000, "ftol": 0.0, "gtol": 1e-7, "maxcor": 30}
    start = np.zeros((size + 1) * kinds)
    found = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options=options)  # type: ignore[call-overload]  # the stubs ask for a tuple of one
    return np.asarray(found.x, np.float64).reshape(size + 1, kinds)
