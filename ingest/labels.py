"""Labels and names that a run settles between its sources: one label per firm, and the names later sources know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl
import pyarrow as pa

from kg.ontology import FIRMS, RELIABILITY


def names(table: pa.Table, naming: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """(id, label, name) of the entities that these extractors identify."""
    frame = pl.DataFrame(table.select(["kind", "subject", "name", "value_text", "extractor"]))
    frame = frame.filter(
        pl.col("extractor").str.split("@").list.first().is_in(list(naming))
        & ~pl.col("subject").str.starts_with("name:")
    )
    labels = (
        frame.filter(pl.col("kind") == "node")
        .select("subject", label="name")
        .unique("subject", keep="first", maintain_order=True)
    )
    named = frame.filter((pl.col("kind") == "property") & pl.col("name").is_in(["name", "ticker"]))
    yield from named.join(labels, on="subject").select("subject", "label", "value_text").unique().iter_rows()


def one_label_each(table: pa.Table, labels: pa.Table) -> pa.Table:
    """The table with one label per id where sources call one firm Company, Bank or Fund.

    The ledger's label stays for ever; else the most reliable source's, else the more frequent, else the first by name.
    """
    rows = pl.DataFrame(table).with_row_index("#")
    firms = rows.filter((pl.col("kind") == "node") & pl.col("name").is_in(FIRMS))
    source = (
        pl.col("extractor").str.split(".").list.first().replace_strict(RELIABILITY, default=1, return_dtype=pl.Int64)
    )
    known = pl.DataFrame(labels.select(["id", "label"])).filter(pl.col("label").is_in(FIRMS)).rename({"label": "known"})
    chosen = (
        firms.group_by("subject", "name")
        .agg(source.max().alias("reliability"), pl.len().alias("times"))
        .sort(["reliability", "times", "name"], descending=[True, True, False])
        .unique("subject", keep="first", maintain_order=True)
        .join(known, left_on="subject", right_on="id", how="left")
        .select("subject", pl.coalesce("known", "name").alias("label"))
    )
    node = (pl.col("kind") == "node") & pl.col("name").is_in(FIRMS)
    label = pl.when(node).then(pl.coalesce("label", "name")).otherwise(pl.col("name"))
    names = rows.join(chosen, on="subject", how="left", maintain_order="left").select(label.alias("name"))["name"]
    return table.set_column(
        table.schema.get_field_index("name"), table.schema.field("name"), names.to_arrow().cast(pa.string())
    )
