"""Events and assets on the globe: what a row or a GeoJSON feature says of a place, and how far assets lie from it.

Distances are those of the great circle (haversine, earth's mean radius 6371.0088 km, IUGG): within half a percent of
those on the ellipsoid.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from kg.errors import RecordError

EARTH: Final = 6371.0088
"""Mean radius in kilometres."""
HALF_ROUND: Final = 20_016.0
"""Half the way round: no radius is larger."""
EVENT_COLUMNS: Final = frozenset(
    ("event_id", "event_type", "latitude", "longitude", "radius", "radius_km", "start", "end", "title", "published")
)
Ring = Sequence[tuple[float, float]]
"""Corners as (longitude, latitude)."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A place of an entity."""

    entity: str
    site: str
    latitude: float
    longitude: float
    published: datetime
    place: str
    """Document and locator."""


@dataclass(frozen=True, slots=True)
class Incident:
    """An event with a centre, a reach and a time."""

    id: str
    kind: str
    latitude: float
    longitude: float
    radius: float
    """Kilometres."""
    start: datetime
    end: datetime | None
    published: datetime
    title: str
    place: str
    quote: str
    rings: Sequence[Ring] = ()
    """Outline of its area and the holes in it, where it is no circle."""

    def reaches(self, asset: Asset, far: float) -> bool:
        """True if the asset, so many kilometres from the centre, is hit."""
        if far > self.radius:
            return False
        return not self.rings or inside(asset.longitude, asset.latitude, self.rings)


def kilometres(event: Incident, assets: Sequence[Asset]) -> npt.NDArray[np.float64]:
    """Distance of each asset from the centre of an event."""
    places = np.array([(asset.latitude, asset.longitude) for asset in assets], dtype=np.float64).reshape(-1, 2)
    return haversine(event.latitude, event.longitude, places[:, 0], places[:, 1])


def haversine(
    latitude: float, longitude: float, latitudes: npt.NDArray[np.float64], longitudes: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """2 R asin sqrt(sin^2(dlat/2) + cos(lat1) cos(lat2) sin^2(dlon/2)), degrees in, kilometres out."""
    a, b = np.radians(latitude), np.radians(latitudes)
    half = np.sin((b - a) / 2) ** 2
    half = half + np.cos(a) * np.cos(b) * np.sin(np.radians(longitudes - longitude) / 2) ** 2
    found: npt.NDArray[np.float64] = 2 * EARTH * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    return found


def inside(x: float, y: float, rings: Sequence[Ring]) -> bool:
    """True if a point lies in the first ring and in no hole: edges crossed by a ray from it are odd in number."""
    crossed = False
    for ring in rings:
        for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True):
            if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
                crossed = not crossed
    return crossed


def incident(row: Mapping[str, Any], place: str, quote: str, rings: Sequence[Ring] = ()) -> Incident:
    """Event of a row with the columns EVENT_COLUMNS; RecordError says what is wrong with it."""
    kind = "_".join(str(row.get("event_type") or "").lower().split())
    if not kind:
        raise RecordError("event_type is empty; expected a kind such as flood, earthquake or outage")
    latitude = _number(row.get("latitude"), "latitude", -90, 90)
    longitude = _number(row.get("longitude"), "longitude", -180, 180)
    radius = _number(row.get("radius_km", row.get("radius")), "radius", 0, HALF_ROUND)
    start = _moment(row.get("start"), "start", end=False)
    if start is None:
        raise RecordError("start is empty; expected an ISO time")
    end = _moment(row.get("end"), "end", end=True)
    if end is not None and end <= start:
        raise RecordError(f"end {row.get('end')} is not after start {row.get('start')}")
    # that an event is over is not known before: without a date of publication it is told when it ends
    published = _moment(row.get("published"), "published", end=True) or end or start
    name = str(row.get("event_id") or "").strip().removeprefix("event:")
    name = name or sha256(f"{kind}|{latitude}|{longitude}|{start.isoformat()}".encode()).hexdigest()[:24]
    title = str(row.get("title") or "").strip()
    return Incident(
        f"event:{name}", kind, latitude, longitude, radius, start, end, published, title, place, quote, rings
    )


def feature(item: Any, place: str, quote: str) -> Incident:
    """Event of a GeoJSON feature (RFC 7946): a Point with a radius, or a Polygon."""
    if not isinstance(item, dict) or not isinstance(item.get("geometry"), dict):
        raise RecordError("the feature has no geometry")
    told = item.get("properties")
    row: dict[str, Any] = dict(told) if isinstance(told, dict) else {}
    row.setdefault("event_type", row.get("type"))
    row.setdefault("start", row.get("time"))
    row.setdefault("event_id", item.get("id"))
    geometry = item["geometry"]
    points = geometry.get("coordinates")
    if geometry.get("type") == "Point":
        row["longitude"], row["latitude"] = _pair(points)
        return incident(row, place, quote)
    if geometry.get("type") != "Polygon" or not isinstance(points, list) or not points:
        raise RecordError(f"geometry {geometry.get('type')} is neither Point nor Polygon")
    rings = [[_pair(point) for point in ring] for ring in points if isinstance(ring, list) and len(ring) > 2]
    if not rings:
        raise RecordError("the polygon has no ring of three corners")
    return incident(row | _circle(rings[0]), place, quote, rings)


def _circle(ring: Ring) -> dict[str, float]:
    """Centre of the box around a ring, and the distance of its farthest corner."""
    x, y = np.array(ring, dtype=np.float64).T
    centre = (float(y.min() + y.max()) / 2, float(x.min() + x.max()) / 2)
    radius = float(haversine(*centre, y, x).max())
    return {"latitude": centre[0], "longitude": centre[1], "radius_km": radius}


def _pair(point: Any) -> tuple[float, float]:
    if not isinstance(point, list) or len(point) < 2:
        raise RecordError("a position is no list of longitude and latitude")
    return _number(point[0], "longitude", -180, 180), _number(point[1], "latitude", -90, 90)


def _number(value: Any, name: str, least: float, most: float) -> float:
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
            raise ValueError
        number = float(value)
        if not (math.isfinite(number) and least <= number <= most):
            raise ValueError
    except ValueError:
        given = "(empty)" if value in (None, "") else value
        raise RecordError(f"{name} {given} is not a number from {least:g} to {most:g}") from None
    return number


def _moment(value: Any, name: str, *, end: bool) -> datetime | None:
    """An instant of an ISO time, or of milliseconds since 1970; with `end` a bare day is its end."""
    text = "" if value is None else str(value).strip()
    if not text:
        return None
    try:
        if text.lstrip("-").isdigit() and len(text) > 8:
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError) as error:
        raise RecordError(f"{name} {text} is not an ISO time") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment + timedelta(days=1) if end and len(text) <= 10 else moment.astimezone(UTC)


def is_features(head: bytes) -> bool:
    """True for the start of a GeoJSON FeatureCollection."""
    return head.lstrip()[:1] == b"{" and b'"FeatureCollection"' in head
