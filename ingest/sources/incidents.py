"""Incidents: floods, storms, quakes and outages with place, reach and time, and the assets within their reach.

Events come as CSV (event_type, latitude, longitude, radius in km, start, end) or GeoJSON; assets as CSV (entity,
latitude, longitude). An asset is hit if it lies no farther from the centre than the radius on the great circle, or
inside the area of a polygon. Who is hit by what stands in a table of its own, made from all files of a folder.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import polars as pl

from ingest.clean import instants, public
from ingest.extract.formats.identifier import identified
from ingest.extract.formats.pointer import at, pointer, read_json, written
from ingest.extract.formats.rows import CLOCK, RowClaims, missing, split
from ingest.extract.formats.table import QUOTE, ROW, columns_of, read_table
from ingest.extract.registers.places import EVENT_COLUMNS, Asset, Incident, feature, incident, is_features, kilometres
from ingest.source import Extract, Models, Record, Refusal, Source
from kg.errors import RecordError
from kg.model import Claim, ClaimBatch, Evidence, Node

ASSETS = frozenset(("entity", "latitude", "longitude"))
_EVENTS = frozenset(("event_type", "latitude", "longitude", "start"))
REACH = ("entity", "site", "event", "event_type", "distance_km", "radius_km", "start", "published", "asset", "incident")
"""Columns of the table of who is hit; the last two name document and place of asset and event."""


class Incidents(Source):
    """External events with a place, and the assets they hit."""

    extractor = "incidents.places@2"
    patterns = ("*.csv", "*.parquet", "*.geojson", "*.json")

    def records(self) -> Iterator[Record]:
        """One record per file, then one of the assets within reach of the events."""
        events: list[tuple[Record, Incident]] = []
        assets: list[Asset] = []
        now = datetime.now(UTC)
        for path in self.files:
            content = path.read_bytes()
            if not (layout := layout_of(content, path.suffix)):
                continue
            meta = {"layout": layout, "read": now}
            record = Record("incidents", path.relative_to(self.folder).as_posix(), content, meta=meta)
            with suppress(RecordError):  # claims tells why
                if layout == "assets":
                    assets += _assets_of(record)
                else:
                    events += [(record, event) for event in _events_of(record)[0]]
            yield record
        if content := _reach(events, assets):
            yield Record("incidents", "#reach", content, meta={"layout": "reach"})

    def claims(self, record: Record, models: Models) -> Extract:
        layout = str(record.meta.get("layout", ""))
        if layout == "reach":
            return self._hit(record)
        if layout == "assets":
            return self._placed(record)
        found, refused, unread = _events_of(record)
        return Extract(ClaimBatch.of(claim for event in found for claim in self._told(record, event)), refused, unread)

    def _told(self, record: Record, event: Incident) -> Iterator[Claim]:
        evidence = Evidence(record.document, event.place, event.quote, self.extractor)
        props: dict[str, str | float] = {"event_type": event.kind, "latitude": event.latitude}
        props |= {"longitude": event.longitude, "radius": event.radius}
        if event.title:
            props["title"] = event.title
        yield Claim(Node("Event", event.id, props), evidence, event.published, event.start, event.end)

    def _placed(self, record: Record) -> Extract:
        """Coordinates of assets as facts of their entity; the key is the site."""
        good, refused, columns = _assets(record)
        out = RowClaims(record.document, self.extractor)
        undated = int(good["#when"].is_null().sum())
        read = pl.lit(record.meta.get("read"), CLOCK)
        good = good.with_columns(pl.coalesce("#when", read, "published").alias("published"))
        for name in ("latitude", "longitude"):
            out.properties(good, name, pl.col(f"#{name}"), key=pl.col("site").fill_null(""))
        rules = {"published.when_read": undated} if undated else {}
        return Extract(out.batch(), refused, sorted(columns - ASSETS - {"site", "published"}), rules)

    def _hit(self, record: Record) -> Extract:
        """AFFECTED_BY edges of the table of who is hit; the role says how near."""
        table = read_table(record.content)
        if tuple(table.columns) != REACH:
            raise RecordError(f"expected the columns {', '.join(REACH)}")
        frame = table.frame.with_columns(*(instants(c).alias(c) for c in ("start", "published")))
        out = RowClaims(record.document, self.extractor)
        site = pl.when(pl.col("site").is_null()).then(pl.lit("")).otherwise(pl.format(", {}", "site"))
        role = pl.format("{} km from {}{}", "distance_km", "event_type", site)
        out.nodes(frame, pl.col("event"), "Event")
        ends = {"subject": pl.col("entity"), "object": pl.col("event")}
        key = pl.format("within reach{}", site)
        out.add(frame, "edge", name="AFFECTED_BY", key=key, value_text=role, valid_from=pl.col("start"), **ends)
        return Extract(out.batch())


def layout_of(content: bytes, suffix: str) -> str:
    """`assets`, `events` or `features`; "" for anything else."""
    if suffix in (".json", ".geojson"):
        return "features" if is_features(content[:4_000]) else ""
    columns = set(columns_of(content))
    if columns >= _EVENTS:
        return "events"
    return "assets" if columns >= ASSETS and "event_type" not in columns else ""


def _assets(record: Record) -> tuple[pl.DataFrame, list[Refusal], set[str]]:
    table = read_table(record.content)
    if not set(table.columns) >= ASSETS:
        raise RecordError(f"expected the columns {', '.join(sorted(ASSETS))}")
    frame = identified(table.frame, "entity", "id")
    for column in ("site", "published"):
        if column not in table.columns:
            frame = frame.with_columns(pl.lit(None, pl.String).alias(column))
    bounds = {"latitude": 90, "longitude": 180}
    for name, most in bounds.items():
        value = pl.col(name).cast(pl.Float64, strict=False)
        frame = frame.with_columns(pl.when(value.is_between(-most, most)).then(value).alias(f"#{name}"))
    said = pl.col("published")
    frame = frame.with_columns(public("published").alias("#when"), said.alias("#said"))
    unreadable = pl.when(pl.col("#said").is_not_null() & pl.col("#when").is_null())
    reason = pl.coalesce(
        pl.col("id!"),
        missing("id", "entity", "an id"),
        *(missing(f"#{name}", name, f"a number of degrees from -{most} to {most}") for name, most in bounds.items()),
        unreadable.then(pl.format("published {} is not an ISO date", "#said")),
    )
    first = pl.lit(datetime(1970, 1, 1, tzinfo=UTC), CLOCK)  # where something stands is no news: its events are
    good, refused = split(frame.with_columns(pl.coalesce("#when", first).alias("published")), reason)
    return good, [*table.refused, *refused], set(table.columns)


def _assets_of(record: Record) -> Iterator[Asset]:
    good, _, _ = _assets(record)
    columns = ("id", "site", "#latitude", "#longitude", "published", ROW)
    for id, site, latitude, longitude, published, row in good.select(columns).iter_rows():
        yield Asset(id, site or "", latitude, longitude, published, f"{record.document} row:{row}")


def _events_of(record: Record) -> tuple[list[Incident], list[Refusal], list[str]]:
    """Events of a file, the parts refused, and the columns nobody read."""
    found: list[Incident] = []
    if record.meta.get("layout") == "features":
        refused = []
        value = read_json(record.content)
        features = value.get("features") if isinstance(value, dict) else None
        if not isinstance(features, list):
            raise RecordError("expected a GeoJSON FeatureCollection with a list of features")
        for number, item in enumerate(features):
            where = pointer(("features", number, "geometry"))
            try:
                found.append(feature(item, where, written(at(value, where.removeprefix("json:")))))
            except RecordError as error:
                refused.append(Refusal(pointer(("features", number)), str(error)))
        return found, refused, []
    table = read_table(record.content)
    if not set(table.columns) >= _EVENTS:
        raise RecordError(
            f"expected the columns {', '.join(sorted(_EVENTS))}, or an asset's {', '.join(sorted(ASSETS))}"
        )
    refused = list(table.refused)
    for row in table.frame.iter_rows(named=True):
        if row[QUOTE].strip(","):
            try:
                found.append(incident(row, f"row:{row[ROW]}", row[QUOTE]))
            except RecordError as error:
                refused.append(Refusal(f"row:{row[ROW]}", str(error)))
    return found, refused, sorted(set(table.columns) - EVENT_COLUMNS)


def _reach(events: list[tuple[Record, Incident]], assets: list[Asset]) -> bytes:
    """CSV of the assets within reach of each event; empty if none is hit."""
    rows = []
    for record, event in events:
        for asset, far in zip(assets, kilometres(event, assets), strict=True):
            if not event.reaches(asset, far):
                continue
            public = max(event.published, asset.published).isoformat()
            near = (asset.entity, asset.site, event.id, event.kind, f"{far:.1f}", f"{event.radius:.1f}")
            rows.append((*near, event.start.isoformat(), public, asset.place, f"{record.document} {event.place}"))
    if not rows:
        return b""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([REACH, *sorted(rows)])
    return out.getvalue().encode()
