"""Level 1 of GLEIF as claims: who is who by LEI, with former and transliterated names, status and successor.

Every row is public since its last update. A name that was changed holds until the change took effect (or, where no
event tells, until the row was last updated); a duplicate LEI becomes an identifier of the entity that survives.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from ingest.clean import instants
from ingest.extract.formats.identifier import identified
from ingest.extract.formats.rows import CLOCK, RowClaims, missing, split
from ingest.extract.registers.lei_files import cited
from ingest.source import Refusal
from kg.model import FIRST, LAST

ENTITY_COLUMNS: Final = frozenset(("LEI", "Entity.LegalName"))
UPDATED: Final = "Registration.LastUpdateDate"
_NAME, _COUNTRY = "Entity.LegalName", "Entity.LegalAddress.Country"
_AUTHORITY = "Entity.RegistrationAuthority."
_EVENTS = "Entity.LegalEntityEvents.LegalEntityEvent."
_NAMES = (
    ("Entity.OtherEntityNames.OtherEntityName.", 1.0),
    ("Entity.TransliteratedOtherEntityNames.TransliteratedOtherEntityName.", 0.9),
)
_SINGLE = (
    *("LEI", _NAME, _COUNTRY, UPDATED, "Entity.EntityCategory", "Entity.EntityStatus", "Entity.EntityCreationDate"),
    *("Entity.EntityExpirationDate", "Entity.LegalJurisdiction", f"{_AUTHORITY}RegistrationAuthorityID"),
    *(f"{_AUTHORITY}RegistrationAuthorityEntityID", "Registration.RegistrationStatus"),
    *("Registration.NextRenewalDate", "Entity.SuccessorEntity.SuccessorLEI"),
)
_MANY = 10
"""How many names, events and successors of an entity are looked for."""
NO_AUTHORITY: Final = ("RA999999", "RA888888")
"""Codes of GLEIF for an entity that no authority registers."""


def entities(frame: pl.DataFrame, out: RowClaims) -> list[Refusal]:
    """Claims of level 1 rows (with `published`); a row without right LEI, name or date is refused."""
    frame = identified(_with(frame, _SINGLE), "LEI", "id", "lei:")
    good, refused = split(
        frame,
        pl.coalesce(
            pl.col("id!"),
            missing("id", "LEI", "an LEI"),
            missing(_NAME, _NAME, "a name"),
            missing("published", UPDATED, "an ISO date or time"),
        ),
    )
    good = good.with_columns(_renamed(good).alias("#renamed"))
    fund = pl.when(pl.col("Entity.EntityCategory") == "FUND").then(pl.lit("Fund")).otherwise(pl.lit("Company"))
    out.nodes(cited(good, "LEI"), pl.col("id"), fund)
    _named(good, out)
    refused += _placed(good, out)
    _registered(good, out)
    _marked(good, out)
    return refused + _succeeded(good, out)


def used(columns: tuple[str, ...]) -> set[str]:
    """Columns of level 1 that are read."""
    prefixes = (*(prefix for prefix, _ in _NAMES), _EVENTS, "Entity.SuccessorEntity.")
    return {name for name in columns if name in _SINGLE or name.startswith(prefixes)}


def _with(frame: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
    return frame.with_columns(pl.lit(None, pl.String).alias(name) for name in columns if name not in frame.columns)


def _numbered(frame: pl.DataFrame, prefix: str, leaf: str = "") -> Iterator[tuple[str, str]]:
    """Columns `prefix1leaf`, `prefix2leaf`, ... that are there, each with its stem `prefix1`."""
    for number in range(1, _MANY + 1):
        if f"{prefix}{number}{leaf}" in frame.columns:
            yield f"{prefix}{number}{leaf}", f"{prefix}{number}"


def _renamed(frame: pl.DataFrame) -> pl.Expr:
    """When the legal name was last changed, by the completed events of the row."""
    dates = []
    for kind, stem in _numbered(frame, _EVENTS, ".LegalEntityEventType"):
        date, status = f"{stem}.LegalEntityEventEffectiveDate", f"{stem}.event_status"
        if date in frame.columns:
            done = pl.col(status) != "IN_PROGRESS" if status in frame.columns else pl.lit(True)
            changed = (pl.col(kind) == "CHANGE_LEGAL_NAME") & done.fill_null(True)
            dates.append(pl.when(changed).then(instants(date)))
    return pl.max_horizontal(dates) if dates else pl.lit(None, CLOCK)


def _named(frame: pl.DataFrame, out: RowClaims) -> None:
    since = pl.col("#renamed").fill_null(pl.lit(FIRST, CLOCK))
    out.properties(cited(frame, _NAME), "name", pl.col(_NAME), valid_from=since)
    for prefix, confidence in _NAMES:
        for column, _ in _numbered(frame, prefix):
            kind = f"{column}.type"
            given = cited(frame, column)
            former = pl.col(kind).str.starts_with("PREVIOUS") if kind in frame.columns else pl.lit(False)
            until = pl.when(former.fill_null(False)).then(pl.coalesce("#renamed", "published"))
            out.properties(
                given,
                "name",
                pl.col(column),
                valid_to=until.fill_null(pl.lit(LAST, CLOCK)),
                confidence=pl.lit(confidence if "Transliterated" in prefix else 1.0),
            )


def _placed(frame: pl.DataFrame, out: RowClaims) -> list[Refusal]:
    """Country of the legal address, else of the jurisdiction."""
    refused: list[Refusal] = []
    for column, rows in (
        (_COUNTRY, frame.filter(pl.col(_COUNTRY).is_not_null())),
        ("Entity.LegalJurisdiction", frame.filter(pl.col(_COUNTRY).is_null())),
    ):
        rows = rows.with_columns(pl.col(column).str.slice(0, 2).alias("#code"))
        rows, bad = split(identified(rows, "#code", "#country", "iso:"), pl.col("#country!"))
        refused += bad
        given = cited(rows.filter(pl.col("#country").is_not_null()), column)
        out.nodes(given, pl.col("#country"), "Country")
        out.add(given, "edge", subject=pl.col("id"), name="IN_COUNTRY", object=pl.col("#country"))
    return refused


def _registered(frame: pl.DataFrame, out: RowClaims) -> None:
    """Date of incorporation and number at the register."""
    created = "Entity.EntityCreationDate"
    out.properties(cited(frame, created), "incorporated", instants(created))
    authority, number = f"{_AUTHORITY}RegistrationAuthorityID", f"{_AUTHORITY}RegistrationAuthorityEntityID"
    known = pl.col(number).is_not_null() & ~pl.col(authority).is_in(NO_AUTHORITY)
    out.properties(
        cited(frame, authority, number), "identifier", pl.when(known).then(pl.format("reg:{}/{}", authority, number))
    )


def _marked(frame: pl.DataFrame, out: RowClaims) -> None:
    """Marks for an entity that has ended, and for an LEI that is not in good standing."""
    status, expired, renewal = "Entity.EntityStatus", "Entity.EntityExpirationDate", "Registration.NextRenewalDate"
    ended = frame.filter(pl.col(status) == "INACTIVE")
    since = pl.coalesce(instants(expired), pl.col("published"))
    out.properties(cited(ended, status), "flag", pl.lit("entity inactive"), valid_from=since)
    status = "Registration.RegistrationStatus"
    bad = frame.filter(~pl.col(status).is_in(["ISSUED", "PENDING_TRANSFER", "PENDING_ARCHIVAL"]))
    lapsed = pl.when(pl.col(status) == "LAPSED").then(instants(renewal))
    flag = pl.format("lei {}", pl.col(status).str.to_lowercase())
    out.properties(cited(bad, status), "flag", flag, valid_from=pl.coalesce(lapsed, pl.col("published")))


def _succeeded(frame: pl.DataFrame, out: RowClaims) -> list[Refusal]:
    """A successor takes the entity in on the day it ended; of a duplicate it is the same entity."""
    columns = [name for name, _ in _numbered(frame, "Entity.SuccessorEntity.", ".SuccessorLEI")]
    refused: list[Refusal] = []
    for column in ("Entity.SuccessorEntity.SuccessorLEI", *columns):
        given = identified(frame.filter(pl.col(column).is_not_null()), column, "#next", "lei:")
        given, bad = split(given, pl.col("#next!"))
        refused += bad
        given = cited(given, column)
        out.nodes(given, pl.col("#next"), "Company")
        twice = pl.col("Registration.RegistrationStatus") == "DUPLICATE"
        survivors = given.filter(twice).with_columns(pl.col("id").alias("#old"), pl.col("#next").alias("id"))
        out.properties(survivors, "identifier", pl.col("#old"))
        _merged(given.filter(twice.is_null() | ~twice), out)
    return refused


def _merged(frame: pl.DataFrame, out: RowClaims) -> None:
    day = pl.coalesce(instants("Entity.EntityExpirationDate"), pl.col("published"))
    frame = frame.with_columns(pl.format("event:merger-{}", "LEI").alias("#event"), day.alias("#day"))
    out.nodes(frame, pl.col("#event"), "Event")
    first = frame.unique("#event", keep="first", maintain_order=True)
    kind = first.with_columns(pl.col("#event").alias("id"))
    out.properties(kind, "event_type", pl.lit("acquisition"), valid_from=pl.col("#day"))
    for end, role in (("id", "target"), ("#next", "acquirer")):
        given = {"key": pl.lit(role), "value_text": pl.lit(role), "valid_from": pl.col("#day")}
        rows = first if end == "id" else frame
        out.add(rows, "edge", subject=pl.col(end), name="AFFECTED_BY", object=pl.col("#event"), **given)
