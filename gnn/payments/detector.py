"""Detector: boosting and network together, calibrated, with reasons for each score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import pyarrow as pa

from gnn.calibrate import Platt, platt
from gnn.model import exact
from gnn.payments.boost import Boost
from gnn.payments.features import Features, describe, reads_amounts
from gnn.payments.joining import joined, weight
from gnn.payments.lesson import Course, chosen, logits
from gnn.payments.neighbourhood import Neighbourhood
from gnn.payments.network import Network, Switch, Wiring
from gnn.payments.past import Past
from gnn.payments.protocol import STRICT, Protocol
from gnn.payments.report import best_threshold, resampled
from gnn.payments.table import Payments
from kg.errors import ModelError

PART: Final = 50_000
"""Scores whose intervals are held in memory at once."""


@dataclass(frozen=True)
class Settings:
    """How a detector is trained."""

    protocol: Protocol = STRICT
    valid: timedelta = timedelta(days=20)
    """Length of the part before the cut by which rounds, epochs, thresholds and calibration are chosen."""
    wiring: Wiring = field(default_factory=Wiring)
    tried: tuple[Switch, ...] = ("ports",)
    """Switches of the wiring that are tried on and off, one after the other; the validation part chooses."""
    course: Course = field(default_factory=Course)
    reasons: int = 5
    """Columns told with each score."""


@dataclass(frozen=True)
class Reason:
    """A column of the features, its value, and what it adds to the log odds of the boosting."""

    feature: str
    value: float
    share: float


@dataclass(frozen=True)
class Scored:
    """What is said of one transfer."""

    id: str
    score: float
    """Log odds before calibration, mean of the members by their weights: ranks without saturating."""
    probability: float
    """Calibrated."""
    low: float
    high: float
    """What the calibration leaves open about the probability, 95 %: over resampled senders of the validation part."""
    members: dict[str, float]
    """Calibrated probability of each member: far apart means unsure."""
    alert: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, eq=False)
class Band:
    """How far a calibrated probability may lie off because the payments it was calibrated on were few.

    The calibration is fitted anew on resampled senders, as payments of one scheme come together; the middle 95 % of
    what the fits say is the interval. It says nothing of a world that changes.
    """

    draws: np.ndarray
    """(draws, 2) slope and shift of each fit."""

    @classmethod
    def of(cls, score: np.ndarray, truth: np.ndarray, senders: np.ndarray) -> Band:
        parts = [rows for rows in resampled(senders) if 0 < truth[rows].sum() < len(rows)]
        fits = [platt(score[rows], truth[rows]) for rows in parts]
        return cls(np.array([[fit.a, fit.b] for fit in fits], dtype=np.float64).reshape(-1, 2))

    def around(self, score: np.ndarray, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper end for each score; always around its probability. All that is possible without a fit."""
        if not len(self.draws):
            return np.zeros(len(score)), np.ones(len(score))
        ends = [self._ends(part) for part in np.array_split(score, 1 + len(score) // PART)]
        low, high = np.concatenate(ends, axis=1)
        return np.minimum(low, probability), np.maximum(high, probability)

    def _ends(self, score: np.ndarray) -> np.ndarray:
        each = np.stack([Platt(a, b)(score) for a, b in self.draws.tolist()])
        found: np.ndarray = np.percentile(each, [2.5, 97.5], axis=0)
        return found


@dataclass(frozen=True)
class Detector:
    """Says how likely a transfer launders money; two members, whose calibrated log odds are joined."""

    settings: Settings
    boost: Boost
    network: Network
    scales: dict[str, Platt]
    """Calibration of each member, and of `both`."""
    threshold: float
    band: Band
    share: float = 0.5
    """Weight of the network in the joined log odds, 0 to 1, chosen on validation; boosting has the rest."""
    tried: Mapping[str, float] = field(default_factory=dict)
    """AUPRC on the validation part of each wiring of the network that was tried."""

    def score(self, payments: Payments, rows: np.ndarray, features: Features | None = None) -> list[Scored]:
        """Scores of these rows, each as of its horizon; `payments` brings their past along."""
        features = features or self.columns(payments)
        raw = self.members(payments, rows, features)
        both, chosen = self.both(raw), features.of(rows)
        shares = self.boost.shares(chosen)
        sure = self.scales["both"](both)
        low, high = self.band.around(both, sure)
        parts = {name: self.scales[name](score) for name, score in raw.items()}
        return [
            Scored(
                payments.ids[row],
                float(both[k]),
                float(sure[k]),
                float(low[k]),
                float(high[k]),
                {name: float(part[k]) for name, part in parts.items()},
                bool(both[k] >= self.threshold),
                self._reasons(chosen, shares, k),
            )
            for k, row in enumerate(rows)
        ]

    def columns(self, payments: Payments) -> Features:
        """The columns that boosting reads."""
        return shown(describe(payments, self.settings.protocol), self.settings.wiring)

    def members(self, payments: Payments, rows: np.ndarray, features: Features) -> dict[str, np.ndarray]:
        """Log odds of each member before calibration."""
        near = Neighbourhood(Past.of(payments, self.settings.protocol), self.settings.course.fans)
        with exact(self.settings.course.recipe.threads):
            return {"boost": self.boost.score(features.of(rows)), "network": logits(self.network, near, rows)}

    def both(self, raw: dict[str, np.ndarray]) -> np.ndarray:
        """The members' calibrated log odds, by weight."""
        return joined(raw, self.scales, self.share)

    def _reasons(self, chosen: Features, shares: np.ndarray, k: int) -> tuple[Reason, ...]:
        order = np.argsort(-np.abs(shares[k]), kind="stable")[: self.settings.reasons]
        return tuple(
            Reason(chosen.names[c], float(chosen.values[k, c]), float(shares[k, c])) for c in order if shares[k, c]
        )


def train(table: pa.Table, cut: datetime, settings: Settings | None = None) -> Detector:
    """A detector from the transfers before `cut` of a table with COLUMNS and `truth` (gnn/payments/table.py).

    Labels of all transfers before the cut are taken as known at the cut. ModelError where one of the two parts before
    it has no laundering transfer or nothing else.
    """
    settings, payments = settings or Settings(), Payments.of(table)
    payments.labels()
    train_rows, valid_rows = payments.between(None, cut - settings.valid), payments.between(cut - settings.valid, cut)
    truth = checked(payments, train_rows, valid_rows)
    known = _until(payments, len(train_rows) + len(valid_rows))
    features = shown(describe(known, settings.protocol), settings.wiring)
    boost = Boost.fit(features.of(train_rows), truth[train_rows], features.of(valid_rows), truth[valid_rows])
    near = Neighbourhood(Past.of(known, settings.protocol), settings.course.fans)
    network, tried = chosen(near, truth, (train_rows, valid_rows), settings.wiring, settings.course, settings.tried)
    with exact(settings.course.recipe.threads):
        raw = {"boost": boost.score(features.of(valid_rows)), "network": logits(network, near, valid_rows)}
    scales = {name: platt(score, truth[valid_rows]) for name, score in raw.items()}
    share = weight(raw, truth[valid_rows], known.time[valid_rows], known.source[valid_rows])
    mean = joined(raw, scales, share)
    scales["both"] = platt(mean, truth[valid_rows])
    band = Band.of(mean, truth[valid_rows], known.source[valid_rows])
    return Detector(settings, boost, network, scales, best_threshold(truth[valid_rows], mean), band, share, tried)


def shown(features: Features, wiring: Wiring) -> Features:
    """The columns without amounts where the wiring hides them."""
    return features if wiring.amounts else features.where(lambda name: not reads_amounts(name))


def checked(payments: Payments, *parts: np.ndarray) -> np.ndarray:
    """The truth; ModelError unless every part has both outcomes."""
    truth = payments.labels()
    for name, rows in zip(("training", "validation", "test"), parts, strict=False):
        bad = int(truth[rows].sum())
        if not bad or bad == len(rows):
            raise ModelError(
                f"the {name} part has {bad} laundering transfers among {len(rows)}; both kinds are needed: "
                "move the cut or the length of the validation part"
            )
    return truth


def _until(payments: Payments, count: int) -> Payments:
    """The leading transfers alone: what comes later is not even looked at."""
    truth = payments.truth[:count] if payments.truth is not None else None
    source, target = payments.source[:count], payments.target[:count]
    cents, time = payments.cents[:count], payments.time[:count]
    return Payments(payments.ids[:count], source, target, cents, time, payments.accounts, truth)
