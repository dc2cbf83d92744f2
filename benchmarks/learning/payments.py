"""Laundering among payments of the AMLSim sample, split by date: boosting, the network and both, under each protocol.

Training up to day 90, validation to day 110, test from there on. `strict`: a transfer sees those of earlier days;
`daily`: those of its own day too, as where a bank scores once a day. The amounts of the sample give the schemes away,
so each is measured as given and with amounts hidden from every model.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from typing import Final

import numpy as np

from benchmarks.figure import Figure, real_data
from gnn.calibrate import Platt, platt
from gnn.evaluate import auprc
from gnn.heads.logistic import log_loss
from gnn.model import exact
from gnn.payments.amlsim import START, read
from gnn.payments.boost import Boost
from gnn.payments.detector import checked
from gnn.payments.features import Features, describe, reads_amounts
from gnn.payments.joining import joined, weight
from gnn.payments.lesson import Course, learn, logits, surely
from gnn.payments.neighbourhood import Neighbourhood
from gnn.payments.network import Wiring
from gnn.payments.past import Past
from gnn.payments.protocol import DAILY, STRICT, Protocol
from gnn.payments.report import Judged, best_threshold, gap, ties
from gnn.payments.report import measure as measured
from gnn.payments.table import Payments

TRAIN, VALID = timedelta(days=91), timedelta(days=111)
"""After START: first moment of the validation part, and of the test part."""
RAW: Final = ("amount", "day of the week", "hour")
TIED: Final = 0.01
"""Most of the top 1,000 that may tie."""
EVERY: Final = Wiring()
WITHOUT: Final = {
    "ports": replace(EVERY, ports=False),
    "ego ids": replace(EVERY, ego=False),
    "reverse messages": replace(EVERY, reverse=False),
    "edge updates": replace(EVERY, updates=False),
    "any of the four": replace(EVERY, ports=False, ego=False, reverse=False, updates=False),
}
PROTOCOLS: Final = {"strict": STRICT, "daily": DAILY}
ABLATED: Final = {("strict", True): tuple(WITHOUT), ("strict", False): ("ports",), ("daily", True): ("ports",)}
"""What is measured: protocol and whether amounts are hidden, with what is left out of the network there."""


@dataclass(frozen=True)
class Parts:
    """Rows of the three parts, and the truth."""

    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray
    truth: np.ndarray


@dataclass(frozen=True)
class Row:
    """Log odds of one model on validation and test."""

    valid: np.ndarray
    test: np.ndarray

    def scale(self, parts: Parts) -> Platt:
        return platt(self.valid, parts.truth[parts.valid])

    def judged(self, parts: Parts) -> Judged:
        limit = best_threshold(parts.truth[parts.valid], self.valid)
        return Judged(parts.truth[parts.test], self.test, self.scale(parts)(self.test), limit)


def payments() -> tuple[Payments, Parts]:
    own = Payments.of(read(next((real_data() / "aml").glob("*.tgz"))))
    ends = (None, START + TRAIN, START + VALID, None)
    rows = [own.between(low, high) for low, high in pairwise(ends)]
    return own, Parts(rows[0], rows[1], rows[2], checked(own, *rows))


def boosted(features: Features, parts: Parts) -> Row:
    truth = parts.truth
    model = Boost.fit(features.of(parts.train), truth[parts.train], features.of(parts.valid), truth[parts.valid])
    return Row(model.score(features.of(parts.valid)), model.score(features.of(parts.test)))


def taught(own: Payments, protocol: Protocol, wiring: Wiring, parts: Parts) -> Row:
    course = Course()
    near = Neighbourhood(Past.of(own, protocol), course.fans)
    model = learn(near, parts.truth, (parts.train, parts.valid), wiring, course)
    with exact(1):
        return Row(logits(model, near, parts.valid), logits(model, near, parts.test))


def wired(rows: dict[str, Row], own: Payments, parts: Parts) -> str:
    """Which of the two networks, with ports and without, the validation part chooses, as the detector does."""
    whole, bare = (
        Judged(parts.truth[parts.valid], row.valid, row.valid, 0.0)
        for row in (rows["network"], rows["network without ports"])
    )
    return "network" if surely(whole, bare, own.source[parts.valid]) else "network without ports"


def together(boost: Row, network: Row, own: Payments, parts: Parts) -> tuple[Row, float]:
    """Both members by the weight of the network that validation chooses, as the detector does, and that weight."""
    rows = {"boost": boost, "network": network}
    scales = {name: row.scale(parts) for name, row in rows.items()}
    valid, test = ({name: getattr(row, part) for name, row in rows.items()} for part in ("valid", "test"))
    share = weight(valid, parts.truth[parts.valid], own.time[parts.valid], own.source[parts.valid])
    return Row(joined(valid, scales, share), joined(test, scales, share)), share


def judged_row(name: str, row: Row, own: Payments, parts: Parts, alike: np.ndarray) -> list[Figure]:
    """The figures of a model on the test part, each with its interval, and how far its alerts tie."""
    aim = None if name.endswith("raw columns") else TIED
    senders = own.source[parts.test]
    told = measured(row.judged(parts), senders)
    figures = [
        Figure(f"{name}: {what}", found.value, note=f"95 % {found.low:.3f} to {found.high:.3f}")
        for what, found in told.items()
    ]
    whole = ties(row.test)
    note = f"counted where something tells the transfers apart; {whole:.3f} with those that nothing does"
    return [*figures, Figure(f"{name}: ties in the top 1,000", ties(row.test, alike=alike), aim, False, note=note)]


def compared(name: str, pair: tuple[Row, Row], own: Payments, parts: Parts, aim: float | None) -> Figure:
    """Low end of the 95 % interval of what the first gains over the second in AUPRC."""
    one, other = (row.judged(parts) for row in pair)
    found = gap(one, other, own.source[parts.test], lambda judged: auprc(judged.truth, judged.score))
    note = f"difference {found.value:+.4f}, up to {found.high:+.4f}"
    return Figure(f"{name}: low end of the gain in AUPRC", found.low, aim, note=note)


def alike(features: Features, rows: np.ndarray) -> np.ndarray:
    """(rows,) one number for transfers whose columns are all the same."""
    found: np.ndarray = np.unique(np.nan_to_num(features.values[rows], nan=-1.0), axis=0, return_inverse=True)[1]
    return found.ravel()


def losses(rows: dict[str, Row], parts: Parts) -> dict[str, float]:
    """Log loss on the test part after calibration."""
    truth = parts.truth[parts.test]
    return {name: log_loss(truth, row.scale(parts)(row.test)) for name, row in rows.items()}


def columns(own: Payments, name: str, hidden: bool) -> Features:
    """The columns under a protocol, with or without those made of amounts."""
    features = describe(own, PROTOCOLS[name])
    return features.where(lambda column: not reads_amounts(column)) if hidden else features


def learned(own: Payments, parts: Parts, name: str, hidden: bool) -> Iterator[tuple[str, Row]]:
    """The models of one protocol by name, with amounts as given or hidden."""
    features, shown = columns(own, name, hidden), not hidden
    yield "boosting, raw columns", boosted(features.where(lambda column: column in RAW), parts)
    yield "boosting, raw and graph", boosted(features, parts)
    yield "network", taught(own, PROTOCOLS[name], replace(EVERY, amounts=shown), parts)
    for what in ABLATED[name, hidden]:
        yield f"network without {what}", taught(own, PROTOCOLS[name], replace(WITHOUT[what], amounts=shown), parts)


def told(own: Payments, parts: Parts, at: tuple[str, bool], rows: dict[str, Row]) -> Iterator[Figure]:
    """The figures of the models of one protocol, and of the two members together."""
    label = f"{at[0]}, amounts {'hidden' if at[1] else 'given'}"
    taken = wired(rows, own, parts)
    members = {key: rows[key] for key in ("boosting, raw and graph", taken)}
    both, share = together(rows["boosting, raw and graph"], rows[taken], own, parts)
    rows = {**rows, "both": both}
    seen = ", ".join(
        f"{key} {auprc(parts.truth[parts.valid], row.valid):.3f}" for key, row in rows.items() if "network" in key
    )
    note = f"it is the {taken}; AUPRC on validation: {seen}"
    yield Figure(f"{label}: weight that validation gives to the network it chooses", share, note=note)
    same = alike(columns(own, *at), parts.test)
    for key, row in rows.items():
        yield from judged_row(f"{label}: {key}", row, own, parts, same)
    for key, aim in (("boosting, raw columns", 0.0), ("network without ports", 0.0), ("boosting, raw and graph", None)):
        for one in ("network", "both") if key in rows else ():
            yield compared(f"{label}: {one} over {key}", (rows[one], rows[key]), own, parts, aim)
    lost = losses({**members, "both": rows["both"]}, parts)
    best = min(members, key=lambda key: lost[key])
    note = f"both {lost['both']:.4f}, best member ({best}) {lost[best]:.4f}"
    what = f"{label}: log loss of both less that of the best member"
    yield Figure(what, round(lost["both"] - lost[best], 9), 0.0, False, note=note)  # alone it is the member itself


def measure() -> list[Figure]:
    own, parts = payments()
    truth = parts.truth[parts.test]
    low = auprc(truth, -own.cents[parts.test].astype(np.float64))
    began = time.process_time()
    count = len(describe(own, STRICT).names)
    speed = len(own) / (time.process_time() - began)
    figures = [
        Figure(f"transfers given their {count} columns", speed, unit="per CPU-second"),
        Figure("base rate, test", float(truth.mean()), note=f"{len(truth)} transfers, {int(truth.sum())} launder"),
        Figure("AUPRC of the rule: the smaller the amount, the worse", low, note="the sample gives schemes away"),
    ]
    for name, hidden in ABLATED:
        figures += told(own, parts, (name, hidden), dict(learned(own, parts, name, hidden)))
    return figures
