"""Returns: what a portfolio earned day by day, as it could be known when each day began."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.errors import MeasureError
from queries.figure import Floats, Rows, Times

DAY = np.timedelta64(1, "D")


def with_returns(table: pa.Table) -> pa.Table:
    """The table with a column `return` made from `close`, day on day of each `series`, if it has closes alone.

    A return is as public as the later of its two closes. MeasureError on closes that are not above 0 or doubled.
    """
    if "return" in table.column_names or not {"close", "date"} <= set(table.column_names):
        return table
    import pandas as pd  # a second that only closes given as text are worth

    keys = [(name, "ascending") for name in ("series", "date", "published") if name in table.column_names]
    table = table.sort_by(keys)
    close = pd.to_numeric(table["close"].to_pandas(), errors="coerce").to_numpy(float)
    bad = np.flatnonzero(~(np.isfinite(close) & (close > 0)))
    if len(bad):
        first = table.slice(int(bad[0]), 1).to_pylist()[0]
        where = " of ".join(str(first[name]) for name in ("date", "series") if name in first)
        raise MeasureError(
            f"column 'close' is a finite price above 0, which {first['close']} of {where} is not; correct it, or leave "
            f"the row out ({len(bad)} such rows)"
        )
    names = np.asarray(table["series"].to_pylist() if "series" in table.column_names else [""] * len(close), object)
    days = np.asarray(table["date"].to_pylist(), object)
    same = names[1:] == names[:-1]
    if (same & (days[1:] == days[:-1])).any():
        row = int(np.flatnonzero(same & (days[1:] == days[:-1]))[0])
        raise MeasureError(f"closes of {days[row]} are there twice; give returns with `published` where prices change")
    made = table.slice(1).append_column("return", pa.array(close[1:] / close[:-1] - 1)).filter(pa.array(same))
    if "published" in table.column_names:
        now, before = table["published"].slice(1), table["published"].slice(0, len(close) - 1)
        later = pc.if_else(pc.greater(now, before), now, before).filter(pa.array(same))
        made = made.set_column(made.column_names.index("published"), "published", later)
    return made


@dataclass(frozen=True)
class Returns:
    """(rows,) returns of one or more series, with the day of each and when it became public."""

    names: tuple[str, ...]
    weights: Floats
    """(series,)."""
    series: np.ndarray
    """(rows,) which series."""
    day: Times
    public: Times
    value: Floats

    @classmethod
    def of(cls, rows: Rows) -> Returns:
        """From checked rows; MeasureError where one day of a series was published twice at once."""
        texts = rows.text("series") if "series" in rows else [""] * len(rows)
        names = tuple(sorted(set(texts)))
        place = {name: row for row, name in enumerate(names)}
        series = np.array([place[text] for text in texts], np.int64)
        day = rows.times("date")
        public = rows.times("published") if "published" in rows else day + DAY  # a day is public at its end
        order = np.lexsort((public, day, series))
        series, day, public = series[order], day[order], public[order]
        twice = (series[1:] == series[:-1]) & (day[1:] == day[:-1]) & (public[1:] == public[:-1])
        if twice.any():
            row = int(np.flatnonzero(twice)[0])
            raise MeasureError(
                f"two returns of {names[series[row]] or 'the series'} on {day[row]}; give `published` where one "
                "corrects the other, and `series` where they are of several"
            )
        return cls(names, weights_of(rows, names, series, order), series, day, public, rows["return"][order])

    def known(self, cut: np.datetime64, past: bool) -> tuple[Times, Floats]:
        """Days and (days, series) returns as they stood at an instant, `past`: of days before it alone.

        Where a day was published several times the last by then counts; a day that lacks a series is left out.
        """
        seen = (self.public <= cut) & ((self.day < cut) if past else (self.day <= cut))
        series, day, value = self.series[seen], self.day[seen], self.value[seen]
        last = np.append((series[1:] != series[:-1]) | (day[1:] != day[:-1]), True) if len(series) else seen[:0]
        series, day, value = series[last], day[last], value[last]
        days, place = np.unique(day, return_inverse=True)
        wide = np.full((len(days), len(self.names)), np.nan)
        wide[place, series] = value
        whole = ~np.isnan(wide).any(axis=1)
        return days[whole], wide[whole]

    def first(self) -> tuple[Times, Floats]:
        """Days and portfolio returns as first published: what is held against a forecast."""
        first = np.append(True, (self.series[1:] != self.series[:-1]) | (self.day[1:] != self.day[:-1]))
        days, place = np.unique(self.day[first], return_inverse=True)
        wide = np.full((len(days), len(self.names)), np.nan)
        wide[place, self.series[first]] = self.value[first]
        whole = ~np.isnan(wide).any(axis=1)
        return days[whole], wide[whole] @ self.weights

    @property
    def settled(self) -> bool:
        """Was every return public before the next day began, and never changed? Then any past may be cut from one."""
        once = not ((self.series[1:] == self.series[:-1]) & (self.day[1:] == self.day[:-1])).any()
        days = np.unique(self.day)
        after = np.append(days[1:], days[-1] + DAY)[np.searchsorted(days, self.day)]
        return once and bool((self.public <= after).all())


def weights_of(rows: Rows, names: tuple[str, ...], series: np.ndarray, order: np.ndarray) -> Floats:
    """(series,) one weight each: the column `weight`, which must not change, else equal parts."""
    if "weight" not in rows:
        return np.full(len(names), 1 / len(names))
    weight = rows["weight"][order]
    found = np.zeros(len(names))
    found[series] = weight
    if (found[series] != weight).any():
        row = int(np.flatnonzero(found[series] != weight)[0])
        raise MeasureError(f"{names[series[row]]} has more than one weight; a portfolio is held still over its past")
    return found


def tail(losses: Floats, level: float) -> tuple[float, float]:
    """VaR and ES of equally likely losses: the level-quantile, and the mean of the worst 1 - level."""
    ranked, n = np.sort(losses), len(losses)
    place = min(max(int(np.ceil(n * level - 1e-9)), 1), n) - 1
    beyond = ranked[place + 1 :]
    part = n * (1 - level) - len(beyond)
    var = float(ranked[place])
    return var, max(var, float((beyond.sum() + part * var) / (n * (1 - level))))  # rounding may take it below
