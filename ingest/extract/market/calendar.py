"""Sessions of an exchange: on which days it opens, and when each session closes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

import polars as pl

from kg.errors import RecordError

SUFFIXES: Final[Mapping[str, tuple[str, str]]] = {
    "": ("XNYS", "USD"),
    "AS": ("XAMS", "EUR"),
    "AX": ("XASX", "AUD"),
    "BR": ("XBRU", "EUR"),
    "CO": ("XCSE", "DKK"),
    "DE": ("XETR", "EUR"),
    "F": ("XFRA", "EUR"),
    "HE": ("XHEL", "EUR"),
    "HK": ("XHKG", "HKD"),
    "KS": ("XKRX", "KRW"),
    "L": ("XLON", "GBP"),
    "LS": ("XLIS", "EUR"),
    "MC": ("XMAD", "EUR"),
    "MI": ("XMIL", "EUR"),
    "OL": ("XOSL", "NOK"),
    "PA": ("XPAR", "EUR"),
    "SA": ("BVMF", "BRL"),
    "SI": ("XSES", "SGD"),
    "SS": ("XSHG", "CNY"),
    "ST": ("XSTO", "SEK"),
    "SW": ("XSWX", "CHF"),
    "SZ": ("XSHG", "CNY"),
    "T": ("XTKS", "JPY"),
    "TO": ("XTSE", "CAD"),
    "VI": ("XWBO", "EUR"),
}
"""Exchange (ISO 10383) and currency that the end of a ticker names, as in `VOD.L`."""


def traded_at(ticker: str) -> tuple[str, str]:
    """Exchange and currency of a ticker by its suffix; New York and dollars where it has none that is known."""
    return SUFFIXES.get(ticker.rpartition(".")[2] if "." in ticker else "", SUFFIXES[""])


@lru_cache(maxsize=16)
def sessions(exchange: str, first: date, last: date) -> pl.DataFrame:
    """Days on which the exchange opens from first to last, and when each closes (UTC): (day, closed).

    RecordError for an exchange, or for years, that no calendar is known for.
    """
    import exchange_calendars

    try:
        # a calendar needs more than one session, so it starts and ends a little wider
        start, end = first - timedelta(days=14), last + timedelta(days=14)
        calendar = exchange_calendars.get_calendar(exchange, start=str(start), end=str(end))
    except ValueError as error:
        try:
            calendar = exchange_calendars.get_calendar(exchange, start=str(first - timedelta(days=14)))
        except ValueError:
            raise RecordError(f"no calendar of {exchange} from {first} to {last}: {error}") from error
    except exchange_calendars.errors.InvalidCalendarName as error:
        raise RecordError(f"no calendar is known for exchange {exchange!r}; give an ISO 10383 code as XNYS") from error
    closes = calendar.closes
    frame = pl.DataFrame({"day": [at.date() for at in closes.index], "closed": [at.to_pydatetime() for at in closes]})
    return frame.with_columns(pl.col("closed").cast(pl.Datetime("us", "UTC"))).filter(
        pl.col("day").is_between(first, last)
    )


def ends(days: pl.Series, every: str) -> pl.Series:
    """Which sessions are the last of their month (`1mo`), quarter (`1q`) or year (`1y`), those after them being known.

    The last session given is never one: nobody knew then that none would follow.
    """
    span = days.dt.truncate(every)
    return (span != span.shift(-1)).fill_null(False)
