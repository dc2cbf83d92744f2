"""A cap on the counterparties of one account, so that a super-node does not swallow the graph.

The edges of an account with more counterparties than the cap keep those with most transactions; all others are summed
into one edge to (or from) an account that stands for the rest. Sums reconcile, and the accounts and rows are counted.
"""

from __future__ import annotations

import logging
from collections import Counter

import polars as pl

from ingest.extract.payments.edges import EDGES, conform

log = logging.getLogger(__name__)


def capped(edges: pl.DataFrame, most: int, rules: Counter[str]) -> pl.DataFrame:
    """Edges with at most so many counterparties of each account on either side, beside the rest."""
    for here, there, word in (("a", "b", "to"), ("b", "a", "from")):
        crowd = edges.group_by(here).agg(pl.col(there).n_unique().alias("#many")).filter(pl.col("#many") > most)
        if not crowd.height:
            continue
        pairs = edges.join(crowd, on=here, how="semi").group_by(here, there).agg(pl.col("count").sum().alias("#rows"))
        order = pl.struct(-pl.col("#rows"), pl.col(there)).rank("ordinal").over(here)
        rest = pairs.filter(order > most).select(here, there, pl.lit(True).alias("#rest"))
        edges = edges.join(rest, on=[here, there], how="left", maintain_order="left")
        # states of a restated edge follow each other and may not be added up: it keeps an edge of its own
        states = pl.struct("a", "b", "side", "unit", "day", "part").is_duplicated()
        edges = edges.with_columns((pl.col("#rest").fill_null(False) & ~states).alias("#rest"))
        beyond = edges.filter(pl.col("#rest"))
        rules["trades.super_node"] += crowd.height
        rules["trades.beyond_cap"] += int(beyond["count"].sum())
        for account, many in crowd.sort(here).head(20).iter_rows():
            log.warning("%s pays %s %d others, the cap is %d: the rest is one edge", account, word, many, most)
        other = pl.format(f"acct:rest-{word}-{{}}", pl.col(here))
        edges = edges.with_columns(pl.when(pl.col("#rest")).then(other).otherwise(pl.col(there)).alias(there))
        edges = _joined(edges.filter(~pl.col("#rest")), edges.filter(pl.col("#rest")))
    return edges


def _joined(kept: pl.DataFrame, rest: pl.DataFrame) -> pl.DataFrame:
    """What was one edge for each counterparty as one edge a day."""
    one = rest.group_by("a", "b", "side", "unit", "day", "part", maintain_order=True).agg(
        pl.col("count", "total", "quantity", "raw").sum(), pl.col("published").max(), pl.col("rows").explode().sort()
    )
    return pl.concat([conform(kept), conform(one)]) if one.height else kept.select(EDGES.names())
