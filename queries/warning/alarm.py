"""Alarm: one index of all signals, the threshold above which it warns, and how early and how often in vain it did.

Each signal is the firm's rank among all firms at that date, 0 to 1 (1/2 where nothing is known), so that no unit and no
later date can enter. The index is a logistic regression on the ranks with weights of at least 0: more trouble never
lowers it. Weights and threshold come from dates whose outcome was public by the cut; the test is every date after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from kg.errors import MeasureError
from queries.warning.signals import READERS, Signals

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
RIDGE = 1.0
"""Draws weights to 0: with few events a signal must earn its weight."""
FEW = 5
"""Events below which nothing is said of skill."""
DRAWS = 500


@dataclass(frozen=True)
class Panel:
    """Firms at dates, their ranks and what became of them."""

    ids: tuple[str, ...]
    dates: NDArray[np.float64]
    """(rows,) days since 1970."""
    rank: Floats
    """(rows, signals) 0 to 1."""
    event: Floats
    """(rows,) days until its distress event; NaN where none came within the horizon."""

    @property
    def truth(self) -> Flags:
        return ~np.isnan(self.event)


@dataclass(frozen=True)
class Alarm:
    """An index with its threshold."""

    weight: Floats
    """(signals,) at least 0."""
    bias: float
    threshold: float

    def index(self, rank: Floats) -> Floats:
        """(rows,) 0 to 1."""
        return np.asarray(1 / (1 + np.exp(-(rank @ self.weight + self.bias))), float)


@dataclass(frozen=True)
class Verdict:
    """How the alarm did on dates after the cut."""

    events: int
    """Firms whose distress came within the horizon of a test date."""
    warned: int
    lead_days: Floats
    """(warned,) from the first alarm to the event."""
    false_alarms: float
    """Share of firm-dates without an event that it called."""
    auroc: float
    low: float
    high: float
    """95 % bootstrap over firms."""
    single: tuple[str, float]
    """The signal that alone does best on the test, and its AUROC: what the index has to beat."""

    @property
    def skill(self) -> str:
        """In words: is it better than chance, and than one signal alone?"""
        if self.events < FEW:
            return f"{self.events} events in the test are too few to tell skill from luck"
        if self.low <= 0.5:
            return f"no skill: AUROC {self.auroc:.2f}, and its interval {self.low:.2f} to {self.high:.2f} holds chance"
        name, best = self.single
        beside = f"above {name} alone ({best:.2f})" if self.auroc > best else f"not above {name} alone ({best:.2f})"
        return f"AUROC {self.auroc:.2f} ({self.low:.2f} to {self.high:.2f}), {beside}"


def ranked(value: Floats) -> Floats:
    """(firms, signals) place among the firms of a date, 0 to 1, ties in the middle; 1/2 where unknown."""
    from scipy.stats import rankdata  # half a second that only an early warning spends

    found = np.full(value.shape, 0.5)
    for column in range(value.shape[1]):
        known = ~np.isnan(value[:, column])
        if known.sum() > 1:
            found[known, column] = (rankdata(value[known, column]) - 0.5) / known.sum()
    return found


def panel(rows: Sequence[Signals], failed: Mapping[str, datetime], horizon: timedelta) -> Panel:
    """What the signals said, and when distress came, as `failed` knows it."""
    ids, dates, event = [], [], []
    for one in rows:
        for id in one.ids:
            ahead = failed[id] - one.date if id in failed else None
            ids.append(id)
            dates.append(one.date.timestamp() / 86_400)
            event.append(ahead.days if ahead is not None and timedelta(0) < ahead <= horizon else np.nan)
    rank = np.vstack([ranked(one.value) for one in rows]) if rows else np.zeros((0, len(READERS)))
    return Panel(tuple(ids), np.array(dates), rank, np.array(event, float))


def fit(train: Panel, false_alarms: float = 0.05) -> Alarm:
    """Weights by penalised likelihood, and the threshold that calls at most `false_alarms` of the quiet firm-dates."""
    from scipy.optimize import minimize

    if not 0 < false_alarms < 1:
        raise MeasureError(f"false_alarms is a share between 0 and 1, not {false_alarms}")
    truth = train.truth
    if not truth.any() or truth.all():
        raise MeasureError(
            f"{int(truth.sum())} of {len(truth)} firm-dates before the cut were followed by distress that was public "
            "by then; both kinds are needed: take a later cut, or ingest events"
        )
    wanted, x = truth.astype(float), train.rank - 0.5

    def loss(theta: Floats) -> tuple[float, Floats]:
        logit = x @ theta[:-1] + theta[-1]
        slope = 1 / (1 + np.exp(-logit)) - wanted
        value = np.sum(np.logaddexp(0, logit) - wanted * logit) + RIDGE * (theta[:-1] @ theta[:-1]) / 2
        return float(value), np.append(x.T @ slope + RIDGE * theta[:-1], slope.sum())

    start = np.append(np.zeros(x.shape[1]), np.log(wanted.mean() / (1 - wanted.mean())))
    bounds = [(0, None)] * x.shape[1] + [(None, None)]
    theta = np.asarray(minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B").x, float)
    made = Alarm(theta[:-1], float(theta[-1] - theta[:-1].sum() / 2), 1.0)
    quiet = np.sort(made.index(train.rank[~truth]))
    return Alarm(made.weight, made.bias, float(quiet[int(np.ceil((1 - false_alarms) * len(quiet))) - 1]))


def judge(alarm: Alarm, test: Panel, seed: int = 0) -> Verdict:
    """How the alarm did. MeasureError if there is nothing to test."""
    if not len(test.ids):
        raise MeasureError("there is no firm at risk at any date after the cut; take an earlier cut")
    index, truth, ids = alarm.index(test.rank), test.truth, np.array(test.ids)
    called = index > alarm.threshold
    warned = truth & called
    leads = [float(test.event[warned & (ids == id)].max()) for id in np.unique(ids[warned])]
    low, high = _interval(index, truth, ids, seed)
    alone = {name: auroc(truth, test.rank[:, place]) for place, name in enumerate(READERS)}
    single = max(alone.items(), key=lambda pair: (np.nan_to_num(pair[1]), pair[0]))
    quiet = float(called[~truth].mean()) if (~truth).any() else float("nan")
    events = len(np.unique(ids[truth]))
    return Verdict(events, len(leads), np.array(leads), quiet, auroc(truth, index), low, high, single)


def auroc(truth: Flags, score: Floats) -> float:
    """Chance that a random event scores above a random quiet firm-date, ties half (Mann, Whitney 1947)."""
    from scipy.stats import rankdata

    hits, rest = int(truth.sum()), int((~truth).sum())
    if not hits or not rest:
        return float("nan")
    return float((rankdata(score)[truth].sum() - hits * (hits + 1) / 2) / (hits * rest))


def _interval(index: Floats, truth: Flags, ids: NDArray[np.str_], seed: int) -> tuple[float, float]:
    """Bootstrap over firms: the dates of one firm stand and fall together."""
    firms, place = np.unique(ids, return_inverse=True)
    rows = [np.flatnonzero(place == firm) for firm in range(len(firms))]
    rng, found = np.random.default_rng(seed), []
    for _ in range(DRAWS):
        drawn = np.concatenate([rows[firm] for firm in rng.integers(0, len(firms), len(firms))])
        found.append(auroc(truth[drawn], index[drawn]))
    values = np.array(found)[~np.isnan(found)]
    return (float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975))) if len(values) else (np.nan, np.nan)
