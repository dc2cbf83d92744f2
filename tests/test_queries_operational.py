"""Operational losses: three ways to one compound sum, fits with a threshold, and traffic lights of indicators."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from scipy import stats

from kg.errors import MeasureError
from queries.figure import notes
from queries.figures.kri import Kri
from queries.figures.operational_loss import OperationalLoss
from queries.operational.compound import Frequency, Severity, aggregate, fit_severity, on_grid, panjer, simulated

START = np.datetime64("2015-01-01T00:00:00.000000")
DAY = np.timedelta64(1, "D")


def events(count: int = 300, seed: int = 0, years: int = 10, **more: Any) -> pa.Table:
    r = np.random.default_rng(seed)
    when = np.sort(r.integers(0, int(365.25 * years), count))
    when[[0, -1]] = 0, int(365.25 * years)
    return pa.table({"date": START + when * DAY, "amount": np.exp(r.normal(9, 1.5, count)), **more})


# ---- the sum


@pytest.mark.parametrize("spread", [1.0, 2.5])
@pytest.mark.parametrize(("rate", "sigma"), [(0.5, 1.0), (5.0, 1.5), (40.0, 2.0)])
def test_fft_panjer_and_simulation_give_one_capital(rate: float, sigma: float, spread: float) -> None:
    many, severity = Frequency(rate, spread), Severity(1.0, sigma)
    by_fft = aggregate(many, severity, 0.99, 8_192, "fft")
    np.testing.assert_allclose(aggregate(many, severity, 0.99, 8_192, "panjer"), by_fft, rtol=1e-8)
    drawn = simulated(many, severity, 0.99, 400_000, seed=1)
    assert drawn[0] == pytest.approx(by_fft[0], rel=0.03)
    assert drawn[1] == pytest.approx(by_fft[1], rel=0.06)


def test_losses_all_alike_are_a_poisson_count() -> None:
    many, one = Frequency(3.0), np.zeros(64)
    one[1] = 1.0
    expected = stats.poisson.pmf(np.arange(64), 3.0)
    np.testing.assert_allclose(panjer(many, one), expected, rtol=1e-12, atol=1e-16)
    var, es, mean = aggregate(many, Severity(0.0, 0.0), 0.99, 65_536, "fft")
    assert var == pytest.approx(stats.poisson.ppf(0.99, 3.0), rel=1e-3)
    k = np.arange(200)
    p = stats.poisson.pmf(k, 3.0)
    edge = stats.poisson.ppf(0.99, 3.0)
    beyond = (k * p)[k > edge].sum() + edge * (stats.poisson.cdf(edge, 3.0) - 0.99)
    assert es == pytest.approx(beyond / 0.01, rel=2e-3)
    assert mean == 3.0


def test_negative_binomial_counts_are_scipys() -> None:
    many, one = Frequency(4.0, 2.0), np.zeros(80)
    one[1] = 1.0
    expected = stats.nbinom.pmf(np.arange(80), 4.0, 0.5)
    np.testing.assert_allclose(panjer(many, one), expected, rtol=1e-10, atol=1e-16)
    drawn = many.drawn(np.random.default_rng(0), 200_000)
    assert (drawn.mean(), drawn.var()) == (pytest.approx(4, rel=0.02), pytest.approx(8, rel=0.03))


def test_the_sum_keeps_its_mean_and_all_its_probability() -> None:
    many, severity = Frequency(6.0), Severity(0.0, 0.8)
    density = on_grid(many, severity, 0.01, 32_768, "fft")
    assert density.sum() == pytest.approx(1, abs=1e-9)
    assert 0.01 * np.arange(32_768) @ density == pytest.approx(6 * severity.mean, rel=1e-7)
    variance = 6 * np.exp(2 * 0.8**2)  # rate times the second moment of a loss
    centred = (0.01 * np.arange(32_768) - 6 * severity.mean) ** 2
    assert centred @ density == pytest.approx(variance, rel=1e-3)


def test_heavy_tails_come_close_to_the_single_loss_approximation() -> None:
    """Boecker and Klueppelberg 2005: far out a bad year is one very large loss."""
    many, severity = Frequency(10.0), Severity(0.0, 2.5)
    var = aggregate(many, severity, 0.9999, 65_536, "fft")[0]
    assert var == pytest.approx(severity.quantile(1 - 0.0001 / 10) + 9 * severity.mean, rel=0.05)


def test_so_many_losses_that_the_recursion_starts_at_nothing_are_told() -> None:
    with pytest.raises(MeasureError, match="take method fft"):
        aggregate(Frequency(5_000.0), Severity(0.0, 1.0), 0.99, 8_192, "panjer")
    var, _, mean = aggregate(Frequency(5_000.0), Severity(0.0, 1.0), 0.99, 8_192, "fft")
    spread = np.sqrt(5_000 * np.exp(2))
    assert var == pytest.approx(mean + stats.norm.ppf(0.99) * spread, rel=0.01)
    assert mean == pytest.approx(5_000 * np.exp(0.5))


# ---- the fit


def test_severity_is_found_again_behind_a_threshold() -> None:
    losses = np.exp(np.random.default_rng(3).normal(8, 1.2, 40_000))
    seen = losses[losses >= np.exp(8)]
    found = fit_severity(seen, float(np.exp(8)))
    assert (found.mu, found.sigma) == (pytest.approx(8, abs=0.1), pytest.approx(1.2, abs=0.05))
    assert found.above(float(np.exp(8))) == pytest.approx(0.5, abs=0.04)
    naive = fit_severity(seen, 0.0)
    assert naive.mu > 8.8


def test_capital_from_events_by_hand() -> None:
    table = events()
    found = OperationalLoss().compute(table).to_pylist()[0]
    logs = np.log(table["amount"].to_numpy())
    years = int(365.25 * 10) / 365.2425
    assert (found["mu"], found["sigma"]) == (pytest.approx(logs.mean()), pytest.approx(logs.std()))
    assert found["rate"] == pytest.approx(300 / years, rel=1e-6)
    assert found["el"] == pytest.approx(found["rate"] * np.exp(logs.mean() + logs.var() / 2), rel=1e-9)
    assert found["ul"] == found["var"] - found["el"]
    drawn = OperationalLoss(method="monte_carlo").compute(table).to_pylist()[0]
    assert drawn["var"] == pytest.approx(found["var"], rel=0.1)
    less = OperationalLoss(level=0.95).compute(table).to_pylist()[0]
    assert less["var"] < found["var"] < found["es"]


def test_years_that_differ_more_than_chance_need_more_capital() -> None:
    """All events fall into two of ten years."""
    r = np.random.default_rng(1)
    when = np.sort(np.concatenate([[0], r.integers(0, 365, 60), 8 * 365 + r.integers(0, 365, 60), [3652]]))
    table = pa.table({"date": START + when * DAY, "amount": np.exp(r.normal(5, 0.5, len(when)))})
    poisson, wild = (
        OperationalLoss(frequency=frequency).compute(table).to_pylist()[0]  # type: ignore[arg-type]
        for frequency in ("poisson", "negative_binomial")
    )
    assert wild["el"] == pytest.approx(poisson["el"])
    assert wild["var"] > 2 * poisson["var"]


def test_a_threshold_makes_unseen_losses_count() -> None:
    table = events(4_000)
    seen = table.filter(pc.greater_equal(table["amount"], np.exp(9)))
    whole = OperationalLoss().compute(table).to_pylist()[0]
    cut = OperationalLoss(threshold=float(np.exp(9))).compute(seen).to_pylist()[0]
    assert cut["rate"] == pytest.approx(whole["rate"], rel=0.15)
    assert cut["el"] == pytest.approx(whole["el"], rel=0.15)


def test_categories_are_added_as_if_they_failed_together() -> None:
    table = events(category=["fraud", "systems"] * 150)
    fraud, systems, total = sorted(
        OperationalLoss().compute(table).to_pylist(), key=lambda row: row["category"] == "all"
    )
    assert (fraud["category"], systems["category"]) == ("fraud", "systems")
    assert total["var"] == fraud["var"] + systems["var"]
    assert total["events"] == 300
    alone = OperationalLoss().compute(events()).to_pylist()[0]
    assert total["var"] > alone["var"]


def test_losses_below_the_threshold_few_events_and_a_grid_too_small_are_told() -> None:
    with pytest.raises(MeasureError, match="below the threshold"):
        OperationalLoss(threshold=1e4).compute(events())
    with pytest.raises(MeasureError, match="at least 64"):
        OperationalLoss(points=10).compute(events())
    assert any("fewer than 30 events" in note for note in notes(OperationalLoss().compute(events(20))))
    same = pa.table({"date": START + np.arange(4) * 365 * DAY, "amount": [5.0] * 4})
    found = OperationalLoss(level=0.9).compute(same).to_pylist()[0]
    assert found["sigma"] == 0
    assert found["var"] == pytest.approx(5 * stats.poisson.ppf(0.9, found["rate"]), rel=1e-3)


# ---- indicators


def readings(values: list[float], id: str = "failed trades", **more: Any) -> pa.Table:
    n = len(values)
    rows = {"id": [id] * n, "date": START + np.arange(n) * 30 * DAY, "value": values}
    return pa.table({**rows, **{name: [value] * n for name, value in more.items()}})


def light(values: list[float], asked: Kri | None = None, **more: Any) -> dict[str, Any]:
    return dict((asked or Kri()).compute(readings(values, **more)).to_pylist()[0])


def test_an_indicator_is_judged_by_its_own_past() -> None:
    past = [10.0, 12, 11, 9, 8, 10]
    mean, sd = np.mean(past), np.std(past, ddof=1)
    for steps, colour in ((1.9, "green"), (2.1, "amber"), (3.1, "red"), (-5.0, "green")):
        found = light([*past, mean + steps * sd])
        assert (found["status"], found["z"]) == (colour, pytest.approx(steps))
    assert light([*past, mean - 3.1 * sd], Kri(direction="low"))["status"] == "red"


def test_limits_that_were_set_count_beside_the_past() -> None:
    past = [10.0, 12, 11, 9, 8, 10]
    assert light([*past, 11.0], limit_amber=10.5, limit_red=20.0)["status"] == "amber"
    assert light([*past, 11.0], limit_amber=5.0, limit_red=10.5)["status"] == "red"
    assert light([4.0], Kri(direction="low"), limit_red=5.0)["status"] == "red"
    assert light([4.0], limit_red=5.0)["status"] == "green"


def test_short_and_still_indicators() -> None:
    assert light([1.0, 2.0])["status"] == "unknown"
    assert light([3.0] * 6)["z"] == 0
    assert light([*[3.0] * 6, 4.0])["status"] == "red"
    assert light([1.0, 2.0, 3.0, 4.0])["trend"] == pytest.approx(1)
    with pytest.raises(MeasureError, match="twice"):
        Kri().compute(pa.concat_tables([readings([1.0]), readings([1.0])]))
    with pytest.raises(MeasureError, match="red"):
        Kri(amber=3, red=2)
