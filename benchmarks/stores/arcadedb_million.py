"""ArcadeDB filled with a million loans."""

from benchmarks.figure import Figure
from benchmarks.storing import arcadedb, first

SECONDS = 120
"""Within which an empty embedded store should take it."""


def measure() -> list[Figure]:
    return first(arcadedb, (100_000, 1_000_000), SECONDS)  # banks and loans
