"""Level 2 of GLEIF as claims: who consolidates whom and since when, why a parent is not told, and other numbers of
an LEI (ISIN, BIC, MIC, OpenCorporates).

The start of a relationship is the child. A direct parent is the edge other sources tell too (empty key); the ultimate
parent, a branch and a sub-fund have keys of their own, so that paths along direct parents stay free of short cuts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from ingest.clean import instants
from ingest.extract.formats.identifier import identified
from ingest.extract.formats.rows import CLOCK, RowClaims, missing, split
from ingest.extract.registers.lei_files import cited
from ingest.source import Refusal
from kg.model import FIRST, LAST

_RELATION = "Relationship."
_CHILD, _PARENT = f"{_RELATION}StartNode.NodeID", f"{_RELATION}EndNode.NodeID"
_TYPE, _STATUS = f"{_RELATION}RelationshipType", f"{_RELATION}RelationshipStatus"
_AMOUNT, _UNITS = f"{_RELATION}Quantifiers.1.QuantifierAmount", f"{_RELATION}Quantifiers.1.QuantifierUnits"
RELATION_COLUMNS: Final = frozenset((_CHILD, _PARENT, _TYPE))
CATEGORIES: Final = ("ExceptionCategory", "Exception.Category")
_REASONS = ("ExceptionReason", "ExceptionReason.1", "Exception.Reason", "Exception.Reason.1")
"""How the columns of reporting exceptions are called in the publications of GLEIF."""
NUMBERS: Final[Mapping[str, str]] = {"ISIN": "isin", "BIC": "bic", "MIC": "mic", "OpenCorporatesID": "opencorporates"}
"""Column of a mapping file beside `LEI`, and the scheme of its ids."""
_EDGES: Final[Mapping[str, tuple[str, str, bool]]] = {
    "IS_DIRECTLY_CONSOLIDATED_BY": ("SUBSIDIARY_OF", "", False),
    "IS_ULTIMATELY_CONSOLIDATED_BY": ("SUBSIDIARY_OF", "ultimate", False),
    "IS_INTERNATIONAL_BRANCH_OF": ("SUBSIDIARY_OF", "branch", False),
    "IS_SUBFUND_OF": ("SUBSIDIARY_OF", "sub-fund", False),
    "IS_FUND-MANAGED_BY": ("OFFICER_OF", "fund manager", True),
    "IS_FEEDER_TO": ("OWNS", "feeder", False),
}
"""Edge type, key, and whether it runs from the end to the start, of each type of relationship."""
_PERIODS = 5


def relations(frame: pl.DataFrame, out: RowClaims) -> list[Refusal]:
    """One edge per relationship for its relationship period; of an inactive one without an end, until its update."""
    for column in (_STATUS, _AMOUNT, _UNITS):
        if column not in frame.columns:
            frame = frame.with_columns(pl.lit(None, pl.String).alias(column))
    frame = identified(identified(frame, _CHILD, "#child", "lei:"), _PARENT, "#parent", "lei:")
    known = pl.when(~pl.col(_TYPE).is_in(list(_EDGES))).then(
        pl.format("relationship type {} is unknown; known: {}", _TYPE, pl.lit(", ".join(_EDGES)))
    )
    start, end = _period(frame, "startDate"), _period(frame, "endDate")
    frame = frame.with_columns(
        start.fill_null(pl.lit(FIRST, CLOCK)).alias("#from"),
        pl.coalesce(end, pl.when(pl.col(_STATUS) == "INACTIVE").then("published")).alias("#to"),
    ).with_columns(pl.col("#to").fill_null(pl.lit(LAST, CLOCK)))
    reasons = [pl.col("#child!"), pl.col("#parent!"), missing("#child", _CHILD, "an LEI")]
    reasons += [missing("#parent", _PARENT, "an LEI"), missing(_TYPE, _TYPE, "a relationship type"), known]
    reasons += [missing("published", "Registration.LastUpdateDate", "an ISO date or time")]
    reasons += [pl.when(pl.col("#from") >= pl.col("#to")).then(pl.lit("the relationship ends before it starts"))]
    reasons += [pl.when(pl.col("#child") == pl.col("#parent")).then(pl.lit("child and parent are one LEI"))]
    good, refused = split(frame, pl.coalesce(reasons))
    for end_of in ("#child", "#parent"):
        out.nodes(cited(good, _CHILD if end_of == "#child" else _PARENT), pl.col(end_of), "Company")
    for name, (type, key, turned) in _EDGES.items():
        _edges(good.filter(pl.col(_TYPE) == name), out, type, key, turned)
    return refused


def _edges(frame: pl.DataFrame, out: RowClaims, type: str, key: str, turned: bool) -> None:
    if not frame.height:
        return
    told = [c for c in frame.columns if c in (_CHILD, _PARENT, _TYPE) or c.endswith(("Date", "QuantifierAmount"))]
    columns = [c for c in told if frame[c].null_count() < frame.height]
    values: dict[str, pl.Expr] = {"value_text": pl.lit(key)} if type == "OFFICER_OF" else {"value_real": _share()}
    source, target = ("#parent", "#child") if turned else ("#child", "#parent")
    spell = {"valid_from": pl.col("#from"), "valid_to": pl.col("#to")}
    given = cited(frame, *columns)
    out.add(given, "edge", subject=pl.col(source), name=type, object=pl.col(target), key=key, **values, **spell)


def _share() -> pl.Expr:
    """Share consolidated, where the row gives it as a percentage."""
    amount = pl.col(_AMOUNT).cast(pl.Float64, strict=False) / 100
    percent = pl.col(_UNITS) == "PERCENTAGE"
    return pl.when(percent & amount.is_between(0, 1)).then(amount)


def _period(frame: pl.DataFrame, leaf: str) -> pl.Expr:
    """Date of the relationship period; accounting and filing periods say nothing of the relation."""
    found = []
    for number in range(1, _PERIODS + 1):
        kind, column = f"Relationship.Period.{number}.periodType", f"Relationship.Period.{number}.{leaf}"
        if {kind, column} <= set(frame.columns):
            found.append(pl.when(pl.col(kind) == "RELATIONSHIP_PERIOD").then(instants(column)))
    return pl.coalesce(found) if found else pl.lit(None, CLOCK)


def exceptions(frame: pl.DataFrame, out: RowClaims) -> list[Refusal]:
    """Why an entity names no parent, as a statement keyed by the kind of parent."""
    category = next(name for name in CATEGORIES if name in frame.columns)
    reason = next((name for name in _REASONS if name in frame.columns), "")
    if not reason:
        frame, reason = frame.with_columns(pl.lit(None, pl.String).alias(_REASONS[0])), _REASONS[0]
    good, refused = split(
        identified(frame, "LEI", "id", "lei:"),
        pl.coalesce(
            pl.col("id!"), missing("id", "LEI", "an LEI"), missing(category, category, "a kind of parent"),
            missing(reason, reason, "a reason"), missing("published", "LEI", "dated; give `published` in a sidecar"),
        ),
    )  # fmt: skip
    out.nodes(cited(good, "LEI"), pl.col("id"), "Company")
    given = cited(good, "LEI", category, reason)
    key = pl.format("no parent|{}", pl.col(category).str.to_lowercase())
    out.properties(given, "statement", pl.col(reason), key=key)
    return refused


def numbers(frame: pl.DataFrame, out: RowClaims) -> list[Refusal]:
    """Other numbers of an LEI: an ISIN is a security it issued, anything else an identifier."""
    column = next(name for name in NUMBERS if name in frame.columns)
    frame = identified(frame, "LEI", "id", "lei:")
    if column == "ISIN":
        frame = identified(frame, column, "#number", "isin:")
    else:
        value = pl.format(f"{NUMBERS[column]}:{{}}", pl.col(column).str.strip_chars())
        frame = frame.with_columns(value.alias("#number"), pl.lit(None, pl.String).alias("#number!"))
    reasons = [pl.col("id!"), pl.col("#number!"), missing("id", "LEI", "an LEI")]
    good, refused = split(frame, pl.coalesce([*reasons, missing("#number", column, "a number")]))
    given = cited(good, "LEI", column)
    out.nodes(given, pl.col("id"), "Company")
    if column == "ISIN":
        out.nodes(given, pl.col("#number"), "Security")
        out.add(given, "edge", subject=pl.col("id"), name="ISSUED", object=pl.col("#number"))
    else:
        out.properties(given, "identifier", pl.col("#number"))
    return refused
