"""Surrogate: a small tree or a regression on readable figures that says what a larger model does, and how well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from gnn.encoders.table import COLUMNS, NAMES
from gnn.evaluate import bootstrap
from gnn.head import TIES, Cohort, Head, contagion, facts
from gnn.missing import log_odds
from gnn.vocabulary import RELATIONS
from kg.errors import MissingExtraError, ModelError

HINT = "a surrogate needs scikit-learn; run: pip install 'kgrisk[learn]' (or: pip install scikit-learn)"
Kind = Literal["tree", "linear"]
LEAST = 20
"""Fewer items leave nothing to test on."""


@dataclass(frozen=True)
class Unit:
    """How a figure as a head reads it stands in its own units: grown(mean + deviation * figure)."""

    form: Literal["amount", "plain", "sum", "mask", "deviations"]
    """Signed decimal logarithm of an amount, a number as it is, log(1 + sum), 1 where the figure is known, or a figure
    whose scale is not told."""
    mean: float = 0.0
    deviation: float = 1.0

    def own(self, figure: float) -> float:
        """The figure in its own units."""
        value = self.mean + self.deviation * figure
        if self.form == "amount":
            return float(np.sign(value) * (10 ** abs(value) - 1))
        return float(np.expm1(value)) if self.form == "sum" else value

    def asks(self, name: str, cut: float, above: bool) -> str:
        """The condition of a branch, in words."""
        if self.form == "mask":
            return name if above else name.replace(KNOWN, " is unknown")
        unit = " deviations" if self.form == "deviations" else ""
        return f"{name} {'>' if above else '<='} {_figure(self.own(cut))}{unit}"

    def per(self, deviation: float) -> str:
        """What one deviation of the figures is: so many times an amount, so much of anything else."""
        if self.form == "amount":
            return f"{_figure(10 ** (deviation * self.deviation))} times as much"
        return "known beside unknown" if self.form == "mask" else f"{_figure(deviation * self.deviation)} more"


PLAIN: Final = Unit("plain")
KNOWN: Final = " is known"
Names = Sequence[str] | Mapping[str, Unit]
"""Of the figures; with the unit of each where it is scaled."""


@dataclass(frozen=True)
class Surrogate:
    """A readable model of a model, with its fidelity on items it was not fitted on."""

    kind: Kind
    rules: tuple[str, ...]
    """A line per leaf of the tree, or per weight, most telling first."""
    r2: float
    """1 less the squared error over the variance of the model's own log odds; 0 says no more than their mean."""
    r2_interval: tuple[float, float]
    agreement: float
    """Share of held-out items put on the same side of `threshold`."""
    chance: float
    """The same for a surrogate that puts all on the more frequent side."""
    threshold: float
    """Log odds above which the model says trouble: its upper fifth."""
    count: int
    """Held-out items."""

    def verdict(self) -> str:
        """The fidelity in words."""
        low, high = self.r2_interval
        word = "explains the scores" if low > 0.5 else "explains a part of the scores"
        if low <= 0:
            word = "does NOT explain the scores"
        elif self.agreement <= self.chance:
            word = "follows the scores but tells the riskiest fifth NO better than a guess"
        return (
            f"The {self.kind} {word}: R2 {self.r2:.2f} ({low:.2f} to {high:.2f}) on {self.count} items held "
            f"out; {self.agreement:.0%} on the same side of log odds {self.threshold:+.2f}, {self.chance:.0%} by guess."
        )


def surrogate(
    values: np.ndarray, names: Names, odds: np.ndarray, kind: Kind = "tree", depth: int = 3, seed: int = 0
) -> Surrogate:
    """Fit on two thirds of the items, (items, names) figures, and test on the rest.

    It is fitted to what the model says, never to the truth: fidelity is not quality.
    """
    if len(values) < LEAST or values.shape != (len(odds), len(names)) or not np.isfinite(values).all():
        raise ModelError(
            f"a surrogate of {values.shape} figures, {len(names)} names and {len(odds)} scores: expected at least "
            f"{LEAST} items, a finite figure for each name, and a score for each item"
        )
    order = np.random.default_rng(seed).permutation(len(values))
    train, test = np.split(order, [2 * len(order) // 3])
    model = _fitted(values[train], odds[train], kind, depth, seed)
    said, threshold = model.predict(values[test]), float(np.quantile(odds[train], 0.8))
    above, own = odds[test] > threshold, said > threshold
    both = np.stack([odds[test], said], axis=1)
    units = {name: names[name] if isinstance(names, Mapping) else PLAIN for name in names}
    rules = _leaves(model, units) if kind == "tree" else _weights(model, units)
    return Surrogate(
        kind,
        tuple(rules),
        fidelity(both),
        bootstrap(both, seed, 300, fidelity),
        float((above == own).mean()),
        float(max(above.mean(), 1 - above.mean())),
        threshold,
        len(test),
    )


def of_firms(
    heads: Sequence[Head],
    cohort: Cohort,
    kind: Kind = "tree",
    depth: int = 3,
    scale: Mapping[str, Sequence[float]] = {},
) -> Surrogate:
    """A surrogate of distress heads: by the figures of each firm and the recent trouble of its partners.

    `scale` is that of the table encoder, by which rules are told in the figures' own units; an unknown figure counts
    as the mean, as it does to the heads.
    """
    table, width = facts(cohort, 2 * len(NAMES)), len(NAMES)
    values = np.concatenate([table[:, :width], table[:, width:], contagion(cohort)], axis=1)
    near = [f"trouble of {name} {end}" for name in RELATIONS if name in TIES for end in ("sources", "targets")]
    units = {name: _unit(name, scale.get(name)) for name in NAMES}
    units |= {f"{name}{KNOWN}": Unit("mask") for name in NAMES} | {name: Unit("sum") for name in near}
    names = np.array(list(units))
    told = np.ptp(values, axis=0) > 0 if len(values) else np.zeros(len(names), dtype=bool)
    own = {name: units[name] for name in names[told].tolist()}
    return surrogate(values[:, told], own, log_odds(heads, cohort).mean(0), kind, depth)


def _unit(name: str, scale: Sequence[float] | None) -> Unit:
    if scale is None:
        return Unit("deviations")
    _, _, mean, deviation = scale
    return Unit("amount" if name in COLUMNS else "plain", mean, deviation)


def _figure(value: float) -> str:
    """Four digits, and whole numbers above a thousand."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def fidelity(both: np.ndarray) -> float:
    """R2 of the second column as an account of the first; 0 where the first does not vary and is met."""
    error, spread = float(((both[:, 0] - both[:, 1]) ** 2).sum()), float(((both[:, 0] - both[:, 0].mean()) ** 2).sum())
    return 1.0 - error / spread if spread else 0.0


def _fitted(x: np.ndarray, y: np.ndarray, kind: Kind, depth: int, seed: int) -> Any:
    try:
        from sklearn.linear_model import RidgeCV
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from sklearn.tree import DecisionTreeRegressor
    except ImportError as error:
        raise MissingExtraError(HINT) from error
    if kind == "tree":
        least = max(5, len(x) // 50)
        return DecisionTreeRegressor(max_depth=depth, min_samples_leaf=least, random_state=seed).fit(x, y)
    return make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 3, 13))).fit(x, y)


def _leaves(model: Any, units: Mapping[str, Unit]) -> list[str]:
    """`a <= 0.2 and b > 1: log odds -1.30, 40 items`, riskiest first."""
    tree, found, names = model.tree_, list[tuple[float, str]](), list(units)

    def walk(node: int, path: tuple[str, ...]) -> None:
        if tree.children_left[node] < 0:
            value = float(tree.value[node, 0, 0])
            found.append(
                (value, f"{' and '.join(path) or 'all'}: log odds {value:+.2f}, {tree.n_node_samples[node]} items")
            )
            return
        name, cut = names[tree.feature[node]], float(tree.threshold[node])
        walk(tree.children_left[node], (*path, units[name].asks(name, cut, above=False)))
        walk(tree.children_right[node], (*path, units[name].asks(name, cut, above=True)))

    walk(0, ())
    return [text for _, text in sorted(found, key=lambda pair: (-pair[0], pair[1]))]


def _weights(model: Any, units: Mapping[str, Unit]) -> list[str]:
    """`a: +0.80 log odds per deviation (3.2 times as much)`, strongest first."""
    each = zip(units, model[-1].coef_.tolist(), model[0].scale_.tolist(), strict=True)
    return [
        f"{name}: {value:+.2f} log odds per deviation ({units[name].per(deviation)})"
        for name, value, deviation in sorted(each, key=lambda one: (-abs(one[1]), one[0]))
        if value
    ]
