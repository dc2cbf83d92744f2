"""Floors of precision, recall and ties: among planted schemes, and on the real sample of simulated laundering."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.laundering_payments import Planted, amlsim
from benchmarks.risk.laundering import ALONE, judged
from gnn.payments.amlsim import read
from queries.measure import build
from queries.pattern import Pattern
from queries.patterns.cycles import Cycles
from queries.patterns.fan_in import FanIn
from queries.payments.flows import Flows

FLOORS = {
    "cycles": (0.95, 0.95),
    "fan_in": (0.2, 0.95),  # shops are paid by many too: a fan alone is little proof
    "fan_out": (0.25, 0.95),
    "layering": (0.6, 0.9),
    "scatter_gather": (0.95, 0.95),
    "structuring": (0.95, 0.85),
    "mule_ring": (0.85, 0.7),
}


def test_planted_schemes_are_found_among_payments_of_every_day() -> None:
    world = Planted(seed=7, accounts=3_000, payments=25_000, instances=15)
    snapshot, truth = world.snapshot(), world.truth()
    for name, (least_right, least_found) in FLOORS.items():
        found = build(Pattern, name).find(snapshot).to_pylist()  # type: ignore[type-abstract]
        precision, recall, _ = judged(found, [scheme for scheme in truth if scheme.kind == name])
        assert precision >= least_right, name
        assert recall >= least_found, name


def test_alerts_of_all_patterns_hardly_tie() -> None:
    flows = Flows.of(Planted(seed=8, accounts=3_000, payments=25_000, instances=15).table())
    scores = [build(Pattern, name).among(flows)["score"].to_numpy() for name in ALONE]  # type: ignore[attr-defined,type-abstract]
    top = np.sort(np.concatenate(scores))[::-1][:1_000]
    _, counts = np.unique(top, return_counts=True)
    assert len(top) > 80
    assert counts[counts > 1].sum() <= 0.01 * len(top)


@pytest.mark.real
def test_schemes_of_the_real_sample_are_found(real_data: Path) -> None:
    table, schemes = amlsim(read(next((real_data / "aml").glob("*.tgz"))))
    flows = Flows.of(table)
    asked = {
        "cycle": Cycles(days=150, tolerance=0.02, ordered=False),
        "fan_in": FanIn(least=2, days=150, unusual=10, surge=0),
    }
    for kind, pattern in asked.items():
        precision, recall, _ = judged(pattern.among(flows).to_pylist(), [one for one in schemes if one.kind == kind])
        assert precision > 0.85, kind
        assert recall > 0.9, kind
