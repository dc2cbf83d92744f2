"""Joining: how boosting and network weigh in one score, chosen on days in order and only where it surely helps."""

from __future__ import annotations

from typing import Final

import numpy as np

from gnn.calibrate import Platt, platt

SHARES: Final = (0.25, 0.5, 0.75)
"""Weights of the network beside boosting that are tried beside boosting alone (0) and the network alone (1)."""
FOLDS: Final = 5
"""Stretches of the validation part: each is judged by what the ones before it say."""


def joined(raw: dict[str, np.ndarray], scales: dict[str, Platt], share: float = 0.5) -> np.ndarray:
    """Mean of a s + b, the calibrated log odds of boosting and network: linear, so that no score runs into 1."""
    each = {name: scales[name].a * score + scales[name].b for name, score in raw.items()}
    mean: np.ndarray = (1 - share) * each["boost"] + share * each["network"]
    return mean


def weight(raw: dict[str, np.ndarray], truth: np.ndarray, time: np.ndarray, senders: np.ndarray) -> float:
    """Weight of the network, 0 to 1, from validation transfers in order of time.

    Members and mixture are calibrated on the days before a stretch and judged by log loss on it. The better member
    stays alone unless a mixture gains more on it than one standard error over senders (Breiman et al. 1984): a gain
    within the noise is gone, or worse, on the days to come. One half where the days tell nothing.
    """
    ahead = [_ahead(raw, truth, before, after) for before, after in _stretches(truth, time)]
    if not ahead:
        return 0.5
    after = np.concatenate([rows for rows, _ in ahead])
    lost = {share: np.concatenate([found[share] for _, found in ahead]) for share in (0.0, *SHARES, 1.0)}
    alone = min((0.0, 1.0), key=lambda share: float(lost[share].sum()))
    mixed = min(SHARES, key=lambda share: float(lost[share].sum()))
    _, of = np.unique(senders[after], return_inverse=True)
    gains = np.bincount(of, lost[alone] - lost[mixed])
    return mixed if gains.sum() > gains.std() * len(gains) ** 0.5 else alone


def _stretches(truth: np.ndarray, time: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows before, and rows of, each stretch of days but the first that has both outcomes before it."""
    parts = [part for part in np.array_split(np.unique(time), FOLDS) if len(part)]
    cuts = [(np.flatnonzero(time < part[0]), np.flatnonzero((time >= part[0]) & (time <= part[-1]))) for part in parts]
    return [(before, after) for before, after in cuts if 0 < truth[before].sum() < len(before)]


def _ahead(
    raw: dict[str, np.ndarray], truth: np.ndarray, before: np.ndarray, after: np.ndarray
) -> tuple[np.ndarray, dict[float, np.ndarray]]:
    """The rows judged, and the loss of each with every weight, by what was known before them."""
    known = {name: score[before] for name, score in raw.items()}
    scales = {name: platt(score, truth[before]) for name, score in known.items()}
    later = {name: score[after] for name, score in raw.items()}
    found = {}
    for share in (0.0, *SHARES, 1.0):
        scale = platt(joined(known, scales, share), truth[before])
        odds = scale.a * joined(later, scales, share) + scale.b
        found[share] = np.logaddexp(0.0, (1 - 2 * truth[after]) * odds)  # log loss from log odds, without rounding
    return after, found
