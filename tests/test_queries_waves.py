"""Who fails in turn, how many rounds it took, and who is named: told by every measure that counts money or walks."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from kgrisk.risk import shortened
from queries.exposures import EDGES, Exposures
from queries.measure import RiskMeasure, build
from queries.scenario import Shocks
from queries.uncertainty import losses_in

CHAIN = ("a", "b", "c", "d")


def chain(equity: float = 1.0, owed: float = 5.0) -> Exposures:
    """b lends to a, c to b, d to c; a has lost what it owes if it is shocked."""
    n = len(CHAIN)
    rows = {
        "id": [f"{i + 1}>{i}" for i in range(n - 1)], "type": ["LENDS_TO"] * (n - 1), "source": [1, 2, 3],
        "target": [0, 1, 2], "amount": [owed] * (n - 1), "statement": [""] * (n - 1), "predicted": [False] * (n - 1),
    }  # fmt: skip
    outside = np.array([owed + equity, equity, equity, equity])
    return Exposures(CHAIN, "EUR", pa.table(rows, schema=EDGES), np.full(n, equity), outside, np.array([0, 0, 0, owed]))


def measure(name: str, **params: object) -> RiskMeasure:
    return build(RiskMeasure, name, params)  # type: ignore[type-abstract]  # a role is asked for


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("eisenberg_noe", {}), ("rogers_veraart", {}), ("elsinger", {}), ("neva", {"valuation": "eisenberg_noe"}),
        ("neva", {"valuation": "rogers_veraart"}), ("neva", {"valuation": "furfine"}), ("threshold", {}),
    ],
)  # fmt: skip
def test_a_chain_falls_one_after_the_other(name: str, params: dict[str, object]) -> None:
    x = chain()
    losses = measure(name, **params).spread(x, Shocks.parse(x, "a"))
    assert losses.waves == ((("a",), ("b",), ("c",), ("d",)),)


@pytest.mark.parametrize("valuation", ["eisenberg_noe", "debtrank", "black_cox", "rogers_veraart"])
def test_waves_of_a_valuation_hold_each_who_defaults_once_and_no_wave_is_empty(valuation: str) -> None:
    random = np.random.default_rng(3)
    for _ in range(50):
        x = chain(float(random.uniform(0.5, 3)), float(random.uniform(2, 8)))
        losses = measure("neva", valuation=valuation).spread(x, Shocks.of(x, random.random((3, 4)), "external"))
        for place, waves in enumerate(losses.waves):
            told = [id for wave in waves for id in wave]
            assert sorted(told) == sorted(losses.defaults(place)) and all(waves)


def test_where_nobody_fails_there_is_no_wave() -> None:
    x = chain()
    still = Shocks.of(x, np.zeros(4))
    assert [measure(name).spread(x, still).waves for name in ("neva", "elsinger")] == [((),), ((),)]


def test_walks_and_heat_tell_the_rounds_they_took() -> None:
    x = chain()
    shock = Shocks.parse(x, "a")
    ranks = [measure("pagerank", alpha=alpha, dangling="restart").spread(x, shock).rounds for alpha in (0.0, 0.5, 0.85)]
    assert ranks[0] == 1 < ranks[1] < ranks[2]
    short, long = (measure("heat", time=time).spread(x, shock).rounds for time in (0.5, 30.0))
    assert 5 < short < long
    assert measure("heat", time=0.0).spread(x, shock).rounds == 0


def test_ranges_are_told_of_clearing_with_holdings_as_world_by_world() -> None:
    x = chain(equity=2.0)
    asked = measure("elsinger", holdings={"d>a": 0.4, "c>b": 0.2})
    shock = Shocks.parse(x, {"a": 0.9}, kind="external")
    stands = np.array([[True, True, True], [False, True, True], [True, False, True], [True, True, False]])
    together = losses_in(asked, x, shock, stands)
    alone = np.vstack([losses_in(asked, x, shock, row[None, :]) for row in stands])
    np.testing.assert_allclose(together, alone, rtol=1e-9, atol=1e-12)
    assert together[0, 3] > 0 and not np.allclose(together, losses_in(measure("elsinger"), x, shock, stands))


def test_a_remark_names_everyone_and_people_are_shown_a_few() -> None:
    names = [f"lei:N{i}" for i in range(20)]
    remark = f"losses amplify among {', '.join(names)}: whoever is reached, in the end, comes to full distress"
    assert shortened(remark) == remark.replace(", ".join(names), f"{', '.join(names[:8])} and 12 more")
    assert shortened("a, b and c: nothing is left out") == "a, b and c: nothing is left out"
