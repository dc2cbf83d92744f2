"""A selection is the part of a large register that a reader wants: by country, LEI or name, up to a limit.

It stands in the sidecar `<file>.meta.json`: {"countries": ["DE"], "leis": [...], "names": ["Acme"], "limit": 1000,
"published": "2025-01-31"}. Names are compared without case and blanks; a name matches one that begins with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from ingest.sidecar import public
from kg.errors import RecordError

_KNOWN = frozenset(("countries", "leis", "names", "limit", "published"))


@dataclass(frozen=True, slots=True)
class Selection:
    """What of a register is wanted; all of it by default."""

    countries: tuple[str, ...] = ()
    leis: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    limit: int | None = None
    published: datetime | None = None

    @classmethod
    def of(cls, sidecar: bytes) -> Selection:
        """The selection a sidecar asks for; RecordError if it is none."""
        if not sidecar:
            return cls()
        try:
            given = json.loads(sidecar)
            if not isinstance(given, dict) or set(given) - _KNOWN:
                raise ValueError(f"expected an object with some of {', '.join(sorted(_KNOWN))}")
            return cls(
                _texts(given, "countries"), _texts(given, "leis"), tuple(_plain(n) for n in _texts(given, "names")),
                _limit(given.get("limit")), _time(given.get("published")),
            )  # fmt: skip
        except (ValueError, TypeError) as error:
            raise RecordError(f"the sidecar cannot be used: {error}; correct it or take it away") from error

    def of_frame(self, frame: pl.DataFrame, lei: str, name: str = "", country: str = "") -> pl.DataFrame:
        """The rows wanted; a column that is not there does not decide."""
        if self.leis:
            frame = frame.filter(pl.col(lei).is_in(self.leis))
        if self.countries and country in frame.columns:
            frame = frame.filter(pl.col(country).is_in(self.countries))
        if self.names and name in frame.columns:
            plain = pl.col(name).str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
            frame = frame.filter(pl.any_horizontal([plain.str.starts_with(wanted) for wanted in self.names]))
        return frame if self.limit is None else frame.head(self.limit)


def _texts(given: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = given.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{key} is {value!r}, expected a list of texts")
    return tuple(value)


def _limit(value: Any) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise ValueError(f"limit is {value!r}, expected a number of rows")
    return value


def _time(value: Any) -> datetime | None:
    if value is None:
        return None
    if (when := public(str(value))) is None:
        raise ValueError(f"published {value!r} is no ISO date or time")
    return when


def _plain(name: str) -> str:
    return " ".join(name.lower().split())
