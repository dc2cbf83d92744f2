"""The interbank network: four core banks, the others around them, the fall of a core bank topples some, not most."""

from __future__ import annotations

from datetime import date, timedelta

from kgrisk.sample.network import YEARS, World
from kgrisk.sample.world import BANKS, stream

CORE = 4
FRAGILE = {
    5: (0, 1.45),
    14: (0, 1.3),
    17: (0, 1.6),
    20: (0, 1.35),
    16: (5, 1.4),
    22: (5, 1.3),
    9: (1, 1.3),
    12: (1, 1.5),
}
"""Bank -> (debtor, claim as a multiple of the bank's own equity): falls with its debtor, 16 and 22 in a second wave."""
Claims = dict[tuple[int, int], float]
"""(creditor, debtor) -> amount in EUR."""


def equity_of(world: World, n: int, year: int) -> float:
    """Assets less liabilities at the end of a year."""
    ratios = world.ratios[n, min(year, 2022)]
    return ratios["assets"] * (1 - ratios["leverage"])


def interbank(world: World) -> dict[int, Claims]:
    """Year -> claims between banks, as a share of the creditor's equity that differs from bank to bank."""
    rng = stream("interbank")
    weights: Claims = {}
    for i in range(BANKS):
        if i < CORE:
            for j in range(CORE):
                if i != j:
                    weights[i, j] = rng.uniform(0.06, 0.2)
            for j in rng.sample(range(CORE, 12), 3):
                weights[i, j] = rng.uniform(0.02, 0.05)
            continue
        total = rng.uniform(0.25, 0.7)
        debtors = [*rng.sample(range(CORE), 2), rng.choice([k for k in range(CORE, 12) if k != i])]
        for j, part in zip(debtors, (0.6, 0.25, 0.15), strict=True):
            weights[i, j] = total * part
        if i in FRAGILE:
            debtor, multiple = FRAGILE[i]
            weights[i, debtor] = multiple
    return {
        year: {pair: _amount(world, pair[0], year, w * rng.uniform(0.9, 1.1)) for pair, w in weights.items()}
        for year in YEARS
    }


def _amount(world: World, creditor: int, year: int, weight: float) -> float:
    return round(weight * equity_of(world, creditor, year - 1), -5)


def restated(amount: float, year: int, first: int, rng_value: float) -> float:
    """A loan of `amount` shrinks or grows a little each year."""
    return round(amount * (0.93 + 0.08 * rng_value) ** (year - first), -4)


def year_rows(start: date, end: date | None) -> list[tuple[date, date | None]]:
    """Cut [start, end) at each new year from 2020 on; the last piece stays open where the loan does."""
    cuts = [start] + [
        date(y, 1, 1) for y in range(2020, 2024) if start < date(y, 1, 1) and (end is None or date(y, 1, 1) < end)
    ]
    return list(zip(cuts, [*cuts[1:], end], strict=True))


def lag(rng_value: float) -> timedelta:
    """Days until a statement of the register is published."""
    return timedelta(days=20 + int(40 * rng_value))
