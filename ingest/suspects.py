"""Suspects are values that are probably wrong: a unit slipped, a sign turned, a row said twice, a number far off.

They are told with what they probably should be and never changed: a value that looks wrong may be the news. A value is
judged beside the others of its series (one entity, one column over time): on the scale of log10 |x| a slipped unit is
a jump of 3 or 6, and a jump counts only where the series is calm, by its median absolute deviation (Hampel 1974).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

SUSPECTS: Final = {"row": pl.Int64, "column": pl.String, "rule": pl.String, "value": pl.Float64, "expected": pl.Float64}
"""Columns of a table of suspects: number of the row from 0, where, why, what stands there, what was to be expected."""
LEAST: Final = 4
"""Values a series must have to be judged."""
CALM: Final = 0.35
"""Largest spread (1.4826 MAD of log10) of a series in which a slipped unit can be told."""
SLACK: Final = 0.5
"""How far from a whole jump of 3 or 6 a slipped unit may be, in powers of ten."""
FAR: Final = 6.0
"""Spreads from the median (and at least one power of ten) that make an outlier."""
MOST: Final = 0.8
"""Share of a series that must agree on the sign for the others to be suspects."""


def suspects(frame: pl.DataFrame, series: Sequence[str], values: Sequence[str]) -> pl.DataFrame:
    """Suspects among the values columns of a table; `series` names the columns that say whose series a row is in."""
    if not frame.height:
        return pl.DataFrame(schema=SUSPECTS)
    rows = frame.with_row_index("row")
    long = pl.concat(
        rows.select(
            pl.col("row").cast(pl.Int64),
            pl.concat_str([pl.col(name).cast(pl.String).fill_null("") for name in series], separator="\x1f").alias(
                "of"
            ),
            pl.lit(column).alias("column"),
            pl.col(column).cast(pl.Float64).alias("value"),
        ).filter(pl.col("value").is_not_null() & (pl.col("value") != 0))
        for column in values
    )
    return _judged(long).select(*SUSPECTS).sort("row", "column")


def _judged(long: pl.DataFrame) -> pl.DataFrame:
    group = ["of", "column"]
    size = pl.col("value").abs().log10()
    scaled = long.with_columns(size.alias("size"), (pl.col("value") < 0).alias("minus")).with_columns(
        pl.col("size").median().over(group).alias("middle"),
        pl.len().over(group).alias("n"),
        pl.col("minus").mean().over(group).alias("minuses"),
    )
    scaled = scaled.with_columns(
        (1.4826 * (pl.col("size") - pl.col("middle")).abs().median().over(group)).alias("spread"),
        (pl.col("size") - pl.col("middle")).alias("jump"),
    )
    jump = pl.col("jump").abs()
    calm = pl.col("spread") <= CALM
    unit = calm & pl.any_horizontal([(jump - step).abs() <= SLACK for step in (3, 6)])
    outlier = (jump > pl.max_horizontal(FAR * pl.col("spread"), pl.lit(1.0))) & ~unit
    alone = pl.when(pl.col("minus")).then(pl.col("minuses")).otherwise(1 - pl.col("minuses"))
    turned = (alone <= 1 - MOST + 1e-9) & (jump <= pl.max_horizontal(3 * pl.col("spread"), pl.lit(SLACK)))
    steps = pl.when(jump < 4.5).then(3.0).otherwise(6.0) * pl.col("jump").sign()
    judged = scaled.filter(pl.col("n") >= LEAST).with_columns(
        pl.when(unit).then(pl.lit("unit")).when(outlier).then(pl.lit("outlier")).when(turned).then(pl.lit("sign"))
        .alias("rule"),
        pl.when(unit).then(pl.col("value") / pl.lit(10.0).pow(steps)).when(turned).then(-pl.col("value"))
        .alias("expected"),
    )  # fmt: skip
    return judged.filter(pl.col("rule").is_not_null())


def repeats(frame: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Rows that say again what an earlier row says (`duplicate`), or something else under the same key
    (`contradiction`).
    """
    rows = frame.with_row_index("row")
    again = rows.filter(~pl.struct(frame.columns).is_first_distinct())["row"].to_list()
    same = rows.filter(~pl.struct(list(key)).is_first_distinct())["row"].to_list()
    duplicate = set(again)
    rules = [(row, "duplicate" if row in duplicate else "contradiction") for row in sorted(duplicate | set(same))]
    return pl.DataFrame(
        {"row": [row for row, _ in rules], "column": [",".join(key)] * len(rules), "rule": [rule for _, rule in rules],
         "value": [None] * len(rules), "expected": [None] * len(rules)},
        schema=SUSPECTS,
    )  # fmt: skip
