"""ArcadeDB with 100 thousand loans: filled, kept up and asked."""

from benchmarks.figure import Figure
from benchmarks.storing import arcadedb, whole


def measure() -> list[Figure]:
    return whole(arcadedb, (20_000, 100_000))  # banks and loans
